"""contract.md section 5: the WebSocket of a room."""
import json
import struct

import pytest

from parley import Closed, Refused, Socket

FRAME = {"type", "id", "room", "sender", "content", "created_at"}


@pytest.fixture(scope="module")
def people(server):
    return server.person("ada"), server.person("bob"), server.person("eve")


@pytest.fixture(scope="module")
def room(people):
    return people[0].room(people[1])


def settled(socket):
    """the socket, with what came at its opening read"""
    socket.sync()
    return socket


# ---- opening ----
def test_who_may_open(server, people, room):
    path = f"/ws/chat/{room['id']}/"
    cases = [(None, path, 401), ("ply_" + "x" * 43, path, 401), (people[2].token, path, 404),
             (people[0].token, "/ws/chat/019a1b2c-0000-7000-8000-0000000000c3/", 404), (people[0].token, "/ws/chat/x/", 404),
             (None, "/ws/chat/x/", 404), (people[0].token, "/ws/other/", 404)]
    for token, target, status in cases:
        with pytest.raises(Refused) as refused:
            Socket.open(server, target, token=token)
        assert refused.value.status == status, (token, target)


def test_a_browser_gets_a_close_code_it_can_read(server, people, room):
    origin = {"Origin": server.url}
    for token, target, code in [(None, f"/ws/chat/{room['id']}/", 4401), (people[2].token, f"/ws/chat/{room['id']}/", 4404)]:
        with Socket.open(server, target, token=token, headers=origin) as socket:
            assert socket.closed().code == code
    with people[0].socket(room, headers=origin) as socket:
        socket.sync()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "http://evil127.0.0.1", ""])
def test_other_origins_are_refused(people, room, origin):
    with pytest.raises(Refused) as refused:
        people[0].socket(room, headers={"Origin": origin})
    assert refused.value.status == 403


UPGRADES = [
    ("no upgrade", {"Upgrade": None, "Connection": None}, 426),
    ("another protocol", {"Upgrade": "h2c"}, 426),
    ("version 8", {"Sec-WebSocket-Version": "8"}, 426),
    ("version 14", {"Sec-WebSocket-Version": "14"}, 426),
    ("no version", {"Sec-WebSocket-Version": None}, 426),
    ("no key", {"Sec-WebSocket-Key": None}, 400),
    ("short key", {"Sec-WebSocket-Key": "YWJj"}, 400),
    ("key of no base64", {"Sec-WebSocket-Key": "!" * 24}, 400),
    ("no Connection: Upgrade", {"Connection": "keep-alive"}, 400),
]


@pytest.mark.parametrize("label,headers,status", UPGRADES, ids=[u[0] for u in UPGRADES])
def test_faulty_handshakes(people, room, label, headers, status):
    with pytest.raises(Refused) as refused:
        people[0].socket(room, headers=headers)
    assert refused.value.status == status
    if status == 426:
        assert refused.value.headers["upgrade"] == "websocket" and refused.value.headers["sec-websocket-version"] == "13"


# ---- messages ----
def test_a_message_reaches_all_sockets_once(people, room):
    ada, bob, _ = people
    with ada.socket(room) as a1, ada.socket(room) as a2, bob.socket(room) as b:
        a1.say(" Hello from WebSocket! ")
        frames = [s.message() for s in (a1, a2, b)]
        assert frames[0] == frames[1] == frames[2]
        assert set(frames[0]) >= FRAME and frames[0]["content"] == "Hello from WebSocket!" and frames[0]["room"] == room["id"]
        assert set(frames[0]["sender"]) == {"id", "username", "first_name", "last_name"}
        posted = bob.say(room, "by REST")
        for socket in (a1, a2, b):
            got = socket.message()
            assert {k: got[k] for k in posted} == posted
        for socket in (a1, a2, b):
            assert [f for f in socket.sync() if f["type"] == "chat_message"] == []
        stored = ada.get(f"/api/chat/rooms/{room['id']}/messages/?limit=2").json()["results"]
        assert [m["id"] for m in stored] == [posted["id"], frames[0]["id"]]


