"""Sessions that end, on two workers: live sockets close with 4401 within a second wherever they are, with the bus and without
it, and those that go on stay open; tickets hold on every worker, and once."""
import concurrent.futures
import re
import time

import pytest
import requests

from nodes import wait_connected
from parley import PASSWORD, PATIENCE, Refused, Socket, wait_until
from redis import Redis, config_with_redis
from routes import ask
from test_workers import worker_of

FRESH = "a battery of horses"


@pytest.fixture
def redis(tmp_path):
    with Redis(tmp_path / "redis") as running:
        yield running


@pytest.fixture
def server(own_server, redis):
    return wait_connected(own_server(config=config_with_redis(workers=2), env={"REDIS_URL": redis.url}), 2)


def login(server, person, password=PASSWORD):
    answer = requests.post(server.url + "/api/auth/login/", json={"email": person.email, "password": password}, timeout=PATIENCE)
    return answer.json().get("token")


def everywhere(server, room, token):
    """open sockets of one session, at least one on each worker"""
    sockets, seen = [], set()
    while len(seen) < 2:
        assert len(sockets) < 60, "60 sockets, and all on one worker"
        one = Socket.open(server, f"/ws/chat/{room['id']}/", token=token)
        one.sync()
        sockets.append(one)
        seen.add(worker_of(server, one.sock))
    return sockets


def all_close(sockets, since):
    for socket in sockets:
        assert socket.closed().code == 4401
        socket.sock.close()
    assert time.monotonic() - since < 1


def all_stay(sockets, seconds=1.2):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for socket in sockets:
            socket.sync()


def refused_by_all(server, token):
    """each worker says 401, whichever answers"""
    return all(ask(server, "GET", "/api/auth/profile/", token=token).status_code == 401 for _ in range(20))


def delete(server, person, gone):
    listed = ask(server, "GET", "/api/auth/sessions/", token=gone).json()["results"]
    one = next(s["id"] for s in listed if s["current"])
    return ask(server, "DELETE", f"/api/auth/sessions/{one}/", token=person.token).status_code


def logout(server, person, gone):
    return ask(server, "POST", "/api/auth/logout/", token=gone).status_code


def change(server, person, gone):
    body = {"current_password": PASSWORD, "password": FRESH, "password_confirm": FRESH}
    return ask(server, "POST", "/api/auth/change-password/", body, person.token).status_code


@pytest.mark.parametrize("bus", ["with the bus", "without it"])
@pytest.mark.parametrize("end", [delete, logout, change])
def test_a_session_ends_on_all_workers(server, redis, end, bus):
    ada = server.person()
    room, gone = ada.room(), login(server, ada)
    closing, staying = everywhere(server, room, gone), everywhere(server, room, ada.token)
    if bus == "without it":
        redis.stop()
    assert end(server, ada, gone) == 204
    all_close(closing, time.monotonic())
    wait_until("all workers to refuse it", lambda: refused_by_all(server, gone), 2)
    all_stay(staying)
    if end is change:
        fresh = everywhere(server, room, login(server, ada, FRESH))
        all_stay(fresh + staying, 0.1)


def test_a_reset_ends_all_sessions_on_all_workers(server):
    ada = server.person()
    room, other = ada.room(), login(server, ada)
    closing = everywhere(server, room, ada.token) + everywhere(server, room, other)
    ask(server, "POST", "/api/auth/reset-password/", {"email": ada.email})
    token = re.search(r"/reset-password/([A-Za-z0-9_-]{43})/", server.wait_mail(ada.email, 2).get_content()).group(1)
    assert ask(server, "POST", f"/api/auth/reset-password/{token}/", {"password": FRESH, "password_confirm": FRESH}).status_code == 204
    all_close(closing, time.monotonic())
    fresh = everywhere(server, room, login(server, ada, FRESH))
    all_stay(fresh)


def test_a_disabled_account_is_out_everywhere(server):
    """whoever disables one adds a row to `revocations`"""
    ada = server.person()
    sockets = everywhere(server, ada.room(), ada.token)
    server.query(f"UPDATE users SET is_active = 0 WHERE email_key = '{ada.email}' RETURNING id")
    server.query(f"INSERT INTO revocations (kind, user_id, at) SELECT 'user', id, {int(time.time() * 1e6)} FROM users WHERE email_key = '{ada.email}' RETURNING id")
    all_close(sockets, time.monotonic())
    assert ask(server, "GET", "/api/auth/profile/", token=ada.token).status_code == 401


@pytest.mark.parametrize("bus", ["with the bus", "without it"])
def test_a_ticket_opens_one_socket_on_any_worker(server, redis, bus):
    ada = server.person()
    room = ada.room()
    if bus == "without it":
        redis.stop()
    used = set()
    for _ in range(6):
        ticket = ask(server, "POST", "/api/auth/ws-ticket/", token=ada.token).json()["ticket"]

        def use(_, ticket=ticket):
            try:
                return Socket.open(server, f"/ws/chat/{room['id']}/?ticket={ticket}")
            except Refused as no:
                assert no.status == 401
        with concurrent.futures.ThreadPoolExecutor(25) as pool:
            opened = [socket for socket in pool.map(use, range(25)) if socket]
        assert len(opened) == 1
        opened[0].sync()
        used.add(worker_of(server, opened[0].sock))
        opened[0].sock.close()
    assert used <= set(server.workers())
