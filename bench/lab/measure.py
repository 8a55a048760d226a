"""One measurement: the load generator against a server that runs."""
import contextlib
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from . import machine
from .machine import BUILD
from .servers import CONTENT


class Watch(threading.Thread):
    """the most memory that a server held meanwhile"""

    def __init__(self, pids):
        super().__init__(daemon=True)
        self.pids, self.most, self.tcp, self.over = pids, 0, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.25):
            self.most = max(self.most, machine.pss_bytes(self.pids))
            self.tcp = max(self.tcp, machine.tcp_bytes())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def tool(name, *arguments, pin=True, text=None):
    """runs one of our programs; what it prints, read as JSON"""
    done = subprocess.run([*(machine.pinned(machine.LOAD_CPU) if pin else []), BUILD / "bench" / name, *map(str, arguments)],
                          input=text, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name}: {done.stderr}")
    return json.loads(done.stdout)


OPENING_SECONDS = 300  # that a server may take for all sockets


class Unable(RuntimeError):
    """that server cannot do what was asked of it"""


@contextlib.contextmanager
def ended(process):
    """whatever happens meanwhile: it would wait for a word for ever"""
    try:
        yield
    finally:
        process.kill()


def load(server, members=1, rooms=1, watch=False, at_hold=None, **plan):
    """{"opened": ..., "bytes_per_socket": ..., "cpu_us": ...}; plan: arguments of load.c

    at_hold() is called when all sockets are there and nothing has been said."""
    server.bytes = plan.setdefault("bytes", CONTENT)
    script = Path(server.folder.name) / "script"
    script.write_text("\n".join(server.script(rooms, members)) + "\n")
    pids = server.pids()
    before, tcp_before = machine.pss_bytes(pids), machine.tcp_bytes()
    arguments = [f"{key}={value}" for key, value in
                 {"port": server.port, "script": script, "pids": ",".join(map(str, pids)), "members": members, "rooms": rooms, **plan}.items()]
    with subprocess.Popen([*machine.pinned(machine.LOAD_CPU), BUILD / "bench" / "load", *arguments], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running, ended(running):
        patience = threading.Timer(OPENING_SECONDS, running.kill)
        patience.start()
        first = running.stdout.readline()
        patience.cancel()
        if not first:
            why = running.stderr.read().strip() or f"not all sockets were there after {OPENING_SECONDS} s"
            raise Unable(f"{server.name}: {why}")
        found = json.loads(first)
        found["settled"] = settle(pids)
        found["bytes_per_socket"] = (found["settled"] - before) / found["opened"]
        if at_hold:
            at_hold()
        if watch:
            with Watch(pids) as seen:
                rest, errors = running.communicate("\n")
            found.update(grown=seen.most - found["settled"], tcp_grown=seen.tcp - tcp_before)
        else:
            rest, errors = running.communicate("\n")
        if running.returncode != 0:
            raise Unable(f"{server.name}: {errors.strip()}")
    if rest.strip():
        found.update(json.loads(rest))
    return found


def settle(pids):
    """the memory when all is quiet: what a burst of handshakes took goes back a second or so after it"""
    time.sleep(2)
    last = machine.pss_bytes(pids)
    for _ in range(10):
        time.sleep(0.5)
        now = machine.pss_bytes(pids)
        if now >= last - 64 * 1024:
            return now
        last = now
    return last
