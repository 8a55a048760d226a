"""A server that breaks one promise: a proxy before a real one, which passes everything on but what its kind of lie changes.

    with Swallowing(server.port) as liar: ... parley verify --url liar.url ...

It knows HTTP as far as Parley speaks it (Content-Length, one answer after the other) and whole WebSocket frames.  Each lie is a
class at the end: what it overrides is what it changes.
"""
import asyncio
import json
import os
import re
import threading
import uuid

EVENTS = re.compile(r"/api/chat/rooms/([^/]+)/events/")
MESSAGES = re.compile(r"/api/chat/rooms/([^/]+)/messages/")
SEND = re.compile(r"/api/chat/rooms/([^/]+)/send/")
MESSAGE = re.compile(r"/api/chat/messages/([^/]+)/$")
CHANGES = ("message_edited", "reaction_added", "reaction_removed")


class Line:
    """One WebSocket through the proxy."""

    def __init__(self, path):
        self.has_place = "after=" in path
        self.is_shared = path.split("?")[0] == "/ws/"  # for several rooms
        self.is_strict = self.has_place  # each event comes once, in its order: not so while a "resume" on a live socket is answered
        self.is_resumed, self.events, self.held = False, 0, None
        self.to_client = None

    def note(self, frame):
        self.is_resumed |= frame["type"] == "resumed"
        if frame["type"] in ("hello", "subscribed", "resumed"):
            self.is_strict = True
        elif frame["type"] in ("resume", "subscribe"):
            self.is_strict = False

    def tell(self, frame):
        """a frame that the server never sent"""
        self.to_client(json.dumps(frame))


