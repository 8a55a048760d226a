"""A Parley server to test against, and small clients: HTTP over requests, WebSocket over a bare socket.

Server starts the real binary with a private port and private folders, and checks at its end that it stopped cleanly and
that no sanitizer complained.  Nothing here sleeps where it can wait for an event.
"""
import base64
import contextlib
import email
import email.policy
import hashlib
import itertools
import json
import os
import re
import resource
import signal
import socket
import sqlite3
import struct
import subprocess
import threading
import time
from pathlib import Path

import requests

import described
import postgres

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PARLEY_BUILD", ROOT / "build" / "dev"))
PASSWORD = "correct horse battery"
LIFTED = {
    "THROTTLE_ANON": "",
    "THROTTLE_USER": "",
    "THROTTLE_MESSAGE": "",
    "THROTTLE_LOGIN": "",
    "THROTTLE_ACCOUNT": "",
}
SQLITE_ENTRY = r"^  - sqlite\b.*\n(?:      .*\n)*"
POSTGRES_ENTRY = "  - postgres:\n      url: ${DATABASE_URL}\n"
MEMORY_ENTRY = r"^  - memory\b.*\n(?:      .*\n)*"
REDIS_ENTRY = "  - redis:\n      urls: ${REDIS_URL}\n      prefix: %s\n"
CLUSTER = os.environ.get("PARLEY_MODE") == "cluster"  # every server: PostgreSQL, Redis, so many workers
CLUSTER_WORKERS = 3
DB = os.environ.get("PARLEY_DB", "postgres" if CLUSTER else "sqlite")
PATIENCE = 90  # seconds until a test gives up waiting; a sanitized server on a busy machine is slow
_numbers = itertools.count(1)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, fn, seconds=PATIENCE):
    """fn() until it gives something true; that is returned."""
    end = time.monotonic() + seconds
    while True:
        found = fn()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.01)


