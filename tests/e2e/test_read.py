"""How far members have read: the frame and the request `read`, positions of members, unread counts of rooms."""
import uuid

import pytest

from parley import Server
from redis import Redis, config_with_redis


@pytest.fixture(scope="module")
def people(server):
    return server.person(), server.person(), server.person()


def path_of(room):
    return f"/api/chat/rooms/{room['id']}/"


def read(person, room, seq, **more):
    answer = person.post(path_of(room) + "read/", {"read_seq": seq, **more})
    assert answer.status_code == 204 and answer.content == b"", answer.text


def places(person, room):
    """{id of a member: (read_seq, delivered_seq)}"""
    page = person.get(path_of(room) + "read/").json()
    assert page["count"] == len(page["results"]) and page["next"] is None and page["previous"] is None
    assert all(one.keys() == {"user", "read_seq", "delivered_seq", "joined_at"} for one in page["results"])
    return {one["user"]["id"]: (one["read_seq"], one["delivered_seq"]) for one in page["results"]}


def state(person, room):
    """what the room says of itself to that person, alone and in the list"""
    alone = person.get(path_of(room)).json()
    listed = next(one for one in person.get("/api/chat/rooms/?limit=200").json()["results"] if one["id"] == room["id"])
    fields = ("last_seq", "epoch", "read_seq", "unread")
    assert [alone[f] for f in fields] == [listed[f] for f in fields]
    return alone["read_seq"], alone["unread"], alone["last_seq"]


def test_who_was_added_later_has_a_place_but_has_not_read(people):
    ada, bob, eve = people
    room = ada.room(bob)
    said = ada.say(room, "before eve")
    assert ada.post(path_of(room) + "participants/", {"email": eve.email}).status_code == 201
    joined = {one["user"]["id"]: one["joined_at"] for one in ada.get(path_of(room) + "read/").json()["results"]}
    assert places(ada, room)[eve.id][0] >= said["seq"]
    assert joined[bob.id] <= said["created_at"] < joined[eve.id]


def test_a_place_is_kept_and_told(people):
    ada, bob, _ = people
    room = ada.room(bob)
    assert (room["last_seq"], room["read_seq"], room["unread"]) == (0, 0, 0) and room["epoch"]
    for n in range(3):
        ada.say(room, str(n))
    assert state(bob, room) == (0, 3, 3) and state(ada, room) == (0, 0, 3)  # one's own are not unread
    with ada.socket(room) as socket:
        socket.sync()
        assert socket.hello["epoch"] == bob.get(path_of(room)).json()["epoch"]
        read(bob, room, 2)
        assert socket.read() == {"type": "read", "room": room["id"], "user": {"id": bob.id, "username": bob.username},
                                 "read_seq": 2, "delivered_seq": 2}
        assert state(bob, room) == (2, 1, 3) and places(ada, room) == {ada.id: (0, 0), bob.id: (2, 2)}
        read(bob, room, 1)  # never back, and nothing to tell
        read(bob, room, 2, delivered_seq=3)
        assert socket.read()["delivered_seq"] == 3 and places(ada, room)[bob.id] == (2, 3)
        read(bob, room, 2 ** 62)  # nor beyond the head
        assert socket.read()["read_seq"] == 3 and state(bob, room) == (3, 0, 3)


def test_a_place_by_frame(people):
    ada, bob, _ = people
    room = ada.room(bob)
    for n in range(5):
        ada.say(room, str(n))
    with ada.socket(room) as a, bob.socket(room) as b, bob.socket(room) as other:
        for socket in (a, b, other):
            socket.sync()
        for seq in (1, 4, 2, 3):
            b.send({"type": "read", "read_seq": seq})
        b.send({"type": "read", "delivered_seq": 5})
        assert b.sync() == []
        for socket in (a, other):  # one's own other clients, too; once, or as often as it moved between
            got = socket.read_type("read")
            while got["delivered_seq"] < 5:
                got = socket.read_type("read")
            assert got == {"type": "read", "room": room["id"], "user": {"id": bob.id, "username": bob.username},
                           "read_seq": 4, "delivered_seq": 5}
        assert places(bob, room)[bob.id] == (4, 5)  # nobody is told what is not stored
        a.send({"type": "read", "read_seq": 1})
        assert other.read_type("read")["user"]["id"] == ada.id
        assert [f for f in b.sync() if f["type"] == "read" and f["user"]["id"] == bob.id] == []


WRONG = [({}, "read_seq", "This field is required."), ({"read_seq": None}, "read_seq", "A valid integer is required."),
         ({"read_seq": -1}, "read_seq", "A valid integer is required."), ({"read_seq": "1"}, "read_seq", "A valid integer is required."),
         ({"read_seq": 1.5}, "read_seq", "A valid integer is required."), ({"read_seq": True}, "read_seq", "A valid integer is required."),
         ({"read_seq": [1]}, "read_seq", "A valid integer is required."),
         ({"read_seq": 1, "delivered_seq": "x"}, "delivered_seq", "A valid integer is required.")]


@pytest.mark.parametrize("body, field, text", WRONG)
def test_what_is_no_place(people, body, field, text):
    ada, bob, eve = people
    room = ada.room(bob)
    ada.say(room, "one")
    answer = bob.post(path_of(room) + "read/", body)
    assert answer.status_code == 400 and answer.json() == {field: [text]}
    assert eve.post(path_of(room) + "read/", body).status_code == 404
    with bob.socket(room) as socket:
        socket.send({"type": "read", **body})
        assert socket.read() == {"type": "error", "code": "invalid", "detail": "Invalid message.", "errors": {field: [text]}}
    assert places(bob, room)[bob.id] == (0, 0)


