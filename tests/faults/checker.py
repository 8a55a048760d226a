"""Compares what clients lived through with what is stored, and says in words what was promised and not kept.

    history = History()            # filled while clients run: sends, connections, reads, denials
    state = read_state(query, rooms)   # query(sql) -> rows of text; or state_of_pages() for a client without a database
    for violation in check(history, state, repair=8): print(violation)

Times are seconds of one clock, time.monotonic() of the process that recorded.  The checker itself reads no clock, no socket
and no file, so it judges any run; `python3 checker.py history.json state.json` judges a saved one.
"""
import dataclasses
import json
import sys
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field

# room_events.kind; an event that is shown has a frame, the others only have their seq.
KINDS = {1: "message", 2: "deleted", 3: "added", 4: "removed", 5: "updated", 6: "message"}
SHOWN = ("message", "deleted")
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
class Frame:
    at: float
    type: str                 # chat_message, message_deleted
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
    epochs: dict = field(default_factory=dict)     # room: epochs it may have had beside the last one
    disturbed: list = field(default_factory=list)  # [from, to]: times in which nothing could be repaired

    def until(self, now):
        """A copy that does not grow; `now` was read before.  Of a socket that is still open no more is expected."""
        return History([dataclasses.replace(s) for s in list(self.sends)],
                       [dataclasses.replace(c, closed=min(c.closed, now), frames=list(c.frames)) for c in list(self.connections)],
                       list(self.reads), list(self.changes), list(self.denials), dict(self.epochs), list(self.disturbed))


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


class Case:
    """One room: its log by seq, its messages by id, and what was recorded about it."""

    def __init__(self, history, room):
        self.room, self.history = room, history
        self.found = []
        self.messages = {m.id: m for m in room.messages}
        self.events = {e.seq: e for e in room.events}
        self.sends = [s for s in history.sends if s.room == room.id]
        self.connections = [c for c in history.connections if c.room == room.id]
        self.reads = [r for r in history.reads if r.room == room.id]
        self.by_content = defaultdict(list)
        for message in room.messages:
            if not message.is_deleted:
                self.by_content[message.content].append(message)
        self.sent = {s.content: s for s in self.sends}
        self.said = {s.id: s for s in self.sends if s.id}
        self.away = self._absences()
        self.shown = sorted(e.seq for e in room.events if e.kind in SHOWN)
        self.created = sorted(e.seq for e in room.events if e.kind == "message")

    def _absences(self):
        """user: [(seq of the removal, seq of the return or NEVER)]"""
        away = defaultdict(list)
        for event in sorted(self.room.events, key=lambda e: e.seq):
            if event.kind == "removed":
                away[event.user].append((event.seq, NEVER))
            elif event.kind == "added" and away[event.user]:
                away[event.user][-1] = (away[event.user][-1][0], event.seq)
        return away

    def add(self, kind, text):
        self.found.append(Violation(kind, f"room {self.room.id}: {text}"))

    def is_away(self, user, seq):
        return any(gone < seq < back for gone, back in self.away.get(user, ()))


def check_log(case):
    room = case.room
    seqs = [e.seq for e in room.events]
    if room.is_whole and sorted(seqs) != list(range(1, len(seqs) + 1)):
        wrong = sorted(set(range(1, max(seqs) + 1)) - set(seqs))[:5]
        case.add("seq is not dense", f"{len(seqs)} events up to seq {max(seqs)}; missing: {wrong or 'none, but some are there twice'}")
    if room.is_whole and room.last_seq != max(seqs, default=0):
        case.add("seq is not dense", f"last_seq is {room.last_seq}, the last event has {max(seqs, default=0)}")
    for event in room.events:
        message = case.messages.get(event.message)
        if event.kind == "message" and (not message or message.seq != event.seq):
            case.add("log and messages disagree", f"seq {event.seq} is message {event.message}, which has seq {message and message.seq}")
    living = sum(not m.is_deleted for m in room.messages)
    if room.count not in (-1, living) or room.rows not in (-1, len(room.messages)):
        case.add("log and messages disagree", f"the room counts {room.count} messages and has {room.rows} rows; its log has"
                 f" {len(room.messages)}, {living} of them not deleted")
    for content, twice in case.by_content.items():
        if len(twice) > 1:
            case.add("stored twice", f"{content!r} as {' and '.join(f'{m.id} (seq {m.seq})' for m in twice)}")
    for message in room.messages:
        if case.is_away(message.sender, message.seq):
            case.add("stored for somebody removed", f"{message.content!r} (seq {message.seq}) of {message.sender}")


