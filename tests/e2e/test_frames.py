"""delivery-and-conventions.md, frames: what a room's socket is told beside messages."""
import pytest

from parley import Socket


@pytest.fixture(scope="module")
def people(server):
    return server.person(), server.person(), server.person()


def user(person):
    return {"id": person.id, "username": person.username}


def test_hello_is_the_first_frame(server, people):
    ada = people[0]
    room = ada.room()
    message = ada.say(room, "before")
    with Socket.open(server, f"/ws/chat/{room['id']}/", token=ada.token) as socket:
        socket.sync()
        hello = socket.hello
        assert set(hello) == {"type", "room", "user", "seq", "epoch", "session", "durability", "reconnect"}
        assert hello["room"] == room["id"] and hello["user"] == user(ada) and hello["seq"] == message["seq"] == 1
        assert hello["session"] in [s["id"] for s in ada.get("/api/auth/sessions/").json()["results"]]
        assert hello["durability"] == "sync"
        assert hello["reconnect"] == {"min_ms": 500, "max_ms": 30000, "jitter": "full"}
        ada.say(room, "after")
        got = socket.read()
        assert (got["seq"], got["epoch"]) == (hello["seq"] + 1, hello["epoch"])


def test_ping(people):
    with people[0].socket(people[0].room()) as socket:
        socket.send({"type": "ping"})
        assert socket.read() == {"type": "pong"}


def test_members_and_the_name(people):
    ada, bob, cid = people
    room = ada.room(bob)
    path = f"/api/chat/rooms/{room['id']}/"
    with ada.socket(room) as hers, bob.socket(room) as his:
        assert ada.post(path + "participants/", {"email": cid.email}).status_code == 201
        added = hers.read()
        assert added == his.read()
        base = {"room": room["id"], "epoch": hers.hello["epoch"], "actor": user(ada)}
        at = added.pop("at")
        assert at.endswith("Z") and added == {"type": "member_added", "seq": 1, "user": user(cid), "role": "member", **base}
        renamed = ada.put(path, {"name": "Other"}).json()
        updated = hers.read()
        assert updated == his.read()
        assert updated.pop("at") == renamed["updated_at"]
        assert updated == {"type": "room_updated", "seq": 2, "name": "Other", **base}
        with cid.socket(room) as theirs:
            assert cid.delete(f"{path}participants/{cid.id}/").status_code == 204
            removed = hers.read()
            assert removed == his.read() == theirs.read()  # up to the own removal, and nothing behind it
            assert theirs.closed().code == 4403
        assert removed.pop("at") > at
        assert removed == {"type": "member_removed", "seq": 3, "user": user(cid), "role": "member", **base, "actor": user(cid)}
        assert ada.say(room, "next")["seq"] == 4
        assert hers.read()["seq"] == his.read()["seq"] == 4
