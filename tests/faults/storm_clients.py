"""The people of a storm: they send over REST and by socket, watch, come back when they are thrown out, and keep a record.

A message's content names its sender, its number and when it was sent, so that an outcome nobody was told of can be looked up,
and a message that was sent after a fault can be told from one that only arrives after it.  An edit appends to it, and is recorded as
a revision, so that the text which is stored and shown in the end can be looked up, too."""
import random
import threading
import time

import requests

from checker import EDIT, Change, Connection, Denial, Frame, Read, Revision, Send, unedited
from parley import Closed, Refused, Socket

ANSWER_S = 8.0     # until a client gives a request up
SILENCE_S = 6.0    # without a sign of life a socket counts as dead
SHOWN = ("chat_message", "message_deleted", "message_edited", "reaction_added", "reaction_removed")
EMOJI = ("%F0%9F%91%8D", "%E2%9D%A4%EF%B8%8F")
CHANGES = 0.15     # of a sender's calls that change what was said


def born(content):
    """when a message was sent, in seconds"""
    return int(content.rsplit(":", 1)[1]) / 1000


class Client(threading.Thread):
    """One person at one room.  `served` is the time at which the newest thing was sent that worked for this client."""

    def __init__(self, storm, name, person, room, seed):
        super().__init__(daemon=True, name=name)
        self.storm, self.person, self.room, self.stop = storm, person, room, storm.stop
        self.history, self.chance = storm.history, random.Random(f"{seed} {name}")
        self.http, self.node, self.served, self.is_out, self.n = None, None, 0.0, False, 0
        self.error, self.is_busy = None, False
        self.move()

    def move(self):
        """to some node; with fresh connections"""
        self.node = self.chance.choice(self.storm.nodes)
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Token {self.person.token}"

    def call(self, method, path, body=None, timeout=ANSWER_S):
        return self.http.request(method, self.node.url + path, json=body, timeout=(3, timeout), allow_redirects=False)

    def path(self, rest):
        return f"/api/chat/rooms/{self.room['id']}/{rest}"

    def content(self):
        self.n += 1
        return f"storm:{self.name}:{self.n}:{int(time.monotonic() * 1000)}"

    def deny(self, status):
        self.history.denials.append(Denial(self.name, self.person.id, self.room["id"], time.monotonic(), status))

    def each(self, low, high, act):
        """act() again and again, with pauses, unless the storm has asked for silence"""
        while not self.stop.wait(self.chance.uniform(low, high)):
            self.is_busy = True
            try:
                if not self.storm.hush.is_set():
                    act()
            except (requests.RequestException, OSError):
                self.move()
                self.stop.wait(self.chance.uniform(0.1, 0.4))
            finally:
                self.is_busy = False

    def run(self):
        try:
            self.live()
        except BaseException as error:  # a storm that loses its clients must not pass
            self.error = error
            raise


class Sender(Client):
    """REST only."""

    def live(self):
        self.each(0.5 * self.storm.pause, 1.5 * self.storm.pause, self.act)

    def act(self):
        if self.chance.random() < CHANGES:
            self.chance.choice((self.edit, self.delete, self.react))()
        else:
            self.send()

    def own(self):
        """one of the last messages it was told the id of"""
        told = [s for s in self.history.sends[-400:] if s.client == self.name and s.id]
        return self.chance.choice(told) if told else None

    def edit(self):
        if send := self.own():
            self.n += 1
            revision = Revision(self.name, self.person.id, self.room["id"], send.id, f"{send.content}{EDIT}{self.n}", time.monotonic())
            self.history.revisions.append(revision)
            status = self.change("PATCH", send, {"content": revision.content})
            revision.at, revision.status = time.monotonic(), status
            revision.outcome = "acked" if status == 200 else "unknown" if status >= 500 else "refused"

    def delete(self):
        if send := self.own():
            self.change("DELETE", send)

    def react(self):
        if send := self.own():
            self.change(self.chance.choice(("PUT", "PUT", "DELETE")), send, rest=f"reactions/{self.chance.choice(EMOJI)}/")

    def change(self, method, send, body=None, rest=""):
        """404: deleted, by the host or by itself"""
        answer = self.call(method, f"/api/chat/messages/{send.id}/{rest}", body)
        if answer.status_code not in (200, 204, 404, 503):
            self.deny(answer.status_code)
        return answer.status_code

    def send(self):
        send = Send(self.name, self.person.id, self.room["id"], self.content(), time.monotonic())
        self.history.sends.append(send)
        self.note(send, self.call("POST", self.path("send/"), {"content": send.content}))

    def note(self, send, answer):
        now = time.monotonic()
        self.storm.slowest = max(self.storm.slowest, now - send.at)
        send.status = answer.status_code
        if answer.status_code == 201:
            message = answer.json()
            send.id, send.seq, send.answered = message["id"], message["seq"], now
            send.outcome = "acked"
            self.served = send.at
        elif answer.status_code in (500, 503):
            self.stop.wait(self.chance.uniform(0.05, 0.3))
        else:
            send.outcome = "refused"


