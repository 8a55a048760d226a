"""security.md section 2b and rows 7 to 10: frames that no client sends by accident, in the order of Autobahn's cases.
A fault has one close code; whatever came before it is answered first; the server lives on."""
import json
import os
import socket as sockets
import struct
import threading

import pytest

from parley import PATIENCE, Closed, Socket

pytestmark = pytest.mark.one_database("core/net: frames")

TEXT, BINARY, CLOSE, PING, PONG, MORE = 1, 2, 8, 9, 10, 0
enc = Socket.encode


@pytest.fixture(scope="module")
def ada(server):
    return server.person("ada")


@pytest.fixture(scope="module")
def room(ada):
    return ada.room()


@pytest.fixture
def ws(ada, room):
    with ada.socket(room) as socket:
        socket.sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
        socket.sync()
        yield socket


@pytest.fixture(autouse=True)
def survives(server, ada):
    yield
    assert ada.get("/healthz").status_code == 200


def message(content="hello", size=0):
    """the bytes of a chat_message, filled up with spaces behind it"""
    return json.dumps({"type": "chat_message", "content": content}, ensure_ascii=False).encode().ljust(size)


def close_body(code, reason=b""):
    return struct.pack("!H", code) + reason


def head(opcode, length, form=None, fin=True, key=b"\0\0\0\0"):
    """a masked header whose length is written in the given form (7, 16, 64 bits), without payload"""
    first = (0x80 if fin else 0) | opcode
    if form is None:
        form = 7 if length < 126 else 16 if length < 65536 else 64
    return {7: lambda: struct.pack("!BB", first, 0x80 | length),
            16: lambda: struct.pack("!BBH", first, 0xFE, length),
            64: lambda: struct.pack("!BBQ", first, 0xFF, length)}[form]() + key


def ids(cases):
    return [case[0] for case in cases]


# ---- sizes and splits (1.*, 2.*) ----
@pytest.mark.parametrize("size", [125, 126, 127, 128, 4095, 4096, 4097, 65535, 65536])
@pytest.mark.parametrize("chop", [0, 1, 2, 3, 5, 13, 997, 4096])
def test_text_of_all_sizes_in_all_pieces(ws, size, chop):
    if chop and size // chop > 5000:
        chop = chop * 997
    data = enc(TEXT, message(f"{size} in {chop}", size))
    for i in range(0, len(data), chop or len(data)):
        ws.raw(data[i:i + (chop or len(data))])
    assert ws.message()["content"] == f"{size} in {chop}"


def test_an_empty_text_is_no_json(ws):
    ws.frame(TEXT)
    assert ws.read_type("error")["code"] == "invalid_json"


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 65535, 65536])
def test_binary_of_all_sizes_is_told_to_be_unsupported(ws, size):
    ws.frame(BINARY, os.urandom(size))
    assert ws.read_type("error")["code"] == "binary"
    ws.sync()


@pytest.mark.parametrize("size", [0, 1, 2, 124, 125])
@pytest.mark.parametrize("chop", [0, 1, 7])
def test_pings_come_back_as_they_are(ws, size, chop):
    data = enc(PING, os.urandom(size))
    for i in range(0, len(data), chop or len(data)):
        ws.raw(data[i:i + (chop or len(data))])
    opcode, payload = ws.read_frame()
    assert opcode == PONG and enc(PING, payload)[:2] == data[:2]
    assert bytes(b ^ data[2 + (i & 3)] for i, b in enumerate(data[6:])) == payload


def test_pings_of_any_bytes_in_order(ws):
    payloads = [bytes([i]) * (i % 126) for i in range(256)] + [b"\xff\xfe\0", "é😀".encode()]
    ws.raw(b"".join(enc(PING, p) for p in payloads))
    assert [ws.read_frame() for _ in payloads] == [(PONG, p) for p in payloads]


def test_pongs_nobody_asked_for_are_ignored(ws):
    ws.raw(b"".join(enc(PONG, b"x" * (i % 126)) for i in range(500)))
    assert ws.sync() == []


def test_a_mask_of_zeros_is_a_mask(ws):
    text = message("no mask to speak of")
    ws.raw(head(TEXT, len(text)) + text)
    assert ws.message()["content"] == "no mask to speak of"


