"""contract.md 1, 1.1 and 1.2: which of several faults is told, on every route; slashes, HEAD, OPTIONS, Allow."""
import pytest

from parley import PATIENCE, Socket, Refused
from routes import ID, METHODS, ROOM, ROUTES, ask

PATHS = [r[0] for r in ROUTES]
NONE = "Authentication credentials were not provided."
BIG = b"x" * (1024 * 1024 + 1)


@pytest.fixture(scope="module")
def ada(server):
    return server.person("ada")


@pytest.fixture(scope="module")
def room(server, ada):
    """ada's room with bob; bob's key; a message of ada's"""
    bob = server.person("bob")
    made = ada.room(bob)
    return made, bob, ada.say(made, "x")


def detail(answer):
    return answer.json()["detail"]


@pytest.mark.parametrize("path,allow,locked", ROUTES, ids=PATHS)
def test_every_method_of_every_route(server, ada, path, allow, locked):
    for method in METHODS:
        body = b"{}" if method in ("POST", "PUT", "PATCH") else None
        known = ask(server, method, path, body, ada.token, Content_Type="application/json")
        anonymous = ask(server, method, path, body, Content_Type="application/json")
        if locked:
            assert anonymous.status_code == 401, (method, anonymous.text)
            assert anonymous.headers["WWW-Authenticate"] == "Token"
            assert method == "HEAD" or detail(anonymous) == NONE
        if method == "OPTIONS":
            assert known.status_code == 200 and isinstance(known.json(), dict)
            assert set(known.headers["Allow"].split(", ")) == set(allow.split(", "))
        elif method not in allow.split(", ") or path.endswith("nope/") and method in ("GET", "HEAD"):
            assert known.status_code == 405, (method, known.text)
            assert locked or anonymous.status_code == 405
            assert method == "HEAD" or detail(known) == f'Method "{method}" not allowed.'
            assert set(known.headers["Allow"].split(", ")) in (set(allow.split(", ")), {"POST", "OPTIONS"})
        else:
            assert known.status_code in (200, 400, 404), (method, known.text)
        for answer in (known, anonymous):
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Type"] == "application/json"
            assert method != "HEAD" or answer.content == b""


@pytest.mark.parametrize("path,allow,locked", ROUTES, ids=PATHS)
def test_a_path_without_its_slash(server, ada, path, allow, locked):
    bare = path[:-1]
    for query in ("", "?", "?limit=1&x=%2F%0d%0a", "?a/b"):
        for method in ("GET", "HEAD"):
            for more in ({}, {"Accept": "image/png"}, {"Authorization": "Token nope"}):
                answer = ask(server, method, bare + query, **more)
                assert answer.status_code == 301, (method, answer.text)
                assert answer.headers["Location"] in (path + query, server.url + path + query,
                                                      *((path, server.url + path) if query == "?" else ())), query
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        for token in (None, ada.token):
            body = b"{}" if method in ("POST", "PUT", "PATCH") else None
            with_it = ask(server, method, path, body, token, Content_Type="application/json")
            without = ask(server, method, bare, body, token, Content_Type="application/json")
            assert (without.status_code, without.content) == (with_it.status_code, with_it.content), method


@pytest.mark.parametrize("path,allow,locked", ROUTES, ids=PATHS)
def test_what_comes_first(server, ada, path, allow, locked):
    method = "POST" if "POST" in allow else allow.split(", ")[0]
    # the size before everything: an unknown path, a missing key, a wrong method
    for target, verb in ((path, method), (path, "PATCH"), ("/nope/", "POST")):
        answer = ask(server, verb, target, BIG, Accept="image/png", Content_Type="text/plain")
        assert answer.status_code == 413 and detail(answer) == "Request body too large."
    # the Host before the path, the path before Accept
    assert ask(server, method, "/nope/", host="evil.example", Accept="image/png").status_code == 400
    assert ask(server, method, path + "nope/nope/", Accept="image/png").status_code == 404
    # Accept before the key, the method and the body
    for verb in (method, "PATCH"):
        answer = ask(server, verb, path, b"{", Accept="image/png", Content_Type="text/plain")
        assert answer.status_code == 406 and detail(answer) == "Could not satisfy the request Accept header."
    # the key before the method, the room and the body
    if locked:
        for verb in (method, "PATCH"):
            answer = ask(server, verb, path, b"{", Content_Type="text/plain", Authorization="Token nope")
            assert answer.status_code == 401 and detail(answer) == "Invalid token."
    # the method before the room and the body
    wrong = "PUT" if "PATCH" in allow else "PATCH"
    assert ask(server, wrong, path, b"{", ada.token, Content_Type="text/plain").status_code == 405
    if ID in path:  # the room before the body
        for kind in ("text/plain", "application/json; charset=latin-1", "application/json"):
            answer = ask(server, method, path, b"{" if method != "GET" else None, ada.token, Content_Type=kind)
            assert answer.status_code == 404 and detail(answer) == "Not found."


