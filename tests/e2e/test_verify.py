"""parley verify: holds against a server that keeps its promises, names the promise that another one breaks (liar.py), and says
what it cannot do."""
import json
import os
import re
import signal
import ssl
import subprocess

import pytest

import liar
import postgres
import redis
from command import Typed, command
from parley import PASSWORD, ROOT, wait_until

MESSAGES = 150
SHORT = ("--clients", "4", "--rooms", "1", "--messages", str(MESSAGES), "--cuts", "12", "--seed", "5")


SPREAD = (*SHORT, "--duration", "1500ms")  # so that what is cut comes back while others still send


@pytest.fixture(scope="module")
def tokens(server):
    return [word for _ in range(2) for word in ("--token", server.person().token)]


def verify(server, *more, **how):
    return command(server, "verify", *more, **how)


def scratch(unstarted):
    """its stores are for this test alone"""
    return [] if re.search(r"^  - sqlite", unstarted.config.read_text(), re.M) and "- redis" not in unstarted.config.read_text() else ["--scratch"]


def report(done, status):
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def broken(found):
    return {check["check"] for check in found["checks"] if check["violations"]}


# ---- a server that keeps its promises ----
def test_a_running_server_holds(server, tokens):
    found = report(verify(server, "--url", server.url, *tokens, *SHORT, "--json"), 0)
    assert found["held"] and not found["violations"]
    assert found["figures"]["messages"] == MESSAGES and found["figures"]["cuts"] == 12
    checked = {check["check"]: check["checked"] for check in found["checks"]}
    assert checked["stored twice"] == checked["read, but not stored"] == MESSAGES
    assert checked["seq is not dense"] > MESSAGES, "edits and reactions are events of the log, too"
    assert 0 < found["figures"]["shared_sockets"] < found["figures"]["sockets"]
    assert found["figures"]["edits"] > 0 and found["figures"]["reactions"] > 0
    assert checked["an edit is lost"] > 0 and checked["shown with a former text"] > 0 and checked["reactions differ"] > 0
    assert checked["not shown in time"] == 4
    assert checked["acknowledged, but missing"] >= MESSAGES
    assert checked["skipped on an open socket"] > MESSAGES and checked["resume is not whole"] > 0


def test_the_rooms_are_gone_when_it_held(server):
    person = server.person()
    assert verify(server, "--url", server.url, "--token", person.token, *SHORT).returncode == 0
    assert person.get("/api/chat/rooms/").json()["results"] == []


def test_the_report_is_for_people(server, tokens):
    done = verify(server, "--url", server.url, *tokens, *SHORT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"^nothing is stored twice, however often it was sent +{MESSAGES} +0$", done.stdout, re.M)
    assert re.search(rf"^THE RUN\n  messages acknowledged +{MESSAGES}$", done.stdout, re.M)
    assert re.search(r"^  --seed, for the same faults again +5$", done.stdout, re.M)
    assert done.stdout.endswith("HELD: all that was promised was kept\n")


def test_an_account_with_a_password(server):
    person = server.person()
    asked = verify(server, "--url", server.url, "--email", person.email, *SHORT)
    assert asked.returncode == 2 and "PARLEY_PASSWORD" in asked.stderr
    server.env["PARLEY_PASSWORD"] = PASSWORD
    try:
        assert verify(server, "--url", server.url, "--email", person.email, *SHORT).returncode == 0
    finally:
        del server.env["PARLEY_PASSWORD"]
    typed = Typed(server, "verify", "--url", server.url, "--email", person.email, *SHORT, terminal=True)
    typed.wait_for("Password: ")
    os.write(typed.ours, (PASSWORD + "\n").encode())
    typed.wait_for("HELD")
    typed.end()


def test_a_server_of_its_own_and_restarts(own_server):
    unstarted = own_server(start=False)
    done = verify(unstarted, *SHORT, "--restarts", "4", *scratch(unstarted), "--json")
    found = report(done, 0)
    assert found["figures"]["restarts"] == 4 and found["figures"]["messages"] == MESSAGES
    assert not unstarted.data.exists(), "it worked in the data folder of the configuration"


