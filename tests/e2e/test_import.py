"""parley import django: the database of the original app, as Django lays it out, moves in."""
import re

import pytest
import requests

import postgres
from command import Typed, command
from original import PASSWORD, Original
from parley import PATIENCE, wait_until


@pytest.fixture(scope="module")
def original():
    """one that all tests only read"""
    return Original()


@pytest.fixture
def empty(own_server):
    """a server's place with its tables made, and nobody running"""
    server = own_server()
    server.end()
    return server


def run(server, original, *more, status=0):
    done = command(server, "import", "django", "--from", original.url, *more)
    assert postgres.PASSWORD not in done.stdout + done.stderr and postgres.PASSWORD_IN_URL not in done.stdout + done.stderr
    assert done.returncode == status, done.stdout + done.stderr
    return done


def log_in(server, email, password=PASSWORD):
    return requests.post(server.url + "/api/auth/login/", json={"email": email, "password": password}, timeout=PATIENCE)


def walk(server, token, path):
    """all results of a list"""
    found, url = [], f"{server.url}{path}?limit=200"
    while url:
        answer = requests.get(url, headers={"Authorization": f"Token {token}"}, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        found, url = found + answer.json()["results"], answer.json()["next"]
    return found


def stamp(iso):
    return re.sub(r"\+00:00$", "Z", iso)


def tables(server):
    return [server.query(f"SELECT COUNT(*) FROM {table}") for table in ("users", "rooms", "room_members", "messages", "room_events")]


@pytest.mark.parametrize("ids", ["uuid", "numbers"])
def test_everything_moves_in(empty, original, ids):
    original = original if ids == "uuid" else Original(ids)
    plan = run(empty, original, "--plan")
    assert re.search(r"^users +accounts_user +8 +0$", plan.stdout, re.M) and re.search(r"^messages +chat_message +1008 +0$", plan.stdout, re.M)
    assert "1 are not verified, 1 are disabled, 1 are staff; 2 have no password that can be checked" in plan.stdout
    assert "accounts_user.verification_token" in plan.stdout
    assert tables(empty) == [[["0"]]] * 5
    done = run(empty, original)
    for line in ("users         8 new, 0 were here already", "rooms         3 new, 0 were here already", "messages      1008 new, 0 were here",
                 "1 rooms have neither a creator nor a participant", "4 messages are of users who are no more"):
        assert line in done.stdout, done.stdout
    empty.start()
    answer = log_in(empty, "USER0@example.org")
    assert answer.status_code == 200, answer.text
    me, ada = answer.json()["user"], original.user("ada")
    assert (me["username"], me["first_name"], me["last_name"]) == ("ada", ada["first_name"], ada["last_name"])
    assert me["date_joined"] == stamp(ada["joined"])
    rooms = {room["name"]: room for room in walk(empty, answer.json()["token"], "/api/chat/rooms/")}
    for there in original.what["rooms"][:2]:
        check_room(empty, answer.json()["token"], there, rooms[there["name"] or "(no name)"], ids)
    assert len(rooms) == 2


def check_room(server, token, there, here, ids):
    assert sorted(p["username"] for p in here["participants"]) == there["members"]
    assert ids == "numbers" or here["id"] == there["id"]
    said = walk(server, token, f"/api/chat/rooms/{here['id']}/messages/")[::-1]
    assert (here["unread"], here["read_seq"], here["last_seq"]) == (0, len(said), len(said))  # it was read there
    assert server.query("SELECT COUNT(*) FROM room_members m JOIN rooms r ON r.id = m.room_id WHERE m.read_seq <> r.last_seq "
                        "OR m.delivered_seq <> r.last_seq") == [["0"]]
    assert [(m["content"], m["sender"]["username"], m["created_at"]) for m in said] == \
        [(content, sender or "(deleted)", stamp(at)) for _, content, sender, at in there["messages"]]
    assert ids == "numbers" or [m["id"] for m in said] == [uid for uid, *_ in there["messages"]]
    assert all(re.fullmatch(r"[0-9a-f-]{36}", m["id"]) for m in said)


def test_old_passwords(empty, original):
    run(empty, original)

    def stored(name):
        return empty.query(f"SELECT password_hash FROM users WHERE username = '{name}'")[0][0]

    assert stored("hal") == original.user("hal")["password"]
    empty.start()
    refused = log_in(empty, "user7@example.org", "securepassword124")
    unknown = log_in(empty, "nobody@example.org")
    assert (refused.status_code, refused.text) == (unknown.status_code, unknown.text) and refused.status_code == 400
    assert stored("hal").startswith("pbkdf2_sha256$")
    assert log_in(empty, "user7@example.org").status_code == 200
    wait_until("the hash to be made anew", lambda: stored("hal").startswith("$argon2id$"))
    assert log_in(empty, "user7@example.org").status_code == 200
    assert log_in(empty, "user7@example.org", "securepassword124").text == refused.text
    # disabled; not verified; no password that can be checked; a hash of an unknown kind
    assert log_in(empty, "user3@example.org").text == refused.text
    assert log_in(empty, "user4@example.org").status_code == 403
    for n in (5, 6):
        assert log_in(empty, f"user{n}@example.org").text == refused.text
        assert log_in(empty, f"user{n}@example.org", "!").text == refused.text


def test_without_a_password_a_new_one_comes_by_mail(empty, original):
    run(empty, original)
    empty.start()
    requests.post(empty.url + "/api/auth/reset-password/", json={"email": "user5@example.org"}, timeout=PATIENCE)
    body = empty.wait_mail("user5@example.org").get_body(("plain",)).get_content()
    token = re.search(r"/reset-password/([A-Za-z0-9_-]+)/", body).group(1)
    fresh = {"password": "another-long-one", "password_confirm": "another-long-one"}
    assert requests.post(f"{empty.url}/api/auth/reset-password/{token}/", json=fresh, timeout=PATIENCE).status_code == 204
    assert log_in(empty, "user5@example.org", "another-long-one").status_code == 200


def test_again_nothing_is_doubled(empty):
    original = Original(ids="numbers", messages=30)
    run(empty, original)
    before = tables(empty)
    again = run(empty, original)
    assert "users         0 new, 8 were here already" in again.stdout and "messages      0 new, 38 were here already" in again.stdout
    assert tables(empty) == before
    # what people say here stays where it is; what is new there comes behind it
    empty.start()
    token = log_in(empty, "user0@example.org").json()["token"]
    room = next(r for r in walk(empty, token, "/api/chat/rooms/") if r["name"] != "(no name)")
    last_seq = room["last_seq"]
    said = requests.post(f"{empty.url}/api/chat/rooms/{room['id']}/send/", json={"content": "here"}, timeout=PATIENCE,
                         headers={"Authorization": f"Token {token}"})
    assert said.status_code == 201
    empty.end()
    original.query("INSERT INTO chat_message (room_id, sender_id, content, created_at, is_deleted) SELECT room_id, sender_id, 'there', "
                   "created_at, false FROM chat_message WHERE content LIKE '3 %' AND room_id = (SELECT MIN(id) FROM chat_room)")
    assert "messages      1 new" in run(empty, original).stdout
    assert empty.query(f"SELECT DISTINCT m.read_seq FROM room_members m JOIN rooms r ON r.id = m.room_id "
                       f"WHERE r.uid = '{room['id']}'") == [[str(last_seq)]]  # nobody has read these
    empty.start()
    token = log_in(empty, "user0@example.org").json()["token"]
    assert [m["content"] for m in walk(empty, token, f"/api/chat/rooms/{room['id']}/messages/")][:2] == ["there", "here"]


def test_broken_off_it_goes_on(empty):
    original = Original(messages=4000)
    typed = Typed(empty, "import", "django", "--from", original.url, terminal=True)
    typed.wait_for(r"messages: [1-9]\d* of")
    typed.interrupt()
    assert typed.end() != 0 and "interrupted" in typed.output
    part = int(empty.query("SELECT COUNT(*) FROM messages")[0][0])
    assert 0 < part < 4008
    done = run(empty, original)
    assert f"messages      {4008 - part} new, {part} were here already" in done.stdout
    assert empty.query("SELECT last_seq, message_count FROM rooms WHERE last_seq > 100") == [["4000", "4000"]]
    assert empty.query("SELECT COUNT(*), COUNT(DISTINCT seq), MAX(seq) FROM messages WHERE room_id = "
                       "(SELECT id FROM rooms WHERE last_seq > 100)") == [["4000", "4000", "4000"]]


def test_names_that_differ_by_case(empty):
    original = Original(messages=3)
    original.query("UPDATE accounts_user SET username = 'ADA' WHERE username = 'hal'; "
                   "UPDATE accounts_user SET email = 'USER0@EXAMPLE.org' WHERE username = 'gus'; "
                   "UPDATE accounts_user SET email = '' WHERE username = 'fay'; "
                   "UPDATE accounts_user SET username = 'two words' WHERE username = 'emil'")
    for more in (("--plan",), ()):
        done = run(empty, original, *more, status=1)
        assert re.search(r"PROBLEM users (ada .* and ADA|ADA .* and ada) .* one name here.*UPDATE accounts_user SET username", done.stdout)
        assert re.search(r"PROBLEM users (ada <user0@example.org> .* and gus <USER0@EXAMPLE.org>|gus .* and ada) .*SET email", done.stdout)
        assert re.search(r'PROBLEM user fay \(id \d+\): "" is no address', done.stdout)
        assert re.search(r"PROBLEM user two words .*only letters", done.stdout)
        assert "nothing was imported" in done.stderr and tables(empty) == [[["0"]]] * 5


def test_an_account_that_is_here_already(empty, original):
    empty.start()
    empty.person("Hal", verified=False)
    empty.end()
    done = run(empty, original, status=1)
    assert re.search(r"PROBLEM user hal <user7@example.org> .*Parley has Hal <hal@example.org> already", done.stdout)
    assert tables(empty)[0] == [["1"]]


def test_unverified_ones_are_not_purged(empty, original):
    """They joined longer ago than an unverified account lives, and have had no chance to verify here."""
    run(empty, original)
    assert empty.query("SELECT username FROM users WHERE is_verified = 0 AND password_hash LIKE 'pbkdf2%'") == [["emil"]]
    empty.start()
    requests.post(empty.url + "/api/auth/resend-verification/", json={"email": "user4@example.org"}, timeout=PATIENCE)
    token = empty.token_of("user4@example.org")
    assert requests.post(f"{empty.url}/api/auth/verify-email/{token}/", timeout=PATIENCE).status_code == 200
    assert log_in(empty, "user4@example.org").status_code == 200


def test_tables_and_columns_of_other_names(empty):
    original = Original(messages=5)
    original.query("ALTER TABLE chat_message RENAME COLUMN content TO was_said")
    assert "no table that looks like that of the messages" in run(empty, original, status=1).stderr
    assert "--column content=NAME" in run(empty, original, "--messages", "chat_message", status=1).stderr
    assert "has no table \"nonsense\"" in run(empty, original, "--messages", "nonsense", status=1).stderr
    done = run(empty, original, "--messages", "chat_message", "--column", "content=was_said", "--users", "accounts_user",
               "--rooms", "chat_room", "--participants", "chat_room_participants")
    assert "messages      13 new" in done.stdout


@pytest.mark.parametrize("url, words", [
    ("postgresql://u:geheim@[::1/x", "--from is no address of a database"),
    ("postgresql://u:ge%zzheim@localhost/x", "--from is no address of a database"),
    ("postgresql://u:geheim@127.0.0.1:1/x", "x on 127.0.0.1: connecting: "),
])
def test_an_address_that_is_none(empty, url, words):
    for stdin, given in (({}, url), ({"stdin": url + "\n"}, "-")):
        done = command(empty, "import", "django", "--from", given, **stdin)
        assert done.returncode == 1 and words in done.stderr and "heim" not in done.stdout + done.stderr


def test_before_the_tables_are_made(own_server, original):
    server = own_server(start=False)
    done = run(server, original, status=78)
    assert "run parley migrate first" in done.stderr and "no such table" not in done.stderr
    assert command(server, "migrate").returncode == 0
    assert "messages      1008 new" in run(server, original).stdout


def test_a_database_of_something_else(empty):
    done = command(empty, "import", "django", "--from", postgres.shared().database())
    assert done.returncode == 1 and "no table that looks like that of the users: name it with --users" in done.stderr


def test_not_beside_a_server(server, original):
    done = command(server, "import", "django", "--from", original.url)
    assert done.returncode == 1 and "stop it first" in done.stderr
