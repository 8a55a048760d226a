"""SIGHUP under load, workers that die, and how connections spread: nobody is refused, nobody fails."""
import concurrent.futures
import os
import re
import signal
import socket
import threading
import time

import pytest
import requests

from faults import configured, plugin_of
from metrics import Scrape
from parley import PATIENCE, Closed, wait_until
from redis import Redis, config_with_redis
from test_workers import worker_of

DYING = """
#include <stdlib.h>
static void die(parley_ctx *ctx, int status, void *ud) { (void)ctx, (void)status, (void)ud; abort(); }
static int start(parley_ctx *ctx) { return parley->timer(ctx, 400, 0, die, NULL).id ? 0 : -1; }
static int load(parley_ctx *ctx, const parley_conf *conf) { (void)ctx, (void)conf; return 0; }
PARLEY_PLUGIN(.name = "dying", .version = "1.0.0", .load = load, .start = start)
"""
STUBBORN = """
#include <unistd.h>
static int start(parley_ctx *ctx)
{
    return access("%s", F_OK) == 0 ? parley->fail(ctx, "it does not want to") : 0;
}
static int load(parley_ctx *ctx, const parley_conf *conf) { (void)ctx, (void)conf; return 0; }
PARLEY_PLUGIN(.name = "stubborn", .version = "1.0.0", .load = load, .start = start)
"""


@pytest.fixture
def redis(tmp_path):
    with Redis(tmp_path / "redis") as running:
        yield running


def several(own_server, redis, n, more="", **keys):
    config = config_with_redis(workers=n) + more
    for key, value in keys.items():
        config = config.replace("server:\n", f"server:\n  {key}: {value}\n", 1)
    return own_server(config=config, env={"REDIS_URL": redis.url}, ops=True)


def change(server, old, new):
    text = server.config.read_text()
    assert old in text
    server.config.write_text(text.replace(old, new, 1))


def taken(server):
    return server.wait_line(r"configuration (taken|not taken): (.*)")


class Load:
    """Requests without a pause, each on a connection of its own or all on one; what failed is kept."""

    def __init__(self, server, threads=4):
        self.server, self.failed, self.done, self._stop = server, [], 0, threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor(threads)
        self._jobs = [self._pool.submit(self._run, i % 2 == 1) for i in range(threads)]

    def _run(self, keeps):
        session = requests.Session()
        while not self._stop.is_set():
            try:
                answer = (session if keeps else requests).get(self.server.url + "/api/", timeout=PATIENCE)
                if answer.status_code != 200:
                    self.failed.append(answer.status_code)
            except requests.RequestException as why:
                self.failed.append(f"{'kept' if keeps else 'fresh'}: {why}")
            self.done += 1

    def end(self):
        self._stop.set()
        for job in self._jobs:
            job.result(PATIENCE)
        assert not self.failed, self.failed[:5]
        return self.done


class Watcher(threading.Thread):
    """Reads one socket to its end."""

    def __init__(self, one):
        super().__init__(daemon=True)
        self.socket, self.types, self.code, self.at = one, [], None, None
        self.start()

    def run(self):
        try:
            while True:
                self.types.append(self.socket.read()["type"])
        except Closed as end:
            self.code, self.at = end.code, time.monotonic()
            self.socket.frame(8, b"\x03\xe9")
            self.socket.sock.close()


# ---- SIGHUP ----
def test_sighup_under_load_fails_nobody(own_server, redis):
    server = several(own_server, redis, 2, drain_timeout="6s")
    ada = server.person()
    room = ada.room()
    watchers = [Watcher(ada.socket(room)) for _ in range(40)]
    old = set(server.workers())
    load = Load(server)
    wait_until("requests", lambda: load.done > 20)
    started = time.monotonic()
    server.process.send_signal(signal.SIGHUP)
    server.wait_line("configuration taken: 2 workers were replaced")
    with ada.socket(room) as fresh:  # is served at once, while the old ones still drain
        fresh.say("new")
        assert fresh.message()["content"] == "new"
    for watcher in watchers:
        watcher.join(PATIENCE)
        assert watcher.code == 1001 and "going_away" in watcher.types
    times = sorted(w.at - started for w in watchers)
    assert times[-1] - times[0] > 1.5, times  # not all in one moment
    assert max(b - a for a, b in zip(times, times[1:])) < 1.5, times
    wait_until("the old workers to end", lambda: not old & set(server.workers()))
    assert load.end() > 50
    assert len(server.workers()) == 2


