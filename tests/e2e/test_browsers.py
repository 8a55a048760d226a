"""contract.md 1.1 and 5.1: session cookies, CSRF, and all ways into a socket, in the order in which they count."""
import concurrent.futures
import re
import time

import pytest
import requests

from parley import PASSWORD, PATIENCE, ROOT, Refused, Socket, wait_until
from routes import ID, ask

CSRF = {"detail": "CSRF Failed: CSRF token missing or incorrect.", "code": "permission_denied"}
NO_CREDENTIALS = "Authentication credentials were not provided."


class Browser:
    """Somebody logged in by cookies alone."""

    def __init__(self, server, person=None):
        self.server, self.person = server, person or server.person(login=False)
        self.http = requests.Session()
        self.login = self.http.post(server.url + "/api/auth/login/", json={"email": self.person.email, "password": PASSWORD}, timeout=PATIENCE)
        assert self.login.status_code == 200, self.login.text
        self.key = self.login.json()["token"]

    @property
    def csrf(self):
        return self.http.cookies["csrftoken"]

    def call(self, method, path, body=None, origin=..., csrf=..., **headers):
        fields = {"Origin": self.server.url if origin is ... else origin, "X-CSRFToken": self.csrf if csrf is ... else csrf, **headers}
        return self.http.request(method, self.server.url + path, json=body, headers={k: v for k, v in fields.items() if v is not None},
                                 timeout=PATIENCE, allow_redirects=False)


def cookies_of(answer):
    """{name: attributes} of its Set-Cookie lines; attributes: {name in lower case: value}, the cookie's own under ''"""
    found = {}
    for line in answer.raw.headers.getlist("Set-Cookie"):
        first, *more = [part.strip() for part in line.split(";")]
        name, _, value = first.partition("=")
        assert name not in found, "set twice"
        found[name] = {"": value, **{k.lower(): v for k, _, v in (m.partition("=") for m in more)}}
    return found


# ---- the cookies ----
def test_login_sets_both_cookies(server):
    browser = Browser(server)
    cookies = cookies_of(browser.login)
    assert set(cookies) == {"parley_session", "csrftoken"}
    session, csrf = cookies["parley_session"], cookies["csrftoken"]
    assert session[""] == browser.key and "httponly" in session and "httponly" not in csrf
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", csrf[""]) and csrf[""] not in browser.login.text
    for cookie in (session, csrf):
        assert cookie["samesite"] == "Lax" and cookie["path"] == "/" and "secure" not in cookie and "domain" not in cookie
        assert cookie["max-age"] == str(30 * 86400)
    assert browser.login.json()["expires_at"] > browser.login.json()["user"]["date_joined"]


def test_behind_https_they_are_secure(own_server):
    server = own_server(env={"SITE_URL": "https://chat.example.org"})
    for cookie in cookies_of(Browser(server).login).values():
        assert "secure" in cookie and cookie["samesite"] == "Lax"


def test_a_refused_login_sets_none(server):
    person = server.person(login=False)
    for body in ({"email": person.email, "password": "wrong password"}, {"email": "nobody@example.org", "password": "x"}, {}):
        assert not cookies_of(requests.post(server.url + "/api/auth/login/", json=body, timeout=PATIENCE))


def test_each_session_has_its_own_csrf_token_for_good(own_server):
    server = own_server(env={"SECRET_KEY": "k" * 32})
    one = Browser(server)
    two = Browser(server, one.person)
    assert one.csrf != two.csrf and one.key != two.key
    assert two.call("POST", "/api/chat/rooms/", {"name": "x"}, csrf=one.csrf).status_code == 403
    server.end()
    server.start()  # the HMAC is made again, nothing of it is stored
    assert one.call("POST", "/api/chat/rooms/", {"name": "x"}).status_code == 201


# ---- requests by cookie alone ----
def test_reading_needs_nothing_but_the_cookie(server):
    browser = Browser(server)
    for method, path in (("GET", "/api/auth/profile/"), ("HEAD", "/api/auth/profile/"), ("OPTIONS", "/api/auth/profile/"), ("GET", "/api/chat/rooms/")):
        assert browser.call(method, path, origin=None, csrf=None).status_code == 200
        assert browser.call(method, path, origin="https://evil.example", csrf="x").status_code == 200
    assert browser.call("GET", "/api/auth/profile/").json()["email"] == browser.person.email


