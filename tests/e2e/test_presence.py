"""Who is there: the frame `presence`, and GET of a room's members."""
import itertools
import os
import signal

import pytest
import requests

from parley import Server, Socket, wait_until
from redis import Redis, config_with_redis
from test_read import crowd


@pytest.fixture
def people(server):
    """of each test's own, so that nobody is there from before"""
    return server.person(), server.person(), server.person()


def all_rooms(person):
    return Socket.open(person.server, "/ws/", token=person.token)


def say(socket, status="online"):
    """takes part as that; what comes meanwhile is for told()"""
    socket.send({"type": "presence", "status": status})
    socket.heard = getattr(socket, "heard", []) + presence(socket.sync())


def presence(frames):
    return [frame for frame in frames if frame["type"] == "presence"]


def until(socket, room, person, status):
    """the frames up to the one that says so"""
    got = []
    while not got or (got[-1]["room"], got[-1]["user"]["id"], got[-1]["status"]) != (room["id"], person.id, status):
        got.append(socket.heard.pop(0) if socket.heard else socket.read_type("presence"))
    return got


def there(person, room):
    """{id of a member: status}"""
    answer = person.get(f"/api/chat/rooms/{room['id']}/presence/")
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["count"] == len(page["results"]) and page["next"] is None and page["previous"] is None
    return {one["user"]["id"]: one["status"] for one in page["results"]}


def told(socket, room, person, status):
    assert until(socket, room, person, status)[-1] == {"type": "presence", "room": room["id"], "status": status,
                                                       "user": {"id": person.id, "username": person.username}}


def test_online_away_and_offline(people):
    ada, bob, _ = people
    room = ada.room(bob)
    assert there(ada, room) == {ada.id: "offline", bob.id: "offline"}
    with ada.socket(room) as a:
        say(a)
        told(a, room, ada, "online")  # himself, too
        with bob.socket(room) as b:
            assert there(ada, room) == {ada.id: "online", bob.id: "offline"}  # he has not said so
            say(b)
            told(a, room, bob, "online")
            assert there(bob, room) == {ada.id: "online", bob.id: "online"}
            say(b, "away")
            told(a, room, bob, "away")
            assert there(ada, room)[bob.id] == "away"
            with bob.socket(room) as other:
                say(other)  # at one of his clients
                told(a, room, bob, "online")
            told(a, room, bob, "away")  # that one is gone
        told(a, room, bob, "offline")
        assert there(ada, room) == {ada.id: "online", bob.id: "offline"}
    wait_until("ada to be gone", lambda: there(bob, room)[ada.id] == "offline")


def test_in_all_shared_rooms_and_in_no_other(people):
    ada, bob, eve = people
    shared, also, foreign = ada.room(bob), ada.room(bob), ada.room(eve)
    with all_rooms(ada) as a, all_rooms(eve) as e, ada.socket(also) as own:
        say(a), say(e), say(own)
        told(a, foreign, eve, "online")
        with bob.socket(shared) as b:
            say(b)
            told(a, shared, bob, "online")
            told(own, also, bob, "online")
        told(a, shared, bob, "offline")
        say(a, "away"), say(own, "away")
        seen = until(e, foreign, ada, "away")  # what bob did was told before
        assert {f["room"] for f in seen} == {foreign["id"]} and bob.id not in {f["user"]["id"] for f in seen}


def test_who_says_nothing_is_told_nothing(people):
    ada, bob, _ = people
    room = ada.room(bob)
    with ada.socket(room) as a, bob.socket(room) as b, bob.socket(room) as silent:
        say(a), say(b)
        told(a, room, bob, "online")
        told(b, room, bob, "online")
        assert presence(silent.sync()) == []


def test_what_is_no_status(people):
    ada, bob, _ = people
    room = ada.room(bob)
    with ada.socket(room) as a, all_rooms(bob) as b:
        for socket, more in itertools.product((a, b), ({}, *({"status": s} for s in (None, "offline", "busy", 1, ["online"])))):
            socket.send({"type": "presence", **more})
            assert socket.read_type("error") == {"type": "error", "code": "invalid", "detail": "Invalid message.",
                                                 "errors": {"status": ["Must be online or away."]}}


