"""contract.md section 2, "Sessions, passwords, tickets": lists, ends, changes, resets; and what live sockets see of it."""
import concurrent.futures
import re
import time

import pytest
import requests

from parley import PASSWORD, PATIENCE, ROOT, Closed, Socket, wait_until
from routes import ID, ask

FRESH = "a battery of horses"
SAME = {"message": "If that address belongs to an account, a mail is on its way."}
DEAD = {"detail": "Invalid or expired token.", "code": "invalid_token"}
REQUIRED = ["This field is required."]
HTML = "text/html,application/xhtml+xml,*/*;q=0.8"


def login(server, person, password=PASSWORD, **headers):
    return requests.post(server.url + "/api/auth/login/", json={"email": person.email, "password": password}, headers=headers, timeout=PATIENCE)


def key(server, person, **headers):
    answer = login(server, person, **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["token"]


def profile(server, token):
    return ask(server, "GET", "/api/auth/profile/", token=token).status_code


def sessions(server, token, query=""):
    answer = ask(server, "GET", "/api/auth/sessions/" + query, token=token)
    assert answer.status_code == 200, answer.text
    return answer.json()


def audit(server, person):
    rows = server.query("SELECT a.action, a.ip, a.user_agent, a.detail, a.actor_id FROM audit_log a JOIN users u ON u.id = a.subject_id"
                        f" WHERE u.email_key = '{person.email}' ORDER BY a.id")
    return [tuple(row) for row in rows]


# ---- the list ----
def test_the_list_of_sessions(server):
    person = server.person(login=False)
    first = key(server, person, **{"User-Agent": "Firefox/1 \u00e9\t<b>".encode("latin-1")})
    second = key(server, person, **{"User-Agent": "curl/8"})
    page = sessions(server, second)
    assert page["count"] == 2 and page["next"] is None and page["previous"] is None
    new, old = page["results"]
    assert set(new) == {"id", "created_at", "last_used_at", "current", "user_agent", "ip"}
    assert (new["current"], old["current"]) == (True, False) and new["created_at"] > old["created_at"]
    assert new["user_agent"] == "curl/8" and old["user_agent"] == "Firefox/1 ??<b>" and new["ip"] == old["ip"] == "127.0.0.1"
    for one in (new, old):
        assert re.fullmatch(r"[0-9a-f-]{36}", one["id"]) and one["created_at"] <= one["last_used_at"]
        for name in ("created_at", "last_used_at"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", one[name])
    assert [s["current"] for s in sessions(server, first)["results"]] == [False, True]
    paged = sessions(server, second, "?limit=1")
    assert paged["results"] == [new] and paged["next"] == server.url + "/api/auth/sessions/?limit=1&offset=1"
    assert sessions(server, second, "?limit=1&offset=1")["results"] == [old]
    for secret in (first, second):
        assert secret not in str(page)


def test_nobody_sees_the_sessions_of_others(server):
    ada, eve = server.person(), server.person()
    own = sessions(server, ada.token)["results"][0]["id"]
    assert own not in str(sessions(server, eve.token))
    answer = ask(server, "DELETE", f"/api/auth/sessions/{own}/", token=eve.token)
    assert (answer.status_code, answer.json()["detail"]) == (404, "Not found.")
    assert profile(server, ada.token) == 200


@pytest.mark.parametrize("one", [ID, "x", "1", "%00", "'"])
def test_ending_a_session_that_is_none(server, one):
    ada = server.person()
    answer = ask(server, "DELETE", f"/api/auth/sessions/{one}/", token=ada.token)
    assert (answer.status_code, answer.json()["detail"]) == (404, "Not found.")


ROUTES = [("GET", "/api/auth/sessions/"), ("DELETE", f"/api/auth/sessions/{ID}/"), ("POST", "/api/auth/logout/"), ("POST", "/api/auth/change-password/"),
          ("POST", "/api/auth/ws-ticket/")]


@pytest.mark.parametrize("method,path", ROUTES)
def test_all_want_a_token(server, method, path):
    for token in (None, "nope"):
        answer = ask(server, method, path, token=token)
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("path", ["logout/", "ws-ticket/"])
def test_a_body_that_is_none(server, path):
    ada = server.person()
    for body, kind, status in ((b"a=b", "application/x-www-form-urlencoded", 415), (b"x", "text/plain", 415), (b"{}", None, 415), (b"{", "application/json", 400), (b"[]", "application/json", 400)):
        assert ask(server, "POST", f"/api/auth/{path}", body, ada.token, Content_Type=kind).status_code == status
    assert profile(server, ada.token) == 200
    assert ask(server, "POST", f"/api/auth/{path}", {"any": "thing"}, ada.token).status_code in (201, 204)


# ---- ends ----
def opened(server, person, room, token):
    socket = Socket.open(server, f"/ws/chat/{room['id']}/", token=token)
    socket.sync()
    return socket


def closes(socket):
    since = time.monotonic()
    end = socket.closed()
    assert (end.code, end.reason) == (4401, "session revoked") and time.monotonic() - since < 1
    socket.sock.close()


def test_deleting_a_session_closes_its_sockets_and_no_others(server):
    ada = server.person()
    room, other = ada.room(), key(server, ada)
    gone = [opened(server, ada, room, other) for _ in range(3)]
    with opened(server, ada, room, ada.token) as kept:
        one = next(s["id"] for s in sessions(server, other)["results"] if s["current"])
        answer = ask(server, "DELETE", f"/api/auth/sessions/{one}/", token=ada.token)
        assert answer.status_code == 204 and answer.content == b"" and "Set-Cookie" not in answer.headers
        for socket in gone:
            closes(socket)
        assert profile(server, other) == 401 and profile(server, ada.token) == 200
        kept.say("still here")
        assert kept.message()["content"] == "still here"
    assert ask(server, "DELETE", f"/api/auth/sessions/{one}/", token=ada.token).status_code == 404
    assert [a[0] for a in audit(server, ada)] == ["login", "login", "session_revoke"]
    assert audit(server, ada)[-1][3] == one


def test_logging_out(server):
    ada = server.person()
    room, other = ada.room(), key(server, ada)
    with opened(server, ada, room, other) as kept:
        socket = opened(server, ada, room, ada.token)
        answer = ask(server, "POST", "/api/auth/logout/", token=ada.token)
        assert answer.status_code == 204 and answer.content == b""
        closes(socket)
        assert profile(server, ada.token) == 401 and profile(server, other) == 200
        kept.sync()
    again = ask(server, "POST", "/api/auth/logout/", token=ada.token)
    assert again.status_code == 401 and again.json()["detail"] == "Invalid token."


def test_logging_out_clears_the_cookies(server):
    ada = server.person()
    answer = requests.post(server.url + "/api/auth/logout/", headers={"Authorization": f"Token {ada.token}"}, timeout=PATIENCE)
    lines = answer.raw.headers.getlist("Set-Cookie")
    assert len(lines) == 2 and all("Max-Age=0" in line and "Path=/" in line for line in lines)
    assert {line.split("=")[0] for line in lines} == {"parley_session", "csrftoken"}


def test_no_frame_after_the_end(server):
    """what a closed session still sends is not stored (security.md 17)"""
    ada = server.person()
    room, other = ada.room(), key(server, ada)
    socket = opened(server, ada, room, other)
    assert ask(server, "POST", "/api/auth/logout/", token=other).status_code == 204
    with pytest.raises((Closed, OSError)):
        for _ in range(50):
            socket.say("ghost")
            socket.read()
    assert ada.get(f"/api/chat/rooms/{room['id']}/messages/").json()["count"] == 0


# ---- change ----
def change(server, token, **fields):
    body = {"current_password": PASSWORD, "password": FRESH, "password_confirm": FRESH, **fields}
    return ask(server, "POST", "/api/auth/change-password/", {k: v for k, v in body.items() if v is not ...}, token)


CHANGES = [
    ("nothing", {"current_password": ..., "password": ..., "password_confirm": ...}, {k: REQUIRED for k in ("current_password", "password", "password_confirm")}),
    ("no current one", {"current_password": ...}, {"current_password": REQUIRED}),
    ("null and blank", {"current_password": None, "password": " "}, {"current_password": ["This field may not be null."], "password": ["This field may not be blank."]}),
    ("a number", {"password": 12345678}, {"password": ["Not a valid string."]}),
    ("too long", {"password": "p" * 129, "password_confirm": "p" * 129}, {"password": ["Ensure this field has no more than 128 characters."]}),
    ("wrong", {"current_password": "wrong password"}, {"current_password": ["Wrong password."]}),
    ("wrong in case", {"current_password": PASSWORD.upper()}, {"current_password": ["Wrong password."]}),
    ("wrong by a blank", {"current_password": PASSWORD + " "}, {"current_password": ["Wrong password."]}),
    ("they differ", {"password_confirm": "another one"}, {"password_confirm": ["Passwords do not match."]}),
    ("short and common", {"password": "qwerty", "password_confirm": "qwerty"},
     {"password": ["This password is too short. It must contain at least 8 characters.", "This password is too common."]}),
    ("digits", {"password": "8364519273", "password_confirm": "8364519273"}, {"password": ["This password is entirely numeric."]}),
]


@pytest.fixture(scope="module")
def unchanged(server):
    return server.person("unchanged")


@pytest.mark.parametrize("label,fields,errors", CHANGES, ids=[c[0] for c in CHANGES])
def test_changes_that_are_refused(server, unchanged, label, fields, errors):
    answer = change(server, unchanged.token, **fields)
    assert (answer.status_code, answer.json()) == (400, errors)
    assert login(server, unchanged).status_code == 200 and login(server, unchanged, FRESH).status_code == 400


def test_a_new_password_like_the_username(server):
    person = server.person("clementine")
    answer = change(server, person.token, password="clementine1", password_confirm="clementine1")
    assert (answer.status_code, answer.json()) == (400, {"password": ["The password is too similar to the username."]})


def test_changing_the_password(server):
    ada = server.person()
    room, others = ada.room(), [key(server, ada) for _ in range(2)]
    gone = [opened(server, ada, room, other) for other in others]
    with opened(server, ada, room, ada.token) as kept:
        answer = change(server, ada.token)
        assert answer.status_code == 204 and answer.content == b""
        for socket in gone:
            closes(socket)
        assert [profile(server, t) for t in (ada.token, *others)] == [200, 401, 401]
        assert sessions(server, ada.token)["count"] == 1
        fresh = login(server, ada, FRESH)
        assert fresh.status_code == 200 and login(server, ada).status_code == 400
        with opened(server, ada, room, fresh.json()["token"]) as later:
            mail = server.wait_mail(ada.email, 2)
            assert mail["Subject"] == "Your password was changed" and mail.get_content_type() == "text/plain"
            for secret in (PASSWORD, FRESH, ada.token):
                assert secret not in mail.as_string()
            for socket in (kept, later):  # neither is mistaken for an old one when the revocation is polled
                socket.frame(9, b"x")
                socket.sync()
            deadline = time.monotonic() + 1.2
            while time.monotonic() < deadline:
                kept.sync()
                later.sync()
    assert [a[0] for a in audit(server, ada)] == ["login", "login", "login", "password_change", "login", "login_failed"]


def test_of_racing_changes_one_holds(server):
    ada = server.person()
    tokens = [ada.token] + [key(server, ada) for _ in range(3)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda i: change(server, tokens[i], password=f"{FRESH} {i}", password_confirm=f"{FRESH} {i}"), range(4)))
    statuses = [a.status_code for a in answers]
    assert statuses.count(204) == 1 and set(statuses) <= {204, 400, 401}, statuses
    for answer in answers:
        if answer.status_code == 400:
            assert answer.json() == {"current_password": ["Wrong password."]}
    won = statuses.index(204)
    assert [login(server, ada, f"{FRESH} {i}").status_code for i in range(4)] == [200 if i == won else 400 for i in range(4)]
    assert profile(server, tokens[won]) == 200
    assert len(server.mails(ada.email)) <= 2 and len(server.query(f"SELECT 1 FROM audit_log WHERE action = 'password_change' AND subject_id = (SELECT id FROM users WHERE email_key = '{ada.email}')")) == 1


def test_no_session_with_the_old_password_survives_a_change(server):
    """logins that race with the change: each is there when it ends all others, or comes too late"""
    ada = server.person()
    for i in range(3):
        old, new = (PASSWORD, FRESH) if i % 2 == 0 else (FRESH, PASSWORD)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            logins = [pool.submit(login, server, ada, old) for _ in range(5)]
            changed = pool.submit(change, server, ada.token, current_password=old, password=new, password_confirm=new)
            assert changed.result().status_code == 204
            opened = [a.result().json()["token"] for a in logins if a.result().status_code == 200]
        wait_until("all of them to be out", lambda: all(profile(server, t) == 401 for t in opened), 2)
        assert sessions(server, ada.token)["count"] == 1


# ---- reset ----
def forget(server, email, **more):
    return ask(server, "POST", "/api/auth/reset-password/", {"email": email} if email is not ... else {}, **more)


def link(server, person, count=2):
    """the token of the newest mail; the first mail was the verification's"""
    body = server.wait_mail(person.email, count).get_content()
    return re.search(rf"^{re.escape(server.url)}/api/auth/reset-password/([A-Za-z0-9_-]{{43}})/\s*$", body, re.M).group(1)


def reset(server, token, password=FRESH, confirm=..., **more):
    body = {"password": password, "password_confirm": password if confirm is ... else confirm}
    return ask(server, "POST", f"/api/auth/reset-password/{token}/", {k: v for k, v in body.items() if v is not None}, **more)


@pytest.mark.parametrize("email,errors", [(..., REQUIRED), ("nobody", ["Enter a valid email address."]), (None, ["This field may not be null."]), ("", ["This field may not be blank."]),
                                          (5, ["Enter a valid email address."]), ("a@example.org\r\nBcc: b@example.org", ["Enter a valid email address."]),
                                          ("a@example.org,b@example.org", ["Enter a valid email address."])])
def test_asking_for_a_reset_wrongly(server, email, errors):
    answer = forget(server, email)
    assert (answer.status_code, answer.json()) == (400, {"email": errors})


def test_asking_tells_nothing(server):
    known, unverified = server.person(login=False), server.person(verified=False)
    server.wait_mail(unverified.email)
    answers = [forget(server, email) for email in (known.email, known.email.upper(), unverified.email, "nobody.at.all@example.org")]
    assert all((a.status_code, a.json()) == (200, SAME) for a in answers)
    assert len({tuple(sorted((k, len(v)) for k, v in a.headers.items())) for a in answers}) == 1
    server.wait_mail(known.email, 3)
    assert len(server.mails(unverified.email)) == 1 and not server.mails("nobody.at.all")


def test_a_reset(server):
    ada = server.person()
    room, other = ada.room(), key(server, ada)
    gone = [opened(server, ada, room, t) for t in (ada.token, other)]
    assert forget(server, ada.email).status_code == 200
    mail = server.wait_mail(ada.email, 2)
    assert mail["Subject"] == "Set a new password" and mail["To"] == ada.email and "First" not in mail.get_content()
    token = link(server, ada)
    assert ada.get("/api/auth/profile/").status_code == 200  # asking changes nothing
    answer = reset(server, token, Content_Type="application/json")
    assert answer.status_code == 204 and answer.content == b""
    for socket in gone:
        closes(socket)
    assert [profile(server, t) for t in (ada.token, other)] == [401, 401]
    assert login(server, ada).status_code == 400 and login(server, ada, FRESH).status_code == 200
    assert server.wait_mail(ada.email, 3)["Subject"] == "Your password was changed"
    again = reset(server, token, "yet another one")
    assert (again.status_code, again.json()) == (400, DEAD)
    assert [a[0] for a in audit(server, ada)] == ["login", "login", "password_reset", "login_failed", "login"]
    assert {a[1] for a in audit(server, ada)} == {"127.0.0.1"}


@pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "%0d%0a", "'", "a" * 3000, "%ff", "1 OR 1=1"])
def test_other_tokens(server, token):
    answer = reset(server, token.replace(" ", "%20"))
    assert (answer.status_code, answer.json()) == (400, DEAD)