FORGED = [
    ("no token", {"csrf": None}), ("an empty one", {"csrf": ""}), ("a wrong one", {"csrf": "x" * 43}), ("a longer one", {"csrf": "{csrf}x"}),
    ("another case", {"csrf": "{CSRF}"}), ("no origin", {"origin": None}), ("another origin", {"origin": "https://evil.example"}), ("a null origin", {"origin": "null"}),
    ("a prefix", {"origin": "{site}.evil.example"}), ("another port", {"origin": "http://127.0.0.1:1"}), ("an empty origin", {"origin": ""}),
    ("another referer", {"origin": None, "Referer": "https://evil.example/"}), ("a good referer beside a bad origin", {"origin": "null", "Referer": "{site}/"}),
    ("the site in the referer's path", {"origin": None, "Referer": "https://evil.example/{site}/"}),
]


@pytest.mark.parametrize("method,path,body", [("POST", "/api/chat/rooms/", {"name": "forged"}), ("PATCH", "/api/chat/rooms/", {}), ("DELETE", f"/api/chat/rooms/{ID}/", None),
                                              ("PUT", f"/api/chat/rooms/{ID}/", {"name": "x"}), ("POST", "/api/auth/logout/", None), ("POST", "/api/auth/ws-ticket/", None)])
def test_forged_requests(server, method, path, body):
    browser = Browser(server)
    for label, more in FORGED:
        more = {k: v and v.format(csrf=browser.csrf, CSRF=browser.csrf.swapcase(), site=server.url) for k, v in more.items()}
        answer = browser.call(method, path, body, **more)
        assert (answer.status_code, answer.json()) == (403, CSRF), label
    assert browser.call("GET", "/api/chat/rooms/").json()["count"] == 0  # and none has had an effect
    assert browser.call("GET", "/api/auth/profile/").status_code == 200


def test_a_page_of_the_site_may_act(server):
    browser = Browser(server)
    for more in ({}, {"origin": None, "Referer": server.url + "/some/page?x=1"}):
        assert browser.call("POST", "/api/chat/rooms/", {"name": "mine"}, **more).status_code == 201, more
    host = f"localhost:{server.port}"  # not SITE_URL's, but one that is allowed
    assert ask(server, "POST", "/api/chat/rooms/", {"name": "mine"}, host=host, Origin=f"http://{host}", Cookie=f"parley_session={browser.key}",
               X_CSRFToken=browser.csrf).status_code == 201
    assert browser.call("POST", "/api/auth/ws-ticket/").status_code == 201


def test_with_an_authorization_header_cookies_are_ignored(server):
    browser, other = Browser(server), server.person()
    headers = {"Authorization": f"Token {other.token}"}
    assert browser.call("GET", "/api/auth/profile/", **headers).json()["email"] == other.email
    assert browser.call("POST", "/api/chat/rooms/", {"name": "x"}, origin=None, csrf=None, **headers).status_code == 201  # and no CSRF is asked for
    for value, detail in (("Basic x", NO_CREDENTIALS), ("Token nope", "Invalid token."), ("Token", "Invalid token header. No credentials provided.")):
        answer = browser.call("GET", "/api/auth/profile/", Authorization=value)
        assert answer.status_code == 401 and answer.json()["detail"] == detail


def test_an_allowed_origin_of_another_site_may_not_act_by_cookie(own_server):
    server = own_server(env={"CORS_ORIGINS": "https://app.example.org"})
    answer = Browser(server).call("POST", "/api/chat/rooms/", {"name": "x"}, origin="https://app.example.org")
    assert (answer.status_code, answer.json()) == (403, CSRF)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.org" and "Access-Control-Allow-Credentials" not in answer.headers


def test_open_addresses_ignore_both(server):
    browser = Browser(server)
    assert browser.call("POST", "/api/auth/login/", {"email": browser.person.email, "password": PASSWORD}, origin="https://evil.example", csrf=None).status_code == 200
    for path in ("register/", "resend-verification/", "reset-password/"):
        assert browser.call("POST", f"/api/auth/{path}", {}, origin=None, csrf=None).status_code == 400
    for path in ("verify-email/x/", "reset-password/x/"):
        assert browser.call("POST", f"/api/auth/{path}", {}, origin=None, csrf=None).status_code == 400
    assert browser.call("GET", "/api/", origin=None, csrf=None).status_code == 200


def raw_cookie(server, cookie, method="GET", path="/api/auth/profile/", **more):
    return ask(server, method, path, Cookie=cookie, **more)


