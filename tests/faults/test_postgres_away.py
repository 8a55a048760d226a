"""PostgreSQL that stops, hangs, dies and comes back: every send is answered in time, and the truth about it.

Acknowledged means stored, once; whatever cannot be stored is refused with 503 within about 5 seconds; the server itself
stays awake and says whether it is ready."""
import concurrent.futures
import os
import signal
import threading
import time

import pytest
import requests

import postgres
from parley import PATIENCE, Server, wait_until
from faults import configured, plugin_of
from test_processes import another_worker, everything, worker_of

pytestmark = pytest.mark.one_database("PostgreSQL")

IN_TIME = 5.5  # seconds: 5, and some for a sanitized server on a busy machine


@pytest.fixture
def database():
    made = postgres.Postgres().start()
    yield made
    made.resume()
    made.end()


@pytest.fixture
def served(database, tmp_path):
    """a server on it"""
    with Server(tmp_path / "server", db=database.database()) as server:
        yield server


def status_of(server, path):
    try:
        return requests.get(server.url + path, timeout=PATIENCE).status_code
    except requests.ConnectionError:
        return None


class Senders:
    """People who send without a pause, over REST; every answer is noted."""

    def __init__(self, server, people, room, count):
        self.server, self.room = server, room
        self.acknowledged, self.refused, self.slowest, self.wrong = [], 0, 0.0, []
        self.stop = threading.Event()
        self.pool = concurrent.futures.ThreadPoolExecutor(count)
        self.running = [self.pool.submit(self._send, people[i % len(people)].token, f"s{i}") for i in range(count)]

    def _send(self, token, name):
        session, n = requests.Session(), 0
        while not self.stop.is_set():
            n += 1
            started = time.monotonic()
            answer = session.post(f"{self.server.url}/api/chat/rooms/{self.room['id']}/send/", json={"content": f"{name}-{n}"},
                                  headers={"Authorization": f"Token {token}"}, timeout=PATIENCE)
            self.slowest = max(self.slowest, time.monotonic() - started)
            if answer.status_code == 201:
                self.acknowledged.append((answer.json()["id"], f"{name}-{n}"))
            elif answer.status_code == 503:
                self.refused += 1
                time.sleep(0.05)
            else:
                self.wrong.append((answer.status_code, answer.text))

    def some_more(self, count=20):
        seen = len(self.acknowledged)
        wait_until("sends to be acknowledged", lambda: len(self.acknowledged) > seen + count or self.wrong)
        assert not self.wrong

    def end(self, person):
        """no acknowledged message is missing, none is there twice, no seq is left out"""
        self.stop.set()
        for one in self.running:
            one.result()
        self.pool.shutdown()
        assert not self.wrong
        stored = wait_until("the history", lambda: everything(person, self.room))
        ids, contents = [m["id"] for m in stored], [m["content"] for m in stored]
        assert len(set(ids)) == len(ids) and len(set(contents)) == len(contents)
        assert {i for i, _ in self.acknowledged} <= set(ids)
        assert {c for _, c in self.acknowledged} <= set(contents)
        seqs = sorted(m["seq"] for m in stored)
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


class Pulse:
    """asks /healthz all the time: the loop must not be held up"""

    def __init__(self, server):
        self.server, self.slowest = server, 0.0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)
        self.thread.start()

    def _beat(self):
        session = requests.Session()
        while not self.stop.is_set():
            started = time.monotonic()
            assert session.get(self.server.url + "/healthz", timeout=PATIENCE).status_code == 200
            self.slowest = max(self.slowest, time.monotonic() - started)
            time.sleep(0.02)

    def end(self):
        self.stop.set()
        self.thread.join()
        return self.slowest


