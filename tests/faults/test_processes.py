"""Processes that die, stop and are told to stop: what was acknowledged stays, and is there once."""
import concurrent.futures
import os
import re
import signal
import subprocess
import threading
import time

import pytest
import requests

from parley import PATIENCE, ROOT, Closed, Socket, wait_until

CRASHER = """
#include <parley/plugin.h>
static int crash(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx, (void)req, (void)ud;
    *(volatile int *)8 = 1;
    return PARLEY_DONE;
}
static int load(parley_ctx *ctx, const parley_conf *conf)
{
    (void)conf;
    return parley->route(ctx, &(parley_route){ PARLEY_SIZED(parley_route), .method = "GET", .path = "/crash", .fn = crash });
}
PARLEY_PLUGIN(.name = "crasher", .version = "1.0.0", .load = load)
"""


def worker_of(server):
    return wait_until("a worker", lambda: server.workers())[0]


def another_worker(server, than):
    return wait_until("another worker", lambda: [w for w in server.workers() if w != than])[0]


def test_a_crashed_worker_is_restarted_and_the_plugin_named(own_server, tmp_path):
    source, module = tmp_path / "crasher.c", tmp_path / "crasher.so"
    source.write_text(CRASHER)
    subprocess.run(["cc", "-fPIC", "-shared", f"-I{ROOT}/include", "-o", module, source], check=True)
    tmp_path.chmod(0o755)
    module.chmod(0o755)
    server = own_server(config=(ROOT / "config/parley.yaml").read_text() + f"\n  - crasher:\n      path: {module}\n")
    ada = server.person()
    room = ada.room()
    ada.say(room, "before")
    first = worker_of(server)
    with pytest.raises(requests.ConnectionError):
        server.anonymous().get("/crash")
    server.wait_line(r'plugin "crasher" 1\.0\.0, .*GET /crash')
    another_worker(server, first)
    answer = ada.get(f"/api/chat/rooms/{room['id']}/messages/")  # waits in the backlog until the successor listens
    assert [m["content"] for m in answer.json()["results"]] == ["before"]
    server.output.clear()  # the sanitizer's report of the planted crash


def test_a_worker_that_has_served_for_a_while_is_back_at_once(own_server):
    """Pauses grow for one that dies again and again, and are over for one that has lived longer than the longest of them."""
    server = own_server()
    pauses = []
    for lives in (0, 0, 0, 0, 10.5):
        worker = worker_of(server)
        wait_until("it to serve", lambda: requests.get(server.url + "/healthz", timeout=PATIENCE).status_code == 200)
        time.sleep(lives)  # it is time itself that is tested here
        os.kill(worker, signal.SIGKILL)
        began = time.monotonic()
        another_worker(server, worker)
        pauses.append(time.monotonic() - began)
    assert pauses[3] > 0.4, pauses
    assert pauses[4] < 0.3, pauses


def sends_until(stop, server, token, room, name, acknowledged):
    """sends over REST, one after the other; notes what was acknowledged, and what may or may not have been stored"""
    n = 0
    session = requests.Session()
    while not stop.is_set():
        n += 1
        try:
            answer = session.post(f"{server.url}/api/chat/rooms/{room['id']}/send/", json={"content": f"{name}-{n}"},
                                  headers={"Authorization": f"Token {token}"}, timeout=PATIENCE)
        except requests.RequestException:
            continue
        if answer.status_code == 201:
            acknowledged.append((answer.json()["id"], f"{name}-{n}"))
    return n


def everything(person, room):
    found, path = [], f"/api/chat/rooms/{room['id']}/messages/?limit=200"
    while path:
        page = person.get(path).json()
        found += page["results"]
        path = page["next"] and page["next"].replace(person.server.url, "")
    return found


