"""contract.md 1.4: pages of other origins, and what of it a WebSocket goes by."""
import pytest

from parley import PATIENCE, Refused, Server, Socket
from routes import ID, ROUTES, ask

APP = "https://app.example.org"
ALLOWED = "authorization, content-type, accept, x-csrftoken, idempotency-key, if-match, if-none-match"
EXPOSED = {"Retry-After", "RateLimit", "RateLimit-Policy", "ETag", "X-Request-ID", "Idempotent-Replayed"}


@pytest.fixture(scope="module")
def app_server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("cors"), env={"CORS_ORIGINS": f"{APP}, http://localhost:5173"}) as running:
        yield running


def cors_of(answer):
    return {name for name in answer.headers if name.lower().startswith("access-control-")}


def preflight(server, path, origin, method="POST"):
    return ask(server, "OPTIONS", path, Origin=origin, Access_Control_Request_Method=method, Access_Control_Request_Headers="authorization")


@pytest.mark.parametrize("path", [r[0] for r in ROUTES] + ["/nope/", "/api/auth/login", "/healthz"])
def test_a_preflight_of_an_allowed_origin(app_server, path):
    answer = preflight(app_server, path, APP)
    assert answer.status_code == 204 and answer.content == b""
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert answer.headers["Access-Control-Allow-Headers"] == ALLOWED and answer.headers["Access-Control-Max-Age"] == "600"
    assert answer.headers["Vary"] == "Origin" and "Access-Control-Allow-Credentials" not in answer.headers


OTHERS = ["https://evil.example", "null", "*", APP + ".evil.example", APP + ":443", APP + "/", APP.upper(), "http://app.example.org", "", "https://"]


@pytest.mark.parametrize("origin", OTHERS)
def test_others_learn_nothing(app_server, origin):
    answer = preflight(app_server, "/api/auth/login/", origin)
    assert answer.status_code == 204 and not cors_of(answer) and answer.headers["Vary"] == "Origin"
    answer = ask(app_server, "GET", "/api/", Origin=origin)
    assert answer.status_code == 200 and not cors_of(answer) and answer.headers["Vary"] == "Origin"


FAULTS = [("GET", "/api/", None, {}, 200), ("GET", "/nope/", None, {}, 404), ("GET", "/api", None, {}, 301), ("GET", "/api/chat/rooms/", None, {}, 401),
          ("DELETE", "/api/", None, {}, 405), ("GET", "/api/", None, {"Accept": "image/png"}, 406), ("POST", "/api/auth/login/", b"{", {"Content_Type": "text/plain"}, 415),
          ("POST", "/api/auth/login/", {}, {}, 400), ("POST", "/api/auth/login/", b"x" * (1024 * 1024 + 1), {}, 413), ("GET", "/api/", None, {"host": "evil.example"}, 400)]


@pytest.mark.parametrize("method,path,body,more,status", FAULTS, ids=[str(f[4]) for f in FAULTS])
def test_every_answer_to_an_allowed_origin_may_be_read(app_server, method, path, body, more, status):
    answer = ask(app_server, method, path, body, Origin=APP, **more)
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == APP and answer.headers["Vary"] == "Origin"
    assert EXPOSED <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    without = ask(app_server, method, path, body, **more)
    assert without.status_code == status and not cors_of(without) and without.headers["Vary"] == "Origin"


def test_a_throttled_answer_may_be_read(own_server):
    server = own_server(env={"CORS_ORIGINS": APP, "THROTTLE_ANON": "1/hour"})
    ask(server, "GET", "/api/")
    answer = ask(server, "GET", "/api/", Origin=APP)
    assert answer.status_code == 429 and answer.headers["Access-Control-Allow-Origin"] == APP and answer.headers["Retry-After"]
    assert preflight(server, "/api/", APP).status_code == 204  # counts nowhere


def test_the_default_is_nobody_and_with_debug_the_developers_page(server, own_server):
    for origin in ("http://localhost:3000", "http://127.0.0.1:3000"):
        assert not cors_of(ask(server, "GET", "/api/", Origin=origin))
    debug = own_server(env={"DEBUG": "True"})
    for origin in ("http://localhost:3000", "http://127.0.0.1:3000"):
        assert ask(debug, "GET", "/api/", Origin=origin).headers["Access-Control-Allow-Origin"] == origin
    assert not cors_of(ask(debug, "GET", "/api/", Origin="http://localhost:3001"))


def test_a_list_that_says_everybody_is_refused(own_server):
    server = own_server(start=False, env={"CORS_ORIGINS": "*"})
    server.start(ready=False)
    server.wait_line(r'cors_origins: "\*" is not an origin as browsers send it')
    assert server.process.wait(PATIENCE) == 78


def test_a_socket_of_an_allowed_origin(app_server):
    ada = app_server.person()
    room = ada.room()
    with ada.socket(room, headers={"Origin": APP}) as socket:
        socket.say("hi")
        assert socket.message()["content"] == "hi"
    for path, token, code in ((f"/ws/chat/{room['id']}/", "nope", 4401), (f"/ws/chat/{ID}/", ada.token, 4404), ("/ws/nope/", ada.token, 4404)):
        with Socket.open(app_server, path, token=token, headers={"Origin": APP}) as socket:
            assert socket.closed().code == code


@pytest.mark.parametrize("path", [f"/ws/chat/{ID}/", "/ws/chat/x/", "/ws/nope/", "/nope"])
@pytest.mark.parametrize("origin", [o for o in OTHERS if o != "*"])
def test_a_bad_origin_is_403_whatever_is_there(app_server, path, origin):
    with pytest.raises(Refused) as refused:
        Socket.open(app_server, path, headers={"Origin": origin})
    assert refused.value.status == 403
