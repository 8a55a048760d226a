"""permessage-deflate (RFC 7692), `compression: true`: with a library that speaks it, and with what no library sends.
The kinds are those of Autobahn's cases 12 and 13 (sizes, fragments, windows) and of their opposite."""
import asyncio
import itertools
import json
import random
import zlib

import pytest
import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from parley import PATIENCE, ROOT, Closed, Server, Socket

pytestmark = pytest.mark.one_database("core/net: frames")

TEXT, BINARY, CLOSE, PING, PONG, MORE = 1, 2, 8, 9, 10, 0
OFFER = "permessage-deflate; client_max_window_bits"
AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
TAIL = b"\x00\x00\xff\xff"
MAX_MESSAGE = 65536
CONFIG = (ROOT / "config" / "parley.yaml").read_text()
enc = Socket.encode


def deflate(data, level=6, bits=15, flush=zlib.Z_SYNC_FLUSH):
    packer = zlib.compressobj(level, zlib.DEFLATED, -bits)
    return (packer.compress(data) + packer.flush(flush))[:-4]


class Packed(Socket):
    """A socket that offers compression, and notes what came packed."""

    OFFER, BITS = OFFER, 15

    @classmethod
    def of(cls, person, room, offer=None):
        return cls.open(person.server, f"/ws/chat/{room['id']}/", token=person.token,
                        headers={"Sec-WebSocket-Extensions": offer or cls.OFFER})

    def __init__(self, *args):
        super().__init__(*args)
        self.packed = []  # payloads

    def unpack(self, rsv, payload):
        if rsv == 0:
            return payload
        assert rsv == 4
        self.packed.append(payload)
        unpacker = zlib.decompressobj(-self.BITS)  # a new one: no context takeover
        return unpacker.decompress(payload + TAIL)

    def send_packed(self, obj, **more):
        self.frame(TEXT, deflate(json.dumps(obj).encode(), **more), rsv=4)


class Narrow(Packed):
    OFFER, BITS = "permessage-deflate; server_max_window_bits=9", 9


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    config = CONFIG.replace("\nserver:\n", "\nserver:\n  compression: true\n", 1)
    assert "compression" in config
    with Server(tmp_path_factory.mktemp("server"), config=config) as running:
        yield running


@pytest.fixture(scope="module")
def ada(server):
    return server.person("ada")


@pytest.fixture
def room(ada):
    return ada.room()


@pytest.fixture
def ws(ada, room):
    with Packed.of(ada, room) as socket:
        socket.sync()
        yield socket


@pytest.fixture(autouse=True)
def survives(ada):
    yield
    assert ada.get("/healthz").status_code == 200


# ---- the handshake ----
@pytest.mark.parametrize("offer, answer", [
    (None, None),
    ("permessage-deflate", AGREED),
    (OFFER, AGREED),
    ("permessage-deflate; server_max_window_bits=10", AGREED + "; server_max_window_bits=10"),
    ("permessage-deflate; server_max_window_bits=7, permessage-deflate", AGREED),
    ("permessage-deflate; surprise", None),
    ("permessage-deflate; client_max_window_bits; client_max_window_bits", None),
    ("permessage-deflate; client_max_window_bits=16", None),
    (";;;,=", None),
])
def test_the_answer(ada, room, offer, answer):
    with Socket.open(ada.server, f"/ws/chat/{room['id']}/", token=ada.token,
                     headers={"Sec-WebSocket-Extensions": offer}) as socket:
        assert socket.headers.get("sec-websocket-extensions") == answer


def test_two_header_lines_are_one_list(ada, room):
    two = "permessage-deflate; surprise\r\nSec-WebSocket-Extensions: permessage-deflate"
    with Packed.of(ada, room, two) as socket:
        assert socket.headers["sec-websocket-extensions"] == AGREED


def test_off_unless_configured(own_server):
    plain = own_server()
    eve = plain.person()
    with Packed.of(eve, eve.room()) as socket:
        assert "sec-websocket-extensions" not in socket.headers
        socket.frame(TEXT, deflate(b'{"type":"ping"}'), rsv=4)
        assert socket.closed().code == 1002
        assert socket.packed == []


