"""contract.md 1.5 in detail: what counts where, the order beside other faults, the arithmetic of Retry-After, and what a refusal leaves undone."""
import concurrent.futures
import time

import pytest

from parley import PASSWORD, wait_until
from routes import ID, ask

pytestmark = pytest.mark.one_database("plugin throttle")

NOWHERE = f"/api/chat/rooms/{ID}/"


def seconds_of(answer):
    assert answer.status_code == 429, answer.text
    seconds = int(answer.headers["Retry-After"])
    assert answer.json()["detail"] == f"Request was throttled. Expected available in {seconds} second{'' if seconds == 1 else 's'}."
    return seconds


def test_where_429_stands_among_other_faults(own_server):
    server = own_server(env={"THROTTLE_USER": "1/hour", "THROTTLE_ANON": "3/hour"})
    ada = server.person(login=False)  # registered and verified
    ada.login()
    ada.get("/api/auth/profile/")

    def status(method, path, body=None, token=ada.token, **more):
        return ask(server, method, path, body, token, **more).status_code
    assert status("POST", NOWHERE + "send/", b"x" * (1024 * 1024 + 1)) == 413
    assert status("GET", "/nope/") == 404 and status("GET", "/api/chat/rooms/x/") == 404
    assert status("GET", "/api/chat/rooms/", host="evil.example") == 400
    assert status("GET", "/api/chat/rooms") == 301
    assert status("GET", "/api/chat/rooms/", Accept="image/png") == 406
    assert status("GET", "/api/chat/rooms/", token="nope") == 401 and status("GET", "/api/chat/rooms/", token=None) == 401
    for method, path, body in (("PATCH", "/api/chat/rooms/", None), ("GET", NOWHERE, None), ("POST", "/api/chat/rooms/", b"{"), ("POST", "/api/chat/rooms/", b"[]"),
                               ("OPTIONS", "/api/chat/rooms/", None), ("HEAD", "/api/chat/rooms/", None), ("POST", NOWHERE + "send/", b"{}")):
        assert status(method, path, body, Content_Type="text/plain") == 429, (method, path)
    for method, path in (("GET", "/api/"), ("PATCH", "/api/"), ("POST", "/api/auth/login/"), ("GET", "/api/auth/login/"), ("POST", "/api/auth/verify-email/x/")):
        assert status(method, path, b"{" if method == "POST" else None, token=None) == 429, (method, path)
        assert status(method, path, b"{" if method == "POST" else None, token=ada.token) == 429, (method, path)  # open routes ignore the key


def test_what_counts_for_a_user(own_server):
    server = own_server(env={"THROTTLE_USER": "12/hour"})
    ada = server.person()
    for method, path, status in (("GET", "/nope/", 404), ("GET", "/api/chat/rooms", 301), ("GET", "/api/", 200), ("GET", "/healthz", 200)):
        for _ in range(3):
            assert ask(server, method, path, token=ada.token).status_code == status  # count nowhere, or as anonymous
    assert ask(server, "GET", "/api/chat/rooms/", token=ada.token, Accept="image/png").status_code == 406
    room = ada.room()["id"]  # 1
    statuses = [ask(server, m, p, b, ada.token).status_code for m, p, b in (
        ("GET", "/api/auth/profile/", None), ("HEAD", "/api/auth/profile/", None), ("OPTIONS", "/api/auth/profile/", None), ("PATCH", "/api/chat/rooms/", None),
        ("GET", NOWHERE, None), ("POST", "/api/chat/rooms/", b"{}"), ("POST", "/api/chat/rooms/", {}), ("PUT", f"/api/chat/rooms/{room}", {"name": "y"}))]
    assert statuses == [200, 200, 200, 405, 404, 415, 400, 200]  # 9
    with ada.socket({"id": room}) as socket:
        for i in range(5):
            socket.say(str(i))
            socket.message()
    left = [ask(server, "GET", "/api/auth/profile/", token=ada.token).status_code for _ in range(4)]
    assert left in ([200, 200, 200, 429], [200, 200, 429, 429])  # 12, whether or not the handshake counts
    assert server.person().get("/api/auth/profile/").status_code == 200