def test_a_refused_reset_leaves_the_token_good(server):
    person = server.person("marguerite", login=False)
    forget(server, person.email)
    token = link(server, person)
    for password, confirm, errors in (("qwerty", ..., {"password": ["This password is too short. It must contain at least 8 characters.", "This password is too common."]}),
                                      (FRESH, "other", {"password_confirm": ["Passwords do not match."]}), (None, None, {"password": REQUIRED, "password_confirm": REQUIRED}),
                                      ("marguerite1", ..., {"password": ["The password is too similar to the username."]}),
                                      ("p" * 129, ..., {"password": ["Ensure this field has no more than 128 characters."]})):
        answer = reset(server, token, password, confirm)
        assert (answer.status_code, answer.json()) == (400, errors)
    for body, kind, status in ((b"{", "application/json", 400), (b"[]", "application/json", 400), (b"password=x", "application/x-www-form-urlencoded", 415), (b"x", "text/plain", 415)):
        assert ask(server, "POST", f"/api/auth/reset-password/{token}/", body, Content_Type=kind).status_code == status
    assert login(server, person).status_code == 200
    assert reset(server, token).status_code == 204


def test_an_expired_link(server):
    person = server.person(login=False)
    forget(server, person.email)
    token = link(server, person)
    rows = server.query("SELECT expires_at - created_at FROM email_tokens WHERE purpose = 'reset'")
    assert {int(r[0]) for r in rows} == {3600_000_000}
    server.query(f"UPDATE email_tokens SET expires_at = 1 WHERE purpose = 'reset' AND user_id = (SELECT id FROM users WHERE email_key = '{person.email}') RETURNING user_id")
    answer = reset(server, token)
    assert (answer.status_code, answer.json()) == (400, DEAD) and login(server, person).status_code == 200


