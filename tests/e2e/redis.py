"""A private redis-server for tests: 127.0.0.1, a port of its own, nothing on disk; and the configuration of a Parley server
that uses it."""
import atexit
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from parley import PATIENCE, ROOT, free_port, wait_until


class Redis:
    def __init__(self, folder, *lines):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.file = self.folder / "redis.conf"
        self.file.write_text("\n".join([f"port {self.port}", "bind 127.0.0.1", 'save ""', "appendonly no",
                                        f"dir {self.folder}", *lines]) + "\n")
        self.process = None
        self.login = []

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self.process = subprocess.Popen(["redis-server", str(self.file)], stdin=subprocess.DEVNULL,
                                        stdout=open(self.folder / "redis.log", "a"), stderr=subprocess.STDOUT)
        try:
            wait_until("redis-server to answer", self._answers)
        except BaseException:
            self.stop()
            raise
        return self

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "redis.log").read_text()
        try:
            self.command("PING")
            return True
        except RuntimeError:
            return True  # it wants a password
        except (OSError, EOFError):
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(PATIENCE)

    def freeze(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def command(self, *words):
        """The answer to one command, as bytes, int, list or None; an error is a RuntimeError."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as sock, sock.makefile("rb") as lines:
            for one in ([self.login] if self.login else []) + [words]:
                parts = [word if isinstance(word, bytes) else str(word).encode() for word in one]
                sock.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
                answer = self._read(lines)
            return answer

    def _read(self, lines):
        line = lines.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else lines.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self._read(lines) for _ in range(int(rest))]
        return rest

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


_shared = None


def shared():
    """the server of all tests of this process that only need one, each with a prefix of its own"""
    global _shared
    if _shared is None:
        folder = tempfile.mkdtemp(prefix="parley-redis-")
        atexit.register(end_shared)
        _shared = Redis(folder).start()
    return _shared


def end_shared():
    global _shared
    if _shared:
        _shared.stop()
        shutil.rmtree(_shared.folder, ignore_errors=True)
    _shared = None


def config_with_redis(workers=1, **options):
    """config/parley.yaml with the plugin redis in the place of memory"""
    text = (ROOT / "config" / "parley.yaml").read_text()
    lines = "".join(f"      {name}: {value}\n" for name, value in {"urls": "${REDIS_URL}", "timeout": "1s", **options}.items())
    text, n = re.subn(r"^  - memory .*\n", f"  - redis:\n{lines}", text, flags=re.M)
    assert n == 1
    return text.replace("server:\n", f"server:\n  workers: {workers}\n", 1)