@pytest.mark.one_database("it chooses PostgreSQL itself")
def test_three_workers_on_postgres_and_redis(own_server):
    config = redis.config_with_redis(workers=3)
    unstarted = own_server(start=False, db="postgres", config=config, env={"REDIS_URL": redis.shared().url})
    found = report(verify(unstarted, "--clients", "6", "--rooms", "2", "--messages", "400", "--cuts", "30", "--restarts", "2",
                          "--scratch", "--json"), 0)
    assert found["figures"]["messages"] == 400 and found["figures"]["restarts"] == 2


def test_a_command_restarts_a_foreign_server(own_server, tmp_path):
    server = own_server()
    person = server.person()
    kill = f"pkill -KILL -o -P {server.process.pid} && echo killed >> {tmp_path}/killed"
    found = report(verify(server, "--url", server.url, "--token", person.token, *SHORT, "--restarts", "2", "--restart-command", kill,
                          "--json"), 0)
    assert found["figures"]["restarts"] == 2
    assert (tmp_path / "killed").read_text() == "killed\n" * 2


def test_what_is_throttled_is_sent_later(own_server):
    server = own_server(env={"THROTTLE_MESSAGE": "20/second"})
    found = report(verify(server, "--url", server.url, "--token", server.person().token, "--clients", "2", "--rooms", "1",
                          "--messages", "60", "--cuts", "3", "--json"), 0)
    assert found["figures"]["messages"] == 60 and found["figures"]["seconds"] > 1


# ---- one that does not ----
LIES = [
    (liar.AckBeforeCommit, "acknowledged, but missing"),
    (liar.DeafResume, "skipped on an open socket"),
    (liar.NoDedup, "stored twice"),
    (liar.Hole, "seq is not dense"),
    (liar.Reordering, "order differs"),
    (lambda port: liar.LostLast(port, MESSAGES), "not shown in time"),
    (liar.Ghost, "shown before it was durable"),
    (liar.Stutter, "shown twice"),
    (liar.IdleResync, "resync without reason"),
    (liar.Forger, "other content than was sent"),
    (liar.LostEdit, "an edit is lost"),
    (liar.FormerText, "shown with a former text"),
    (liar.FormerRead, "shown with a former text"),
    (liar.LostReaction, "reactions differ"),
    (liar.LeakyFeed, "skipped on an open socket"),
]
NAMES = ["ack before commit", "a resume that misses what comes meanwhile", "no dedup", "a hole", "another order", "a lost last event",
         "a ghost", "a stutter", "an idle resync", "a forger", "a lost edit", "an edit with a former text", "a former text read", "lost reactions",
         "a socket for several rooms that leaks"]


@pytest.mark.parametrize("lie, check", LIES, ids=NAMES)
def test_a_lie_is_found(server, tokens, lie, check):
    with lie(server.port) as proxy:
        done = verify(server, "--url", proxy.url, *tokens, *SPREAD, "--patience", "3s", "--json")
        found = report(done, 1)
        assert proxy.lies > 0
    assert not found["held"] and check in broken(found), found["violations"][:5]


def test_the_first_violations_are_told_in_words(server, tokens):
    with liar.Stutter(server.port) as proxy:
        done = verify(server, "--url", proxy.url, *tokens, *SHORT)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"^  shown twice: room \S+: client\d, socket of \d+\.\d+: seq \d+ again at \d+\.\d+$", done.stdout, re.M), done.stdout
    assert "VIOLATED: 1 violations" in done.stdout


def test_a_proxy_that_passes_all_on_is_no_lie(server, tokens):
    with liar.Liar(server.port) as proxy:
        assert report(verify(server, "--url", proxy.url, *tokens, *SHORT, "--json"), 0)["held"]


