"""A mail server that refuses, hangs, is slow or goes, a database that goes, a Parley that is killed: each mail arrives, and only
what nobody can know is sent twice, under the same Message-ID."""
import os
import signal
import time

import pytest
import requests

import postgres
from parley import PATIENCE, Server, wait_until
from smtp import Mailer, config_with_mail, register

QUICK = {"poll": "100ms", "timeout": "1s"}  # a mail that was put off comes back after 2.5 to 5 s


def left(server):
    """mails that are not over"""
    return int(server.query("SELECT count(*) FROM mail_queue WHERE sealed IS NOT NULL")[0][0])


def quick(own_server, mailer, **more):
    return own_server(env=mailer.env, config=config_with_mail(**{**QUICK, **more}))


def wait_marked(server):
    wait_until("all to be marked", lambda: left(server) == 0)


def test_put_off_then_taken(own_server):
    with Mailer(MAIL=["451 4.3.0 later"], RCPT=["450 4.2.1 grey"], DATA=["452 4.3.1 full"]) as mailer:
        server = quick(own_server, mailer)
        people = {register(server, name) for name in ("ada", "bob", "cyd")}
        mailer.wait(3)
        wait_marked(server)
        assert {m.to[0] for m in mailer.mails} == people and len(mailer.mails) == 3
        for words in ("MAIL FROM: 451 4.3.0 later", "RCPT TO: 450 4.2.1 grey", "the end of the text: 452 4.3.1 full"):
            server.wait_line(f"INFO mail mail .*, attempt 1: {words}; again in [3-5] s")


def test_a_server_that_is_not_ready_costs_no_attempt(own_server):
    with Mailer(GREETING=["421 busy", "554 go away"], EHLO=["500 what?"]) as mailer:
        server = quick(own_server, mailer)
        register(server)
        mailer.wait()
        wait_marked(server)
        assert server.query("SELECT attempts FROM mail_queue") == [["1"]]
        server.wait_line("WARNING mail mails cannot be delivered, will try again: connecting: 421 busy")
        assert server.text().count("cannot be delivered") == 1 and len(mailer.mails) == 1


def test_refused_for_good(own_server):
    with Mailer() as mailer:
        mailer.refused["ada@example.org"] = "550 5.1.1 no such user"
        server = quick(own_server, mailer)
        register(server)
        server.wait_line("WARNING mail mail .* is given up after attempt 1: RCPT TO: 550 5.1.1 no such user")
        register(server, "bob")
        mailer.wait()
        time.sleep(0.5)  # five looks into the queue
        assert mailer.seen.count("RCPT") == 1 and [m.to for m in mailer.mails] == [["bob@example.org"]]
        rows = server.query("SELECT last_error FROM mail_queue WHERE gave_up_at IS NOT NULL AND sealed IS NOT NULL")
        assert rows == [["RCPT TO: 550 5.1.1 no such user"]]