def test_who_may(server, people):
    ada, bob, eve = people
    room = ada.room(bob)
    path = path_of(room) + "read/"
    for who, status in ((eve, 404), (server.anonymous(), 401)):
        assert who.post(path, {"read_seq": 0}).status_code == status and who.get(path).status_code == status
    assert ada.post(f"/api/chat/rooms/{ada.id}/read/", {"read_seq": 0}).status_code == 404
    assert ada.put(path, {"read_seq": 0}).status_code == 405
    assert ada.call("POST", path, data="{", headers={"Content-Type": "application/json"}).status_code == 400
    assert ada.call("POST", path, data="read_seq=1").status_code == 415
    read(bob, room, 0)
    bob.delete(f"{path_of(room)}participants/{bob.id}/")
    assert bob.post(path, {"read_seq": 0}).status_code == 404 and set(places(ada, room)) == {ada.id}


def test_pages_of_places(people):
    room = people[0].room(*people[1:])
    first = people[0].get(path_of(room) + "read/?limit=2").json()
    rest = people[0].get(first["next"].replace(people[0].server.url, "")).json()
    assert first["count"] == rest["count"] == 3 and rest["next"] is None
    assert [one["user"]["id"] for one in first["results"] + rest["results"]] == [p.id for p in people]


def test_what_counts_as_unread(people):
    ada, bob, eve = people
    room = ada.room(bob)
    said = [ada.say(room, str(n)) for n in range(3)]
    bob.say(room, "mine")
    ada.put(path_of(room), {"name": "Renamed"})  # an event, but no message
    assert state(bob, room) == (0, 3, 5) and state(ada, room) == (0, 1, 5)
    ada.delete(f"/api/chat/messages/{said[1]['id']}/")
    assert state(bob, room)[1] == 2
    read(bob, room, said[0]["seq"])
    assert state(bob, room)[1] == 1
    ada.post(path_of(room) + "participants/", {"email": eve.email})
    assert state(eve, room)[1] == 0  # what was said before one came is not unread
    ada.say(room, "hello eve")
    assert state(eve, room)[1] == 1


def test_unread_is_counted_up_to_a_hundred(server, people):
    ada, bob, _ = people
    room = ada.room(bob)
    for n in range(101):
        ada.say(room, str(n))
    assert state(bob, room) == (0, 100, 101)
    read(bob, room, 2)
    assert state(bob, room) == (2, 99, 101)


def test_places_survive_the_server(tmp_path):
    with Server(tmp_path / "server") as server:
        ada, bob = server.person(), server.person()
        room = ada.room(bob)
        for n in range(4):
            ada.say(room, str(n))
        read(bob, room, 2)
        server.kill()  # no farewell
        server.start()
        assert places(bob, room)[bob.id] == (2, 2)
        with bob.socket(room) as socket:
            socket.send({"type": "read", "read_seq": 3})
            socket.sync()
            server.end()  # stores what waits
        server.start()
        assert places(bob, room)[bob.id] == (3, 3)


def crowd(server, room, n):
    """n people nobody has met, as members of the room"""
    uid = "gen_random_uuid()" if server.database_url else f"printf('{uuid.uuid4()!s:.23}-%012x', n.i)"
    name = f"crowd{uuid.uuid4().hex}"
    server.query(f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n})
        INSERT INTO users (uid, username, username_key, email, email_key, first_name, last_name, password_hash, joined_at)
        SELECT {uid}, '{name}' || n.i, '{name}' || n.i, '{name}' || n.i, '{name}' || n.i, '', '', '', 0 FROM n RETURNING id""")
    server.query(f"""INSERT INTO room_members (room_id, user_id, joined_at) SELECT r.id, u.id, 0 FROM rooms r CROSS JOIN users u
        WHERE r.uid = '{room['id']}' AND u.username LIKE '{name}%' RETURNING user_id""")


def test_in_a_large_room_places_are_asked_for(server, people):
    ada, bob, _ = people
    room = ada.room(bob)
    ada.say(room, "one")
    crowd(server, room, 98)
    with ada.socket(room) as socket:
        socket.sync()
        read(bob, room, 1)
        assert socket.read_type("read")["read_seq"] == 1  # a hundred members are told
        crowd(server, room, 1)
        ada.say(room, "two")
        read(bob, room, 2)
        ada.say(room, "three")
        assert [socket.read()["type"] for _ in range(2)] == ["chat_message"] * 2  # and one more is too many
    page = ada.get(path_of(room) + "read/?limit=200").json()
    assert page["count"] == 101
    assert next(one for one in page["results"] if one["user"]["id"] == bob.id)["read_seq"] == 2


def test_across_workers(tmp_path):
    with Redis(tmp_path / "redis") as redis:
        with Server(tmp_path / "server", env={"REDIS_URL": redis.url}, config=config_with_redis(2)) as server:
            ada, bob = server.person(), server.person()
            room = ada.room(bob)
            ada.say(room, "one")
            sockets = [ada.socket(room) for _ in range(8)]  # on both workers, whichever takes the request
            for socket in sockets:
                socket.sync()
            read(bob, room, 1)
            for socket in sockets:
                assert socket.read_type("read")["read_seq"] == 1
            ada.say(room, "two")
            with bob.socket(room) as socket:
                socket.send({"type": "read", "read_seq": 2})
                for one in sockets:
                    assert one.read_type("read")["read_seq"] == 2
            for socket in sockets:
                socket.sock.close()
