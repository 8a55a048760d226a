"""PATCH and GET of a message, its history, and the events of edits: what was said before is kept, what is deleted is gone."""
import concurrent.futures

import pytest

from parley import Server, Socket, wait_until
from redis import Redis, config_with_redis


@pytest.fixture(scope="module")
def people(server):
    return server.person(), server.person(), server.person()


def address(message):
    return f"/api/chat/messages/{message['id']}/"


def edit(person, message, content):
    answer = person.call("PATCH", address(message), json={"content": content})
    assert answer.status_code == 200, answer.text
    return answer.json()


def past(person, message):
    answer = person.get(address(message) + "history/")
    assert answer.status_code == 200, answer.text
    return [entry["content"] for entry in answer.json()["results"]]


def events(person, room):
    return person.get(f"/api/chat/rooms/{room['id']}/events/?limit=200").json()["results"]


def test_an_edit_as_everybody_sees_it(people):
    ada, bob, _ = people
    room = ada.room(bob)
    first = ada.say(room, "one")
    assert "edited_at" not in first and "reactions" not in first
    with bob.socket(room) as live:
        edited = edit(ada, first, "  two ")
        frame = live.read()
    assert edited == {**first, "content": "two", "edited_at": edited["edited_at"]} and edited["edited_at"] > first["created_at"]
    assert frame == {"type": "message_edited", "room": room["id"], "seq": first["seq"] + 1, "epoch": live.hello["epoch"],
                     "at": edited["edited_at"], "message_id": first["id"], "content": "two", "edited_at": edited["edited_at"],
                     "actor": {"id": ada.id, "username": ada.username}}
    for person in (ada, bob):
        assert person.get(address(first)).json() == edited
        for query in ("", "?limit=200", "?after_seq=0", "?before_seq=100", "?order=asc"):
            assert person.get(f"/api/chat/rooms/{room['id']}/messages/{query}").json()["results"] == [edited]
    created, changed = events(bob, room)
    assert created == {**edited, "type": "chat_message", "epoch": frame["epoch"], "at": first["created_at"]}
    assert changed == frame
    with bob.socket(room) as late:  # from the beginning: the text as it is now, at both places
        late.send({"type": "resume", "after": 0, "epoch": frame["epoch"]})
        assert [late.read(), late.read()] == [created, changed] and late.read()["type"] == "resumed"


def test_the_history_is_kept(people):
    ada, bob, cyd = people
    room = ada.room(bob)
    message = ada.say(room, "0")
    assert past(bob, message) == []
    stamps = [message["created_at"]] + [edit(ada, message, str(n))["edited_at"] for n in range(1, 6)]
    pages, path = [], address(message) + "history/?limit=2"
    while path:
        answer = bob.get(path).json()
        assert answer["count"] == 5
        pages.append([(entry["content"], entry["created_at"]) for entry in answer["results"]])
        path = answer["next"] and answer["next"].removeprefix(bob.server.url)
    assert [len(p) for p in pages] == [2, 2, 1]
    assert sum(pages, []) == [(str(n), stamps[n]) for n in range(4, -1, -1)]
    assert cyd.get(address(message) + "history/").status_code == 404


def test_the_same_again_changes_nothing(people):
    ada, bob, _ = people
    room = ada.room(bob)
    message = ada.say(room, "one")
    edited = edit(ada, message, "two")
    assert edit(ada, message, " two\n") == edited and past(ada, message) == ["one"]
    assert [e["seq"] for e in events(ada, room)] == [1, 2]


FAULTS = [
    ({}, {"content": ["This field is required."]}), ({"content": None}, {"content": ["This field may not be null."]}),
    ({"content": " \u3000"}, {"content": ["This field may not be blank."]}), ({"content": 1}, {"content": ["Not a valid string."]}),
    ({"content": "x" * 5001}, {"content": ["Ensure this field has no more than 5000 characters."]}),
    ({"content": "a\0"}, {"content": ["Null characters are not allowed."]}),
    ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
]


