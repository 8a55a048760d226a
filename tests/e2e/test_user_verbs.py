"""parley createsuperuser, parley user ..., parley audit list: inside a running server and without one."""
import json
import re
import time

import pytest
import requests

from command import Typed, command
from parley import PASSWORD, PATIENCE

ROOT_WORDS = ("--email", "root@example.org", "--username", "root", "--first-name", "Ro", "--last-name", "Ot")
SECRET = "correct horse battery"
LABELS = ["ID", "USERNAME", "ADDRESS", "FIRST NAME", "LAST NAME", "VERIFIED", "ENABLED", "STAFF", "SUPERUSER", "JOINED (UTC)"]


@pytest.fixture(params=["running", "stopped"])
def place(request, own_server):
    """A server whose tables are there and which runs, or not."""
    server = own_server()
    if request.param == "stopped":
        server.end()
    return server


def login(server, email, password):
    return requests.post(server.url + "/api/auth/login/", json={"email": email, "password": password}, timeout=PATIENCE)


def lines(done):
    """--json"""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.split("\n")[:-1]]


def user(server, who):
    return lines(command(server, "user", "show", who, "--json"))[0]


def make(server, name, password=SECRET, *more, verb=("user", "create")):
    words = {"--email": f"{name}@example.org", "--username": name, "--first-name": "Fi", "--last-name": "La", "--password": "-"}
    flags = [word for word in more if word.startswith("--no-")]
    given = [word for word in more if word not in flags]
    words.update(zip(given[::2], given[1::2]))
    return command(server, *verb, *(word for pair in words.items() for word in pair), *flags, stdin=password + "\n")


def good(done, text):
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert text in done.stdout


# ---- accounts come into being ----
def test_a_superuser_is_made_and_logs_in(place):
    done = command(place, "createsuperuser", *ROOT_WORDS, "--password", "-", stdin=SECRET + "\n")
    good(done, "superuser root@example.org is there, id ")
    shown = user(place, "ROOT")
    assert done.stdout.split()[-1] == shown["id"] and shown["username"] == "root"
    assert [shown[k] for k in ("is_verified", "is_active", "is_staff", "is_superuser")] == [True] * 4
    if place.process.poll() is not None:
        place.start()
    answer = login(place, "root@example.org", SECRET)
    assert answer.status_code == 200 and answer.json()["user"]["first_name"] == "Ro"
    place.end()


def test_before_anything_else(own_server):
    """A new database: what is missing, and then the first account, before the first start."""
    server = own_server(start=False)
    done = make(server, "root", verb=("createsuperuser",))
    assert done.returncode != 0 and "is brought up to date by `parley migrate`" in done.stderr.splitlines()[-1]
    assert command(server, "migrate").returncode == 0
    good(make(server, "root", verb=("createsuperuser",)), "superuser root@example.org is there")
    server.start()
    assert login(server, "root@example.org", SECRET).status_code == 200


def test_a_superuser_is_made_at_the_terminal(place):
    """Wrong answers are told and asked for again; the password is typed twice and never seen."""
    typed = Typed(place, "createsuperuser", terminal=True)
    typed.wait_for("E-mail address: ").type("nonsense\n")
    typed.wait_for(r"Enter a valid email address\.\s+E-mail address: ").type("Root@Example.org\n")
    typed.wait_for("Username: ").type("root user\n")
    typed.wait_for("Enter a valid username.*\n?.*Username: ").type("root\n")
    typed.wait_for("First name: ").type("\n")
    typed.wait_for(r"This field may not be blank\.\s+First name: ").type("Ro\n")
    typed.wait_for("Last name: ").type("Ot\n")
    typed.wait_for("Password: ").type(SECRET + "\n")
    typed.wait_for(r"Password \(again\): ").type("something else\n")
    typed.wait_for(r"The two are not the same\.\s+Password: ").type("root\n")
    typed.wait_for(r"again\): (?s:.*)again\): ").type("root\n")
    typed.wait_for(r"too similar to the username(?s:.*)too short(?s:.*)Password: ").type(SECRET + "\n")
    typed.wait_for(r"(?s:again\): .*){3}").type(SECRET + "\n")
    assert typed.end() == 0, typed.output
    assert "superuser root@example.org is there" in typed.output
    assert SECRET not in typed.output and "something else" not in typed.output
    assert user(place, "root")["is_superuser"]


