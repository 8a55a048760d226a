"""The servers that are measured, each behind the same four words: start, stop, pids, script (load_script.c)."""
import contextlib
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import machine
from .machine import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import parley  # noqa: E402


CONTENT = 128  # bytes of a message, unless the scenario has others


class Measured:
    """One server.  keeps: where it stores what it shows."""

    name, keeps, needs = "", "", None

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="parley-bench-")
        self.port = parley.free_port()
        self.processes = []

    @classmethod
    def is_here(cls):
        return cls.needs is None or shutil.which(cls.needs) is not None

    def spawn(self, *command, **env):
        self.processes.append(subprocess.Popen([*machine.pinned(machine.SERVER_CPU), *map(str, command)], cwd=self.folder.name,
                                               env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def wait_for_port(self):
        def answers():
            with contextlib.closing(parley.socket.socket()) as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        parley.wait_until(f"{self.name} to listen", answers)

    def start(self):
        self.run()
        self.wait_for_port()
        return self

    @classmethod
    def plan(cls, _scenario, plan):
        """what is asked of it in a scenario"""
        return plan

    def stop(self):
        for process in self.processes:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.folder.cleanup()

    def pids(self):
        """its processes, and theirs"""
        found = [p.pid for p in self.processes]
        for pid in found:  # grows while we are at it
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        return found

    def rooms(self, n):
        return [f"r{i}" for i in range(n)]

    def script(self, rooms, members):
        """the lines of a script for so many rooms"""
        return [f"room {name}" for name in self.rooms(rooms)] + ["path /ws/%r", "say %s"]

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()


# ---- the limits ----
class Limit(Measured):
    name, mode = "limit", "each"

    def run(self):
        self.spawn(BUILD / "bench" / "limit", self.port, self.mode)


class LimitBatch(Limit):
    name, mode = "limit-batch", "merged"


class AsLong:
    """frames as long as Parley's event of the same message, which says who, where and when, too"""

    ENVELOPE = 348  # bytes: what parley_network_bytes_total and parley_socket_messages_total say, less the message and 4 of the frame

    @classmethod
    def plan(cls, _scenario, plan):
        return {**plan, "bytes": plan.get("bytes", CONTENT) + cls.ENVELOPE}


class LimitAsLong(AsLong, Limit):
    name = "limit, as long"


class LimitBatchAsLong(AsLong, LimitBatch):
    name = "limit-batch, as long"


# ---- Parley ----
class Parley(Measured):
    """config/parley.yaml with the throttles and the limit of sockets per user lifted, and nothing else changed."""

    name, keeps = "parley", "SQLite"
    more = "  max_user_sockets: 0\n"

    def __init__(self, build=BUILD):
        super().__init__()
        config = (ROOT / "config" / "parley.yaml").read_text().replace("\nserver:\n", "\nserver:\n" + self.more, 1)
        self.server = parley.Server(Path(self.folder.name), config=config, build=build, ops=True, db="sqlite",
                                    wrapper=machine.pinned(machine.SERVER_CPU))
        self.port = self.server.port
        self.person = None

    def start(self):
        self.server.start()
        self.person = self.server.person()
        return self

    def stop(self):
        self.server.end()
        self.folder.cleanup()

    def pids(self):
        return [self.server.process.pid, *self.server.workers()]

    def database(self):
        return sqlite3.connect(self.server.data / "parley.db", timeout=30)

    def rooms(self, n):
        """made behind the server's back: a thousand calls would take longer than what is measured"""
        now = int(time.time() * 1e6)
        names = [f"00000000-0000-4000-8000-{i:012d}" for i in range(n)]
        with contextlib.closing(self.database()) as db, db:
            user, = db.execute("SELECT id FROM users WHERE uid = ?", (self.person.id,)).fetchone()
            for name in names:
                room = db.execute("INSERT INTO rooms (uid, name, creator_id, epoch, created_at, updated_at) VALUES (?, 'Room', ?, 'bench', ?, ?)",
                                  (name, user, now, now)).lastrowid
                db.execute("INSERT INTO room_members (room_id, user_id, role, joined_at) VALUES (?, ?, 'owner', ?)", (room, user, now))
        return names

    def script(self, rooms, members):
        return [f"room {name}" for name in self.rooms(rooms)] + [
            f"header Authorization: Token {self.person.token}", "path /ws/chat/%r/", "wait \"hello\"",
            'say {"type":"chat_message","content":"%s"}']


class ParleyPacked(Parley):
    """with permessage-deflate, which the load offers then"""

    name = "parley, packed"
    more = Parley.more + "  compression: true\n"


class ParleyCrowd(Parley):
    """every client is a user of its own, member of its room"""

    name = "parley, a user each"
    KEY = "ply_" + "A" * 32 + "%sA"

    def script(self, rooms, members):
        names, now = self.rooms(rooms), int(time.time() * 1e6)
        with contextlib.closing(self.database()) as db, db:
            ids = [row[0] for row in db.execute("SELECT id FROM rooms ORDER BY uid")]
            for i in range(rooms * members):
                uid = f"00000000-0000-4000-9000-{i:012d}"
                user = db.execute("INSERT INTO users (uid, username, username_key, email, email_key, first_name, last_name, password_hash,"
                                  " is_verified, joined_at) VALUES (?, ?, ?, ?, ?, 'First', 'Last', '', 1, ?)",
                                  (uid, f"u{i}", f"u{i}", f"u{i}@example.org", f"u{i}@example.org", now)).lastrowid
                key = self.KEY % f"{i:010d}"
                db.execute("INSERT INTO sessions (uid, user_id, token_hash, created_at, last_used_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
                           (uid, user, hashlib.blake2b(key.encode(), digest_size=32).hexdigest(), now, now, now + 10**12))
                db.execute("INSERT INTO room_members (room_id, user_id, joined_at) VALUES (?, ?, ?)", (ids[i // members], user, now))
        return [f"room {name}" for name in names] + [
            f"header Authorization: Token {self.KEY % '%n'}", "path /ws/chat/%r/", "wait \"hello\"",
            'say {"type":"chat_message","content":"%s"}']


OWN = [Limit, LimitBatch, Parley]
WHO_TALK = [LimitAsLong, LimitBatchAsLong, ParleyPacked]  # when idle they are those above
