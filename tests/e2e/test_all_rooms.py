"""WS /ws/: one socket for all rooms of its user."""
import concurrent.futures
import time
import uuid

import pytest

from command import command
from parley import PATIENCE, Refused, Server, Socket, wait_until
from redis import Redis, config_with_redis


def all_rooms(person, **more):
    return Socket.open(person.server, "/ws/", token=person.token, **more)


@pytest.fixture(scope="module")
def people(server):
    return server.person(), server.person(), server.person()


def ids(*rooms):
    return {room["id"]: {} for room in rooms}


def subscribe(socket, rooms=None, **more):
    socket.send({"type": "subscribe", **({"rooms": rooms} if rooms is not None else {}), **more})


def live(socket, *rooms):
    """subscribes to them from now on; {id: its "subscribed"}"""
    subscribe(socket, ids(*rooms))
    got = [socket.read_type("subscribed") for _ in rooms]
    assert {one["room"] for one in got} == {room["id"] for room in rooms}
    return {one["room"]: one for one in got}


def said(socket, n):
    """[(room, seq, content)] of the next n messages"""
    got = [socket.message() for _ in range(n)]
    return [(one["room"], one["seq"], one["content"]) for one in got]


# ---- being live ----

def test_hello(people):
    ada = people[0]
    with all_rooms(ada) as socket:
        assert socket.sync() == []
        assert set(socket.hello) == {"type", "user", "session", "durability", "reconnect"}
        assert socket.hello["user"] == {"id": ada.id, "username": ada.username}
        socket.send({"type": "ping"})
        assert socket.read() == {"type": "pong"}


def test_who_may(server, people):
    for token in (None, "0" * 40):
        with pytest.raises(Refused) as refused:
            Socket.open(server, "/ws/", token=token)
        assert refused.value.status == 401
    ticket = people[0].post("/api/auth/ws-ticket/").json()["ticket"]
    with Socket.open(server, f"/ws/?ticket={ticket}") as socket:
        assert socket.sync() == [] and socket.hello["user"]["id"] == people[0].id


def test_the_same_frames_as_on_the_rooms_own_socket(people):
    ada, bob, _ = people
    one, two = ada.room(bob), ada.room(bob)
    with all_rooms(bob) as socket, bob.socket(one) as own:
        own.sync()
        got = live(socket, one, two)
        assert got[one["id"]] == {"type": "subscribed", "room": one["id"], "seq": 0, "epoch": one["epoch"]}
        message = ada.say(one, "first")
        ada.say(two, "second")
        ada.put(f"/api/chat/rooms/{one['id']}/", {"name": "Renamed"})
        ada.delete(f"/api/chat/messages/{message['id']}/")
        frames = [socket.read() for _ in range(4)]
        assert [f for f in frames if f["room"] == one["id"]] == [own.read() for _ in range(3)]
        assert [f["content"] for f in frames if f["room"] == two["id"]] == ["second"]


def test_saying_typing_and_reading_with_a_room(people):
    ada, bob, _ = people
    one, two = ada.room(bob), ada.room(bob)
    with all_rooms(bob) as socket, ada.socket(one) as a, ada.socket(two) as b:
        a.sync(), b.sync()
        live(socket, one, two)
        for room, listener, content in ((one, a, "to one"), (two, b, "to two")):
            mark = str(uuid.uuid4())
            socket.send({"type": "chat_message", "room": room["id"], "content": content, "client_msg_id": mark})
            ack, message = socket.read_type("ack"), listener.message()
            assert (ack["room"], ack["client_msg_id"], ack["seq"], ack["replayed"]) == (room["id"], mark, 1, False)
            assert (message["content"], message["client_msg_id"]) == (content, mark)
            socket.send({"type": "chat_message", "room": room["id"], "content": content, "client_msg_id": mark})
            assert socket.read_type("ack")["replayed"] is True  # once
        socket.send({"type": "typing", "room": two["id"]})
        assert b.read()["type"] == "typing"
        socket.send({"type": "read", "room": one["id"], "read_seq": 1})
        assert a.read_type("read")["read_seq"] == 1
        assert a.sync() == [] and b.sync() == []
        got = [f for f in socket.sync() if f["type"] == "chat_message"]
        assert all(f["seq"] == 1 for f in got)