def test_a_taken_name_is_asked_for_again(own_server):
    server = own_server()
    good(make(server, "ada"), "account ada@example.org is there")
    typed = Typed(server, "user", "create", "--first-name", "A", "--last-name", "L", terminal=True)
    typed.wait_for("E-mail address: ").type("ada@example.org\n")
    typed.wait_for("Username: ").type("Ada\n")
    typed.wait_for(r"user with that email already exists\.\s+A user with that username already exists\.\s+E-mail address: ")
    typed.type("eve@example.org\n").wait_for(r"exists(?s:.*)Username: ").type("eve\n")
    typed.wait_for("Password: ").interrupt()
    assert typed.end() != 0
    assert [u["username"] for u in lines(command(server, "user", "list", "--json"))] == ["ada"]


@pytest.mark.parametrize("words, status, text", [
    (("--email", "nonsense"), 2, '--email "nonsense": Enter a valid email address.'),
    (("--username", "two words"), 2, '--username "two words": Enter a valid username.'),
    (("--first-name", ""), 2, '--first-name "": This field may not be blank.'),
    (("--last-name", "x" * 151), 2, "Ensure this field has no more than 150 characters."),
    (("--email", "ADA@example.org"), 1, "--email ADA@example.org: A user with that email already exists."),
    (("--username", "ADA"), 1, "--username ADA: A user with that username already exists."),
], ids=["address", "username", "blank", "long", "taken address", "taken username"])
@pytest.mark.parametrize("verb", [("user", "create"), ("createsuperuser",)])
def test_create_refuses(own_server, verb, words, status, text):
    server = own_server()
    assert make(server, "ada").returncode == 0
    done = make(server, "eve", SECRET, *words, verb=verb)
    assert done.returncode == status and text in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert len(lines(command(server, "user", "list", "--json"))) == 1


@pytest.mark.parametrize("password, text", [
    ("tiny", "too short"), ("password123", "too common"), ("1029384756", "entirely numeric"), ("adalovely" * 20, "more than 128"),
    ("ada@example.org", "too similar"),
])
def test_weak_passwords_are_refused(place, password, text):
    done = make(place, "ada", password)
    assert done.returncode == 2 and done.stderr.startswith("error: --password") and password not in done.stderr
    assert re.search(text, done.stderr), done.stderr
    assert make(place, "ada").returncode == 0
    done = command(place, "user", "password", "ada", "--password", "-", stdin=password + "\n")
    assert done.returncode == 2 and re.search(text, done.stderr), done.stderr


def test_without_a_terminal_the_option_is_named(place):
    done = command(place, "createsuperuser")
    assert (done.returncode, done.stderr) == (2, "error: --email is missing, and there is no terminal to ask at\n")
    done = command(place, "createsuperuser", *ROOT_WORDS)
    assert (done.returncode, done.stderr) == (2, "error: --password is missing, and there is no terminal to ask at\n")
    assert command(place, "user", "list").stderr == "no account matches\n"


# ---- what is shown ----
def test_users_are_listed(place):
    for name in ("ada", "bob", "a_b"):
        assert make(place, name).returncode == 0
    table = command(place, "user", "list").stdout.splitlines()
    assert re.split("  +", table[0].strip()) == LABELS and len(table) == 4
    assert {line.index("@example.org") - len(name) for name, line in zip(("ada", "bob", "a_b"), table[1:])} == {table[0].index("ADDRESS")}
    assert [u["username"] for u in lines(command(place, "user", "list", "--json", "--search", "A"))] == ["ada", "bob", "a_b"]
    assert [u["username"] for u in lines(command(place, "user", "list", "--json", "--search", "a_"))] == ["a_b"]
    assert [u["username"] for u in lines(command(place, "user", "list", "--json", "--search", "%"))] == []
    assert [u["username"] for u in lines(command(place, "user", "list", "--json", "--limit", "1", "--offset", "1"))] == ["bob"]
    shown = command(place, "user", "show", "bob@EXAMPLE.org").stdout.splitlines()
    assert [re.split("  +", line)[0] for line in shown] == LABELS
    assert user(place, user(place, "bob")["id"])["username"] == "bob"


def test_control_characters_do_not_reach_the_terminal(place):
    """A name may hold what would colour, clear or retitle it, or turn the direction of writing."""
    assert make(place, "ada", SECRET, "--first-name", "A\x1b[2J\u202e\u0085x").returncode == 0
    for verb in (("user", "list"), ("user", "show", "ada")):
        assert "A?[2J??x" in command(place, *verb).stdout
    assert user(place, "ada")["first_name"] == "A\x1b[2J\u202e\u0085x"


@pytest.mark.parametrize("verb", ["show", "verify", "disable", "enable", "sessions", "end-sessions", "password", "delete"])
def test_unknown_users_are_named(server, verb):
    done = command(server, "user", verb, "no\x1bbody")
    assert done.returncode == 1
    assert done.stderr == 'error: nobody has the address, username or id "no?body": see parley user list\n'


