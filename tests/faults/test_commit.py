"""Commits on PostgreSQL, seen from the wire: those whose answer is lost, and how many messages share one."""
import random
import re
import subprocess

import pytest

import postgres
from faults import everything
from parley import PATIENCE, Server, wait_until
from proxy import Proxy
from test_postgres_away import Senders
from test_replicas import on

pytestmark = pytest.mark.one_database("PostgreSQL")


@pytest.fixture
def proxy():
    made = Proxy(postgres.shared().port)
    yield made
    made.end()


@pytest.fixture
def url(proxy):
    return proxy.url(postgres.shared().database()) + "?sslmode=disable"


def name_of(url):
    return re.search(r"/([a-z0-9]+)\?", url).group(1)


def test_a_commit_whose_answer_is_lost_is_looked_up(proxy, url, tmp_path):
    with Server(tmp_path / "server", db=url) as server:
        ada = server.person()
        room = ada.room()
        for n in range(4):
            cuts = proxy.cuts
            proxy.cut = lambda: proxy.cuts == cuts
            sent = ada.say(room, f"m{n}")  # 201: it is stored, and the server has found out
            assert proxy.cuts == cuts + 1
            assert [m["id"] for m in everything(ada, room)][-1] == sent["id"]
        found = everything(ada, room)
        assert [m["content"] for m in found] == [f"m{n}" for n in range(4)]
        assert [m["seq"] for m in found] == list(range(1, 5))
        assert "the outcome is unknown" in server.text()


def test_lost_answers_under_load(proxy, url, tmp_path):
    seed = random.randrange(1 << 30)
    print("seed:", seed)
    chance = random.Random(seed)
    with Server(tmp_path / "server", db=url) as server:
        ada, bob = server.person(), server.person()
        room = ada.room(bob)
        senders = Senders(server, (ada, bob), room, 8)
        proxy.cut = lambda: chance.random() < 0.1
        wait_until("commits to be cut", lambda: proxy.cuts >= 10 or senders.wrong, 60)
        proxy.cut = None
        senders.some_more()
        senders.end(ada)


def test_what_waits_for_a_commit_shares_the_next(url, proxy, tmp_path):
    """one trip to the server and back for a group, however large"""
    database = postgres.shared()
    server = on(tmp_path, url, "timeout: 60s")
    server.start()
    try:
        ada = server.person()
        room = ada.room()
        holder = subprocess.Popen([database.bin / "psql", "-X", "-q", "-h", database.folder, "-p", str(database.port), "-U", "parley",
                                   "-d", name_of(url)], stdin=subprocess.PIPE, text=True)
        with ada.socket(room) as socket:
            print(f"BEGIN; UPDATE rooms SET last_seq = last_seq WHERE uid = '{room['id']}';", file=holder.stdin, flush=True)
            wait_until("the lock", lambda: database.query("SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                                                          " WHERE a.state = 'idle in transaction' AND l.mode = 'RowExclusiveLock'"))
            socket.say("first")
            wait_until("a send that waits", lambda: database.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
            for n in range(30):
                socket.say(f"m{n}")
            socket.sync()  # the server has read them all
            print("ROLLBACK;", file=holder.stdin, flush=True)
            said = [socket.message()["content"] for _ in range(31)]
        assert said == ["first"] + [f"m{n}" for n in range(30)]
        assert (proxy.transactions, proxy.writes) == (2, 31)
        holder.stdin.close()
        assert holder.wait(PATIENCE) == 0
    finally:
        server.end()