class Liar:
    """Passes all on."""

    def __init__(self, port, tls=None):
        self.port, self.tls, self.url, self.lies = port, tls, "", 0  # tls: an ssl.SSLContext, and its URL is https
        self.loop = asyncio.new_event_loop()
        self.tasks = set()

    # ---- what a lie overrides ----
    def request(self, method, path, body):
        """the body that is passed on"""
        return body

    def answer(self, method, path, status, body):
        """the body that is told; body: an object, or what else JSON has"""
        return body

    def up(self, line, frame):
        """what the server is sent of a frame of the client: a list"""
        return [frame]

    def down(self, line, frame):
        """what the client is sent of a frame of the server: a list"""
        return [frame]

    # ---- life ----
    def __enter__(self):
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.listener = self._call(asyncio.start_server(self._accepted, "127.0.0.1", 0, ssl=self.tls))
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.listener.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_):
        async def end():
            self.listener.close()
            for task in list(self.tasks):
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
        self._call(end())
        self.loop.call_soon_threadsafe(self.loop.stop)

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    async def _accepted(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        server = None
        try:
            server = await asyncio.open_connection("127.0.0.1", self.port)
            await self._serve((reader, writer), server)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self.tasks.discard(task)
            writer.transport.abort()
            if server:
                server[1].transport.abort()

    # ---- HTTP ----
    async def _serve(self, client, server):
        while True:
            head = await client[0].readuntil(b"\r\n\r\n")
            method, path = head.split(b" ", 2)[:2]
            method, path = method.decode(), path.decode()
            body = await client[0].readexactly(length_of(head))
            if body:
                body = json.dumps(self.request(method, path, json.loads(body))).encode()
            server[1].write(with_length(head, len(body)) + body)
            answer = await server[0].readuntil(b"\r\n\r\n")
            status = int(answer.split(b" ", 2)[1])
            if status == 101:
                client[1].write(answer)
                await self._frames(client, server, Line(path))
                return
            text = await server[0].readexactly(length_of(answer))
            if text.startswith((b"{", b"[")):
                text = json.dumps(self.answer(method, path, status, json.loads(text))).encode()
            client[1].write(with_length(answer, len(text)) + text)

    # ---- frames ----
    async def _frames(self, client, server, line):
        line.to_client = lambda text: client[1].write(frame_of(1, text.encode(), False))
        both = [asyncio.ensure_future(self._pump(client[0], server[1], line, self.up, True)),
                asyncio.ensure_future(self._pump(server[0], client[1], line, self.down, False))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _pump(self, source, target, line, change, is_masked):
        while True:
            opcode, payload = await read_frame(source)
            frames = [payload]
            if opcode == 1:
                told = json.loads(payload)
                line.note(told)
                frames = [json.dumps(frame).encode() for frame in change(line, told)]
            for frame in frames:
                target.write(frame_of(opcode, frame, is_masked))
            await target.drain()


def length_of(head):
    found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
    return int(found.group(1)) if found else 0


def with_length(head, n):
    return re.sub(rb"(?i)(\r\ncontent-length: *)\d+", lambda m: m.group(1) + str(n).encode(), head)


async def read_frame(reader):
    first, second = await reader.readexactly(2)
    n = second & 127
    if n > 125:
        n = int.from_bytes(await reader.readexactly(2 if n == 126 else 8), "big")
    mask = await reader.readexactly(4) if second & 128 else bytes(4)
    payload = await reader.readexactly(n)
    return first & 15, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def frame_of(opcode, payload, is_masked):
    n = len(payload)
    size = bytes([n]) if n < 126 else b"\x7e" + n.to_bytes(2, "big") if n < 65536 else b"\x7f" + n.to_bytes(8, "big")
    mask = os.urandom(4) if is_masked else b""
    if is_masked:
        size = bytes([size[0] | 128]) + size[1:]
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return bytes([128 | opcode]) + size + mask + payload


def former(content):
    """the text before the last edit"""
    origin, _, n = content.rpartition("~")
    return origin if n == "1" else f"{origin}~{int(n) - 1}"


def is_in_log(frame):
    return is_event(frame) or frame["type"] in CHANGES


def is_event(frame):
    return frame["type"] == "chat_message" and "seq" in frame


# ---- the lies ----
class AckBeforeCommit(Liar):
    """Acknowledges a message and loses it."""

    def __init__(self, port):
        super().__init__(port)
        self.seen = set()

    def up(self, line, frame):
        key = frame.get("client_msg_id")
        if frame["type"] != "chat_message" or key in self.seen:
            return [frame]
        self.seen.add(key)
        if len(self.seen) % 20:
            return [frame]
        self.lies += 1
        line.tell({"type": "ack", "client_msg_id": key, "id": str(uuid.uuid4()), "seq": 10000 + self.lies, "epoch": "e", "replayed": False})
        return []


class DeafResume(Liar):
    """A resume misses what is stored while it reads."""

    def down(self, line, frame):
        if line.has_place and line.is_resumed and is_event(frame) and not line.events:
            line.events += 1
            self.lies += 1
            return []
        return [frame]


class LeakyFeed(Liar):
    """A socket for several rooms is not shown every tenth event."""

    def down(self, line, frame):
        if not line.is_shared or not is_in_log(frame):
            return [frame]
        line.events += 1
        if line.events % 10:
            return [frame]
        self.lies += 1
        return []


class NoDedup(Liar):
    """Forgets the client_msg_id, so that a repeat is stored again."""

    def __init__(self, port):
        super().__init__(port)
        self.meant = {}

    def _forget(self, body):
        fresh = str(uuid.uuid4())
        self.meant[fresh] = body["client_msg_id"]
        self.lies += 1
        return {**body, "client_msg_id": fresh}

    def request(self, method, path, body):
        return self._forget(body) if SEND.match(path) else body

    def up(self, line, frame):
        return [self._forget(frame) if frame["type"] == "chat_message" else frame]

    def down(self, line, frame):
        return [{**frame, "client_msg_id": self.meant.get(frame.get("client_msg_id"), "")} if frame["type"] in ("ack", "error") else frame]


class Hole(Liar):
    """An event is nowhere to be found: seq goes on behind it."""
    SEQ = 7

    def answer(self, method, path, status, body):
        if status == 200 and (EVENTS.match(path) or MESSAGES.match(path)):
            kept = [one for one in body["results"] if one["seq"] != self.SEQ]
            self.lies += len(body["results"]) - len(kept)
            return {**body, "results": kept}
        return body

    def down(self, line, frame):
        return [] if is_in_log(frame) and frame["seq"] == self.SEQ else [frame]


class Reordering(Liar):
    """Two workers show two messages in another order, each with rising seq."""

    def down(self, line, frame):
        if not is_event(frame) or not (line.is_strict or line.held):
            return [frame]
        first, line.held = line.held, None
        if self.lies:
            return [first, frame] if first else [frame]
        if not first:
            line.held = frame
            return []
        self.lies += 1
        return [{**frame, "seq": first["seq"]}, {**first, "seq": frame["seq"]}]


class LostLast(Liar):
    """Nobody is ever shown the last event, nor what may follow it: for sockets the log ends before `last`."""

    def __init__(self, port, last):
        super().__init__(port)
        self.last = last

    def down(self, line, frame):
        if frame["type"] == "resumed" and frame["seq"] >= self.last:
            hidden = frame["seq"] - self.last + 1
            return [{**frame, "seq": self.last - 1, "replayed": max(frame["replayed"] - hidden, 0)}]
        if is_in_log(frame) and frame["seq"] >= self.last:
            self.lies += 1
            return []
        return [frame]


class Ghost(Liar):
    """Shows a message that is never stored."""

    def down(self, line, frame):
        if self.lies or not is_event(frame) or not line.is_strict:
            return [frame]
        self.lies += 1
        return [{**frame, "id": str(uuid.uuid4()), "content": "a ghost"}]


class Stutter(Liar):
    """Shows an event twice."""

    def down(self, line, frame):
        if self.lies or not is_event(frame) or not line.is_strict:
            return [frame]
        self.lies += 1
        return [frame, frame]


class IdleResync(Liar):
    """Says that it cannot catch up, when it could."""

    def down(self, line, frame):
        if not line.has_place or frame["type"] != "resumed":
            return [frame]
        self.lies += 1
        return [{"type": "resync", "reason": "purged", "room": frame["room"], "seq": frame["seq"], "epoch": frame["epoch"]}]


class Forger(Liar):
    """Changes what somebody said."""

    def down(self, line, frame):
        if self.lies or not is_event(frame):
            return [frame]
        self.lies += 1
        return [{**frame, "content": frame["content"] + "!"}]


class LostEdit(Liar):
    """Acknowledges edits and keeps the text."""

    def request(self, method, path, body):
        return {"content": body["content"].partition("~")[0]} if method == "PATCH" and MESSAGE.match(path) else body

    def answer(self, method, path, status, body):
        self.lies += method == "PATCH" and status == 200
        return body


class FormerText(Liar):
    """Shows each edit with the text that was there before."""

    def down(self, line, frame):
        if frame["type"] != "message_edited":
            return [frame]
        self.lies += 1
        return [{**frame, "content": former(frame["content"])}]


class FormerRead(Liar):
    """Answers who reads messages with their texts of before the last edit."""

    def answer(self, method, path, status, body):
        if status != 200 or not MESSAGES.match(path):
            return body
        self.lies += sum("edited_at" in one for one in body["results"])
        return {**body, "results": [{**one, "content": former(one["content"])} if "edited_at" in one else one for one in body["results"]]}


class LostReaction(Liar):
    """Acknowledges reactions, and REST has none of them."""

    def answer(self, method, path, status, body):
        if status == 200 and MESSAGES.match(path):
            self.lies += sum("reactions" in one for one in body["results"])
            return {**body, "results": [{k: v for k, v in one.items() if k != "reactions"} for one in body["results"]]}
        return body
