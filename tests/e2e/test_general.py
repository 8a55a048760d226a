"""contract.md section 1 and 6: paths, bodies, answers, shapes of errors, methods, health."""
import json

import pytest
import requests

from parley import PATIENCE


@pytest.fixture(scope="module")
def ada(server):
    return server.person("ada")


def test_root_names_the_addresses(server):
    answer = server.anonymous().get("/api/")
    assert answer.status_code == 200
    assert answer.json() == {"register": server.url + "/api/auth/register/", "login": server.url + "/api/auth/login/",
                             "profile": server.url + "/api/auth/profile/",
                             "resend-verification": server.url + "/api/auth/resend-verification/",
                             "rooms": server.url + "/api/chat/rooms/"}


def test_paths_without_their_slash(server, ada):
    for method in ("GET", "HEAD"):
        answer = server.anonymous().call(method, "/api/chat/rooms?limit=1")
        assert answer.status_code == 301 and answer.headers["Location"].endswith("/api/chat/rooms/?limit=1")
    assert ada.post("/api/chat/rooms", {"name": "x"}).status_code == 201
    assert server.anonymous().post("/api/auth/login", {}).status_code == 400


@pytest.mark.parametrize("path", ["/nope", "/api", "/api/nope/", "/api//", "/api/chat/rooms//", "/%00/", "/../etc/passwd",
                                  "/api/%2e%2e/", "/api/chat%2frooms/", "/API/"])
def test_unknown_paths(server, path):
    answer = server.anonymous().get(path)
    if path == "/api":
        assert answer.status_code == 301
        return
    assert answer.status_code == 404 and answer.json()["detail"] == "Not found."
    assert answer.headers["Content-Type"] == "application/json" and answer.headers["X-Content-Type-Options"] == "nosniff"


def test_head_is_get_without_the_body(ada):
    got, head = ada.get("/api/auth/profile/"), ada.call("HEAD", "/api/auth/profile/")
    assert head.status_code == 200 and head.content == b"" and head.headers["Content-Length"] == str(len(got.content))


METHODS = [
    ("PATCH", "/api/chat/rooms/", "GET, POST, HEAD, OPTIONS"),
    ("DELETE", "/api/auth/profile/", "GET, HEAD, OPTIONS"),
    ("PUT", "/api/auth/login/", "POST, OPTIONS"),
    ("GET", "/api/auth/register/", "POST, OPTIONS"),
    ("POST", "/api/", "GET, HEAD, OPTIONS"),
]


@pytest.mark.parametrize("method,path,allow", METHODS, ids=[f"{m[0]} {m[1]}" for m in METHODS])
def test_wrong_methods(server, ada, method, path, allow):
    answer = ada.call(method, path)
    assert answer.status_code == 405
    assert answer.json()["detail"] == f'Method "{method}" not allowed.'
    assert set(answer.headers["Allow"].split(", ")) == set(allow.split(", "))
    status = 401 if "rooms" in path or "profile" in path else 405
    assert server.anonymous().call(method, path).status_code == status


def test_a_room_allows(ada):
    room = ada.room()
    answer = ada.call("PATCH", f"/api/chat/rooms/{room['id']}/")
    assert answer.headers["Allow"] == "GET, PUT, DELETE, HEAD, OPTIONS"


def test_options(server, ada):
    answer = ada.call("OPTIONS", "/api/chat/rooms/")
    assert answer.status_code == 200 and "POST" in answer.headers["Allow"] and isinstance(answer.json(), dict)
    assert server.anonymous().call("OPTIONS", "/api/chat/rooms/").status_code == 401


BODIES = [
    ("text/plain", "text/plain", b"{}", 415, 'Unsupported media type "text/plain" in request.'),
    ("a form", "application/x-www-form-urlencoded", b"a=b", 415, 'Unsupported media type "application/x-www-form-urlencoded" in request.'),
    ("no type", None, b"{}", 415, None),
    ("charset utf-8", "APPLICATION/JSON; charset=UTF-8", b"{}", 400, None),
    ("truncated", "application/json", b'{"name":', 400, "JSON parse error - "),
    ("NaN", "application/json", b'{"name":NaN}', 400, "JSON parse error - "),
    ("Infinity", "application/json", b'{"name":-Infinity}', 400, "JSON parse error - "),
    ("byte order mark", "application/json", b"\xef\xbb\xbf{}", 400, "JSON parse error - "),
    ("UTF-16", "application/json", '{"name":"x"}'.encode("utf-16"), 400, "JSON parse error - "),
    ("invalid UTF-8", "application/json", b'{"name":"\xff"}', 400, "JSON parse error - "),
    ("half a pair", "application/json", b'{"name":"\\ud800"}', 400, "JSON parse error - "),
    ("bare control", "application/json", b'{"name":"a\nb"}', 400, "JSON parse error - "),
    ("two values", "application/json", b"{} {}", 400, "JSON parse error - "),
    ("large integer", "application/json", b'{"name":123456789012345678901234567890}', 400, "JSON parse error - "),
    ("single quotes", "application/json", b"{'name':'x'}", 400, "JSON parse error - "),
    ("deep", "application/json", b"[" * 100_000 + b"]" * 100_000, 400, "JSON parse error - "),
    ("white space", "application/json", b"  ", 400, "JSON parse error - "),
]


