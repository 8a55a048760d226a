"""parley room ..., parley export: inside a running server and without one."""
import json
import os
import re
import subprocess
from urllib.parse import quote

import pytest

from command import command, words
from parley import PATIENCE, ROOT, wait_until


def lines(done):
    """--json"""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.split("\n")[:-1]]


def good(done, text):
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert text in done.stdout


@pytest.fixture(params=["running", "stopped"])
def place(request, own_server):
    """A server with Ada's room, that Bob is in and Cem is not; it runs, or not."""
    server = own_server()
    server.ada, server.bob, server.cem = (server.person() for _ in range(3))
    server.room = server.ada.room(server.bob, name="Lounge \u202e\x1b[31m")
    for text in ("one", "two\nlines", "th\u0085ree"):
        server.ada.say(server.room, text)
    if request.param == "stopped":
        server.end()
    return server


def runs(server):
    if server.process.poll() is not None:
        server.start()
    return server


def test_rooms_are_shown(place):
    room = lines(command(place, "room", "list", "--json"))[0]
    assert room == lines(command(place, "room", "show", place.room["id"], "--json"))[0]
    assert (room["id"], room["name"], room["creator"], room["members"], room["messages"]) == (
        place.room["id"], place.room["name"], place.ada.email, 2, 3)
    table = command(place, "room", "list").stdout
    assert "Lounge ??[31m" in table and "\x1b" not in table
    assert re.split("  +", table.split("\n")[0]) == ["ID", "NAME", "MADE BY", "MEMBERS", "MESSAGES", "MADE (UTC)", "CHANGED (UTC)"]
    members = lines(command(place, "room", "members", place.room["name"], "--json"))
    assert [(m["email"], m["role"]) for m in members] == [(place.ada.email, "owner"), (place.bob.email, "member")]
    assert command(place, "room", "members", place.room["id"], "--offset", "2").stderr == "there are no more\n"


@pytest.mark.parametrize("search, n", [("lounge", 1), ("OUNG", 1), ("%", 0), ("_", 0), ("!", 0), ("other", 0)])
def test_rooms_are_searched(server, search, n):
    if not lines(command(server, "room", "list", "--json")):
        server.person().room(name="Lounge")
    assert len(lines(command(server, "room", "list", "--json", "--search", search))) == n


def test_rooms_of_a_user(server):
    ada, bob = server.person(), server.person()
    room = ada.room(bob, name="Two")
    assert [r["id"] for r in lines(command(server, "room", "list", "--user", bob.email.upper(), "--json"))] == [room["id"]]
    assert command(server, "room", "list", "--user", "nobody@example.org").stderr == "no room matches\n"
    done = command(server, "room", "list", "--user", "nonsense")
    assert (done.returncode, done.stderr) == (2, "error: --user: not an e-mail address\n")


@pytest.mark.parametrize("args", [("show",), ("members",), ("delete", "--yes"), ("add", "ada"), ("remove", "ada")])
def test_unknown_rooms_are_named(server, args):
    server.person()
    done = command(server, "room", args[0], "No\x1bwhere", *args[1:])
    if args[-1] != "ada":
        assert (done.returncode, done.stderr) == (1, 'error: there is no room "No?where": see parley room list\n')
    assert done.returncode == 1


def test_two_rooms_of_one_name(server):
    ada = server.person()
    rooms = [ada.room(name="Same"), ada.room(name="Same")]
    for args in (("delete", "Same", "--yes"), ("show", "Same"), ("add", "Same", ada.email)):
        done = command(server, "room", *args)
        assert done.returncode == 1 and 'more than one room is called "Same": say which by its id' in done.stderr
        assert all(room["id"] in done.stderr for room in rooms)
    good(command(server, "room", "delete", rooms[0]["id"], "--yes"), '"Same" is deleted')
    assert lines(command(server, "room", "show", "Same", "--json"))[0]["id"] == rooms[1]["id"]


