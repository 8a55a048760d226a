"""The latest page of a room's messages comes from the tail of its events when that is whole, and says what the database would
say: never without what was acknowledged, never with what was deleted.  A limit over 100 always asks the database."""
import concurrent.futures
import random
import re

import pytest

from parley import Server, wait_until
from redis import Redis, config_with_redis


@pytest.fixture(scope="module", params=["memory", "redis"])
def server(request, tmp_path_factory):
    if request.param == "memory":
        with Server(tmp_path_factory.mktemp("server")) as running:
            def forget():
                running.end()
                running.start()
            running.forget = forget
            running.tails = None
            yield running
        return
    with Redis(tmp_path_factory.mktemp("redis")) as redis:
        running = Server(tmp_path_factory.mktemp("server"), config=config_with_redis(workers=2), env={"REDIS_URL": redis.url})
        running.forget = lambda: redis.command("FLUSHALL")
        running.tails = redis
        with running:
            wait_until("Redis", lambda: len(re.findall(r"is there$", running.text(), re.M)) == 2)
            yield running


class Room:
    def __init__(self, server):
        self.server, self.ada, self.bob = server, server.person(), server.person()
        self.room = self.ada.room(self.bob)
        self.path = f"/api/chat/rooms/{self.room['id']}/"

    def page(self, limit, person=None):
        """through any worker: a new connection each time"""
        return self.server.anonymous().get(f"{self.path}messages/?limit={limit}", headers={"Authorization": f"Token {(person or self.ada).token}"})

    def contents(self, limit=50):
        return [m["content"] for m in self.page(limit).json()["results"]]

    def compare(self):
        """the tail, once it is there, and the database"""
        whole = self.page(200).json()
        for limit in (1, 3, 50, 100):
            answer = self.page(limit)
            assert answer.headers["Content-Type"] == "application/json"
            part = answer.json()
            assert part["results"] == whole["results"][:limit] and part["count"] == whole["count"]
            assert list(part) == list(whole) and part["previous"] is None
            assert (part["next"] or "").endswith(f"?limit={limit}&offset={limit}") == (whole["count"] > limit)
            assert part["results"] == [] or list(part["results"][0]) == list(whole["results"][0])

    def wait_tail(self, n):
        """A push is not waited for, and whoever reads before it fills the tail from the database."""
        redis = self.server.tails
        if redis:
            wait_until(f"{n} entries", lambda: sum(redis.command("ZCARD", key) for key in redis.command("KEYS", f"*{self.room['id']}*")) >= n)

    def kept(self, text):
        redis = self.server.tails
        keys = redis.command("KEYS", f"*{self.room['id']}*")
        return any(text in str(entry) for key in keys for entry in redis.command("ZRANGE", key, "0", "-1"))

    def forge(self, content):
        """changes a text behind the server's back, so that it shows where an answer comes from"""
        self.server.query(f"UPDATE messages SET content = 'forged' WHERE content = '{content}' RETURNING 1")


def test_the_page_is_what_the_database_says(server):
    room, dice = Room(server), random.Random(7)
    eve, said = server.person(), []
    room.compare()
    for step in range(60):
        if step % 20 == 10:
            assert room.ada.post(f"{room.path}participants/", {"email": eve.email}).status_code == 201
        elif step % 20 == 15:
            assert room.ada.delete(f"{room.path}participants/{eve.id}/").status_code == 204
        elif step % 20 == 19:
            assert room.ada.put(room.path, {"name": f"Room {step}"}).status_code == 200
        elif said and dice.random() < 0.3:
            gone = said.pop(dice.randrange(len(said)))
            assert room.ada.delete(f"/api/chat/messages/{gone}/").status_code == 204
        else:
            person = dice.choice([room.ada, room.bob])
            said.append(person.say(room.room, f"step {step} \u20ac \" \\ \u0001 {{}}]}}, \"epoch\":\"x\"")["id"])
        room.compare()


def test_it_does_come_from_the_tail(server):
    room = Room(server)
    for _ in range(20):  # each worker learns the epoch; one that has not fills the tail with what it read
        room.page(50)
    for i in range(5):
        room.ada.say(room.room, f"{room.room['id']} {i}")
    room.wait_tail(5)
    text = f"{room.room['id']} 2"
    room.forge(text)
    assert room.contents(200)[2] == "forged"
    wait_until("the tail", lambda: room.contents(3)[2] == text)
    for i in range(3):  # with another message after it, too
        room.ada.say(room.room, f"more {i}")
        wait_until("the tail", lambda: room.contents(50)[3 + i] == text)
    assert room.contents(200)[5] == "forged"


def test_a_tail_that_is_gone_is_filled_by_the_next_reader(server):
    room = Room(server)
    ids = [room.ada.say(room.room, f"{room.room['id']} {i}")["id"] for i in range(60)]
    server.forget()
    text = f"{room.room['id']} 50"
    room.page(50), room.page(50), room.page(50)  # two workers learn the epoch, the third time it is filled for sure
    if server.tails:  # unless Redis was too slow for them
        wait_until("the page to be kept", lambda: room.page(50) and room.kept(text))
    room.forge(text)
    assert room.contents(200)[9] == "forged"
    wait_until("the tail", lambda: room.contents()[9] == text)
    for i in range(30):  # events on top of it
        if i % 3 == 0:
            assert room.ada.delete(f"/api/chat/messages/{ids.pop()}/").status_code == 204
        else:
            ids.append(room.bob.say(room.room, f"new {i} {room.room['id']}")["id"])
        whole = [m["id"] for m in room.page(200).json()["results"]]
        assert whole == ids[::-1]
        for limit in (1, 50):
            assert [m["id"] for m in room.page(limit).json()["results"]] == whole[:limit]


@pytest.mark.parametrize("server", ["redis"], indirect=True)  # the memory of a process cannot be looked into
def test_a_deleted_text_does_not_stay_in_redis(server):
    room = Room(server)
    kept = room.kept
    for _ in range(20):
        room.page(50)
    for text in ("told as an event", "told in a page"):
        message = room.ada.say(room.room, text)
        if text == "told in a page":
            server.forget()
        wait_until("it to be kept", lambda: room.contents() and kept(text))
        assert room.ada.delete(f"/api/chat/messages/{message['id']}/").status_code == 204
        wait_until("it to be gone", lambda: not kept(text))
        room.ada.say(room.room, "something newer")
        room.compare()
        assert not kept(text)


def test_only_members_see_it(server):
    room = Room(server)
    stranger = server.person()
    room.ada.say(room.room, "inside")
    for _ in range(4):
        assert room.page(50, room.bob).status_code == 200 and room.page(50, stranger).status_code == 404
    assert room.ada.delete(f"{room.path}participants/{room.bob.id}/").status_code == 204
    for _ in range(4):
        assert room.page(50, room.bob).status_code == 404
    assert room.ada.delete(room.path).status_code == 204
    assert room.page(50).status_code == 404


def test_nothing_acknowledged_is_missing_and_nothing_deleted_is_shown(server):
    room = Room(server)

    def chatter(person):
        for i in range(25):
            mine = person.say(room.room, f"{person.username} {i}")
            assert f"{person.username} {i}" in room.contents()
            if i % 3 == 0:
                assert person.delete(f"/api/chat/messages/{mine['id']}/").status_code == 204
                assert f"{person.username} {i}" not in room.contents()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for job in [pool.submit(chatter, p) for p in (room.ada, room.bob)]:
            job.result()
    room.compare()