FAULTS = {
    "hangs": (lambda db: db.pause(), lambda db: db.resume()),
    "dies": (lambda db: db.kill(), lambda db: db.start()),
    "stops": (lambda db: db.stop(), lambda db: db.start()),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_sends_are_answered_while_the_database_is_away(served, database, fault):
    begin, end = FAULTS[fault]
    ada, bob = served.person(), served.person()
    room = ada.room(bob)
    senders, pulse = Senders(served, (ada, bob), room, 6), Pulse(served)
    for _ in range(2):
        senders.some_more()
        refused = senders.refused
        begin(database)
        wait_until("sends to be refused", lambda: senders.refused > refused + 6, 15)
        wait_until("/readyz to say so", lambda: status_of(served, "/readyz") == 503, 10)
        assert status_of(served, "/healthz") == 200
        end(database)
        wait_until("/readyz to recover", lambda: status_of(served, "/readyz") == 200)
        senders.some_more()
    senders.end(ada)
    assert senders.slowest < IN_TIME
    assert pulse.end() < 1
    # one line for each change, not for each attempt
    away = [line for line in served.output if "ERROR postgres the database is away" in line]
    back = [line for line in served.output if "the database is back" in line]
    assert len(away) == 2 and len(back) == 2, served.text()


def test_sockets_stay_open_and_are_told(served, database):
    ada = served.person()
    room = ada.room()
    with ada.socket(room) as socket:
        socket.say("before")
        assert socket.message()["content"] == "before"
        database.pause()
        started = time.monotonic()
        socket.say("lost")
        assert socket.read_type("error")["code"] == "unavailable"
        assert time.monotonic() - started < IN_TIME
        database.resume()
        wait_until("/readyz to recover", lambda: status_of(served, "/readyz") == 200)
        socket.say("after")
        while (got := socket.message()["content"]) != "after":
            assert got == "lost"  # stored after all, once


def test_a_session_that_is_ended_is_renewed(served, database):
    ada = served.person()
    room = ada.room()
    for i in range(3):
        ada.say(room, f"m{i}")
        database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parley'")

        def said():
            answer = ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": f"again{i}"})
            assert answer.status_code in (201, 503)
            return answer.status_code == 201
        wait_until("a send", said)
    assert len({m["content"] for m in everything(ada, room)}) == 6


def test_a_read_only_database_refuses_sends_and_serves_reads(served, database):
    ada = served.person()
    room = ada.room()
    ada.say(room, "before")
    name = served.database_url.rsplit("/", 1)[1]
    renew = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parley'"
    database.query(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    database.query(renew)
    wait_until("/readyz to say so", lambda: status_of(served, "/readyz") == 503 or
               ada.get(f"/api/chat/rooms/{room['id']}/").status_code == 0)
    wait_until("a read", lambda: ada.get(f"/api/chat/rooms/{room['id']}/messages/").status_code == 200)
    assert ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "no"}).status_code == 503
    database.query(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    wait_until("/readyz to recover", lambda: status_of(served, "/readyz") == 200)
    wait_until("a send", lambda: ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "yes"}).status_code == 201)


WRITER = """
#include <parley/db.h>
static const parley_need needs[] = { { "parley.db", 0, 1, 0 } };
static const parley_db *db;
static parley_stmt stmt;
static void written(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)result, (void)ud;
    if (status == PARLEY_DB_READONLY)
        parley->log(ctx, PARLEY_INFO, PARLEY_S("refused"));
}
static void write_again(parley_ctx *ctx, int status, void *ud)
{
    parley_sql sql = { stmt, NULL, 0 };
    (void)ud;
    if (status >= 0)
        (void)db->run(ctx, &sql, 1, 0, written, NULL);
}
static int load(parley_ctx *ctx, const parley_conf *conf) { (void)ctx, (void)conf; return 0; }
static int start(parley_ctx *ctx)
{
    db = parley->service(ctx, "parley.db");
    int err = db->prepare(ctx, "UPDATE rooms SET last_seq = last_seq WHERE id = -1", &stmt);
    (void)parley->timer(ctx, 200, 200, write_again, NULL);
    return err;
}
PARLEY_PLUGIN(.name = "writer", .version = "1.0.0", PARLEY_LIST(need, needs), .load = load, .start = start)
"""