@pytest.mark.parametrize("body,errors", FAULTS, ids=str)
def test_content_is_checked_as_by_send(people, body, errors):
    ada, bob, cyd = people
    room = ada.room(bob)
    message = ada.say(room, "stays")
    answer = ada.call("PATCH", address(message), json=body)
    assert (answer.status_code, answer.json()) == (400, errors)
    answer = bob.call("PATCH", address(message), json=body)  # whose it is comes before what is wrong with it
    assert answer.status_code == 403 and answer.json()["detail"] == "Only the sender may do this."
    assert cyd.call("PATCH", address(message), json=body).status_code == 404
    assert ada.get(address(message)).json() == message


def test_other_bodies_and_methods(people):
    ada, bob, _ = people
    message = ada.say(ada.room(bob), "stays")
    assert ada.call("PATCH", address(message), data="content=x", headers={"Content-Type": "text/plain"}).status_code == 415
    assert ada.call("PATCH", address(message), data="{", headers={"Content-Type": "application/json"}).status_code == 400
    answer = ada.put(address(message), {"content": "x"})
    assert answer.status_code == 405 and answer.headers["Allow"] == "GET, PATCH, DELETE, HEAD, OPTIONS"
    assert ada.call("HEAD", address(message)).status_code == 200
    assert ada.server.anonymous().get(address(message)).status_code == 401
    assert ada.get(address(message)).json() == message


def test_who_may_see_and_edit(people):
    ada, bob, cyd = people
    room = ada.room(bob)
    message = bob.say(room, "one")
    assert ada.call("PATCH", address(message), json={"content": "x"}).status_code == 403  # the creator, too
    assert ada.get(address(message)).json() == message
    assert cyd.get(address(message)).status_code == 404
    assert cyd.call("PATCH", address(message), json={"content": "x"}).status_code == 404
    edit(bob, message, "two")
    assert ada.delete(f"/api/chat/rooms/{room['id']}/participants/{bob.id}/").status_code == 204
    for answer in (bob.get(address(message)), bob.get(address(message) + "history/"),
                   bob.call("PATCH", address(message), json={"content": "three"})):
        assert answer.status_code == 404
    assert ada.get(address(message)).json()["content"] == "two"
    assert ada.get("/api/chat/messages/019a1b2c-0000-7000-8000-0000000000d4/").status_code == 404
    assert ada.get("/api/chat/messages/1/").status_code == 404


def test_what_is_deleted_is_gone_with_its_past(server, people):
    ada, bob, _ = people
    room = ada.room(bob)
    message = ada.say(room, "secret one")
    edit(ada, message, "secret two")
    assert bob.put(address(message) + "reactions/%F0%9F%91%8D/").status_code == 204
    assert ada.delete(address(message)).status_code == 204
    for person in (ada, bob):
        for answer in (person.get(address(message)), person.get(address(message) + "history/"),
                       person.call("PATCH", address(message), json={"content": "again"})):
            assert answer.status_code == 404
    found = events(bob, room)
    assert [(e["type"], e["seq"], e["message_id"]) for e in found] == [("message_deleted", n, message["id"]) for n in (1, 2, 3, 4)]
    assert "secret" not in str(found) and "secret" not in bob.get(f"/api/chat/rooms/{room['id']}/messages/").text
    key = server.query(f"SELECT id FROM rooms WHERE uid = '{room['id']}'")[0][0]
    for table in ("message_edits", "reactions"):
        assert server.query(f"SELECT COUNT(*) FROM {table} WHERE room_id = {key}")[0][0] in ("0", 0)


def test_edits_and_deletions_that_race(people):
    """Whoever comes first: the edit and then the deletion, or the deletion and a 404.  Nothing is shown after it."""
    ada, bob, _ = people
    room = ada.room(bob)
    with concurrent.futures.ThreadPoolExecutor(3) as pool, bob.socket(room) as live:
        for n in range(12):
            message = ada.say(room, f"{n}")
            jobs = [pool.submit(ada.server.anonymous().call, "PATCH", address(message), json={"content": f"{n} {k}"},
                                headers={"Authorization": f"Token {ada.token}"}) for k in (1, 2)]
            jobs.append(pool.submit(ada.server.anonymous().call, "DELETE", address(message), headers={"Authorization": f"Token {ada.token}"}))
            first, second, deleted = [job.result().status_code for job in jobs]
            assert deleted == 204 and {first, second} <= {200, 404}
            assert ada.get(address(message)).status_code == 404
        seqs, gone = [], set()
        while len(gone) < 12:
            frame = live.read()
            seqs.append(frame["seq"])
            if frame["type"] == "message_deleted":
                gone.add(frame["message_id"])
            else:
                assert (frame.get("message_id") or frame["id"]) not in gone
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(events(ada, room)) == len(seqs)


