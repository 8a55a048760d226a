"""The checker finds what is planted, and nothing in a sound run."""
import copy

import pytest

import checker
from checker import Change, Connection, Denial, Event, Frame, History, Message, Read, Revision, Room, Send, State

EPOCH = "e1"


def sound():
    """A room of three: ada's sends are acknowledged; bob watches all the time; eve is removed (seq 4), returns (seq 6).

    seq  1 2 3 m1 m2 m3, 4 eve removed, 5 m5, 6 eve added, 7 m7, 8 m2 deleted, 9 m9"""
    said = {1: "m1", 2: "m2", 3: "m3", 5: "m5", 7: "m7", 9: "m9"}
    messages = [Message(f"id{seq}", seq, "ada", "" if seq == 2 else text, seq == 2) for seq, text in said.items()]
    others = [Event(4, "removed", user="eve"), Event(6, "added", user="eve"), Event(8, "deleted", "id2")]
    events = sorted([Event(seq, "message", f"id{seq}") for seq in said] + others, key=lambda e: e.seq)
    room = Room("room", EPOCH, 9, events, messages, count=5, rows=6)
    sends = [Send("s1", "ada", "room", text, seq, "acked", 201, f"id{seq}", seq, seq + 0.1, "line1") for seq, text in said.items()]
    sends += [Send("s1", "ada", "room", "lost", 8, "unknown"), Send("s1", "ada", "room", "no", 8.5, "refused", 400)]

    def shown(*seqs, to=0.2):
        return [Frame(seq + to, "message_deleted", 8, EPOCH, "id2") if seq == 8 else
                Frame(seq + to, "chat_message", seq, EPOCH, f"id{seq}", said[seq], "ada") for seq in seqs]
    connections = [
        Connection("bob1", "bob", "room", 0.5, 0, 40, 0, shown(1, 2, 3, 5, 7, 8, 9)),
        Connection("bob2", "bob", "room", 3.5, 3, 40, 0, shown(5, 7, 8, 9)),
        Connection("eve1", "eve", "room", 0.5, 0, 4.2, 4403, shown(1, 2, 3)),
        Connection("eve1", "eve", "room", 6.5, 5, 40, 0, shown(7, 8, 9)),
    ]
    reads = [Read("bob2", "room", 3.6, [["id1", 1, "m1"], ["id2", 2, "m2"], ["id3", 3, "m3"]])]
    changes = [Change("room", "eve", "removed", 4.1, "acked", 4.0), Change("room", "eve", "added", 6.1, "acked", 6.0)]
    return History(sends, connections, reads, changes), State({"room": room}, 9.5)


def plant(edit):
    history, state = sound()
    edit(history, state.rooms["room"])
    return history, state


def remove_event(room, seq):
    room.events = [e for e in room.events if e.seq != seq]


def remove_message(room, uid):
    room.messages = [m for m in room.messages if m.id != uid]


def lose(h, r):
    remove_message(r, "id9"), remove_event(r, 9)
    r.last_seq, r.count, r.rows = 8, 4, 5
    for c in h.connections:
        c.frames = [f for f in c.frames if f.seq != 9]


def vanish(h, r):
    """shown and read, acknowledged to nobody, and gone"""
    lose(h, r)
    h.sends = [s for s in h.sends if s.id != "id9"]
    h.connections[0].frames.append(Frame(9.2, "chat_message", 9, EPOCH, "id9", "m9"))


def read_only_once(h, r):
    lose(h, r)
    h.sends = [s for s in h.sends if s.id != "id9"]
    h.reads.append(Read("bob1", "room", 9.3, [["id9", 9, "m9"]]))


def twice(h, r):
    r.messages.append(Message("id10", 10, "ada", "m9"))
    r.events.append(Event(10, "message", "id10"))
    r.last_seq, r.count, r.rows = 10, 6, 7
    for c in h.connections:
        if c.code != 4403:
            c.frames.append(Frame(10.2, "chat_message", 10, EPOCH, "id10", "m9"))


def hole(h, r):
    for e in r.events:
        e.seq += e.seq == 9
    r.messages[-1].seq = r.last_seq = 10
    for s in h.sends:
        s.seq = 10 if s.seq == 9 else s.seq
    for c in h.connections:
        for f in c.frames:
            f.seq += f.seq == 9


def swap_frames(h, r):
    frames = h.connections[0].frames
    frames[1], frames[2] = frames[2], frames[1]


