"""Wires and clocks that misbehave: bytes one by one, interrupted calls, readers that stop, a wall clock that jumps."""
import concurrent.futures
import os
import signal
import socket as sockets
import struct
import subprocess
import sys
import time

import test_conversation
import pytest

from faults import Crowd, check_log, configured, everything
from parley import PATIENCE, ROOT, Socket

pytestmark = pytest.mark.one_database("core/net: bytes")

DAY = 86400


def test_a_conversation_byte_by_byte(faulty_server):
    server = faulty_server()
    server.faults.socket_bytes, server.faults.socket_again = 1, 7
    for name, test in vars(test_conversation).items():
        if name.startswith("test_"):
            test(server)
    assert server.faults.count > 1000


def test_many_messages_byte_by_byte(faulty_server):
    server = faulty_server()
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    server.faults.socket_bytes, server.faults.socket_again = 3, 5
    crowd = Crowd([(ada, bob)[i % 2].socket(room) for i in range(10)])
    with ada.socket(room) as sender:
        for i in range(100):
            sender.say(f"{i} " + "ä" * 300)
        assert [sender.message()["content"].split()[0] for _ in range(100)] == [str(i) for i in range(100)]
    crowd.wait(100)
    server.faults.socket_bytes = 0
    check_log(ada, room, [], [crowd.messages(i) for i in range(10)])
    for one in crowd.sockets:
        one.frame(8, b"\x03\xe8")
    crowd.join()


def test_a_thousand_sockets_and_one_that_does_not_read(own_server):
    server = own_server(config=configured(max_user_sockets="2000", max_queue="64KiB", send_buffer="16KiB"))
    people = [server.person() for _ in range(4)]
    room = people[0].room(*people[1:])
    stalled = people[3].socket(room)
    crowd = Crowd([people[i % 3].socket(room) for i in range(1000)])
    started = time.monotonic()
    with people[0].socket(room) as sender:
        for i in range(60):
            sender.say(f"{i} " + "x" * 4900)
            assert sender.message()["content"].split()[0] == str(i)
            if i % 5 == 4:  # the readers are one slow thread
                crowd.wait(i + 1)
    print(f"60 messages of 5 kB to 1000 sockets: {time.monotonic() - started:.1f} s")
    assert all([m["content"].split()[0] for m in crowd.messages(i)] == [str(n) for n in range(60)] for i in range(1000))
    assert stalled.closed().code in (4001, 1006)
    for one in crowd.sockets:
        one.frame(8, b"\x03\xe8")
    crowd.join()


def test_a_client_that_is_stopped(own_server):
    server = own_server(config=configured(max_queue="64KiB", send_buffer="16KiB"))
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    program = f"""
import sys
sys.path.insert(0, {str(ROOT / 'tests/e2e')!r})
import socket, types, parley
server = types.SimpleNamespace(host="127.0.0.1", port={server.port})
server.connect = lambda timeout: socket.create_connection((server.host, server.port), timeout)
bob = parley.Socket.open(server, "/ws/chat/{room['id']}/", token={bob.token!r})
bob.sync()
print("open", flush=True)
print("end", bob.closed().code, flush=True)
"""
    client = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert client.stdout.readline() == "open\n"
        os.kill(client.pid, signal.SIGSTOP)
        with ada.socket(room) as socket:
            for i in range(400):
                socket.say(f"{i} " + "x" * 4900)
                assert socket.message()["content"].split()[0] == str(i)
        assert len(everything(ada, room)) == 400
        os.kill(client.pid, signal.SIGCONT)
        assert client.stdout.readline() in ("end 4001\n", "end 1006\n")
    finally:
        client.kill()
        client.wait()


def test_a_wall_clock_that_jumps(faulty_server):
    server = faulty_server(env={"THROTTLE_MESSAGE": "12/minute"})
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    with bob.socket(room) as socket:
        sent = []
        for offset in (0, DAY, -DAY, 0, -30 * DAY // 2, 0):
            server.faults.clock_seconds = offset
            sent += [ada.say(room, f"{offset} {i}") for i in range(2)]
            assert bob.get("/api/auth/profile/").status_code == 200
            assert server.anonymous().get("/readyz").status_code == 200
        ids = [m["id"] for m in sent]
        assert ids == sorted(ids) and [m["seq"] for m in sent] == list(range(1, 13))
        assert [socket.message()["id"] for _ in range(12)] == ids
        assert [m["id"] for m in everything(ada, room)] == ids
        for offset in (0, DAY, -DAY):  # twelve within the last minute, whatever the wall clock says
            server.faults.clock_seconds = offset
            answer = ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "one too many"})
            assert answer.status_code == 429 and 0 < int(answer.headers["Retry-After"]) <= 60
        server.faults.clock_seconds = 0


def test_requests_while_the_clock_goes_back(faulty_server):
    server = faulty_server()
    ada = server.person()
    room = ada.room()
    with concurrent.futures.ThreadPoolExecutor(4) as pool, ada.socket(room) as socket:
        sending = [pool.submit(lambda k=k: [ada.server.anonymous().post(
            f"/api/chat/rooms/{room['id']}/send/", {"content": f"{k}-{i}"}, headers={"Authorization": f"Token {ada.token}"}
        ).status_code for i in range(50)]) for k in range(4)]
        for i in range(20):
            server.faults.clock_seconds = -i * 3600
            ada.get("/api/chat/rooms/")
        assert {status for s in sending for status in s.result()} == {201}
        seen = [socket.message() for _ in range(200)]
    assert [m["id"] for m in seen] == [m["id"] for m in check_log(ada, room, [], [seen])]
    server.faults.clock_seconds = 0


def reset_at_end(server):
    """a connection whose close() sends RST"""
    sock = sockets.create_connection(("127.0.0.1", server.port), PATIENCE)
    sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
    return sock


def test_a_reset_in_the_middle_of_everything(own_server):
    """clients that vanish at any point of a request, a handshake or a frame"""
    server = own_server()
    ada = server.person()
    room = ada.room()
    head = f"Host: localhost\r\nAuthorization: Token {ada.token}\r\n"
    body = b'{"content":"x"}'
    whole = (f"POST /api/chat/rooms/{room['id']}/send/ HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
             f"Content-Length: {len(body)}\r\n\r\n").encode() + body
    upgrade = (f"GET /ws/chat/{room['id']}/ HTTP/1.1\r\n{head}Upgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n").encode()
    upgrade += Socket.encode(1, b'{"type":"chat_message","content":"y"}')
    for text in (whole, upgrade):
        for cut in range(1, len(text) + 1, 7):
            with reset_at_end(server) as sock:
                sock.sendall(text[:cut])
        for _ in range(50):
            with reset_at_end(server) as sock:
                sock.sendall(text)
    assert server.anonymous().get("/readyz").status_code == 200
    with ada.socket(room) as socket:
        socket.say("last")
        while socket.message()["content"] != "last":
            pass
    stored = everything(ada, room)
    assert [m["seq"] for m in stored] == list(range(1, len(stored) + 1))