def test_replies_mentions_and_edits(people):
    ada, bob, _ = people
    one, two = ada.room(bob), ada.room(bob)
    foreign = ada.say(two, "elsewhere")
    with all_rooms(bob) as socket:
        live(socket, one, two)
        first = ada.say(one, "first")
        assert socket.message()["seq"] == 1
        socket.send({"type": "chat_message", "room": one["id"], "content": f"hello @{ada.username}", "reply_to": first["id"]})
        got = socket.message()
        assert got["reply_to"] == first["id"] and [m["id"] for m in got["mentions"]] == [ada.id]
        socket.send({"type": "chat_message", "room": one["id"], "content": "x", "reply_to": foreign["id"]})
        refused = socket.read()
        assert refused["code"] == "invalid" and refused["room"] == one["id"] and "reply_to" in refused["errors"]
        assert ada.call("PATCH", f"/api/chat/messages/{first['id']}/", json={"content": "edited"}).status_code == 200
        assert (lambda f: (f["type"], f["room"], f["seq"]))(socket.read()) == ("message_edited", one["id"], 3)


def test_a_typist_does_not_hear_himself(people):
    ada, bob, _ = people
    room = ada.room(bob)
    with all_rooms(bob) as socket, all_rooms(bob) as other, all_rooms(ada) as hers:
        for one in (socket, other, hers):
            live(one, room)
        socket.send({"type": "typing", "room": room["id"]})
        for one in (other, hers):
            got = one.read_type("typing")
            assert got["room"] == room["id"] and got["user"]["id"] == bob.id
        assert socket.sync() == []


# ---- catching up ----