# ---- the header (3.*, 4.*), and what frames of all kinds may not be ----
CLOSED_1002 = [
    *[(f"rsv {rsv} on opcode {op}", enc(op, b"x" if op != CLOSE else close_body(1000), rsv=rsv))
      for rsv in range(1, 8) for op in (TEXT, BINARY, PING, PONG, CLOSE)],
    *[(f"rsv {rsv} on a continuation", enc(TEXT, b"{", fin=False) + enc(MORE, b"}", rsv=rsv)) for rsv in (1, 2, 4, 7)],
    *[(f"opcode {op}, {len(body)} bytes", enc(op, body)) for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15) for body in (b"", b"x" * 5)],
    *[(f"opcode {op} inside a message", enc(TEXT, b"{", fin=False) + enc(op, b"x")) for op in (3, 7, 11, 15)],
    *[(f"opcode {op} unmasked, {len(body)} bytes", enc(op, body, mask=False))
      for op in (TEXT, BINARY, PING, PONG, CLOSE) for body in (b"", b"{}")],
    ("unmasked continuation", enc(TEXT, b"{", fin=False) + enc(MORE, b"}", mask=False)),
    *[(f"control {op} of {n} bytes", enc(op, b"\x03\xe8" + b"x" * (n - 2)))
      for op in (PING, PONG, CLOSE) for n in (126, 127, 65535, 65536)],
    *[(f"control {op} in fragments", enc(op, b"", fin=False)) for op in (PING, PONG, CLOSE)],
    *[(f"control {op} in fragments, continued", enc(op, b"ab", fin=False) + enc(MORE, b"c")) for op in (PING, PONG)],
    *[(f"control {op}, {n} in {form} bits", head(op, n, form) + b"x" * n) for op in (PING, PONG, CLOSE)
      for n, form in ((0, 16), (5, 16), (125, 16), (0, 64), (125, 64))],
    *[(f"opcode {op}, {n} in {form} bits", head(op, n, form)) for op in (TEXT, BINARY)
      for n, form in ((0, 16), (1, 16), (125, 16), (0, 64), (125, 64), (126, 64), (65535, 64))],
    ("continuation not minimal", enc(TEXT, b"{", fin=False) + head(MORE, 1, 16) + b"}"),
    # ---- fragments (5.*) ----
    ("continuation of nothing", enc(MORE, b"x")),
    ("unfinished continuation of nothing", enc(MORE, b"x", fin=False)),
    ("empty continuation of nothing", enc(MORE)),
    ("continuation after a whole message", enc(TEXT, b"{}") + enc(MORE, b"x")),
    ("continuation after the last one", enc(TEXT, b"{", fin=False) + enc(MORE, b"}") + enc(MORE, b"x")),
    *[(f"{second} inside {first}, fin {fin}", enc(first, b"{", fin=False) + enc(second, b"}", fin=fin))
      for first in (TEXT, BINARY) for second in (TEXT, BINARY) for fin in (True, False)],
    # ---- close frames (7.*) ----
    ("close of one byte", enc(CLOSE, b"\x03")),
    *[(f"close {code}", enc(CLOSE, close_body(code, reason)))
      for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 32768, 65535) for reason in (b"", b"why")],
]
CLOSED_1009 = [
    *[(f"opcode {op}, 2^64-{(1 << 64) - n}" if n >> 62 else f"opcode {op}, {n} bytes", head(op, n, 64))
      for op in (TEXT, BINARY) for n in (65537, 1 << 20, 1 << 31, 1 << 32, (1 << 63) - 1)],
    ("one more in a fragment", enc(TEXT, b"x" * 65536, fin=False) + head(MORE, 1)),
    ("far more in a fragment", enc(TEXT, b"x", fin=False) + head(MORE, (1 << 63) - 1, 64)),
    ("many fragments", enc(BINARY, b"x" * 9000, fin=False) + enc(MORE, b"x" * 9000, fin=False) * 8),
]
HUGE = [(f"opcode {op}, top bit and {low}", head(op, 1 << 63 | low, 64)) for op in (TEXT, BINARY) for low in (0, 5, (1 << 63) - 1)]


@pytest.mark.parametrize("label,data", CLOSED_1002, ids=ids(CLOSED_1002))
def test_protocol_errors(ws, label, data):
    ws.raw(data)
    assert ws.closed().code == 1002


@pytest.mark.parametrize("label,data", CLOSED_1009, ids=ids(CLOSED_1009))
def test_too_big(ws, label, data):
    ws.raw(data)
    assert ws.closed().code == 1009


@pytest.mark.parametrize("label,data", CLOSED_1009[:10], ids=ids(CLOSED_1009[:10]))
def test_too_big_is_refused_before_the_mask_has_come(ws, label, data):
    ws.raw(data[:-4])
    assert ws.closed().code == 1009


@pytest.mark.parametrize("label,data", HUGE, ids=ids(HUGE))
def test_lengths_with_the_top_bit(ws, label, data):
    ws.raw(data)
    assert ws.closed().code in (1002, 1009)