def ends_of(watchers):
    for watcher in watchers:
        watcher.join(PATIENCE)
    return {(watcher.code, "going_away" in watcher.types) for watcher in watchers}


def test_sigterm_while_the_old_workers_give_way_cuts_nobody(own_server, redis):
    server = several(own_server, redis, 2, drain_timeout="20s")
    ada = server.person()
    room = ada.room()
    watchers = [Watcher(ada.socket(room)) for _ in range(40)]
    server.process.send_signal(signal.SIGHUP)
    server.wait_line("configuration taken: 2 workers were replaced")
    assert [watcher.code for watcher in watchers].count(None) > 20, "they are to be closed over ten seconds"
    started = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert ends_of(watchers) == {(1001, True)}
    assert server.process.wait(PATIENCE) == 0
    assert time.monotonic() - started < 8, "nothing is spread any more"


def test_sigterm_while_the_only_worker_makes_way_cuts_nobody(own_server):
    server = own_server(config=configured(drain_timeout="6s"))
    ada = server.person()
    room = ada.room()
    silent = ada.socket(room)  # does not answer the close, so that the drain goes on
    watchers = [Watcher(ada.socket(room)) for _ in range(10)]
    server.process.send_signal(signal.SIGHUP)
    assert ends_of(watchers) == {(1001, True)}
    asked = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 0
    assert time.monotonic() - asked > 1, "the drain that was under way was cut short"
    silent.sock.close()


def test_sighup_with_one_worker_only_fails_nobody(own_server):
    server = own_server(config=configured(drain_timeout="2s"))
    ada = server.person()
    watcher = Watcher(ada.socket(ada.room()))
    old = server.workers()
    stop, failed, done = threading.Event(), [], []

    def ask():  # connections wait in the backlog while there is no worker
        while not stop.is_set():
            try:
                failed.extend([1] * (requests.get(server.url + "/api/", timeout=PATIENCE).status_code != 200))
            except requests.RequestException as why:
                failed.append(str(why))
            done.append(1)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(ask) for _ in range(3)]
        server.process.send_signal(signal.SIGHUP)
        try:
            server.wait_line("configuration taken: 1 worker was replaced")
        finally:
            seen = len(done)
            wait_until("requests to go on", lambda: len(done) > seen + 5)
            stop.set()
        [job.result() for job in jobs]
    assert not failed, failed[:5]
    watcher.join(PATIENCE)
    assert watcher.code == 1001
    assert server.workers() and server.workers() != old
    sides = [line for line in server.output if re.search(r"worker 0 .*ready", line)]
    assert len(sides) == 1  # never two side by side


def test_what_a_new_configuration_says_counts(own_server, redis):
    server = several(own_server, redis, 2)
    ada = server.person()
    room = ada.room()
    change(server, "  - chat", "  - chat:\n      max_text: 5")
    server.process.send_signal(signal.SIGHUP)
    assert taken(server).group(1) == "taken"

    def status():
        return requests.post(f"{server.url}/api/chat/rooms/{room['id']}/send/", json={"content": "too long"},
                             headers={"Authorization": f"Token {ada.token}"}, timeout=PATIENCE).status_code
    # An old worker may still take a connection until it has heard that it is to go.
    wait_until("the new ones", lambda: [status() for _ in range(6)] == [400] * 6)


def test_a_worker_that_does_not_start_leaves_the_old_one(own_server, redis, tmp_path):
    flag = tmp_path / "flag"
    server = several(own_server, redis, 2, more=plugin_of(tmp_path / "plugin", "stubborn", STUBBORN % flag))
    old = server.workers()
    flag.touch()
    server.process.send_signal(signal.SIGHUP)
    said = server.wait_line(r"the new worker 0 (.*)").group(1)
    assert said.startswith("ended with status 78: the old one serves on. Workers with the new configuration: 0 of 2")
    wait_until("it to be gone", lambda: sorted(server.workers()) == sorted(old))
    assert server.anonymous().get("/api/").status_code == 200
    flag.unlink()
    server.process.send_signal(signal.SIGHUP)
    server.wait_line("configuration taken: 2 workers were replaced")


@pytest.mark.parametrize("key, old, new", [
    ("port", "${PORT:-8000}", "8123"),
    ("host", "${HOST:-127.0.0.1}", "127.0.0.2"),
    ("data_dir", "${DATA_DIR:-var}", "elsewhere"),
    ("workers", "workers: 2", "workers: 3"),
    ("ops", "${OPS-auto}", "none"),
])
def test_what_needs_a_restart_is_named(own_server, redis, key, old, new):
    server = several(own_server, redis, 2)
    workers = server.workers()
    change(server, old, new)
    server.process.send_signal(signal.SIGHUP)
    assert taken(server).group(2) == f"a changed server.{key} needs a restart; the workers go on as they were"
    assert server.workers() == workers and server.anonymous().get("/api/").status_code == 200


