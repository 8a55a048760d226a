"""What is sent to one room: kept until the server says that it is stored, and stored once."""
import asyncio
import json
import uuid

ACK_SECONDS = 30  # the server answers sooner, or has lost it
AGAIN_SECONDS = 1  # after "unavailable": the server is not itself
FRAME_MOST = 60 * 1024  # bytes; more than 64 KiB, with the room's id, would cost us the socket, again and again


class Refused(Exception):
    """A message that the server does not take."""

    def __init__(self, code, detail, errors=None):
        super().__init__(code, detail)
        self.code, self.detail, self.errors = code, detail, errors or {}


class Entry:
    """A message on its way.  Its client_msg_id is there before the first try and stays, so that a repeat is known as one."""

    def __init__(self, content, client_msg_id, more):
        self.id = client_msg_id or str(uuid.uuid4())
        self.frame = {"type": "chat_message", "content": content, "client_msg_id": self.id, **more}
        self.done = asyncio.get_running_loop().create_future()  # {"id", "seq", "epoch"}, or an exception
        self.told = None  # a future: what the server says of this try


class Outbox:
    """One message is on its way at a time: they are stored in the order in which they were given."""

    def __init__(self):
        self.entries = []
        self._added = asyncio.Event()

    def add(self, content, client_msg_id=None, more=None):
        """To what is no text (a lone surrogate: UnicodeEncodeError) or is too long the server has no answer that says which
        message it was."""
        entry = Entry(content, client_msg_id, more or {})
        if len(json.dumps(entry.frame, ensure_ascii=False).encode()) > FRAME_MOST:
            entry.done.set_exception(Refused("invalid", f"The message is too long to be sent: more than {FRAME_MOST} bytes."))
            return entry
        self.entries.append(entry)
        self._added.set()
        return entry

    async def _first(self):
        while not self.entries:
            self._added.clear()
            await self._added.wait()
        return self.entries[0]

    async def run(self, send):
        """Sends all there is, as long as send(frame) says that there is a socket."""
        while True:
            entry = await self._first()
            entry.told = asyncio.get_running_loop().create_future()
            if not send(entry.frame):
                return
            try:
                frame = await asyncio.wait_for(entry.told, ACK_SECONDS)
            except asyncio.TimeoutError:
                continue  # the same again
            if frame.get("code") in ("throttled", "unavailable"):
                await asyncio.sleep(frame.get("retry_after", AGAIN_SECONDS))
            else:
                self._settle(entry, frame)

    def heard(self, frame):
        """An ack, an error or a message of ours; whether it was about one that is on its way."""
        entry = next((one for one in self.entries if one.id == frame.get("client_msg_id")), None)
        if entry and entry.told and not entry.told.done():
            entry.told.set_result(frame)
        elif entry and frame["type"] == "chat_message":
            self._settle(entry, frame)  # its ack was lost, and it comes before it is sent again
        return entry is not None

    def _settle(self, entry, frame):
        if entry in self.entries:
            self.entries.remove(entry)
        if entry.done.done():
            return
        if frame["type"] == "error":
            entry.done.set_exception(Refused(frame["code"], frame["detail"], frame.get("errors")))
        else:
            entry.done.set_result({name: frame[name] for name in ("id", "seq", "epoch")})

    def end(self, error):
        for entry in self.entries:
            if not entry.done.done():
                entry.done.set_exception(error)
        self.entries.clear()