def test_sigkill_during_sends_loses_and_doubles_nothing(own_server):
    server = own_server()
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    acknowledged, stop = [], threading.Event()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        senders = [pool.submit(sends_until, stop, server, (ada, bob)[i % 2].token, room, f"s{i}", acknowledged) for i in range(6)]
        for _ in range(4):
            worker, seen = worker_of(server), len(acknowledged)
            wait_until("sends to be under way", lambda: len(acknowledged) > seen + 20)
            os.kill(worker, signal.SIGKILL)
            another_worker(server, worker)
        seen = len(acknowledged)
        wait_until("sends to go on", lambda: len(acknowledged) > seen + 20)
        stop.set()
        for sender in senders:
            sender.result()
    server.wait_line(r"died of signal 9")
    stored = everything(ada, room)
    ids, contents = [m["id"] for m in stored], [m["content"] for m in stored]
    assert len(set(ids)) == len(ids) and len(set(contents)) == len(contents)
    assert {a[0] for a in acknowledged} <= set(ids)
    assert sorted((m["seq"] for m in stored)) == list(range(min(m["seq"] for m in stored), max(m["seq"] for m in stored) + 1))


def test_what_a_socket_saw_is_stored(own_server):
    server = own_server()
    ada = server.person()
    room = ada.room()
    for _ in range(3):
        worker = worker_of(server)
        socket = ada.socket(room)
        seen = []
        for i in range(300):
            socket.say(f"m{i}")
        seen += [socket.message()["id"] for _ in range(50)]
        os.kill(worker, signal.SIGKILL)
        try:
            while True:
                seen.append(socket.message()["id"])
        except (Closed, OSError):
            pass
        another_worker(server, worker)
        stored = [m["id"] for m in everything(ada, room)]
        assert set(seen) <= set(stored) and len(stored) == len(set(stored))


def test_drain_closes_sockets_stores_what_was_taken_and_ends_with_0(own_server):
    server = own_server()
    ada = server.person()
    room = ada.room()
    sockets = [ada.socket(room) for _ in range(50)]
    sockets[0].sync()
    idle = requests.Session()
    idle.get(server.url + "/api/")
    started = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    for socket in sockets:
        types = []
        try:
            while True:
                types.append(socket.read()["type"])
        except Closed as end:
            assert end.code == 1001
        assert "going_away" in types
        socket.frame(8, b"\x03\xe9")
        socket.sock.close()
    assert server.process.wait(PATIENCE) == 0
    assert time.monotonic() - started < 11
    server.start()
    assert ada.get(f"/api/chat/rooms/{room['id']}/").status_code == 200


def test_drain_does_not_wait_for_clients_that_do_not_answer(own_server):
    server = own_server()
    ada = server.person()
    room = ada.room()
    sockets = [ada.socket(room) for _ in range(5)]
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 0
    for socket in sockets:
        socket.sock.close()


def test_a_request_under_way_is_finished_by_a_drain(own_server):
    server = own_server()
    ada = server.person()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(ada.post, "/api/auth/login/", {"email": ada.email, "password": "wrong horse battery"}) for _ in range(4)]
        time.sleep(0.05)  # they are being hashed now, or still on their way: both must end well
        server.process.send_signal(signal.SIGTERM)
        for answer in answers:
            try:
                assert answer.result().status_code in (400, 503)
            except requests.ConnectionError:
                pass
    assert server.process.wait(PATIENCE) == 0


def test_a_second_sigterm_ends_at_once(own_server):
    server = own_server()
    ada = server.person()
    socket = ada.socket(ada.room())
    server.process.send_signal(signal.SIGTERM)
    server.wait_line("stopping")
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(5)
    socket.sock.close()


def test_workers_end_with_their_supervisor(own_server):
    server = own_server()
    worker = worker_of(server)
    server.kill()
    wait_until("the worker to end", lambda: not os.path.exists(f"/proc/{worker}") or
               open(f"/proc/{worker}/stat").read().split()[2] == "Z")


def test_sighup_replaces_the_worker_and_refuses_a_broken_config(own_server):
    server = own_server(config=(ROOT / "config/parley.yaml").read_text())
    first = worker_of(server)
    server.process.send_signal(signal.SIGHUP)
    second = int(server.wait_line(r"worker 0 \(pid (\d+)\) is ready").group(1))
    assert second != first
    assert server.anonymous().get("/api/").status_code == 200
    good = server.config.read_text()
    for broken in ("server: [", good.replace("  - chat", "  - chat:\n      max_text: 0"), good + "\n  - nope\n"):
        wait_until("the check to be over", lambda: server.workers() == [second])
        server.output.clear()
        server.config.write_text(broken)
        server.process.send_signal(signal.SIGHUP)
        server.wait_line("configuration not taken")
        assert second in server.workers()
        assert server.anonymous().get("/api/").status_code == 200