def swap_both(h, r):
    """two clients, each with rising seq, that disagree about the order"""
    frames = h.connections[1].frames
    frames[0].id, frames[1].id = frames[1].id, frames[0].id
    frames[0].content, frames[1].content = frames[1].content, frames[0].content


def after_removal(h, r):
    h.connections[2].frames.append(Frame(5.2, "chat_message", 5, EPOCH, "id5", "m5"))


def never_back(h, r):
    remove_event(r, 6)
    r.events.append(Event(6, "updated"))
    h.changes.pop()


def sender_away(h, r):
    r.messages[3].sender = "eve"


def changed(h, r):
    """10 m3 edited, 11 and 12 a reaction to m5 that comes and goes: all who are there are shown them"""
    for seq, kind, uid, frame, text in ((10, "edited", "id3", "message_edited", "m3~1"), (11, "reacted", "id5", "reaction_added", ""),
                                        (12, "unreacted", "id5", "reaction_removed", "")):
        r.events.append(Event(seq, kind, uid))
        for connection in h.connections:
            if connection.code != 4403:
                connection.frames.append(Frame(seq + 0.2, frame, seq, EPOCH, uid, text))
    next(m for m in r.messages if m.id == "id3").content = "m3~1"
    h.revisions.append(Revision("s1", "ada", "room", "id3", "m3~1", 9.9, 10.1, "acked", 200))
    r.last_seq = 12


def edited_to(content, outcome="acked"):
    """m3 as changed() edits it, but stored with another text; or with that outcome"""
    def edit(h, r):
        changed(h, r)
        next(m for m in r.messages if m.id == "id3").content = content
        h.revisions[0].outcome = outcome
        for c in h.connections:
            for f in c.frames:
                f.content = content if f.seq == 10 else f.content
    return edit


def frame_of(h, connection, seq):
    return next(f for f in h.connections[connection].frames if f.seq == seq)