def test_who_may_ask(server, people):
    ada, bob, eve = people
    path = f"/api/chat/rooms/{ada.room(bob)['id']}/presence/"
    assert eve.get(path).status_code == 404 and server.anonymous().get(path).status_code == 401
    assert ada.get(f"/api/chat/rooms/{ada.id}/presence/").status_code == 404 and ada.post(path, {}).status_code == 405
    first = ada.get(path + "?limit=1").json()
    assert first["count"] == 2 and [one["user"]["id"] for one in first["results"]] == [ada.id] and "offset=1" in first["next"]


def test_who_was_removed_is_told_no_more(people):
    ada, bob, eve = people
    room = ada.room(bob, eve)
    with ada.socket(room) as a, all_rooms(bob) as b, eve.socket(room) as own:
        say(a), say(b), say(own)
        told(b, room, bob, "online")
        for gone in (bob, eve):
            ada.delete(f"/api/chat/rooms/{room['id']}/participants/{gone.id}/")
        assert own.closed().code == 4403 and b.read_type("unsubscribed")["room"] == room["id"]
        assert set(there(ada, room)) == {ada.id}
        say(a, "away")
        told(a, room, ada, "away")
        assert [f for f in presence(b.sync()) if f["status"] == "away"] == []


def test_in_a_large_room_it_is_asked_for(server, people):
    ada, bob, _ = people
    large, small = ada.room(bob), ada.room(bob)
    crowd(server, large, 99)
    with all_rooms(ada) as a, bob.socket(large) as b:
        say(a)
        told(a, small, ada, "online")
        say(b)
        seen = until(a, small, bob, "online") + presence(a.sync())  # he is told of in all his rooms at once
        assert large["id"] not in {f["room"] for f in seen}
        page = ada.get(f"/api/chat/rooms/{large['id']}/presence/?limit=200").json()
        assert page["count"] == 101
        assert {one["user"]["id"] for one in page["results"] if one["status"] == "online"} == {ada.id, bob.id}


def test_across_workers(tmp_path):
    with Redis(tmp_path / "redis") as redis:
        with Server(tmp_path / "server", env={"REDIS_URL": redis.url}, config=config_with_redis(2)) as server:
            ada, bob = server.person(), server.person()
            room = ada.room(bob)
            watch = [ada.socket(room) for _ in range(8)]  # on both workers, whichever takes the request
            for socket in watch:
                say(socket)
            b = bob.socket(room)
            say(b)
            for socket in watch:
                told(socket, room, bob, "online")
            assert there(bob, room) == {ada.id: "online", bob.id: "online"}
            b.close()
            for socket in watch:
                told(socket, room, bob, "offline")
            assert there(ada, room) == {ada.id: "online", bob.id: "offline"}
            for socket in watch:
                socket.sock.close()


def offline_at_last(person, room, other):
    try:
        answer = person.get(f"/api/chat/rooms/{room['id']}/presence/")
    except requests.ConnectionError:
        return False  # there is no worker yet
    if answer.status_code == 503:
        return False  # nor Redis for it
    return {one["user"]["id"]: one["status"] for one in answer.json()["results"]}[other.id] == "offline"


def test_who_was_at_a_worker_that_died_runs_out(tmp_path):
    config = config_with_redis(2).replace("  - chat\n", "  - chat:\n      presence_ttl: 3s\n")
    assert "presence_ttl" in config
    with Redis(tmp_path / "redis") as redis:
        with Server(tmp_path / "server", env={"REDIS_URL": redis.url}, config=config) as server:
            ada, bob = server.person(), server.person()
            room = ada.room(bob)
            with bob.socket(room) as b:
                say(b)
                told(b, room, bob, "online")
                for pid in server.workers():
                    os.kill(pid, signal.SIGKILL)  # no farewell
                assert b.closed().code == 1006
            wait_until("bob to run out", lambda: offline_at_last(ada, room, bob))