class Watcher(Client):
    """A socket that is read all the time, and says something now and then.  After each new start it reads over REST what it
    missed, and looks up what it does not know the outcome of."""

    def __init__(self, *args, says=True):
        super().__init__(*args)
        self.says, self.waiting, self.head = says, {}, 0
        self.connection = self.socket = None
        self.heard = 0.0

    def live(self):
        failures = 0
        while not self.stop.is_set():
            try:
                self.open()
                failures = 0
                self.watch()
            except Refused as refused:
                self.is_out = refused.status == 404
                if refused.status in (401, 403, 404):
                    self.deny(refused.status)
                failures += 1
            except Closed as end:
                self.ended(end.code, time.monotonic())
                self.is_out = end.code == 4403
                failures += 1
            except (OSError, AssertionError):  # AssertionError: it ended inside the handshake
                self.ended(1006, self.heard)
                failures += 1
            if self.socket:
                self.socket.sock.close()
                self.socket = None
            if failures:
                if self.chance.random() < 0.5:
                    self.move()
                self.stop.wait(self.chance.uniform(0.5, 1) * min(0.1 * 2 ** failures, 1.5))

    def open(self):
        self.socket = Socket.open(self.node, f"/ws/chat/{self.room['id']}/", token=self.person.token, timeout=5)
        self.heard = time.monotonic()
        self.is_out = False
        self.connection = Connection(self.name, self.person.id, self.room["id"], self.heard)
        self.history.connections.append(self.connection)
        self.catch_up()

    def ended(self, code, at):
        if self.connection:
            self.connection.code, self.connection.closed = code, max(at, self.connection.opened)
        self.connection = None

    def catch_up(self):
        """reads pages, newest first, until it meets what it knows"""
        known, path, newest = self.head, self.path("messages/?limit=100"), -1
        try:
            while path is not None:
                answer = self.call("GET", path)
                if answer.status_code != 200:
                    if answer.status_code in (401, 403, 404, 500):
                        self.deny(answer.status_code)
                    return
                page = answer.json()
                found = [[m["id"], m["seq"], m["content"]] for m in page["results"]]
                self.history.reads.append(Read(self.name, self.room["id"], time.monotonic(), found))
                newest = max([newest, 0] + [seq for _, seq, _ in found])
                for uid, seq, content in found:
                    self.saw(uid, seq, content)
                more = page["next"] and found and found[-1][1] > known
                path = page["next"][len(self.node.url):] if more else None
        except (requests.RequestException, OSError):
            self.http.close()  # what it may have to say later is nobody's
            return
        self.connection.floor = newest

    def saw(self, uid, seq, content):
        """a message, wherever it came from; one's own is acknowledged by that"""
        self.head = max(self.head, seq)
        send = self.waiting.pop(unedited(content), None)
        if send:
            send.id, send.seq, send.answered, send.outcome = uid, seq, time.monotonic(), "acked"

    def has_seen(self, seq):
        """whether the socket that is open now has shown this one, or REST did when it was opened"""
        connection = self.connection
        return bool(connection) and max([connection.floor] + [f.seq for f in connection.frames[-1:]]) >= seq

    def watch(self):
        next_word = time.monotonic() + self.chance.random() * self.storm.pause
        next_ping = time.monotonic() + 2
        self.socket.sock.settimeout(0.1)
        while not self.stop.is_set():
            try:
                opcode, payload = self.socket.read_frame()
                self.take(opcode, payload)
            except TimeoutError:
                pass
            now = time.monotonic()
            if now > next_ping:
                self.send(lambda: self.socket.frame(9, b"alive"))
                next_ping = now + 2
            if self.says and now > next_word and len(self.waiting) < 20 and not self.storm.hush.is_set():
                self.say()
                next_word = now + self.chance.uniform(0.5, 1.5) * self.storm.pause
            if now - self.heard > SILENCE_S:
                raise OSError("silence")
        self.ended(0, time.monotonic())

    def send(self, how):
        self.socket.sock.settimeout(3)  # a frame is sent whole or the socket is given up
        how()
        self.socket.sock.settimeout(0.1)

    def say(self):
        send = Send(self.name, self.person.id, self.room["id"], self.content(), time.monotonic(),
                    line=f"{self.name}@{self.connection.opened:.3f}")
        self.history.sends.append(send)
        self.waiting[send.content] = send
        self.send(lambda: self.socket.say(send.content))

    def take(self, opcode, payload):
        self.heard = time.monotonic()
        if opcode == 9:
            self.send(lambda: self.socket.frame(10, payload))
        if opcode == 8:
            raise Closed(int.from_bytes(payload[:2], "big") if len(payload) > 1 else 1005)
        if opcode != 1:
            return
        frame = requests.compat.json.loads(payload)
        if frame["type"] == "error":
            self.refused(frame)
        if frame["type"] not in SHOWN:
            return
        content = frame.get("content", "")
        self.connection.frames.append(Frame(self.heard, frame["type"], frame["seq"], frame["epoch"],
                                            frame.get("message_id") or frame["id"], content,
                                            frame.get("sender", {}).get("id", "")))
        if frame["type"] == "chat_message":
            self.saw(frame["id"], frame["seq"], content)
            self.served = max(self.served, born(unedited(content)))

    def refused(self, frame):
        """No frame says which send it is about, so all that wait have an outcome nobody knows."""
        if frame["code"] != "unavailable":
            self.deny(404 if frame["code"] == "not_found" else 500)
        self.waiting.clear()


