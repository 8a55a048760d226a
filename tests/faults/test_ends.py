"""Servers that are killed or stopped under load: what was acknowledged or shown is stored once, in one order for all."""
import concurrent.futures
import os
import signal
import threading
import time

import requests

from faults import Crowd, check_log
from parley import PATIENCE, Closed, Refused, Socket, wait_until


class Load:
    """People who send by REST and by socket, and sockets that watch; they come back when the server does."""

    def __init__(self, people, room, watchers, pause=0):
        self.people, self.room, self.pause, self.stop = people, room, pause, threading.Event()
        self.acknowledged, self.seen, self.numbers = [], [], iter(range(10 ** 9))
        self.pool = concurrent.futures.ThreadPoolExecutor(2 * len(people) + watchers)
        self.jobs = [self.pool.submit(job, person) for person in people for job in (self.by_request, self.by_socket)]
        self.jobs += [self.pool.submit(self.watch, people[i % len(people)]) for i in range(watchers)]

    def by_request(self, person):
        url = f"{person.server.url}/api/chat/rooms/{self.room['id']}/send/"
        while not self.stop.wait(self.pause):
            try:
                answer = requests.post(url, json={"content": f"r{next(self.numbers)}"}, timeout=PATIENCE,
                                       headers={"Authorization": f"Token {person.token}"})
            except requests.RequestException:
                continue
            assert answer.status_code in (201, 503), answer.text
            if answer.status_code == 201:
                self.acknowledged.append(answer.json()["id"])

    def connected(self, person, job):
        while not self.stop.is_set():
            try:
                with person.socket(self.room) as socket:
                    job(socket)
            except (Closed, OSError, AssertionError, Refused) as end:
                if isinstance(end, Refused) and end.status != 503:
                    raise

    def by_socket(self, person):
        def job(socket):
            messages = []
            self.seen.append(messages)
            while not self.stop.wait(self.pause):
                names = {f"s{next(self.numbers)}" for _ in range(5)}
                for name in names:
                    socket.say(name)
                while names:
                    messages.append(socket.message())
                    names.discard(messages[-1]["content"])
        self.connected(person, job)

    def watch(self, person):
        def job(socket):
            messages = []
            self.seen.append(messages)
            while not self.stop.is_set():
                messages.append(socket.message())
        self.connected(person, job)

    def count(self):
        return len(self.acknowledged) + sum(map(len, self.seen))

    def wait_more(self, n):
        before = self.count()
        wait_until("sends and frames", lambda: self.count() > before + n)

    def end(self):
        self.stop.set()
        while True:  # whoever waits for a frame gets one
            self.people[0].say(self.room, f"end {next(self.numbers)}")
            if not concurrent.futures.wait(self.jobs, 0.2).not_done:
                break
        for job in self.jobs:
            job.result()


def make(server, n=3):
    people = [server.person() for _ in range(n)]
    return people, people[0].room(*people[1:])


def test_a_killed_worker(own_server):
    server = own_server()
    people, room = make(server)
    load = Load(people, room, watchers=4)
    for _ in range(4):
        load.wait_more(200)
        worker = server.workers()[0]
        os.kill(worker, signal.SIGKILL)
        wait_until("another worker", lambda: [w for w in server.workers() if w != worker])
    load.wait_more(200)
    load.end()
    assert len(check_log(people[0], room, load.acknowledged, load.seen)) > 50
    assert len(load.acknowledged) > 20


def test_a_killed_supervisor(own_server):
    server = own_server()
    people, room = make(server)
    load = Load(people, room, watchers=4)
    for _ in range(2):
        load.wait_more(200)
        worker = server.workers()[0]
        server.process.kill()
        server.process.wait(PATIENCE)
        wait_until("the worker to end", lambda: not os.path.exists(f"/proc/{worker}"))
        server.start()
    load.wait_more(200)
    load.end()
    check_log(people[0], room, load.acknowledged, load.seen)


def test_a_stop_under_load(own_server):
    server = own_server()
    people, room = make(server, 6)
    crowd = Crowd([people[i % 6].socket(room) for i in range(300)])
    load = Load(people, room, watchers=0, pause=0.1)
    crowd.wait(30)
    started = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 0
    took = time.monotonic() - started
    assert took < 10.5, took
    crowd.join()
    assert set(crowd.ends) == {1001}
    assert all("going_away" in [f["type"] for f in frames] for frames in crowd.frames)
    server.check_sanitizers()
    server.start()
    load.end()
    seen = [crowd.messages(i) for i in range(300)]
    check_log(people[0], room, load.acknowledged, load.seen + seen)
    assert len({len(messages) for messages in seen}) == 1  # the same to all
    print(f"300 sockets, {load.count()} acknowledged or seen: stopped in {took:.2f} s")


def test_a_stop_while_it_starts(own_server):
    server = own_server(start=False)
    for delay in (0, 0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.5):
        server.start(ready=False)
        time.sleep(delay)  # wherever it is then
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) in (0, -signal.SIGTERM)
        server._reader.join(PATIENCE)
        assert not server._reader.is_alive()  # nobody holds its output any more
        assert "died of" not in server.text()
        server.check_sanitizers()
    server.start()


def test_removed_in_the_middle_of_a_conversation(own_server):
    server = own_server()
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    for _ in range(10):
        stop = threading.Event()

        def talk():
            statuses = []
            while not stop.is_set():
                statuses.append(bob.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "by bob"}).status_code)
            return statuses
        with concurrent.futures.ThreadPoolExecutor(2) as pool, ada.socket(room) as watcher:
            crowd = Crowd([Socket.open(server, f"/ws/chat/{room['id']}/", token=bob.token) for _ in range(10)])
            talking = pool.submit(talk)
            crowd.wait(3)
            removed = ada.delete(f"/api/chat/rooms/{room['id']}/participants/{bob.id}/")
            assert removed.status_code == 204
            for i in range(5):
                ada.say(room, f"after {i}")
            stop.set()
            statuses = talking.result()
            assert statuses == sorted(statuses) and set(statuses) <= {201, 404}
            crowd.join()
            assert set(crowd.ends) == {4403}
            assert not [f for frames in crowd.frames for f in frames if f.get("content", "").startswith("after")]
            order = [watcher.message()["content"] for _ in range(statuses.count(201) + 5)]
            assert order == ["by bob"] * statuses.count(201) + [f"after {i}" for i in range(5)]
        assert ada.post(f"/api/chat/rooms/{room['id']}/participants/", {"email": bob.email}).status_code == 201
