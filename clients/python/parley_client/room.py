"""One room: its log in order, each event once, over any number of sockets; and what is sent to it.

The place in the log is (epoch, seq).  The server shows what follows a place, without holes, so whatever is not the next event
is a repeat (dropped) or means that this socket missed something (a new one is told the place).  When a place is none of the log
any more the server says `resync`, and what was said since is read over REST.
"""
import asyncio
import json
import logging
import random

import websockets

from .api import ApiError
from .outbox import Outbox, Refused

__all__ = ["Ended", "Refused", "Room"]
RECONNECT = {"min_ms": 500, "max_ms": 30000}  # until the server's hello says otherwise
STEADY_SECONDS = 10  # a socket that lives so long was no failure
PAGE = 200
UNAUTHORIZED, NOT_FOUND = 4401, 4404
log = logging.getLogger("parley_client")


class Ended(Exception):
    """The room does not come back: code is the close code (0: it was left)."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class _Hole(Exception):
    """What came is not what follows the place."""


class Room:
    """Made by Client.room().  `async for event in room` gives each event of the log, what has no place in it (typing, read,
    presence), and {"type": "resync", "reason", "from", "epoch", "seq"}; it ends when the room does, and `ended` says why."""

    def __init__(self, client, room_id, place):
        self.id, self.client, self.place = room_id, client, place
        self.user = None  # who we are here: the hello says it
        self.ended = None
        self.is_open = asyncio.Event()
        self._events = asyncio.Queue()
        self._outbox = Outbox()
        self._socket = None
        self._sending = None
        self._reconnect, self._tries = RECONNECT, 0
        self._reread = None  # so far a resync has been read
        self._untold = None  # the place of the event that was given out last
        self._task = asyncio.create_task(self._run(), name=f"parley room {room_id}")

    # ---- what one does with it ----
    def post(self, content, client_msg_id=None, **more):
        """Stores a message as soon as possible, once, behind those sent before it; the future of {"id", "seq", "epoch"}, or of
        Refused or Ended."""
        entry = self._outbox.add(content, client_msg_id, more)
        if self.ended:
            self._outbox.end(self.ended)
        return entry.done

    async def send(self, content, client_msg_id=None, **more):
        """As post(); comes back when it is stored."""
        return await self.post(content, client_msg_id, **more)

    async def tell(self, frame):
        """A frame that is of use now or never: typing, read.  Whether it was sent."""
        if not self.is_open.is_set():
            return False
        try:
            await self._socket.send(json.dumps(frame))
        except websockets.ConnectionClosed:
            return False
        return True

    def __aiter__(self):
        return self

    async def __anext__(self):
        """Who asks for the next event is done with the one before it: that is when its place is kept."""
        await self._keep()
        event = await self._events.get()
        if event is None:
            self._events.put_nowait(None)  # for whoever else listens
            raise StopAsyncIteration
        if "seq" in event and "epoch" in event and not event.get("recovered"):
            self._untold = {"epoch": event["epoch"], "seq": event["seq"]}
        return event

    async def _keep(self):
        place, self._untold = self._untold, None
        if place:
            await self.client.keep(self.id, place)

    async def leave(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    # ---- the sockets ----
    async def _run(self):
        try:
            if self.place is None:
                self.place = await self.client.kept(self.id)
            while True:
                await self._live()
                bound = min(self._reconnect["max_ms"], self._reconnect["min_ms"] * 2 ** min(self._tries, 20))
                self._tries += 1
                await asyncio.sleep(random.random() * bound / 1000)
        except Ended as ended:
            self.ended = ended
        finally:
            self.ended = self.ended or Ended(0)
            self._outbox.end(self.ended)
            self._events.put_nowait(None)

    async def _live(self):
        """One socket, from its beginning to its end."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with self.client.connect(self.id, self.place) as self._socket:
                async for text in self._socket:
                    await self._heard(json.loads(text))
        except websockets.ConnectionClosed:
            pass  # the code is looked at below
        except websockets.InvalidStatusCode as refused:
            if refused.status_code in (401, 404):
                raise Ended(4000 + refused.status_code) from None
        except (OSError, ApiError, _Hole, asyncio.TimeoutError, websockets.WebSocketException) as error:
            log.info("room %s: %r", self.id, error)
        finally:
            self.is_open.clear()
            if self._sending:
                self._sending.cancel()
        code = self._socket.close_code if self._socket else None
        self._socket = None
        if code and 4400 <= code < 4500:
            raise Ended(code)
        if loop.time() - began >= STEADY_SECONDS:
            self._tries = 0

    def _opened(self):
        self._reread = None
        self.is_open.set()
        self._sending = asyncio.create_task(self._send_all(self._socket))

    async def _send_all(self, socket):
        try:
            await self._outbox.run(socket)
        except websockets.ConnectionClosed:
            pass  # whoever reads hears of it, too

    # ---- the frames ----
    async def _heard(self, frame):
        kind = frame["type"]
        if kind == "hello":
            self._greeted(frame)
        elif kind == "resumed":
            self._opened()
        elif kind == "resync":
            await self._resync(frame)
        elif kind in ("ack", "error") and self._outbox.heard(frame):
            pass
        elif kind not in ("ack", "pong"):
            self._event(frame)

    def _greeted(self, hello):
        self.user = hello["user"]
        self._reconnect = {**RECONNECT, **hello.get("reconnect", {})}
        if self.place is None:
            self.place = self._untold = {"epoch": hello["epoch"], "seq": hello["seq"]}
            self._opened()

    def _event(self, frame):
        if "seq" not in frame:
            self._events.put_nowait(frame)
            return
        is_ours = frame["epoch"] == self.place["epoch"]
        if is_ours and frame["seq"] <= self.place["seq"]:
            return
        if not is_ours or frame["seq"] != self.place["seq"] + 1:
            raise _Hole(frame["seq"], self.place)
        self.place = {"epoch": frame["epoch"], "seq": frame["seq"]}
        self._deliver(frame)

    def _deliver(self, frame):
        self._events.put_nowait(frame)
        if frame["type"] == "chat_message" and frame["sender"]["id"] == self.user["id"]:
            self._outbox.heard(frame)

    async def _resync(self, frame):
        """What comes meanwhile waits in the socket."""
        told = {name: frame[name] for name in ("type", "reason", "epoch", "seq")}
        if self._reread is None or self._reread["epoch"] != frame["epoch"]:
            self._events.put_nowait({**told, "from": self.place, "recovered": True})
            # In the same log the messages follow the place that is known; in another one that place says nothing.
            self._reread = {"epoch": frame["epoch"], "seq": self.place["seq"] if frame["reason"] == "purged" else 0}
        while True:
            page = await self.client.call("messages", self.id, after_seq=self._reread["seq"], limit=PAGE)
            for message in page["results"]:
                if message["seq"] > frame["seq"]:
                    break
                self._reread["seq"] = message["seq"]
                self._deliver({**message, "type": "chat_message", "epoch": frame["epoch"], "at": message["created_at"], "recovered": True})
            if not page["next"] or page["results"][-1]["seq"] > frame["seq"]:
                break
        self.place = {"epoch": frame["epoch"], "seq": frame["seq"]}
        self._events.put_nowait({"type": "resynced", **self.place})
        self._opened()