@pytest.mark.parametrize("step", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"])
def test_hanging_server_holds_up_nobody(own_server, step):
    more = {"RCPT": ["550 5.1.1 no"], "QUIT": "hang"} if step == "QUIT" else {step: ["hang"]}
    with Mailer(**more) as mailer:
        server = quick(own_server, mailer)
        register(server)
        wait_until("the server to hang", lambda: step in mailer.seen)
        end, slowest = time.monotonic() + 1, 0
        while time.monotonic() < end:
            asked = time.monotonic()
            assert requests.get(server.url + "/healthz", timeout=PATIENCE).status_code == 200
            slowest = max(slowest, time.monotonic() - asked)
        assert slowest < 0.5, "the loop was held up"
        if step == "QUIT":
            register(server, "bob")
        mailer.wait()
        wait_until("it to be marked", lambda: left(server) == (step == "QUIT"))
        assert len(mailer.mails) == 1


@pytest.mark.parametrize("step, copies", [("MAIL", 1), ("RCPT", 1), ("DATA", 1), ("ANSWER", 2)])
def test_connection_cut(own_server, step, copies):
    """DATA: before the server took the text; ANSWER: after that, so nobody can know"""
    with Mailer(**{step: ["cut"]}) as mailer:
        server = quick(own_server, mailer)
        register(server)
        mailer.wait(copies)
        wait_marked(server)
        assert len(mailer.mails) == copies and len({m.id for m in mailer.mails}) == 1
        assert server.query("SELECT attempts FROM mail_queue") == [["2"]]


def test_a_kept_connection_that_was_closed(own_server):
    """The server hangs up on idle connections: the next mail notices, and does not wait for another attempt."""
    with Mailer() as mailer:
        server = quick(own_server, mailer)
        register(server)
        mailer.wait()
        mailer.hang_up()
        register(server, "bob")
        mailer.wait(2)
        wait_marked(server)
        assert "again in" not in server.text() and mailer.connections == 2


def test_slow_server_few_at_a_time(own_server):
    with Mailer(DATA=0.3) as mailer:
        server = quick(own_server, mailer, timeout="20s", connections=3, per_domain=2)
        for i in range(5):
            register(server, f"a{i}")
        mailer.wait(5)
        assert mailer.most == 2  # to one domain
        for i in range(6):
            register(server, f"b{i}", f"b{i}@d{i}.example.org")
        mailer.wait(11)
        assert mailer.most == 3 and mailer.connections <= 5


def test_server_goes_and_comes_back(own_server):
    mailer = Mailer()
    server = quick(own_server, mailer)
    with mailer:
        register(server)
        mailer.wait()
    people = {register(server, f"u{i}") for i in range(8)}
    server.wait_line("mails cannot be delivered")
    with mailer:
        mailer.wait(9)
        wait_marked(server)
        assert sorted(m.to[0] for m in mailer.mails[1:]) == sorted(people)
        server.end()


def test_stop_waits_for_the_answer(own_server):
    with Mailer(ANSWER=1.0) as mailer:
        server = quick(own_server, mailer, timeout="20s")
        register(server)
        mailer.wait()
        server.end()
        server.start()
        register(server, "bob")
        mailer.wait(2)
        server.end()
        assert [m.to[0] for m in mailer.mails] == ["ada@example.org", "bob@example.org"]


def test_stop_does_not_wait_for_a_server_that_hangs(own_server):
    with Mailer(RCPT=["hang"]) as mailer:
        server = quick(own_server, mailer, timeout="60s")
        register(server)
        wait_until("the server to hang", lambda: "RCPT" in mailer.seen)
        server.end()
        assert "has not stopped in time" not in server.text()
        assert server.query("SELECT attempts, lease_until FROM mail_queue") == [["0", "0"]]
        server.start()
        mailer.wait()


def test_killed_between_the_answer_and_our_mark(own_server):
    """the only way of ours to a second copy, and it bears the same Message-ID"""
    with Mailer(ANSWER=["hang"]) as mailer:
        server = quick(own_server, mailer, timeout="60s")
        register(server)
        first, = mailer.wait()
        for pid in server.workers():
            os.kill(pid, signal.SIGKILL)
        assert left(server) == 1
        # Nobody takes it before the lease is over.
        server_is_back(server)
        register(server, "bob")
        assert mailer.wait(2)[1].to == ["bob@example.org"]
        server.query("UPDATE mail_queue SET lease_until = 0 WHERE sealed IS NOT NULL RETURNING 1")
        assert mailer.wait(3)[2].id == first.id
        wait_marked(server)
        assert len(mailer.mails) == 3


def server_is_back(server):
    def answers():
        try:
            return requests.get(server.url + "/readyz", timeout=PATIENCE).status_code == 200
        except requests.ConnectionError:
            return False

    return wait_until("the worker to be back", answers)


def test_database_goes_between_the_answer_and_our_mark(own_server):
    database = postgres.Postgres().start()
    try:
        with Mailer(ANSWER=[2.0]) as mailer:
            server = own_server(env=mailer.env, config=config_with_mail(poll="100ms"), db=database.database())
            register(server)
            mailer.wait()
            database.stop()
            server.wait_line("what became of mail .* cannot be stored")
            database.start()
            rows = wait_until("the mark", lambda: database.query(
                "SELECT attempts FROM mail_queue WHERE sent_at IS NOT NULL", server.database_url.rsplit("/", 1)[1]))
            assert rows == [["1"]] and len(mailer.mails) == 1
            server.end()
    finally:
        database.end()


def test_two_nodes_share_the_queue(tmp_path):
    """Both claim what either has queued."""
    url = postgres.shared().database()
    config = config_with_mail(poll="100ms", per_domain=4)
    env = {"SECRET_KEY": "the same on all machines"}
    with Mailer(DATA=0.2) as mailer:
        env = {**mailer.env, **env}
        with Server(tmp_path / "a", env=env, config=config, db=url) as a, Server(tmp_path / "b", env=env, config=config, db=url) as b:
            people = [register((a, b)[i % 2], f"u{i}") for i in range(40)]
            mailer.wait(40)
            wait_marked(a)
            assert sorted(m.to[0] for m in mailer.mails) == sorted(people)
            delivered = [sum("is delivered" in line for line in s.output) for s in (a, b)]
            assert sum(delivered) == 40 and min(delivered) > 0, delivered