def test_order_is_the_senders_and_the_stores(people, room):
    ada, bob, _ = people
    with ada.socket(room) as a, bob.socket(room) as b:
        a.raw(b"".join(Socket.encode(1, json.dumps({"type": "chat_message", "content": f"n{i}"}).encode()) for i in range(200)))
        got = [b.message()["content"] for _ in range(200)]
        assert got == [f"n{i}" for i in range(200)]
        assert [a.message()["content"] for _ in range(200)] == got
    stored = ada.get(f"/api/chat/rooms/{room['id']}/messages/?limit=200").json()["results"]
    assert [m["content"] for m in stored] == got[::-1]


def test_typing_reaches_the_others_only(people, room):
    ada, bob, _ = people
    with settled(ada.socket(room)) as a1, settled(ada.socket(room)) as a2, settled(bob.socket(room)) as b:
        a1.send({"type": "typing"})
        for socket in (a2, b):
            got = socket.read_type("typing")
            assert got["user"] == {"id": ada.id, "username": "ada"}
        assert [f for f in a1.sync() if f["type"] == "typing"] == []


ERRORS = [
    ("not JSON", b"{", {"code": "invalid_json", "detail": "The frame is not valid JSON."}),
    ("empty", b"", {"code": "invalid_json", "detail": "The frame is not valid JSON."}),
    ("a list", b"[]", {"code": "invalid_json", "detail": "The frame is not a JSON object."}),
    ("a text", b'"chat_message"', {"code": "invalid_json", "detail": "The frame is not a JSON object."}),
    ("no type", b"{}", {"code": "unknown_type", "detail": "Unknown message type."}),
    ("type null", b'{"type":null}', {"code": "unknown_type", "detail": "Unknown message type."}),
    ("type a number", b'{"type":1}', {"code": "unknown_type", "detail": "Unknown message type."}),
    ("unknown type", b'{"type":"nope"}', {"code": "unknown_type", "detail": "Unknown message type."}),
    ("type with NUL", b'{"type":"typing\\u0000"}', {"code": "unknown_type", "detail": "Unknown message type."}),
    ("no content", b'{"type":"chat_message"}',
     {"code": "invalid", "detail": "Invalid message.", "errors": {"content": ["This field is required."]}}),
    ("blank", b'{"type":"chat_message","content":"  "}',
     {"code": "invalid", "detail": "Invalid message.", "errors": {"content": ["This field may not be blank."]}}),
    ("long", json.dumps({"type": "chat_message", "content": "x" * 5001}).encode(),
     {"code": "invalid", "detail": "Invalid message.", "errors": {"content": ["Ensure this field has no more than 5000 characters."]}}),
    ("NUL", b'{"type":"chat_message","content":"a\\u0000"}',
     {"code": "invalid", "detail": "Invalid message.", "errors": {"content": ["Null characters are not allowed."]}}),
    ("lone surrogate", b'{"type":"chat_message","content":"\\ud800"}', {"code": "invalid_json", "detail": "The frame is not valid JSON."}),
    ("deep", b"[" * 30000, {"code": "invalid_json", "detail": "The frame is not valid JSON."}),
    ("1e999", b'{"type":"chat_message","content":1e999}', {"code": "invalid_json", "detail": "The frame is not valid JSON."}),
]


@pytest.mark.parametrize("label,frame,error", ERRORS, ids=[e[0] for e in ERRORS])
def test_an_error_goes_to_its_socket_which_stays_open(people, room, label, frame, error):
    ada, bob, _ = people
    with settled(ada.socket(room)) as a, settled(bob.socket(room)) as b:
        a.frame(1, frame)
        assert a.read_type("error") == {"type": "error", **error}
        a.say("still here")
        assert a.message()["content"] == "still here"
        assert [f["type"] for f in b.sync() if f["type"] != "chat_message"] == []


def test_binary_frames(people, room):
    with settled(people[0].socket(room)) as socket:
        socket.frame(2, b'{"type":"typing"}')
        assert socket.read_type("error") == {"type": "error", "code": "binary", "detail": "Binary frames are not supported."}
        socket.sync()


