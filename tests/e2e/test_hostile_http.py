"""security.md sections 2 and 3 (rows 1 to 6): what no client sends by accident.  Every refusal is one answer (or none) and the
end of the connection; a second request smuggled behind it is never answered; the server lives on."""
import socket as sockets

import pytest

from parley import PATIENCE

pytestmark = pytest.mark.one_database("core/net: HTTP")

SMUGGLED = b"GET /healthz?smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
H = b"Host: localhost\r\n"
GET = b"GET /api/ HTTP/1.1\r\n"
POST = b"POST /api/auth/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def exchange(server, data, finish=True):
    """everything that comes back until the server ends the connection"""
    with sockets.create_connection(("127.0.0.1", server.port), PATIENCE) as sock:
        try:
            sock.sendall(data)
            if finish:
                sock.shutdown(sockets.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError, OSError):
            pass
        got = b""
        try:
            while more := sock.recv(65536):
                got += more
        except ConnectionResetError:
            pass
        return got


def statuses(answer):
    """the status codes of all answers in the stream, in order"""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


REFUSED = [
    # ---- line ends and control bytes ----
    ("bare LF after the request line", b"GET /api/ HTTP/1.1\n" + H + b"\r\n", {400}),
    ("bare LF after a header", GET + b"Host: localhost\n\r\n", {400}),
    ("bare LF as the end", GET + H + b"\n", {400}),
    ("bare CR in a value", GET + H + b"X: a\rb\r\n\r\n", {400}),
    ("CR and a disguised header", GET + H + b"X-Abc:\rxTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\n", {400}),
    ("CR CR LF", GET + b"Host: localhost\r\r\n\r\n", {400}),
    ("LF CR", GET + b"Host: localhost\n\r\n\r", {400}),
    ("end of head CR LF LF", GET + H[:-2] + b"\r\n\n", {400}),
    ("NUL in a value", GET + H + b"X: a\0b\r\n\r\n", {400}),
    ("NUL in a name", GET + H + b"X\0: a\r\n\r\n", {400}),
    ("ESC in a value", GET + H + b"X: \x1b[31m\r\n\r\n", {400}),
    ("DEL in a value", GET + H + b"X: \x7f\r\n\r\n", {400}),
    ("control in the target", b"GET /a\x01b HTTP/1.1\r\n" + H + b"\r\n", {400}),
    ("8-bit in the target", b"GET /\xe9 HTTP/1.1\r\n" + H + b"\r\n", {400}),
    ("tab in the request line", b"GET\t/api/\tHTTP/1.1\r\n" + H + b"\r\n", {400}),
    # ---- header names ----
    ("space before the colon", GET + b"Host : localhost\r\n\r\n", {400}),
    ("space in a name", GET + H + b"X Y: a\r\n\r\n", {400}),
    ("empty name", GET + H + b": a\r\n\r\n", {400}),
    ("no colon", GET + H + b"nothing\r\n\r\n", {400}),
    ("continuation line", GET + H + b"X: a\r\n b\r\n\r\n", {400}),
    ("continuation by tab", GET + H + b"X: a\r\n\tb\r\n\r\n", {400}),
    ("continuation as first line", GET + b" X: a\r\n" + H + b"\r\n", {400}),
    ("continued length", POST + b"Content-Length:\r\n 2\r\n\r\n{}", {400}),
    ("continued coding", POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", {400}),
    ("8-bit name", GET + H + b"X\xe9: a\r\n\r\n", {400}),
    # ---- request line ----
    ("no version", b"GET /api/\r\n" + H + b"\r\n", {400, 505}),
    ("no version, bare LF", b"GET /api/\n" + H + b"\r\n", {400, 505}),
    ("nothing", b"\r\n\r\n\r\n\r\n", {400, None}),
    ("version 0.9", b"GET /api/ HTTP/0.9\r\n" + H + b"\r\n", {400, 505}),
    ("version 2.0", b"GET /api/ HTTP/2.0\r\n" + H + b"\r\n", {505}),
    ("version 1.2", b"GET /api/ HTTP/1.2\r\n" + H + b"\r\n", {400, 505}),
    ("version 1.10", b"GET /api/ HTTP/1.10\r\n" + H + b"\r\n", {400, 505}),
    ("lower case http", b"GET /api/ http/1.1\r\n" + H + b"\r\n", {400}),
    ("two spaces after the method", b"GET  /api/ HTTP/1.1\r\n" + H + b"\r\n", {400}),
    ("two spaces before the version", b"GET /api/  HTTP/1.1\r\n" + H + b"\r\n", {400}),
    ("space at the end", b"GET /api/ HTTP/1.1 \r\n" + H + b"\r\n", {400}),
    ("space before the method", b" GET /api/ HTTP/1.1\r\n" + H + b"\r\n", {400}),
    ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 501, 505}),
    ("TRACE", b"TRACE /api/ HTTP/1.1\r\n" + H + b"\r\n", {400, 501}),
    ("CONNECT", b"CONNECT localhost:80 HTTP/1.1\r\n" + H + b"\r\n", {400, 501}),
    ("unknown method", b"BREW /api/ HTTP/1.1\r\n" + H + b"\r\n", {400, 501}),
    ("RTSP method", b"DESCRIBE /api/ RTSP/1.0\r\n" + H + b"\r\n", {400, 501, 505}),
    ("lower case method", b"get /api/ HTTP/1.1\r\n" + H + b"\r\n", {400, 501}),
    ("target without slash", b"GET api/ HTTP/1.1\r\n" + H + b"\r\n", {400}),
    ("asterisk", b"GET * HTTP/1.1\r\n" + H + b"\r\n", {400}),
    ("fragment", b"GET /api/#x HTTP/1.1\r\n" + H + b"\r\n", {400}),
    ("TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50, {400, None}),
    # ---- Host ----
    ("no Host", GET + b"\r\n", {400}),
    ("two Hosts", GET + H + H + b"\r\n", {400}),
    ("empty Host", GET + b"Host:\r\n\r\n", {400}),
    ("Host with a path", GET + b"Host: localhost/x\r\n\r\n", {400}),
    ("Host with user", GET + b"Host: a@localhost\r\n\r\n", {400}),
    ("Host with a space", GET + b"Host: local host\r\n\r\n", {400}),
    ("Host list", GET + b"Host: localhost, evil\r\n\r\n", {400}),
    ("Host with a bad port", GET + b"Host: localhost:99999999\r\n\r\n", {400}),
    # ---- lengths and codings ----
    ("both length and coding", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, {400}),
    ("coding and length", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED, {400}),
    ("two lengths", POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", {400}),
    ("length list", POST + b"Content-Length: 2, 3\r\n\r\n{}", {400}),
    ("plus sign", POST + b"Content-Length: +2\r\n\r\n{}", {400}),
    ("minus sign", POST + b"Content-Length: -2\r\n\r\n{}", {400}),
    ("hexadecimal", POST + b"Content-Length: 0x2\r\n\r\n{}", {400}),
    ("empty length", POST + b"Content-Length:\r\n\r\n", {400}),
    ("length with a space inside", POST + b"Content-Length: 1 2\r\n\r\n{}", {400}),
    ("length 2^31", POST + b"Content-Length: 2147483648\r\n\r\n", {413}),
    ("length 2^63", POST + b"Content-Length: 9223372036854775808\r\n\r\n", {400, 413}),
    ("length 2^64", POST + b"Content-Length: 18446744073709551616\r\n\r\n", {400, 413}),
    ("length of 30 digits", POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", {400, 413}),
    ("length 1 MiB and 1", POST + b"Content-Length: 1048577\r\n\r\n", {413}),
    ("two codings", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    ("coding list", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    ("identity, chunked", POST + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    ("chunked, identity", POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", {400, 501}),
    ("empty element", POST + b"Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    ("empty coding", POST + b"Transfer-Encoding:\r\n\r\n", {400, 501}),
    ("identity", POST + b"Transfer-Encoding: identity\r\n\r\n", {400, 501}),
    ("gzip", POST + b"Transfer-Encoding: gzip\r\n\r\n", {400, 501}),
    ("quoted", POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', {400, 501}),
    ("with a parameter", POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", {400, 501}),
    ("xchunked", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", {400, 501}),
    ("chunked with a vertical tab", POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", {400}),
    ("coding in HTTP/1.0", POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    # ---- chunks ----
    ("chunk size of no number", POST + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", {400}),
    ("chunk size with 0x", POST + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n", {400}),
    ("negative chunk", POST + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n", {400}),
    ("chunk size over 64 bits", POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n", {400, 413}),
    ("chunk size of 64 bits", POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 16 + b"\r\n", {400, 413}),
    ("chunk over the limit", POST + b"Transfer-Encoding: chunked\r\n\r\n100001\r\n", {413}),
    ("bytes after chunk data", POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n", {400}),
    ("bare LF after the size", POST + b"Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n", {400}),
    ("bare LF after the data", POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n", {400}),
    ("long chunk line", POST + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"x" * 300 + b"\r\n{}\r\n0\r\n\r\n", {400, 413, 431}),
    ("long trailer", POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * 5000 + b"\r\n\r\n", {400, 413, 431}),
    ("bare CR in a trailer", POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\rb\r\n\r\n", {400}),
    # ---- sizes ----
    ("target over 8 KiB", b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n" + H + b"\r\n", {414}),
    ("target by far", b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\n" + H + b"\r\n", {414, 431}),
    ("101 headers", GET + H + b"X: a\r\n" * 100 + b"\r\n", {431}),
    ("head over 16 KiB", GET + H + b"X: " + b"a" * 16384 + b"\r\n\r\n", {431}),
    ("head without end", GET + H + b"X: " + b"a" * 200000, {431}),
]


@pytest.mark.parametrize("label,data,expected", REFUSED, ids=[r[0] for r in REFUSED])
def test_refused(server, label, data, expected):
    answer = exchange(server, data + SMUGGLED)
    got = statuses(answer)
    assert len(got) <= 1, answer
    assert (got[0] if got else None) in expected, answer
    assert b"smuggled" not in answer and b'"status":"ok"' not in answer
    if got:
        assert b"\r\nConnection: close\r\n" in answer and b"Content-Type: application/json" in answer
    assert server.anonymous().get("/healthz").status_code == 200


ACCEPTED = [
    ("plain", GET + H + b"\r\n", [200]),
    ("empty line before", b"\r\n" + GET + H + b"\r\n", [200]),
    ("pipelined", (GET + H + b"\r\n") * 5, [200] * 5),
    ("HTTP/1.0 without Host", b"GET /healthz HTTP/1.0\r\n\r\n", [200]),
    ("100 headers", GET + H + b"X: a\r\n" * 98 + b"\r\n", [200]),
    ("long target", b"GET /" + b"a" * 8000 + b" HTTP/1.1\r\n" + H + b"\r\n", [404]),
    ("tabs and spaces around a value", GET + b"Host: \t localhost \t\r\n\r\n", [200]),
    ("8-bit in a value", GET + H + b"X: \xe9\xff\r\n\r\n", [200]),
    ("empty value", GET + H + b"X:\r\n\r\n", [200]),
    ("close, then more", GET + H + b"Connection: close\r\n\r\n" + SMUGGLED, [200]),
    ("same length twice is no reason to guess", POST + b"Content-Length: 2\r\n\r\n{}" + GET + H + b"\r\n", [400, 200]),
    ("chunked", POST + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\n" + GET + H + b"\r\n", [400, 200]),
    ("Chunked in capitals", POST + b"Transfer-Encoding: CHUNKED\r\n\r\n2\r\n{}\r\n0\r\n\r\n", [400]),
    ("good, then bad", GET + H + b"\r\n" + b"GET /api/ HTTP/1.1\n\r\n", [200, 400]),
    ("body on GET", GET + H + b"Content-Length: 2\r\n\r\n{}" + GET + H + b"\r\n", [200, 200]),
    ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\n" + H + b"\r\n", None),
    ("absolute form", b"GET http://localhost/api/ HTTP/1.1\r\n" + H + b"\r\n", None),
]


@pytest.mark.parametrize("label,data,expected", ACCEPTED, ids=[a[0] for a in ACCEPTED])
def test_accepted(server, label, data, expected):
    answer = exchange(server, data)
    got = statuses(answer)
    if expected is None:
        assert len(got) == 1 and got[0] < 500
    else:
        assert got == expected, answer
    assert b"Server:" not in answer


def test_every_split_of_a_request_is_the_same_request(server):
    data = POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    for at in range(1, len(data), 3):
        with sockets.create_connection(("127.0.0.1", server.port), PATIENCE) as sock:
            sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
            sock.sendall(data[:at])
            sock.sendall(data[at:])
            sock.shutdown(sockets.SHUT_WR)
            got = b""
            while more := sock.recv(65536):
                got += more
            assert statuses(got) == [400] and b"This field is required." in got


def test_expect_continue(server):
    with sockets.create_connection(("127.0.0.1", server.port), PATIENCE) as sock:
        sock.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 100 ")
        sock.sendall(b"{}")
        assert sock.recv(65536).startswith(b"HTTP/1.1 400 ")
    answer = exchange(server, POST + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")
    assert statuses(answer) == [413]


def test_an_answer_survives_a_body_that_nobody_reads(server):
    answer = exchange(server, POST + b"Content-Length: 3000000\r\n\r\n" + b"x" * 3000000)
    assert statuses(answer) == [413]
