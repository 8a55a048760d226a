"""delivery-and-conventions.md 1.5: client_msg_id and Idempotency-Key, so that a message is stored once however often it is sent."""
import concurrent.futures
import itertools
import json

import pytest

from parley import Socket
from redis import Redis, config_with_redis

_ids = (f"test-{n}" for n in itertools.count(1))


@pytest.fixture(scope="module")
def people(server):
    return server.person(), server.person()


@pytest.fixture(scope="module")
def room(people):
    return people[0].room(people[1])


def send(person, room, content="Hello", id=None, key=None):
    body = {"content": content, **({"client_msg_id": id} if id is not None else {})}
    return person.post(f"/api/chat/rooms/{room['id']}/send/", body, headers={"Idempotency-Key": key} if key is not None else {})


def messages(person, room):
    return person.get(f"/api/chat/rooms/{room['id']}/messages/?limit=200").json()


def replayed(answer, message):
    assert answer.status_code == 200, answer.text
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert answer.json() == message


def test_a_repeat_gives_the_same_message(people, room):
    ada, bob = people
    id = next(_ids)
    count = messages(ada, room)["count"]
    first = send(ada, room, " Once ", id)
    assert first.status_code == 201 and first.json()["client_msg_id"] == id
    assert "Idempotent-Replayed" not in first.headers
    for again in (send(ada, room, "Once", id), send(ada, room, " Once ", key=id), send(ada, room, "Once", id, f'"{id}"')):
        replayed(again, first.json())
    page = messages(ada, room)
    assert page["count"] == count + 1 and page["results"][0] == first.json()
    other = send(bob, room, "Once", id)  # an id belongs to its sender and room
    assert other.status_code == 201 and other.json()["seq"] == first.json()["seq"] + 1
    elsewhere = send(ada, ada.room(), "Once", id)
    assert elsewhere.status_code == 201 and elsewhere.json()["id"] != first.json()["id"]


def test_another_body_is_refused(people, room):
    id = next(_ids)
    first = send(people[0], room, "One", id).json()
    answer = send(people[0], room, "Two", id)
    assert answer.status_code == 422 and answer.json()["code"] == "idempotency_mismatch"
    assert "Idempotent-Replayed" not in answer.headers
    assert messages(people[0], room)["results"][0] == first


def test_a_repeat_of_a_deleted_message(people, room):
    ada = people[0]
    id = next(_ids)
    first = send(ada, room, "Gone soon", id).json()
    assert ada.delete(f"/api/chat/messages/{first['id']}/").status_code == 204
    answer = send(ada, room, "Gone soon", id)
    assert answer.status_code == 200 and answer.headers["Idempotent-Replayed"] == "true"
    assert set(answer.json()) == {"id", "seq", "deleted_at"} and answer.json()["id"] == first["id"]
    assert answer.json()["seq"] == first["seq"] and answer.json()["deleted_at"].endswith("Z")
    assert send(ada, room, "Other", id).status_code == 422


def test_a_repeat_by_who_was_removed(server, people):
    ada, cid = people[0], server.person()
    room = ada.room(cid)
    id = next(_ids)
    assert send(cid, room, "Mine", id).status_code == 201
    assert ada.delete(f"/api/chat/rooms/{room['id']}/participants/{cid.id}/").status_code == 204
    answer = send(cid, room, "Mine", id)
    assert answer.status_code == 404 and answer.json()["detail"] == "Not found."


LONG = "Ensure this field has no more than 64 characters."
FAULTS = [
    ("empty", {"client_msg_id": ""}, None, {"client_msg_id": ["This field may not be blank."]}),
    ("null", {"client_msg_id": None}, None, {"client_msg_id": ["This field may not be null."]}),
    ("number", {"client_msg_id": 7}, None, {"client_msg_id": ["Not a valid string."]}),
    ("list", {"client_msg_id": ["a"]}, None, {"client_msg_id": ["Not a valid string."]}),
    ("NUL", {"client_msg_id": "a\0b"}, None, {"client_msg_id": ["Null characters are not allowed."]}),
    ("too long", {"client_msg_id": "x" * 65}, None, {"client_msg_id": [LONG]}),
    ("differs", {"client_msg_id": "a"}, "b", {"client_msg_id": ["Must be equal to the header Idempotency-Key."]}),
    ("empty header", {}, '""', {"Idempotency-Key": ["This field may not be blank."]}),
    ("long header", {}, "x" * 65, {"Idempotency-Key": [LONG]}),
    ("half a quote", {}, '"abc', {"Idempotency-Key": ["Not a valid string."]}),
    ("two words", {}, "a b", {"Idempotency-Key": ["Not a valid string."]}),
]


@pytest.mark.parametrize("label,body,key,errors", FAULTS, ids=[f[0] for f in FAULTS])
def test_faulty_ids(server, people, room, label, body, key, errors):
    path = f"/api/chat/rooms/{room['id']}/send/"
    headers = {"Idempotency-Key": key} if key else {}
    answer = people[0].post(path, {"content": "x", **body}, headers=headers)
    assert answer.status_code == 400 and answer.json() == errors
    stranger = server.person().post(path, {"content": "x", **body}, headers=headers)
    assert stranger.status_code == 404