def test_cookie_headers_of_any_form(server):
    browser, other = Browser(server), Browser(server)
    good = f"parley_session={browser.key}"
    for cookie in (good, f"a=b; {good}", f"{good}; {good}", f"{good};", f"; ;{good}; x", f"parley_session; {good}", f"parley_session=; {good}", f"Parley_Session=x; {good}"):
        assert raw_cookie(server, cookie).status_code == 200, cookie
    bad = ["", ";", "=", "parley_session", "parley_session=", "parley_session=nope", "parley_session=" + "ply_" + "A" * 43, f"parley_session={browser.key}x",
           f"parley_session={browser.key[:-1]}", f"parley_session={browser.key.swapcase()}", f'parley_session="{browser.key}"', f"{good}; parley_session={other.key}",
           f"parley_session=x; {good}", f"csrftoken={browser.csrf}", f"sessionid={browser.key}", "parley_session=" + "x" * 7000, "parley_session=\xff\xfe", f"parley_session={browser.key}, x=y"]
    for cookie in bad:
        answer = raw_cookie(server, cookie)
        assert answer.status_code == 401 and answer.json()["detail"] == NO_CREDENTIALS, cookie
        assert answer.headers["WWW-Authenticate"] == "Token"
    assert raw_cookie(server, bad[6], "POST", "/api/chat/rooms/", body={"name": "x"}).status_code == 401  # not 403: there is no session


def test_a_session_in_use_gets_its_cookies_anew(own_server):
    server = own_server(config=(ROOT / "config/parley.yaml").read_text().replace("  - accounts:\n", "  - accounts:\n      session_ttl: 60s\n"))
    browser = Browser(server)
    assert cookies_of(browser.login)["parley_session"]["max-age"] == "60"
    first = browser.login.json()["expires_at"]
    # Sixty seconds are written anew after a quarter of them; the clock of the test's database is turned, not waited for.
    server.query("UPDATE sessions SET last_used_at = last_used_at - 20000000, expires_at = expires_at - 20000000 RETURNING id")
    server.end()
    server.start()
    answer = browser.call("GET", "/api/auth/profile/")
    assert answer.status_code == 200
    cookies = cookies_of(answer)
    assert cookies["parley_session"][""] == browser.key and cookies["csrftoken"][""] == browser.csrf and cookies["parley_session"]["max-age"] == "60"
    assert not cookies_of(browser.call("GET", "/api/auth/profile/"))
    assert not cookies_of(ask_profile_by_header(server, browser.key))
    expires = wait_until("the session to last longer", lambda: [r for r in server.query("SELECT expires_at, last_used_at FROM sessions") if int(r[0]) - int(r[1]) == 60_000_000])
    assert len(expires) == 1 and first


def ask_profile_by_header(server, key):
    return requests.get(server.url + "/api/auth/profile/", headers={"Authorization": f"Token {key}"}, timeout=PATIENCE)


def test_a_session_ends_when_it_is_not_used(own_server):
    server = own_server()
    browser = Browser(server)
    server.end()
    server.start()
    server.query("UPDATE sessions SET expires_at = 1 RETURNING id")
    assert browser.call("GET", "/api/auth/profile/").status_code == 401
    assert ask_profile_by_header(server, browser.key).status_code == 401


# ---- ways into a socket ----
@pytest.fixture(scope="module")
def ada(server):
    return Browser(server)


@pytest.fixture(scope="module")
def room(server, ada):
    answer = ada.call("POST", "/api/chat/rooms/", {"name": "Room"})
    assert answer.status_code == 201
    return answer.json()["id"]


def ticket(browser):
    answer = browser.call("POST", "/api/auth/ws-ticket/")
    assert answer.status_code == 201 and answer.json()["expires_in"] == 30 and set(answer.json()) == {"ticket", "expires_in"}
    return answer.json()["ticket"]


def opens(server, room, query="", **headers):
    """The socket's own words come back."""
    with Socket.open(server, f"/ws/chat/{room}/{query}", headers={k.replace("_", "-"): v for k, v in headers.items()}) as socket:
        socket.say("hi")
        assert socket.message()["content"] == "hi"
        return socket.headers


def refused(server, room, query="", **headers):
    with pytest.raises(Refused) as caught:
        Socket.open(server, f"/ws/chat/{room}/{query}", headers={k.replace("_", "-"): v for k, v in headers.items()})
    return caught.value.status


def closed(server, room, query="", **headers):
    with Socket.open(server, f"/ws/chat/{room}/{query}", headers={k.replace("_", "-"): v for k, v in headers.items()}) as socket:
        return socket.closed().code