def test_a_name_that_is_anothers_address(place):
    """Somebody may call himself as another's address is; no command takes one for the other."""
    assert make(place, "ada").returncode == 0
    assert make(place, "eve", SECRET, "--username", "ada@example.org").returncode == 0
    done = command(place, "user", "disable", "ada@example.org")
    assert done.returncode == 1 and "is the username of one and the address of another" in done.stderr
    ids = re.findall("[0-9a-f-]{36}", done.stderr)
    assert user(place, ids[0])["username"] == "ada" and command(place, "user", "disable", ids[1]).returncode == 0
    assert user(place, "ada")["is_active"] and not user(place, "eve@example.org")["is_active"]


# ---- what is changed ----
def test_flags(place):
    assert make(place, "ada", SECRET, "--no-verified").returncode == 0
    for words, key, now, text in [
        (("verify", "ada"), "is_verified", True, "ada@example.org is verified\n"),
        (("disable", "ada"), "is_active", False, "ada@example.org is disabled; all sessions have ended\n"),
        (("enable", "ada"), "is_active", True, "ada@example.org is enabled\n"),
        (("staff", "ada", "on"), "is_staff", True, "ada@example.org is staff, from the next log-in on\n"),
        (("staff", "ada", "off"), "is_staff", False, "ada@example.org is no staff any more; all sessions have ended\n"),
    ]:
        good(command(place, "user", *words), text)
        assert user(place, "ada")[key] is now
        again = command(place, "user", *words)
        assert (again.returncode, again.stdout) == (0, "") and " already" in again.stderr
    rows = lines(command(place, "audit", "list", "--json", "--user", "ada"))
    assert [row["action"] for row in rows] == ["staff_off", "staff_on", "user_enable", "user_disable", "user_verify", "user_create"]
    uid = user(place, "ada")["id"]
    assert {(row["actor"], row["subject"], row["ip"], row["detail"]) for row in rows} == {("command line", "ada", "", uid)}


def test_staff_off_takes_the_superusers_right_too(place):
    assert make(place, "root", verb=("createsuperuser",)).returncode == 0
    again = command(place, "user", "staff", "root", "on")
    assert (again.returncode, again.stderr) == (0, "root@example.org is staff already\n") and user(place, "root")["is_superuser"]
    good(command(place, "user", "staff", "root", "off"), "is no staff any more")
    assert not user(place, "root")["is_superuser"]


@pytest.mark.parametrize("words, text", [(("disable", "root"), "is disabled"), (("delete", "root", "--yes"), "is deleted")], ids=["disable", "delete"])
def test_the_command_line_may_end_the_last_superuser(place, words, text):
    """It can make another one, which the pages cannot."""
    assert make(place, "root", verb=("createsuperuser",)).returncode == 0
    good(command(place, "user", *words), text)
    good(make(place, "heir", verb=("createsuperuser",)), "superuser heir@example.org is there")


def test_a_disabled_user_is_out_within_a_second(own_server):
    server = own_server()
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    with ada.socket(room) as hers, bob.socket(room) as his:
        hers.sync(), his.sync()
        good(command(server, "user", "disable", ada.username), "is disabled")
        began = time.monotonic()
        assert hers.closed().code == 4401
        assert time.monotonic() - began < 1
        his.sync()
    assert ada.get("/api/auth/profile/").status_code == 401 and bob.get("/api/auth/profile/").status_code == 200
    assert login(server, ada.email, PASSWORD).status_code == 400
    good(command(server, "user", "enable", ada.username), "is enabled")
    assert ada.get("/api/auth/profile/").status_code == 401
    assert ada.login().get("/api/auth/profile/").status_code == 200


@pytest.mark.parametrize("words, stdin", [(("end-sessions",), ""), (("staff", "off"), ""), (("password", "--password", "-"), "a battery of horses\n")],
                         ids=["end-sessions", "staff off", "password"])
