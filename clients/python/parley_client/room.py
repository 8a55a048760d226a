"""One room: its log in order, each event once, over any number of sockets; and what is sent to it.

The place in the log is (epoch, seq).  The server shows what follows a place, without holes, so whatever is not the next event
is a repeat (dropped) or means that this socket missed something (it is asked for again, from the place on).  When a place is none
of the log any more the server says `resync`, and what was said since is read over REST.
"""
import asyncio

from .api import ApiError
from .feed import Ended, log
from .outbox import Outbox

PAGE = 200


class Room:
    """Made by Client.room().  `async for event in room` gives each event of the log, what has no place in it (typing, read,
    presence), and {"type": "resync", "reason", "from", "epoch", "seq"}; it ends when the room does, and `ended` says why."""

    def __init__(self, client, feed, room_id, place):
        self.id, self.client, self.place = room_id, client, place
        self.user = None  # who we are here: the hello says it
        self.ended = None
        self.is_open = asyncio.Event()
        self.tries = 0  # to subscribe, that have failed in a row
        self._feed = feed
        self._events = asyncio.Queue()
        self._outbox = Outbox()
        self._sending = None
        self._rereading, self._held = None, []  # frames that wait until what was said before them has been read
        self._reread = None  # so far a resync has been read
        self._untold = None  # the place of the event that was given out last
        self._starting = asyncio.create_task(self._start(), name=f"parley room {room_id}")

    async def _start(self):
        if self.place is None:
            self.place = await self.client.kept(self.id)
        self._feed.open(self)

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
        """A frame that is of use now or never: typing, read.  Whether there is a socket for it."""
        return self.is_open.is_set() and self._feed.send(self, frame)

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
        self._starting.cancel()
        await asyncio.gather(self._starting, return_exceptions=True)
        if not self.ended:
            self._feed.close(self)
            self.end(0)

    # ---- what the socket tells ----
    def greeted(self, user):
        """The socket is there, and asked for what follows the place."""
        self.lost()
        self.user = user

    def lost(self):
        self.is_open.clear()
        self._held = []
        for task in (self._sending, self._rereading):
            if task:
                task.cancel()
        self._sending = self._rereading = None

    def end(self, code):
        self.lost()
        self.ended = self.ended or Ended(code)
        self._outbox.end(self.ended)
        self._events.put_nowait(None)

    def heard(self, frame):
        kind = frame["type"]
        if kind == "subscribed":
            self.place = self._untold = {"epoch": frame["epoch"], "seq": frame["seq"]}
            self._opened()
        elif kind == "resumed":
            self._opened()
        elif kind == "resync":
            self._rereading = asyncio.create_task(self._resync(frame))
        elif kind in ("ack", "error") and self._outbox.heard(frame):
            pass
        elif kind not in ("ack", "pong"):
            self._take(frame)

    def _opened(self):
        self._reread, self.tries = None, 0
        self.is_open.set()
        self._sending = asyncio.create_task(self._outbox.run(lambda frame: self._feed.send(self, frame)))

    # ---- the log ----
    def _take(self, frame):
        if "seq" not in frame:
            self._events.put_nowait(frame)
        elif self._rereading:
            self._held.append(frame)
        else:
            self._event(frame)

    def _event(self, frame):
        is_ours = self.place is not None and frame["epoch"] == self.place["epoch"]
        if is_ours and frame["seq"] <= self.place["seq"]:
            return
        if not is_ours or frame["seq"] != self.place["seq"] + 1:
            self._missed()
            return
        self.place = {"epoch": frame["epoch"], "seq": frame["seq"]}
        self._deliver(frame)

    def _missed(self):
        """While the room catches up, live events may come before what is older; they come again in their turn."""
        if self.is_open.is_set():
            self._feed.again(self)

    def _deliver(self, frame):
        self._events.put_nowait(frame)
        if frame["type"] == "chat_message" and frame["sender"]["id"] == self.user["id"]:
            self._outbox.heard(frame)

    # ---- when the place is none of the log ----
    async def _resync(self, frame):
        try:
            await self._read_up_to(frame)
        except Exception as error:  # pylint: disable=broad-except (whatever it was: nobody else hears of it and tries again)
            told = log.info if isinstance(error, ApiError) else log.exception
            told("room %s: %r", self.id, error)
            self._rereading = None  # not to be cancelled by what it does itself
            self._feed.later(self)
            return
        held, self._held, self._rereading = self._held, [], None
        self.place = {"epoch": frame["epoch"], "seq": frame["seq"]}
        self._events.put_nowait({"type": "resynced", **self.place})
        self._opened()
        for one in held:
            self._event(one)

    async def _read_up_to(self, frame):
        """The messages up to that place, as events without a place of their own (`recovered`)."""
        if self._reread is None or self._reread["epoch"] != frame["epoch"]:
            told = {name: frame[name] for name in ("type", "reason", "epoch", "seq")}
            self._events.put_nowait({**told, "from": self.place, "recovered": True})
            # In the same log the messages follow the place that is known; in another one that place says nothing.
            self._reread = {"epoch": frame["epoch"], "seq": self.place["seq"] if frame["reason"] == "purged" else 0}
        while True:
            page = await self.client.call("messages", self.id, after_seq=self._reread["seq"], limit=PAGE)
            for message in page["results"]:
                if message["seq"] > frame["seq"]:
                    return
                self._reread["seq"] = message["seq"]
                self._deliver({**message, "type": "chat_message", "epoch": frame["epoch"], "at": message["created_at"], "recovered": True})
            if not page["next"]:
                return
