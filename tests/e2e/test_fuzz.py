"""No input causes a 5xx (contract.md 1): seeded, bounded nonsense for all routes, bodies and frames."""
import base64
import http.client
import json
import os
import random
from socket import SHUT_WR

import pytest

from parley import PATIENCE, Closed, Socket
from routes import ID, METHODS, ROUTES

ROUNDS = int(os.environ.get("PARLEY_FUZZ_ROUNDS", "1500"))
SEED = int(os.environ.get("PARLEY_FUZZ_SEED", "20260801"))
TEXTS = ["", " ", "a", "é", "😀", "\0", "a\0b", "\u202e", "\ufeff", "\uffff", "'", '"', "\\", "%", "{{7*7}}", "<b>", "\r\n", "\u2028", "null", "NaN", "x" * 151,
         "x" * 5001, "😀" * 6000, "a@b", "a@example.org", "A@EXAMPLE.ORG ", "a@" + "b" * 300 + ".org", "ply_" + "A" * 43, ID, ID.upper(), "0" * 20,
         "e\u0301" * 80, "\U000e0001", "ﬁ", "ß" * 100, "İ", "ǆ" * 150, "١٢٣", "\u0378", "\ud7ff", "correct horse battery", "12345678"]
NAMES = ["first_name", "last_name", "email", "username", "password", "password_confirm", "name", "participant_emails", "content", "type", "id", "creator",
         "client_msg_id", "after", "epoch", "seq", "", "\u00e9", "__proto__", "x" * 300]
RAW = [b"", b" ", b"{", b"}", b"[]", b"null", b"true", b"0", b'"x"', b"{}{}", b"\xef\xbb\xbf{}", b"\xff\xfe", b"\x00", b"[" * 5000, b'{"a":' * 3000,
       b'{"name":"\xff"}', b'{"name":"\\ud800"}', b'{"content":1e999}', b'{"content":' + b"9" * 500 + b"}", b'{"email":"\\u0000"}', b"a=b&c=d",
       b'{"password":"' + b"p" * 200_000 + b'"}', b'{"email":"' + b"e" * 100_000 + b'"}', b'{"participant_emails":[' + b"1," * 3000 + b"1]}",
       b'{"name":"n","participant_emails":[' + b'"a@example.org",' * 1500 + b'"b@example.org"]}', json.dumps({n: "x" for n in NAMES}).encode()]
TYPES = ["application/json", "application/json", "application/json", "APPLICATION/JSON; charset=UTF-8", "application/json; charset=latin-1", "text/plain",
         "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "/", "x" * 500, "application/json; charset=\"utf-8\"", None]
ACCEPTS = [None, None, None, "*/*", "application/json", "text/html", "text/html;q=0.1, */*;q=0", ";;;,,,", "q=1", "a/b;q=9999999999", "*/*;q=-1", "x" * 3000,
           "application/json;q=0.0000000001"]
AUTHS = ["Token", "Bearer", "Token ", "Token a b", "Token \xe9", "Basic eDp5", "Token ply_" + "A" * 43, "Token " + "A" * 5000, "\t", "Digest a=b"]
SEGMENTS = ["", ".", "..", "%00", "%2f", "%", "%zz", "%ff", "%F0%9F%98%80", "'", ID, ID.upper(), "0" * 20, "x" * 3000, "api", "ws", "*", "~", ":id", "a;b=c", "%252e", "+"]
QUERIES = ["", "?", "?limit=1", "?limit=-1&offset=x", "?offset=9223372036854775807&limit=200", "?offset=99999999999999999999", "?limit=%00", "?limit=%ff&offset=%",
           "?=&&&===", "?limit[]=1", "?" + "a=b&" * 500, "?token=x", "?cursor=x&after_seq=1", "?limit=1&limit=2", "?%6cimit=1", "?offset=%D9%A1"]


def value(rng, depth=0):
    kind = rng.randrange(9 if depth < 3 else 6)
    if kind < 3:
        return rng.choice(TEXTS)
    if kind == 3:
        return rng.choice([None, True, False, 0, -1, 1.5, 2 ** 63 - 1, -2 ** 63, 1e300, -0.0])
    if kind < 6:
        return "".join(chr(rng.choice([rng.randrange(0x20, 0x7f), rng.randrange(0xa0, 0xd7ff), rng.randrange(0xe000, 0x10ffff), rng.randrange(0x20)]))
                       for _ in range(rng.randrange(40)))
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(5))]
    return {rng.choice(NAMES): value(rng, depth + 1) for _ in range(rng.randrange(6))}


