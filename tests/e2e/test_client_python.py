"""clients/python against the server: connections break all the time, workers die, sessions end; what was sent is there once, in
order, and told once to everybody."""
import asyncio
import contextlib
import os
import random
import signal
import sys

import pytest

from parley import PATIENCE, ROOT

sys.path.insert(0, str(ROOT / "clients" / "python"))
from parley_client import ApiError, Client, Ended, Refused  # noqa: E402 (its folder comes first)


@pytest.fixture(scope="module")
def people(server):
    return server.person(), server.person()


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 4 * PATIENCE))


class Breaking:
    """A way to the server on which each connection breaks after some thousand bytes, in one direction or the other."""

    def __init__(self, server, seed):
        self.server, self.dice, self.cuts = server, random.Random(seed), 0

    async def __aenter__(self):
        self.listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.listener.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self.listener.close()

    async def _accept(self, reader, writer):
        inner, outer = await asyncio.open_connection(self.server.host, self.server.port)
        rest = self.dice.randrange(1500, 9000)

        async def carry(source, to):
            nonlocal rest
            while data := await source.read(512):
                rest -= len(data)
                if rest < 0:
                    self.cuts += 1
                    return
                to.write(data)

        ways = [asyncio.create_task(carry(reader, outer)), asyncio.create_task(carry(inner, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (writer, outer):
            end.transport.abort()


def log_of(person, room):
    found = []
    while True:
        page = person.get(f"/api/chat/rooms/{room['id']}/events/?limit=200&after_seq={len(found)}").json()
        found += page["results"]
        if not page["next"]:
            assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
            return found


async def collect(room, n):
    """the next n events of the log"""
    got = []
    async for event in room:
        if "seq" in event:
            got.append(event)
        if len(got) == n:
            break
    return got


@pytest.fixture
def impatient(monkeypatch):
    """Pauses are for servers that are not well: of what may be waited, nothing is."""
    monkeypatch.setattr("parley_client.feed.random.random", lambda: 0)


def test_connections_that_break(server, people, impatient):
    n = 60

    async def scene(room):
        async with contextlib.AsyncExitStack() as stack:
            ways = [await stack.enter_async_context(Breaking(server, seed)) for seed in (1, 2)]
            clients = [await stack.enter_async_context(Client(way.url, person.token)) for way, person in zip(ways, people)]
            rooms = [client.room(room["id"]) for client in clients]
            await asyncio.gather(*(one.is_open.wait() for one in rooms))
            sent = [[one.post(f"{person.username} {i}") for i in range(n)] for one, person in zip(rooms, people)]
            heard = await asyncio.gather(*(collect(one, 2 * n) for one in rooms))
            return [await asyncio.gather(*one) for one in sent], heard, [way.cuts for way in ways]

    room = people[0].room(people[1])
    sent, heard, cuts = run(scene(room))
    log = log_of(people[0], room)
    assert heard == [log, log] and len(log) == 2 * n and min(cuts) >= 5
    for person, own in zip(people, sent):
        stored = [event for event in log if event["sender"]["id"] == person.id]
        assert [event["content"] for event in stored] == [f"{person.username} {i}" for i in range(n)]
        assert [(event["id"], event["seq"]) for event in stored] == [(one["id"], one["seq"]) for one in own]


def test_a_worker_that_dies(own_server, impatient):
    server = own_server()
    ada = server.person()
    room = ada.room()

    async def scene():
        async with Client(server.url, ada.token) as client:
            one = client.room(room["id"])
            await one.is_open.wait()
            sent = [one.post(str(i)) for i in range(30)]
            await sent[10]
            for pid in server.workers():
                os.kill(pid, signal.SIGKILL)
            await asyncio.gather(*sent)
            return await collect(one, 30)

    heard = run(scene())
    assert heard == log_of(ada, room) and [event["content"] for event in heard] == [str(i) for i in range(30)]


class Kept:
    """cursors as an application would keep them"""

    def __init__(self):
        self.places = {}

    async def load(self, room):
        return self.places.get(room)

    def save(self, room, place):
        self.places[room] = place


def test_over_restarts(server, people):
    ada, bob = people
    room, kept = ada.room(bob), Kept()

    async def first():
        async with Client(server.url, bob.token, kept) as client:
            one = client.room(room["id"])
            await one.is_open.wait()
            await asyncio.gather(*(client.call("send", room["id"], f"before {i}") for i in range(3)))
            await collect(one, 3)

    async def second(n):
        async with Client(server.url, bob.token, kept) as client:
            return await collect(client.room(room["id"]), n)

    run(first())
    log = log_of(ada, room)
    assert kept.places == {room["id"]: {"epoch": log[0]["epoch"], "seq": 2}}  # nobody said that the third is done with
    for i in range(300):
        ada.say(room, str(i))
    ada.delete(f"/api/chat/messages/{log[1]['id']}/")
    assert run(second(302)) == log_of(ada, room)[2:]


def test_a_place_that_is_none_of_the_log(server, people, impatient):
    ada, bob = people
    room = ada.room(bob)
    for i in range(230):
        ada.say(room, str(i))

    async def scene():
        async with Client(server.url, bob.token) as client:
            one, pages = client.room(room["id"], {"epoch": "0123456789abcdef", "seq": 7}), []
            ask = client.api.messages

            def broken(*values, **more):
                pages.append(more["after_seq"])
                if len(pages) == 2:
                    raise ApiError(503)
                return None if len(pages) == 3 else ask(*values, **more)  # None: an answer that is no object, a proxy's page

            client.api.messages = broken
            got = await collect(one, 231)
            await one.is_open.wait()
            live = await client.call("send", room["id"], "live again")
            got += await collect(one, 2)
            return got, pages, live

    got, pages, live = run(scene())
    assert (got[0]["type"], got[0]["reason"], got[0]["from"]["seq"]) == ("resync", "epoch_changed", 7)
    assert [event["content"] for event in got[1:231]] == [str(i) for i in range(230)]
    assert got[231]["type"] == "resynced" and got[232]["id"] == live["id"]
    assert pages == [0, 200, 200, 200]  # two were lost, and none was read twice


def test_what_ends_a_room(server, people):
    ada, bob = people
    gone, left, kept = (ada.room(bob) for _ in range(3))

    async def scene():
        async with Client(server.url) as client:
            await client.login(bob.email, "correct horse battery")
            rooms = [client.room(one["id"]) for one in (gone, left, kept)]
            unknown = client.room("019a1b2c-0000-7000-8000-0000000000c3")
            await asyncio.gather(*(one.is_open.wait() for one in rooms))
            ada.delete(f"/api/chat/rooms/{gone['id']}/")
            ada.delete(f"/api/chat/rooms/{left['id']}/participants/{bob.id}/")
            for one in (rooms[0], rooms[1], unknown):
                async for _ in one:
                    pass
            with pytest.raises(Ended):
                await rooms[1].send("too late")
            await client.call("call", "POST", "/api/auth/logout/")
            async for _ in rooms[2]:
                pass
            with pytest.raises(ApiError) as refused:
                await client.call("rooms")
            return [one.ended.code for one in (*rooms, unknown)], refused.value.status

    assert run(scene()) == ([4404, 4403, 4401, 4404], 401)


def test_what_is_refused_and_what_must_wait(own_server):
    server = own_server(env={"THROTTLE_MESSAGE": "2/second"})
    ada = server.person()
    room = ada.room()

    async def scene():
        async with Client(server.url, ada.token) as client:
            one = client.room(room["id"])
            sent = [one.post(text) for text in ("a", "x" * 5001, "b", "c", "d", "e")]
            ends = await asyncio.gather(*sent, return_exceptions=True)
            again = await one.send("a", client_msg_id=(await collect(one, 1))[0]["client_msg_id"])
            return ends, again

    ends, again = run(scene())
    assert isinstance(ends[1], Refused) and ends[1].errors == {"content": ["Ensure this field has no more than 5000 characters."]}
    assert [event["content"] for event in log_of(ada, room)] == ["a", "b", "c", "d", "e"]
    assert again == ends[0]


def test_typing_reaches_the_others_and_is_of_no_use_later(server, people):
    ada, bob = people
    room = ada.room(bob)

    async def scene():
        async with Client(server.url, ada.token) as one, Client(server.url, bob.token) as two:
            rooms = [client.room(room["id"]) for client in (one, two)]
            assert not await rooms[0].tell({"type": "typing"})
            await asyncio.gather(*(each.is_open.wait() for each in rooms))
            assert await rooms[0].tell({"type": "typing"})
            async for event in rooms[1]:
                return event

    event = run(scene())
    assert (event["type"], event["user"]["id"]) == ("typing", ada.id)


def test_what_no_server_could_answer_is_not_sent(server, people):
    room = people[0].room(people[1])

    async def scene():
        async with Client(server.url, people[0].token) as client:
            one = client.room(room["id"])
            with pytest.raises(UnicodeEncodeError):
                one.post("half \ud83d")
            with pytest.raises(Refused, match="too long"):
                await one.send("é" * 31000)
            return await one.send("\N{GRINNING FACE}")

    sent = run(scene())
    assert [(event["id"], event["content"]) for event in log_of(people[0], room)] == [(sent["id"], "\N{GRINNING FACE}")]


def test_one_socket_for_all_rooms(server, people, impatient):
    ada, bob = people
    known = [ada.room(bob) for _ in range(5)]

    async def scene():
        notices, paths = asyncio.Queue(), []

        async def noticed(kind, room=None):
            while (notice := await notices.get())["type"] != kind or notice.get("room") != room:
                pass
            return notice

        async with Client(server.url, bob.token, noticed=notices.put_nowait) as client:
            connect = client.connect
            client.connect = lambda path: paths.append(path) or connect(path)
            client.start()
            assert (await noticed("open"))["user"]["id"] == bob.id
            added = ada.room(bob)
            await noticed("room_added", added["id"])
            ada.say(added, "psst")
            assert (await noticed("unread", added["id"]))["count"] == 1
            rooms = [client.room(room["id"]) for room in (*known, added)]
            await asyncio.gather(*(room.is_open.wait() for room in rooms))
            sent = await asyncio.gather(*(room.send("hi") for room in rooms))
            heard = [(await collect(room, 1))[0]["id"] for room in rooms]
            await rooms[0].leave()
            await noticed("unsubscribed", known[0]["id"])
            ada.say(known[0], "told as unread again")
            await noticed("unread", known[0]["id"])
            again = client.room(known[0]["id"])
            await again.is_open.wait()
            return [one["id"] for one in sent], heard, paths, [room.ended for room in rooms[1:]]

    sent, heard, paths, ends = run(scene())
    assert sent == heard and paths == ["/ws/"] and ends == [None] * 5


def test_what_was_missed_is_asked_for(server, people):
    ada, bob = people
    room = ada.room(bob)

    async def scene():
        async with Client(server.url, bob.token) as client:
            one = client.room(room["id"])
            await one.is_open.wait()
            heard, lost = one.heard, []

            def deaf(frame):
                """to the second message, the first time"""
                if frame.get("seq") == 2 and not lost:
                    lost.append(frame)
                else:
                    heard(frame)

            one.heard = deaf
            await asyncio.gather(*(client.call("send", room["id"], str(i)) for i in range(4)))
            return await collect(one, 4), len(lost)

    got, lost = run(scene())
    assert got == log_of(ada, room) and lost == 1


def test_a_fault_of_the_client_is_logged_and_ends_no_room(server, people, impatient, caplog):
    ada, bob = people
    room = ada.room(bob)

    async def scene():
        async with Client(server.url, bob.token) as client:
            one = client.room(room["id"])
            await one.is_open.wait()
            heard, faults = one.heard, []

            def faulty(frame):
                if frame.get("seq") == 2 and not faults:
                    faults.append(KeyError("of the second message, the first time"))
                    raise faults[0]
                heard(frame)

            one.heard = faulty
            await asyncio.gather(*(client.call("send", room["id"], str(i)) for i in range(4)))
            return await collect(one, 4), faults

    got, faults = run(scene())
    assert got == log_of(ada, room)
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == faults


def test_who_is_there(server, people):
    ada, bob = people
    room = ada.room(bob)

    async def scene():
        async def status_of(one, person):
            async for event in one:
                if event["type"] == "presence" and event["user"]["id"] == person.id:
                    return event["status"]

        async with Client(server.url, ada.token) as client:
            client.present("online")
            one = client.room(room["id"])
            first = await status_of(one, ada)
            async with Client(server.url, bob.token) as other:
                other.room(room["id"])
                other.present("away")
                second = await status_of(one, bob)
                listed = await client.call("presence", room["id"])
            return first, second, await status_of(one, bob), {each["user"]["id"]: each["status"] for each in listed["results"]}

    assert run(scene()) == ("online", "away", "offline", {ada.id: "online", bob.id: "away"})


def test_a_faulty_listener_harms_nobody(server, people):
    room = people[0].room(people[1])

    async def scene():
        async with Client(server.url, people[0].token, noticed=lambda notice: notice["none"]) as client:
            return await client.room(room["id"]).send("all the same")

    assert run(scene())["seq"] == 1