# ---- a library's client, with everything that can be negotiated (13.*) ----
@pytest.mark.parametrize("server_bits, client_bits", itertools.product([None, 9, 12, 15], [None, True, 9, 15]))
@pytest.mark.parametrize("no_takeover", [False, True])
def test_a_client_of_every_kind(ada, room, server_bits, client_bits, no_takeover):
    async def talk():
        factory = ClientPerMessageDeflateFactory(no_takeover, no_takeover, server_bits, client_bits)
        address = f"ws://127.0.0.1:{ada.server.port}/ws/chat/{room['id']}/"
        async with websockets.connect(address, extra_headers={"Authorization": f"Token {ada.token}"},
                                      compression=None, extensions=[factory]) as client:
            assert [e.name for e in client.extensions] == ["permessage-deflate"]
            for n in (0, 1, 16, 64, 256, 1024, 1800):
                content = f"{n}:" + words(n)
                await client.send(json.dumps({"type": "chat_message", "content": content}))
                got = {"type": None}
                while got["type"] != "chat_message":
                    got = json.loads(await asyncio.wait_for(client.recv(), PATIENCE))
                assert got["content"] == content
    asyncio.run(talk())


def words(n):
    chance = random.Random(n)
    return "".join(chance.choice("abcdef ghäöü€😀") for _ in range(n)) + "."  # blanks at the ends are cut off