def body_of(rng, people):
    kind = rng.randrange(10)
    if kind < 2:
        return rng.choice(RAW)
    sound = {"first_name": "F", "last_name": "L", "email": rng.choice(people).email, "username": "fuzz", "password": "correct horse battery", "name": "n",
             "password_confirm": "correct horse battery", "content": "c", "participant_emails": [rng.choice(people).email, "nobody@example.org"]}
    body = {k: v for k, v in sound.items() if rng.random() < 0.9}
    for _ in range(rng.randrange(4)):
        body[rng.choice(NAMES)] = value(rng)
    raw = bytearray(json.dumps(body, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass"))
    if kind == 2 and raw:  # and broken somewhere
        for _ in range(rng.randrange(1, 5)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
    return bytes(raw)


def path_of(rng, rooms, messages, people):
    path = rng.choice(ROUTES)[0]
    parts = path.replace("nope", rng.choice(TEXTS[:3] + ["nope"]) or "n").split("/")
    for i, part in enumerate(parts):
        if part == ID and rng.random() < 0.8:
            parts[i] = rng.choice(messages if parts[i - 1] == "messages" else [p.id for p in people] if parts[i - 1] == "participants" else rooms)
    if rng.random() < 0.2:
        parts[rng.randrange(1, len(parts))] = rng.choice(SEGMENTS)
    if rng.random() < 0.1:
        parts.pop()
    return (("/".join(parts) or "/") + (rng.choice(QUERIES) if rng.random() < 0.3 else "")).encode("ascii", "ignore").decode().replace(" ", "%20")


@pytest.fixture(scope="module")
def world(server):
    people = [server.person() for _ in range(3)]
    rooms = [p.room(*people)["id"] for p in people for _ in range(2)]
    messages = [people[i % 3].say({"id": room}, "x")["id"] for i in range(8) for room in rooms]
    return people, rooms, messages


def test_no_request_causes_a_5xx(server, world):
    people, rooms, messages = world
    rng = random.Random(SEED)
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    seen = {}
    for turn in range(ROUNDS):
        method, path = rng.choice(METHODS), path_of(rng, rooms, messages, people)
        body = body_of(rng, people) if method not in ("GET", "HEAD") or rng.random() < 0.05 else None
        headers = {"Content-Type": rng.choice(TYPES), "Accept": rng.choice(ACCEPTS)}
        if rng.random() < 0.85:
            headers["Authorization"] = f"Token {rng.choice(people).token}"
        elif rng.random() < 0.5:
            headers["Authorization"] = rng.choice(AUTHS)
        what = f"seed {SEED}, turn {turn}: {method} {path} {headers} {body[:300] if body else body!r}"
        try:
            link.request(method, path, body, {k: v for k, v in headers.items() if v is not None})
            answer = link.getresponse()
            content = answer.read()
        except (http.client.HTTPException, OSError) as err:
            raise AssertionError(f"{what}: {err!r}") from err
        seen[answer.status] = seen.get(answer.status, 0) + 1
        assert answer.status < 500, f"{what}: {answer.status} {content[:300]}"
        if answer.getheader("Content-Type") == "application/json" and method != "HEAD":
            json.loads(content)
        if answer.getheader("Connection", "").lower() == "close":
            link.close()
    link.close()
    assert {200, 400, 404} <= set(seen), seen
    assert people[0].get("/api/auth/profile/").status_code == 200


def test_no_frame_ends_a_socket_or_goes_unanswered(server, world):
    people = world[0]
    rng = random.Random(SEED + 1)
    with people[0].socket(people[0].room()) as socket:
        socket.sync()
        for turn in range(ROUNDS // 2):
            kind = rng.randrange(4)
            frame = {"type": rng.choice(["chat_message", "chat_message", "nope", "resume", "hello", ""]), "content": value(rng)}
            raw = json.dumps(frame if kind else value(rng), ensure_ascii=rng.random() < 0.5).encode("utf-8", "replace")
            if kind == 1:
                at = rng.randrange(len(raw))
                raw = raw[:at] + bytes([rng.randrange(0x20, 0x7f)]) + raw[at + 1:]
                raw = raw.decode("utf-8", "replace").encode()
            if len(raw) > 65536 or b"typing" in raw:
                continue
            opcode = 2 if rng.random() < 0.05 else 1
            socket.frame(opcode, raw)
            got = socket.read_type("error", "chat_message")
            assert got["type"] == "chat_message" or got["code"] in ("invalid", "invalid_json", "unknown_type", "binary"), (turn, raw[:300], got)


def test_no_bytes_stop_the_server(server, world):
    people, rooms = world[0], [world[0][0].room()["id"]]
    rng = random.Random(SEED + 2)
    for _ in range(60):
        with people[0].socket({"id": rooms[0]}) as socket:
            try:
                socket.raw(bytes(rng.randrange(256) for _ in range(rng.randrange(1, 200))))
                socket.frame(8, b"\x03\xe8")
                socket.sock.shutdown(SHUT_WR)  # the bytes may be the beginning of a long frame
                socket.closed()
            except (Closed, OSError, UnicodeDecodeError):
                pass
    for _ in range(60):
        key = base64.b64encode(bytes(rng.randrange(256) for _ in range(rng.choice([0, 15, 16, 17])))).decode()
        try:
            Socket.open(server, rng.choice(["/ws/chat/", f"/ws/chat/{rooms[0]}/", "/ws/", "/api/"]) + rng.choice(QUERIES), token=people[0].token, key=key,
                        headers={"Origin": rng.choice([None, "null", server.url, "http://x", "", "http://[", "x" * 2000]), "Upgrade": rng.choice(["websocket", "WebSocket, h2c", "h2c", ""]),
                                 "Sec-WebSocket-Version": rng.choice(["13", "13, 8", "0", "x"]), "Sec-WebSocket-Protocol": rng.choice([None, "token", "token, x", ",,,", "parley.v1"])}).sock.close()
        except Exception as err:  # every refusal is fine; a 5xx is none
            assert getattr(err, "status", 400) < 500, err
    assert people[0].get("/api/auth/profile/").status_code == 200
