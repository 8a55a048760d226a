"""Two workers, one SQLite file, one Redis: what one worker stores reaches the sockets of the other, in the order of `seq`,
once; with a bus that loses messages, and without a bus."""
import concurrent.futures
import os
import re
import signal
import threading
import time

import pytest

from nodes import LossyBus, apart, contents, socket_at, wait_connected, warm, worker_of
from parley import PATIENCE, Closed, wait_until
from redis import Redis, config_with_redis


@pytest.fixture
def redis(tmp_path):
    with Redis(tmp_path / "redis") as running:
        yield running


def two_workers(own_server, url):
    server = own_server(config=config_with_redis(workers=2), env={"REDIS_URL": url})
    return wait_connected(server, 2)


@pytest.fixture
def server(own_server, redis):
    return two_workers(own_server, redis.url)


# ---- with a bus that works ----
def test_both_workers_show_everything_in_order_and_once(server):
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    n = 60
    one, two = apart(server, ada, bob, room)
    with one, two, concurrent.futures.ThreadPoolExecutor(2) as pool:
        def chatter(own, name):
            for i in range(n):
                own.say(f"{name}{i}")
        for job in [pool.submit(chatter, one, "a"), pool.submit(chatter, two, "b")]:
            job.result(PATIENCE)
        at_one, at_two = contents(one, 2 * n), contents(two, 2 * n)
        assert at_one == at_two
        assert [c for c in at_one if c[0] == "a"] == [f"a{i}" for i in range(n)]
        assert [c for c in at_one if c[0] == "b"] == [f"b{i}" for i in range(n)]
        assert not [f for s in (one, two) for f in s.sync() if f["type"] == "chat_message"]


def test_a_message_does_not_wait_for_the_poll(server):
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    one, two = apart(server, ada, bob, room)
    with one, two:
        warm(one, two)
        begin = time.monotonic()
        for i in range(20):
            one.say(str(i))
            assert two.message()["content"] == str(i)
        assert time.monotonic() - begin < 5


def test_typing_removal_and_deletion_reach_the_other_worker(server):
    ada, bob, eve = server.person(), server.person(), server.person()
    room = ada.room(bob, eve)
    one, two = apart(server, ada, bob, room)
    three = socket_at(server, eve, room, worker_of(server, two.sock))
    with one, two, three:
        warm(one, two, three)
        one.send({"type": "typing"})
        assert two.read_type("user_typing", "typing")
        assert ada.delete(f"/api/chat/rooms/{room['id']}/participants/{eve.id}/").status_code == 204
        assert three.closed().code == 4403
        one.say("after")
        assert two.message()["content"] == "after"
        assert ada.delete(f"/api/chat/rooms/{room['id']}/").status_code == 204
        assert two.closed().code == 4404 and one.closed().code == 4404


def test_every_mail_leaves_once(server):
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        people = list(pool.map(lambda _: server.person(), range(12)))
    assert all(len(server.mails(p.email)) == 1 for p in people)


# ---- with a bus that loses ----
@pytest.fixture
def lossy(redis):
    bus = LossyBus(redis)
    yield bus
    bus.close()


def test_a_hole_is_filled_from_the_database(own_server, lossy):
    server = two_workers(own_server, lossy.url)
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    one, two = apart(server, ada, bob, room)
    with one, two:
        warm(one, two)
        for i in range(5):
            lossy.is_losing = True
            for content in (f"lost {i}", f"lost too {i}"):
                one.say(content), one.message()
            wait_until("the loss", lambda: lossy.lost == 2 * i + 2)
            lossy.is_losing = False
            begin = time.monotonic()
            one.say(f"heard {i}"), one.message()
            assert contents(two, 3) == [f"lost {i}", f"lost too {i}", f"heard {i}"]
            assert time.monotonic() - begin < 3  # the hole is seen, not polled for


def test_a_lost_last_message_is_found(own_server, lossy):
    server = two_workers(own_server, lossy.url)
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    one, two = apart(server, ada, bob, room)
    with one, two:
        warm(one, two)
        lossy.is_losing = True
        begin = time.monotonic()
        one.say("the last one")
        assert two.message()["content"] == "the last one"
        assert time.monotonic() - begin < 10 and lossy.lost == 1
        # A removal that is lost closes the socket all the same.
        assert ada.delete(f"/api/chat/rooms/{room['id']}/participants/{bob.id}/").status_code == 204
        assert two.closed().code == 4403
        wait_until("the loss", lambda: lossy.lost == 2)


def test_connections_that_break_while_people_talk(server, redis):
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    n = 200
    one, two = apart(server, ada, bob, room)
    stop = threading.Event()

    def breaker():
        while not stop.wait(0.15):
            redis.command("CLIENT", "KILL", "TYPE", "pubsub")
            redis.command("CLIENT", "KILL", "TYPE", "normal")
    thread = threading.Thread(target=breaker)
    with one, two, concurrent.futures.ThreadPoolExecutor(2) as pool:
        thread.start()

        def chatter(own, name):
            for i in range(n):
                own.say(f"{name}{i}")
                time.sleep(0.005)
        jobs = [pool.submit(chatter, one, "a"), pool.submit(chatter, two, "b")]
        try:
            at_one, at_two = contents(one, 2 * n), contents(two, 2 * n)
        finally:
            stop.set()
            thread.join()
        [job.result(PATIENCE) for job in jobs]
        assert at_one == at_two and len(set(at_one)) == 2 * n
        assert not [f for s in (one, two) for f in s.sync() if f["type"] == "chat_message"]


# ---- without a bus ----
def test_with_redis_killed_delivery_goes_on(server, redis):
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    one, two = apart(server, ada, bob, room)
    with one, two:
        warm(one, two)
        redis.stop()
        wait_until("both to notice", lambda: len(re.findall("is away", server.text())) == 2)
        for i in range(3):
            begin = time.monotonic()
            one.say(f"{i}"), two.say(f"{i} too")
            assert contents(one, 2) == contents(two, 2)
            assert time.monotonic() - begin < 4
        redis.start()
        wait_until("both to be back", lambda: len(re.findall("is there again|is there$", server.text(), re.M)) >= 4)
        begin = time.monotonic()
        for i in range(20):
            one.say(f"back {i}")
            assert two.message()["content"] == f"back {i}"
        assert time.monotonic() - begin < 5  # over the bus again


def test_with_redis_frozen_delivery_goes_on(server, redis):
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    one, two = apart(server, ada, bob, room)
    with one, two:
        warm(one, two)
        redis.freeze()
        for i in range(30):
            one.say(f"{i}")
        assert contents(two, 30) == [f"{i}" for i in range(30)]
        wait_until("both to notice", lambda: len(re.findall("is away", server.text())) == 2)
        redis.thaw()  # what it had in its buffers comes now, late
        wait_until("both to be back", lambda: len(re.findall("is there again|is there$", server.text(), re.M)) >= 4)
        one.say("end")
        assert contents(two, 1) == ["end"]


def test_a_worker_that_is_killed_loses_nothing_for_the_other(server):
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    one, two = apart(server, ada, bob, room)
    with one, two:
        warm(one, two)
        pid, acknowledged = worker_of(server, one.sock), []
        with pytest.raises((Closed, OSError)):
            for i in range(1000):
                one.say(f"{i}")
                acknowledged.append(one.message()["content"])
                if i == 25:
                    os.kill(pid, signal.SIGKILL)
        seen = contents(two, len(acknowledged))
        assert seen == acknowledged
        again = ada.socket(room)
        with again:
            again.say("the successor")
            while two.message()["content"] != "the successor":
                pass  # what was stored but never acknowledged