# ---- sizes and pieces (12.*) ----
@pytest.mark.parametrize("size", [16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_text_of_all_sizes(ws, size, level):
    data = b'{"type":"ping" }'.ljust(size)
    for _ in range(10):
        ws.frame(TEXT, deflate(data, level), rsv=4)
    assert [ws.read()["type"] for _ in range(10)] == ["pong"] * 10


@pytest.mark.parametrize("pieces", [2, 3, 50, 1000])
def test_fragments(ws, pieces):
    data = deflate(json.dumps({"type": "chat_message", "content": words(900)}).encode())
    cuts = sorted(random.Random(pieces).choices(range(len(data) + 1), k=pieces - 1))
    parts = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]
    for i, part in enumerate(parts):
        ws.frame(MORE if i else TEXT, part, fin=i == len(parts) - 1, rsv=0 if i else 4)
        if i == pieces // 2:
            ws.frame(PING, b"between")
    assert ws.read_frame() == (PONG, b"between")
    assert ws.message()["content"] == words(900)


def test_byte_by_byte(ws):
    for byte in enc(TEXT, deflate(b'{"type":"ping"}'), rsv=4):
        ws.raw(bytes([byte]))
    assert ws.read() == {"type": "pong"}


def test_packed_and_plain_in_turn(ws):
    for i in range(50):
        data = json.dumps({"type": "chat_message", "content": f"number {i}"}).encode()
        ws.frame(TEXT, data if i % 3 == 0 else deflate(data), rsv=0 if i % 3 == 0 else 4)
    assert [ws.message()["content"] for _ in range(50)] == [f"number {i}" for i in range(50)]


def test_packed_binary_is_told_to_be_unsupported(ws):
    ws.frame(BINARY, deflate(bytes(1000)), rsv=4)
    assert ws.read_type("error")["code"] == "binary"


def test_an_empty_message(ws):
    ws.frame(TEXT, b"\x00", rsv=4)
    assert ws.read_type("error")["code"] == "invalid_json"


def test_a_last_block(ws):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    ws.frame(TEXT, packer.compress(b'{"type":"ping"}') + packer.flush(zlib.Z_FINISH) + b"\x00", rsv=4)
    assert ws.read() == {"type": "pong"}


# ---- what is sent ----
def test_one_packed_form_for_all_and_the_plain_one_for_the_rest(ada, room):
    with Packed.of(ada, room) as one, Packed.of(ada, room) as two, Narrow.of(ada, room) as narrow, ada.socket(room) as plain:
        every = [one, two, narrow, plain]
        for socket in every:
            socket.sync()
        contents = ["short", words(1500), "x" * 1500, "end"]
        for content in contents:
            ada.say(room, content)
        for socket in every:
            assert [socket.message()["content"] for _ in contents] == contents
        assert one.packed[-4:] == two.packed[-4:] and len(one.packed) >= 4
        assert sum(map(len, one.packed[-4:])) < 2500
        # What looks back further than its window came plain.
        assert len(narrow.packed) == len(one.packed) - 2 and set(narrow.packed[-2:]) < set(one.packed)


def test_history_and_hello_are_packed_too(ada, room):
    for i in range(30):
        ada.say(room, f"message {i} " + "of many " * 20)
    with Packed.of(ada, room) as socket:
        socket.sync()
        hello = socket.hello
        assert hello["seq"] == 30 and len(socket.packed) == 1
        socket.send_packed({"type": "resume", "after": 0, "epoch": hello["epoch"]})
        replayed = 0
        while replayed < 30:
            got = socket.read_type("replay", "chat_message")
            replayed += len(got["events"]) if got["type"] == "replay" else 1
        assert len(socket.packed) > 1


def test_short_frames_and_control_frames_stay_plain(ws):
    before = len(ws.packed)
    ws.send({"type": "ping"})
    assert ws.read() == {"type": "pong"}
    ws.frame(PING, b"x" * 125)
    assert ws.read_frame() == (PONG, b"x" * 125)
    assert len(ws.packed) == before
    assert ws.close().code == 1000


# ---- what nobody may send ----
HELLO = deflate(b'{"type":"ping"}')
BOMB = deflate(bytes(16 << 20), 9)
BROKEN = [
    ("rsv1 on a continuation", enc(TEXT, HELLO[:5], fin=False, rsv=4) + enc(MORE, HELLO[5:], rsv=4), 1002),
    ("rsv1 on the last frame only", enc(TEXT, b"{", fin=False) + enc(MORE, b"}", rsv=4), 1002),
    *[(f"rsv1 on opcode {op}", enc(op, b"" if op != CLOSE else b"\x03\xe8", rsv=4), 1002) for op in (PING, PONG, CLOSE)],
    *[(f"rsv {rsv}", enc(TEXT, HELLO, rsv=rsv), 1002) for rsv in (1, 2, 3, 5, 6, 7)],
    ("not deflate", enc(TEXT, b'{"type":"ping"}', rsv=4), 1007),
    ("no bytes", enc(TEXT, b"", rsv=4), 1007),
    ("cut off", enc(TEXT, HELLO[:-3], rsv=4), 1007),
    ("with the tail", enc(TEXT, HELLO + TAIL, rsv=4), 1007),
    ("noise", enc(TEXT, bytes(random.Random(1).randbytes(1000)), rsv=4), 1007),
    ("not UTF-8", enc(TEXT, deflate(b'{"type":"\xff"}'), rsv=4), 1007),
    ("half a character", enc(TEXT, deflate("é".encode()[:1]), rsv=4), 1007),
    ("a byte too long", enc(TEXT, deflate(b" " * (MAX_MESSAGE + 1)), rsv=4), 1009),
    ("a bomb", enc(TEXT, BOMB, rsv=4), 1009),
    ("a bomb in fragments", enc(TEXT, BOMB[:100], fin=False, rsv=4) + enc(MORE, BOMB[100:]), 1009),
    ("a bomb, binary", enc(BINARY, BOMB, rsv=4), 1009),
    ("too long while packed", enc(TEXT, bytes(MAX_MESSAGE * 9 // 8 + 65), rsv=4), 1009),
]


@pytest.mark.parametrize("data, code", [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_broken(ws, data, code):
    ws.raw(enc(TEXT, deflate(b'{"type":"ping"}'), rsv=4) + data)
    got = []
    with pytest.raises(Closed) as end:
        while True:
            got.append(ws.read())
    assert end.value.code == code
    assert got == [{"type": "pong"}]  # what came before is answered


def test_context_takeover_is_a_mistake(ws):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = json.dumps({"type": "chat_message", "content": "the same words again"}).encode()
    first, second = ((packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4] for _ in range(2))
    assert len(second) < len(first)  # it looks back into the first
    ws.frame(TEXT, first, rsv=4)
    assert ws.message()["content"] == "the same words again"
    ws.frame(TEXT, second, rsv=4)
    assert ws.closed().code == 1007


def test_many_bombs_leave_no_memory_behind(server, ada, room):
    worker, = server.workers()

    def resident_kib():
        with open(f"/proc/{worker}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def throw():
        with Packed.of(ada, room) as socket:
            socket.frame(TEXT, BOMB, rsv=4)
            assert socket.closed().code == 1009

    for _ in range(5):
        throw()
    before = resident_kib()
    for _ in range(30):
        throw()
    assert resident_kib() - before < 16 << 10  # one of them is 16 MiB