def test_the_longest_time_is_told_and_one_refusal_counts_elsewhere(own_server):
    server = own_server(env={"THROTTLE_USER": "4/hour", "THROTTLE_MESSAGE": "1/minute"})
    ada = server.person()
    room = ada.room()["id"]  # user 1
    path = f"/api/chat/rooms/{room}/send/"
    assert ask(server, "POST", path, {"content": "1"}, ada.token).status_code == 201  # user 2
    assert 1 <= seconds_of(ask(server, "POST", path, {"content": "2"}, ada.token)) <= 60  # user 3: the other scope refused
    assert 1 <= seconds_of(ask(server, "POST", path, {"content": "3"}, ada.token)) <= 60  # user 4
    assert 3500 < seconds_of(ask(server, "POST", path, {"content": "4"}, ada.token)) <= 3600
    assert 3500 < seconds_of(ask(server, "GET", "/api/auth/profile/", token=ada.token)) <= 3600


def test_the_window_slides_and_the_time_told_is_exact(own_server):
    server = own_server(env={"THROTTLE_MESSAGE": "2/second"})
    ada = server.person()
    path = f"/api/chat/rooms/{ada.room()['id']}/send/"
    passed = []
    end = time.monotonic() + 3.2
    while time.monotonic() < end:
        before = time.monotonic()
        answer = ask(server, "POST", path, {"content": "x"}, ada.token)
        if answer.status_code == 201:
            passed.append((before, time.monotonic()))
        else:
            assert seconds_of(answer) == 1  # rounded up, never 0
    assert 6 <= len(passed) <= 8  # refused ones do not count
    for i in range(len(passed) - 2):  # never three in one second
        assert passed[i + 2][1] - passed[i][0] >= 0.999


def test_retry_after_counts_down(own_server):
    server = own_server(env={"THROTTLE_USER": "1/minute"})
    ada = server.person()
    begin = time.monotonic()
    assert ada.get("/api/auth/profile/").status_code == 200
    assert seconds_of(ada.get("/api/auth/profile/")) == 60
    wait_until("the told time to fall", lambda: seconds_of(ada.get("/api/auth/profile/")) <= 58)
    assert 1.9 < time.monotonic() - begin < 10


def test_what_is_refused_has_no_effect(own_server):
    server = own_server(env={"THROTTLE_LOGIN": "1/hour", "THROTTLE_MESSAGE": "1/hour"})
    ada = server.person("effect")
    room = ada.room()
    ada.say(room, "1")
    body = {"first_name": "A", "last_name": "B", "email": "late@example.org", "username": "late", "password": PASSWORD, "password_confirm": PASSWORD}
    seconds_of(ask(server, "POST", "/api/auth/register/", body))
    assert ask(server, "POST", "/api/auth/resend-verification/", {"email": "effect@example.org"}).status_code == 200
    seconds_of(ask(server, "POST", "/api/auth/resend-verification/", {"email": "effect@example.org"}))
    seconds_of(ask(server, "POST", "/api/auth/login/", {"email": ada.email, "password": PASSWORD}))
    seconds_of(ask(server, "POST", f"/api/chat/rooms/{room['id']}/send/", {"content": "2"}, ada.token))
    with ada.socket(room) as socket:
        socket.say("3")
        error = socket.read_type("error", "chat_message")
        assert error["code"] == "throttled" and 3500 < error["retry_after"] <= 3600
        assert error["detail"] == f"Request was throttled. Expected available in {error['retry_after']} seconds."
        socket.send({"type": "chat_message"})
        assert socket.read_type("error")["code"] == "throttled"  # before its fields are looked at
        socket.send({"type": "nope"})
        assert socket.read_type("error")["code"] == "unknown_type"  # counts nowhere
        socket.sync()
    assert [m["content"] for m in ada.get(f"/api/chat/rooms/{room['id']}/messages/").json()["results"]] == ["1"]
    assert server.mails("late@example.org") == [] and len(server.mails("effect@example.org")) == 1


