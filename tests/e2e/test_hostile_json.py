"""security.md, row 20: what JSON can do inside of a text frame.  It is told as an error; the socket stays open and works."""
import json

import pytest

pytestmark = pytest.mark.one_database("core: JSON")


@pytest.fixture(scope="module")
def ws(server):
    ada = server.person("ada")
    with ada.socket(ada.room()) as socket:
        socket.sync()
        yield socket


DEEP = 20000
JSONS = [
    ("deep lists", b"[" * DEEP + b"]" * DEEP, "invalid_json"),
    ("deep objects", b'{"a":' * 10000 + b"1" + b"}" * 10000, "invalid_json"),
    ("deep, ignored", b'{"type":"nope","a":' + b"[" * DEEP + b"]" * DEEP + b"}", "invalid_json"),
    ("open lists", b"[" * 65536, "invalid_json"),
    ("lone high surrogate", b'{"type":"\\ud83d"}', "invalid_json"),
    ("lone low surrogate", b'{"type":"\\ude00"}', "invalid_json"),
    ("surrogates the wrong way", b'{"type":"\\ude00\\ud83d"}', "invalid_json"),
    ("surrogate in a name", b'{"\\ud83d":1}', "invalid_json"),
    ("a number with 60000 digits", b'{"type":"x","a":' + b"9" * 60000 + b"}", "invalid_json"),
    ("2^64", b'{"type":"x","a":18446744073709551616}', "invalid_json"),
    ("1e999", b'{"type":"x","a":1e999}', "invalid_json"),
    ("-1e999", b'{"type":"x","a":-1e999}', "invalid_json"),
    ("NaN", b'{"type":"x","a":NaN}', "invalid_json"),
    ("Infinity", b'{"type":"x","a":-Infinity}', "invalid_json"),
    ("leading zero", b'{"type":"x","a":01}', "invalid_json"),
    ("hex", b'{"type":"x","a":0x10}', "invalid_json"),
    ("NUL byte", b'{"type":"x\0"}', "invalid_json"),
    ("NUL behind", b'{"type":"x"}\0', "invalid_json"),
    ("control byte", b'{"type":"x\n"}', "invalid_json"),
    ("two values", b"{}{}", "invalid_json"),
    ("comma at the end", b'{"type":"x",}', "invalid_json"),
    ("comment", b'{"type":"x"}/* */', "invalid_json"),
    ("single quotes", b"{'type':'x'}", "invalid_json"),
    ("byte order mark", b'\xef\xbb\xbf{"type":"x"}', "invalid_json"),
    ("UTF-16", '{"type":"x"}'.encode("utf-16-le"), "invalid_json"),
    ("only spaces", b" " * 65536, "invalid_json"),
    ("null", b"null", "invalid_json"),
    ("number", b"1", "invalid_json"),
    ("NUL in a name", b'{"\\u0000":1,"type":"x"}', None),
    ("2^63", b'{"type":"x","a":9223372036854775808}', None),
    ("tiny", b'{"type":"x","a":1e-999}', None),
    ("many names", json.dumps({**{str(i): 0 for i in range(5500)}, "type": "x"}, separators=(",", ":")).encode(), "unknown_type"),
    ("one name often", b'{"type":"x"' + b',"a":1' * 10000 + b"}", "unknown_type"),
    ("names of one hash in no seed", b"{" + b",".join(b'"%s":1' % (b"ab" * i) for i in range(200)) + b',"type":"x"}', "unknown_type"),
    ("the last type counts", b'{"type":"chat_message","content":"no","type":"x"}', "unknown_type"),
    ("type in a list", b'{"type":["chat_message"]}', "unknown_type"),
    ("type in capitals", b'{"type":"CHAT_MESSAGE"}', "unknown_type"),
    ("type of 60000 bytes", b'{"type":"' + b"x" * 60000 + b'"}', "unknown_type"),
    ("star", b'{"type":"*"}', "unknown_type"),
    ("empty type", b'{"type":""}', "unknown_type"),
    ("content true", b'{"type":"chat_message","content":true}', "invalid"),
    ("content a deep list", b'{"type":"chat_message","content":' + b"[" * 500 + b"]" * 500 + b"}", "invalid"),
    ("long content", json.dumps({"type": "chat_message", "content": "x" * 60000}).encode(), "invalid"),
]


@pytest.mark.parametrize("label,frame,code", JSONS, ids=[case[0] for case in JSONS])
def test_json(ws, label, frame, code):
    ws.frame(1, frame)
    got = ws.read_type("error")["code"]
    assert got == code or (code is None and got in ("invalid_json", "unknown_type"))
    ws.say("still here")
    assert ws.message()["content"] == "still here"


def test_of_equal_names_the_last_counts(ws):
    ws.frame(1, b'{"type":"x","content":"no","type":"chat_message","content":"yes"}')
    assert ws.message()["content"] == "yes"