class Server:
    """One `parley serve`.  env: variables of the configuration; config: another file, or its text.

    host: where it listens; wrapper: what is put before its command (ip netns exec ...).
    ops: with an operations listener, on ops_port.
    db: "sqlite", "postgres" (with a database of its own on the tests' server), or the URL of a PostgreSQL database.
    """

    def __init__(self, folder, env=None, config=None, build=BUILD, ops=False, db=DB, host="127.0.0.1", wrapper=()):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.build = Path(build)
        self.host, self.port, self.wrapper = host, free_port(), list(wrapper)
        self.ops_port = free_port() if ops else None
        self.data = self.folder / "var"
        self.logs = self.folder / "logs"
        self.config = ROOT / "config" / "parley.yaml"
        if isinstance(config, str):
            self.config = self.folder / "parley.yaml"
            self.config.write_text(config)
        elif config:
            self.config = Path(config)
        self.database_url = None
        if db != "sqlite" and re.search(SQLITE_ENTRY, self.config.read_text(), re.M):
            on_postgres = re.sub(SQLITE_ENTRY, POSTGRES_ENTRY, self.config.read_text(), count=1, flags=re.M)
            self.config = self.folder / "parley.yaml"
            self.config.write_text(on_postgres)
            self.database_url = postgres.shared().database() if db == "postgres" else db
            env = {"DATABASE_URL": self.database_url, **(env or {})}
        self.connected = 0  # workers that will say that Redis is there
        if CLUSTER and re.search(MEMORY_ENTRY, self.config.read_text(), re.M):
            env = {"REDIS_URL": self._spread(), **(env or {})}
        self.env = {
            **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "HOST", "PORT")},
            "HOST": host,
            "PORT": str(self.port),
            "OPS": f"127.0.0.1:{self.ops_port}" if ops else "none",
            "DATA_DIR": str(self.data),
            "LOG_DIR": str(self.logs),
            "SITE_URL": f"http://{host}:{self.port}",
            "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "LSAN_OPTIONS": "use_tls=0:print_suppressions=0",  # the leak checker crashes over the thread-local storage of libraries opened later
            **LIFTED,
            **(env or {}),
        }
        self.arguments = ["--user", "root"] if os.geteuid() == 0 else []  # root is refused unless it says so
        self.url = f"http://{host}:{self.port}"
        self.process = None
        self.output = []
        described.describe(self)

    def _spread(self):
        """Redis in the place of memory, and more workers; the URL"""
        import redis  # needs this module
        entry = REDIS_ENTRY % f"test{os.getpid()}x{next(_numbers)}"
        spread = re.sub(MEMORY_ENTRY, entry, self.config.read_text(), count=1, flags=re.M)
        if not re.search(r"^  workers:", spread, re.M):
            spread = re.sub(r"^server:\n", f"server:\n  workers: {CLUSTER_WORKERS}\n", spread, flags=re.M) \
                if re.search(r"^server:\n", spread, re.M) else f"server:\n  workers: {CLUSTER_WORKERS}\n{spread}"
            self.connected = CLUSTER_WORKERS
        self.config = self.folder / "parley.yaml"
        self.config.write_text(spread)
        return redis.shared().url

    # ---- life ----
    def start(self, ready=True, descriptors=None):
        self.output = []

        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.process = subprocess.Popen(
            [*self.wrapper, self.build / "parley", "serve", "--config", str(self.config), *self.arguments],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            preexec_fn=limit,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if ready:
            wait_until("the server to listen", self._is_up)
        return self

    def _read(self):
        for line in self.process.stdout:
            self.output.append(line.rstrip("\n"))

    def _is_up(self):
        if self.process.poll() is not None:
            self._reader.join(PATIENCE)
            raise AssertionError(f"the server ended with {self.process.returncode}:\n" + self.text())
        there = sum("redis Redis" in line and "is there" in line for line in list(self.output))
        return any("is listening on" in line for line in self.output) and there >= self.connected

    def text(self):
        return "\n".join(self.output)

    def wait_line(self, pattern, seconds=PATIENCE):
        return wait_until(f"a line like {pattern!r} in\n{self.text()}",
                          lambda: next((m for m in (re.search(pattern, l) for l in list(self.output)) if m), None), seconds)

    def end(self, status=0):
        """SIGTERM, and everything that a clean end promises."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert code == status, f"exit status {code}:\n" + self.text()
        self.check_sanitizers()

    def check_sanitizers(self):
        # The leak checker now and then crashes while it stops the threads; that says nothing about leaks.
        found = self.text().replace("LeakSanitizer has encountered a fatal error", "").replace("HINT: LeakSanitizer", "")
        for mark in ("AddressSanitizer", "LeakSanitizer", "runtime error:", "ThreadSanitizer"):
            assert mark not in found, self.text()

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)

    def workers(self):
        """pids of the worker processes"""
        out = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout
        return [int(pid) for pid in out.split()]

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind:
            self.kill()
            print(self.text())
        else:
            self.end()

    # ---- the database ----
    def query(self, sql):
        """rows of what lies in its database; a statement that changes something says RETURNING"""
        if self.database_url:
            return postgres.shared().query(sql, self.database_url.rsplit("/", 1)[1])
        with contextlib.closing(sqlite3.connect(self.data / "parley.db", timeout=PATIENCE)) as db, db:
            return [[str(value) for value in row] for row in db.execute(sql)]

    def dump(self):
        """all that lies in its database, if that is not in its data folder"""
        return postgres.shared().dump(self.database_url.rsplit("/", 1)[1]) if self.database_url else b""

    # ---- mail ----
    def mails(self, to=None):
        """The mails of the outbox, oldest first."""
        found = []
        for file in sorted((self.data / "outbox").glob("*.eml")):
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            if to is None or to in str(mail["To"]):
                found.append(mail)
        return found

    def wait_mail(self, to, count=1):
        return wait_until(f"mail {count} to {to}", lambda: (m := self.mails(to)) and len(m) >= count and m)[-1]

    def token_of(self, to, count=1):
        body = self.wait_mail(to, count).get_body(("plain",)).get_content()
        return re.search(r"^http\S+/api/auth/verify-email/([A-Za-z0-9_-]+)/\s*$", body, re.M).group(1)

    # ---- people ----
    def person(self, name=None, verified=True, login=True):
        """A registered (verified, logged in) person with a name nobody else has."""
        name = name or f"u{next(_numbers)}x{os.getpid()}"
        address = f"{name}@example.org"
        fields = {"first_name": "First", "last_name": "Last", "email": address, "username": name,
                  "password": PASSWORD, "password_confirm": PASSWORD}
        answer = requests.post(self.url + "/api/auth/register/", json=fields, timeout=PATIENCE)
        assert answer.status_code == 201, answer.text
        user = answer.json()["user"]
        person = Person(self, user, address)
        if verified:
            token = self.token_of(address)
            assert requests.post(f"{self.url}/api/auth/verify-email/{token}/", timeout=PATIENCE).status_code == 200
        if verified and login:
            person.login()
        return person

    def anonymous(self):
        return Person(self, None, None)

    def connect(self, timeout=PATIENCE):
        """a bare socket to it"""
        return socket.create_connection((self.host, self.port), timeout)


class Person:
    """Somebody at the API; anonymous until login()."""

    def __init__(self, server, user, address):
        self.server, self.user, self.email, self.token = server, user, address, None
        self.id = user and user["id"]
        self.username = user and user["username"]
        self.http = requests.Session()

    def login(self):
        answer = self.post("/api/auth/login/", {"email": self.email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["token"]
        self.http.headers["Authorization"] = f"Token {self.token}"
        return self

    def call(self, method, path, **more):
        return self.http.request(method, self.server.url + path, timeout=PATIENCE, allow_redirects=False, **more)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, json=body, **more)

    def put(self, path, body=None, **more):
        return self.call("PUT", path, json=body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    def room(self, *others, name="Room"):
        answer = self.post("/api/chat/rooms/", {"name": name, "participant_emails": [o.email for o in others]})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def say(self, room, content):
        answer = self.post(f"/api/chat/rooms/{room['id']}/send/", {"content": content})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def socket(self, room, **more):
        return Socket.open(self.server, f"/ws/chat/{room['id']}/", token=self.token, **more)


class Closed(Exception):
    """The WebSocket was closed: code (1006: without a close frame) and reason."""

    def __init__(self, code, reason=""):
        super().__init__(code, reason)
        self.code, self.reason = code, reason


class Refused(Exception):
    """The handshake was answered with something else than 101."""

    def __init__(self, status, headers, body):
        super().__init__(status, body)
        self.status, self.headers, self.body = status, headers, body


class Socket:
    """A WebSocket client over a bare socket (RFC 6455), so that tests may also send what no library would."""

    GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    def __init__(self, sock, rest=b""):
        self.sock, self.buffer = sock, rest
        self.target = None  # where it was opened; its frames are looked at (described.py)
        self.hello = None  # the first frame of a room's socket, which readers are not shown

    @classmethod
    def open(cls, server, path, token=None, headers=None, key=None, timeout=PATIENCE):
        sock = server.connect(timeout)
        key = key or base64.b64encode(os.urandom(16)).decode()
        fields = {"Host": f"{server.host}:{server.port}", "Upgrade": "websocket", "Connection": "Upgrade",
                  "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"}
        if token:
            fields["Authorization"] = f"Token {token}"
        fields.update(headers or {})
        head = f"GET {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items() if v is not None) + "\r\n"
        sock.sendall(head.encode())
        status, answered, rest = read_head(sock)
        if status != 101:
            length = int(answered.get("content-length", 0))
            while len(rest) < length:
                more = sock.recv(65536)
                if not more:
                    break
                rest += more
            sock.close()
            raise Refused(status, answered, rest.decode(errors="replace"))
        expected = base64.b64encode(hashlib.sha1(key.encode() + cls.GUID).digest()).decode()
        assert answered["sec-websocket-accept"] == expected
        self = cls(sock, rest)
        self.headers, self.target = answered, path
        return self

    # ---- out ----
    @staticmethod
    def encode(opcode, payload=b"", fin=True, mask=True, rsv=0):
        first = (0x80 if fin else 0) | rsv << 4 | opcode
        n = len(payload)
        bit = 0x80 if mask else 0
        head = struct.pack("!BB", first, bit | n) if n < 126 else (
            struct.pack("!BBH", first, bit | 126, n) if n < 65536 else struct.pack("!BBQ", first, bit | 127, n))
        if not mask:
            return head + payload
        key = os.urandom(4)
        return head + key + bytes(b ^ key[i & 3] for i, b in enumerate(payload))

    def raw(self, data):
        self.sock.sendall(data)

    def frame(self, opcode, payload=b"", **more):
        self.raw(self.encode(opcode, payload, **more))

    def text(self, text):
        self.frame(1, text.encode())

    def send(self, obj):
        self.text(json.dumps(obj))

    def say(self, content):
        self.send({"type": "chat_message", "content": content})

    # ---- in ----
    def _fill(self, n):
        while len(self.buffer) < n:
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                raise Closed(1006)
            self.buffer += more

    def read_frame(self):
        """(opcode, payload) of the next frame, control frames too"""
        self._fill(2)
        first, second = self.buffer[0], self.buffer[1]
        n, head = second & 127, 2
        assert not second & 128, "the server masked a frame"
        if n == 126:
            self._fill(4)
            n, head = struct.unpack("!H", self.buffer[2:4])[0], 4
        elif n == 127:
            self._fill(10)
            n, head = struct.unpack("!Q", self.buffer[2:10])[0], 10
        self._fill(head + n)
        payload = self.unpack(first >> 4 & 7, self.buffer[head:head + n])
        self.buffer = self.buffer[head + n:]
        if first & 15 == 1 and self.target:
            described.check_frame(self.target, payload)
        if self.hello is None and first & 15 == 1 and payload.startswith(b'{"type":"hello",'):
            self.hello = json.loads(payload)
            return self.read_frame()
        return first & 15, payload

    def unpack(self, rsv, payload):
        """what an extension has made of the payload: there is none"""
        assert rsv == 0, "the server set reserved bits"
        return payload

    def read(self):
        """the next text frame as an object; Closed when a close frame or the end comes"""
        while True:
            opcode, payload = self.read_frame()
            if opcode == 1:
                return json.loads(payload)
            if opcode == 9:
                self.frame(10, payload)
            if opcode == 8:
                code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                raise Closed(code, payload[2:].decode())

    def read_type(self, *types):
        """the next frame of one of these types; others are skipped"""
        while True:
            got = self.read()
            if got.get("type") in types:
                return got

    def message(self):
        return self.read_type("chat_message")

    def closed(self):
        """reads to the end; the code and reason"""
        try:
            while True:
                self.read()
        except Closed as end:
            return end

    def sync(self, mark=b"sync"):
        """Everything sent before has been handled when the pong comes; gives the objects that came before it."""
        self.frame(9, mark)
        got = []
        while True:
            opcode, payload = self.read_frame()
            if opcode == 10 and payload == mark:
                return got
            if opcode == 1:
                got.append(json.loads(payload))
            if opcode == 8:
                raise Closed(struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005)

    def close(self, code=1000):
        self.frame(8, struct.pack("!H", code))
        end = self.closed()
        self.sock.close()
        return end

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def read_head(sock):
    """(status, headers in lower case, bytes behind the head) of an HTTP answer"""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            raise AssertionError(f"the connection ended inside the head: {data!r}")
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    fields = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()
    return int(lines[0].split(" ")[1]), fields, rest
