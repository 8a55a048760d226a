"""A private PostgreSQL server for the tests: own folder, own port, ended with the process that started it.

It runs as an unprivileged user (PostgreSQL refuses root), with fsync on, as it would for an operator.
"""
import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PASSWORD = "p@ss/word:1"
PASSWORD_IN_URL = "p%40ss%2Fword%3A1"
PATIENCE = 90  # seconds


def programs():
    """the folder of initdb and postgres; Debian keeps them out of PATH"""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if found:
        return found[-1].parent
    plain = shutil.which("initdb")
    if plain:
        return Path(plain).resolve().parent
    raise FileNotFoundError("PostgreSQL is not installed: apt install postgresql (./dev test does it)")


def unprivileged():
    """what to put before a command so that it does not run as root"""
    if os.getuid() != 0:
        return []
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig=INT"]
    raise FileNotFoundError("no user to run PostgreSQL as")


class Postgres:
    """One server.  stop(), crash(), kill(), pause() and resume() are for tests of faults; start() afterwards.

    standby_of: the server that it follows, until promote().  settings: lines for postgresql.auto.conf.  parent: the folder
    that its own is made in.  initdb: more arguments of that."""

    def __init__(self, standby_of=None, settings=(), parent=None, initdb=()):
        self.bin = programs()
        self.as_user = unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="parley-pg-", dir=parent))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.data.mkdir()
        if self.as_user:
            uid = int(self.as_user[1].split("=")[1])
            os.chown(self.folder, uid, -1)
            os.chown(self.data, uid, -1)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = None
        self.databases = 0
        if standby_of:
            self.data.chmod(0o700)
            self._run("pg_basebackup", "-D", self.data, "-h", standby_of.folder, "-p", str(standby_of.port), "-U", "parley",
                      "--write-recovery-conf", "--checkpoint=fast")
        else:
            secret = self.folder / "password"
            secret.write_text(PASSWORD)
            secret.chmod(0o644)
            self._run("initdb", "-D", self.data, "-U", "parley", "--auth-local=trust", "--auth-host=scram-sha-256",
                      f"--pwfile={secret}", "--encoding=UTF8", "--locale=C.UTF-8", *initdb)
        with open(self.data / "postgresql.auto.conf", "a") as conf:
            conf.writelines(f"{line}\n" for line in settings)
        atexit.register(self.end)

    def _run(self, program, *args, **more):
        done = subprocess.run([*self.as_user, self.bin / program, *args], cwd=self.folder, capture_output=True, text=True, **more)
        assert done.returncode == 0, f"{program}: {done.stderr}"
        return done.stdout

    def start(self):
        if self.process and self.process.poll() is None:
            return self
        end = time.monotonic() + PATIENCE
        while not self._start(end):  # after kill(): somebody it had just forked has not noticed yet
            assert "pre-existing shared memory block" in self.log()[-4000:] and time.monotonic() < end, self.log()
            time.sleep(0.05)
        return self

    def _start(self, end):
        """False: it ended at once"""
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [*self.as_user, self.bin / "postgres", "-D", self.data, "-k", self.folder, "-p", str(self.port), "-c",
             "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "fsync=on", "-c", "log_min_messages=warning"],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        while subprocess.run([self.bin / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)]).returncode != 0:
            assert time.monotonic() < end, self.log()
            if self.process.poll() is not None:
                return False
            time.sleep(0.02)
        return True

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def query(self, sql, database="postgres"):
        """rows of text"""
        out = self._run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port), "-U", "parley",
                        "-d", database, "-c", sql)
        return [line.split("|") for line in out.splitlines()]

    def script(self, sql, database, go_on=False):
        """what psql complains about when it runs this; it stops at the first error unless told to go on"""
        done = subprocess.run([*self.as_user, self.bin / "psql", "-X", "-q", "-v", f"ON_ERROR_STOP={int(not go_on)}", "-h", self.folder,
                               "-p", str(self.port), "-U", "parley", "-d", database, "-o", os.devnull], input=sql, cwd=self.folder,
                              capture_output=True, text=True)
        return "\n".join(line for line in done.stderr.splitlines() if "NOTICE:" not in line)

    def dump(self, database):
        return self._run("pg_dump", "-h", self.folder, "-p", str(self.port), "-U", "parley", "-d", database).encode()

    def database(self):
        """a new, empty database; its URL"""
        self.databases += 1
        name = f"parley{self.databases}"
        self.query(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name):
        return f"postgresql://parley:{PASSWORD_IN_URL}@127.0.0.1:{self.port}/{name}"

    def processes(self):
        """pids of its processes, the postmaster first"""
        if not self.process or self.process.poll() is not None:
            return []
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout
        return [self.process.pid, *(int(pid) for pid in found.split())]

    def signal(self, number):
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def pause(self):
        self.signal(signal.SIGSTOP)
        self.signal(signal.SIGSTOP)  # whoever was being forked

    def resume(self):
        self.signal(signal.SIGCONT)

    def stop(self):
        """an orderly stop that ends all sessions"""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE)

    def crash(self):
        """what `pg_ctl stop -m immediate` does: no checkpoint, the next start recovers"""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(PATIENCE)

    def promote(self):
        """a standby becomes a primary, on a timeline of its own"""
        assert self.query("SELECT pg_promote(true, 60)") == [["t"]]

    def kill(self):
        """as if the machine had lost its power, but for the disk"""
        self.signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def end(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


_shared = None


def end_shared():
    global _shared
    if _shared:
        _shared.end()
    _shared = None


def shared():
    """the server that all tests of this process use; those that stop it make one of their own"""
    global _shared
    if _shared is None:
        _shared = Postgres()
    return _shared.start()
