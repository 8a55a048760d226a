"""What clients lived through and what is stored, written down as a record, and judged by `parley verify --check`.

    history = History()            # filled while clients run: sends, connections, reads, denials
    state = read_state(query, rooms)   # query(sql) -> rows of text; or state_of_pages() for a client without a database
    for violation in check(history, state, repair=8): print(violation)

Times are seconds of one clock, time.monotonic() of the process that recorded.  The judgement itself is plugins/verify/check*.c;
docs/VERIFY.md has the lines of a record.  A saved one: `parley verify --check FILE`.
"""
import dataclasses
import json
import subprocess
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field

from parley import BUILD, PATIENCE, ROOT

# room_events.kind; an event that is shown has a frame, the others only have their seq.
KINDS = {1: "message", 2: "deleted", 3: "added", 4: "removed", 5: "updated", 6: "message", 9: "edited", 10: "reacted", 11: "unreacted"}
SHOWN = ("message", "deleted", "edited", "reacted", "unreacted")
EDIT = "~"                # begins what an edit appends to a content; what is in front of it stays, and is what the message is known by
NEVER = float("inf")


# ---- what was recorded ----
@dataclass
class Send:
    """One message somebody sent; `content` is unlike that of any other send."""
    client: str
    user: str
    room: str
    content: str
    at: float
    outcome: str = "unknown"  # or acked, refused
    status: int = 0           # of the answer, or the close code
    id: str = ""
    seq: int = 0
    answered: float = 0.0
    line: str = ""            # the connection it was sent on, if it was a socket: those keep their order


@dataclass
class Revision:
    """One try to edit a message."""
    client: str
    user: str
    room: str
    id: str
    content: str
    begun: float
    at: float = 0.0           # of the answer
    outcome: str = "unknown"
    status: int = 0


@dataclass
class Frame:
    at: float
    type: str                 # chat_message, message_deleted, message_edited, reaction_added, reaction_removed
    seq: int
    epoch: str
    id: str
    content: str = ""
    sender: str = ""
    live: bool = True         # False: replayed to a socket that resumed


@dataclass
class Connection:
    """One socket of a room, from 101 to its end (`closed`: when it was last known to be alive)."""
    client: str
    user: str
    room: str
    opened: float
    floor: int = -1           # what has a higher seq must come on this socket; -1: nobody knows
    closed: float = NEVER
    code: int = 0
    frames: list = field(default_factory=list)


@dataclass
class Read:
    """Messages read over REST: [id, seq, content] each."""
    client: str
    room: str
    at: float
    messages: list


@dataclass
class Change:
    """A member removed or added, as the one who did it was told."""
    room: str
    user: str
    what: str                 # removed, added
    at: float                 # of the answer
    outcome: str
    begun: float = 0.0        # when it was asked for


@dataclass
class Denial:
    """Somebody was told that he is nobody, or that his room is not there."""
    client: str
    user: str
    room: str
    at: float
    status: int


@dataclass
class History:
    sends: list = field(default_factory=list)
    connections: list = field(default_factory=list)
    reads: list = field(default_factory=list)
    changes: list = field(default_factory=list)
    denials: list = field(default_factory=list)
    revisions: list = field(default_factory=list)
    epochs: dict = field(default_factory=dict)     # room: epochs it may have had beside the last one
    disturbed: list = field(default_factory=list)  # [from, to]: times in which nothing could be repaired

    def until(self, now):
        """A copy that does not grow; `now` was read before.  Of a socket that is still open no more is expected."""
        connections = [dataclasses.replace(c, frames=list(c.frames)) for c in list(self.connections)]
        for connection in connections:
            if connection.closed > now:  # perhaps while it was copied, which takes a moment: why it closes is of later
                connection.closed, connection.code = now, 0
        return History([dataclasses.replace(s) for s in list(self.sends)],
                       connections,
                       list(self.reads), list(self.changes), list(self.denials), [dataclasses.replace(r) for r in list(self.revisions)],
                       dict(self.epochs), list(self.disturbed))

    def take_later(self, source):
        """What was tried after this copy was made may be stored already, or not."""
        later = list(source.revisions)[len(self.revisions):]
        self.revisions += [dataclasses.replace(r, outcome="unknown", status=0) for r in later]


