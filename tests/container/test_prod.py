"""docker-compose.prod.yml: TLS by Caddy, two nodes, secrets from files; limits see who really asks."""
import re
import secrets
import socket
import ssl
import subprocess

import pytest
import requests
import yaml

from parley import PATIENCE, ROOT, wait_until
from stack import Stack, ports

# Where there is no SMTP server with TLS and a login: the stand-in of the development file, and its page.
OVERRIDE = """
services:
  mail:
    image: docker.io/axllent/mailpit:v1.21
    ports: ["127.0.0.1:${MAIL_PAGE_PORT}:8025"]
    networks: [front]
  node1: &plain
    environment: {EMAIL_USE_TLS: "false", EMAIL_HOST_USER: "", EMAIL_HOST_PASSWORD_FILE: ""}
  node2: *plain
"""
HOST = "localhost"  # for which Caddy makes a certificate itself
NODES = ["node1", "node2"]


class Prod(Stack):
    """The stack behind Caddy: HTTPS by the name of the site."""

    def __init__(self, engine, folder, settings):
        self.front = f"172.30.{secrets.randbelow(200) + 20}.0/24"
        super().__init__(engine, folder, "docker-compose.prod.yml", {**settings, "FRONT_NETWORK": self.front, "SITE_ADDRESS": HOST,
                         "EMAIL_HOST": "mail", "EMAIL_PORT": "1025", "EMAIL_HOST_USER": "chat", "EMAIL_FROM": "chat@example.org"},
                         more_files=["override.yml"])
        (folder / "override.yml").write_text(OVERRIDE)
        self.make_secrets()
        self.port = int(settings["HTTPS_PORT"])
        self.url = f"https://{HOST}:{self.port}"

    def make_secrets(self):
        """docs/DEPLOY.md, "Docker": its lines, as they stand there."""
        page = (ROOT / "docs/DEPLOY.md").read_text()
        script = re.search(r"```sh\n(mkdir -m 0700 secrets\n.*?)```", page, re.S)[1]
        self.engine.run("sh", "-euc", script, cwd=self.folder)
        assert sorted(p.name for p in (self.folder / "secrets").iterdir()) == ["database_url", "email_password", "postgres_password", "secret_key"]

    def up(self, *nodes):
        # Debian's podman-compose makes networks, but not with the subnet that the file names.
        self.engine.podman("network", "create", "--subnet", self.front, f"{self.project}_front")
        return super().up(*nodes)

    def certificate(self):
        return self.inside("proxy", "cat", "/data/caddy/pki/authorities/local/root.crt").stdout

    def connect(self, timeout=PATIENCE):
        context = ssl.create_default_context(cafile=str(self.folder / "root.crt"))
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout), server_hostname=HOST)


@pytest.fixture(scope="module")
def stack(engine, tmp_path_factory):
    one = Prod(engine, tmp_path_factory.mktemp("clone"), ports("HTTP_PORT", "HTTPS_PORT", "MAIL_PAGE_PORT"))
    with pytest.MonkeyPatch.context() as patch:
        try:
            one.up(*NODES)
            (one.folder / "root.crt").write_text(wait_until("Caddy's certificate", one.certificate))
            patch.setenv("REQUESTS_CA_BUNDLE", str(one.folder / "root.crt"))
            one.wait_url()
            yield one
        except BaseException:
            for service in [*NODES, "proxy"]:
                print(one.logs(service))
            raise
        finally:
            one.down()


@pytest.fixture(scope="module")
def two(stack):
    john, jane = stack.person("john"), stack.person("jane")
    return john, jane, john.room(jane)


def test_two_people_talk_over_tls(stack, two):
    john, jane, room = two
    host = {"Host": f"{HOST}:{stack.port}"}
    with john.socket(room, headers=host) as his, jane.socket(room, headers=host) as hers:
        for number in range(4):  # the proxy spreads them over both nodes
            jane.say(room, f"by REST {number}")
            assert his.message()["content"] == f"by REST {number}"
            assert hers.message()["content"] == f"by REST {number}"
        his.say("by socket")
        assert hers.message()["content"] == "by socket"


def test_both_nodes_serve(stack, two):
    for _ in range(20):
        two[0].get("/api/chat/rooms/")
    for node in NODES:
        assert "/api/chat/rooms/" in stack.inside(node, "cat", "/var/log/parley/api.log").stdout, node


