"""Rooms that are kept for a time only: `retention` of chat, `parley retention plan`, and what clients are told."""
import json
import re

import pytest

from command import command
from parley import ROOT, Socket, wait_until

DAY = 86400 * 10**6
RULES = """  - chat:
      retention:
        - rooms: "Alerts keep*"
          keep: 3650d
        - rooms: "Alerts *"
          keep: 30d
      retention_every: %s
"""


def config(every="100ms", rules=RULES):
    text = (ROOT / "config" / "parley.yaml").read_text()
    changed = re.sub(r"^  - chat\n", rules % every, text, flags=re.M)
    assert changed != text
    return changed


def age(server, room, up_to, days):
    """as if the log of the room up to that seq were so old"""
    assert server.query(f"UPDATE room_events SET at = at - {days * DAY} WHERE seq <= {up_to}"
                        f" AND room_id = (SELECT id FROM rooms WHERE uid = '{room['id']}') RETURNING seq")


def left(server, room):
    return [int(row[0]) for row in server.query(
        f"SELECT e.seq FROM room_events e JOIN rooms r ON r.id = e.room_id WHERE r.uid = '{room['id']}' ORDER BY e.seq")]


def history(person, room):
    answer = person.get(f"/api/chat/rooms/{room['id']}/messages/").json()
    assert answer["count"] == len(answer["results"])
    return [m["content"] for m in answer["results"]][::-1]


def plan(server):
    done = command(server, "retention", "plan")
    assert done.returncode == 0, done.stderr
    return {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}, done.stderr


@pytest.fixture
def kept(own_server):
    """a server that removes nothing yet, with a person and rooms"""
    server = own_server(start=False, config=config("24h"))
    with server:
        ada, bob = server.person(), server.person()
        rooms = {name: ada.room(bob, name=name) for name in ("Alerts eu", "Alerts keep", "Lounge")}
        for name, room in rooms.items():
            for n in range(4):
                room[n] = ada.say(room, f"{name} {n}")
        server.ada, server.bob, server.rooms = ada, bob, rooms
        yield server


def restart(server):
    """with turns that come at once"""
    server.end()
    server.query("UPDATE derived_retention_turns SET next_at = 0 RETURNING id")
    server.config.write_text(server.config.read_text().replace("retention_every: 24h", "retention_every: 100ms"))
    server.start()


def test_the_plan_says_what_goes_and_it_goes(kept):
    server, ada, rooms = kept, kept.ada, kept.rooms
    room = rooms["Alerts eu"]
    for each in rooms.values():
        age(server, each, 2, 31)
    lines, said = plan(server)
    assert set(lines) == {"Alerts eu", "Alerts keep"} and "2 messages of 1 rooms would go" in said
    assert (lines["Alerts eu"]["messages"], lines["Alerts keep"]["messages"]) == (2, 0)
    assert lines["Alerts eu"]["rule"] == "Alerts *" and lines["Alerts eu"]["keep"] == "30d"
    assert lines["Alerts eu"]["oldest_kept"][:16] <= room[2]["created_at"][:16]
    assert [len(history(ada, each)) for each in rooms.values()] == [4, 4, 4]  # a plan removes nothing
    first = ada.get(f"/api/chat/rooms/{room['id']}/messages/").headers["ETag"]
    restart(server)
    wait_until("the old ones to go", lambda: left(server, room) == [3, 4])
    assert history(ada, room) == ["Alerts eu 2", "Alerts eu 3"]
    assert history(ada, rooms["Alerts keep"]) == [f"Alerts keep {n}" for n in range(4)]
    assert history(ada, rooms["Lounge"]) == [f"Lounge {n}" for n in range(4)]
    assert server.query(f"SELECT COUNT(*) FROM messages WHERE uid IN ('{room[0]['id']}', '{room[1]['id']}')") == [["0"]]
    assert server.query("SELECT detail FROM audit_log WHERE action = 'room_purge'") == [[room["id"]]]
    server.wait_line(r"retention: removed 2 events, with their messages, from 1 rooms")
    assert ada.get(f"/api/chat/rooms/{room['id']}/messages/", headers={"If-None-Match": first}).status_code == 200
    assert plan(server)[0]["Alerts eu"]["messages"] == 0
    # it goes on as ever
    assert ada.say(room, "next")["seq"] == 5 and history(ada, room)[-1] == "next"


def test_a_place_before_the_cut_is_told_that_it_is_purged(kept):
    server, ada, room = kept, kept.ada, kept.rooms["Alerts eu"]
    epoch = ada.get(f"/api/chat/rooms/{room['id']}/").json()["epoch"]
    age(server, room, 2, 31)
    restart(server)
    wait_until("the old ones to go", lambda: left(server, room) == [3, 4])
    base = f"/api/chat/rooms/{room['id']}/"
    for after, status in ((0, 410), (1, 410), (2, 200), (3, 200), (4, 200)):
        answer = ada.get(f"{base}events/?after_seq={after}")
        assert answer.status_code == status, after
        assert status == 200 or answer.json()["code"] == "purged"
    for after, frame in ((1, ("resync", "purged")), (2, ("chat_message", None)), (4, ("resumed", None))):
        with resumed(ada, room, after, epoch) as socket:
            told = socket.read()
            while told["type"] == "hello":
                told = socket.read()
            assert (told["type"], told.get("reason")) == frame
    down = ada.get(f"{base}messages/?before_seq=4&limit=10").json()
    assert [m["seq"] for m in down["results"]] == [3] and down["next"] is None
    assert [m["seq"] for m in ada.get(f"{base}messages/?cursor=&order=asc").json()["results"]] == [3, 4]


