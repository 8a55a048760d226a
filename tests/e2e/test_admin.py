"""Plugin admin: who may do what over /api/admin/, what it does to sockets and the audit log, and how the page is served."""
import concurrent.futures
import json
import re
import subprocess

import pytest
import requests

from parley import PASSWORD, PATIENCE, ROOT, Refused, Socket, wait_until
from routes import ID

MARKUP = "<img src=x onerror=alert(1)>\"'&"
FORBIDDEN = {"detail": "You do not have permission to perform this action.", "code": "permission_denied"}
CSRF = "CSRF Failed: CSRF token missing or incorrect."
# method, path, body, and the answer to: anonymous, user, staff, superuser
CALLS = [
    ("GET", "me/", None, (401, 403, 200, 200)),
    ("GET", "server/", None, (401, 403, 200, 200)),
    ("GET", "users/", None, (401, 403, 200, 200)),
    ("GET", f"users/{ID}/", None, (401, 403, 404, 404)),
    ("POST", f"users/{ID}/verify/", None, (401, 403, 404, 404)),
    ("POST", f"users/{ID}/disable/", None, (401, 403, 404, 404)),
    ("POST", f"users/{ID}/enable/", None, (401, 403, 404, 404)),
    ("POST", f"users/{ID}/end-sessions/", None, (401, 403, 404, 404)),
    ("POST", f"users/{ID}/role/", {"role": "staff"}, (401, 403, 404, 404)),
    ("DELETE", f"users/{ID}/sessions/{ID}/", None, (401, 403, 404, 404)),
    ("GET", "rooms/", None, (401, 403, 200, 200)),
    ("GET", f"rooms/{ID}/", None, (401, 403, 404, 404)),
    ("DELETE", f"rooms/{ID}/", None, (401, 403, 404, 404)),
    ("GET", f"rooms/{ID}/members/", None, (401, 403, 200, 200)),
    ("DELETE", f"rooms/{ID}/members/{ID}/", None, (401, 403, 404, 404)),
    ("GET", f"rooms/{ID}/messages/", None, (401, 403, 200, 200)),
    ("GET", "messages/", None, (401, 403, 200, 200)),
    ("DELETE", f"messages/{ID}/", None, (401, 403, 404, 404)),
    ("GET", "mails/", None, (401, 403, 200, 200)),
    ("POST", f"mails/{ID}/retry/", None, (401, 403, 404, 404)),
    ("GET", "sessions/", None, (401, 403, 200, 200)),
    ("GET", "audit/", None, (401, 403, 200, 200)),
]


def api(person, method, path, body=None):
    return person.call(method, "/api/admin/" + path, json=body)