BODIES = [
    (b"a=b", "application/x-www-form-urlencoded", 415),
    (b"--x--", "multipart/form-data; boundary=x", 415),
    (b"{}", "text/plain", 415),
    (b"{}", "application/json-patch+json", 415),
    (b"{}", "application/jsonx", 415),
    (b"{}", "application/json; charset=latin-1", 415),
    (b"{}", "application/json; charset=utf-8; x=y", 415),
    (b"{}", "application/json;charset", 415),
    (b"{}", "application/json x", 415),
    (b"{}", "application/json, text/plain", 415),
    (b"{}", "", 415),
    (b"{}", None, 415),
    (b"{", "text/plain", 415),
    (b"{", "application/json", 400),
    (b"[]", "application/json", 400),
    (b"{}", "Application/JSON;charset=utf-8", 400),
    (b"{}", 'application/json; charset="UTF-8"', 400),
    (b"{}", "application/json;", 400),
    (b"{}", " application/json ; charset=utf-8 ", 400),
]


@pytest.mark.parametrize("body,kind,status", BODIES, ids=[f"{b[1]} {b[0]}" for b in BODIES])
def test_the_media_type_before_the_body_on_all_routes_that_take_one(server, ada, room, body, kind, status):
    here, _, _ = room
    for method, path in [("POST", "/api/auth/register/"), ("POST", "/api/auth/login/"), ("POST", "/api/auth/resend-verification/"),
                         ("POST", "/api/chat/rooms/"), ("PUT", f"/api/chat/rooms/{here['id']}/"),
                         ("POST", f"/api/chat/rooms/{here['id']}/send/"), ("POST", f"/api/chat/rooms/{here['id']}/participants/")]:
        answer = ask(server, method, path, body, ada.token, Content_Type=kind)
        assert answer.status_code == status, (path, answer.text)
        if status == 415:
            assert detail(answer) == f'Unsupported media type "{(kind or "").strip()}" in request.'
        elif body == b"{":
            assert detail(answer).startswith("JSON parse error - ")
        elif body == b"[]":
            assert answer.json() == {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}
        else:
            assert "detail" not in answer.json() and all(isinstance(v, list) for v in answer.json().values())


def test_permission_before_the_body(server, room):
    here, bob, _ = room
    for method, below in (("PUT", ""), ("POST", "participants/")):
        for body, kind in ((b"{", "text/plain"), (b"{}", "application/json; charset=latin-1"), (b"{", "application/json"), (b"{}", "application/json"), (b"[]", "application/json")):
            answer = ask(server, method, f"/api/chat/rooms/{here['id']}/{below}", body, bob.token, Content_Type=kind)
            assert answer.status_code == 403 and detail(answer) == "Only the creator of the room may do this."


KEYS = [
    ("Token {}", 200), ("token {}", 200), ("TOKEN {}", 200), ("Bearer {}", 200), ("bEARER {}", 200),
    ("Token  {}", 200), ("Token\t{}", 200), ("Token {} ", 200), ("Token {}\t ", 200),
    ("Token", "Invalid token header. No credentials provided."),
    ("token", "Invalid token header. No credentials provided."),
    ("Token ", "Invalid token header. No credentials provided."),
    ("Bearer", "Invalid token header. No credentials provided."),
    ("Token {} {}", "Invalid token header. Token string should not contain spaces."),
    ("Token {} x", "Invalid token header. Token string should not contain spaces."),
    ("Token a b c", "Invalid token header. Token string should not contain spaces."),
    ("Token {}\u00e9", "Invalid token header. Token string should not contain invalid characters."),
    ("Token {}x", "Invalid token."), ("Token x{}", "Invalid token."), ("Token Token{}", "Invalid token."),
    ("Token PLY_", "Invalid token."), ("Token '", "Invalid token."), ("Token {},", "Invalid token."),
    ("", NONE), ("{}", NONE), ("Tokens {}", NONE), ("Token{}", NONE), ("Basic {}", NONE), ("Token:{}", NONE),
    ("Digest username=x", NONE), ("Token, {}", NONE),
]


@pytest.mark.parametrize("header,wanted", KEYS, ids=[k[0] for k in KEYS])
def test_forms_of_the_header(server, ada, header, wanted):
    answer = ask(server, "GET", "/api/auth/profile/", Authorization=header.replace("{}", ada.token).encode("utf-8"))
    if wanted == 200:
        assert answer.status_code == 200, answer.text
        return
    assert answer.status_code == 401 and detail(answer) == wanted
    assert answer.headers["WWW-Authenticate"] == "Token"