@pytest.mark.parametrize("label,data", CLOSED_1002[::7] + CLOSED_1009, ids=ids(CLOSED_1002[::7] + CLOSED_1009))
def test_faults_byte_by_byte_behind_a_good_frame(ws, label, data):
    """the answers to what came before the fault come first"""
    ws.raw(enc(PING, b"first"))
    for i in range(min(len(data), 300)):
        try:
            ws.raw(data[i:i + 1])
        except (BrokenPipeError, ConnectionResetError):
            break
    try:
        ws.raw(data[300:])
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert ws.read_frame() == (PONG, b"first")
    assert ws.closed().code in (1002, 1009)


def test_all_that_came_before_a_fault_is_answered_first(ws):
    ws.raw(enc(TEXT, b"?") + enc(PING, b"p") + enc(TEXT, message("stored")) + enc(BINARY) + enc(TEXT, b"{}", rsv=1) + enc(PING, b"late"))
    got = []
    with pytest.raises(Closed) as end:
        while True:
            opcode, payload = ws.read_frame()
            if opcode == CLOSE:
                raise Closed(struct.unpack("!H", payload[:2])[0])
            got.append(payload if opcode == PONG else json.loads(payload).get("code") or json.loads(payload)["content"])
    assert end.value.code == 1002
    assert sorted(map(str, got)) == sorted(["invalid_json", "b'p'", "stored", "binary"])


@pytest.mark.parametrize("end,code", [(enc(CLOSE, close_body(1000)), 1000), (enc(CLOSE), 1005), (enc(TEXT, b"\xff"), 1007),
                                      (enc(CLOSE, b"x"), 1002)], ids=["close", "close without code", "bad text", "bad close"])
def test_messages_before_the_end_are_stored_and_echoed(ada, room, ws, end, code):
    ws.raw(b"".join(enc(TEXT, message(f"last words {code} {i}")) for i in range(5)) + end)
    assert [ws.message()["content"] for _ in range(5)] == [f"last words {code} {i}" for i in range(5)]
    assert ws.closed().code == code
    stored = ada.get(f"/api/chat/rooms/{room['id']}/messages/?limit=5").json()["results"]
    assert [m["content"] for m in stored][::-1] == [f"last words {code} {i}" for i in range(5)]


# ---- fragments that are well (5.*, 9.*) ----
FRAGMENTS = [
    ("two", [5]), ("first empty", [0]), ("three, middle empty", [5, 5]), ("last empty", [-1]), ("all but one empty", [0, 0, 0, 0]),
    ("inside a character", [48, 49, 50]), ("each byte", list(range(1, 60))),
]


@pytest.mark.parametrize("label,cuts", FRAGMENTS, ids=ids(FRAGMENTS))
@pytest.mark.parametrize("between", [b"", enc(PING, b"in between"), enc(PONG), enc(PING, b"a") + enc(PING, b"b")],
                         ids=["nothing", "ping", "pong", "two pings"])
@pytest.mark.parametrize("chop", [0, 1])
def test_fragments_with_control_frames_between(ws, label, cuts, between, chop):
    text = message("in pieces é😀é😀é😀 of any kind, so that it is long enough")
    edges = [0] + sorted(c if c >= 0 else len(text) for c in cuts) + [len(text)]
    parts = [text[a:b] for a, b in zip(edges, edges[1:])]
    data = between.join(enc(TEXT if i == 0 else MORE, part, fin=i == len(parts) - 1) for i, part in enumerate(parts))
    for i in range(0, len(data), chop or len(data)):
        ws.raw(data[i:i + (chop or len(data))])
    assert ws.message()["content"] == json.loads(text)["content"]
    ws.sync()


@pytest.mark.parametrize("size", [1, 2, 64, 125, 126, 4096, 4097, 60000])
def test_a_long_message_in_fragments(ws, size):
    total = min(65536, size * 1000)
    text = message(f"by {size}", total)
    parts = [text[i:i + size] for i in range(0, len(text), size)]
    ws.raw(b"".join(enc(TEXT if i == 0 else MORE, p, fin=i == len(parts) - 1) for i, p in enumerate(parts)))
    assert ws.message()["content"] == f"by {size}"


@pytest.mark.parametrize("label,data", [
    ("5000 of one byte", enc(TEXT, b" ", fin=False) + enc(MORE, b" ", fin=False) * 5000),
    ("50000 empty ones", enc(TEXT, b"", fin=False) + enc(MORE, b"", fin=False) * 50000),
    ("50000 empty ones, binary", enc(BINARY, b"", fin=False) + enc(MORE, b"", fin=False) * 50000)], ids=["one byte", "empty", "empty, binary"])
