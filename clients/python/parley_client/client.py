"""One user at one server: the API, and rooms that stay connected."""
import asyncio

import websockets

from .api import Api
from .feed import Feed
from .room import Room


class Client:
    """url: of the server; token: from a login, or login() gets one.

    cursors: an object with load(room_id) and save(room_id, place), coroutines or not, that keeps how far each room was read, over
    restarts; a place is {"epoch", "seq"}.

    noticed(frame): is called with what is about no room that is open here: "open" (`user`; after each (re)connect: the time to read
    the list of rooms), "room_added", "unread", "rooms_left_out", "end" (`code`: the session is over)."""

    def __init__(self, url, token=None, cursors=None, noticed=None):
        self.api = Api(url, token)
        self.cursors = cursors
        self.noticed = noticed
        self.rooms = {}
        self._feed = Feed(self)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def call(self, name, *values, **more):
        """A method of the API by its name, without holding up anybody: await client.call("rooms")."""
        return await asyncio.to_thread(getattr(self.api, name), *values, **more)

    async def login(self, email, password):
        return await self.call("login", email, password)

    def room(self, room_id, place=None):
        """The room, connected from now on until it is left or ends.  place: to go on from; None: what `cursors` know, or what
        comes from now on."""
        if room_id not in self.rooms or self.rooms[room_id].ended:
            self.rooms[room_id] = Room(self, self._feed, room_id, place)
        return self.rooms[room_id]

    def start(self):
        """Without a room, too, one is told of new rooms and of what is unread."""
        self._feed.connect()

    def present(self, status):
        """Takes part in presence from now on, "online" or "away": others are told, and so are we.  It is said again after each
        reconnect."""
        self._feed.present(status)

    async def close(self):
        await asyncio.gather(*(room.leave() for room in self.rooms.values()))
        await self._feed.end()

    # ---- for the socket and the rooms ----
    def connect(self, path):
        url = self.api.url.replace("http", "ws", 1)
        return websockets.connect(url + path, extra_headers=self.api.headers(), open_timeout=30, ping_interval=25, ping_timeout=10,
                                  max_size=None)

    async def _cursor(self, name, *values):
        found = getattr(self.cursors, name)(*values) if self.cursors else None
        return await found if asyncio.iscoroutine(found) else found

    async def kept(self, room_id):
        return await self._cursor("load", room_id)

    async def keep(self, room_id, place):
        await self._cursor("save", room_id, place)