def test_a_key_is_not_found_by_a_part_or_another_case(server, ada):
    for key in (ada.token[:-1], ada.token.lower(), ada.token.upper(), ada.token[4:], ada.token.swapcase()):
        assert detail(ask(server, "GET", "/api/auth/profile/", token=key)) == "Invalid token."


@pytest.mark.parametrize("path", ["/api/", "/api/auth/register/", "/api/auth/login/", "/api/auth/resend-verification/",
                                  "/api/auth/verify-email/nope/"])
def test_open_routes_ignore_any_header(server, ada, path):
    method = "GET" if path == "/api/" else "POST"
    plain = ask(server, method, path)
    for header in ("Token", "Token a b", "Token \u00e9", "Token nope", f"Token {ada.token}", "Basic x"):
        answer = ask(server, method, path, Authorization=header.encode())
        assert (answer.status_code, answer.content) == (plain.status_code, plain.content)


# Wrong forms of an id, as they stand in the path.
WRONG = ["x", "0", "1", "-1", "12345678901234567890", "%00", "%00" * 12, "'", "%22", "%27%20OR%201=1--", "..", "%2e%2e", "%2f", ID.upper(),
         ID[:-1], ID + "0", ID.replace("-", ""), "{" + ID + "}", "urn:uuid:" + ID, ID + "%00", ID + "%20", "%20" + ID, ID.replace("a", "g"),
         ID.replace("-", "_"), "%ff%fe", "%", "%zz", "%d9%a0" * 8, "null", "undefined", "me", "*", ";", "a" * 4000, "%F0%9F%98%80"]


@pytest.mark.parametrize("wrong", WRONG, ids=[w[:40] for w in WRONG])
def test_ids_of_the_wrong_form_are_unknown_paths_everywhere(server, ada, room, wrong):
    here = room[0]["id"]
    for method, path in [("GET", f"/api/chat/rooms/{wrong}/"), ("PUT", f"/api/chat/rooms/{wrong}/"), ("DELETE", f"/api/chat/rooms/{wrong}/"),
                         ("GET", f"/api/chat/rooms/{wrong}/messages/"), ("POST", f"/api/chat/rooms/{wrong}/send/"),
                         ("POST", f"/api/chat/rooms/{wrong}/participants/"), ("PATCH", f"/api/chat/rooms/{wrong}/send/"),
                         ("DELETE", f"/api/chat/rooms/{wrong}/participants/{ID}/"),
                         ("DELETE", f"/api/chat/rooms/{here}/participants/{wrong}/"),
                         ("DELETE", f"/api/chat/messages/{wrong}/"), ("GET", f"/api/chat/messages/{wrong}/"),
                         ("GET", f"/ws/chat/{wrong}/")]:
        for token in (ada.token, None):
            answer = ask(server, method, path, b"{}" if method in ("POST", "PUT") else None, token, Content_Type="application/json")
            assert answer.status_code == 404 and detail(answer) == "Not found.", (method, path, answer.text)
    with pytest.raises(Refused) as refused:
        Socket.open(server, f"/ws/chat/{wrong}/", token=ada.token)
    assert refused.value.status == 404


def test_any_version_of_uuid_is_well_formed(server, ada):
    for form in ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "019a1b2c-0000-4000-0000-0000000000c3"):
        assert ask(server, "GET", f"/api/chat/rooms/{form}/", token=None).status_code == 401
        assert ask(server, "GET", f"/api/chat/rooms/{form}/", token=ada.token).status_code == 404


def test_head_answers_as_get_everywhere(server, ada, room):
    here = room[0]["id"]
    for path in ("/api/", "/api/auth/profile/", "/api/chat/rooms/", f"/api/chat/rooms/{here}/", f"/api/chat/rooms/{here}/messages/", ROOM,
                 "/nope/", "/api/auth/login/"):
        got, head = ask(server, "GET", path, token=ada.token), ask(server, "HEAD", path, token=ada.token)
        assert head.status_code == got.status_code and head.content == b"", path
        if got.status_code == 200:
            assert head.headers["Content-Length"] == got.headers["Content-Length"]
        assert head.headers["Content-Type"] == got.headers["Content-Type"] == "application/json"


def test_the_answer_to_a_faulty_request_leaves_the_connection_usable(ada):
    for _ in range(2):
        assert ada.get("/nope/").status_code == 404
        assert ada.http.post(ada.server.url + "/api/chat/rooms/", data=b"{", headers={"Content-Type": "application/json"},
                             timeout=PATIENCE).status_code == 400
        assert ada.get("/api/auth/profile/").status_code == 200