def test_what_ends_sessions(own_server, words, stdin):
    server = own_server()
    ada, bob = server.person(), server.person()
    assert command(server, "user", "staff", ada.username, "on").returncode == 0
    room = ada.room(bob)
    shown = lines(command(server, "user", "sessions", ada.username, "--json"))
    assert len(shown) == 1 and set(shown[0]) == {"id", "created_at", "last_used_at", "user_agent", "ip"}
    with ada.socket(room) as hers:
        hers.sync()
        done = command(server, "user", words[0], ada.username, *words[1:], stdin=stdin)
        assert done.returncode == 0, done.stderr
        began = time.monotonic()
        assert hers.closed().code == 4401 and time.monotonic() - began < 1
    assert ada.get("/api/auth/profile/").status_code == 401
    assert command(server, "user", "sessions", ada.username).stderr == "nobody is logged in to this account\n"
    assert bob.get("/api/auth/profile/").status_code == 200
    if words[0] == "password":
        assert login(server, ada.email, PASSWORD).status_code == 400
        assert login(server, ada.email, "a battery of horses").status_code == 200
        assert any("password" in mail["Subject"].lower() for mail in server.mails(ada.email)[1:])


def test_a_new_password_at_the_terminal(place):
    assert make(place, "ada").returncode == 0
    typed = Typed(place, "user", "password", "ada", terminal=True)
    typed.wait_for("Password: ").type("a battery of horses\n").wait_for(r"\(again\): ").type("a battery of horses\n")
    assert typed.end() == 0 and "ada@example.org has a new password" in typed.output and "battery" not in typed.output
    if place.process.poll() is not None:
        place.start()
    assert login(place, "ada@example.org", "a battery of horses").status_code == 200
    assert login(place, "ada@example.org", SECRET).status_code == 400
    place.end()


# ---- deletion ----
def test_who_is_in_no_room_can_be_deleted(own_server):
    server = own_server()
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    for one in (ada, bob):
        done = command(server, "user", "delete", one.username, "--yes")
        assert done.returncode == 1 and "is in a room or has made one, and is not deleted" in done.stderr
        assert one.get("/api/auth/profile/").status_code == 200
    said = bob.say(room, "I was here")
    assert command(server, "room", "remove", room["id"], bob.username).returncode == 0
    done = command(server, "user", "delete", bob.username)
    assert done.returncode == 2 and "--yes is missing" in done.stderr
    good(command(server, "user", "delete", bob.username, "--yes"), f"{bob.email} is deleted")
    assert bob.get("/api/auth/profile/").status_code == 401
    history = ada.get(f"/api/chat/rooms/{room['id']}/messages/").json()["results"]
    assert [(m["id"], m["sender"]["username"]) for m in history] == [(said["id"], bob.username)]
    row = lines(command(server, "audit", "list", "--json", "--limit", "1"))[0]
    assert (row["action"], row["actor"], row["subject"], row["detail"]) == ("user_delete", "command line", None, bob.id)


def test_deletion_asks_at_the_terminal(place):
    assert make(place, "ada").returncode == 0
    typed = Typed(place, "user", "delete", "ada", terminal=True)
    typed.wait_for("Type the username, ada, to go on: ").type("yes\n")
    assert typed.end() == 1 and "that is not the username; nothing was changed" in typed.output
    typed = Typed(place, "user", "delete", "ada", terminal=True)
    typed.wait_for("to go on: ").type("ada\n")
    assert typed.end() == 0 and "ada@example.org is deleted" in typed.output
    assert command(place, "user", "show", "ada").returncode == 1


# ---- the audit log ----
def test_the_audit_log_is_listed(own_server):
    server = own_server()
    ada = server.person()
    assert login(server, ada.email, "wrong" * 3).status_code == 400
    rows = lines(command(server, "audit", "list", "--json"))
    assert [row["action"] for row in rows] == ["login_failed", "login"]
    assert (rows[0]["actor"], rows[0]["subject"], rows[0]["ip"]) == (None, ada.username, "127.0.0.1")
    assert rows[1]["actor"] == ada.username
    table = command(server, "audit", "list", "--since", "1h", "--limit", "1").stdout.splitlines()
    assert re.split("  +", table[0]) == ["TIME (UTC)", "WHAT", "BY", "TO", "FROM", "PROGRAM", "DETAIL"] and len(table) == 2
    assert "login_failed" in table[1]
    server.query("UPDATE audit_log SET at = at - 7200000000 RETURNING id")
    assert command(server, "audit", "list", "--since", "1h").stderr == "nothing was noted in that time\n"
    done = command(server, "audit", "list", "--since", "yesterday")
    assert done.returncode == 2 and "yesterday" in done.stderr


def test_nobody_passes_for_the_command_line(own_server):
    """The program that somebody names is no proof: who has no address was on this machine."""
    server = own_server()
    ada = server.person()
    requests.post(server.url + "/api/auth/login/", json={"email": ada.email, "password": "wrong one"}, timeout=PATIENCE,
                  headers={"User-Agent": "command line"})
    row = lines(command(server, "audit", "list", "--json", "--limit", "1"))[0]
    assert (row["action"], row["actor"]) == ("login_failed", None)