def test_ids_of_64_characters_and_any_text(people, room):
    for id in ("x" * 64, "\U0001f600" * 64, " spaces stay ", "'; DROP TABLE messages; --", 'quote " and \\'):
        first = send(people[0], room, "any", id)
        assert first.status_code == 201 and first.json()["client_msg_id"] == id
        replayed(send(people[0], room, "any", id), first.json())
    quoted = send(people[0], room, "any", key='"a \\"b\\" \\\\c"')
    assert quoted.status_code == 201 and quoted.json()["client_msg_id"] == 'a "b" \\c'


def test_frames(people, room):
    ada, bob = people
    id = next(_ids)
    with ada.socket(room) as mine, bob.socket(room) as his:
        frame = {"type": "chat_message", "content": "By frame", "client_msg_id": id}
        mine.send(frame)
        ack, message = sorted((mine.read(), mine.read()), key=lambda f: f["type"])
        assert (ack["type"], message["type"]) == ("ack", "chat_message")
        assert ack == {"type": "ack", "room": room["id"], "client_msg_id": id, "id": message["id"], "seq": message["seq"],
                       "epoch": message["epoch"], "replayed": False}
        assert his.read() == message and message["client_msg_id"] == id
        mine.send(frame)
        assert mine.read() == {**ack, "replayed": True}
        stored = {k: v for k, v in message.items() if k not in ("type", "epoch", "at")}
        replayed(send(ada, room, "By frame", id), stored)
        mine.send({**frame, "content": "Another"})
        error = mine.read()
        assert (error["type"], error["code"], error["client_msg_id"]) == ("error", "idempotency_mismatch", id)
        mine.send({**frame, "client_msg_id": "x" * 65})
        assert mine.read()["errors"] == {"client_msg_id": [LONG]}
        mine.say("without an id there is no ack")
        assert mine.read()["type"] == "chat_message" and his.read()["type"] == "chat_message"
        assert his.sync() == []


def test_order_of_frames_with_and_without_an_id(people, room):
    with people[0].socket(room) as mine:
        sent = []
        for n in range(40):
            sent.append(f"number {n}")
            mine.send({"type": "chat_message", "content": sent[-1], **({"client_msg_id": next(_ids)} if n % 3 else {})})
        assert [mine.message()["content"] for _ in sent] == sent


def test_a_repeat_is_never_throttled_and_counts_nowhere(own_server):
    server = own_server(env={"THROTTLE_MESSAGE": "3/minute", "THROTTLE_USER": "20/hour"})
    ada = server.person()
    room = ada.room()
    first = send(ada, room, "One", "a")
    left = int(first.headers["X-RateLimit-Remaining"])
    assert left == 2
    for _ in range(30):  # more than both limits
        again = send(ada, room, "One", "a")
        replayed(again, first.json())
        assert "X-RateLimit-Remaining" not in again.headers
    with ada.socket(room) as mine:
        for _ in range(10):
            mine.send({"type": "chat_message", "content": "One", "client_msg_id": "a"})
            assert mine.read()["replayed"] is True
    assert send(ada, room, "Two", "b").headers["X-RateLimit-Remaining"] == "1"
    assert send(ada, room, "Three", "c").status_code == 201
    assert send(ada, room, "Four", "d").status_code == 429
    replayed(send(ada, room, "One", "a"), first.json())
    assert send(ada, room, "Not One", "a").status_code == 422


def test_repeats_after_a_restart(tmp_path, own_server):
    server = own_server()
    ada = server.person()
    room = ada.room()
    first = send(ada, room, "Before", "a").json()
    server.end()
    server.start()
    replayed(send(ada, room, "Before", "a"), first)
    assert send(ada, room, "After", "a").status_code == 422


def test_racing_repeats_on_several_workers(tmp_path, own_server):
    with Redis(tmp_path / "redis") as redis:
        server = own_server(config=config_with_redis(3), env={"REDIS_URL": redis.url})
        ada, bob = server.person(), server.person()
        room = ada.room(bob)
        with bob.socket(room) as his, concurrent.futures.ThreadPoolExecutor(12) as pool:
            posts = [server.anonymous() for _ in range(12)]
            for post in posts:
                post.http.headers["Authorization"] = f"Token {ada.token}"
            for n in range(10):
                answers = list(pool.map(lambda p: send(p, room, f"race {n}", f"id {n}"), posts))
                assert sorted({a.status_code for a in answers}) in ([200, 201], [201]), [a.text for a in answers]
                assert [a.status_code for a in answers].count(201) == 1
                assert len({json.dumps(a.json()) for a in answers}) == 1
                assert his.message()["id"] == answers[0].json()["id"]
            assert his.sync() == []
        page = messages(ada, room)
        assert page["count"] == 10 and [m["seq"] for m in page["results"]] == list(range(10, 0, -1))
        assert [int(r[0]) for r in server.query("SELECT seq FROM room_events ORDER BY seq")] == list(range(1, 11))
        server.end()
