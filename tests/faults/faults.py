"""Faults for a running server: the preloaded shim.c with its switches, and plugins made for one test."""
import contextlib
import json
import mmap
import os
import re
import selectors
import struct
import subprocess
import threading
from pathlib import Path

from parley import PATIENCE, ROOT, wait_until

HERE = Path(__file__).parent
RELEASE = Path(os.environ.get("PARLEY_RELEASE", ROOT / "build" / "release"))
SWITCHES = ("db_write_errno", "db_sync_errno", "db_read_errno", "db_sync_ms", "log_errno", "socket_bytes", "socket_again",
            "clock_seconds", "count")


class Faults:
    """The switches of one server: faults.db_sync_ms = 200"""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "faults.page"
        path.write_bytes(bytes(4096))
        library = folder / "shim.so"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, HERE / "shim.c", "-ldl"], check=True)
        with open(path, "r+b") as file:
            self.__dict__["page"] = mmap.mmap(file.fileno(), 4096)
        self.__dict__["env"] = {"LD_PRELOAD": str(library), "FAULTS_PAGE": str(path)}

    def __setattr__(self, name, value):
        struct.pack_into("=q", self.page, 8 * SWITCHES.index(name), value)

    def __getattr__(self, name):
        return struct.unpack_from("=q", self.page, 8 * SWITCHES.index(name))[0]


def release_build():
    """The folder of a build without sanitizers: their runtime must come before every other preloaded library."""
    if not (RELEASE / "parley").exists():
        subprocess.run(["cmake", "--preset", "release", "-B", RELEASE], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cmake", "--build", RELEASE, "--", "--quiet"], cwd=ROOT, check=True)
    return RELEASE


def configured(more="", **server_keys):
    """The default configuration with other values under server:, and what stands behind it (plugins)."""
    text = (ROOT / "config/parley.yaml").read_text()
    lines = "".join(f"  {key}: {value}\n" for key, value in server_keys.items())
    return re.sub(r"^server:\n", "server:\n" + lines, text, count=1, flags=re.M) + more


def plugin_of(folder, name, source):
    """Compiles a plugin; the lines that add it to a configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # plugins that others may write to are refused
    module = folder / f"{name}.so"
    (folder / f"{name}.c").write_text("#define _GNU_SOURCE\n#include <parley/plugin.h>\n" + source)
    subprocess.run(["cc", "-fPIC", "-shared", f"-I{ROOT}/include", "-o", module, folder / f"{name}.c"], check=True)
    module.chmod(0o755)
    return f"\n  - {name}:\n      path: {module}\n"


ANSWERS = {8: 8, 9: 10}  # close to a close, pong to a ping


class Crowd:
    """Many sockets, read by one thread; what came is kept per socket, in order."""

    def __init__(self, sockets):
        self.sockets, self.frames, self.ends = sockets, [[] for _ in sockets], [None] * len(sockets)
        self.counts = [0] * len(sockets)  # of messages
        self._selector = selectors.DefaultSelector()
        for number, one in enumerate(sockets):
            self._selector.register(one.sock, selectors.EVENT_READ, number)
            self._take(number)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while self._selector.get_map():
            for key, _ in self._selector.select(1):
                one = self.sockets[key.data]
                try:
                    more = one.sock.recv(1 << 20)
                except OSError:
                    more = b""
                one.buffer += more
                self._take(key.data)
                if not more or self.ends[key.data] is not None:
                    self.ends[key.data] = self.ends[key.data] or 1006
                    self._selector.unregister(one.sock)
                    one.sock.close()

    def _take(self, number):
        """the whole frames of a buffer"""
        one = self.sockets[number]
        while len(one.buffer) >= 2:
            n, at = one.buffer[1] & 127, 2
            if n > 125:
                at = 4 if n == 126 else 10
                if len(one.buffer) < at:
                    return
                n = int.from_bytes(one.buffer[2:at], "big")
            if len(one.buffer) < at + n:
                return
            opcode, payload, one.buffer = one.buffer[0] & 15, one.buffer[at:at + n], one.buffer[at + n:]
            if opcode == 1:
                self.frames[number].append(json.loads(payload))
                self.counts[number] += self.frames[number][-1]["type"] == "chat_message"
            if opcode == 8:
                self.ends[number] = int.from_bytes(payload[:2], "big")
            if opcode in ANSWERS:
                with contextlib.suppress(OSError):
                    one.frame(ANSWERS[opcode], payload[:2] if opcode == 8 else payload)

    def messages(self, number):
        return [f for f in list(self.frames[number]) if f["type"] == "chat_message"]

    def wait(self, n):
        """until every socket has n messages"""
        wait_until(f"{n} messages for everybody", lambda: min(self.counts) >= n)

    def join(self):
        """until every socket has ended"""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), [i for i, end in enumerate(self.ends) if end is None]


def everything(person, room):
    """the messages of a room, oldest first"""
    found, path = [], f"/api/chat/rooms/{room['id']}/messages/?limit=200"
    while path:
        page = person.get(path).json()
        found += page["results"]
        path = page["next"] and page["next"].replace(person.server.url, "")
    return found[::-1]


def check_log(person, room, acknowledged, seen):
    """What was acknowledged or seen is stored, once, with a seq without holes; every socket saw a part of one order."""
    stored = everything(person, room)
    place = {m["id"]: i for i, m in enumerate(stored)}
    contents = [m["content"] for m in stored]
    assert len(place) == len(stored) and len(set(contents)) == len(stored)
    assert [m["seq"] for m in stored] == list(range(1, len(stored) + 1))
    assert not set(acknowledged) - set(place)
    for messages in seen:
        places = [place[m["id"]] for m in messages]  # KeyError: seen, but not stored
        if places:
            assert places == list(range(places[0], places[0] + len(places)))  # nothing skipped, doubled or overtaken
    return stored
