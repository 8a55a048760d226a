"""contract.md 1.2 and 1.3: the rules of text fields in every field that has them, and of pages."""
import json

import pytest

from parley import PASSWORD, Socket
from routes import ask

SPACES = [*range(0x09, 0x0E), *range(0x1C, 0x21), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
NO_SPACES = [0x01, 0x08, 0x0E, 0x1B, 0x7F, 0x84, 0x86, 0xAD, 0x180E, 0x200B, 0x200C, 0x200D, 0x200E, 0x202A, 0x202E, 0x2060, 0x2066, 0x2800,
             0x3164, 0xE000, 0xFEFF, 0xFFFC, 0xFFFE, 0xFFFF, 0x1D173, 0x1FFFE, 0xE0001, 0x10FFFF]
REQUIRED, NULL, BLANK = "This field is required.", "This field may not be null.", "This field may not be blank."
TEXT, NUL, ADDRESS = "Not a valid string.", "Null characters are not allowed.", "Enter a valid email address."


def longest(n):
    return f"Ensure this field has no more than {n} characters."


@pytest.fixture(scope="module")
def ada(server):
    return server.person("ada")


@pytest.fixture(scope="module")
def room(ada):
    return ada.room()


REGISTER = {"first_name": "Ada", "last_name": "Example", "email": "fields@example.org", "username": "fields", "password": PASSWORD,
            "password_confirm": PASSWORD}


def place(which, room):
    """method, path, sound body, the field, its most code points"""
    here = f"/api/chat/rooms/{room['id']}/"
    return {
        "first_name": ("POST", "/api/auth/register/", REGISTER, "first_name", 150),
        "last_name": ("POST", "/api/auth/register/", REGISTER, "last_name", 150),
        "username": ("POST", "/api/auth/register/", REGISTER, "username", 150),
        "email": ("POST", "/api/auth/register/", REGISTER, "email", 254),
        "password": ("POST", "/api/auth/register/", REGISTER, "password", 128),
        "password_confirm": ("POST", "/api/auth/register/", REGISTER, "password_confirm", None),
        "login email": ("POST", "/api/auth/login/", {"email": "x@example.org", "password": "x"}, "email", None),
        "login password": ("POST", "/api/auth/login/", {"email": "x@example.org", "password": "x"}, "password", None),
        "resend": ("POST", "/api/auth/resend-verification/", {}, "email", None),
        "room": ("POST", "/api/chat/rooms/", {}, "name", 255),
        "rename": ("PUT", here, {}, "name", 255),
        "participant": ("POST", here + "participants/", {}, "email", None),
        "content": ("POST", here + "send/", {}, "content", 5000),
    }[which]


PLACES = ["first_name", "last_name", "username", "email", "password", "password_confirm", "login email", "login password", "resend", "room",
          "rename", "participant", "content"]


@pytest.mark.parametrize("which", PLACES)
def test_what_every_text_field_refuses(server, ada, room, which):
    method, path, sound, field, most = place(which, room)
    odd = ADDRESS if field == "email" else TEXT
    cases = [(..., REQUIRED), (None, NULL), ("", BLANK), (" ", BLANK), ("".join(map(chr, SPACES)), BLANK), (True, odd), (False, odd), ([], odd),
             (["x@example.org"], odd), ({}, odd), ({"x": 1}, odd), (0, odd), (5, odd), (-1.5, odd), (10 ** 18, odd)]
    if field != "email":
        cases += [("a\0b", NUL), ("\0", NUL), ("a\0", NUL)]
    if most and field != "email":
        cases += [("a" * (most + 1), longest(most)), ("é" * (most + 1), longest(most)), ("😀" * (most + 1), None)]
    for value, text in cases:
        body = {k: v for k, v in {**sound, field: value}.items() if v is not ...}
        answer = ask(server, method, path, body, ada.token)
        assert answer.status_code == 400, (value, answer.text)
        if text:
            assert answer.json() == {field: [text]}, value


def test_all_faulty_fields_are_named_at_once(server):
    body = {"first_name": None, "last_name": 5, "email": "x", "username": "a b", "password": "p" * 129}
    assert ask(server, "POST", "/api/auth/register/", body).json() == {
        "first_name": [NULL], "last_name": [TEXT], "email": [ADDRESS], "password": [longest(128)], "password_confirm": [REQUIRED],
        "username": ["Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."]}


@pytest.mark.parametrize("space", SPACES, ids=[f"U+{c:04X}" for c in SPACES])
def test_white_space_is_trimmed(server, ada, room, space):
    c = chr(space)
    answer = ask(server, "POST", "/api/chat/rooms/", {"name": f"{c}{c}a{c}b{c}"}, ada.token)
    assert answer.status_code == 201 and answer.json()["name"] == f"a{c}b"
    send = f"/api/chat/rooms/{room['id']}/send/"
    assert ask(server, "POST", send, {"content": f"{c}x{c}y{c}{c}"}, ada.token).json()["content"] == f"x{c}y"
    answer = ask(server, "POST", send, {"content": c * 3}, ada.token)
    assert (answer.status_code, answer.json()) == (400, {"content": [BLANK]})
    with ada.socket(room) as socket:
        socket.say(f"{c}z{c}")
        assert socket.message()["content"] == "z"
        socket.say(c)
        assert socket.read_type("error")["errors"] == {"content": [BLANK]}


@pytest.mark.parametrize("other", NO_SPACES, ids=[f"U+{c:04X}" for c in NO_SPACES])
def test_what_is_no_white_space_stays(server, ada, room, other):
    c = chr(other)
    for text in (c, f"{c}a{c}"):
        answer = ask(server, "POST", "/api/chat/rooms/", {"name": text}, ada.token)
        assert answer.status_code == 201 and answer.json()["name"] == text
        assert ask(server, "GET", f"/api/chat/rooms/{answer.json()['id']}/", token=ada.token).json()["name"] == text
        answer = ask(server, "POST", f"/api/chat/rooms/{room['id']}/send/", {"content": text}, ada.token)
        assert answer.status_code == 201 and answer.json()["content"] == text
        page = ask(server, "GET", f"/api/chat/rooms/{room['id']}/messages/?limit=1", token=ada.token)
        assert page.json()["results"][0]["content"] == text
        with ada.socket(room) as socket:
            socket.say(text)
            assert socket.message()["content"] == text


@pytest.mark.parametrize("unit", ["a", "é", "€", "😀", "e\u0301"[1], "\u200d", "&", '"', "\\", "\x01"])
def test_lengths_count_code_points_after_trimming(server, ada, room, unit):
    send = f"/api/chat/rooms/{room['id']}/send/"
    answer = ask(server, "POST", send, {"content": "  " + unit * 5000 + "\n\u3000"}, ada.token)
    assert answer.status_code == 201 and answer.json()["content"] == unit * 5000
    answer = ask(server, "POST", send, {"content": unit * 5001}, ada.token)
    assert (answer.status_code, answer.json()) == (400, {"content": [longest(5000)]})
    assert ask(server, "POST", "/api/chat/rooms/", {"name": " " * 300 + unit * 255 + " "}, ada.token).status_code == 201
    answer = ask(server, "POST", "/api/chat/rooms/", {"name": unit * 256}, ada.token)
    assert (answer.status_code, answer.json()) == (400, {"name": [longest(255)]})
    with ada.socket(room) as socket:
        socket.text(json.dumps({"type": "chat_message", "content": unit * 5000}, ensure_ascii=False))
        assert socket.message()["content"] == unit * 5000
        socket.say(unit * 5001)
        assert socket.read_type("error")["errors"] == {"content": [longest(5000)]}


def test_nothing_is_escaped(server, ada, room):
    text = "<b>&amp;</b> \u2028 ü 東京 😀 / \\ \" ' \x7f"
    answer = ask(server, "POST", f"/api/chat/rooms/{room['id']}/send/", {"content": text}, ada.token)
    raw = answer.content.decode()
    assert "<b>&amp;</b> \u2028 ü 東京 😀 / " in raw and "\\u" not in raw and "\\/" not in raw
    with ada.socket(room) as socket:
        socket.say(text)
        while True:
            opcode, payload = socket.read_frame()
            if b"chat_message" in payload:
                break
        assert "ü 東京 😀 / " in payload.decode() and "\\u" not in payload.decode()


MALFORMED = [b"", b" ", b"nul", b"{", b'{"content"}', b'{"content":}', b'{"content":"x"', b'{"content":"x"}x', b'{"content":"x"}{}', b'{"content":"x",}',
             b"{content:1}", b"{'content':'x'}", b'{"content":"\\x"}', b'{"content":"\\u12"}', b'{"content":"\\ud800"}', b'{"content":"\\udc00"}',
             b'{"content":"\\ud83d\\u0041"}', b'{"content":"\xed\xa0\x80"}', b'{"content":"\xc0\x80"}', b'{"content":"\xf5\x80\x80\x80"}',
             b'{"content":"\xe2\x82"}', b'{"content":"\x01"}', b'{"content":"\t"}', b'{"content":"\x00"}', b'\x00', b'{"content":"x"}\x00',
             b'{"content":NaN}', b'{"content":Infinity}', b'{"content":-Infinity}', b'{"content":01}', b'{"content":+1}', b'{"content":.5}',
             b'{"content":1.}', b'{"content":1e999}', b'{"content":18446744073709551616}', b'{"content":-9223372036854775809}',
             b'{"content":' + b"9" * 400 + b"}", b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000, b"\xef\xbb\xbf{}",
             '{"content":"x"}'.encode("utf-16"), '{"content":"x"}'.encode("utf-16-le"), '{"content":"x"}'.encode("utf-32"),
             b'{"content":"x"} // x', b'{"content":tru}', b'{"content":True}', b'{"a\\u0000b":1}']


@pytest.mark.parametrize("body", MALFORMED, ids=[repr(b[:40]) for b in MALFORMED])
def test_malformed_json(server, ada, room, body):
    answer = ask(server, "POST", f"/api/chat/rooms/{room['id']}/send/", body, ada.token, Content_Type="application/json")
    assert answer.status_code == 400
    if body:
        assert answer.json()["detail"].startswith("JSON parse error - "), answer.text
    else:
        assert answer.json() == {"content": [REQUIRED]}
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return  # a text frame of such bytes ends the socket: 1007
    with ada.socket(room) as socket:
        socket.sync()
        if len(body) <= 65536:
            socket.frame(1, body)
            assert socket.read_type("error") == {"type": "error", "code": "invalid_json", "detail": "The frame is not valid JSON."}
            socket.sync()


@pytest.mark.parametrize("body", [b'{"content":"a","content":"b"}', b'{"content":1,"content":"b"}', b'{"content":"","x":1,"content":"b"}',
                                  b' \r\n\t{"content":"b"} \n', b'{"content":"\\u0062"}', b'{"con\\u0074ent":"b"}',
                                  b'{"content":"b","x":9223372036854775807,"y":-9223372036854775808,"z":1e300}'])
def test_json_that_is_sound(server, ada, room, body):
    answer = ask(server, "POST", f"/api/chat/rooms/{room['id']}/send/", body, ada.token, Content_Type="application/json")
    assert answer.status_code == 201 and answer.json()["content"] == "b"


# ---- pages ----
def test_pages(server):
    cyd = server.person("pages")
    rooms = [cyd.room(name=f"r{i}")["id"] for i in range(3)][::-1]
    path = "/api/chat/rooms/"

    def page(query, **more):
        answer = ask(server, "GET", path + query, token=cyd.token, **more)
        assert answer.status_code == 200, answer.text
        got = answer.json()
        assert list(got) == ["count", "next", "previous", "results"] and got["count"] == 3
        return [r["id"] for r in got["results"]], got["next"], got["previous"]
    here = server.url + path
    assert page("?limit=1") == (rooms[:1], here + "?limit=1&offset=1", None)
    assert page("?limit=1&offset=1") == (rooms[1:2], here + "?limit=1&offset=2", here + "?limit=1")
    assert page("?limit=1&offset=2") == (rooms[2:], None, here + "?limit=1&offset=1")
    assert page("?limit=2&offset=1") == (rooms[1:], None, here + "?limit=2")
    assert page("?limit=2&offset=0") == (rooms[:2], here + "?limit=2&offset=2", None)
    assert page("?offset=1") == (rooms[1:], None, here + "?limit=50")
    assert page("?limit=3") == (rooms, None, None)
    assert page("?limit=1&offset=3")[:2] == ([], None)
    assert page("?offset=99999999999999999999999")[:2] == ([], None)
    assert page("?offset=9223372036854775807&limit=200")[:2] == ([], None)
    assert page("?limit=1000&offset=1") == (rooms[1:], None, here + "?limit=200")
    assert page("?limit=99999999999999999999&offset=1")[2] == here + "?limit=200"
    for odd in ("0", "-1", "-0", "", "x", "1.0", "1.5", "1e1", "0x1", "%2B", "1x", "x1", "%D9%A1", "NaN", "null", "[]", "%00", "%ff", "1%002"):
        assert page(f"?limit={odd}") == (rooms, None, None), odd
        assert page(f"?limit={odd}&offset=1")[2] == here + "?limit=50", odd
    for odd in ("-1", "", "x", "1.0", "1e1", "0x1", "%D9%A1", "%00", "1%2C"):
        assert page(f"?offset={odd}") == (rooms, None, None), odd
    assert page("?limit=1&limit=2") == page("?limit=2")
    assert page("?limit%5B%5D=1") == (rooms, None, None) == page("?LIMIT=1")
    assert page("?&&=&limit=1&x=1&page=5") == page("?limit=1")
    assert page("?%6cimit=%31") == page("?limit=1")
    for host in (f"localhost:{server.port}", "localhost", "127.0.0.1:1", "[::1]:65535"):
        assert page("?limit=1&offset=1", host=host)[1] == f"http://{host}{path}?limit=1&offset=2"
    assert page("?limit=1", X_Forwarded_Host="evil.example", X_Forwarded_Proto="https")[1] == here + "?limit=1&offset=1"


def test_pages_of_messages(server, ada):
    room = ada.room()
    said = [ada.say(room, str(i))["id"] for i in range(55)][::-1]
    path = f"/api/chat/rooms/{room['id']}/messages/"
    first = ask(server, "GET", path, token=ada.token).json()
    assert [m["id"] for m in first["results"]] == said[:50] and first["count"] == 55 and first["previous"] is None
    assert first["next"] == server.url + path + "?limit=50&offset=50"
    rest = ask(server, "GET", first["next"][len(server.url):], token=ada.token).json()
    assert [m["id"] for m in rest["results"]] == said[50:] and rest["next"] is None
    assert rest["previous"] == server.url + path + "?limit=50"


def test_frames_follow_the_same_rules(ada, room):
    with ada.socket(room) as socket:
        socket.sync()
        for value, text in [(None, NULL), (True, TEXT), ([], TEXT), ({}, TEXT), (1, TEXT), (1.5, TEXT), ("", BLANK), ("\0", NUL), ("x" * 5001, longest(5000))]:
            socket.send({"type": "chat_message", "content": value, "id": "x", "sender": "y", "room": "z"})
            assert socket.read_type("error") == {"type": "error", "code": "invalid", "detail": "Invalid message.", "errors": {"content": [text]}}
        for kind in (..., None, True, 1, [], {}, "", "chat_message ", "CHAT_MESSAGE", "typing\0", "error", "hello", "chat_message\u200b"):
            frame = {"content": "x"} if kind is ... else {"type": kind, "content": "x"}
            socket.send(frame)
            assert socket.read_type("error") == {"type": "error", "code": "unknown_type", "detail": "Unknown message type."}, kind
        socket.frame(1, b'{"type":"nope","type":"chat_message","content":"a","content":"b"}')
        assert socket.message()["content"] == "b"
        for body in (b"null", b"1", b'"x"', b"true", b"[{}]"):
            socket.frame(1, body)
            assert socket.read_type("error") == {"type": "error", "code": "invalid_json", "detail": "The frame is not a JSON object."}
        socket.raw(Socket.encode(2, b""))
        assert socket.read_type("error") == {"type": "error", "code": "binary", "detail": "Binary frames are not supported."}
