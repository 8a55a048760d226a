"""contract.md 1.6: one line per call, and never a secret in any log."""
import json
import os
import re
import signal

import pytest
import requests

from parley import PASSWORD, PATIENCE, ROOT, wait_until

pytestmark = pytest.mark.one_database("plugin logging")

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO api method=\S+ path='(?:[^'\\]|\\.)*' user=\S+ ip=\S+ "
                  r"agent='(?:[^'\\]|\\.)*' status=\d{3} duration_ms=\d+\.\d")


# "..." behind a quoted value: it was cut
FORGED = re.compile(LINE.pattern.replace("*'", "*'(?:\\.\\.\\.)?"))


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


def test_full_logs_are_rotated(own_server):
    """No line is lost, and none stands twice."""
    config = re.sub(r"^  - logging\b.*\n(?:      .*\n)*", "  - logging:\n      max_size: 4KiB\n      keep: 99\n",
                    (ROOT / "config" / "parley.yaml").read_text(), flags=re.M)
    server = own_server(config=config)
    for i in range(200):
        requests.get(server.url + f"/nope/{i}/", timeout=PATIENCE)
    server.end()
    files = list(server.logs.glob("api.log*"))
    told = [path for file in files for path in re.findall(r"path='/nope/(\d+)/'", file.read_text())]
    assert sorted(map(int, told)) == list(range(200)) and len(files) > 3
    assert {file.name for file in files} == {"api.log", *(f"api.log.{i}" for i in range(1, len(files)))}


@pytest.mark.parametrize("form", ["text", "json"])
def test_traces_are_told(own_server, form):
    config = re.sub(r"^  - logging\b.*\n(?:      .*\n)*", f"  - logging:\n      format: {form}\n",
                    (ROOT / "config" / "parley.yaml").read_text(), flags=re.M)
    server = own_server(config=config)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    for given in (f"00-{trace}-00f067aa0ba902b7-01", f"00-{trace}-0000000000000000-01", None):
        server.anonymous().get("/nope/", headers={"traceparent": given, "X-Request-ID": "mine-1"})
    first, *others = lines(server, 3)
    if form == "text":
        assert first.endswith(f" trace={trace}") and all(LINE.fullmatch(line) for line in others)
    else:
        found = [json.loads(line) for line in (first, *others)]
        assert [line.get("trace_id") for line in found] == [trace, None, None]
        assert {line["request_id"] for line in found} == {"mine-1"}


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


def test_lines_of_refusals_and_what_they_tell(own_server):
    server = own_server(env={"THROTTLE_USER": "3/hour"})
    ada = server.person("ada")
    agent = {"User-Agent": "probe/1.0 (x; y) 'q'"}
    for method, path, more in [("GET", "/api/auth/profile/?token=hush", {}), ("PATCH", "/api/auth/profile/", {}), ("POST", "/api/chat/rooms/", {"data": b"{hush"}),
                               ("GET", "/api/auth/profile/", {}), ("GET", "/api/chat/rooms?x=hush", {}), ("GET", "/api/auth/profile/", {"headers": {"Accept": "image/hush"}}),
                               ("HEAD", "/api/auth/profile/", {})]:
        ada.call(method, path, **{**more, "headers": {**agent, **more.get("headers", {})}})
    server.anonymous().get("/api/auth/profile/", headers={"Authorization": "Token hush", **agent})
    server.anonymous().post("/api/auth/login/", {"email": "hush@example.org", "password": "hush"}, headers=agent)
    found = [l for l in lines(server, 12) if "probe" in l]  # three of the registration
    told = [re.search(r"method=(\S+) path='(\S+)' user=(\S+) .* status=(\d+) ", l).groups() for l in found]
    assert told == [("GET", "/api/auth/profile/", "ada@example.org", "200"), ("PATCH", "/api/auth/profile/", "ada@example.org", "405"),
                    ("POST", "/api/chat/rooms/", "ada@example.org", "415"), ("GET", "/api/auth/profile/", "ada@example.org", "429"),
                    ("GET", "/api/chat/rooms", "anonymous", "301"), ("GET", "/api/auth/profile/", "anonymous", "406"),
                    ("HEAD", "/api/auth/profile/", "ada@example.org", "429"), ("GET", "/api/auth/profile/", "anonymous", "401"),
                    ("POST", "/api/auth/login/", "anonymous", "400")]
    assert all(LINE.fullmatch(l) for l in found) and all("agent='probe/1.0 (x; y) \\'q\\''" in l for l in found)
    assert "hush" not in "".join(found)


def test_what_a_client_puts_into_a_line_cannot_forge_another(own_server):
    server = own_server()
    anybody = server.anonymous()
    for agent in ("x' status=200 duration_ms=0.0", "\\' status=200", "a\tb", "\\", "'", "é".encode(), b"\xff\xfe", b"\xc2\x85\xe2\x80\xae", "%0a", "y" * 3000, ""):
        anybody.get("/nope/", headers={"User-Agent": agent})
    for path in ("/a'b%0d%0a2025-01-31/", "/%5c'/", "/%00/", "/%ff/", "/%1b%5b31m/", "/%C2%85%E2%80%AE/", "/" + "z" * 3000 + "/", "/nope/?x='", "/a%20status=200/"):
        anybody.get(path, headers={"User-Agent": "p"})
    found = lines(server, 20)
    assert len(found) == 20 and [l for l in found if not FORGED.fullmatch(l) or l.count(" INFO api method=") != 1] == []
    raw = (server.logs / "api.log").read_bytes()
    text = raw.decode("utf-8")
    assert not [c for c in text.replace("\n", "") if ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 or c in "\u2028\u2029\u202e"]
    assert max(map(len, raw.splitlines())) < 1024
    assert all(re.search(r"status=(404|400) duration_ms=\d+\.\d$", l) for l in found)


def test_no_token_in_the_log_whatever_the_path(own_server):
    server = own_server()
    person = server.person("path", verified=False)
    token = server.token_of(person.email)
    anybody = server.anonymous()
    for path in (f"/api/auth/verify-email/{token}", f"/api/auth/verify-email/{token}/x/", f"/api/auth//verify-email/{token}/", f"/{token}", f"/x/{token}/?t={token}",
                 f"/api/auth/verify-email/{token}%2f/", f"/API/auth/verify-email/{token}/", f"/api/auth/verify-email/{token}.html", f"/api/auth/verify-email/%20{token}/",
                 f"/api/auth/verify-email/{token}/"):
        for method in ("GET", "PUT"):
            anybody.call(method, path, headers={"Accept": "text/html"})
    lines(server, 21)
    server.end()
    everything = server.text() + "".join(p.read_text() for p in server.logs.iterdir())
    assert token not in everything and token[:30] not in everything
