"""What a service manager relies on: whom the server runs as, what it tells through NOTIFY_SOCKET, `parley health`, secrets
that come as files."""
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from command import command
from parley import BUILD, LIFTED, PATIENCE, ROOT, wait_until

SECRET = "a secret that stands in a file only"


def parley(*args, env=None):
    return subprocess.run([BUILD / "parley", *args], capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE,
                          env={**os.environ, **LIFTED, **(env or {})})


# ---- root ----
def as_root(*command):
    """what runs the command as root, or as what looks like root from inside"""
    return list(command) if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", *command]


@pytest.fixture
def open_folder():
    """a folder that every account may enter, other than pytest's own"""
    folder = Path(tempfile.mkdtemp(prefix="parley-service-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_root_is_refused(tmp_path):
    done = subprocess.run(as_root(BUILD / "parley", "serve", "--config", "config/parley.yaml"), capture_output=True, text=True,
                          cwd=ROOT, timeout=PATIENCE,
                          env={**os.environ, "DATA_DIR": str(tmp_path / "var"), "LOG_DIR": str(tmp_path / "logs"), "PORT": "0"})
    assert done.returncode == 78, done.stderr
    assert done.stderr == ("error: root does not run the server: start it as another account, set server.user (or --user) to "
                           "one, or say --user root to stay root\n")
    assert not (tmp_path / "var").exists(), "nothing is left of a start that was refused"


def uids(pid):
    return set(re.search(r"^Uid:\s+(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M)[1].split())


def installed(folder):
    """the tree of the tests may be closed to other accounts; an installed server is not"""
    for part in ("plugins", "share"):
        shutil.copytree(BUILD / part, folder / "build" / part)
    shutil.copy2(BUILD / "parley", folder / "build")
    return folder / "build"


@pytest.mark.one_database("whom the server runs as")
@pytest.mark.parametrize("how", ["option", "configuration"])
def test_root_becomes_the_account_that_is_asked_for(own_server, open_folder, how):
    server = own_server(start=False, env={"DATA_DIR": str(open_folder / "var"), "LOG_DIR": str(open_folder / "logs")})
    server.arguments = ["--user", "nobody"] if how == "option" else []
    if how == "configuration":
        server.config = open_folder / "parley.yaml"
        server.config.write_text((ROOT / "config/parley.yaml").read_text().replace("server:\n", "server:\n  user: nobody\n", 1))
        server.config.chmod(0o644)
    server.build = installed(open_folder)
    server.start()
    expected = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    for pid in [server.process.pid, *server.workers()]:
        assert uids(pid) == {str(expected)}
    assert (open_folder / "var/parley.db").stat().st_uid == expected
    server.end()


@pytest.mark.parametrize("owner", ["nobody", "root"])
def test_a_command_of_root_leaves_nothing_that_the_server_cannot_use(own_server, open_folder, owner):
    """no server runs and server.user is empty: the folder's owner is whom the server runs as"""
    server = own_server(start=False, db="sqlite", env={"DATA_DIR": str(open_folder / "var")})
    data, build = open_folder / "var", installed(open_folder)
    data.mkdir(mode=0o700)
    expected = os.geteuid()
    if owner == "nobody" and expected == 0:
        expected = pwd.getpwnam("nobody").pw_uid
        os.chown(data, expected, -1)
    for words in ["migrate"], ["mail", "list"], ["migrate", "--plan"]:
        assert command(server, *words, build=build).returncode == 0
    made = {file.name: file.stat().st_uid for file in data.iterdir()}
    assert {"lock", "secret", "parley.db", "incarnation"} <= set(made) and set(made.values()) == {expected}, made


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("name", ["secret", "lock"])
@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_root_gives_no_file_away_that_is_not_the_servers(own_server, open_folder, name, kind):
    """the account owns the folder, and has put another's file into it"""
    server = own_server(start=False, db="sqlite", env={"DATA_DIR": str(open_folder / "var"), "LOG_DIR": str(open_folder / "logs")})
    data, private = open_folder / "var", open_folder / "private"
    private.write_text("x" * 64)
    private.chmod(0o600)
    data.mkdir(mode=0o700)
    nobody = pwd.getpwnam("nobody").pw_uid
    os.chown(data, nobody, -1)
    if kind == "symbolic":
        (data / name).symlink_to(private)
        os.chown(data / name, nobody, -1, follow_symlinks=False)
    else:
        (data / name).hardlink_to(private)
    done = subprocess.run([installed(open_folder) / "parley", "serve", "--config", str(ROOT / "config/parley.yaml"), "--user", "nobody"],
                          capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE,
                          env={**os.environ, **LIFTED, "DATA_DIR": str(data), "LOG_DIR": str(open_folder / "logs"), "PORT": "0"})
    assert done.returncode == 1, done.stderr
    assert f"{data}/{name}" in done.stderr
    assert private.stat().st_uid == 0 and private.read_text() == "x" * 64


def test_an_account_that_does_not_exist(tmp_path):
    done = subprocess.run(as_root(BUILD / "parley", "serve", "--config", "config/parley.yaml", "--user", "no-such-account"),
                          capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE,
                          env={**os.environ, "DATA_DIR": str(tmp_path / "var"), "LOG_DIR": str(tmp_path / "logs"), "PORT": "0"})
    assert done.returncode == 78
    assert done.stderr == 'error: there is no account "no-such-account" on this machine to run as\n'


# ---- the service manager ----
class Manager:
    """The socket of a service manager; heard: its datagrams, each a dict."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)
        self.heard = []

    def listen(self):
        while True:
            try:
                text = self.socket.recv(4096).decode()
            except BlockingIOError:
                return self.heard
            self.heard.append(dict(line.split("=", 1) for line in text.split("\n")))

    def wait(self, key, count=1):
        wait_until(f"{key} in {self.heard}", lambda: sum(key in m for m in self.listen()) >= count)
        return [m for m in self.heard if key in m][count - 1]

    def order(self):
        return [next(iter(m)) for m in self.listen() if "WATCHDOG" not in m]


@pytest.fixture(params=["a path", "an abstract name"])
def manager(request, tmp_path):
    name = str(tmp_path / "notify") if request.param == "a path" else f"\0parley-test-{os.getpid()}-{time.monotonic_ns()}"
    one = Manager(name)
    one.env = {"NOTIFY_SOCKET": name.replace("\0", "@")}
    yield one
    one.socket.close()


def test_start_reload_and_stop_are_told(own_server, manager):
    server = own_server(env=manager.env)
    manager.wait("READY")
    assert server.anonymous().get("/readyz").status_code == 200
    before = time.monotonic_ns() // 1000
    server.process.send_signal(signal.SIGHUP)
    reloading = manager.wait("RELOADING")
    assert before <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    manager.wait("READY", 2)
    assert server.anonymous().get("/readyz").status_code == 200, "READY comes when the successors serve"
    server.end()
    assert manager.order() == ["READY", "RELOADING", "READY", "STOPPING"]


def test_a_reload_that_is_refused_ends_too(own_server, manager, tmp_path):
    server = own_server(env=manager.env, config=(ROOT / "config/parley.yaml").read_text())
    manager.wait("READY")
    server.config.write_text("plugins:\n  - nope\n")
    server.process.send_signal(signal.SIGHUP)
    manager.wait("READY", 2)
    server.wait_line("configuration not taken")
    server.end()
    assert manager.order() == ["READY", "RELOADING", "READY", "STOPPING"]


def test_the_watchdog_is_fed_in_half_its_time(own_server, manager):
    server = own_server(env={**manager.env, "WATCHDOG_USEC": "200000"})
    manager.wait("READY")
    manager.wait("WATCHDOG", 3)
    start, seen = time.monotonic(), len(manager.heard)
    manager.wait("WATCHDOG", seen + 10)
    assert 0.5 < time.monotonic() - start < 20, "ten of them, 100 ms apart"
    server.end()


@pytest.mark.parametrize("env", [{}, {"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "soon"}], ids=str)
def test_a_watchdog_that_is_not_ours_is_not_fed(own_server, manager, env):
    server = own_server(env={**manager.env, **env})
    manager.wait("READY")
    server.process.send_signal(signal.SIGHUP)
    manager.wait("READY", 2)
    server.end()
    assert not any("WATCHDOG" in m for m in manager.listen())


def test_children_do_not_speak_for_the_server(own_server, manager):
    server = own_server(env={**manager.env, "WATCHDOG_USEC": "10000000"})
    for pid in server.workers():
        environment = Path(f"/proc/{pid}/environ").read_text()
        assert "NOTIFY_SOCKET" not in environment and "WATCHDOG_USEC" not in environment
    server.end()


@pytest.mark.parametrize("address,line", [("relative", "NOTIFY_SOCKET is no path"), ("/nowhere/notify", "cannot be told")])
def test_a_socket_that_is_not_there_stops_nothing(own_server, address, line):
    server = own_server(env={"NOTIFY_SOCKET": address})
    server.wait_line(line)
    assert server.anonymous().get("/healthz").status_code == 200


# ---- parley health ----
def test_health_of_a_server_that_works(own_server):
    server = own_server()
    done = parley("health", "--config", str(server.config), env=server.env)
    assert done.returncode == 0 and '"status":"ready"' in done.stdout, done.stderr


def test_health_of_a_server_on_all_addresses(own_server):
    without_people = re.sub(r"^  - (mail|accounts|throttle|chat|search|admin)\b.*\n(?:      .*\n)*", "",
                            (ROOT / "config/parley.yaml").read_text(), flags=re.M)
    for host in ("0.0.0.0", "::"):
        server = own_server(config=without_people, env={"HOST": host})
        done = parley("health", "--config", str(server.config), env=server.env)
        assert done.returncode == 0, done.stderr
        server.end()


def test_health_of_no_server(own_server):
    server = own_server(start=False)
    done = parley("health", "--config", str(server.config), env=server.env)
    assert done.returncode == 1
    assert done.stderr == f"error: no server answers at 127.0.0.1 port {server.port}: Connection refused\n"


@pytest.mark.parametrize("answer,status,text", [
    (b"HTTP/1.1 503 Service Unavailable\r\n\r\n{}", 1, "the server cannot work yet"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0, ""),
    (b"SSH-2.0-x\r\n", 1, "the server's answer is not HTTP"),
    (b"", 1, "the server's answer is not HTTP"),
    (None, 1, "the server did not answer within 5 seconds"),
])
def test_health_of_something_else(own_server, answer, status, text):
    server = own_server(start=False)
    with socket.create_server(("127.0.0.1", server.port)) as listener:
        asking = subprocess.Popen([BUILD / "parley", "health", "--config", server.config], env=server.env, cwd=ROOT,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        client, _ = listener.accept()
        if answer is not None:
            assert client.recv(4096).startswith(b"GET /readyz HTTP/1.1\r\n")
            client.sendall(answer)
            client.close()
        _, errors = asking.communicate(timeout=PATIENCE)
        client.close()
    assert asking.returncode == status and text in errors, errors


# ---- secrets from files ----
def test_a_secret_from_a_file_and_as_a_credential(own_server, tmp_path):
    """The same key by three ways gives the same secret: a login outlives the change of the way."""
    for name in ("key", "parley_SECRET_KEY"):
        (tmp_path / name).write_text(SECRET + "\n")
    ways = [{"SECRET_KEY": SECRET}, {"SECRET_KEY_FILE": str(tmp_path / "key")}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}]
    data = str(tmp_path / "var")
    required = (ROOT / "config/parley.yaml").read_text().replace("server:\n", "server:\n  secret_required: true\n", 1)
    for way in ways:
        server = own_server(config=required, env={"DATA_DIR": data, **way})
        assert not (Path(data) / "secret").exists()
        server.end()
        assert SECRET not in server.text()


def test_a_secret_file_that_is_not_there(own_server):
    server = own_server(start=False, env={"SECRET_KEY_FILE": "/nowhere/key"})
    server.start(ready=False)
    assert server.process.wait(PATIENCE) == 78
    server._reader.join(PATIENCE)
    assert re.search(r"error: \S+parley\.yaml:\d+: server\.secret_key: SECRET_KEY_FILE: cannot read /nowhere/key: No such file", server.text())