def check_sends(case):
    lines = defaultdict(list)
    for send in case.sends:
        stored = case.by_content.get(send.content, [])
        message = case.messages.get(send.id)
        what = f"{send.content!r}, sent by {send.client} at {send.at:.3f}"
        if send.outcome == "acked" and not message:
            case.add("acknowledged, but missing", f"{what}, was acknowledged as {send.id} (seq {send.seq}) at {send.answered:.3f}")
        elif send.outcome == "acked" and send.seq and message.seq != send.seq:
            case.add("order differs", f"{what}, was acknowledged with seq {send.seq} and is stored with {message.seq}")
        elif send.outcome == "acked" and not message.is_deleted and message.content != send.content:
            case.add("other content than was sent", f"{what}, is stored as {message.content!r}")
        elif send.outcome == "refused" and stored:
            case.add("refused, but stored", f"{what}, was answered {send.status} and is stored with seq {stored[0].seq}")
        if send.status in (401, 403, 404, 500) and not case.away.get(send.user):
            case.add("wrong answer", f"{what}, was answered {send.status}, and he was a member all the time")
        if send.line and stored:
            lines[send.line].append((send.at, stored[0].seq))
    for line, order in lines.items():
        order.sort()
        if [seq for _, seq in order] != sorted(seq for _, seq in order):
            case.add("order differs", f"what was sent one after the other on {line} is stored as {[seq for _, seq in order]}")
    for denial in case.history.denials:
        if denial.room == case.room.id and not case.away.get(denial.user):
            case.add("wrong answer", f"{denial.client} was told {denial.status} at {denial.at:.3f}, and he was a member all the time")


def check_reads(case):
    for read in case.reads:
        for uid, seq, content in read.messages:
            message = case.messages.get(uid)
            who = f"{read.client} read {uid} (seq {seq}, {content!r}) at {read.at:.3f}"
            if not message:
                case.add("read, but not stored", who)
            elif message.seq != seq:
                case.add("order differs", f"{who}; it is stored with seq {message.seq}")
            elif not message.is_deleted and message.content != content:
                case.add("other content than was sent", f"{who}; it is stored as {message.content!r}")


def check_frame(case, connection, frame):
    """one frame by itself"""
    event, message = case.events.get(frame.seq), case.messages.get(frame.id)
    what = f"{connection.client} was shown {frame.type} {frame.id} (seq {frame.seq}, {frame.content!r}) at {frame.at:.3f}"
    if frame.epoch != case.room.epoch and frame.epoch not in case.history.epochs.get(case.room.id, ()):
        case.add("unknown epoch", f"{what} with epoch {frame.epoch}; the room's is {case.room.epoch}")
        return
    if not message:
        case.add("shown before it was durable", f"{what}; it is not stored")
        return
    if frame.type == "chat_message":
        if message.seq != frame.seq:
            case.add("order differs", f"{what}; it is stored with seq {message.seq}")
        said = case.said.get(frame.id)
        right = said.content if message.is_deleted and said else message.content
        if (said or not message.is_deleted) and frame.content != right:
            case.add("other content than was sent", f"{what}; it is stored as {right!r}")
    elif case.room.is_whole and (not event or event.message != frame.id or not message.is_deleted):
        case.add("order differs", f"{what}; there is another event: {event}")


def between(case, low, high, is_floor):
    """The shown events between two seqs, both excluded.  What REST showed says where the messages end, and not where the other
    events do: above a floor only messages count."""
    events = case.created if is_floor else case.shown
    return events[bisect_right(events, low):bisect_left(events, high)]


def check_connection(case, connection):
    """The frames of one socket: rising, without a hole, none after a removal.  Gives the last seq it had."""
    who = f"{connection.client}, socket of {connection.opened:.3f}"
    place, seen = None, set()
    for frame in connection.frames:
        check_frame(case, connection, frame)
        if frame.seq in seen:
            case.add("shown twice", f"{who}: seq {frame.seq}")
        elif place is not None and frame.seq <= place:
            case.add("order differs", f"{who}: seq {frame.seq} came after {place}")
        # What REST showed after the socket was open may still come by socket; what is beyond that has to.
        low = place if place is not None else connection.floor
        hole = between(case, low, frame.seq, place is None) if low >= 0 and frame.live else []
        if hole:
            case.add("skipped on an open socket", f"{who}: seq {frame.seq} came after {low}, without {hole[:5]}")
        seen.add(frame.seq)
        place = frame.seq if place is None else max(place, frame.seq)
    check_after_removal(case, connection, who)
    return place if place is not None else connection.floor


