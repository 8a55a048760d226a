"""The operations listener and what it tells."""
import os
import re
import signal
import socket

import pytest
import requests

import metrics
from metrics import OPENMETRICS, Scrape
from parley import CLUSTER, PATIENCE, ROOT, wait_until
from redis import Redis, config_with_redis


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    from parley import Server
    with Server(tmp_path_factory.mktemp("server"), ops=True) as running:
        yield running


# ---- the format ----
def test_openmetrics_is_well_formed(server):
    families = metrics.families(server)
    text = metrics.answer(server).text
    assert text.endswith("# EOF\n") and text.count("# EOF") == 1
    assert len({f.name for f in families}) == len(families)
    for family in families:
        assert family.name.startswith("parley_") and family.documentation
        assert family.type in ("counter", "gauge", "histogram")
        assert not family.unit or family.name.endswith("_" + family.unit)


def test_the_older_text_for_those_who_ask_for_it(server):
    old = metrics.families(server, "text/plain")
    assert {f.name for f in old} == {f.name for f in metrics.families(server)}
    got = metrics.answer(server, "text/plain")
    assert got.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# EOF" not in got.text and "# UNIT" not in got.text
    assert "# TYPE parley_http_requests_total counter" in got.text


@pytest.mark.parametrize("accept, wanted", [
    ("*/*", OPENMETRICS),
    ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", OPENMETRICS),
    ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "text/plain"),
    ("text/html", OPENMETRICS),
])
def test_which_format(server, accept, wanted):
    assert metrics.answer(server, accept).headers["Content-Type"].startswith(wanted)


def test_histograms_add_up(server):
    server.person()
    samples = Scrape(server).samples
    counts = {(s.name, tuple(sorted(s.labels.items()))): s.value for s in samples if s.name.endswith("_count")}
    assert counts and any(counts.values())
    for sample in samples:
        if sample.name.endswith("_bucket") and sample.labels["le"] == "+Inf":
            labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
            assert counts[sample.name.replace("_bucket", "_count"), labels] == sample.value


# ---- two listeners ----
def test_each_listener_serves_its_own(server):
    chat = server.anonymous()
    assert chat.get("/metrics").status_code == 404
    assert metrics.answer(server, path="/api/").status_code == 404
    assert metrics.answer(server, path="/outbox/").status_code == 404
    for path in ("/healthz", "/readyz"):
        assert chat.get(path).status_code == 200 and metrics.answer(server, path=path).status_code == 200
    assert requests.post(f"http://127.0.0.1:{server.ops_port}/metrics", timeout=PATIENCE).status_code == 405


def test_a_scraper_is_never_throttled(own_server):
    server = own_server(ops=True, env={"THROTTLE_ANON": "3/hour"})
    assert {metrics.answer(server).status_code for _ in range(20)} == {200}


def test_a_used_port_keeps_nobody_from_chatting(own_server):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = own_server(start=False, env={"OPS": f"127.0.0.1:{port}"})
        refused.start(ready=False)
        refused.wait_line(f"cannot listen on 127.0.0.1 port {port}: .*choose a free one: OPS")
        assert refused.process.wait(PATIENCE) == 1
    try:
        usual = socket.create_server(("127.0.0.1", 9464))
    except OSError:
        usual = None  # somebody else has it: as good
    server = own_server(env={"OPS": "auto"})
    server.wait_line("no operations listener: 127.0.0.1 port 9464")
    assert server.anonymous().get("/healthz").status_code == 200
    if usual:
        usual.close()


@pytest.mark.parametrize("value", ["9464", "localhost:9464", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "::1:9464", "127.0.0.1:x"])
def test_wrong_addresses_are_named(own_server, value):
    server = own_server(start=False, env={"OPS": value})
    server.start(ready=False)
    assert server.process.wait(PATIENCE) == 78
    server.wait_line(r"server\.ops: .*is not a numeric address with a port")


# ---- what is counted ----
def test_requests_sockets_and_messages_are_counted(own_server):
    server = own_server(ops=True)
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    before = Scrape(server)
    with ada.socket(room) as one, bob.socket(room) as two:
        for i in range(5):
            one.say(f"{i}")
            assert two.message()["content"] == one.message()["content"] == f"{i}"
        one.send({"type": "nonsense"})
        assert one.read_type("error")
        now = Scrape(server)
        assert now["parley_sockets"] == 2 and now["parley_rooms"] == 1
        assert now["parley_connections"] >= 3
    ada.say(room, "over REST")
    assert ada.get("/api/nowhere/").status_code == 404
    server.anonymous().get("/api/chat/rooms/")
    after = wait_until("the sockets to be gone", lambda: (s := Scrape(server))["parley_sockets"] == 0 and s)

    def more(name, **labels):
        return after.get(name, **labels) - before.get(name, **labels)
    assert more("parley_events_total", type="chat_message", result="ok") == 5
    assert more("parley_events_total", type="unknown", result="refused") == 1
    assert more("parley_socket_messages_total", direction="in") == 6
    assert more("parley_socket_messages_total", direction="out") >= 11
    assert more("parley_network_bytes_total", direction="in") > 0 and more("parley_network_bytes_total", direction="out") > 0
    send = "/api/chat/rooms/:id(uuid)/send/"
    assert more("parley_http_requests_total", method="POST", route=send, status="2xx") == 1
    assert more("parley_http_request_duration_seconds_count", method="POST", route=send) == 1
    assert more("parley_http_requests_total", method="WS", status="1xx") == 2
    assert more("parley_http_requests_total", route="unmatched", status="4xx") == 1
    assert more("parley_http_requests_total", method="GET", route="/api/chat/rooms/", status="4xx") == 1
    assert after["parley_rooms"] == 0 and after["parley_queued_bytes"] == 0
    assert more("parley_plugin_callbacks_total", plugin="chat") > 0 and more("parley_plugin_callback_seconds_total", plugin="chat") > 0
    assert after.get("parley_build_info", version="0.1.0") == 1