def test_a_repeat_after_an_edit_is_the_message_as_it_is(people):
    ada, bob, _ = people
    room = ada.room(bob)
    path, body = f"/api/chat/rooms/{room['id']}/send/", {"content": "first", "client_msg_id": "edit-1"}
    message = ada.post(path, body).json()
    edited = edit(ada, message, "second")
    answer = ada.post(path, body)
    assert answer.status_code == 200 and answer.headers["Idempotent-Replayed"] == "true" and answer.json() == edited
    assert ada.post(path, {**body, "content": "second"}).status_code == 422  # the hash is of the first content
    ada.delete(address(message))
    assert set(ada.post(path, body).json()) == {"id", "seq", "deleted_at"}


def test_edits_count_as_messages(tmp_path):
    with Server(tmp_path, env={"THROTTLE_MESSAGE": "3/minute"}) as server:
        ada = server.person()
        room = ada.room()
        message = ada.say(room, "0")
        edit(ada, message, "1")
        edit(ada, message, "2")
        for answer in (ada.call("PATCH", address(message), json={"content": "3"}),
                       ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "4"})):
            assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0
        assert ada.get(address(message)).json()["content"] == "2"


def test_other_workers_show_it_too(tmp_path_factory):
    """Sockets of all workers, over the bus; and the latest page, whichever worker is asked, never with an older text."""
    with Redis(tmp_path_factory.mktemp("redis")) as redis:
        server = Server(tmp_path_factory.mktemp("server"), config=config_with_redis(workers=2), env={"REDIS_URL": redis.url})
        with server:
            ada, bob = server.person(), server.person()
            room = ada.room(bob)
            sockets = [bob.socket(room) for _ in range(6)]

            def page():  # a new connection, so any worker
                answer = server.anonymous().get(f"/api/chat/rooms/{room['id']}/messages/", headers={"Authorization": f"Token {bob.token}"})
                return [m["content"] for m in answer.json()["results"]]

            def kept(text):
                return any(text in str(redis.command("ZRANGE", key, "0", "-1")) for key in redis.command("KEYS", f"*{room['id']}*"))
            message = ada.say(room, "text 0")
            ada.say(room, "other")
            for n in range(1, 12):
                edit(ada, message, f"text {n}")
                for _ in range(4):
                    assert page() == ["other", f"text {n}"]
            wait_until("the page to be kept", lambda: page() and kept("text 11"))
            wait_until("older texts to be gone", lambda: not kept("text 10"))
            assert ada.delete(address(message)).status_code == 204
            assert page() == ["other"]
            wait_until("the text to be gone", lambda: not kept("text"))
            for live in sockets:
                frames = [live.read() for _ in range(14)]
                assert [f["seq"] for f in frames] == list(range(1, 15))
                assert [f["type"] for f in frames] == ["chat_message"] * 2 + ["message_edited"] * 11 + ["message_deleted"]
                assert [f["content"] for f in frames[2:13]] == [f"text {n}" for n in range(1, 12)]
                live.close()


def test_a_resume_over_edits_reads_each_once(people):
    ada, bob, _ = people
    room = ada.room(bob)
    said = [ada.say(room, f"m{n}") for n in range(120)]
    for n in range(0, 120, 3):
        edit(ada, said[n], f"e{n}")
    ada.delete(address(said[3]))
    epoch = ada.get(f"/api/chat/rooms/{room['id']}/events/?limit=1").json()["epoch"]
    with Socket.open(ada.server, f"/ws/chat/{room['id']}/?after=0&epoch={epoch}", token=bob.token) as live:
        frames = [live.read() for _ in range(162)]
    assert frames[-1]["type"] == "resumed" and [f["seq"] for f in frames[:-1]] == list(range(1, 162))
    shown = {}
    for frame in frames[:-1]:
        shown[frame.get("message_id", frame.get("id"))] = frame.get("content")
    assert [shown[m["id"]] for m in said] == [None if n == 3 else f"e{n}" if n % 3 == 0 else f"m{n}" for n in range(120)]