def test_the_bare_websocket_of_a_page(server, ada, room):
    """new WebSocket("ws://.../ws/chat/<id>/"): a browser sends its cookie and where the page came from"""
    cookie = f"parley_session={ada.key}"
    assert "sec-websocket-protocol" not in opens(server, room, Cookie=cookie, Origin=server.url)
    assert refused(server, room, Cookie=cookie) == 401  # no browser
    assert refused(server, room, Cookie=cookie, Origin="https://evil.example") == 403
    assert refused(server, room, Cookie=cookie, Origin="null") == 403
    assert closed(server, room, Cookie="parley_session=nope", Origin=server.url) == 4401
    assert closed(server, room, Origin=server.url) == 4401
    assert closed(server, ID, Cookie=cookie, Origin=server.url) == 4404


def test_a_key_in_the_subprotocol(server, ada, room):
    for offered, echoed in ((f"token, {ada.key}", "token"), (f"parley.v1, parley.token.{ada.key}", "parley.v1"), (f"token,{ada.key}", "token"),
                            (f"parley.token.{ada.key}, parley.v1", "parley.v1")):
        headers = opens(server, room, Sec_WebSocket_Protocol=offered)
        assert headers["sec-websocket-protocol"] == echoed and ada.key not in str(headers)
    for offered in ("token, nope", "parley.v1, parley.token.nope", f"token, {ada.key}x"):
        assert refused(server, room, Sec_WebSocket_Protocol=offered) == 401
        assert closed(server, room, Sec_WebSocket_Protocol=offered, Origin=server.url) == 4401
    for offered in ("token", "parley.v1", "parley.v1, parley.token.", "other"):
        assert refused(server, room, Sec_WebSocket_Protocol=offered) == 401
    headers = opens(server, room, Sec_WebSocket_Protocol="parley.v1", Cookie=f"parley_session={ada.key}", Origin=server.url)
    assert headers["sec-websocket-protocol"] == "parley.v1"
    assert "sec-websocket-protocol" not in opens(server, room, Sec_WebSocket_Protocol="graphql-ws", Authorization=f"Token {ada.key}")


def test_a_ticket_opens_one_socket(server, ada, room):
    one = ticket(ada)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", one)
    opens(server, room, f"?ticket={one}")
    assert refused(server, room, f"?ticket={one}") == 401
    assert closed(server, room, f"?ticket={one}", Origin=server.url) == 4401
    opens(server, room, f"?ticket={ticket(ada)}", Origin=server.url)
    for bad in ("", "nope", "A" * 43, one + "x", ada.key):
        assert refused(server, room, f"?ticket={bad}") == 401
    assert not [row for row in server.query("SELECT ticket_hash FROM ws_tickets") if row[0] == one]  # hashes only


def test_a_ticket_is_no_key(server, ada, room):
    one = ticket(ada)
    for headers in ({"Authorization": f"Token {one}"}, {"Cookie": f"parley_session={one}", "Origin": server.url}):
        assert ask(server, "GET", "/api/auth/profile/", **headers).status_code == 401
    assert ask(server, "GET", f"/api/auth/profile/?ticket={one}").status_code == 401
    opens(server, room, f"?ticket={one}")  # and is still good


def test_of_racing_uses_of_a_ticket_one_succeeds(server, ada, room):
    for _ in range(3):
        one = ticket(ada)

        def use(_, one=one):
            try:
                with Socket.open(server, f"/ws/chat/{room}/?ticket={one}"):
                    return 101
            except Refused as no:
                return no.status
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            assert sorted(pool.map(use, range(50))) == [101] + [401] * 49


def test_a_ticket_expires(own_server):
    server = own_server()
    browser = Browser(server)
    room = browser.call("POST", "/api/chat/rooms/", {"name": "Room"}).json()["id"]
    one = ticket(browser)
    left = [int(row[0]) / 1e6 - time.time() for row in server.query("SELECT expires_at FROM ws_tickets")]
    assert len(left) == 1 and 0 < left[0] <= 30
    server.query("UPDATE ws_tickets SET expires_at = 1 RETURNING session_id")
    assert refused(server, room, f"?ticket={one}") == 401


def test_a_ticket_belongs_to_its_session(server):
    browser = Browser(server)
    room = browser.call("POST", "/api/chat/rooms/", {"name": "Room"}).json()["id"]
    one, two = ticket(browser), ticket(browser)
    with Socket.open(server, f"/ws/chat/{room}/?ticket={one}") as socket:
        socket.sync()
        assert browser.call("POST", "/api/auth/logout/").status_code == 204
        assert socket.closed().code == 4401
    assert refused(server, room, f"?ticket={two}") == 401