def rows(person, path):
    answer = api(person, "GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def raised(server, role, **more):
    """a person with this role"""
    person = server.person(**more)
    server.query(f"UPDATE users SET is_staff = 1, is_superuser = {int(role == 'superuser')} WHERE email_key = '{person.email}' RETURNING id")
    return person


def audited(server, action, subject=None):
    found = server.query("SELECT c.email_key, a.action, s.email_key, a.ip, a.user_agent, a.detail FROM audit_log a LEFT JOIN users c ON c.id = a.actor_id"
                         f" LEFT JOIN users s ON s.id = a.subject_id WHERE a.action = '{action}' ORDER BY a.id")
    return [tuple(row) for row in found if subject is None or row[2] == subject.email]


@pytest.fixture(scope="module")
def people(server):
    boss = raised(server, "superuser")
    return {"anonymous": server.anonymous(), "user": server.person(), "staff": raised(server, "staff"), "superuser": boss}


# ---- who may ----
@pytest.mark.parametrize("method,path,body,statuses", CALLS, ids=[f"{c[0]} {c[1].replace(ID, 'ID')}" for c in CALLS])
def test_who_may_call(people, method, path, body, statuses):
    got = tuple(api(people[who], method, path, body).status_code for who in ("anonymous", "user", "staff", "superuser"))
    assert got == statuses


def test_the_table_above_has_every_call(people):
    chain = api(people["superuser"], "GET", "server/").json()["chain"]
    routes = set(re.findall(r"^(\w+) /api/admin/(\S*)", chain, re.M))
    assert len(routes) > 20
    assert {(m, p.replace(":id(uuid)", ID).replace(":user(uuid)", ID).replace(":session(uuid)", ID)) for m, p in routes} == {(m, p) for m, p, *_ in CALLS}


@pytest.mark.parametrize("method,path,body", [(m, p, b) for m, p, b, _ in CALLS], ids=[f"{c[0]} {c[1].replace(ID, 'ID')}" for c in CALLS])
def test_a_user_learns_nothing_but_403(people, method, path, body):
    for other in (method, "PATCH", "PUT", "OPTIONS"):
        answer = api(people["user"], other, path, body)
        assert (answer.status_code, answer.json()) == (403, FORBIDDEN)
    answer = people["user"].call(method, "/api/admin/" + path, data="{", headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()) == (403, FORBIDDEN)


def test_rights_are_those_of_now(server):
    person = server.person()
    assert api(person, "GET", "me/").status_code == 403
    server.query(f"UPDATE users SET is_staff = 1 WHERE email_key = '{person.email}' RETURNING id")
    assert api(person, "GET", "me/").json()["is_superuser"] is False
    server.query(f"UPDATE users SET is_staff = 0 WHERE email_key = '{person.email}' RETURNING id")
    assert api(person, "GET", "me/").status_code == 403


@pytest.mark.parametrize("method,path,body", [(m, p, b) for m, p, b, _ in CALLS if m != "GET"], ids=[f"{c[0]} {c[1].replace(ID, 'ID')}" for c in CALLS if c[0] != "GET"])
def test_a_cookie_alone_changes_nothing(server, people, method, path, body):
    browser = requests.Session()
    answer = browser.post(server.url + "/api/auth/login/", json={"email": people["superuser"].email, "password": PASSWORD}, timeout=PATIENCE)
    assert answer.status_code == 200
    url = server.url + "/api/admin/" + path
    assert browser.get(server.url + "/api/admin/me/", timeout=PATIENCE).status_code == 200
    for headers in ({}, {"Origin": server.url}, {"Origin": "https://evil.example", "X-CSRFToken": browser.cookies["csrftoken"]}):
        answer = browser.request(method, url, json=body, headers=headers, timeout=PATIENCE)
        assert (answer.status_code, answer.json()["detail"]) == (403, CSRF)
    good = {"Origin": server.url, "X-CSRFToken": browser.cookies["csrftoken"]}
    assert browser.request(method, url, json=body, headers=good, timeout=PATIENCE).status_code == 404


# ---- users ----
def test_a_user_is_found_and_shown(server, people):
    boss, ada = people["superuser"], server.person()
    for query in (ada.username, ada.email, ada.username.upper()):
        assert [u["id"] for u in rows(boss, f"users/?q={query}")] == [ada.id]
    shown = api(boss, "GET", f"users/{ada.id}/").json()
    assert shown == {"id": ada.id, "username": ada.username, "email": ada.email, "first_name": "First", "last_name": "Last", "is_verified": True,
                     "is_active": True, "is_staff": False, "is_superuser": False, "date_joined": ada.user["date_joined"]}
    for pattern in ("%", "_" * 8, "!", "\\", "'", "\0"):
        found = boss.get("/api/admin/users/", params={"q": pattern})
        assert found.status_code == 200
        assert (found.json()["count"] == 0) == (pattern != "\0"), pattern  # a NUL is no text: as if nothing was asked
    assert boss.get("/api/admin/users/", params={"q": "x" * 5000}).json()["count"] == 0


def test_users_by_state(server, people):
    boss = people["superuser"]
    fresh, gone = server.person(verified=False), server.person()
    assert api(boss, "POST", f"users/{gone.id}/disable/").status_code == 204
    ids = {state: {u["id"] for u in rows(boss, f"users/?state={state}&limit=200")} for state in ("staff", "disabled", "unverified", "", "nonsense")}
    assert {people["staff"].id, boss.id} <= ids["staff"] and people["user"].id not in ids["staff"]
    assert gone.id in ids["disabled"] and fresh.id not in ids["disabled"]
    assert fresh.id in ids["unverified"] and gone.id not in ids["unverified"]
    assert {fresh.id, gone.id, boss.id} <= ids[""] and not ids["nonsense"]


def test_pages_of_a_list(server, people):
    boss = people["superuser"]
    name = f"paged{ID[:4]}x"
    made = [server.person(f"{name}{i}", login=False).id for i in range(5)]
    whole = api(boss, "GET", f"users/?q={name}").json()
    assert whole["count"] == 5 and whole["next"] is None and [u["id"] for u in whole["results"]] == made[::-1]
    first = api(boss, "GET", f"users/?q={name}&limit=2").json()
    assert [u["id"] for u in first["results"]] == made[:2:-1] and "limit=2&offset=2" in first["next"] and first["previous"] is None
    last = api(boss, "GET", f"users/?q={name}&limit=2&offset=4").json()
    assert [u["id"] for u in last["results"]] == made[:1] and last["next"] is None
    assert api(boss, "GET", f"users/?q={name}&offset=99").json()["results"] == []
    for method, path, _, _ in CALLS:
        if method == "GET" and path not in ("me/", "server/", f"users/{ID}/", f"rooms/{ID}/"):
            page = api(boss, "GET", path + "?limit=1&offset=0").json()
            assert set(page) == {"count", "next", "previous", "results"} and len(page["results"]) == min(1, page["count"])


def test_markup_is_text(server, people):
    boss = people["superuser"]
    ada = server.person(login=False)
    server.query(f"UPDATE users SET first_name = '<b>{ID}</b>' WHERE email_key = '{ada.email}' RETURNING id")
    ada.login()
    room = ada.room(name=MARKUP)
    message = ada.say(room, MARKUP)
    assert rows(boss, f"users/?q={ada.username}")[0]["first_name"] == f"<b>{ID}</b>"
    assert api(boss, "GET", f"rooms/{room['id']}/").json()["name"] == MARKUP
    shown = rows(boss, f"rooms/{room['id']}/messages/")
    assert [(m["id"], m["content"], m["sender"], m["room"]) for m in shown] == [(message["id"], MARKUP, ada.username, MARKUP)]
    found = boss.get("/api/admin/messages/", params={"q": "onerror=ALERT(1)", "sender": ada.id}).json()
    assert [m["id"] for m in found["results"]] == [message["id"]]
    answer = boss.get("/api/admin/users/", params={"q": MARKUP})
    assert answer.headers["Content-Type"].startswith("application/json") and answer.headers["X-Content-Type-Options"] == "nosniff"


def test_disable_closes_sockets_and_enable_lets_in_again(server, people):
    boss, ada, bob = people["superuser"], server.person(), server.person()
    room = ada.room(bob)
    with ada.socket(room) as mine, bob.socket(room) as others:
        assert api(boss, "POST", f"users/{ada.id}/disable/").status_code == 204
        assert mine.closed().code == 4401
        others.sync()
    assert ada.get("/api/auth/profile/").status_code == 401
    assert requests.post(server.url + "/api/auth/login/", json={"email": ada.email, "password": PASSWORD}, timeout=PATIENCE).status_code == 400
    assert rows(boss, f"sessions/?user={ada.id}") == []
    agent = requests.utils.default_user_agent()
    assert audited(server, "user_disable", ada) == [(boss.email, "user_disable", ada.email, "127.0.0.1", agent, ada.id)]
    assert api(boss, "POST", f"users/{ada.id}/enable/").status_code == 204
    ada.http.headers.pop("Authorization")
    ada.login()
    assert ada.get("/api/auth/profile/").status_code == 200
    assert len(audited(server, "user_enable", ada)) == 1


def test_verify(server, people):
    ada = server.person(verified=False)
    assert api(people["staff"], "POST", f"users/{ada.id}/verify/").status_code == 204
    assert ada.login().get("/api/auth/profile/").json()["is_verified"] is True
    assert audited(server, "user_verify", ada)[0][0] == people["staff"].email


def test_sessions_are_listed_and_ended_one_and_all(server, people):
    boss, ada = people["superuser"], server.person()
    room = ada.room()
    second = server.anonymous()
    second.email = ada.email
    second.login()
    newest, oldest = rows(boss, f"sessions/?user={ada.id}")
    assert (newest["username"], newest["ip"], newest["user_id"]) == (ada.username, "127.0.0.1", ada.id)
    assert not re.search(r"ply_|hash", json.dumps([newest, oldest]))
    with ada.socket(room) as first, second.socket(room) as other:
        assert api(boss, "DELETE", f"users/{boss.id}/sessions/{newest['id']}/").status_code == 404  # not his
        assert api(boss, "DELETE", f"users/{ada.id}/sessions/{newest['id']}/").status_code == 204
        assert other.closed().code == 4401
        first.sync()
        assert api(boss, "DELETE", f"users/{ada.id}/sessions/{newest['id']}/").status_code == 404
        assert audited(server, "user_end_session", ada)[0][5] == newest["id"] and len(audited(server, "user_end_session", ada)) == 1
        assert api(boss, "POST", f"users/{ada.id}/end-sessions/").status_code == 204
        assert first.closed().code == 4401
    assert ada.get("/api/auth/profile/").status_code == 401
    assert ada.login().get("/api/auth/profile/").status_code == 200


@pytest.mark.parametrize("body", [{}, {"role": None}, {"role": 1}, {"role": "root"}, {"role": "staff\0"}, []])
def test_roles_that_are_none(people, body):
    answer = api(people["superuser"], "POST", f"users/{people['user'].id}/role/", body)
    assert answer.status_code == 400


def test_roles(server, people):
    boss, ada = people["superuser"], server.person()
    for role, flags in (("staff", (True, False)), ("superuser", (True, True)), ("staff", (True, False)), ("user", (False, False))):
        assert api(boss, "POST", f"users/{ada.id}/role/", {"role": role}).status_code == 204
        shown = api(boss, "GET", f"users/{ada.id}/").json()
        assert (shown["is_staff"], shown["is_superuser"]) == flags
    assert ada.get("/api/auth/profile/").status_code == 401  # no longer staff: all sessions ended
    assert [a[1] for act in ("staff_on", "superuser_on", "staff_off") for a in audited(server, act, ada)] == ["staff_on"] * 2 + ["superuser_on", "staff_off"]


def test_staff_cannot_change_staff(server, people):
    staff, boss = people["staff"], people["superuser"]
    peer, ada = raised(server, "staff"), server.person()
    for victim in (peer, boss, staff):
        for act in ("verify", "disable", "enable", "end-sessions"):
            answer = api(staff, "POST", f"users/{victim.id}/{act}/")
            assert (answer.status_code, answer.json()["detail"]) == (403, "Only a superuser may change staff and roles.")
        session = rows(staff, f"sessions/?user={victim.id}")[0]["id"]
        assert api(staff, "DELETE", f"users/{victim.id}/sessions/{session}/").status_code == 403
    for victim in (peer, boss, staff, ada):
        for role in ("user", "staff", "superuser"):
            assert api(staff, "POST", f"users/{victim.id}/role/", {"role": role}).status_code == 403
    for person in (peer, boss, staff):
        assert person.get("/api/auth/profile/").status_code == 200
    assert not [a for act in ("user_disable", "staff_on", "superuser_on", "staff_off") for a in audited(server, act) if a[0] == staff.email]
    assert api(staff, "POST", f"users/{ada.id}/disable/").status_code == 204


def test_a_superuser_is_left(own_server):
    server = own_server()
    boss = raised(server, "superuser")
    gone = raised(server, "superuser")
    assert api(boss, "POST", f"users/{gone.id}/disable/").status_code == 204  # one who cannot log in does not count
    last = {"detail": "The last superuser can be neither disabled nor demoted.", "code": "last_superuser"}
    for path, body in ((f"users/{boss.id}/disable/", None), (f"users/{boss.id}/role/", {"role": "user"}), (f"users/{boss.id}/role/", {"role": "staff"})):
        answer = api(boss, "POST", path, body)
        assert (answer.status_code, answer.json()) == (400, last)
    assert boss.get("/api/auth/profile/").status_code == 200
    assert audited(server, "user_disable", boss) == []
    assert api(boss, "POST", f"users/{gone.id}/role/", {"role": "user"}).status_code == 204


def test_superusers_that_demote_each_other_at_once(own_server):
    server = own_server()
    for _ in range(5):
        server.query("UPDATE users SET is_superuser = 0 WHERE id > 0 RETURNING id")
        both = [raised(server, "superuser") for _ in range(2)]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            jobs = [pool.submit(api, both[i], "POST", f"users/{both[1 - i].id}/disable/") for i in range(2)]
            statuses = sorted(job.result().status_code for job in jobs)
        assert statuses[0] == 204 and statuses[1] in (401, 403)
        assert len(server.query("SELECT 1 FROM users WHERE is_superuser = 1 AND is_active = 1")) == 1


# ---- rooms and messages ----
def test_a_message_is_deleted_for_all(server, people):
    boss, ada, bob = people["staff"], server.person(), server.person()
    room = ada.room(bob)
    kept, wrong = ada.say(room, "stays"), ada.say(room, f"goes away, @{bob.username}")
    assert bob.call("PUT", f"/api/chat/messages/{wrong['id']}/reactions/%F0%9F%91%8D/").status_code == 204
    assert ada.call("PATCH", f"/api/chat/messages/{wrong['id']}/", json={"content": f"goes away soon, @{bob.username}"}).status_code == 200
    left = ("SELECT COUNT(*) FROM message_edits", "SELECT COUNT(*) FROM reactions", "SELECT COUNT(*) FROM messages WHERE mentions IS NOT NULL")
    assert [int(server.query(one)[0][0]) for one in left] == [1, 1, 1]
    with bob.socket(room) as socket:
        assert api(boss, "DELETE", f"messages/{wrong['id']}/").status_code == 204
        told = socket.read_type("message_deleted")
        assert wrong["id"] in json.dumps(told) and boss.username in json.dumps(told)
        assert bob.get(f"/api/chat/rooms/{room['id']}/events/?after_seq={told['seq'] - 1}").json()["results"] == [told]
    assert api(boss, "DELETE", f"messages/{wrong['id']}/").status_code == 404
    assert [m["id"] for m in bob.get(f"/api/chat/rooms/{room['id']}/messages/").json()["results"]] == [kept["id"]]
    assert [m["id"] for m in rows(boss, f"rooms/{room['id']}/messages/")] == [kept["id"]]
    assert server.query(f"SELECT content FROM messages WHERE uid = '{wrong['id']}'") == [[""]]
    assert [int(server.query(one)[0][0]) for one in left] == [0, 0, 0]
    assert [(a[0], a[5]) for a in audited(server, "message_delete", ada)] == [(boss.email, wrong["id"])]
    assert api(boss, "GET", f"rooms/{room['id']}/").json()["messages"] == 1


def test_a_member_is_removed(server, people):
    boss, ada, bob = people["staff"], server.person(), server.person()
    room = ada.room(bob)
    assert [(m["id"], m["role"]) for m in rows(boss, f"rooms/{room['id']}/members/")] == [(ada.id, "owner"), (bob.id, "member")]
    assert [r["id"] for r in rows(boss, f"rooms/?user={bob.id}")] == [room["id"]]
    with bob.socket(room) as gone, ada.socket(room) as stays:
        answer = api(boss, "DELETE", f"rooms/{room['id']}/members/{ada.id}/")
        assert (answer.status_code, answer.json()["detail"]) == (400, "The creator cannot be removed from the room.")
        assert api(boss, "DELETE", f"rooms/{room['id']}/members/{bob.id}/").status_code == 204
        assert gone.closed().code == 4403
        told = stays.read_type("member_removed")
        assert (told["user"]["id"], told["actor"]["id"], told["room"]) == (bob.id, boss.id, room["id"])
        assert ada.get(f"/api/chat/rooms/{room['id']}/events/?after_seq={told['seq'] - 1}").json()["results"] == [told]
        stays.sync()
        ada.say(room, "after it")
        assert stays.message()["content"] == "after it"
    assert bob.get(f"/api/chat/rooms/{room['id']}/").status_code == 404
    assert api(boss, "DELETE", f"rooms/{room['id']}/members/{bob.id}/").status_code == 404
    assert [(a[0], a[5]) for a in audited(server, "room_remove", bob)] == [(boss.email, room["id"])]


def test_a_room_is_deleted(server, people):
    boss, ada = people["staff"], server.person()
    room = ada.room(name="doomed room")
    ada.say(room, "last words")
    with ada.socket(room) as socket:
        assert api(boss, "DELETE", f"rooms/{room['id']}/").status_code == 204
        assert socket.closed().code == 4404
    assert ada.get(f"/api/chat/rooms/{room['id']}/").status_code == 404
    assert api(boss, "DELETE", f"rooms/{room['id']}/").status_code == 404
    assert [(a[0], a[5]) for a in audited(server, "room_delete", ada)] == [(boss.email, room["id"])]


# ---- mails, audit log ----
def test_mails_and_a_retry(server, people):
    boss = people["superuser"]
    server.person(verified=False)
    mail = wait_until("the mail to be marked as sent", lambda: next(iter(rows(boss, "mails/?state=sent&limit=1")), None))
    assert mail["to"] is None and mail["attempts"] == 1 and mail["last_error"] is None and mail["sent_at"] >= mail["created_at"]
    assert api(boss, "POST", f"mails/{mail['id']}/retry/").status_code == 404  # its content is gone
    # As a mail server that refused leaves it: the content is there, no further attempt.
    server.query(f"INSERT INTO mail_queue (uid, sealed, created_at, next_at, attempts, gave_up_at, last_error) VALUES ('{ID}', 'other key', 1, 1, 3, 2,"
                 " '550 no such user') RETURNING id")
    failed = rows(boss, "mails/?state=failed")
    assert [(m["id"], m["to"], m["attempts"], m["last_error"]) for m in failed] == [(ID, "", 3, "550 no such user")]
    assert api(boss, "POST", f"mails/{ID}/retry/").status_code == 204
    assert [(a[0], a[5]) for a in audited(server, "mail_retry")] == [(boss.email, ID)]
    tried = wait_until("a further attempt", lambda: next((m for m in rows(boss, "mails/") if m["id"] == ID and m["attempts"] > 0), None))
    assert tried["state"] in ("sending", "waiting")
    told = wait_until("what became of it", lambda: next((m for m in rows(boss, "mails/") if m["id"] == ID and "SECRET_KEY" in m["last_error"]), None))
    assert told["state"] == "waiting" and told["next_at"] > told["created_at"]


def test_the_audit_log_is_searched(server, people):
    boss, ada = people["superuser"], server.person()
    assert api(boss, "POST", f"users/{ada.id}/end-sessions/").status_code == 204
    found = rows(boss, f"audit/?user={ada.id}")
    assert [(r["action"], r["actor"], r["subject"]) for r in found] == [("user_end_sessions", boss.username, ada.username), ("login", ada.username, ada.username)]
    assert {r["action"] for r in rows(boss, "audit/?q=END_SESS")} >= {"user_end_sessions"}


# ---- figures ----
def test_figures_for_staff_until_he_is_none(server, people):
    boss, staff = people["superuser"], raised(server, "staff")
    ada = server.person()
    room = ada.room()
    for token, status in ((None, 401), (ada.token, 403)):
        with pytest.raises(Refused) as refused:
            Socket.open(server, "/ws/admin/", token=token)
        assert refused.value.status == status
    with Socket.open(server, "/ws/admin/", token=staff.token) as socket, ada.socket(room):
        first = socket.read()
        assert first["type"] == "figures" and set(first["values"]) == {
            "connections", "sockets", "rooms", "messages", "sent", "requests", "message_queue", "password_queue", "pool_queue", "database_queue",
            "mail_queue", "unread_bytes", "lag_us", "lag_n"}
        ada.say(room, "counted")
        wait_until("the message in a figure", lambda: socket.read()["values"]["messages"] > first["values"]["messages"])
        assert socket.read()["values"]["sockets"] >= 2
        assert api(boss, "POST", f"users/{staff.id}/role/", {"role": "user"}).status_code == 204
        assert socket.closed().code == 4401


# ---- the page ----
def test_how_the_page_is_served(server):
    answer = requests.get(server.url + "/admin/", timeout=PATIENCE)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=|https?://", answer.text)
    linked = re.findall(r'(?:src|href)="(/admin/[^"]+)"', answer.text)
    assert linked
    files = {*linked, *("/admin/" + str(f.relative_to(ROOT / "admin")) for f in (ROOT / "admin").rglob("*.js"))}
    for path in files:
        one = requests.get(server.url + path, timeout=PATIENCE)
        assert one.status_code == 200 and one.headers["Cache-Control"] == "no-cache" and one.headers["Content-Security-Policy"] == policy
        again = requests.get(server.url + path, headers={"If-None-Match": one.headers["ETag"]}, timeout=PATIENCE)
        assert (again.status_code, again.content) == (304, b"")
        assert "innerHTML" not in one.text and "insertAdjacentHTML" not in one.text and not re.search(r"https?://(?!www\.w3\.org)", one.text)
    assert requests.get(server.url + "/admin/index.html", timeout=PATIENCE).status_code == 404


def allowing(networks):
    return (ROOT / "config" / "parley.yaml").read_text().replace("${ADMIN_ALLOW:-}", networks)


@pytest.mark.parametrize("networks,status", [("10.0.0.0/8", 404), ("10.0.0.0/8, ::1", 404), ("127.0.0.0/8", 401), ("10.1.2.3 127.0.0.1", 401)])
def test_only_from_some_networks(own_server, networks, status):
    server = own_server(config=allowing(networks))
    page = requests.get(server.url + "/admin/", timeout=PATIENCE)
    assert page.status_code == (404 if status == 404 else 200)
    assert requests.get(server.url + "/api/admin/me/", timeout=PATIENCE).status_code == status
    with pytest.raises(Refused) as refused:
        Socket.open(server, "/ws/admin/")
    assert refused.value.status == status
    assert requests.get(server.url + "/api/", timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize("networks", ["10.0.0.0/33", "localhost", "10.0.0/8", "::1/129", "1.2.3.4/"])
def test_networks_that_are_none(own_server, networks):
    server = own_server(start=False, config=allowing(networks))
    done = subprocess.run([server.build / "parley", "check", "--config", str(server.config)], env=server.env, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 78 and f'"{networks}" is no network' in done.stdout + done.stderr
