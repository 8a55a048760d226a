"""Streaming standbys of PostgreSQL: replicas that answer what may be some seconds old, and standbys that take over."""
import concurrent.futures
import re
import signal

import pytest
import requests

import postgres
from faults import everything
from parley import PATIENCE, Server, wait_until
from test_postgres_away import Senders, status_of

pytestmark = pytest.mark.one_database("PostgreSQL")

TAKEN = "SELECT email_key, username_key FROM users"  # a read of registration that may be old


@pytest.fixture
def pair():
    """a primary and its standby, which logs every statement"""
    primary = postgres.Postgres().start()
    standby = postgres.Postgres(standby_of=primary, settings=["log_statement = 'all'"]).start()
    yield primary, standby
    for one in (standby, primary):
        one.resume()
        one.end()


def config_with(folder, *lines):
    """the default configuration on PostgreSQL, with more lines under its entry"""
    text = (Server(folder / "unused", db="sqlite").config).read_text()
    entry = "  - postgres:\n      url: ${DATABASE_URL}\n" + "".join(f"      {line}\n" for line in lines)
    return text.replace("  - sqlite  ", entry + "  #", 1)


def on(folder, url, *lines, **more):
    return Server(folder / "server", config=config_with(folder, *lines), env={"DATABASE_URL": url, **more.pop("env", {})}, **more)


def asked(standby):
    return standby.log().count(TAKEN)


def register(server):
    person = server.person(login=False)
    assert person.user
    return person


def until_asked(server, standby):
    """registers people until one of them was looked up on the standby"""
    before = asked(standby)
    wait_until("the replica to be asked", lambda: register(server) and asked(standby) > before)


def test_a_replica_answers_what_may_be_old_and_nothing_else(pair, tmp_path):
    primary, standby = pair
    url = primary.database()
    name = url.rsplit("/", 1)[1]
    with on(tmp_path, url, "replicas: ${REPLICAS}", "replica_lag: 2s", env={"REPLICAS": standby.url(name)}) as server:
        ada, bob = server.person(), server.person()
        until_asked(server, standby)
        room = ada.room(bob)
        with bob.socket(room) as socket:
            ada.say(room, "hello")
            assert socket.message()["content"] == "hello"
        # It stops to follow: what must see the own write does not notice, and the old answers end within replica_lag.
        standby.query("SELECT pg_wal_replay_pause()")
        cy = server.person()
        ada.post(f"/api/chat/rooms/{room['id']}/participants/", {"email": cy.email})
        assert [r["id"] for r in cy.get("/api/chat/rooms/").json()["results"]] == [room["id"]]
        assert cy.say(room, "me too")["seq"] == 3
        assert [m["content"] for m in everything(cy, room)] == ["hello", "me too"]

        def is_left_alone():
            before = asked(standby)
            register(server)
            return asked(standby) == before
        wait_until("the replica to be left alone", is_left_alone)
        standby.query("SELECT pg_wal_replay_resume()")
        until_asked(server, standby)
        statements = set(re.findall(r"execute p\d+: (.*)", standby.log()))
        assert statements and all(s.startswith(("SELECT", "BEGIN", "COMMIT")) for s in statements)
        for table in ("sessions", "room_members", "messages", "room_events", "revocations"):
            assert not [s for s in statements if table in s], f"{table} was read on a replica"


@pytest.mark.parametrize("fault", ["stops", "dies", "hangs"])
def test_a_replica_that_is_away_keeps_nobody_waiting(pair, tmp_path, fault):
    primary, standby = pair
    url = primary.database()
    with on(tmp_path, url, "replicas: ${REPLICAS}", env={"REPLICAS": standby.url(url.rsplit("/", 1)[1])}) as server:
        until_asked(server, standby)
        {"stops": standby.stop, "dies": standby.kill, "hangs": standby.pause}[fault]()
        for _ in range(3):
            register(server)
            assert status_of(server, "/readyz") == 200
        server.wait_line("replica .* is away, the primary answers: ")
        {"stops": standby.start, "dies": standby.start, "hangs": standby.resume}[fault]()
        until_asked(server, standby)
        server.wait_line("replica .* is back")
        assert len([l for l in server.output if "is away, the primary answers" in l]) == 1


