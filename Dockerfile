# Dockerfile -- the server as an image: Debian slim, one account without rights, no compiler, no shell needed to run it.
#
#   docker build -t parley .
#   docker run --read-only --cap-drop ALL -e DATABASE_URL=... -e REDIS_URL=... -e SECRET_KEY=... -p 8000:8000 parley
#
# Variables: README.md, "Operate it"; each may come from a file, NAME_FILE.  Compose files and a guide: docs/DEPLOY.md.
ARG DEBIAN=docker.io/library/debian:bookworm-slim

FROM ${DEBIAN} AS build
WORKDIR /src
# The list of packages is dev's, so that only a change there installs them anew.
COPY dev ./
RUN ./dev needs
COPY . .
RUN cmake --preset release -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_INSTALL_SYSCONFDIR=/etc \
    && cmake --build build/release \
    && DESTDIR=/image cmake --install build/release --strip

FROM ${DEBIAN}
LABEL org.opencontainers.image.title="Parley" \
    org.opencontainers.image.description="Self-hosted real-time chat server" \
    org.opencontainers.image.licenses="MIT"
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        ca-certificates libcurl4 libhiredis0.14 libjansson4 libpq5 libsodium23 libsqlite3-0 libssl3 libutf8proc2 libuv1 libwslay1 \
        libyaml-0-2 zlib1g >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/parley --shell /usr/sbin/nologin parley \
    && install -d -m 0700 -o parley -g parley /var/lib/parley /var/log/parley
COPY --from=build /image/usr/bin/parley /usr/bin/parley
COPY --from=build /image/usr/lib/parley /usr/lib/parley
COPY --from=build /image/usr/share/parley /usr/share/parley
COPY config/production.yaml /etc/parley/parley.yaml
# A library that a plugin needs and the list above lacks is found here and not at the first start.
RUN ! ldd /usr/bin/parley /usr/lib/parley/plugins/*.so | grep "not found"

ENV HOST=0.0.0.0 DATA_DIR=/var/lib/parley LOG_DIR=/var/log/parley
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/parley
VOLUME ["/var/lib/parley", "/var/log/parley"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD ["parley", "health"]
ENTRYPOINT ["parley"]
CMD ["serve"]
