"""parley.kv as plugins see it, the same cases for every store that offers it: tails and presence sets, in the memory of one
worker, in one Redis for two workers, and in two Redis servers."""
import concurrent.futures
import contextlib
import os
import re
import signal
import time

import pytest

from parley import ROOT, Server, wait_until
from redis import Redis

EINVAL = -1
CONFIG = """
server:
  host: 127.0.0.1
  port: ${PORT}
  data_dir: ${DATA_DIR}
  log_dir: ${LOG_DIR}
  workers: %d
plugins:
%s  - probe:
      path: %s
"""
PROBE = (ROOT / "tests/e2e/kv_probe.c").read_text()
READ_OF = {"push": "read", "join": "who", "leave": "who"}  # what is taken without an answer of the store, and what asks for it
STORES = {"memory": (1, 0), "redis": (2, 1), "two redis": (2, 2)}  # workers, servers of Redis


class Kv:
    """The probe; `redis` are the servers behind it, none for memory."""

    def __init__(self, server, redis, tag=""):
        self.server, self.redis, self.tag = server, redis, tag

    def __call__(self, op, key="k", **more):
        """through whichever worker takes the connection: each call is a new one"""
        key = self.tag + key if 0 < len(key) <= 500 else key  # the tests of a store share it, but no key
        worker = self.server.anonymous()
        answer = worker.post("/kv/", {"op": op, "key": key, **more})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        if found["status"] >= 0 and op in READ_OF:  # once the same worker has read, the store has it, and so do the others
            worker.post("/kv/", {"op": READ_OF[op], "key": key, "most": 1})
        return found

    def push(self, *seqs, key="k", most=5, ttl=60000):
        assert self("push", key, entries=[[s, f"text {s}"] for s in seqs], most=most, ttl=ttl)["status"] == 1

    def read(self, key="k", most=1000):
        got = self("read", key, most=most)
        assert got["status"] >= 0, got
        assert all(text == f"text {seq}" for seq, text in got["entries"]), got
        return [seq for seq, _ in got["entries"]]

    def join(self, member, key="k", ttl=60000):
        assert self("join", key, member=member, ttl=ttl)["status"] == 1

    def who(self, key="k"):
        got = self("who", key)
        assert got["status"] >= 0, got
        return sorted(got["members"])


def stores(*names):
    return pytest.mark.parametrize("own_kv", names, indirect=True)


@contextlib.contextmanager
def running(name, folder, modules):
    workers, n = STORES[name]
    redis = [Redis(folder / f"redis{i}").start() for i in range(n)]
    store = "  - redis:\n      timeout: 20s\n      urls: " + ",".join(r.url for r in redis) + "\n" if n else "  - memory\n"
    with Server(folder / "server", config=CONFIG % (workers, store, modules("probe", PROBE))) as server:
        wait_until("Redis", lambda: len(re.findall(r"is there$", server.text(), re.M)) == workers * n)
        yield Kv(server, redis)
    for one in redis:
        one.stop()


@pytest.fixture(scope="module", params=STORES)
def store(request, modules, tmp_path_factory):
    with running(request.param, tmp_path_factory.mktemp("store"), modules) as kv:
        yield kv


@pytest.fixture
def kv(store, request):
    """for tests that leave the store as it is"""
    return Kv(store.server, store.redis, f"{request.node.name}:")


@pytest.fixture
def own_kv(request, modules, tmp_path):
    with running(request.param, tmp_path, modules) as kv:
        yield kv


# ---- tails ----
def test_the_newest_stay_in_order(kv):
    assert kv.read() == []
    kv.push(1, 2, 3)
    assert kv.read() == [1, 2, 3]
    kv.push(5, 4)  # workers overtake each other
    assert kv.read() == [1, 2, 3, 4, 5]
    kv.push(8)  # a hole is the reader's business
    assert kv.read() == [2, 3, 4, 5, 8]
    assert kv.read(most=2) == [5, 8]
    kv.push(1)  # older than all that stay
    assert kv.read() == [2, 3, 4, 5, 8]
    kv.push(9, 10, 11, most=2)
    assert kv.read() == [10, 11]
    assert kv.read(key="other") == []