def test_a_mark_that_is_lost_is_asked_for_again(pair, tmp_path):
    """the connection to the primary goes while the question how far it is stands there unanswered"""
    primary, standby = pair
    url = primary.database()
    with on(tmp_path, url, "replicas: ${REPLICAS}", "replica_lag: 1s", env={"REPLICAS": standby.url(url.rsplit("/", 1)[1])}) as server:
        until_asked(server, standby)
        primary.pause()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            def is_away():
                pool.submit(register, server)
                return status_of(server, "/readyz") == 503
            wait_until("the primary to be given up", is_away)
            pool.shutdown(cancel_futures=True)
        primary.resume()
        wait_until("/readyz to recover", lambda: status_of(server, "/readyz") == 200)
        until_asked(server, standby)


def test_what_is_no_replica_is_not_asked(pair, tmp_path):
    primary, standby = pair
    other = postgres.Postgres(settings=["log_statement = 'all'"]).start()
    try:
        url = primary.database()
        name = url.rsplit("/", 1)[1]
        for _ in range(primary.databases):
            other.database()
        with on(tmp_path, url, "replicas: ${REPLICAS}",
                env={"REPLICAS": f"{other.url(name)} {primary.url(name)}"}) as server:
            register(server)
            register(server)
            server.wait_line("is away, the primary answers: it is no replica of this database: its system identifier is another one")
            server.wait_line("is away, the primary answers: it is no standby")
            assert TAKEN not in other.log()
    finally:
        other.end()


@pytest.mark.parametrize("urls, words", [
    ("mysql://u:secret@h/d", "URL 1: not like postgresql://"),
    ("postgresql://u@h/d postgresql://u:se%zzcret@h/d", "URL 2: not like postgresql://"),
    (" ".join(["postgresql://u@h/d"] * 9), "at most 8 URLs"),
])
def test_urls_that_are_wrong(tmp_path, urls, words):
    server = on(tmp_path, "postgresql://u@127.0.0.1:1/d", "replicas: ${REPLICAS}", env={"REPLICAS": urls})
    server.start(ready=False)
    assert server.process.wait(PATIENCE) == 78
    server._reader.join(PATIENCE)
    assert words in server.text() and "secret" not in server.text() and "cret@" not in server.text()


# ---- a standby takes over ----

def epochs(database, name):
    return dict(map(tuple, database.query("SELECT uid, epoch FROM rooms", name)))


@pytest.mark.parametrize("end", ["dies", "hangs"])
def test_a_promoted_standby_takes_over(pair, tmp_path, end):
    """Two hosts in the URL.  Nothing that was acknowledged is lost here, because the standby was synchronous; but nobody
    could know, so all rooms have a new epoch, once, before the first send is taken."""
    primary, standby = pair
    url = primary.database()
    name = url.rsplit("/", 1)[1]
    primary.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.query("SELECT pg_reload_conf()")
    wait_until("the standby to be synchronous", lambda: primary.query("SELECT sync_state FROM pg_stat_replication") == [["sync"]])
    both = url.replace(f"127.0.0.1:{primary.port}", f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}")
    with Server(tmp_path / "server", db=both) as server:
        ada, bob = server.person(), server.person()
        room = ada.room(bob)
        senders = Senders(server, (ada, bob), room, 4)
        senders.some_more()
        before = epochs(primary, name)
        {"dies": primary.kill, "hangs": primary.pause}[end]()
        standby.promote()
        seen = len(senders.acknowledged)
        wait_until("sends to the new primary", lambda: len(senders.acknowledged) > seen + 20)
        senders.stop.set()
        for one in senders.running:
            one.result()
        stored = everything(ada, room)
        assert {i for i, _ in senders.acknowledged} <= {m["id"] for m in stored}
        assert [m["seq"] for m in stored] == list(range(stored[0]["seq"], stored[0]["seq"] + len(stored)))
        after = epochs(standby, name)
        assert after.keys() == before.keys() and not set(after.values()) & set(before.values())
        lines = [l for l in server.output if "applied restored.sql" in l]
        assert len(lines) == 1, server.text()