def test_messages_of_too_many_fragments(ws, label, data):
    try:
        ws.raw(data)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert ws.closed().code in (1008, 1009)


# ---- text (6.*) ----
GOOD_TEXT = [b"\xc2\x80", b"\xdf\xbf", b"\xe0\xa0\x80", b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xef\xbf\xbe", b"\xef\xbf\xbf",
             b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbe", b"\xf4\x8f\xbf\xbf", b"\xef\xb7\x90", b"\xf0\x9f\xbf\xbe", b"\xf3\xaf\xbf\xbf",
             b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", b"a\xe2\x80\xaeb\xe2\x80\x8bc", b"\x7f", b"a\xef\xbb\xbfb"]
BAD_TEXT = [b"\x80", b"\xbf", b"\x80\xbf" * 10, b"\xc0\x80", b"\xc0\xaf", b"\xc1\xbf", b"\xc2", b"\xc2 ", b"\xe0\x80\x80", b"\xe0\x9f\xbf",
            b"\xe1\x80", b"\xe2\x28\xa1", b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80", b"\xef\xbf",
            b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xf0\x90\x80", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80",
            b"\xfc\x84\x80\x80\x80\x80", b"\xfe", b"\xff", b"\xfe\xfe\xff\xff", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"]


@pytest.mark.parametrize("text", GOOD_TEXT, ids=repr)
@pytest.mark.parametrize("pieces", [False, True])
def test_good_text_comes_back(ws, text, pieces):
    data = message(text.decode())
    parts = [data[i:i + 1] for i in range(len(data))] if pieces else [data]
    ws.raw(b"".join(enc(TEXT if i == 0 else MORE, p, fin=i == len(parts) - 1) for i, p in enumerate(parts)))
    assert ws.message()["content"] == text.decode()


@pytest.mark.parametrize("text", BAD_TEXT, ids=repr)
@pytest.mark.parametrize("cut", ["whole", "two frames", "bytes", "fragments"])
def test_bad_text(ws, text, cut):
    data = b'{"type":"chat_message","content":"' + text + b'"}'
    at = data.index(text) + 1
    if cut == "fragments":
        parts = [data[i:i + 1] for i in range(len(data))]
    else:
        parts = [data[:at], data[at:]] if cut == "two frames" else [data]
    frames = b"".join(enc(TEXT if i == 0 else MORE, p, fin=i == len(parts) - 1) for i, p in enumerate(parts))
    try:
        for i in range(0, len(frames), 1 if cut == "bytes" else len(frames)):
            ws.raw(frames[i:i + (1 if cut == "bytes" else len(frames))])
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert ws.closed().code == 1007


FAIL_FAST = [b"\xc0", b"\xed\xa0", b"\xf4\x90", b"\xf5", b"\xe0\x80", b"\xff"]


@pytest.mark.parametrize("text", FAIL_FAST, ids=repr)
def test_bad_text_ends_it_before_the_message_is_whole(ws, text):
    ws.frame(TEXT, b"good " + text, fin=False)
    assert ws.closed().code == 1007


@pytest.mark.parametrize("text", FAIL_FAST, ids=repr)
def test_bad_text_ends_it_before_the_frame_is_whole(ws, text):
    ws.raw(head(TEXT, 1000) + b"good " + text)
    assert ws.closed().code == 1007


def test_text_that_ends_inside_a_character(ws):
    ws.raw(enc(TEXT, b"\xf0\x9f", fin=False) + enc(MORE, b"\x98"))
    assert ws.closed().code == 1007


def test_bad_text_is_nothing_to_binary_messages(ws):
    ws.raw(enc(BINARY, b"\xff\xfe", fin=False) + enc(PING, b"\xff") + enc(MORE, b"\xc0"))
    assert ws.read_frame() == (PONG, b"\xff")
    assert ws.read_type("error")["code"] == "binary"


# ---- closing (7.*) ----
@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4401, 4999])
@pytest.mark.parametrize("reason", [b"", b"bye", "é".encode() * 61 + b"x"], ids=len)
def test_closing_is_answered_with_its_code(ws, code, reason):
    ws.frame(CLOSE, close_body(code, reason))
    opcode, payload = ws.read_frame()
    assert opcode == CLOSE and payload[:2] in (close_body(code), close_body(1000))
    with pytest.raises(Closed):
        ws.read_frame()


@pytest.mark.parametrize("reason", [b"\xff", b"\xc3", b"x" * 121 + b"\xe2\x82", b"\xed\xa0\x80"], ids=repr)
def test_reasons_of_bad_text(ws, reason):
    ws.frame(CLOSE, close_body(1000, reason))
    assert ws.closed().code == 1007