def test_an_entry_is_replaced_by_its_seq(kv):
    kv.push(1, 2)
    assert kv("push", entries=[[1, "other"], [2, ""]], most=5, ttl=60000)["status"] == 1
    assert kv("read", most=5)["entries"] == [[1, "other"], [2, ""]]


def test_any_bytes_and_large_numbers(kv):
    texts = ["a:b", "1:", "\u0000\u20ac\n", "x" * 65536]
    first = 2 ** 53 - 3
    assert kv("push", entries=[[first + i, t] for i, t in enumerate(texts)], most=9, ttl=60000)["status"] == 1
    wait_until("the push", lambda: kv("read", most=9)["entries"] == [[first + i, t] for i, t in enumerate(texts)])  # by whichever worker


def test_a_tail_ends_after_its_last_push(kv):
    kv.push(1, ttl=300)
    kv.push(2, ttl=300)
    begin = time.monotonic()
    wait_until("the end of the tail", lambda: kv.read() == [])
    assert time.monotonic() - begin < 5


def test_pushes_that_race(kv):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: kv.push(*range(i * 10, i * 10 + 10), most=100), range(20)))
    assert kv.read() == list(range(100, 200))


@pytest.mark.parametrize("wrong", [
    {"entries": []}, {"entries": [[-1, "x"]]}, {"entries": [[2 ** 53 + 1, "x"]]}, {"entries": [[1, None]]}, {"entries": [[1, "x" * 65537]]},
    {"entries": [[i, "x"] for i in range(257)]}, {"most": 0}, {"most": 1001}, {"ttl": 0}, {"ttl": -5}, {"key": ""}, {"key": "k" * 513},
])
def test_wrong_pushes_change_nothing(kv, wrong):
    good = {"key": "k", "entries": [[1, "x"]], "most": 5, "ttl": 1000}
    assert kv("push", **{**good, **wrong})["status"] == EINVAL
    assert kv.read() == []
    assert kv("read", most=0)["status"] == EINVAL and kv("read", most=1001)["status"] == EINVAL


# ---- presence ----
def test_who_is_there(kv):
    assert kv.who() == []
    for member in ("ada", "bob", "x:y\u20ac"):
        kv.join(member)
    kv.join("eve", key="other")
    assert kv.who() == ["ada", "bob", "x:y\u20ac"]
    assert kv.who(key="other") == ["eve"]
    assert kv.read() == []  # a tail of the same name is something else


def test_who_leaves(kv):
    """Each worker joins for itself, so all of them must let go."""
    pids = len(kv.server.workers())
    for _ in range(12):  # enough to meet every worker
        kv.join("ada")
        kv.join("bob")
    for _ in range(60):
        assert kv("leave", member="ada")["status"] == 1
        if kv.who() == ["bob"]:
            break
    else:
        raise AssertionError(f"ada is still there, with {pids} workers")
    assert kv("leave", member="nobody")["status"] == 1 and kv("leave", key="none", member="ada")["status"] == 1
    assert kv.who() == ["bob"]


def test_time_runs_out_unless_it_is_renewed(kv):
    kv.join("stays", ttl=60000)
    kv.join("goes", ttl=400)
    begin = time.monotonic()
    while time.monotonic() - begin < 1:
        kv.join("renews", ttl=2000)
    assert kv.who() == ["renews", "stays"]
    wait_until("the other end", lambda: kv.who() == ["stays"])


@pytest.mark.parametrize("wrong", [{"member": ""}, {"member": "m" * 257}, {"member": None}, {"ttl": 0}, {"key": "k" * 513}])
def test_wrong_joins_change_nothing(kv, wrong):
    assert kv("join", **{"key": "k", "member": "ada", "ttl": 1000, **wrong})["status"] == EINVAL
    assert kv.who() == []