def test_a_standby_alone_answers_nothing_that_may_be_behind(tmp_path):
    """One host in the URL: the server that is there comes back as a standby, and is promoted in place."""
    database = postgres.Postgres().start()
    try:
        url = database.database()
        with Server(tmp_path / "server", db=url) as server:
            ada = server.person()
            room = ada.room()
            database.stop()
            (database.data / "standby.signal").touch()
            database.start()
            server.wait_line("the database takes no writes")
            assert status_of(server, "/readyz") == 503
            answer = ada.get("/api/chat/rooms/")
            assert answer.status_code == 503 and answer.headers["Retry-After"]
            database.promote()
            wait_until("a message to be taken",
                       lambda: ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "x"}).status_code == 201)
            assert [m["content"] for m in everything(ada, room)] == ["x"]
            assert status_of(server, "/readyz") == 200
            assert server.text().count("applied restored.sql") == 1
    finally:
        database.end()


def test_a_plugin_that_is_no_longer_there_holds_up_no_promotion(pair, tmp_path):
    primary, standby = pair
    url = primary.database()
    both = url.replace(f"127.0.0.1:{primary.port}", f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}")
    with Server(tmp_path / "server", db=both) as server:
        ada = server.person()
        room = ada.room()
        name = url.rsplit("/", 1)[1]
        primary.query("INSERT INTO store_incarnations SELECT 'gone', incarnation, 0 FROM store_incarnations LIMIT 1", name)
        wait_until("the standby to have it",
                   lambda: standby.query("SELECT 1 FROM store_incarnations WHERE plugin = 'gone'", name))
        primary.kill()
        standby.promote()
        wait_until("a message to be taken", lambda: ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "x"}).status_code == 201,
                   60)
        assert status_of(server, "/readyz") == 200
        assert server.text().count("applied restored.sql") == 1


def test_two_nodes_renew_once(pair, tmp_path):
    """both start while the database has just been promoted"""
    primary, standby = pair
    url = primary.database()
    name = url.rsplit("/", 1)[1]
    with Server(tmp_path / "first", db=url) as server:
        for _ in range(3):
            server.person().room()
        wait_until("the standby to have it", lambda: len(epochs(standby, name)) == 3)
    before = epochs(primary, name)
    primary.kill()
    standby.promote()
    nodes = [Server(tmp_path / f"node{i}", db=standby.url(name)) for i in range(3)]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda n: n.start(), nodes))
    text = "".join(n.text() for n in nodes)
    assert text.count("applied restored.sql") == 1
    after = epochs(standby, name)
    assert len(set(after.values()) | set(before.values())) == 6
    for node in nodes:
        node.end()
    with Server(tmp_path / "again", db=standby.url(name)):
        assert epochs(standby, name) == after


@pytest.mark.parametrize("end", ["stop", "crash", "kill"])
def test_a_restart_of_the_database_changes_no_epoch(tmp_path, end):
    database = postgres.Postgres().start()
    try:
        url = database.database()
        name = url.rsplit("/", 1)[1]
        with Server(tmp_path / "server", db=url) as server:
            ada = server.person()
            room = ada.room()
            before = epochs(database, name)
            getattr(database, end)()
            wait_until("/readyz to say so", lambda: status_of(server, "/readyz") == 503)
            database.start()
            wait_until("/readyz to recover", lambda: status_of(server, "/readyz") == 200)
            ada.say(room, "after")
            assert epochs(database, name) == before
            assert "asks for new workers" not in server.text()
    finally:
        database.end()