def test_a_key_in_the_query_counts_only_if_that_is_set(server, ada, room, own_server):
    assert refused(server, room, f"?token={ada.key}") == 401
    assert closed(server, room, f"?token={ada.key}", Origin=server.url) == 4401
    assert ask(server, "GET", f"/api/auth/profile/?token={ada.key}").status_code == 401
    text = (ROOT / "config/parley.yaml").read_text().replace("  - accounts:\n", "  - accounts:\n      query_token: true\n")
    other = own_server(config=text)
    browser = Browser(other)
    own = browser.call("POST", "/api/chat/rooms/", {"name": "Room"}).json()["id"]
    opens(other, own, f"?token={browser.key}")
    assert refused(other, own, "?token=nope") == 401
    assert ask(other, "GET", f"/api/auth/profile/?token={browser.key}").status_code == 401  # REST: never


def test_the_first_way_that_is_there_counts(server, own_server):
    text = (ROOT / "config/parley.yaml").read_text().replace("  - accounts:\n", "  - accounts:\n      query_token: true\n")
    server = own_server(config=text)
    people = {name: Browser(server) for name in ("ticket", "header", "subprotocol", "cookie", "query")}
    host = people["ticket"]
    room = host.call("POST", "/api/chat/rooms/", {"name": "Room", "participant_emails": [p.person.email for p in people.values()]}).json()["id"]
    names = list(people)
    for i, name in enumerate(names):
        for good in (True, False):
            key = {n: p.key if n != name or good else "nope" for n, p in people.items()}
            query, headers = f"?token={key['query']}", {"Origin": server.url}
            if name == "ticket":
                query += f"&ticket={ticket(host) if good else 'nope'}"
            if i <= 1:
                headers["Authorization"] = f"Token {key['header']}"
            if i <= 2:
                headers["Sec-WebSocket-Protocol"] = f"token, {key['subprotocol']}"
            if i <= 3:
                headers["Cookie"] = f"parley_session={key['cookie']}"
            with Socket.open(server, f"/ws/chat/{room}/{query}", headers=headers) as socket:
                if good:
                    socket.say("me")
                    assert socket.message()["sender"]["id"] == people[name].person.id, name
                else:  # it counts though it is bad
                    assert socket.closed().code == 4401, name


def test_nothing_secret_is_in_any_log(own_server):
    text = (ROOT / "config/parley.yaml").read_text().replace("  - accounts:\n", "  - accounts:\n      query_token: true\n")
    server = own_server(config=text, env={"DEBUG": "true"})
    browser = Browser(server)
    room = browser.call("POST", "/api/chat/rooms/", {"name": "Room"}).json()["id"]
    one, unused, wrong = ticket(browser), ticket(browser), "W" * 43
    opens(server, room, f"?ticket={one}")
    opens(server, room, f"?token={browser.key}")
    opens(server, room, Cookie=f"parley_session={browser.key}", Origin=server.url)
    opens(server, room, Sec_WebSocket_Protocol=f"token, {browser.key}")
    refused(server, room, f"?ticket={wrong}")
    refused(server, room, f"?ticket={unused}", Origin="https://evil.example")
    refused(server, "x", f"?ticket={unused}&token={browser.key}")
    browser.call("GET", f"/nope?token={browser.key}")
    browser.call("POST", "/api/auth/reset-password/", {"email": browser.person.email})
    token = re.search(r"/reset-password/([A-Za-z0-9_-]{43})/", server.wait_mail(browser.person.email, 2).get_content()).group(1)
    assert ask(server, "POST", f"/api/auth/reset-password/{token}/", b"x" * (1024 * 1024 + 1)).status_code == 413  # the link is still good
    assert browser.call("POST", f"/api/auth/reset-password/{token}/", {"password": "another good one", "password_confirm": "another good one"}).status_code == 204
    csrf = cookies_of(browser.login)["csrftoken"][""]
    server.end()
    logs = server.text() + "".join(f.read_text(errors="replace") for f in server.logs.iterdir())
    assert "/ws/chat/" in logs  # they have been there
    for secret in (browser.key, browser.key[4:], one, unused, wrong, csrf, token, PASSWORD, "another good one"):
        assert secret not in logs
    if not server.database_url:
        database = (server.data / "parley.db").read_bytes()
        for secret in (browser.key[4:], one, unused, csrf, token, PASSWORD, "another good one"):
            assert secret.encode() not in database
