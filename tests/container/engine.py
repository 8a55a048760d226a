"""Podman with a storage, networks and settings of its own in one folder, so that nothing of a run stays on the machine and
nothing that is there is touched.

No registry is needed: Debian's base image is made with debootstrap and gets the official name, and so do the stand-ins for
PostgreSQL, Redis, Mailpit and Caddy (standins/).  PARLEY_CONTAINER_ROOT names a folder that keeps them for the next run.
"""
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from parley import ROOT, wait_until

BASE = "docker.io/library/debian:bookworm-slim"
STANDINS = {"postgres": "docker.io/library/postgres:15", "redis": "docker.io/library/redis:7",
            "mailpit": "docker.io/axllent/mailpit:v1.21", "caddy": "docker.io/library/caddy:2"}
# What the slim image leaves out; a copy without it is close to its size.
NOT_SLIM = ["usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/zoneinfo", "var/cache/apt",
            "var/lib/apt/lists"]

CONTAINERS_CONF = """
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/libpod"
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=8192:8192", "nproc=8192:8192"]
"""
STORAGE_CONF = """
[storage]
driver = "overlay"
graphroot = "{folder}/root"
runroot = "{folder}/run"
"""


class Engine:
    def __init__(self):
        assert os.geteuid() == 0, "containers are started as root: sudo ./dev test-container"
        kept = os.environ.get("PARLEY_CONTAINER_ROOT")
        self.keep = bool(kept)
        self.folder = Path(kept or tempfile.mkdtemp(prefix="parley-containers-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "containers.conf").write_text(CONTAINERS_CONF.format(folder=self.folder))
        (self.folder / "storage.conf").write_text(STORAGE_CONF.format(folder=self.folder))
        self.env = {**os.environ, "CONTAINERS_CONF": str(self.folder / "containers.conf"),
                    "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
                    # Only this format has HEALTHCHECK.
                    "BUILDAH_FORMAT": "docker"}

    # ---- commands ----
    def run(self, *command, check=True, cwd=ROOT, env=None, timeout=600):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=cwd, timeout=timeout,
                              env={**self.env, **(env or {})})
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def podman(self, *args, **more):
        return self.run("podman", *args, **more).stdout.strip()

    def inspect(self, name, kind="container"):
        return json.loads(self.podman("inspect", "--type", kind, name))[0]

    def wait_healthy(self, name):
        """Runs the health check of the image until it is content; Podman's own timer needs systemd."""
        wait_until(f"{name} to be healthy", lambda: self.run("podman", "healthcheck", "run", name, check=False).returncode == 0, 120)

    # ---- images ----
    def has(self, image):
        return self.run("podman", "image", "exists", image, check=False).returncode == 0

    def make_base(self):
        if self.has(BASE):
            return
        tree = self.folder / "base"
        self.run("debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", tree, "http://deb.debian.org/debian")
        for folder in NOT_SLIM:
            shutil.rmtree(tree / folder, ignore_errors=True)
        (tree / "etc/dpkg/dpkg.cfg.d/slim").write_text("".join(
            f"path-exclude=/{folder}/*\n" for folder in NOT_SLIM if folder.startswith("usr/share")))
        self.take_apt_settings(tree)
        pack = subprocess.Popen(["tar", "-C", tree, "-c", "."], stdout=subprocess.PIPE)
        subprocess.run(["podman", "import", "--change", 'CMD ["bash"]', "-", BASE], stdin=pack.stdout, env=self.env, check=True,
                       capture_output=True)
        assert pack.wait() == 0
        shutil.rmtree(tree)

    def take_apt_settings(self, tree):
        """Where this machine finds packages, the image finds them."""
        sources = Path("/etc/apt/sources.list.d/debian.sources")
        if sources.exists():
            (tree / "etc/apt/sources.list").unlink(missing_ok=True)
            shutil.copy(sources, tree / "etc/apt/sources.list.d/")
        for settings in Path("/etc/apt/apt.conf.d").glob("*"):
            if "Acquire::" in settings.read_text() and not (tree / "etc/apt/apt.conf.d" / settings.name).exists():
                shutil.copy(settings, tree / "etc/apt/apt.conf.d/")

    def make_standins(self):
        for target, image in STANDINS.items():
            if not self.has(image):
                self.podman("build", "--network", "host", "--quiet", "--target", target, "--tag", image, ROOT / "tests/container/standins")

    def make_parley(self):
        """The image that the real Dockerfile makes of a clean clone."""
        with tempfile.TemporaryDirectory() as folder:
            clone(folder)
            self.podman("build", "--network", "host", "--quiet", "--tag", "parley", folder, timeout=1800)

    # ---- end ----
    def close(self):
        for container in self.podman("ps", "--all", "--quiet").split():
            self.podman("rm", "--force", "--time", "0", container)
        for volume in self.podman("volume", "ls", "--quiet").split():
            self.podman("volume", "rm", "--force", volume)
        for network in self.podman("network", "ls", "--quiet").split():
            if network != "podman":
                self.podman("network", "rm", "--force", network)
        if self.keep:
            return
        self.run("umount", "--lazy", self.folder / "root/overlay", check=False)
        shutil.rmtree(self.folder)


def clone(folder):
    """The files of this tree that git knows or would take, as a clone has them."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            target = Path(folder) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target, follow_symlinks=False)