@stores("redis", "two redis")  # with the other, its memory goes
def test_a_worker_that_dies_takes_its_members_along(own_kv):
    kv = own_kv
    for _ in range(12):
        kv.join("ada", ttl=1500)
    for pid in kv.server.workers():
        os.kill(pid, signal.SIGKILL)
    wait_until("their successors to find nobody", lambda: kv("who") == {"status": 0, "members": []})


# ---- several servers, and none ----
@stores("two redis")
def test_keys_are_spread_and_stay_when_one_is_away(own_kv):
    kv = own_kv
    for i in range(40):
        kv.push(i, key=f"room {i}")
    counts = [one.command("DBSIZE") for one in kv.redis]
    assert sum(counts) == 40 and min(counts) >= 5, counts
    kv.redis[1].stop()
    wait_until("all to notice", lambda: len(re.findall("is away", kv.server.text())) == 2)
    statuses = [kv("read", f"room {i}", most=5)["status"] for i in range(40)]
    assert sum(s >= 0 for s in statuses) == counts[0] and sum(s < 0 for s in statuses) == counts[1]


@stores("redis")
def test_a_redis_without_room_is_told_once(own_kv):
    own_kv.push(1, 2)
    wait_until("the first", lambda: own_kv.read() == [1, 2])
    own_kv.redis[0].command("CONFIG", "SET", "maxmemory", "1")
    for i in range(20):
        own_kv.push(3 + i)
    wait_until("the line", lambda: "Redis refused to push to a tail" in own_kv.server.text())
    own_kv.redis[0].command("CONFIG", "SET", "maxmemory", "0")
    own_kv.push(40)
    wait_until("the push", lambda: own_kv.read()[-1] == 40)  # who was slow may have found room, too
    assert own_kv.read()[:2] == [1, 2] and 3 not in own_kv.read()
    assert own_kv.server.text().count("refused to push") <= 2  # by each worker


# ---- what docs/NODES.md says of rights ----
def test_the_documented_rights_are_enough_and_no_more(own_server, modules, tmp_path):
    lines = re.search(r"```\n(user default off\nuser parley .*)\n```", (ROOT / "docs/NODES.md").read_text()).group(1)
    with Redis(tmp_path / "redis", *lines.replace("PASSWORD", "s3cret/2").splitlines(), "user admin on >admin ~* &* +@all") as redis:
        redis.login = ["AUTH", "admin", "admin"]
        store = f"  - redis:\n      urls: redis://parley:s3cret%2F2@127.0.0.1:{redis.port}/1\n"
        throttle = "  - throttle:\n      scopes:\n        all:\n          rate: 1000/hour\n          by: peer\n          on: all\n"
        server = own_server(config=CONFIG % (2, store + throttle, modules("probe", PROBE)))
        wait_until("Redis", lambda: len(re.findall(r"is there$", server.text(), re.M)) == 2)
        kv = Kv(server, [redis])
        kv.push(1, 2, 3, 4, 5, 6)
        kv.join("ada")
        assert kv.read() == [2, 3, 4, 5, 6] and kv.who() == ["ada"]
        for _ in range(60):
            assert kv("leave", member="ada")["status"] == 1
            if kv.who() == []:
                break
        assert kv.who() == []
        redis.command("SCRIPT", "FLUSH")
        assert kv.read() == [2, 3, 4, 5, 6]
        assert redis.command("ACL", "LOG") == []  # nothing was refused
        assert "s3cret" not in server.text() and "is away" not in server.text() and "refused" not in server.text()
        redis.login = ["AUTH", "parley", "s3cret/2"]
        for words in (("FLUSHALL",), ("KEYS", "*"), ("CONFIG", "GET", "*"), ("GET", "other"), ("PUBLISH", "other", "x"), ("INFO",)):
            with pytest.raises(RuntimeError, match="NOPERM"):
                redis.command(*words)