def test_tls(server, tokens, tmp_path):
    """A certificate is asked for, and must be of somebody who is trusted."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key", "-out", tmp_path / "cert"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    with liar.Liar(server.port, context) as proxy:
        stranger = verify(server, "--url", proxy.url, *tokens, *SHORT)
        assert stranger.returncode == 2 and "its certificate is not trusted" in stranger.stderr, stranger.stderr
        server.env["SSL_CERT_FILE"] = str(tmp_path / "cert")
        try:
            assert report(verify(server, "--url", proxy.url, *tokens, *SHORT, "--json"), 0)["held"]
        finally:
            del server.env["SSL_CERT_FILE"]


# ---- records ----
def test_a_record_is_judged_again(server, tokens, tmp_path):
    for kind, status in ((liar.Liar, 0), (liar.Ghost, 1)):
        with kind(server.port) as proxy:
            lived = verify(server, "--url", proxy.url, *tokens, *SHORT, "--record", tmp_path / "record", "--json")
        judged = verify(server, "--check", tmp_path / "record", "--json")
        first, again = report(lived, status), report(judged, status)
        assert [first["checks"], first["violations"]] == [again["checks"], again["violations"]]


@pytest.mark.parametrize("line, why", [
    ("{", "line 2: it is no JSON"),
    ('{"what":"opne"}', 'line 2: its "what" is missing or unknown'),
    ('{"what":"shown","socket":"nobody\'s","kind":"event"}', 'line 2: its "socket" is missing or unknown'),
    ('{"what":"answered","send":0,"outcome":"acked"}', 'line 2: its "send" is missing or unknown'),
])
def test_a_record_that_is_none(server, tmp_path, line, why):
    (tmp_path / "record").write_text('{"what":"run","repair_s":8}\n' + line + "\n")
    done = verify(server, "--check", tmp_path / "record")
    assert done.returncode == 2 and why in done.stderr, done.stderr


# ---- what it cannot do ----
@pytest.mark.parametrize("more, why", [
    (["--url", "ftp://example.org", "--token", "t"], "must be http://HOST"),
    (["--url", "http://127.0.0.1/chat/", "--token", "t"], "without a path"),
    (["--url", "http://127.0.0.1:1"], "--url needs --token"),
    (["--url", "http://127.0.0.1:1", "--token", "t"], "127.0.0.1:1 does not answer"),
    (["--url", "http://nobody.invalid", "--token", "t"], "no address for"),
    (["--token", "t"], "are for a server of --url"),
    (["--url", "http://127.0.0.1:1", "--token", "t", "--restarts", "1"], "needs --restart-command"),
    (["--url", "http://127.0.0.1:1", "--token", "t", "--scratch"], "--scratch is about"),
    (["--rooms", "9", "--clients", "3"], "more rooms than --clients"),
    (["--check", "/nowhere/at/all"], "cannot read /nowhere/at/all"),
    (["--record", "/nowhere/at/all"], "cannot write --record /nowhere/at/all"),
    (["--messages", "0"], "--messages"),
])
def test_what_it_refuses(server, more, why):
    done = verify(server, *more)
    assert done.returncode == 2 and why in done.stderr, done.stderr


def test_a_token_that_nobody_has(server):
    done = verify(server, "--url", server.url, "--token", "nobody's")
    assert done.returncode == 2 and "was answered 401" in done.stderr, done.stderr


def test_a_configuration_with_folders_of_its_own_is_refused(own_server):
    config = (ROOT / "config/parley.yaml").read_text().replace("${DATA_DIR:-var}", "var")
    unstarted = own_server(start=False, config=config, db="sqlite")
    done = verify(unstarted)
    assert done.returncode == 2 and "does not read ${DATA_DIR" in done.stderr, done.stderr


@pytest.mark.one_database("it chooses its stores itself")
@pytest.mark.parametrize("line, kind", [("  - postgres:\n      url: postgresql://u:p@127.0.0.1:1/d\n", "postgres"),
                                        ("  - redis:\n      urls: redis://127.0.0.1:1/0\n", "redis")])
def test_stores_of_others_are_left_alone(own_server, line, kind):
    text = (ROOT / "config/parley.yaml").read_text()
    config = re.sub(rf"^  - {'sqlite' if kind == 'postgres' else 'memory'}\b.*\n", line, text, count=1, flags=re.M)
    done = verify(own_server(start=False, config=config, db="sqlite"))
    assert done.returncode == 2 and f"uses {kind}, and accounts" in done.stderr, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_interrupted(own_server, tmp_path, number):
    unstarted = own_server(start=False, env={"TMPDIR": "/tmp"})
    typed = Typed(unstarted, "verify", "--messages", "1000000", "--duration", "1h", *scratch(unstarted), terminal=True)
    typed.wait_for(r"sending: [1-9]\d* of")
    pid = int(subprocess.run(["pgrep", "-P", str(typed.process.pid)], capture_output=True, text=True, check=True).stdout)
    typed.interrupt(number)
    typed.end()
    assert typed.process.returncode == 2 and "interrupted" in typed.output
    wait_until("its server to be gone", lambda: not os.path.exists(f"/proc/{pid}"))