def test_used_one_link_all_are_used(server):
    person = server.person(login=False)
    forget(server, person.email)
    first = link(server, person)
    forget(server, person.email)
    second = link(server, person, 3)
    assert first != second and reset(server, first).status_code == 204
    assert reset(server, second).json() == DEAD


def test_a_change_makes_links_worthless(server):
    person = server.person()
    forget(server, person.email)
    token = link(server, person)
    assert change(server, person.token).status_code == 204
    assert reset(server, token, "yet another one").json() == DEAD


def test_links_are_for_their_purpose_only(server):
    person, unverified = server.person(login=False), server.person(verified=False)
    forget(server, person.email)
    token = link(server, person)
    assert requests.post(f"{server.url}/api/auth/verify-email/{token}/", timeout=PATIENCE).status_code == 400
    assert reset(server, server.token_of(unverified.email)).json() == DEAD
    assert reset(server, token).status_code == 204


def test_of_50_racing_uses_one_succeeds(own_server):
    server = own_server(config=quick_hashes())
    person = server.person(login=False)
    forget(server, person.email)
    token = link(server, person)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda i: reset(server, token, f"{FRESH} {i}"), range(50)))
    statuses = sorted(a.status_code for a in answers)
    assert statuses == [204] + [400] * 49
    won = next(i for i, a in enumerate(answers) if a.status_code == 204)
    assert all(a.json() == DEAD for a in answers if a.status_code == 400)
    assert login(server, person, f"{FRESH} {won}").status_code == 200
    assert server.wait_mail(person.email, 3) and len(server.query("SELECT 1 FROM audit_log WHERE action = 'password_reset'")) == 1
    assert len(server.mails(person.email)) == 3  # one notice