def test_plain_http_is_sent_to_https(stack):
    answer = requests.get(f"http://127.0.0.1:{stack.folder and port_of(stack, 'HTTP_PORT')}/", headers={"Host": HOST},
                          timeout=PATIENCE, allow_redirects=False)
    assert answer.status_code == 308 and answer.headers["Location"].startswith(f"https://{HOST}/")


def port_of(stack, name):
    return re.search(rf"^{name}=(\d+)$", (stack.folder / ".env").read_text(), re.M)[1]


def test_only_the_proxy_is_open():
    services = yaml.safe_load((ROOT / "docker-compose.prod.yml").read_text())["services"]
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]


def test_no_secret_is_in_the_environment_or_the_logs(stack):
    texts = [(stack.folder / "secrets" / name).read_text().strip() for name in ("secret_key", "postgres_password", "database_url")]
    for node in NODES:
        seen = stack.engine.podman("inspect", stack.name(node)) + stack.logs(node) + stack.inside(
            node, "sh", "-c", "cat /proc/[0-9]*/environ /var/log/parley/*").stdout
        for text in texts:
            assert text not in seen


# ---- addresses ----
class Machine:
    """Another machine: a network namespace with an address of its own, whose packets reach the published port."""

    def __init__(self, number):
        self.name = f"parley-client{number}"
        self.address, self.router = f"10.213.{number}.2", f"10.213.{number}.1"
        for line in (f"netns add {self.name}", f"link add pcl{number} type veth peer name eth0 netns {self.name}",
                     f"addr add {self.router}/24 dev pcl{number}", f"link set pcl{number} up",
                     f"-n {self.name} addr add {self.address}/24 dev eth0", f"-n {self.name} link set eth0 up",
                     f"-n {self.name} route add default via {self.router}"):
            subprocess.run(["ip", *line.split()], check=True)

    def statuses(self, stack, count, *options):
        """of `count` calls of login with too little in them"""
        url = f"{stack.url}/api/auth/login/"
        one = ["--connect-to", f"{HOST}:{stack.port}:{self.router}:{stack.port}", "--cacert", stack.folder / "root.crt", "--json", "{}",
               "--output", "/dev/null", "--write-out", "%{http_code}\n", *options, url]
        words = [word for _ in range(count) for word in [*one, "--next"]][:-1]
        done = subprocess.run(["ip", "netns", "exec", self.name, "curl", "--silent", "--show-error", *words], capture_output=True, text=True,
                              timeout=PATIENCE * 2)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def close(self):
        subprocess.run(["ip", "netns", "delete", self.name], check=True)


@pytest.fixture
def machines():
    made = []
    try:
        for number in (1, 2):
            made.append(Machine(number))
        yield made
    finally:
        for one in made:
            one.close()


def test_limits_see_who_really_asks(stack, machines):
    first, second = machines
    assert first.statuses(stack, 12) == ["400"] * 10 + ["429"] * 2, "ten a minute, over both nodes together"
    assert second.statuses(stack, 1) == ["400"], "another address has a count of its own"
    assert second.statuses(stack, 1, "--header", f"X-Forwarded-For: {first.address}") == ["400"], "nobody can be somebody else"
    assert first.statuses(stack, 1, "--header", f"X-Forwarded-For: {second.address}") == ["429"], "nor get away by it"
    logs = "".join(stack.inside(node, "cat", "/var/log/parley/api.log").stdout for node in NODES)
    assert first.address in logs and second.address in logs


# ---- one node goes ----
def test_a_node_that_stops_is_not_missed(stack, two):
    john, jane, room = two
    host = {"Host": f"{HOST}:{stack.port}"}
    said = jane.say(room, "before one node stopped")
    stack.engine.podman("stop", "--time", "15", stack.name("node1"))
    try:
        history = john.get(f"/api/chat/rooms/{room['id']}/messages/").json()["results"]
        assert said["id"] in [m["id"] for m in history]
        with john.socket(room, headers=host) as his:
            jane.say(room, "by the other node")
            assert his.message()["content"] == "by the other node"
    finally:
        stack.engine.podman("start", stack.name("node1"))
    stack.engine.wait_healthy(stack.name("node1"))
