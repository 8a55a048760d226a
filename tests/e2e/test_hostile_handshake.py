"""contract.md 5.1 and row 11 of security.md: handshakes that no client sends by accident.  What is refused gets one answer in HTTP
and never a 101; what is odd but allowed becomes a WebSocket that works."""
import base64
import hashlib
import json
import os
import socket as sockets

import pytest

from parley import PATIENCE, Refused, Socket, read_head

pytestmark = pytest.mark.one_database("core/net: the handshake")

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = base64.b64encode(hashlib.sha1(KEY.encode() + Socket.GUID).digest()).decode()
USUAL = ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13"]


@pytest.fixture(scope="module")
def ada(server):
    return server.person("ada")


@pytest.fixture(scope="module")
def room(ada):
    return ada.room()


class Shake:
    """One handshake of lines as they are; {host} and {port} are the server's."""

    def __init__(self, ada, room, lines, method="GET", version="HTTP/1.1", path=None, host="Host: {host}", token=True, behind=b"", chop=0):
        port = ada.server.port
        path = path or f"/ws/chat/{room['id']}/"
        lines = ([host] if host else []) + ([f"Authorization: Token {ada.token}"] if token else []) + lines
        text = "".join(f"{line}\r\n" for line in [f"{method} {path} {version}"] + lines) + "\r\n"
        data = text.replace("{host}", f"127.0.0.1:{port}").replace("{port}", str(port)).encode("latin-1") + behind
        self.sock = sockets.create_connection(("127.0.0.1", port), PATIENCE)
        self.sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
        for i in range(0, len(data), chop or len(data)):
            self.sock.sendall(data[i:i + (chop or len(data))])
        self.status, self.headers, self.rest = read_head(self.sock)

    def socket(self):
        """the WebSocket, which must work"""
        assert self.status == 101, self.rest
        assert self.headers["sec-websocket-accept"] == ACCEPT
        assert self.headers["upgrade"].lower() == "websocket" and self.headers["connection"].lower() == "upgrade"
        assert "sec-websocket-extensions" not in self.headers
        return Socket(self.sock, self.rest)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def without(name, *more):
    return [line for line in USUAL if not line.lower().startswith(name.lower() + ":")] + list(more)


def key(value):
    return without("Sec-WebSocket-Key", f"Sec-WebSocket-Key: {value}")


def version(value):
    return without("Sec-WebSocket-Version", f"Sec-WebSocket-Version: {value}")