def test_members_come_and_go(place):
    good(command(place, "room", "add", place.room["id"], place.cem.username), f"{place.cem.email} is in ")
    again = command(place, "room", "add", place.room["id"], place.cem.email)
    assert (again.returncode, again.stdout) == (0, "") and "already" in again.stderr
    good(command(place, "room", "remove", place.room["id"], place.bob.id), f"{place.bob.email} is out of ")
    again = command(place, "room", "remove", place.room["id"], place.bob.id)
    assert again.returncode == 1 and "is not in" in again.stderr
    owner = command(place, "room", "remove", place.room["id"], place.ada.email)
    assert owner.returncode == 1 and "delete the room instead" in owner.stderr
    assert "there is no user" in command(place, "room", "add", place.room["id"], "nobody").stderr
    rows = lines(command(place, "audit", "list", "--json", "--limit", "2"))
    assert [(r["action"], r["actor"], r["subject"], r["detail"]) for r in rows] == [
        ("room_remove", "command line", place.bob.username, place.room["id"]),
        ("room_add", "command line", place.cem.username, place.room["id"])]
    runs(place)
    seen = place.cem.get(f"/api/chat/rooms/{place.room['id']}/")
    assert (seen.status_code, seen.json()["unread"]) == (200, 0)  # what was said before he came
    assert place.bob.get(f"/api/chat/rooms/{place.room['id']}/").status_code == 404
    place.end()


def test_sockets_hear_of_it(own_server):
    server = own_server()
    ada, bob, cem = (server.person() for _ in range(3))
    room = ada.room(bob)
    with ada.socket(room) as hers, bob.socket(room) as his:
        hers.sync(), his.sync()
        good(command(server, "room", "remove", room["id"], bob.email), "is out of")
        assert his.closed().code == 4403
        good(command(server, "room", "add", room["id"], cem.email), "is in")
        hers.say("still here")
        assert hers.message()["content"] == "still here"
        good(command(server, "room", "delete", room["id"], "--yes"), "is deleted")
        assert hers.closed().code == 4404
    assert ada.get(f"/api/chat/rooms/{room['id']}/").status_code == 404


def test_deletion_leaves_nothing(place):
    done = command(place, "room", "delete", place.room["id"])
    assert done.returncode == 2 and "--yes is missing, and there is no terminal to ask at" in done.stderr
    good(command(place, "room", "delete", place.room["id"], "--yes"), "is deleted")
    assert command(place, "room", "list").stderr == "no room matches\n"
    row = lines(command(place, "audit", "list", "--json", "--limit", "1"))[0]
    assert (row["action"], row["actor"], row["detail"]) == ("room_delete", "command line", place.room["id"])
    runs(place)
    wait_until("the messages to be swept", lambda: place.query("SELECT COUNT(*) FROM messages") in ([["0"]], [("0",)]))
    place.end()


def test_a_creators_deletion_is_in_the_audit_log(server):
    ada = server.person()
    room = ada.room()
    assert ada.delete(f"/api/chat/rooms/{room['id']}/").status_code == 204
    row = lines(command(server, "audit", "list", "--json", "--limit", "1"))[0]
    assert (row["action"], row["actor"], row["ip"], row["detail"]) == ("room_delete", ada.username, "127.0.0.1", room["id"])


def test_deletions_of_others_messages_are_in_the_audit_log(server):
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    his, hers = bob.say(room, "his"), ada.say(room, "hers")
    another = bob.say(room, "another")
    assert bob.delete(f"/api/chat/messages/{hers['id']}/").status_code == 403
    for person, message in ((ada, his), (ada, hers), (bob, another)):
        assert person.delete(f"/api/chat/messages/{message['id']}/").status_code == 204
    assert ada.delete(f"/api/chat/messages/{his['id']}/").status_code == 404
    rows = lines(command(server, "audit", "list", "--json", "--limit", "50"))
    found = [r for r in rows if r["action"] == "message_delete" and r["detail"] in (his["id"], hers["id"], another["id"])]
    assert [(r["actor"], r["subject"], r["ip"], r["detail"]) for r in found] == [(ada.username, bob.username, "127.0.0.1", his["id"])]