# ---- frames and ends ----
def test_ping_and_fragments(people, room):
    with settled(people[0].socket(room)) as socket:
        text = json.dumps({"type": "chat_message", "content": "in pieces é😀"}, ensure_ascii=False).encode()
        parts = [text[i:i + 1] for i in range(len(text))]
        socket.frame(1, parts[0], fin=False)
        for part in parts[1:-1]:
            socket.frame(0, part, fin=False)
        socket.frame(9, b"between")
        assert socket.read_frame() == (10, b"between")
        socket.frame(0, parts[-1])
        assert socket.message()["content"] == "in pieces é😀"


ENDS = [
    ("1000", Socket.encode(8, struct.pack("!H", 1000)), {1000}),
    ("3000", Socket.encode(8, struct.pack("!H", 3000) + b"bye"), {3000}),
    ("no code", Socket.encode(8), {1000, 1005}),
    ("one byte", Socket.encode(8, b"x"), {1002}),
    ("code 1005", Socket.encode(8, struct.pack("!H", 1005)), {1002}),
    ("code 999", Socket.encode(8, struct.pack("!H", 999)), {1002}),
    ("bad reason", Socket.encode(8, struct.pack("!H", 1000) + b"\xff"), {1007}),
    ("unmasked", Socket.encode(1, b"{}", mask=False), {1002}),
    ("reserved bit", Socket.encode(1, b"{}", rsv=4), {1002}),
    ("opcode 3", Socket.encode(3, b"{}"), {1002}),
    ("opcode 11", Socket.encode(11, b""), {1002}),
    ("long ping", Socket.encode(9, b"x" * 126), {1002}),
    ("fragmented ping", Socket.encode(9, b"x", fin=False), {1002}),
    ("continuation of nothing", Socket.encode(0, b"x"), {1002}),
    ("new message inside one", Socket.encode(1, b"x", fin=False) + Socket.encode(1, b"y"), {1002}),
    ("invalid UTF-8", Socket.encode(1, b"\xff"), {1007}),
    ("invalid UTF-8 in a fragment", Socket.encode(1, b"ab\xed\xa0\x80", fin=False), {1007}),
    ("too big, by its header alone", struct.pack("!BBQ", 0x81, 0xFF, 65537), {1009}),
    ("too big in fragments", Socket.encode(1, b"x" * 40000, fin=False) + struct.pack("!BBH", 0x80, 0xFE, 40000), {1009}),
    ("64-bit length with the top bit", struct.pack("!BBQ", 0x81, 0xFF, 1 << 63), {1002, 1009}),
    ("length not minimal", struct.pack("!BBH", 0x81, 0xFE, 5) + b"\0\0\0\0hello", {1002}),
]


@pytest.mark.parametrize("label,data,codes", ENDS, ids=[e[0] for e in ENDS])
def test_ends(people, room, label, data, codes):
    with settled(people[0].socket(room)) as socket:
        socket.raw(data)
        assert socket.closed().code in codes


def test_a_message_of_65536_bytes_is_taken(people, room):
    with settled(people[0].socket(room)) as socket:
        socket.frame(1, b'{"type":"' + b"x" * (65536 - 11) + b'"}')
        assert socket.read_type("error")["code"] == "unknown_type"


def test_answers_before_a_fault_arrive_first(people, room):
    with settled(people[0].socket(room)) as socket:
        socket.raw(Socket.encode(9, b"first") + Socket.encode(3))
        assert socket.read_frame() == (10, b"first")
        assert socket.closed().code == 1002


def test_typing_is_told_once_in_two_seconds_and_flooding_ends_the_socket(people, room):
    ada, bob, _ = people
    with settled(ada.socket(room)) as a, settled(bob.socket(room)) as b:
        a.raw(Socket.encode(1, b'{"type":"typing"}') * 15)
        a.sync()
        assert len([f for f in b.sync() if f["type"] == "typing"]) <= 1
        a.raw(Socket.encode(1, b'{"type":"typing"}') * 100)
        assert a.closed().code == 4003
