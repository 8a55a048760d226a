"""contract.md 1.6: one line per call, and never a secret in any log."""
import os
import re
import signal

from parley import PASSWORD, PATIENCE, wait_until

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO api method=\S+ path='(?:[^'\\]|\\.)*' user=\S+ ip=\S+ "
                  r"agent='(?:[^'\\]|\\.)*' status=\d{3} duration_ms=\d+\.\d")


def lines(server, count):
    """the lines of api.log once there are that many"""
    return wait_until(f"{count} lines in api.log", lambda: (
        found := [l for l in (server.logs / "api.log").read_text().splitlines()]) and len(found) >= count and found)


def test_one_line_per_call(own_server):
    server = own_server()
    anybody = server.anonymous()
    anybody.get("/api/?token=hush", headers={"User-Agent": "curl/8.5.0"})
    anybody.get("/nope/")
    anybody.post("/api/chat/rooms/", {"name": "hush"})
    anybody.get("/healthz")
    found = lines(server, 3)
    assert all(LINE.fullmatch(line) for line in found), found
    assert "method=GET path='/api/' user=anonymous ip=127.0.0.1 agent='curl/8.5.0' status=200" in found[0]
    assert "path='/nope/'" in found[1] and "status=404" in found[1]
    assert "method=POST" in found[2] and "status=401" in found[2]
    ada = server.person("ada")
    ada.get("/api/auth/profile/")
    wait_until("ada's line", lambda: "path='/api/auth/profile/' user=ada@example.org" in (server.logs / "api.log").read_text())
    assert "hush" not in (server.logs / "api.log").read_text()


def test_a_line_stays_one_line(own_server):
    server = own_server()
    anybody = server.anonymous()
    anybody.get("/nope'%0a%1b%e2%80%a8/", headers={"User-Agent": b"a'b\xe2\x80\xa8c\xff\x9b" + b"x" * 5000})
    text = lines(server, 1)
    assert len(text) == 1 and len(text[0]) < 3000
    raw = (server.logs / "api.log").read_bytes()
    raw.decode("utf-8")
    assert b"\x1b" not in raw and "\u2028" not in raw.decode()


def test_no_secret_in_any_log(own_server):
    server = own_server(env={"SECRET_KEY": "configured-secret-of-more-than-32-characters"})
    ada = server.person("ada")
    link = server.token_of(ada.email)
    room = ada.room()
    ada.say(room, "a private word")
    with ada.socket(room) as socket:
        socket.say("another private word")
        socket.message()
    server.anonymous().get("/api/auth/profile/", headers={"Authorization": "Token wrong-but-secret"})
    server.anonymous().get(f"/ws/chat/{room['id']}/?token={ada.token}&ticket=hush")
    server.anonymous().post(f"/api/auth/verify-email/{link}/")
    server.end()
    everything = server.text() + "".join(p.read_text() for p in server.logs.iterdir())
    for secret in (ada.token, link, PASSWORD, "private word", "wrong-but-secret", "configured-secret", "hush"):
        assert secret not in everything, secret


def test_logs_are_reopened(own_server):
    server = own_server()
    server.anonymous().get("/api/")
    lines(server, 1)
    (server.logs / "api.log").rename(server.logs / "api.log.1")
    server.process.send_signal(signal.SIGUSR1)
    wait_until("a new api.log", lambda: (server.logs / "api.log").exists())
    server.anonymous().get("/nope/")
    assert "/nope/" in lines(server, 1)[-1]


def test_files_are_private(own_server):
    server = own_server()
    server.person("ada")
    server.anonymous().get("/api/")
    lines(server, 1)
    for folder in (server.data, server.logs):
        for at, _, files in os.walk(folder):
            assert os.stat(at).st_mode & 0o077 == 0, at
            for name in files:
                assert os.stat(os.path.join(at, name)).st_mode & 0o077 == 0, name