PLANTED = [
    ("acknowledged, but missing", "an acknowledged send has no row", lose),
    ("acknowledged, but missing", "an acknowledged removal has no event",
     lambda h, r: h.changes.append(Change("room", "bob", "removed", 9.2, "acked"))),
    ("stored twice", "one content, two messages", twice),
    ("seq is not dense", "a hole", hole),
    ("seq is not dense", "an event twice", lambda h, r: r.events.append(Event(9, "updated"))),
    ("seq is not dense", "does not begin with 1", lambda h, r: (remove_event(r, 1), remove_message(r, "id1"))),
    ("seq is not dense", "last_seq is ahead", lambda h, r: setattr(r, "last_seq", 10)),
    ("log and messages disagree", "the counter", lambda h, r: setattr(r, "count", 6)),
    ("log and messages disagree", "a message without an event", lambda h, r: setattr(r, "rows", 7)),
    ("log and messages disagree", "another seq in the row", lambda h, r: setattr(r.messages[0], "seq", 2)),
    ("read, but not stored", "seen over REST only", read_only_once),
    ("shown before it was durable", "seen by socket only", vanish),
    ("other content than was sent", "in the row", lambda h, r: setattr(r.messages[0], "content", "m1 ")),
    ("other content than was sent", "in a frame", lambda h, r: setattr(frame_of(h, 0, 3), "content", "M3")),
    ("other content than was sent", "in a frame of one deleted since", lambda h, r: setattr(frame_of(h, 0, 2), "content", "M2")),
    ("other content than was sent", "in an answer of REST", lambda h, r: h.reads[0].messages.append(["id5", 5, "m3"])),
    ("order differs", "one socket against seq", swap_frames),
    ("order differs", "two clients", swap_both),
    ("order differs", "the acknowledged seq", lambda h, r: setattr(h.sends[0], "seq", 2)),
    ("order differs", "an answer of REST", lambda h, r: h.reads[0].messages.append(["id5", 7, "m5"])),
    ("order differs", "sent on one socket, stored the other way round", lambda h, r: setattr(h.sends[0], "at", 3.5)),
    ("order differs", "a deletion at another seq", lambda h, r: setattr(frame_of(h, 1, 8), "id", "id3")),
    ("shown twice", "on one socket", lambda h, r: h.connections[0].frames.append(copy.copy(frame_of(h, 0, 9)))),
    ("skipped on an open socket", "in the middle", lambda h, r: h.connections[0].frames.pop(2)),
    ("skipped on an open socket", "a deletion", lambda h, r: h.connections[0].frames.pop(5)),
    ("skipped on an open socket", "an edit", lambda h, r: (changed(h, r), h.connections[0].frames.remove(frame_of(h, 0, 10)))),
    ("skipped on an open socket", "a reaction", lambda h, r: (changed(h, r), h.connections[1].frames.remove(frame_of(h, 1, 11)))),
    ("not shown in time", "the end of a reaction", lambda h, r: (changed(h, r), h.connections[3].frames.pop())),
    ("an edit is lost", "it was acknowledged", edited_to("m3")),
    ("other content than was sent", "an edit that nobody made", edited_to("m3~7")),
    ("shown with a former text", "an edit, to one socket", lambda h, r: (changed(h, r), setattr(frame_of(h, 0, 10), "content", "m3"))),
    ("seq is not dense", "an edit that is shown and not in the log", lambda h, r: (changed(h, r), remove_event(r, 10))),
    ("skipped on an open socket", "between the answer of REST and the first frame", lambda h, r: h.connections[1].frames.pop(0)),
    ("delivered after removal", "on the socket of before", after_removal),
    ("delivered after removal", "to somebody who never came back", never_back),
    ("not closed after removal", "a socket stays open", lambda h, r: (setattr(h.connections[2], "closed", 30),
                                                                   h.changes.pop())),
    ("stored for somebody removed", "a send behind the removal", sender_away),
    ("not shown in time", "the last one", lambda h, r: h.connections[0].frames.pop()),
    ("not shown in time", "all, to a socket that was told nothing", lambda h, r: h.connections[1].frames.clear()),
    ("not shown in time", "the last one, which nobody saw and nobody was told of", lambda h, r: (
        [c.frames.pop() for c in h.connections if c.closed == 40], setattr(h.sends[5], "outcome", "unknown"))),
    ("unknown epoch", "a frame", lambda h, r: setattr(frame_of(h, 0, 9), "epoch", "e2")),
    ("unknown epoch", "the room's changed", lambda h, r: setattr(r, "epoch", "e2")),
    ("refused, but stored", "a refusal that was none", lambda h, r: (setattr(h.sends[0], "outcome", "refused"),
                                                                 setattr(h.sends[0], "status", 429))),
    ("wrong answer", "a member is told 404 when he sends", lambda h, r: h.sends.append(
        Send("s1", "ada", "room", "x", 9, "refused", 404))),
    ("wrong answer", "a send is answered 500", lambda h, r: h.sends.append(Send("s1", "ada", "room", "x", 9, "unknown", 500))),
    ("wrong answer", "a member's handshake is refused", lambda h, r: h.denials.append(Denial("bob1", "bob", "room", 5, 401))),
    ("wrong answer", "who was added again is closed for the removal before", lambda h, r: (
        setattr(h.connections[3], "code", 4403), setattr(h.connections[3], "closed", 12))),
    ("wrong answer", "a member's socket is closed with 4403", lambda h, r: setattr(h.connections[0], "code", 4403)),
]


@pytest.mark.parametrize("kind, label, edit", PLANTED, ids=[f"{kind}: {label}" for kind, label, _ in PLANTED])
def test_a_planted_violation_is_found(kind, label, edit):
    found = checker.check(*plant(edit))
    assert kind in {v.kind for v in found}, [str(v) for v in found]