# ---- export ----
def test_messages_are_exported_in_order(place):
    rows = lines(command(place, "export"))
    assert [(r["content"], r["room"], r["room_name"]) for r in rows] == [
        (text, place.room["id"], place.room["name"]) for text in ("one", "two\nlines", "th\u0085ree")]
    assert [r["seq"] for r in rows] == [1, 2, 3]
    assert rows[0]["sender"] == {"id": place.ada.id, "username": place.ada.username, "first_name": place.ada.user["first_name"],
                                 "last_name": place.ada.user["last_name"]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", rows[0]["created_at"])
    done = command(place, "export", "--room", place.room["id"])
    assert lines(done) == rows and done.stderr == "3 messages\n"
    assert command(place, "export", "--room", "Nowhere").returncode == 1


def test_deleted_messages_are_left_out_and_pages_meet(own_server):
    server = own_server()
    ada = server.person()
    first, second = ada.room(name="First"), ada.room(name="Second")
    said = []
    for i in range(130):
        said.append(ada.say(second if i % 3 else first, f"message {i}"))
    assert ada.delete(f"/api/chat/messages/{said[4]['id']}/").status_code == 204
    rows = lines(command(server, "export"))
    expected = [f"message {i}" for i in range(130) if i % 3 == 0] + [f"message {i}" for i in range(130) if i % 3 and i != 4]
    assert [r["content"] for r in rows] == expected
    assert [r["content"] for r in lines(command(server, "export", "--room", "First"))] == expected[:44]


def test_what_became_of_messages_is_exported(own_server):
    server = own_server()
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    first = ada.say(room, "one")
    path = f"/api/chat/rooms/{room['id']}/send/"
    second = bob.post(path, {"content": f"two, @{ada.username}", "reply_to": first["id"], "client_msg_id": "second"}).json()
    address = f"/api/chat/messages/{first['id']}/"
    edited = [ada.call("PATCH", address, json={"content": content}).json() for content in ("one b", "one c")]
    for person, emoji in ((ada, "\u2764\ufe0f"), (bob, "\U0001f44d"), (ada, "\U0001f44d")):
        assert person.put(f"{address}reactions/{quote(emoji)}/").status_code == 204
    third = ada.say(room, "three")
    rows = lines(command(server, "export"))
    assert rows[0].pop("reactions") == [{"emoji": "\u2764\ufe0f", "count": 1}, {"emoji": "\U0001f44d", "count": 2}]
    assert rows[0].pop("history") == [{"content": "one b", "created_at": edited[0]["edited_at"]},
                                      {"content": "one", "created_at": first["created_at"]}]
    assert rows == [{**message, "room_name": room["name"]} for message in (edited[1], second, third)]
    assert second["reply_to"] == first["id"] and second["mentions"] == [{"id": ada.id, "username": ada.username}]
    server.end()
    by_itself = lines(command(server, "export", "--room", room["id"]))
    assert by_itself[1:] == rows[1:] and len(by_itself[0]["history"]) == len(by_itself[0]["reactions"]) == 2


def test_of_a_long_past_the_end_is_exported(own_server):
    server = own_server()
    ada = server.person()
    room = ada.room()
    said = [ada.say(room, f"message {i}") for i in range(60)]
    numbers = ", ".join(f"({n})" for n in range(1, 251))
    for seq in (50, 51, 52):  # one at the end of a page, two at the beginning of the next
        server.query("INSERT INTO message_edits (room_id, message_seq, seq, content, written_at)"
                     f" SELECT r.id, {seq}, 60 + n.column1, 'of {seq}: ' || n.column1, n.column1 FROM rooms r"
                     f" CROSS JOIN (VALUES {numbers}) n WHERE n.column1 <= 48 + {seq} RETURNING seq")
        server.query(f"UPDATE messages SET edited_at = 1000 WHERE seq = {seq} RETURNING id")
    rows = lines(command(server, "export"))
    assert [r["id"] for r in rows] == [m["id"] for m in said]
    for seq, n, left_out in ((50, 98, None), (51, 99, None), (52, 100, None)):
        assert [h["content"] for h in rows[seq - 1]["history"]] == [f"of {seq}: {i}" for i in range(n, 0, -1)]
        assert rows[seq - 1].get("history_left_out") == left_out
    assert [r["seq"] for r in rows if "history" in r] == [50, 51, 52]
    server.query("INSERT INTO message_edits (room_id, message_seq, seq, content, written_at)"
                 " SELECT id, 52, 1000, 'the last', 999 FROM rooms RETURNING seq")
    row = lines(command(server, "export"))[51]
    assert [h["content"] for h in row["history"]] == ["the last"] + [f"of 52: {i}" for i in range(100, 1, -1)]
    assert row["history_left_out"] == 1


def memory(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) * 1024


def test_a_slow_reader_is_waited_for(own_server):
    """16 MB of messages and nobody who reads: the server keeps a small part of them, and nothing is lost afterwards."""
    alone = re.sub(r"^  - search\b.*\n", "", (ROOT / "config/parley.yaml").read_text(), flags=re.M)  # what indexes them takes memory, too
    server = own_server(config=alone,
                        env={"ASAN_OPTIONS": "detect_leaks=1:exitcode=99:quarantine_size_mb=1:thread_local_quarantine_size_kb=64"})
    ada = server.person()
    room = ada.room()
    n = 3500
    server.query(f"UPDATE rooms SET last_seq = {n}, message_count = {n} RETURNING id")
    numbers = "generate_series(1, %d) AS s(i)" % n if server.database_url else \
        "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < %d) SELECT i FROM s)" % n
    fill = "'019a1b2c-0000-7000-8000-' || SUBSTR('00000000' || (1000 + i), -8, 8) || 'aaaa'"
    if server.database_url:
        fill = "CAST('019a1b2c-0000-7000-8000-' || LPAD(CAST(i AS TEXT), 8, '0') || 'aaaa' AS uuid)"
    long = "x" * 4900
    server.query("INSERT INTO messages (uid, room_id, seq, sender_id, sender_uid, sender_username, sender_first_name, sender_last_name,"
                 f" content, created_at) SELECT {fill}, r.id, i, u.id, u.uid, u.username, 'A', 'L', '{long}', 1 FROM rooms r"
                 f" CROSS JOIN users u CROSS JOIN {numbers} RETURNING id")
    server.query("INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at)"
                 " SELECT room_id, seq, 1, id, sender_id, 1 FROM messages RETURNING seq")
    worker, = server.workers()
    before = memory(worker)
    process = subprocess.Popen(words(server, ("export", "--room", room["id"])), env=server.env, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, cwd=str(server.folder))
    first = process.stdout.readline()
    assert ada.get("/api/auth/profile/").status_code == 200
    peak = memory(worker)
    rest = process.stdout.read()
    assert process.wait(PATIENCE) == 0
    seqs = [json.loads(line)["seq"] for line in (first + rest).split(b"\n")[:-1]]
    assert seqs == list(range(1, n + 1))
    assert len(rest) > 16_000_000 and max(peak, memory(worker)) - before < 14_000_000, (before, peak, memory(worker))


def test_who_reads_no_further_ends_it(place):
    """parley export | head -1"""
    process = subprocess.Popen(words(place, ("export",)), env=place.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=str(place.folder))
    os.set_blocking(process.stdout.fileno(), True)
    process.stdout.readline()
    process.stdout.close()
    process.wait(PATIENCE)
    said = process.stderr.read().decode()
    assert "Sanitizer" not in said, said