def test_cursors_of_many_rooms_in_one_frame(people):
    ada, bob, _ = people
    rooms = [ada.room(bob) for _ in range(12)]
    for n, room in enumerate(rooms):
        for i in range(n):
            ada.say(room, f"{n}.{i}")
    with all_rooms(bob) as socket:
        subscribe(socket, {room["id"]: {"after": n // 2, "epoch": room["epoch"]} for n, room in enumerate(rooms)})
        seen = {room["id"]: [] for room in rooms}
        ends = {}
        while len(ends) < len(rooms):
            got = socket.read()
            if got["type"] == "resumed":
                ends[got["room"]] = got
            else:
                assert got["room"] not in ends
                seen[got["room"]].append(got["seq"])
        for n, room in enumerate(rooms):
            missed = list(range(n // 2 + 1, n + 1))
            assert seen[room["id"]] == missed
            assert ends[room["id"]] == {"type": "resumed", "recovered": True, "replayed": len(missed), "room": room["id"],
                                        "seq": n, "epoch": room["epoch"]}
        ada.say(rooms[3], "now")
        assert said(socket, 1) == [(rooms[3]["id"], 4, "now")]


def test_places_that_are_none(people):
    ada, bob, _ = people
    one, two, three = (ada.room(bob) for _ in range(3))
    for room in (one, two, three):
        ada.say(room, "x")
    with all_rooms(bob) as socket:
        subscribe(socket, {one["id"]: {"after": 1, "epoch": "other"}, two["id"]: {"after": 9, "epoch": two["epoch"]},
                           three["id"]: {"after": 0, "epoch": three["epoch"]}})
        got = {}
        while len(got) < 3:
            frame = socket.read_type("resync", "resumed")
            got[frame["room"]] = frame
        assert got[one["id"]] == {"type": "resync", "reason": "epoch_changed", "room": one["id"], "seq": 1, "epoch": one["epoch"]}
        assert got[two["id"]]["reason"] == "ahead" and got[three["id"]]["replayed"] == 1
        ada.say(one, "live all the same")
        assert said(socket, 1) == [(one["id"], 2, "live all the same")]


def test_one_that_is_live_catches_up(people):
    ada, bob, _ = people
    room = ada.room(bob)
    ada.say(room, "one")
    with all_rooms(bob) as socket:
        live(socket, room)
        ada.say(room, "two")
        assert said(socket, 1)[0][1] == 2
        subscribe(socket, {room["id"]: {"after": 0, "epoch": room["epoch"]}})
        frames = [socket.read() for _ in range(3)]
        assert [f.get("seq") for f in frames] == [1, 2, 2] and frames[2]["replayed"] == 2
        ada.say(room, "three")
        assert said(socket, 1)[0][1] == 3


def test_nothing_is_lost_or_twice_while_it_comes_and_goes(people):
    """One talks without a pause; the other's sockets resume, are live for a while, and are cut."""
    ada, bob, _ = people
    rooms = [ada.room(bob) for _ in range(4)]
    total = 60

    def talk(room):
        for n in range(total):
            ada_socket.send({"type": "chat_message", "room": room["id"], "content": str(n), "client_msg_id": f"{room['id'][-12:]}{n}"})

    with all_rooms(ada) as ada_socket:
        live(ada_socket, *rooms)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            talking = pool.submit(lambda: [talk(room) for room in rooms])
            seen = {room["id"]: [] for room in rooms}
            while any(len(got) < total for got in seen.values()):
                with all_rooms(bob) as socket:
                    subscribe(socket, {room["id"]: {"after": len(seen[room["id"]]), "epoch": room["epoch"]} for room in rooms})
                    for _ in range(29):  # frames, then it is cut in the middle
                        frame = socket.read_type("chat_message", "resumed")
                        if frame["type"] == "chat_message":
                            seen[frame["room"]].append(frame["seq"])
                        if all(len(got) == total for got in seen.values()):
                            break
            talking.result(PATIENCE)
    assert all(got == list(range(1, total + 1)) for got in seen.values()), seen


# ---- all of them ----

def test_all_rooms_now_and_later(people):
    ada, bob, eve = people
    server = ada.server
    dan = server.person()
    rooms = [ada.room(dan) for _ in range(3)]
    ada.say(rooms[0], "before")
    with all_rooms(dan) as socket:
        subscribe(socket, {rooms[0]["id"]: {"after": 0, "epoch": rooms[0]["epoch"]}}, all=True)
        got = [socket.read() for _ in range(4)]
        assert sorted(f["type"] for f in got) == ["chat_message", "resumed", "subscribed", "subscribed"]
        for room in rooms:
            ada.say(room, "now")
        assert {room for room, _, _ in said(socket, 3)} == {room["id"] for room in rooms}
        new = ada.room(dan)
        added = socket.read_type("room_added")
        assert added == {"type": "room_added", "room": new["id"], "name": new["name"], "seq": 0, "epoch": new["epoch"]}
        ada.say(new, "later")
        assert said(socket, 1) == [(new["id"], 1, "later")]
        socket.send({"type": "unsubscribe", "all": True})
        assert {socket.read_type("unsubscribed")["room"] for _ in range(4)} == {room["id"] for room in [*rooms, new]}
        another = ada.room(dan)
        assert socket.read_type("room_added")["room"] == another["id"]
        ada.say(another, "unseen")
        assert socket.read()["type"] == "unread"  # what comes later is not live any more


# ---- notices ----

def test_room_added(people):
    ada, bob, eve = people
    room = ada.room()
    ada.say(room, "before")
    with all_rooms(bob) as socket, all_rooms(bob) as other, all_rooms(eve) as stranger:
        for one in (socket, other, stranger):
            one.sync()
        ada.post(f"/api/chat/rooms/{room['id']}/participants/", {"email": bob.email})
        for one in (socket, other):
            assert one.read() == {"type": "room_added", "room": room["id"], "name": room["name"], "seq": 2, "epoch": room["epoch"]}
        new = ada.room(bob)  # one that is made with him in it
        for one in (socket, other):
            assert one.read_type("room_added")["room"] == new["id"]
        own = bob.room()
        for one in (socket, other):
            assert one.read_type("room_added")["room"] == own["id"]
        assert stranger.sync() == []


def test_room_added_by_the_operator(own_server):
    server = own_server()
    ada, bob = server.person(), server.person()
    room = ada.room(name="Operated")
    with all_rooms(bob) as socket:
        socket.sync()
        assert command(server, "room", "add", "Operated", bob.email).returncode == 0
        assert socket.read_type("room_added")["room"] == room["id"]
        live(socket, room)
        assert command(server, "room", "remove", "Operated", bob.email).returncode == 0
        assert socket.read_type("unsubscribed")["code"] == 4403
        assert socket.sync() == []


def test_unread(people):
    ada, bob, _ = people
    one, two = ada.room(bob), ada.room(bob)
    with all_rooms(bob) as socket:
        live(socket, one)
        ada.say(two, "a")
        assert socket.read() == {"type": "unread", "room": two["id"], "count": 1, "last_seq": 1}
        ada.say(one, "live")  # told itself, and not counted
        assert socket.read()["type"] == "chat_message"
        last = [ada.say(two, str(n)) for n in range(5)][-1]
        got = socket.read()
        while got["last_seq"] < last["seq"]:
            got = socket.read()
        assert got == {"type": "unread", "room": two["id"], "count": 6, "last_seq": last["seq"]}
        bob.post(f"/api/chat/rooms/{two['id']}/read/", {"read_seq": 4})  # read elsewhere
        assert socket.read() == {"type": "unread", "room": two["id"], "count": 2, "last_seq": 6}
        ada.delete(f"/api/chat/messages/{last['id']}/")
        assert socket.read() == {"type": "unread", "room": two["id"], "count": 1, "last_seq": 7}
        live(socket, two)
        ada.say(two, "live")
        assert socket.read()["type"] == "chat_message"


def test_many_messages_are_few_notices(people):
    ada, bob, _ = people
    room = ada.room(bob)
    with all_rooms(bob) as socket, ada.socket(room) as talker:
        socket.sync()
        since = time.monotonic()
        for n in range(200):
            talker.send({"type": "chat_message", "content": str(n)})
        notices = [socket.read_type("unread")]
        while notices[-1]["last_seq"] < 200:
            notices.append(socket.read_type("unread"))
        assert notices[-1]["count"] == 100  # or more
        assert len(notices) <= (time.monotonic() - since) / 0.5 + 1


# ---- the end of a subscription, and of the socket ----

def test_a_removal_ends_only_that_room(people):
    ada, bob, _ = people
    one, two = ada.room(bob), ada.room(bob)
    with all_rooms(bob) as socket, all_rooms(ada) as hers:
        live(socket, one, two), live(hers, one, two)
        ada.say(one, "last")
        assert ada.delete(f"/api/chat/rooms/{one['id']}/participants/{bob.id}/").status_code == 204
        ada.say(one, "among us")
        ada.say(two, "still here")
        frames = [socket.read() for _ in range(4)]
        of_one = [f for f in frames if f["room"] == one["id"]]
        assert [f["type"] for f in of_one] == ["chat_message", "member_removed", "unsubscribed"]
        assert of_one[2] == {"type": "unsubscribed", "room": one["id"], "code": 4403, "reason": "removed from the room"}
        assert [f["content"] for f in frames if f["room"] == two["id"]] == ["still here"]
        assert [hers.read_type("chat_message", "member_removed")["type"] for _ in range(4)].count("member_removed") == 1
        for frame in ({"type": "chat_message", "content": "x"}, {"type": "typing"}, {"type": "read", "read_seq": 1}):
            socket.send({"room": one["id"], **frame})
            assert socket.read() == {"type": "error", "code": "not_found", "detail": "Not found.", "room": one["id"]}
        subscribe(socket, ids(one))
        assert socket.read()["code"] == "not_found"
        ada.post(f"/api/chat/rooms/{one['id']}/participants/", {"email": bob.email})
        added = socket.read_type("room_added")
        subscribe(socket, {one["id"]: {"after": 1, "epoch": added["epoch"]}})  # what happened while he was out, too
        assert [socket.read()["type"] for _ in range(4)] == ["member_removed", "chat_message", "member_added", "resumed"]


def test_a_removal_from_a_room_that_is_only_looked_at(people):
    ada, bob, _ = people
    room = ada.room(bob)
    with all_rooms(bob) as socket:
        socket.sync()
        ada.delete(f"/api/chat/rooms/{room['id']}/participants/{bob.id}/")
        assert socket.read() == {"type": "unsubscribed", "room": room["id"], "code": 4403, "reason": "removed from the room"}
        ada.say(room, "among us")
        ada.room(bob)
        assert socket.read()["type"] == "room_added"


def test_a_deleted_room(people):
    ada, bob, _ = people
    one, two, three = ada.room(bob), ada.room(bob), ada.room(bob)
    with all_rooms(bob) as socket:
        live(socket, one, three)
        for room in (one, two):
            ada.delete(f"/api/chat/rooms/{room['id']}/")
            assert socket.read() == {"type": "unsubscribed", "room": room["id"], "code": 4404, "reason": "the room was deleted"}
        ada.say(three, "here")
        assert said(socket, 1)[0][2] == "here"


def test_unsubscribe(people):
    ada, bob, _ = people
    one, two = ada.room(bob), ada.room(bob)
    with all_rooms(bob) as socket:
        live(socket, one, two)
        socket.send({"type": "unsubscribe", "rooms": [one["id"], one["id"], str(uuid.uuid4()), 7, "x" * 300]})
        assert socket.read() == {"type": "unsubscribed", "room": one["id"], "code": 1000, "reason": "unsubscribed"}
        assert [socket.read()["code"] for _ in range(4)] == ["not_found"] * 4
        ada.say(one, "unseen")
        ada.say(two, "seen")
        frames = [socket.read(), socket.read()]
        assert sorted(f["type"] for f in frames) == ["chat_message", "unread"]
        live(socket, one)  # and back
        ada.say(one, "seen")
        assert said(socket, 1) == [(one["id"], 2, "seen")]


def test_a_revoked_session_closes_the_socket(server, people):
    dan = server.person()
    room = people[0].room(dan)
    with all_rooms(dan) as socket, all_rooms(people[0]) as other:
        live(socket, room), live(other, room)
        dan.post("/api/auth/logout/")
        assert socket.closed().code == 4401
        people[0].say(room, "x")
        assert said(other, 1)[0][2] == "x"


# ---- the hostile ----

def test_rooms_that_are_not_ones_own(people):
    ada, bob, eve = people
    room, foreign = ada.room(bob), ada.room(eve)
    unknown = str(uuid.uuid4())
    with all_rooms(bob) as socket:
        subscribe(socket, {foreign["id"]: {}, unknown: {"after": 0, "epoch": "x"}, "nonsense": {}, "x" * 3000: {}, room["id"].upper(): {}, room["id"]: {}})
        frames = [socket.read() for _ in range(6)]
        assert [f["room"] for f in frames if f["type"] == "subscribed"] == [room["id"]]
        errors = {f["room"]: f["code"] for f in frames if f["type"] == "error"}
        assert errors.pop(None) in ("not_found", "invalid") and set(errors.values()) == {"not_found"}
        assert set(errors) == {foreign["id"], unknown, "nonsense", room["id"].upper()}
        ada.say(foreign, "secret")
        eve.socket(foreign).sock.close()
        ada.say(room, "open")
        assert said(socket, 1)[0][2] == "open" and socket.sync() == []
        for where in ({}, {"room": foreign["id"]}, {"room": unknown}, {"room": 7}, {"room": None}, {"room": "'"}):
            socket.send({"type": "chat_message", "content": "x", "client_msg_id": str(uuid.uuid4()), **where})
            assert socket.read()["code"] == "not_found"
    assert len(ada.get(f"/api/chat/rooms/{foreign['id']}/messages/").json()["results"]) == 1


MALFORMED = [({}, "rooms"), ({"rooms": None}, "rooms"), ({"rooms": []}, "rooms"), ({"rooms": "x"}, "rooms"), ({"rooms": 1}, "rooms"),
             ({"rooms": {}, "all": "yes"}, "all"), ({"all": 1}, "all"), ({"all": False}, "rooms"),
             ({"rooms": {str(n): {} for n in range(1001)}}, "rooms")]


@pytest.mark.parametrize("fields, wrong", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_subscribe(people, fields, wrong):
    ada, bob, _ = people
    room = ada.room(bob)
    with all_rooms(bob) as socket:
        socket.send({"type": "subscribe", **fields})
        got = socket.read()
        assert got["code"] == "invalid" and wrong in got["errors"]
        live(socket, room)  # the socket stays


@pytest.mark.parametrize("value", [None, 1, [], "x", {"after": 1}, {"epoch": "x"}, {"after": -1, "epoch": "x"}, {"after": "1", "epoch": "x"},
                                   {"after": 1, "epoch": ""}, {"after": 1, "epoch": "x" * 100}, {"other": 1}])
def test_a_malformed_place(people, value):
    ada, bob, _ = people
    room, good = ada.room(bob), ada.room(bob)
    with all_rooms(bob) as socket:
        subscribe(socket, {room["id"]: value, good["id"]: {}})
        frames = {f["room"]: f for f in (socket.read(), socket.read())}
        assert frames[room["id"]]["code"] == "invalid" and frames[room["id"]]["errors"]
        assert frames[good["id"]]["type"] == "subscribed"


def test_ten_thousand_rooms_in_one_frame(people):
    ada, bob, _ = people
    room = ada.room(bob)
    with all_rooms(bob) as socket, all_rooms(bob) as other:
        live(other, room)
        socket.send({"type": "subscribe", "rooms": {str(uuid.uuid4()): {} for _ in range(10_000)}})
        assert socket.closed().code == 1009  # longer than a frame may be
        ada.say(room, "x")
        assert said(other, 1)[0][2] == "x"


def test_a_thousand_rooms_that_are_none(people):
    ada, bob, _ = people
    room = ada.room(bob)
    wrong = [str(uuid.uuid4()) for _ in range(999)]
    with all_rooms(bob) as socket:
        subscribe(socket, {**{uid: {} for uid in wrong}, room["id"]: {}})
        frames = [socket.read_type("subscribed", "error") for _ in range(1000)]  # the room itself may be news on a busy machine
        assert [f["room"] for f in frames if f["type"] == "subscribed"] == [room["id"]]
        assert {f["room"] for f in frames if f["type"] == "error" and f["code"] == "not_found"} == set(wrong)


def test_subscribing_twice(people):
    ada, bob, _ = people
    room = ada.room(bob)
    with all_rooms(bob) as socket:
        subscribe(socket, ids(room))
        subscribe(socket, ids(room))
        frames = [socket.read(), socket.read()]
        assert "subscribed" in [f["type"] for f in frames]
        assert all(f["type"] == "subscribed" or f["code"] == "conflict" for f in frames)
        live(socket, room)  # again, when it is live: harmless
        ada.say(room, "once")
        assert said(socket, 1)[0][2] == "once" and socket.sync() == []


def test_a_storm_of_subscribes(people):
    ada, bob, _ = people
    rooms = [ada.room(bob) for _ in range(5)]
    for room in rooms:
        ada.say(room, "x")
    with all_rooms(bob) as socket, all_rooms(bob) as other:
        live(other, rooms[0])
        for n in range(200):
            subscribe(socket, {room["id"]: {"after": 0, "epoch": room["epoch"]} for room in rooms})
            if n % 3 == 0:
                socket.send({"type": "unsubscribe", "rooms": [room["id"] for room in rooms]})
        socket.sync()
        ada.say(rooms[0], "calm")
        assert said(other, 1)[0][2] == "calm"
        subscribe(socket, ids(*rooms))  # and the socket is as good as any
        ada.say(rooms[4], "after the storm")
        while socket.message()["content"] != "after the storm":
            pass
    with all_rooms(bob) as socket:  # cut in the middle of it
        for _ in range(20):
            subscribe(socket, {room["id"]: {"after": 0, "epoch": room["epoch"]} for room in rooms})
    ada.say(rooms[0], "still")
    with all_rooms(bob) as socket:
        live(socket, rooms[0])


def test_faulty_frames_leave_it_open(people):
    ada, bob, _ = people
    room = ada.room(bob)
    with all_rooms(bob) as socket:
        for text, code in (("{", "invalid_json"), ("[]", "invalid_json"), ('{"type":"nonsense"}', "unknown_type"),
                           ('{"type":"resume","after":0,"epoch":"x"}', "unknown_type")):
            socket.text(text)
            assert socket.read()["code"] == code
        socket.send({"type": "nonsense", "room": room["id"], "client_msg_id": "m"})
        assert socket.read() == {"type": "error", "code": "unknown_type", "detail": "Unknown message type.", "room": room["id"], "client_msg_id": "m"}
        live(socket, room)


def test_one_bucket_for_all_sockets(own_server):
    server = own_server(env={"THROTTLE_MESSAGE": "3/min"})
    ada = server.person()
    one, two = ada.room(), ada.room()
    with all_rooms(ada) as socket, ada.socket(one) as own:
        live(socket, one, two)
        for room in (one, two):
            socket.send({"type": "chat_message", "room": room["id"], "content": "x"})
            assert socket.message()["room"] == room["id"]
        own.say("x")
        assert socket.message()["seq"] == 2
        socket.send({"type": "chat_message", "room": two["id"], "content": "x", "client_msg_id": "m"})
        got = socket.read()
        assert (got["code"], got["room"], got["client_msg_id"]) == ("throttled", two["id"], "m") and got["retry_after"] > 0


# ---- several workers ----

def test_across_workers(tmp_path):
    with Redis(tmp_path / "redis") as redis:
        with Server(tmp_path / "server", env={"REDIS_URL": redis.url}, config=config_with_redis(2)) as server:
            ada, bob = server.person(), server.person()
            room = ada.room(bob)
            sockets = [all_rooms(bob) for _ in range(8)]  # on both workers
            for socket in sockets:
                socket.sync()
            new = ada.room(bob)
            for socket in sockets:
                assert socket.read()["room"] == new["id"]
                live(socket, room)
            ada.say(room, "one")
            ada.say(new, "two")
            for socket in sockets:
                frames = [socket.read(), socket.read()]
                assert {(f["type"], f["room"]) for f in frames} == {("chat_message", room["id"]), ("unread", new["id"])}
            ada.delete(f"/api/chat/rooms/{room['id']}/participants/{bob.id}/")
            for socket in sockets:
                assert socket.read_type("unsubscribed")["code"] == 4403
            redis.stop()  # the database finds it
            wait_until("Redis to be missed", lambda: sum("is away" in line for line in list(server.output)) >= 2)
            last = ada.room(bob)
            for socket in sockets:
                assert socket.read_type("room_added")["room"] == last["id"]
                socket.sock.close()