SOUND = [
    ("as it is", lambda h, r: None),
    ("edits and reactions", changed),
    ("an edit of unknown outcome that was stored", edited_to("m3~1", "unknown")),
    ("a message that was edited, shown as it is now", lambda h, r: (
        changed(h, r), setattr(frame_of(h, 0, 3), "content", "m3~1"), setattr(frame_of(h, 0, 3), "at", 10.5))),
    ("a message that was edited, read before and after", lambda h, r: (
        changed(h, r), h.reads.append(Read("bob2", "room", 10.5, [["id3", 3, "m3~1"]])))),
    ("an edit, repaired after the message was deleted", lambda h, r: (
        r.events.append(Event(10, "edited", "id2")), setattr(r, "last_seq", 10),
        [c.frames.append(Frame(10.2, "message_deleted", 10, EPOCH, "id2")) for c in h.connections if c.code != 4403])),
    ("an unknown outcome that was stored", lambda h, r: setattr(h.sends[0], "outcome", "unknown")),
    ("a socket that ended before the last one was due", lambda h, r: (h.connections[0].frames.pop(), setattr(h.connections[0], "closed", 12))),
    ("a socket in a time without repair", lambda h, r: (h.connections[0].frames.pop(), h.disturbed.append([9, 35]))),
    ("a frame that REST had already shown", lambda h, r: setattr(h.connections[0], "floor", 3)),
    ("a deletion between the answer of REST and the first frame", lambda h, r: (
        setattr(h.connections[1], "floor", 7), h.connections[1].frames.__delitem__(slice(0, 3)))),
    ("a socket that nobody read REST for", lambda h, r: (setattr(h.connections[1], "floor", -1), h.connections[1].frames.pop(0))),
    ("a change of epoch that was announced", lambda h, r: (setattr(frame_of(h, 0, 1), "epoch", "e0"), h.epochs.update(room=["e0"]))),
    ("a removed sender is refused", lambda h, r: h.sends.append(Send("e", "eve", "room", "x", 5, "refused", 404))),
    ("replayed frames from the time away", lambda h, r: h.connections[3].frames.insert(
        0, Frame(6.6, "chat_message", 5, EPOCH, "id5", "m5", live=False))),
    ("a creation replayed as the deletion", lambda h, r: h.connections[0].frames.__setitem__(
        1, Frame(8.2, "message_deleted", 2, EPOCH, "id2"))),
]


@pytest.mark.parametrize("label, edit", SOUND, ids=[label for label, _ in SOUND])
def test_nothing_is_found_in_a_sound_run(label, edit):
    assert checker.check(*plant(edit)) == []


@pytest.mark.parametrize("stored", ["m3", "m3~1"])
def test_what_is_edited_while_the_state_is_read_may_be_in_it(stored):
    history, state = plant(edited_to(stored))
    copy_of = history.until(50)
    copy_of.revisions.clear()
    copy_of.take_later(history)
    assert checker.check(copy_of, state) == []
    assert bool(checker.check(history, state)) == (stored == "m3")


def test_who_is_removed_after_a_copy_was_begun_is_a_member_in_it():
    history, _ = sound()
    at = 7.5
    history.connections[3].closed, history.connections[3].code = at + 0.1, 4403
    copied = history.until(at)
    assert (copied.connections[3].closed, copied.connections[3].code) == (at, 0)
    assert copied.connections[2].code == 4403 and history.connections[3].code == 4403


def test_what_was_edited_is_read_as_it_is():
    rows = [[EPOCH, "2", "1", "1", str(seq), kind, "eve", "id1", "1", "ada", "0", "m1~2"] for seq, kind in ((1, "1"), (2, "9"))]
    room = checker.read_state(lambda sql: rows, ["room"]).rooms["room"]
    assert room.messages == [Message("id1", 1, "ada", "m1~2")]
    assert [(e.seq, e.kind, e.message) for e in room.events] == [(1, "message", "id1"), (2, "edited", "id1")]


def test_a_run_can_be_saved_and_judged_later(tmp_path):
    for edit, kinds in ((lambda h, r: None, set()), (lose, {"acknowledged, but missing"})):
        checker.save(tmp_path / "record", *plant(edit))
        assert {v.kind for v in checker.judge(tmp_path / "record")} == kinds


def test_pages_of_rest_are_a_state_too():
    pages = [{"id": f"id{n}", "seq": n, "epoch": EPOCH, "content": f"m{n}", "sender": {"id": "ada"}} for n in (1, 2, 5)]
    state = checker.state_of_pages("room", pages)
    sent = [Send("s", "ada", "room", f"m{n}", n, "acked", 201, f"id{n}", n) for n in (1, 2, 5)]
    assert checker.check(History(sent), state) == []
    sent.append(Send("s", "ada", "room", "m9", 9, "acked", 201, "id9", 9))
    assert [v.kind for v in checker.check(History(sent), state)] == ["acknowledged, but missing"]


def test_any_frame_that_goes_missing_in_the_middle_is_found():
    _, state = sound()
    for number, connection in enumerate(sound()[0].connections):
        for missing in range(1, len(connection.frames) - 1):
            history, _ = sound()
            del history.connections[number].frames[missing]
            assert [v.kind for v in checker.check(history, state)] == ["skipped on an open socket"]
