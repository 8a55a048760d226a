"""One socket for all rooms: /ws/.

After its hello each room is subscribed to, from its place on if it has one.  What the server says of a room goes to that room; of
rooms that are not open here it tells what is new and unread: that goes to whoever the client was given for it.
"""
import asyncio
import json
import logging
import random

import websockets

from .api import ApiError

RECONNECT = {"min_ms": 500, "max_ms": 30000}  # until the server's hello says otherwise
STEADY_SECONDS = 10  # a socket that lives so long was no failure
REFUSALS = {"invalid": 4400, "not_found": 4404, "too_many": 4409}  # of one room, and the codes that would close its socket
ROOMS_OF_FRAME = 200  # a frame has at most 64 KiB
LEFT = 1000  # the room was unsubscribed from, as we wanted
log = logging.getLogger("parley_client")


class Ended(Exception):
    """The room does not come back: code is the close code (0: it was left)."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Feed:
    def __init__(self, client):
        self._client = client
        self._rooms = {}  # by id
        self._again = {}  # room -> the timer of its next subscribe
        self._user = None  # of the hello; None: there was none on this socket
        self._presence = None  # "online" or "away", once somebody has said so
        self._out = None  # a queue: what is to be sent; None: there is no socket
        self._reconnect, self._tries = RECONNECT, 0
        self._task = None

    def connect(self):
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="parley rooms")

    async def end(self):
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    # ---- rooms ----
    def open(self, room):
        self._rooms[room.id] = room
        self.connect()
        self._subscribe([room])

    def close(self, room):
        self._forget(room)
        if self._user:
            self._put({"type": "unsubscribe", "rooms": [room.id]})

    def send(self, room, frame):
        """Whether there is a socket for it."""
        return self._user is not None and self._put({**frame, "room": room.id})

    def present(self, status):
        self._presence = status
        self._tell_presence()

    def again(self, room):
        """What came is not what follows the room's place: ask for that."""
        self._subscribe([room])

    def later(self, room):
        """One room could not be subscribed to, is not any more, or what it needs to go on could not be read over REST."""
        room.lost()
        self._stop(room)
        self._again[room] = asyncio.get_running_loop().call_later(self._pause(room.tries), self._subscribe, [room])
        room.tries += 1

    def _stop(self, room):
        timer = self._again.pop(room, None)
        if timer:
            timer.cancel()

    def _forget(self, room):
        self._stop(room)
        if self._rooms.get(room.id) is room:  # one may be in it again
            del self._rooms[room.id]

    def _subscribe(self, rooms):
        if not self._user:
            return
        for room in rooms:
            room.greeted(self._user)
        for i in range(0, len(rooms), ROOMS_OF_FRAME):
            part = rooms[i:i + ROOMS_OF_FRAME]
            places = {room.id: {"after": room.place["seq"], "epoch": room.place["epoch"]} if room.place else {} for room in part}
            self._put({"type": "subscribe", "rooms": places})

    def _tell_presence(self):
        if self._user and self._presence:
            self._put({"type": "presence", "status": self._presence})

    # ---- the sockets ----
    def _pause(self, tries):
        """seconds: anything up to a bound that doubles"""
        bound = min(self._reconnect["max_ms"], self._reconnect["min_ms"] * 2 ** min(tries, 20))
        return random.random() * bound / 1000

    async def _run(self):
        code = 0  # as if it were left
        try:
            while True:
                await self._live()
                pause, self._tries = self._pause(self._tries), self._tries + 1
                await asyncio.sleep(pause)
        except Ended as ended:
            code = ended.code
            self._notice({"type": "end", "code": code})
        finally:
            self._lost()
            self._task = None  # a room that is opened after it tries anew
            for room in list(self._rooms.values()):
                self._forget(room)
                room.end(code)

    async def _live(self):
        """One socket, from its beginning to its end."""
        loop = asyncio.get_running_loop()
        began, socket = loop.time(), None
        try:
            async with self._client.connect("/ws/") as socket:
                self._out = asyncio.Queue()
                writing = asyncio.create_task(self._write(socket, self._out))
                try:
                    async for text in socket:
                        self._heard(json.loads(text))
                finally:
                    writing.cancel()
        except websockets.ConnectionClosed:
            pass  # the code is looked at below
        except websockets.InvalidStatusCode as refused:
            if refused.status_code == 401:
                raise Ended(4401) from None
        except (OSError, ApiError, asyncio.TimeoutError, websockets.WebSocketException) as error:
            log.info("%r", error)
        except Exception:  # pylint: disable=broad-except (a frame that is not understood: the next socket has it again, or not)
            log.exception("the socket of the rooms is opened anew")
        finally:
            self._lost()
        if socket and socket.close_code and 4400 <= socket.close_code < 4500:
            raise Ended(socket.close_code)
        if loop.time() - began >= STEADY_SECONDS:
            self._tries = 0

    def _lost(self):
        self._user = self._out = None
        for room in list(self._again):
            self._stop(room)
        for room in self._rooms.values():
            room.lost()

    def _put(self, frame):
        if self._out is not None:
            self._out.put_nowait(json.dumps(frame, ensure_ascii=False))
        return self._out is not None

    @staticmethod
    async def _write(socket, out):
        try:
            while True:
                await socket.send(await out.get())
        except websockets.ConnectionClosed:
            pass  # whoever reads hears of it, too

    # ---- the frames ----
    def _heard(self, frame):
        room = self._rooms.get(frame.get("room"))
        if frame["type"] == "hello":
            self._greeted(frame)
        elif room is None:
            self._notice(frame)
        elif frame["type"] == "unsubscribed":
            self._unsubscribed(room, frame["code"])
        elif frame["type"] == "error" and "client_msg_id" not in frame and not room.is_open.is_set():
            self._unsubscribed(room, REFUSALS.get(frame["code"], 0))
        else:
            room.heard(frame)

    def _greeted(self, hello):
        self._user = hello["user"]
        self._reconnect = {**RECONNECT, **hello.get("reconnect", {})}
        self._tell_presence()  # before the rooms: who is told that one is open is told who is there
        self._subscribe(list(self._rooms.values()))
        self._notice({"type": "open", "user": hello["user"]})

    def _unsubscribed(self, room, code):
        if 4400 <= code < 4500:
            self._forget(room)
            room.end(code)
        elif code != LEFT:
            self.later(room)

    def _notice(self, frame):
        if self._client.noticed and frame["type"] != "pong":
            try:
                self._client.noticed(frame)
            except Exception:  # pylint: disable=broad-except (whatever is wrong with it, the rooms stay)
                log.exception("noticed(%r)", frame)