ODD = [
    ("lower case", [line.lower() if "Key" not in line else "sec-websocket-key: " + KEY for line in USUAL]),
    ("upper case names and words", ["UPGRADE: WEBSOCKET", "CONNECTION: UPGRADE", f"SEC-WEBSOCKET-KEY: {KEY}", "SEC-WEBSOCKET-VERSION: 13"]),
    ("connection list", without("Connection", "Connection: keep-alive, Upgrade")),
    ("connection list, tight", without("Connection", "Connection: keep-alive,upgrade")),
    ("connection in two lines", without("Connection", "Connection: keep-alive", "Connection: Upgrade")),
    ("connection with empty elements", without("Connection", "Connection: , upgrade,")),
    ("upgrade list", without("Upgrade", "Upgrade: h2c, websocket")),
    ("upgrade in two lines", without("Upgrade", "Upgrade: h2c", "Upgrade: websocket")),
    ("spaces and tabs", ["Upgrade: \t websocket \t", "Connection:\tUpgrade\t", f"Sec-WebSocket-Key:   {KEY}   ", "Sec-WebSocket-Version:13"]),
    ("extensions offered", USUAL + ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame"]),
    ("junk in extensions", USUAL + ["Sec-WebSocket-Extensions: ;;;,,,=\"", "Sec-WebSocket-Extensions: permessage-deflate"]),
    ("other protocols", USUAL + ["Sec-WebSocket-Protocol: chat, superchat"]),
    ("length 0", USUAL + ["Content-Length: 0"]),
    ("accepts HTML", USUAL + ["Accept: text/html"]),
    ("accepts nothing of ours", USUAL + ["Accept: image/png"]),
    ("90 more headers", USUAL + [f"X-{i}: y" for i in range(90)]),
]


@pytest.mark.parametrize("label,lines", ODD, ids=[c[0] for c in ODD])
def test_odd_but_allowed(ada, room, label, lines):
    with Shake(ada, room, lines) as shake:
        assert "sec-websocket-protocol" not in shake.headers
        shake.socket().sync()


FAULTS = [
    ("no Upgrade", without("Upgrade"), {426}),
    ("Upgrade empty", without("Upgrade", "Upgrade:"), {426}),
    ("Upgrade: websockets", without("Upgrade", "Upgrade: websockets"), {426}),
    ("Upgrade: websocket/13", without("Upgrade", "Upgrade: websocket/13"), {426}),
    ("Upgrade: web socket", without("Upgrade", "Upgrade: web socket"), {426}),
    ("no Connection", without("Connection"), {400, 426}),
    ("Connection empty", without("Connection", "Connection:"), {400, 426}),
    ("Connection: close", without("Connection", "Connection: close"), {400, 426}),
    ("Connection: Upgraded", without("Connection", "Connection: Upgraded"), {400, 426}),
    ("no key", without("Sec-WebSocket-Key"), {400}),
    ("key empty", key(""), {400}),
    ("key of 15 bytes", key(base64.b64encode(b"x" * 15).decode()), {400}),
    ("key of 17 bytes", key(base64.b64encode(b"x" * 17).decode()), {400}),
    ("key of 20 bytes", key(base64.b64encode(b"x" * 20).decode()), {400}),
    ("key without padding", key(KEY.rstrip("=")), {400}),
    ("key with one pad", key(KEY[:-1]), {400}),
    ("key with three pads", key(KEY + "="), {400}),
    ("key of other letters", key("!" * 22 + "=="), {400}),
    ("key for URLs", key("__" + KEY[2:]), {400}),
    ("key with a space", key(KEY[:10] + " " + KEY[10:]), {400}),
    ("key, something", key(KEY + ", x"), {400}),
    ("the key twice", USUAL + [f"Sec-WebSocket-Key: {KEY}"], {400}),
    ("two keys", USUAL + ["Sec-WebSocket-Key: " + base64.b64encode(b"y" * 16).decode()], {400}),
    ("a key of 8000 bytes", key("x" * 8000), {400}),
    ("8-bit key", key("\xe9" * 24), {400}),
    *[(f"version {v!r}", version(v), {426}) for v in ("", "0", "7", "8", "12", "14", "130", "013", "13.0", "+13", "-13", "13a", "x", "255", "1 3")],
    ("version list", version("13, 8"), {400, 426}),
    ("version twice", USUAL + ["Sec-WebSocket-Version: 13"], {400, 426}),
    ("two versions", USUAL + ["Sec-WebSocket-Version: 8"], {400, 426}),
    ("no version", without("Sec-WebSocket-Version"), {426}),
    ("a body by length", USUAL + ["Content-Length: 5"], {400}),
    ("a body in chunks", USUAL + ["Transfer-Encoding: chunked"], {400}),
    ("two lengths", USUAL + ["Content-Length: 0", "Content-Length: 0"], {400}),
    ("two hosts", USUAL + ["Host: {host}"], {400}),
    ("folded Upgrade", without("Upgrade", "Upgrade:\r\n websocket"), {400}),
    ("space before the colon", without("Upgrade", "Upgrade : websocket"), {400}),
    ("101 headers", USUAL + [f"X-{i}: y" for i in range(101)], {431}),
    ("a head of 20000 bytes", USUAL + ["X: " + "y" * 20000], {431}),
]


@pytest.mark.parametrize("label,lines,statuses", FAULTS, ids=[c[0] for c in FAULTS])
def test_faults(ada, room, label, lines, statuses):
    body = b"hello" if "by length" in label else b"0\r\n\r\n" if "chunks" in label else b""
    with Shake(ada, room, lines, behind=body) as shake:
        assert shake.status in statuses
        if shake.status == 426:
            assert shake.headers["upgrade"] == "websocket" and shake.headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "get", "TRACE", "CONNECT", "FOO"])
def test_methods(ada, room, method):
    with Shake(ada, room, USUAL, method=method) as shake:
        assert shake.status in (200, 204, 400, 405, 426, 501)


@pytest.mark.parametrize("version_,statuses", [("HTTP/1.0", {400, 426, 505}), ("HTTP/0.9", {400, 505}), ("HTTP/2.0", {505}), ("HTTP/1.2", {505}),
                                               ("http/1.1", {400}), ("HTTP/1.1 ", {400})])
def test_versions_of_http(ada, room, version_, statuses):
    with Shake(ada, room, USUAL, version=version_) as shake:
        assert shake.status in statuses


@pytest.mark.parametrize("host", [None, "Host:", "Host: a b", "Host: {host}/", "Host: user@{host}", "Host: {host}, {host}", "Host: [::1", "Host: a:b"])
def test_hosts_that_are_none(ada, room, host):
    with Shake(ada, room, USUAL, host=host) as shake:
        assert shake.status == 400


PATHS = ["/ws/chat/x/", "/ws/chat//", "/ws/chat/", "/ws/chat/019a1b2c-0000-7000-8000-0000000000c3/", "/ws/chat/{room}/x/",
         "/ws/chat/{room}%00/", "/ws/chat/%2e%2e/", "/ws/chat/../chat/{room}/", "/ws/chat/{ROOM}x/", "/ws/chat/{room}'--/", "/WS/chat/{room}/",
         "//ws/chat/{room}/", "/ws/chat/%ff/", "/ws/chat/" + "x" * 8000 + "/", "/api/chat/rooms/"]