class Host(Client):
    """The creator: removes and adds guests, deletes messages."""

    def __init__(self, storm, name, person, room, seed, guests):
        super().__init__(storm, name, person, room, seed)
        self.guests, self.out = guests, {}

    def live(self):
        self.each(0.5, 1.5, self.act)

    def act(self):
        if self.chance.random() < 0.4:
            self.delete()
        else:
            self.change()

    def change(self):
        guest, begun = self.chance.choice(self.guests), time.monotonic()
        if self.out.get(guest.id):
            answer = self.call("POST", self.path("participants/"), {"email": guest.email})
            what, good, settled = "added", (201,), (201, 400)
        else:
            answer = self.call("DELETE", self.path(f"participants/{guest.id}/"))
            what, good, settled = "removed", (204,), (204, 404)
        outcome = "acked" if answer.status_code in good else "unknown"
        self.history.changes.append(Change(self.room["id"], guest.id, what, time.monotonic(), outcome, begun))
        if answer.status_code in settled:
            self.out[guest.id] = what == "removed"
        elif answer.status_code != 503:
            self.deny(answer.status_code)

    def delete(self):
        own = [s for s in list(self.history.sends)[-400:] if s.room == self.room["id"] and s.id]
        if not own:
            return
        answer = self.call("DELETE", f"/api/chat/messages/{self.chance.choice(own).id}/")
        if answer.status_code not in (204, 404, 503):
            self.deny(answer.status_code)