# ---- what is stored ----
@dataclass
class Event:
    seq: int
    kind: str
    message: str = ""
    user: str = ""


@dataclass
class Message:
    id: str
    seq: int
    sender: str
    content: str
    is_deleted: bool = False


@dataclass
class Room:
    id: str
    epoch: str
    last_seq: int
    events: list
    messages: list
    count: int = -1           # what the room says about its messages that are not deleted; -1: it was not asked
    rows: int = -1            # rows of messages, with or without an event
    is_whole: bool = True     # False: without the events that are not messages


@dataclass
class State:
    rooms: dict
    at: float = NEVER         # all of it was durable by then, if nobody knows better


STATE_SQL = """SELECT r.epoch, r.last_seq, r.message_count, n.n,
 COALESCE(e.seq, 0), COALESCE(e.kind, 0), COALESCE(u.uid, r.uid), COALESCE(m.uid, r.uid), COALESCE(m.seq, 0),
 COALESCE(m.sender_uid, r.uid), CASE WHEN m.deleted_at IS NULL THEN 0 ELSE 1 END, COALESCE(m.content, '')
 FROM rooms r CROSS JOIN (SELECT count(*) AS n FROM messages WHERE room_id = (SELECT id FROM rooms WHERE uid = '{0}')) n
 LEFT JOIN room_events e ON e.room_id = r.id LEFT JOIN messages m ON m.id = e.message_id
 LEFT JOIN users u ON u.id = e.user_id WHERE r.uid = '{0}' ORDER BY e.seq"""


def unedited(content):
    """a content as it was sent"""
    return content.partition(EDIT)[0]


def read_state(query, rooms, at=NEVER):
    """The rooms as they are in the database; one statement each, so one instant each."""
    found = {}
    for uid in rooms:
        rows = query(STATE_SQL.format(uid))
        if not rows:
            found[uid] = Room(uid, "", 0, [], [])
            continue
        epoch, last_seq, count, n = rows[0][0], int(rows[0][1]), int(rows[0][2]), int(rows[0][3])
        room = found[uid] = Room(uid, epoch, last_seq, [], [], count, n)
        for row in rows:
            seq, kind, message_seq = int(row[4]), KINDS.get(int(row[5]), ""), int(row[8])
            if seq == 0:
                continue
            room.events.append(Event(seq, kind, row[7] if message_seq else "", row[6]))
            if kind == "message":
                room.messages.append(Message(row[7], message_seq, row[9], row[11], row[10] == "1"))
    return State(found, at)


def state_of_pages(room, messages, at=NEVER):
    """A room as a client reads it over REST: messages only, so holes in seq say nothing."""
    stored = [Message(m["id"], m["seq"], m["sender"]["id"], m["content"]) for m in messages]
    events = [Event(m.seq, "message", m.id) for m in stored]
    last = max((m.seq for m in stored), default=0)
    return State({room: Room(room, messages[0].get("epoch", "") if messages else "", last, events, stored, is_whole=False)}, at)


# ---- the judgement ----
@dataclass
class Violation:
    kind: str
    text: str

    def __str__(self):
        return f"{self.kind}: {self.text}"