@pytest.mark.parametrize("path", PATHS, ids=[p[:40] for p in PATHS])
def test_paths(ada, room, path):
    path = path.replace("{room}", room["id"]).replace("{ROOM}", room["id"].upper())
    with Shake(ada, room, USUAL, path=path) as shake:
        assert shake.status in (404, 400, 414) or (path.startswith("/api/") and shake.status == 200)


KEYS = ["Token", "Token ", "Token x", "Bearer {token}x", "Basic {token}", "{token}", "Token {token} x", "Token {token}x", "Token {tokeN}",
        "Token {token},", "Token \"{token}\"", "Token " + "x" * 8000, "Token ply_" + "x" * 43, "Token ply_\xe9"]


@pytest.mark.parametrize("value", KEYS, ids=[k[:30] for k in KEYS])
def test_keys_that_are_none(ada, room, value):
    value = value.replace("{token}", ada.token).replace("{tokeN}", ada.token.swapcase())
    with Shake(ada, room, USUAL + [f"Authorization: {value}"], token=False) as shake:
        assert shake.status == 401
        assert ada.token not in shake.rest.decode("latin-1")


def test_two_keys(ada, room):
    with Shake(ada, room, USUAL + ["Authorization: Token x"]) as shake:
        assert shake.status in (400, 401)


# ---- origins (row 11) ----
FOREIGN = ["http://evil.example", "https://evil.example", "null", "NULL", "", "*", "http://", "http://127.0.0.1", "http://127.0.0.1:1", "127.0.0.1:{port}",
           "//127.0.0.1:{port}", "http://127.0.0.1:{port}/", "http://127.0.0.1:{port}/x", "http://127.0.0.1:{port}.evil.example",
           "http://127.0.0.1:{port}0", "http://evil.example/127.0.0.1:{port}", "http://evil.example#127.0.0.1:{port}",
           "http://evil.example?http://127.0.0.1:{port}", "http://x@127.0.0.1:{port}", "http://127.0.0.1:{port}@evil.example",
           "http://x127.0.0.1:{port}", "http://[::1]:{port}", "http://[::ffff:127.0.0.1]:{port}", "http://0x7f000001:{port}", "http://127.1:{port}",
           "http://2130706433:{port}", "http://127.0.0.1.:{port}", "ftp://127.0.0.1:{port}", "ws://127.0.0.1:{port}", "file://", "javascript:alert(1)",
           "chrome-extension://abc", "http:/127.0.0.1:{port}", "http:\\\\127.0.0.1:{port}", "http://127.0.0.1:{port} http://evil.example",
           "http://evil.example, http://127.0.0.1:{port}", "http://127.0.0.1:{port}, http://evil.example", "\xe9", "http://127.0.0.1:{port}\t.evil"]


@pytest.mark.parametrize("origin", FOREIGN)
def test_foreign_origins(server, ada, room, origin):
    with Shake(ada, room, USUAL + [f"Origin: {origin}"]) as shake:
        assert shake.status == 403
        assert "sec-websocket-accept" not in shake.headers


@pytest.mark.parametrize("origins", [["http://127.0.0.1:{port}", "http://evil.example"], ["http://evil.example", "http://127.0.0.1:{port}"],
                                     ["http://127.0.0.1:{port}", "http://127.0.0.1:{port}"], ["http://127.0.0.1:{port}", ""]], ids=str)
def test_two_origins(ada, room, origins):
    with Shake(ada, room, USUAL + [f"Origin: {o}" for o in origins]) as shake:
        assert shake.status in (400, 403)


@pytest.mark.parametrize("origin", ["http://127.0.0.1:{port}", "HTTP://127.0.0.1:{port}", "http://127.0.0.1:{port}  "])
def test_own_origins(ada, room, origin):
    with Shake(ada, room, USUAL + [f"Origin: {origin}"]) as shake:
        shake.socket().sync()


def test_the_origin_may_be_of_the_host_in_any_case_if_the_host_is_ours(ada, room):
    with Shake(ada, room, USUAL + ["Origin: http://LOCALHOST:{port}"], host="Host: LocalHost:{port}") as shake:
        shake.socket().sync()


def test_an_origin_of_the_same_foreign_host_is_foreign(ada, room):
    """what DNS rebinding makes a browser send"""
    with Shake(ada, room, USUAL + ["Origin: http://evil.example:{port}"], host="Host: evil.example:{port}") as shake:
        assert shake.status in (400, 403)


def test_refused_origins_are_logged(server, ada, room):
    with Shake(ada, room, USUAL + ["Origin: http://logged.example"]) as shake:
        assert shake.status == 403
    server.wait_line(r"ws\.origin_refused.*logged\.example")


