"""Clients that are slow, silent, too many or too large: they are bounded, and nobody else notices."""
import re
import concurrent.futures
import os
import socket as sockets
import time

import pytest

from parley import PATIENCE, ROOT, Closed, Refused, Socket, wait_until

pytestmark = pytest.mark.one_database("core/net: clients")


def configured(**server_keys):
    """the default configuration with other values under server:"""
    text = (ROOT / "config/parley.yaml").read_text()
    lines = "".join(f"  {key}: {value}\n" for key, value in server_keys.items())
    return re.sub(r"^server:\n", "server:\n" + lines, text, count=1, flags=re.M)


def connect(server):
    return sockets.create_connection(("127.0.0.1", server.port), PATIENCE)


def read_all(sock):
    data = b""
    try:
        while more := sock.recv(65536):
            data += more
    except ConnectionResetError:
        pass
    return data


def all_until_closed(socket):
    got = []
    try:
        while True:
            got.append(socket.read())
    except Closed as end:
        return got, end.code


def test_a_slow_reader_is_closed_with_4001_and_the_others_get_everything(own_server):
    server = own_server(config=configured(max_queue="64KiB", send_buffer="16KiB"))
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    slow = Socket.open(server, f"/ws/chat/{room['id']}/", token=bob.token)
    slow.sync()
    with ada.socket(room) as fast:
        for i in range(120):
            for _ in range(10):
                fast.say(f"{i} " + "x" * 4900)
            assert [fast.message()["content"].split()[0] for _ in range(10)] == [str(i)] * 10
        got, code = all_until_closed(slow)
        assert code in (4001, 1006)
        fast.sync()
    slow.sock.close()
    # what came has no hole, and from its place on he misses nothing
    assert 0 < len(got) < 1200 and [f["seq"] for f in got] == list(range(1, len(got) + 1))
    back = Socket.open(server, f"/ws/chat/{room['id']}/?after={len(got)}&epoch={slow.hello['epoch']}", token=bob.token)
    assert [back.message()["seq"] for _ in range(1200 - len(got))] == list(range(len(got) + 1, 1201))
    assert back.read_type("resumed")["replayed"] == 1200 - len(got)
    back.sock.close()
    assert server.anonymous().get("/readyz").status_code == 200


def test_a_head_that_drips_is_ended_in_time(own_server):
    server = own_server(config=configured(head_timeout="1s"))
    with connect(server) as sock:
        started = time.monotonic()
        sock.sendall(b"GET /api/ HTTP/1.1\r\nHost: localhost\r\n")
        answer = read_all(sock)
        assert 0.8 < time.monotonic() - started < 10
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_drips_is_ended_in_time(own_server):
    server = own_server(config=configured(body_timeout="1s"))
    with connect(server) as sock:
        sock.sendall(b"POST /api/auth/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        assert read_all(sock).startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_ended_in_time(own_server):
    server = own_server(config=configured(idle_timeout="1s"))
    with connect(server) as sock:
        sock.sendall(b"GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = read_all(sock)
        assert answer.startswith(b"HTTP/1.1 200 ") and answer.count(b"HTTP/1.1") == 1


def test_a_socket_that_answers_no_ping_is_dead(own_server):
    server = own_server(config=configured(ping_interval="1s", pong_timeout="1s"))
    ada = server.person()
    room = ada.room()
    with ada.socket(room) as silent, ada.socket(room) as alive, concurrent.futures.ThreadPoolExecutor(1) as pool:
        answering = pool.submit(alive.message)  # answers pings while it waits
        opcodes, code = [], None
        try:
            while code is None:
                opcode, payload = silent.read_frame()
                opcodes.append(opcode)
                code = payload[:2] if opcode == 8 else None
        except Closed:
            pass
        assert 9 in opcodes
        assert code in (None, (4002).to_bytes(2, "big"))
        ada.say(room, "still here")
        assert answering.result()["content"] == "still here"


def test_descriptors_that_run_out(own_server):
    server = own_server(start=False)
    server.start(descriptors=64)
    crowd = [connect(server) for _ in range(120)]
    server.wait_line("no file descriptor left")
    before = cpu(server)
    time.sleep(1)  # the point of the case: nothing spins meanwhile
    assert cpu(server) - before < 0.3
    assert len([l for l in server.output if re.search("no file descriptor left", l)]) <= 2
    for sock in crowd:
        sock.close()
    wait_until("an answer", lambda: server.anonymous().get("/api/").status_code == 200)


def cpu(server):
    """seconds of processor time of all its processes"""
    total = 0
    for pid in [server.process.pid, *server.workers()]:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / 100


def test_a_user_has_at_most_so_many_sockets(own_server):
    server = own_server(config=configured(max_user_sockets=3))
    ada = server.person()
    room = ada.room()
    opened = [ada.socket(room) for _ in range(3)]
    with ada.socket(room, headers={"Origin": server.url}) as fourth:
        assert fourth.closed().code == 4409
    opened.pop().close()
    wait_until("a free place", lambda: try_open(ada, room))
    for socket in opened:
        socket.sock.close()


def try_open(person, room):
    try:
        person.socket(room).sock.close()
        return True
    except Refused:
        return False


def test_memory_returns_after_many_connections(own_server):
    server = own_server()
    ada = server.person()
    room = ada.room()

    def round_of(n):
        many = [ada.socket(room) for _ in range(n)]
        for socket in many:
            socket.sock.close()
        wait_until("the sockets to be gone", lambda: descriptors(server) < 60)
    round_of(80)
    before = descriptors(server)
    for _ in range(5):
        round_of(80)
    assert descriptors(server) <= before + 2


def descriptors(server):
    return len(os.listdir(f"/proc/{server.workers()[0]}/fd"))