def test_rest_and_frames_race_for_one_bucket(own_server):
    server = own_server(env={"THROTTLE_MESSAGE": "10/minute"})
    ada = server.person()
    rooms = [ada.room() for _ in range(3)]
    sockets = [ada.socket(r) for r in rooms]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        posts = [pool.submit(ask, server, "POST", f"/api/chat/rooms/{rooms[i % 3]['id']}/send/", {"content": "r"}, ada.token) for i in range(15)]
        for i in range(15):
            sockets[i % 3].say("f")
        for post in posts:
            assert post.result().status_code in (201, 429)
    for socket in sockets:
        socket.sync()
        socket.sock.close()

    def stored():
        return sum(ada.get(f"/api/chat/rooms/{r['id']}/messages/").json()["count"] for r in rooms)

    wait_until("what was let through to be stored", lambda: stored() >= 10)  # frames are stored behind our back
    assert stored() == 10


@pytest.mark.parametrize("forwarded", ["1.2.3.4", "1.2.3.4, 5.6.7.8", "junk", "", "[::1]", ", ".join(["9.9.9.9"] * 300), "127.0.0.1"])
def test_forwarded_addresses_of_strangers_do_not_count(own_server, forwarded):
    server = own_server(env={"THROTTLE_ANON": "2/hour"})
    assert [ask(server, "GET", "/api/", X_Forwarded_For=f).status_code for f in (None, forwarded, forwarded)] == [200, 200, 429]


def test_the_rightmost_hop_that_is_no_proxy_counts(own_server):
    server = own_server(env={"THROTTLE_ANON": "1/hour", "TRUSTED_PROXIES": "127.0.0.1/32, 10.0.0.0/8"})

    def get(forwarded):
        return ask(server, "GET", "/api/", X_Forwarded_For=forwarded).status_code
    assert get("1.1.1.1") == 200 and get("6.6.6.6, 1.1.1.1") == 429 and get("1.1.1.1, 10.1.2.3, 10.3.2.1") == 429
    assert get("1.1.1.1, 2.2.2.2") == 200  # what stands left of it is the client's own claim
    assert get("2.2.2.2:1234") in (429, 200)
    assert get("::ffff:1.1.1.1") == 429


@pytest.mark.parametrize("path", ["login", "register", "resend-verification"])
def test_an_account_is_one_bucket_whatever_its_spelling(own_server, path):
    server = own_server(env={"THROTTLE_ACCOUNT": "2/hour"})
    for email, status in (("q@example.org", 0), ("  Q@EXAMPLE.org\u00a0", 0), ("q@example.ORG", 429), ("r@example.org", 0)):
        answer = ask(server, "POST", f"/api/auth/{path}/", {"email": email, "password": "x"})
        assert (answer.status_code == 429) == (status == 429), email
    for body in (b"{", b"[]", b"", {"email": None}, {"email": []}, {"email": ""}, {"email": 5}):  # nobody's bucket
        assert [ask(server, "POST", f"/api/auth/{path}/", body).status_code for _ in range(4)][-1] in (400, 415)


def test_every_guess_counts_for_the_address(own_server):
    server = own_server(env={"THROTTLE_LOGIN": "3/minute"})
    answers = [ask(server, "POST", "/api/auth/login/", body, Content_Type="application/json") for body in (b"{", b"", b"[]", {"email": "a@example.org", "password": "x"})]
    assert [a.status_code for a in answers] == [400, 400, 400, 429] and 1 <= seconds_of(answers[-1]) <= 60
    assert ask(server, "POST", "/api/auth/register/", {}).status_code == 400  # a bucket of its own
    assert ask(server, "PUT", "/api/auth/login/").status_code in (405, 429)


def test_guessing_verification_tokens_is_bounded(own_server):
    server = own_server(env={"THROTTLE_ANON": "100/hour"})
    statuses = [ask(server, "POST", f"/api/auth/verify-email/{i:043d}/").status_code for i in range(102)]
    assert statuses == [400] * 100 + [429] * 2