def test_a_foreign_origin_is_refused_whoever_asks(ada, room):
    for token in (True, False):
        for path in (None, "/ws/chat/x/"):
            with Shake(ada, room, USUAL + ["Origin: http://evil.example"], token=token, path=path) as shake:
                assert shake.status in (403, 404)


# ---- frames with the handshake ----
@pytest.mark.parametrize("chop", [0, 1, 7, 100])
def test_frames_in_the_same_packet(ada, room, chop):
    text = json.dumps({"type": "chat_message", "content": f"early {chop}"}).encode()
    behind = Socket.encode(9, b"early") + Socket.encode(1, text) + Socket.encode(9, b"last")
    with Shake(ada, room, USUAL, behind=behind, chop=chop) as shake:
        ws = shake.socket()
        seen = [ws.read_frame() for _ in range(2)]
        assert seen == [(10, b"early"), (10, b"last")] or seen[0] == (10, b"early")
        if seen[1][0] == 10:
            assert ws.message()["content"] == f"early {chop}"


@pytest.mark.parametrize("behind,code", [(b"\xff\xff", 1002), (Socket.encode(1, b"\xff"), 1007), (b"\x81\xff" + b"\xff" * 8, 1002),
                                         (Socket.encode(8, b"\x03\xe8"), 1000), (b"GET / HTTP/1.1\r\n\r\n", 1002),
                                         (Socket.encode(9) * 20000 + Socket.encode(8, b"\x03\xe8"), 1000)],
                         ids=["junk", "bad text", "huge", "close", "a request", "many pings"])
def test_ends_in_the_same_packet(ada, room, behind, code):
    with Shake(ada, room, USUAL, behind=behind) as shake:
        assert shake.socket().closed().code == code


def test_frames_behind_a_refusal_are_no_requests(ada, room):
    """what was meant for a WebSocket must not be taken for HTTP"""
    with Shake(ada, room, key("x"), behind=Socket.encode(1, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", mask=False)) as shake:
        assert shake.status == 400
        rest = shake.rest
        while more := shake.sock.recv(65536):
            rest += more
        assert b"ok" not in rest.split(b"}", 1)[1] and b" 200 " not in rest


def test_a_handshake_behind_a_request(server, ada, room):
    """on a connection that is kept alive; answers come in order"""
    with sockets.create_connection(("127.0.0.1", server.port), PATIENCE) as sock:
        head = "".join(f"{line}\r\n" for line in [f"Host: 127.0.0.1:{server.port}", f"Authorization: Token {ada.token}"])
        sock.sendall(f"GET /healthz HTTP/1.1\r\n{head}\r\nGET /ws/chat/{room['id']}/ HTTP/1.1\r\n{head}".encode()
                     + "".join(f"{line}\r\n" for line in USUAL).encode() + b"\r\n" + Socket.encode(9, b"third"))
        status, headers, rest = read_head(sock)
        assert status == 200
        rest = rest[int(headers["content-length"]):]
        while b"\r\n\r\n" not in rest:
            rest += sock.recv(65536)
        head, rest = rest.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 101 ")
        assert Socket(sock, rest).read_frame()[0] in (1, 10)


def test_clients_that_leave_inside_the_handshake(server, ada, room):
    text = f"GET /ws/chat/{room['id']}/ HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Token {ada.token}\r\n" \
        + "".join(f"{line}\r\n" for line in USUAL) + "\r\n"
    for i in list(range(0, len(text), 10)) + [len(text)] * 20:
        sock = sockets.create_connection(("127.0.0.1", server.port), PATIENCE)
        sock.sendall(text[:i].encode())
        if i % 20 == 0:
            sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        sock.close()
    with ada.socket(room) as ws:
        ws.sync()


def test_a_client_that_has_ended_its_direction_behind_the_handshake(ada, room):
    with Shake(ada, room, USUAL) as shake:
        ws = shake.socket()
        ws.sock.shutdown(sockets.SHUT_WR)
        assert ws.closed().code == 1006


def test_random_handshakes(ada, room):
    """any bytes instead of any line: one answer or the end, never a 101"""
    for i in range(100):
        lines = [line for j, line in enumerate(USUAL) if j != i % 4] + [os.urandom(40).decode("latin-1").replace("\r", "").replace("\n", "")]
        try:
            with Shake(ada, room, lines) as shake:
                assert shake.status in (400, 426)
        except (AssertionError, ConnectionError) as end:
            assert "inside the head" in str(end) or isinstance(end, ConnectionError), lines


def test_refusals_leave_the_key_out(ada, room):
    with pytest.raises(Refused) as refused:
        Socket.open(ada.server, f"/ws/chat/x/?token={ada.token}", token=ada.token)
    assert ada.token not in refused.value.body and refused.value.status == 404