def check_after_removal(case, connection, who):
    """A socket from before the removal ends with it; one that comes back later begins behind the return."""
    for gone, back in case.away.get(connection.user, ()):
        is_older = bool(connection.frames) and connection.frames[0].seq <= gone
        late = next((f for f in connection.frames if f.live and f.seq > gone and (is_older or back == NEVER)), None)
        if late:
            case.add("delivered after removal", f"{who}: seq {late.seq}, and {connection.user} was removed with seq {gone}")
            return
    if connection.code in (4401, 4403, 4404) and was_member(case, connection):
        case.add("wrong answer", f"{who}: closed with {connection.code} at {connection.closed:.3f}, and he was a member all its life")


def was_member(case, connection):
    """whether nobody can have removed him in the life of this socket"""
    changes = [c for c in case.history.changes if c.room == case.room.id and c.user == connection.user]
    if not case.away.get(connection.user):
        return True
    before = [c for c in changes if c.at <= connection.opened]
    returned = before and before[-1].what == "added" and before[-1].outcome == "acked"
    return returned and not any(c.what == "removed" and c.begun <= connection.closed for c in changes if c.at > connection.opened)


def known_times(case, state):
    """seq: when somebody knew that it is stored"""
    known = {e.seq: state.at for e in case.room.events}

    def tell(seq, at):
        if seq in known:
            known[seq] = min(known[seq], at)
    for send in case.sends:
        if send.outcome == "acked":
            tell(send.seq, send.answered)
    for connection in case.connections:
        for frame in connection.frames:
            tell(frame.seq, frame.at)
    for read in case.reads:
        for _, seq, _ in read.messages:
            tell(seq, read.at)
    return known


def due(at, repair, disturbed):
    """Until when something known at `at` must have been shown: nothing is repaired in disturbed times."""
    for begin, end in disturbed:
        if begin - repair <= at <= end:
            at = max(at, end)
    return at + repair


def check_tail(case, connection, last, known, repair):
    """what a socket had to be shown in its life, and was not"""
    if last < 0:
        return
    for seq in between(case, last, NEVER, not connection.frames):
        if case.is_away(connection.user, seq):
            continue
        at = known[seq]
        if at == NEVER or due(max(at, connection.opened), repair, case.history.disturbed) >= connection.closed:
            continue
        case.add("not shown in time", f"{connection.client}, socket of {connection.opened:.3f}, open until {connection.closed:.3f}: seq {seq}"
                 f" was stored by {at:.3f}, the last one shown is {last}")
        break


def check_removals(case, repair):
    for change in case.history.changes:
        if change.room != case.room.id or change.what != "removed" or change.outcome != "acked":
            continue
        if not case.away.get(change.user):
            case.add("acknowledged, but missing", f"the removal of {change.user} at {change.at:.3f}")
        back = min((c.at for c in case.history.changes if c.room == change.room and c.user == change.user
                    and c.what == "added" and c.at >= change.at), default=NEVER)
        end = due(change.at, repair, case.history.disturbed)
        for connection in case.connections:
            if connection.user == change.user and connection.opened < change.at and connection.closed > end and back > end:
                case.add("not closed after removal", f"{connection.client}, socket of {connection.opened:.3f}, still open at"
                         f" {min(connection.closed, end):.3f}; removed at {change.at:.3f}")


def check(history, state, repair=8.0):
    """All violations.  repair: seconds within which a connected client is shown what is stored."""
    found = []
    for room in state.rooms.values():
        case = Case(history, room)
        check_log(case)
        check_sends(case)
        check_reads(case)
        known = known_times(case, state)
        for connection in case.connections:
            check_tail(case, connection, check_connection(case, connection), known, repair)
        check_removals(case, repair)
        found += case.found
    return found


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


# ---- saved runs ----
def dump(thing):
    return json.dumps(dataclasses.asdict(thing))


def load_history(text):
    raw = json.loads(text)
    for connection in raw["connections"]:
        connection["frames"] = [Frame(**f) for f in connection["frames"]]
    return History([Send(**s) for s in raw["sends"]], [Connection(**c) for c in raw["connections"]], [Read(**r) for r in raw["reads"]],
                   [Change(**c) for c in raw["changes"]], [Denial(**d) for d in raw["denials"]], raw["epochs"], raw["disturbed"])


def load_state(text):
    raw = json.loads(text)
    for room in raw["rooms"].values():
        room["events"] = [Event(**e) for e in room["events"]]
        room["messages"] = [Message(**m) for m in room["messages"]]
    return State({uid: Room(**room) for uid, room in raw["rooms"].items()}, raw["at"])


def main(history_file, state_file):
    with open(history_file) as history, open(state_file) as state:
        history, state = load_history(history.read()), load_state(state.read())
    found = check(history, state)
    for violation in found:
        print(violation)
    print(", ".join(f"{n} {what}" for what, n in summary(history, state).items()))
    print("PASS" if not found else f"{len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