def test_whoever_goes_on_writing_does_not_put_the_recovery_off(database, tmp_path):
    config = configured(more=plugin_of(tmp_path / "plugin", "writer", WRITER))
    with Server(tmp_path / "server", config=config, db=database.database()) as served:
        name = served.database_url.rsplit("/", 1)[1]
        database.query(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parley'")
        served.wait_line("writer refused")
        database.query(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
        wait_until("/readyz to recover", lambda: status_of(served, "/readyz") == 200)


def test_a_lock_that_is_held_ends_in_503_and_not_in_silence(served, database):
    ada = served.person()
    room = ada.room()
    name = served.database_url.rsplit("/", 1)[1]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        holder = pool.submit(database.query, f"BEGIN; UPDATE rooms SET last_seq = last_seq WHERE uid = '{room['id']}';"
                             " SELECT pg_sleep(8); ROLLBACK", name)
        wait_until("the lock", lambda: database.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(8)%'"
                                                      " AND wait_event = 'PgSleep'"))
        answer = ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "behind a lock"})
        assert answer.status_code in (201, 503)
        assert status_of(served, "/readyz") == 200
        holder.result()
    ada.say(room, "after")


def kernel_timers(port):
    """[(timer, seconds)] of the connections that a server has accepted on a port; timer 2 is that of keepalive"""
    with open("/proc/net/tcp") as table:
        rows = [row.split() for row in list(table)[1:]]
    hertz = os.sysconf("SC_CLK_TCK")
    return [(int(r[5].split(":")[0], 16), int(r[5].split(":")[1], 16) / hertz) for r in rows
            if r[1].endswith(f":{port:04X}") and r[3] == "01"]


def test_the_database_notices_a_node_that_is_cut_off(served, database):
    """Or what the node had begun would keep a room locked for as long as TCP waits, which is two hours."""
    served.person().room()
    def resting():
        """once nothing waits to be acknowledged"""
        timers = kernel_timers(database.port)
        return timers and all(timer == 2 for timer, _ in timers) and [seconds for _, seconds in timers]
    assert max(wait_until("idle connections", resting)) < 10


def test_a_worker_starts_while_the_database_is_away(served, database):
    ada = served.person()
    room = ada.room()
    database.stop()
    first = worker_of(served)
    os.kill(first, signal.SIGKILL)
    another_worker(served, first)
    wait_until("the worker to answer", lambda: status_of(served, "/healthz") == 200)
    assert status_of(served, "/readyz") == 503
    assert ada.get(f"/api/chat/rooms/{room['id']}/").status_code == 503
    database.start()
    wait_until("/readyz to recover", lambda: status_of(served, "/readyz") == 200)
    ada.say(room, "after")


def test_a_server_that_is_started_first_waits_for_its_database(database, tmp_path):
    url = database.database()
    database.stop()
    server = Server(tmp_path / "server", db=url).start(ready=False)
    try:
        server.wait_line("the database is away")
        database.start()
        server.wait_line("is listening on")
        server.person()
    finally:
        server.end()


def test_migrations_run_once_and_a_changed_file_is_refused(database, tmp_path):
    url = database.database()
    name = url.rsplit("/", 1)[1]
    with Server(tmp_path / "one", db=url) as server:
        assert len([l for l in server.output if "applied migration" in l]) >= 3
    with Server(tmp_path / "two", db=url) as server:
        assert not [l for l in server.output if "applied migration" in l]
    database.query("UPDATE schema_migrations SET checksum = 'x' WHERE plugin = 'chat'", name)
    server = Server(tmp_path / "three", db=url).start(ready=False)
    server.wait_line("was changed after it was applied")
    assert server.process.wait(PATIENCE) != 0
    server.end(status=server.process.returncode)


def test_the_password_is_never_told(database, tmp_path):
    wrong = database.database().replace(postgres.PASSWORD_IN_URL, "not%40the-password")
    server = Server(tmp_path / "server", db=wrong).start(ready=False)
    server.wait_line("the database is away")
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(PATIENCE)
    server.check_sanitizers()
    for text in (server.text(), *(f.read_text() for f in server.logs.glob("*"))):
        assert "the-password" not in text and "not%40" not in text
    garbled = Server(tmp_path / "garbled", db="postgresql://parley:se%cret@localhost/x").start(ready=False)
    garbled.wait_line("not like postgresql://")
    assert garbled.process.wait(PATIENCE) != 0 and "se%cret" not in garbled.text()
