# A machine with systemd on which the server was installed with `cmake --install`: the first stage of the real Dockerfile.
FROM parley-build
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends curl systemd systemd-sysv >/dev/null \
    && cp -a /image/. / \
    && systemd-sysusers \
    && systemctl enable parley.service
CMD ["/sbin/init"]