def test_refusals_are_counted_by_reason(own_server):
    server = own_server(ops=True)
    for raw in (b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as sock:
            sock.sendall(raw)
            assert b" 400 " in sock.recv(4096)
    scrape = Scrape(server)
    for reason in ("host_missing", "host_repeated", "space_before_colon"):
        assert scrape.get("parley_http_refused_total", reason=reason) == 1, reason
    assert scrape["parley_http_refused_total"] == 3


def test_every_reason_of_the_network_is_known():
    sources = "\n".join(f.read_text() for f in (ROOT / "core/net").glob("*.c"))
    words = set(re.findall(r'static const refusal \w+\s*= \{ \d+, "(\w+)" \}', sources))
    table = re.search(r"reasons\[\] = \{(.*?)\};", (ROOT / "core/host/meters.c").read_text(), re.S).group(1)
    assert len(words) > 30 and words <= set(re.findall(r'"(\w+)"', table))


def test_counters_outlive_their_worker(own_server):
    server = own_server(ops=True)
    ada = server.person()
    room = ada.room()
    for i in range(7):
        ada.say(room, f"{i}")
    send = {"method": "POST", "route": "/api/chat/rooms/:id(uuid)/send/", "status": "2xx"}
    assert Scrape(server).get("parley_http_requests_total", **send) == 7
    sock = ada.socket(room)
    worker = server.workers()[0]
    os.kill(worker, signal.SIGKILL)
    server.wait_line(r"worker 0 \(pid \d+\) is ready")
    after = Scrape(server)
    assert after.get("parley_http_requests_total", **send) == 7
    assert after.get("parley_worker_restarts_total", worker="0") == 1
    assert after["parley_sockets"] == 0
    ada.say(room, "again")
    assert Scrape(server).get("parley_http_requests_total", **send) == 8
    sock.sock.close()


def test_plugins_count(own_server):
    server = own_server(ops=True, env={"THROTTLE_MESSAGE": "2/minute"})
    ada = server.person()
    server.anonymous().post("/api/auth/login/", {"email": ada.email, "password": "wrong horse battery"})
    room = ada.room()
    with ada.socket(room) as one:
        for i in range(2):
            one.say(f"{i}")
            one.message()
        one.say("too much")
        assert one.read_type("error")["code"] == "throttled"
        scrape = Scrape(server)
    assert scrape["parley_chat_messages_total"] == 2 == scrape["parley_chat_live_deliveries_total"]
    assert scrape["parley_chat_group_size_sum"] == 2 and 1 <= scrape["parley_chat_commit_seconds_count"] <= 2
    assert scrape["parley_chat_commit_seconds_sum"] > 0
    assert scrape.get("parley_throttle_total", scope="messages", outcome="passed") == 2
    assert scrape.get("parley_throttle_total", scope="messages", outcome="refused") == 1
    assert scrape.get("parley_logins_total", outcome="ok") == 1 == scrape.get("parley_logins_total", outcome="refused")
    assert scrape["parley_registrations_total"] == 1
    assert scrape.get("parley_mail_attempts_total", outcome="sent") == 1
    assert scrape["parley_mail_queue"] == 0 == scrape["parley_mail_oldest_seconds"]
    assert {s.value for s in scrape.samples if s.name == "parley_db_up"} == {1} and scrape["parley_db_open_runs"] == 0
    assert scrape.get("parley_db_runs_total", kind="write", outcome="ok") >= 5
    assert scrape.get("parley_db_runs_total", kind="read", outcome="ok") == scrape.get("parley_db_run_seconds_count", kind="read")
    assert scrape["parley_pool_wait_seconds_count"] >= 3  # passwords
    if not CLUSTER:
        assert scrape["parley_memory_keys"] >= 1 and scrape["parley_memory_bytes"] > 0
    assert scrape["parley_password_queue"] == 0 == scrape["parley_log_lines_dropped_total"]


def test_every_scrape_knows_all_workers_and_goes_on_after_sighup(own_server, tmp_path):
    def asked():
        return Scrape(server).get("parley_http_requests_total", method="GET", route="/api/", status="2xx")
    with Redis(tmp_path / "redis") as redis:
        server = own_server(config=config_with_redis(workers=3), env={"REDIS_URL": redis.url}, ops=True)
        for _ in range(60):
            assert requests.get(server.url + "/api/", timeout=PATIENCE).status_code == 200
        assert asked() == 60
        assert len([s for s in Scrape(server).samples if s.name == "parley_db_up" and s.value == 1]) == 3
        server.process.send_signal(signal.SIGHUP)
        server.wait_line("configuration taken: 3 workers were replaced")
        for _ in range(60):
            assert requests.get(server.url + "/api/", timeout=PATIENCE).status_code == 200
        assert asked() == 120
        assert Scrape(server)["parley_worker_restarts_total"] == 0
        server.end()