def test_a_second_sighup_waits_for_the_first(own_server, redis):
    server = several(own_server, redis, 2, drain_timeout="1s")
    server.process.send_signal(signal.SIGHUP)
    wait_until("it to begin", lambda: len(server.workers()) > 2)
    server.process.send_signal(signal.SIGHUP)
    server.wait_line("will be read again")
    wait_until("both", lambda: len([l for l in server.output if "workers were replaced" in l]) == 2)
    wait_until("the old ones to end", lambda: len(server.workers()) == 2)


def test_a_worker_killed_during_a_replacement_is_no_matter(own_server, redis):
    server = several(own_server, redis, 2, drain_timeout="1s")
    old = server.workers()
    server.process.send_signal(signal.SIGHUP)
    wait_until("the first successor", lambda: len(server.workers()) > 2)
    os.kill(old[-1], signal.SIGKILL)
    server.wait_line("configuration taken|the new worker")
    wait_until("two new ones", lambda: len(w := server.workers()) == 2 and not set(w) & set(old))
    wait_until("requests", lambda: server.anonymous().get("/readyz").status_code == 200)


# ---- death ----
def test_a_killed_worker_is_back_within_a_second(own_server, redis):
    server = several(own_server, redis, 2)
    ada = server.person()
    room = ada.room()
    one = ada.socket(room)
    pid = worker_of(server, one.sock)
    slow = 4 if "dev" in str(server.build) else 1  # sanitizers start slowly
    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises((Closed, OSError)):
        one.read()
    with ada.socket(room) as again:
        again.say("back")
        assert again.message()["content"] == "back"
    server.wait_line(r"worker \d \(pid \d+\) is ready")
    assert time.monotonic() - killed < 1 * slow
    assert len(server.workers()) == 2 and pid not in server.workers()
    assert Scrape(server)["parley_worker_restarts_total"] == 1


def test_a_crash_loop_backs_off(own_server, tmp_path):
    server = own_server(config=configured(more=plugin_of(tmp_path / "plugin", "dying", DYING)), ops=True)
    deaths = []

    def died():
        n = len([line for line in list(server.output) if "died of signal 6" in line])
        deaths.extend([time.monotonic()] * (n - len(deaths)))
        return len(deaths) >= 6
    wait_until("six deaths", died, 60)
    pauses = [b - a for a, b in zip(deaths, deaths[1:])]
    assert pauses[-1] > 0.7 and pauses[-1] > pauses[0], pauses  # 50 100 200 400 800 ms, and the start
    server.output[:] = [line for line in server.output if "Sanitizer" not in line]


# ---- spread ----
def spread(server, n):
    """connections per worker"""
    held = [socket.create_connection(("127.0.0.1", server.port), PATIENCE) for _ in range(n)]
    ours = {f":{s.getsockname()[1]:04X}" for s in held}

    def counted():
        with open("/proc/net/tcp") as table:
            rows = [line.split() for line in table]
        inodes = {r[9] for r in rows[1:] if r[1].endswith(f":{server.port:04X}") and r[2][-5:] in ours}
        per = {pid: len({os.readlink(f"/proc/{pid}/fd/{fd}")[8:-1] for fd in os.listdir(f"/proc/{pid}/fd")} & inodes)
               for pid in server.workers()}
        return per if sum(per.values()) == n else None
    per = wait_until("all to be accepted", counted)
    for one in held:
        one.close()
    return per


def test_connections_spread_evenly_over_workers(own_server, redis):
    server = several(own_server, redis, 3)
    first = spread(server, 300)
    print("300 connections over 3 workers:", sorted(first.values()))
    assert len(first) == 3 and min(first.values()) >= 60 and max(first.values()) <= 140, first
    os.kill(server.workers()[1], signal.SIGKILL)
    server.wait_line(r"worker \d \(pid \d+\) is ready")
    second = spread(server, 300)
    print("after a restart:", sorted(second.values()))
    assert len(second) == 3 and min(second.values()) >= 60 and max(second.values()) <= 140, second


def test_workers_auto_is_one_per_core(own_server, redis):
    server = several(own_server, redis, "auto")
    assert len(server.workers()) == os.cpu_count()
    assert server.anonymous().get("/healthz").status_code == 200