def quick_hashes():
    return (ROOT / "config/parley.yaml").read_text().replace("  - accounts:\n", "  - accounts:\n      hash_memory: 8KiB\n      hash_passes: 1\n")


# ---- the page of the link ----
def test_the_page_of_the_link(server):
    person = server.person(login=False)
    forget(server, person.email)
    path = f"/api/auth/reset-password/{link(server, person)}/"
    page = ask(server, "GET", path, Accept=HTML)
    assert page.status_code == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    check_page(page)
    assert page.text.count('type="password"') == 2 and '<form method="post">' in page.text and 'name="password_confirm"' in page.text
    head = ask(server, "HEAD", path, Accept=HTML)
    assert head.status_code == 200 and head.content == b""
    for accept in (None, "*/*", "application/json"):
        answer = ask(server, "GET", path, Accept=accept)
        assert answer.status_code == 405 and answer.headers["Allow"] == "POST, OPTIONS"
        assert answer.json()["detail"] == 'Method "GET" not allowed.'

    def post(form):
        return ask(server, "POST", path, form.encode(), Accept=HTML, Content_Type="application/x-www-form-urlencoded", Origin=server.url)
    for form, text in (("", "This field is required."), ("password=qwerty&password_confirm=qwerty", "too short"), ("password=a+good+one%21&password_confirm=x", "do not match"),
                       ("password=%3Cscript%3E&password_confirm=%22%3E", "do not match")):
        bad = post(form)
        assert bad.status_code == 400, bad.text
        check_page(bad)
        assert text in bad.text and '<form method="post">' in bad.text and 'role="alert"' in bad.text
    good = post("password=a+good+one%21&password_confirm=a+good+one%21")
    assert good.status_code == 200 and "Password changed" in good.text
    check_page(good)
    assert login(server, person, "a good one!").status_code == 200
    dead = post("password=a+good+one%21&password_confirm=a+good+one%21")
    assert dead.status_code == 400 and "This link does not work" in dead.text
    check_page(dead)


