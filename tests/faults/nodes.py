"""Several workers on one or two nodes: which of them has a socket, what arrives, and a bus that loses messages."""
import os
import re
import socket
import threading

from parley import Server, Socket, wait_until
from redis import config_with_redis

SECRET = "one secret for both nodes of a test"


def wait_connected(server, workers):
    """every worker has found its Redis"""
    servers = server.env["REDIS_URL"].count("redis://")
    wait_until("all workers to be connected", lambda: len(re.findall(r"redis Redis \S+ is there$", server.text(), re.M)) == workers * servers)
    return server


class Node(Server):
    """One of several servers with one database; mails of any of them lie in one of their outboxes."""

    def __init__(self, folder, redis_url, database_url, workers, beside=(), **options):
        super().__init__(folder, config=config_with_redis(workers, **options), db=database_url,
                         env={"REDIS_URL": redis_url, "SECRET_KEY": SECRET})
        self.workers_n, self.beside = workers, list(beside)
        for other in self.beside:
            other.beside.append(self)

    def start(self, **more):
        super().start(**more)
        return wait_connected(self, self.workers_n)

    def mails(self, to=None):
        return [mail for node in (self, *self.beside) for mail in Server.mails(node, to)]


def socket_on(node, person, room, pid=None):
    """A socket of `person` on that node, whichever node the person knows; pid: on that worker."""
    path = f"/ws/chat/{room['id']}/"
    for _ in range(60):
        one = Socket.open(node, path, token=person.token)
        if pid is None or worker_of(node, one.sock) == pid:
            return one
        one.close()
    raise AssertionError(f"60 sockets, and none on the wanted worker of {node.workers()}")


def workers_of(server, socks):
    """the worker that has the other end of each of these sockets (None: not found)"""
    owners = {}
    for pid in server.workers():
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                owners[os.readlink(f"/proc/{pid}/fd/{fd}")] = pid
            except FileNotFoundError:
                pass
    ours, inodes = f":{server.port:04X}", {}
    with open("/proc/net/tcp") as table:
        for fields in map(str.split, table):
            if fields[1].endswith(ours):
                inodes[fields[2][-5:]] = f"socket:[{fields[9]}]"
    return [owners.get(inodes.get(f":{sock.getsockname()[1]:04X}")) for sock in socks]


def worker_of(server, sock):
    return workers_of(server, [sock])[0]


def socket_at(server, person, room, pid, other=False):
    """A socket of `person` on the worker `pid` (other: on another one)."""
    for _ in range(60):
        one = person.socket(room)
        if (worker_of(server, one.sock) == pid) != other:
            return one
        one.close()
    raise AssertionError(f"60 sockets, and none on the wanted worker of {server.workers()}")


def apart(server, ada, bob, room):
    """A socket of each, on different workers."""
    first = ada.socket(room)
    return first, socket_at(server, bob, room, worker_of(server, first.sock), other=True)


def contents(socket, n):
    """the next n messages, checked: dense and rising `seq`"""
    got = [socket.message() for _ in range(n)]
    seqs = [m["seq"] for m in got]
    assert seqs == list(range(seqs[0], seqs[0] + n)), seqs
    return [m["content"] for m in got]


def warm(one, *others):
    one.say("warm")
    assert {socket.message()["content"] for socket in (one, *others)} == {"warm"}


class LossyBus:
    """Between the server and Redis.  While `is_losing`, what is published goes to a channel that nobody listens to."""

    def __init__(self, redis):
        self.redis, self.is_losing, self.lost = redis, False, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.redis.port))
            except OSError:
                client.close()
                continue
            threading.Thread(target=self._copy, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._copy, args=(server, client, False), daemon=True).start()

    def _copy(self, source, target, is_up):
        try:
            while data := source.recv(65536):
                if is_up and self.is_losing and b"PUBLISH" in data:
                    self.lost += data.count(b"\nPUBLISH")
                    data = data.replace(b"\nparley:0:room.", b"\nparley:9:room.")
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