@pytest.mark.parametrize("behind", [enc(TEXT, message("too late")), enc(PING, b"late"), enc(CLOSE, close_body(1001)), enc(CLOSE) * 1000,
                                    b"\xff" * 100, bytes(range(256)) * 400], ids=["text", "ping", "close", "closes", "junk", "much junk"])
def test_what_comes_behind_a_close_frame_is_nothing(ada, room, ws, behind):
    ws.raw(enc(CLOSE, close_body(1000)))
    try:
        ws.raw(behind)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert ws.read_frame() == (CLOSE, close_body(1000))
    with pytest.raises(Closed):
        ws.read_frame()
    assert "too late" not in ada.get(f"/api/chat/rooms/{room['id']}/messages/").text


def test_a_close_frame_inside_a_message(ws):
    ws.raw(enc(TEXT, b"{", fin=False) + enc(CLOSE, close_body(1000)))
    assert ws.closed().code == 1000


def test_a_close_frame_byte_by_byte(ws):
    for byte in enc(CLOSE, close_body(1000, b"slowly")):
        ws.raw(bytes([byte]))
    assert ws.closed().code == 1000


# ---- floods (rows 7, 9, 10, 43) ----
def flood(ws, data):
    """sends while somebody reads"""
    def send():
        try:
            ws.raw(data)
        except OSError:
            pass

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    return sender


def test_pings_without_end_are_all_answered_to_a_reader(ws):
    flood(ws, b"".join(enc(PING, struct.pack("!I", i)) for i in range(50000)))
    for i in range(50000):
        assert ws.read_frame() == (PONG, struct.pack("!I", i))


def test_bad_frames_without_end_are_all_answered_to_a_reader(ws):
    flood(ws, enc(TEXT, b"?") * 5000 + enc(PING, b"end"))
    for _ in range(5000):
        assert ws.read_type("error")["code"] == "invalid_json"
    assert ws.read_frame() == (PONG, b"end")


def test_many_messages_while_reading_stops(ada, room, ws):
    """more than may be handled at once: they wait in order, and so does what comes behind them"""
    sender = flood(ws, b"".join(enc(TEXT, message(f"n{i}")) for i in range(600)) + enc(CLOSE, close_body(1000)))
    assert [ws.message()["content"] for i in range(600)] == [f"n{i}" for i in range(600)]
    assert ws.closed().code == 1000
    sender.join(PATIENCE)


def test_a_reader_who_has_stopped_gets_4001_and_others_do_not_notice(ada, room, ws):
    with ada.socket(room) as other:
        other.sync()
        sender = flood(ws, enc(TEXT, b"?") * 200000)
        other.say("to a full room")
        assert other.message()["content"] == "to a full room"
        sender.join(PATIENCE)
    assert ws.closed().code in (4001, 1006)


def descriptors(server):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in server.workers())


def reset(sock):
    sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


STAGES = [
    ("after the opening", b""), ("inside a header", b"\x81"), ("behind a length", head(TEXT, 60000)[:-4]), ("behind a header", head(TEXT, 60000)),
    ("inside a payload", head(TEXT, 60000) + b" " * 100), ("inside a message", enc(TEXT, b"{", fin=False)),
    ("behind a message", enc(TEXT, message("gone"))), ("behind many messages", enc(TEXT, message("gone")) * 200),
    ("behind pings", enc(PING) * 1000), ("behind a close frame", enc(CLOSE, close_body(1000))), ("behind a fault", b"\xff\xff"),
]


@pytest.mark.parametrize("label,data", STAGES, ids=ids(STAGES))
@pytest.mark.parametrize("how", ["reset", "closed", "half"])
def test_clients_that_leave(server, ada, room, label, data, how):
    for _ in range(5):
        ws = ada.socket(room)
        ws.raw(data)
        if how == "reset":
            reset(ws.sock)
            continue
        if how == "half":
            ws.sock.shutdown(sockets.SHUT_WR)
            assert ws.closed().code in (1000, 1002, 1005, 1006)
        ws.sock.close()


def test_no_descriptor_is_left_behind(server, ada, room):
    from parley import wait_until

    with ada.socket(room) as first:
        first.sync()
        before = descriptors(server)
        for i in range(200):
            ws = ada.socket(room)
            ws.raw(STAGES[i % len(STAGES)][1])
            (reset if i % 2 else sockets.socket.close)(ws.sock)
        wait_until("the descriptors to come back", lambda: descriptors(server) <= before)