def check_page(page):
    assert page.headers["Cache-Control"] == "no-store" and page.headers["Referrer-Policy"] == "no-referrer"
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "form-action 'self'" in policy and "frame-ancestors 'none'" in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff" and "<script" not in page.text and "://" not in page.text
    assert page.text.endswith("</html>\n")


# ---- limits ----
def test_asking_for_resets_has_a_bucket_of_its_own(own_server):
    server = own_server(env={"THROTTLE_LOGIN": "3/minute"})
    for path in ("reset-password/", "resend-verification/", "login/", "register/"):
        assert [ask(server, "POST", f"/api/auth/{path}", {}).status_code for _ in range(4)] == [400, 400, 400, 429], path
    server = own_server(env={"THROTTLE_ACCOUNT": "2/hour"})
    for email in ("one@example.org", "two@example.org"):  # known or not, in any case
        assert [forget(server, e).status_code for e in (email, email.upper(), email)] == [200, 200, 429]


def test_a_refused_mail_is_not_sent(own_server):
    server = own_server(env={"THROTTLE_LOGIN": "4/minute"})
    person = server.person(login=False)
    assert [forget(server, person.email).status_code for _ in range(6)] == [200] * 4 + [429] * 2
    server.wait_mail(person.email, 5)
    assert len(server.query("SELECT 1 FROM email_tokens WHERE purpose = 'reset'")) == 4


# ---- what strangers may cost ----
def test_long_passwords_cost_nothing(server):
    """security.md 15: 10 MB are refused before anything is hashed"""
    huge, long = b'{"password":"' + b"x" * (10 << 20) + b'"}', "x" * 100_000
    token = server.person().token
    for path in ("/api/auth/change-password/", "/api/auth/reset-password/" + "A" * 43 + "/", "/api/auth/login/", "/api/auth/register/"):
        assert ask(server, "POST", path, huge, token).status_code == 413
    began = time.monotonic()
    for _ in range(20):
        assert change(server, token, current_password=long).json() == {"current_password": ["Ensure this field has no more than 128 characters."]}
    assert time.monotonic() - began < 5


def test_sessions_outlive_a_restart_and_revocations_too(own_server):
    server = own_server()
    ada = server.person()
    room, gone = ada.room(), key(server, ada)
    assert ask(server, "POST", "/api/auth/logout/", token=gone).status_code == 204
    server.end()
    server.start()
    assert profile(server, gone) == 401 and profile(server, ada.token) == 200
    with opened(server, ada, room, ada.token) as socket:
        socket.sync()