def resumed(person, room, after, epoch):
    return Socket.open(person.server, f"/ws/chat/{room['id']}/?after={after}&epoch={epoch}", token=person.token)


def test_what_an_event_still_speaks_of_stays_without_its_text(kept):
    """an edit and a reaction that are younger than their message"""
    server, ada, room = kept, kept.ada, kept.rooms["Alerts eu"]
    for n, text in ((0, "edited"), (1, "edited, too")):
        assert ada.call("PATCH", f"/api/chat/messages/{room[n]['id']}/", json={"content": text}).status_code == 200
    assert ada.put(f"/api/chat/messages/{room[1]['id']}/reactions/%F0%9F%91%8D/").status_code == 204
    assert ada.delete(f"/api/chat/messages/{room[2]['id']}/").status_code == 204
    age(server, room, 5, 31)  # 4 messages and the first edit; the second edit, the reaction and the deletion stay
    restart(server)
    wait_until("the old ones to go", lambda: left(server, room) == [6, 7, 8])
    answer = ada.get(f"/api/chat/rooms/{room['id']}/events/?after_seq=5").json()
    assert [(f["type"], f["message_id"]) for f in answer["results"]] == [("message_deleted", room[n]["id"]) for n in (1, 1, 2)]
    assert history(ada, room) == []
    assert server.query("SELECT COUNT(*) FROM message_edits") == [["0"]] and server.query("SELECT COUNT(*) FROM reactions") == [["0"]]
    texts = server.query(f"SELECT content FROM messages WHERE room_id = (SELECT id FROM rooms WHERE uid = '{room['id']}') ORDER BY id")
    assert texts == [[""], [""]]
    assert ada.get(f"/api/chat/messages/{room[1]['id']}/").status_code == 404
    # and go with them
    age(server, room, 8, 31)
    wait_until("all to go", lambda: left(server, room) == [])
    assert server.query(f"SELECT COUNT(*) FROM messages WHERE room_id = (SELECT id FROM rooms WHERE uid = '{room['id']}')") == [["0"]]
    assert ada.get(f"/api/chat/rooms/{room['id']}/events/?after_seq=7").status_code == 410
    assert ada.get(f"/api/chat/rooms/{room['id']}/events/?after_seq=8").json()["results"] == []


def test_more_than_one_piece_and_the_search_follows(kept):
    server, ada, room = kept, kept.ada, kept.rooms["Alerts eu"]
    uid = "gen_random_uuid()" if server.database_url else "'00000000-0000-7000-8000-' || printf('%012d', i)"
    numbers = "WITH RECURSIVE n(i) AS (SELECT 5 UNION ALL SELECT i + 1 FROM n WHERE i < 505)"
    server.query(f"{numbers} INSERT INTO messages (uid, room_id, seq, sender_id, sender_uid, sender_username, sender_first_name, sender_last_name,"
                 f" content, created_at) SELECT {uid}, room_id, i, sender_id, sender_uid, sender_username, sender_first_name, sender_last_name,"
                 f" 'copy ' || i, created_at FROM messages CROSS JOIN n WHERE messages.uid = '{room[0]['id']}' RETURNING id")
    server.query("INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at) SELECT room_id, seq, 1, id, sender_id, created_at"
                 " FROM messages WHERE content LIKE 'copy %' RETURNING seq")
    server.query(f"UPDATE rooms SET last_seq = 505, message_count = 505 WHERE uid = '{room['id']}' RETURNING id")
    age(server, room, 500, 31)
    found = lambda: [m["content"] for m in ada.get("/api/chat/search/?q=copy&limit=200").json()["results"]]
    wait_until("the index to catch up", lambda: "copy 505" in found())
    restart(server)
    wait_until("the old ones to go", lambda: left(server, room) == [501, 502, 503, 504, 505])
    assert server.query(f"SELECT message_count FROM rooms WHERE uid = '{room['id']}'") == [["5"]]
    assert found() == [f"copy {n}" for n in range(505, 500, -1)]
    server.wait_line(r"retention: removed 500 events, with their messages, from 1 rooms")
    wait_until("the index to lose them", lambda: server.query("SELECT COUNT(*) FROM derived_search_todo") == [["0"]])
    assert server.query("SELECT COUNT(*) FROM audit_log WHERE action = 'room_purge'") == [["1"]]


def test_without_rules_all_is_kept(own_server):
    server = own_server(start=False)
    with server:
        done = command(server, "retention", "plan")
        assert done.returncode == 1 and "all is kept" in done.stderr


WRONG = [
    ("retention: 30d", r"retention: must be a list"),
    ("retention: [{rooms: a}]", r"retention\[0\]: a rule has two keys"),
    ("retention: [{rooms: a, keep: 30d, x: 1}]", r"retention\[0\]: a rule has two keys"),
    ("retention: [{rooms: '', keep: 30d}]", r"retention\[0\]: rooms is empty"),
    ("retention: [{rooms: a, keep: 1d}, {rooms: a, keep: 30}]", r"retention\[1\]: keep must be a time"),
    ("retention: [{rooms: a, keep: 10m}]", r"retention\[0\]: keep must be a time from 1h"),
]


@pytest.mark.parametrize("rule, why", WRONG, ids=[rule for rule, _ in WRONG])
def test_a_wrong_rule_is_named(own_server, rule, why):
    server = own_server(start=False, config=config(rules=f"  - chat:\n      {rule}\n      retention_every: %s\n"))
    done = command(server, "check")
    assert done.returncode == 78 and re.search(why, done.stdout + done.stderr), done
