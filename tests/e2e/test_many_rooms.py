"""Somebody who is in more than a thousand rooms: what one socket tells him, and how he gets the rest."""
import uuid

from test_all_rooms import all_rooms, ids, live, said, subscribe


def fill(server, person, n):
    """n more rooms of that person; their ids, the oldest first"""
    key = server.query(f"SELECT id FROM users WHERE uid = '{person.id}'")[0][0]
    start = uuid.uuid4().hex[:20]
    hexed = "lpad(to_hex(n.i), 12, '0')" if server.database_url else "printf('%012x', n.i)"
    parts = f"'{start[:8]}-{start[8:12]}-4{start[12:15]}-8{start[15:18]}-' || {hexed}"
    uid = f"CAST({parts} AS UUID)" if server.database_url else parts
    server.query(f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n})
        INSERT INTO rooms (uid, name, creator_id, epoch, created_at, updated_at)
        SELECT {uid}, 'Room', {key}, 'ep', 0, 0 FROM n ORDER BY n.i RETURNING id""")
    server.query(f"""INSERT INTO room_members (room_id, user_id, joined_at) SELECT r.id, {key}, 0 FROM rooms r
        WHERE r.creator_id = {key} AND r.epoch = 'ep' RETURNING room_id""")
    return [row[0] for row in server.query(f"SELECT uid FROM rooms WHERE creator_id = {key} AND epoch = 'ep' ORDER BY id")]


def walked(person):
    """all rooms of the list, by its cursors"""
    found, where = [], "/api/chat/rooms/?limit=200&order=desc"
    while where:
        page = person.get(where).json()
        found += [room["id"] for room in page["results"]]
        where = page["next"] and page["next"][page["next"].index("/api/"):]
    return found


def add(ada, room, bob):
    answer = ada.post(f"/api/chat/rooms/{room}/participants/", {"email": bob.email})
    assert answer.status_code == 201, answer.text


def test_more_rooms_than_one_socket_tells_of(server):
    ada, bob = server.person(), server.person()
    rooms = fill(server, ada, 1002)
    oldest, newest = {"id": rooms[0]}, {"id": rooms[-1]}
    assert walked(ada) == rooms[::-1]
    for room in (oldest, newest):
        add(ada, room["id"], bob)
    with all_rooms(ada) as socket, all_rooms(ada) as other:
        assert socket.read() == {"type": "rooms_left_out"} and other.read() == {"type": "rooms_left_out"}
        bob.say(oldest, "nobody hears")
        bob.say(newest, "is counted")
        assert socket.read_type("unread") == {"type": "unread", "room": newest["id"], "count": 1, "last_seq": 2}
        assert [f for f in socket.sync() if f["type"] == "unread"] == []

        # one more comes, and one of the old ones is subscribed to, here or on another socket
        added = ada.room(bob, name="One more")
        assert socket.read_type("room_added")["room"] == added["id"]
        live(other, oldest)
        bob.say(oldest, "is shown")
        assert said(other, 1) == [(oldest["id"], 3, "is shown")]
        subscribe(other, ids(*({"id": room} for room in rooms[1:999])))
        for _ in rooms[1:999]:
            other.read_type("subscribed")
        subscribe(other, ids(newest))
        assert other.read_type("subscribed")["room"] == newest["id"]
        subscribe(other, ids(added))
        assert other.read_type("error")["code"] == "too_many"
