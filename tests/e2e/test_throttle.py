"""contract.md 1.5: who may do how much, and what the refusal says."""
import concurrent.futures
import re

import pytest
import requests

from parley import LIFTED, PASSWORD, PATIENCE

pytestmark = pytest.mark.one_database("plugin throttle")


def refused(answer, most):
    """the shape of a 429; its seconds"""
    assert answer.status_code == 429, answer.text
    seconds = int(answer.headers["Retry-After"])
    assert answer.json()["detail"] == f"Request was throttled. Expected available in {seconds} second{'' if seconds == 1 else 's'}."\
        or answer.json()["detail"] == f"Request was throttled. Expected available in {seconds} seconds."
    assert 1 <= seconds <= most
    return seconds


def test_anonymous_requests_are_counted_per_address(own_server):
    server = own_server(env={"THROTTLE_ANON": "5/hour"})
    anybody = server.anonymous()
    for _ in range(3):
        assert anybody.get("/api/chat/rooms/").status_code == 401  # refused before: does not count
        assert anybody.get("/nope/").status_code == 404
    for _ in range(5):
        assert anybody.get("/api/").status_code == 200
    refused(anybody.get("/api/"), 3600)
    refused(anybody.post("/api/auth/login/", {}), 3600)
    assert anybody.get("/api/chat/rooms/").status_code == 401
    assert anybody.get("/healthz").status_code == 200
    for spoofed in ("1.2.3.4", "127.0.0.1, 5.6.7.8", "junk"):
        refused(anybody.get("/api/", headers={"X-Forwarded-For": spoofed}), 3600)


def test_a_trusted_proxy_names_the_address(own_server):
    server = own_server(env={"THROTTLE_ANON": "2/hour", "TRUSTED_PROXIES": "127.0.0.0/8, 10.0.0.0/8"})
    anybody = server.anonymous()

    def get(forwarded):
        return anybody.get("/api/", headers={"X-Forwarded-For": forwarded}).status_code
    assert [get("1.2.3.4"), get("9.9.9.9, 1.2.3.4, 10.0.0.7"), get("1.2.3.4")] == [200, 200, 429]
    assert get("1.2.3.5") == 200
    assert [get("2001:db8:1:2::1"), get("2001:db8:1:2::ffff"), get("2001:db8:1:2:3::")] == [200, 200, 429]
    assert get("2001:db8:1:3::1") == 200


def test_users_are_counted_whatever_the_status(own_server):
    server = own_server(env={"THROTTLE_USER": "4/hour"})
    ada, bob = server.person(), server.person()
    statuses = [ada.get("/api/auth/profile/").status_code, ada.get("/api/chat/rooms/019a1b2c-0000-7000-8000-0000000000c3/").status_code,
                ada.post("/api/chat/rooms/", {}).status_code, ada.call("PATCH", "/api/chat/rooms/").status_code]
    assert statuses == [200, 404, 400, 405]
    refused(ada.get("/api/auth/profile/"), 3600)
    refused(ada.call("PATCH", "/api/chat/rooms/"), 3600)  # throttles come before methods
    assert bob.get("/api/auth/profile/").status_code == 200


def test_messages_over_rest_and_sockets_share_one_bucket(own_server):
    server = own_server(env={"THROTTLE_MESSAGE": "6/minute"})
    ada, bob = server.person(), server.person()
    room, other = ada.room(bob), ada.room()
    with ada.socket(room) as socket:
        ada.say(room, "1")
        ada.say(other, "2")
        assert ada.post(f"/api/chat/rooms/{room['id']}/send/", {}).status_code == 400  # counts too
        socket.say("4")
        socket.send({"type": "chat_message"})  # invalid, counts too
        for _ in range(5):
            socket.send({"type": "typing"})  # counts nowhere
        socket.say("6")
        socket.say("7")
        error = [f for f in socket.sync() if f["type"] == "error" and f["code"] == "throttled"]
        if not error:
            error = [socket.read_type("error")]
        assert re.fullmatch(r"Request was throttled\. Expected available in \d+ seconds?\.", error[0]["detail"])
        assert 1 <= error[0]["retry_after"] <= 60
        refused(ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "8"}), 60)
        bob.say(room, "bob may")
    contents = [m["content"] for m in bob.get(f"/api/chat/rooms/{room['id']}/messages/").json()["results"]]
    assert contents == ["bob may", "6", "4", "1"]


def test_the_seventh_message_is_not_stored_when_requests_race(own_server):
    server = own_server(env={"THROTTLE_MESSAGE": "10/minute"})
    ada = server.person()
    room = ada.room()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: requests.post(
            f"{server.url}/api/chat/rooms/{room['id']}/send/", json={"content": str(i)},
            headers={"Authorization": f"Token {ada.token}"}, timeout=PATIENCE).status_code, range(30)))
    assert sorted(answers) == [201] * 10 + [429] * 20
    assert ada.get(f"/api/chat/rooms/{room['id']}/messages/").json()["count"] == 10


def test_after_the_time_told_a_request_passes(own_server):
    server = own_server(env={"THROTTLE_MESSAGE": "2/second"})
    ada = server.person()
    room = ada.room()

    def burst():
        return [ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "x"}) for _ in range(6)]
    answers = burst()
    assert 429 in [a.status_code for a in answers]
    import time
    time.sleep(refused(next(a for a in answers if a.status_code == 429), 1))
    assert ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "x"}).status_code == 201


@pytest.mark.parametrize("path", ["login", "register", "resend-verification"])
def test_guessing_is_limited_per_address_and_per_account(own_server, path):
    server = own_server(env={"THROTTLE_LOGIN": "3/minute", "THROTTLE_ACCOUNT": "2/hour"})
    anybody = server.anonymous()

    def call(email):
        return anybody.post(f"/api/auth/{path}/", {"email": email, "password": PASSWORD})
    first = [call("a@example.org").status_code, call(" A@example.org").status_code]
    assert 429 not in first
    assert refused(call("a@example.org"), 3600) > 60  # the account's bucket: the longer time is told
    refused(call("b@example.org"), 60)  # and the address's own bucket is full now
    assert anybody.get("/api/").status_code == 200


def test_an_empty_rate_lifts_the_throttle(own_server):
    server = own_server(env=LIFTED)
    anybody = server.anonymous()
    assert {anybody.get("/api/").status_code for _ in range(150)} == {200}


def test_a_wrong_rate_is_a_config_error(own_server):
    server = own_server(env={"THROTTLE_ANON": "10/fortnight"}, start=False)
    server.start(ready=False)
    assert server.process.wait(PATIENCE) == 78
    server._reader.join()
    assert re.search(r"parley\.yaml:\d+: plugins\.throttle\.scopes\.\S+: .*10/fortnight", server.text()), server.text()