def record_lines(history, state, repair):
    """The record, a dict per line."""
    yield {"what": "run", "repair_s": repair, **({} if state.at == NEVER else {"stored_by": state.at})}
    for number, send in enumerate(history.sends):
        yield {"what": "sent", "send": number, "at": send.at, "client": send.client, "user": send.user, "room": send.room,
               "content": send.content, "line": send.line, "id": send.id}
        if send.outcome != "unknown" or send.status:
            yield {"what": "answered", "send": number, "at": send.answered, "outcome": send.outcome, "status": send.status,
                   "id": send.id, "seq": send.seq}
    for number, connection in enumerate(history.connections):
        yield from connection_lines(f"socket{number}", connection)
    for read in history.reads:
        for uid, seq, content in read.messages:
            yield {"what": "read", "at": read.at, "client": read.client, "room": read.room, "id": uid, "seq": seq, "content": content}
    for change in history.changes:
        yield {"what": "change", "room": change.room, "user": change.user, "kind": change.what, "begun": change.begun, "at": change.at,
               "outcome": change.outcome}
    for revision in history.revisions:
        yield {"what": "revised", "kind": "edit", **dataclasses.asdict(revision)}
    for denial in history.denials:
        yield {"what": "denied", **dataclasses.asdict(denial)}
    for begin, end in history.disturbed:
        yield {"what": "disturbed", "at": begin, "to": end}
    for room, epochs in history.epochs.items():
        for epoch in epochs:
            yield {"what": "epoch", "room": room, "epoch": epoch}
    for room in state.rooms.values():
        yield from room_lines(room)


def connection_lines(name, connection):
    yield {"what": "opened", "socket": name, "at": connection.opened, "client": connection.client, "user": connection.user,
           "room": connection.room, "floor": connection.floor}
    for frame in connection.frames:
        yield {"what": "shown", "socket": name, "at": frame.at, "kind": "event", "type": frame.type, "seq": frame.seq,
               "epoch": frame.epoch, "id": frame.id, "content": frame.content, "sender": frame.sender, "replay": int(not frame.live)}
    if connection.closed != NEVER or connection.code:
        yield {"what": "closed", "socket": name, "code": connection.code,
               **({} if connection.closed == NEVER else {"at": connection.closed})}


def room_lines(room):
    yield {"what": "room", "room": room.id, "epoch": room.epoch, "head": room.last_seq, "count": room.count, "rows": room.rows,
           "partial": int(not room.is_whole)}
    for event in room.events:
        kind = event.kind if event.kind in ("message", "deleted", "added", "removed", "edited") else "other"
        yield {"what": "event", "room": room.id, "seq": event.seq, "kind": kind, "id": event.message, "user": event.user,
               "silent": int(event.kind not in SHOWN)}
    for message in room.messages:
        yield {"what": "message", "room": room.id, "id": message.id, "seq": message.seq, "sender": message.sender,
               "content": message.content, "deleted": int(message.is_deleted)}


def save(path, history, state, repair=8.0):
    with open(path, "w") as file:
        for line in record_lines(history, state, repair):
            file.write(json.dumps(line) + "\n")


def judge(path):
    """All violations of a record."""
    done = subprocess.run([BUILD / "parley", "verify", "--check", path, "--json", "--config", ROOT / "config" / "parley.yaml"],
                          capture_output=True, text=True, timeout=10 * PATIENCE)
    assert done.returncode in (0, 1), done.stderr
    return [Violation(v["check"], v["text"]) for v in json.loads(done.stdout)["violations"]]


def check(history, state, repair=8.0):
    """All violations.  repair: seconds within which a connected client is shown what is stored."""
    with tempfile.NamedTemporaryFile(prefix="parley-record-") as file:
        save(file.name, history, state, repair)
        return judge(file.name)


def summary(history, state):
    """counts in words, for the end of a run"""
    by = defaultdict(int)
    for send in history.sends:
        by[send.outcome] += 1
    frames = sum(len(c.frames) for c in history.connections)
    stored = sum(len(r.messages) for r in state.rooms.values())
    return {"sent": len(history.sends), "acked": by["acked"], "refused": by["refused"], "unknown": by["unknown"],
            "frames seen": frames, "connections": len(history.connections), "reads": len(history.reads), "stored": stored,
            "events": sum(len(r.events) for r in state.rooms.values())}