@pytest.mark.parametrize("label,kind,body,status,detail", BODIES, ids=[b[0] for b in BODIES])
def test_bodies(ada, label, kind, body, status, detail):
    headers = {"Content-Type": kind} if kind else {}
    answer = ada.http.request("POST", ada.server.url + "/api/chat/rooms/", data=body, headers=headers, timeout=PATIENCE)
    assert answer.status_code == status
    if detail and status == 415:
        assert answer.json()["detail"] == detail
    elif detail:
        assert answer.json()["detail"].startswith(detail)


WHOLE = [("[]", "list"), ('"x"', "str"), ("1", "int"), ("1.5", "float"), ("true", "bool")]


@pytest.mark.parametrize("body,kind", WHOLE)
def test_bodies_that_are_no_objects(ada, body, kind):
    answer = ada.call("POST", "/api/chat/rooms/", data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (
        400, {"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})


def test_no_body_counts_as_an_empty_object(ada):
    for headers in ({}, {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}):
        answer = ada.call("POST", "/api/chat/rooms/", headers=headers)
        assert (answer.status_code, answer.json()) == (400, {"name": ["This field is required."]})


def test_the_last_of_two_equal_keys_counts_and_chunks_are_accepted(ada):
    def parts():
        yield b'{"name":"first",'
        yield b'"name":"second"}'
    answer = ada.call("POST", "/api/chat/rooms/", data=parts(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 201 and answer.json()["name"] == "second"


def test_a_body_over_1_mib(server, ada):
    fits = b'{"name":"' + b"x" * (1024 * 1024 - 11) + b'"}'
    headers = {"Content-Type": "application/json"}
    assert ada.call("POST", "/api/chat/rooms/", data=fits, headers=headers).status_code == 400
    answer = ada.call("POST", "/api/chat/rooms/", data=fits + b" ", headers=headers)
    assert answer.status_code == 413 and answer.json()["detail"] == "Request body too large."
    assert server.anonymous().call("POST", "/nope/", data=fits + b" ", headers=headers).status_code == 413


@pytest.mark.parametrize("accept,status", [("application/json", 200), ("*/*", 200), ("application/*", 200), ("text/html", 406),
                                           ("text/html, */*;q=0.1", 200), ("application/json;q=0", 406), ("image/png", 406),
                                           ("", 200)])
def test_accept(server, ada, accept, status):
    answer = ada.get("/api/auth/profile/", headers={"Accept": accept})
    assert answer.status_code == status
    if status == 406:
        assert answer.json()["detail"] == "Could not satisfy the request Accept header."
        assert server.anonymous().get("/api/auth/profile/", headers={"Accept": accept}).status_code == 406
        assert server.anonymous().get("/nope/", headers={"Accept": accept}).status_code == 404


@pytest.mark.parametrize("host,status", [("evil.example", 400), ("127.0.0.1", 200), ("LOCALHOST:1", 200), ("[::1]:8000", 200),
                                         ("127.0.0.1.evil.example", 400), ("localhost@evil", 400)])
def test_host(server, host, status):
    answer = server.anonymous().get("/api/", headers={"Host": host})
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["detail"] == "Bad request."
    assert requests.get(server.url + "/healthz", headers={"Host": "evil.example"}, timeout=PATIENCE).status_code == 200


def test_204_has_no_body(ada):
    room = ada.room()
    answer = ada.delete(f"/api/chat/rooms/{room['id']}/")
    assert answer.status_code == 204 and answer.content == b"" and "Content-Type" not in answer.headers


def test_request_ids(server):
    assert server.anonymous().get("/api/", headers={"X-Request-ID": "abc-1"}).headers["X-Request-ID"] == "abc-1"
    assert server.anonymous().get("/nope/").headers["X-Request-ID"]
    assert "<" not in server.anonymous().get("/api/", headers={"X-Request-ID": "<x>"}).headers["X-Request-ID"]


def test_every_answer_varies_by_origin(server):
    assert "Origin" in server.anonymous().get("/api/").headers["Vary"]


def test_health(server):
    assert server.anonymous().get("/healthz").status_code == 200
    ready = server.anonymous().get("/readyz")
    assert ready.status_code == 200
    assert {"postgres" if server.database_url else "sqlite", "accounts", "chat"} <= set(json.loads(ready.text)["plugins"])
