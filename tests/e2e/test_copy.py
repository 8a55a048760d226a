"""`parley copy`: a filled database to the other kind and back; broken off, damaged, refused."""
import contextlib
import hashlib
import re
import shutil
import signal
import sqlite3

import pytest

import postgres
from command import Typed, command
from parley import wait_until

# Tables of somebody else's plugin, with types that ours do not have, and one without a key.
THIRD = {
    "sqlite": "CREATE TABLE extras (k TEXT NOT NULL, n BIGINT NOT NULL, ratio REAL, yes INTEGER, raw BLOB, note TEXT,"
              " PRIMARY KEY (k, n));\nCREATE TABLE loose (a TEXT, b BIGINT);\n",
    "postgres": "CREATE TABLE extras (k TEXT NOT NULL, n BIGINT NOT NULL, ratio DOUBLE PRECISION, yes BOOLEAN, raw BYTEA, note TEXT,"
                " PRIMARY KEY (k, n));\nCREATE TABLE loose (a TEXT, b BIGINT);\n",
}
EXTRAS = [("a", 1, 0.1, 1, b"\x00\xff\\", "tab\tline\nback\\slash \\N"), ("a", 2, None, 0, b"", ""),
          ("B", 1, 1e300, None, None, None), ("ä", -5, -0.5, 1, b"x", "🙂\r"), ("Z" * 300, 2**63 - 1, 3.0, 0, b"y", "plain")]
LOOSE = [("twice", 1), ("twice", 1), (None, None)]
MANY = 30000
MESSAGES = f"""
INSERT INTO messages (uid, room_id, seq, sender_id, sender_uid, sender_username, sender_first_name, sender_last_name, content, created_at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})
SELECT printf('00000000-0000-7000-8000-%012x', i), 1000 + i % 7, i, 1, '00000000-0000-7000-8000-000000000000', 'x', 'x', 'x', 'text ' || i, i FROM n
"""


@contextlib.contextmanager
def lite(path):
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        yield db


def add_third(server, tmp_path):
    """the third plugin's files and tables, as its migration would have made them"""
    share = tmp_path / "share"
    shutil.copytree(server.build / "share", share)
    for dialect, text in THIRD.items():
        (share / "sql" / dialect / "third").mkdir()
        (share / "sql" / dialect / "third" / "001_third.sql").write_text(text)
    text = server.config.read_text().replace("server:\n", f"server:\n  share_dir: {share}\n", 1)
    server.config = server.folder / "third.yaml"
    server.config.write_text(text)
    with lite(server.data / "parley.db") as db:
        db.executescript(THIRD["sqlite"])
        db.executemany("INSERT INTO extras VALUES (?, ?, ?, ?, ?, ?)", EXTRAS)
        db.executemany("INSERT INTO loose VALUES (?, ?)", LOOSE)
        db.execute("INSERT INTO schema_migrations VALUES ('third', 1, ?, 1900000000000000)",
                   (hashlib.blake2b(THIRD["sqlite"].encode(), digest_size=32).hexdigest(),))


@pytest.fixture
def source(own_server):
    """a stopped server with people, rooms and messages; source.ada, .bob and .room"""
    server = own_server(db="sqlite")
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    for i in range(5):
        ada.say(room, f"message {i} ä🙂\n\\")
    gone = bob.say(room, "never mind")
    assert bob.delete(f"/api/chat/messages/{gone['id']}/").status_code == 204
    last = bob.room()
    assert bob.delete(f"/api/chat/rooms/{last['id']}/").status_code == 204  # its number must not come again
    server.ada, server.bob, server.room = ada, bob, room
    server.history = history(ada, room)
    server.end()
    return server


def history(person, room):
    answer = person.get(f"/api/chat/rooms/{room['id']}/messages/")
    assert answer.status_code == 200
    return answer.json()["results"]


def dump(path):
    """every row of every table, the counters too; not what is made anew"""
    with lite(path) as db:
        names = [name for name, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"
                                              " AND name NOT IN ('parley_probe', 'store_incarnations', 'sqlite_stat1', 'sqlite_stat4')")]
        rows = {name: sorted(map(repr, db.execute(f'SELECT * FROM "{name}"'))) for name in names if not name.startswith("derived_")}
    return {name: [row for row in of if not row.startswith("('derived_")] for name, of in rows.items()}


def at(server, name="parley.db"):
    return f"sqlite:{server.data / name}"


def copy(server, source, target, *more, **how):
    done = command(server, "copy", "--from", source, "--to", target, *more, **how)
    for secret in postgres.PASSWORD, postgres.PASSWORD_IN_URL:
        assert secret not in done.stdout + done.stderr
    return done


def sums(done):
    assert done.returncode == 0, done.stderr
    return {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}


def refused(done, *words, status=1):
    assert done.returncode == status and re.search("^error: ", done.stderr, re.M), done
    for word in words:
        assert word in done.stderr


@pytest.fixture
def url():
    return postgres.shared().database()


def query(sql, url):
    return postgres.shared().query(sql, url.rsplit("/", 1)[1])


def test_there_and_back_again_is_the_same(source, url, tmp_path):
    add_third(source, tmp_path)
    before = dump(source.data / "parley.db")
    done = copy(source, at(source), url)
    there = sums(done)
    assert there["messages"][:2] == ["6", "rows"] and there["loose"][0] == "3" and there["extras"][0] == "5"
    assert "give that server the same SECRET_KEY" in done.stderr
    assert query("SELECT count(*) FROM pg_class WHERE relname = 'parley_copy'", url) == [["0"]]
    assert query("SELECT plugin, version, applied_at FROM schema_migrations ORDER BY applied_at", url)[-1] == ["third", "1", "1900000000000000"]
    back = copy(source, url, at(source, "back.db"))
    assert sums(back) == there
    assert dump(source.data / "back.db") == before
    assert sums(copy(source, at(source), url, "--verify")) == there
    assert sums(copy(source, url, at(source), "--verify")) == there
    refused(copy(source, at(source), url), "already holds data")
    refused(copy(source, url, at(source, "back.db")), "already holds data")


def test_a_server_runs_on_the_copy(source, url, own_server):
    sums(copy(source, at(source), url))
    before = epochs(source)
    moved = own_server(db=url, env={"SECRET_KEY": (source.data / "secret").read_text().strip()})
    assert epochs(moved) == before
    ada, bob, room = source.ada, source.bob, source.room
    for person in ada, bob:  # with the tokens that they had
        person.server = moved
    assert history(ada, room) == source.history
    said = ada.say(room, "on the other side")
    assert said["id"] in [m["id"] for m in history(bob, room)] and len(history(bob, room)) == len(source.history) + 1
    carl = moved.person()
    assert carl.say(carl.room(ada), "hi")["content"] == "hi"
    used = moved.query("SELECT max(id) FROM rooms")
    assert int(used[0][0]) == 3  # 2 was given away before
    moved.end()
    home = own_server(start=False, db="sqlite", env={"SECRET_KEY": (source.data / "secret").read_text().strip()})
    home.data.mkdir(mode=0o700)
    sums(copy(home, url, at(home)))
    home.start()
    ada.server = home
    assert [m["content"] for m in history(ada, room)].count("on the other side") == 1
    ada.say(room, "at home")


def epochs(server):
    return sorted(tuple(row) for row in server.query("SELECT id, epoch FROM rooms"))


def test_a_copy_of_a_backup_begins_new_epochs(source, url, own_server):
    """what was said after the backup is not in it, so no client may go on from there"""
    before, backup = epochs(source), source.folder / "backup.db"
    assert command(source, "backup", str(backup)).returncode == 0
    shutil.copy(backup, source.data / "old.db")  # in a data folder, too
    sums(copy(source, at(source, "old.db"), url))
    moved = own_server(db=url)
    assert [id for id, _ in epochs(moved)] == [id for id, _ in before] and not set(epochs(moved)) & set(before)


def test_a_file_that_no_server_has_written_last_begins_new_epochs(source, url, own_server):
    before, apart = epochs(source), source.folder / "apart" / "parley.db"
    apart.parent.mkdir()
    shutil.copy(source.data / "parley.db", apart)
    sums(copy(source, f"sqlite:{apart}", url))
    assert not set(epochs(own_server(db=url))) & set(before)


def test_into_a_file_the_copy_begins_new_epochs(source, url, own_server):
    before = epochs(source)
    sums(copy(source, at(source), url))
    home = own_server(start=False, db="sqlite")
    home.data.mkdir(mode=0o700)
    sums(copy(home, url, at(home)))
    home.start()
    assert not set(epochs(home)) & set(before)


@pytest.fixture(params=["to postgres", "to sqlite"])
def way(request, source, url):
    """(server, from, to) with many rows"""
    with lite(source.data / "parley.db") as db:
        db.execute(MESSAGES)
    if request.param == "to postgres":
        return source, at(source), url
    sums(copy(source, at(source), url))
    return source, url, at(source, "back.db")


def test_killed_in_the_middle_it_goes_on(way):
    server, from_, to = way
    for number in signal.SIGKILL, signal.SIGINT:
        broken = Typed(server, "copy", "--from", from_, "--to", to, terminal=True).wait_for(r"copying messages: [1-9]\d* of").interrupt(number)
        assert broken.end() != 0
    assert "interrupted; the same command goes on where it stopped" in broken.output
    told = Typed(server, "copy", "--from", from_, "--to", to, terminal=True)
    assert told.end() == 0, told.output
    assert f"messages                      {MANY + 6} rows" in told.output
    assert sums(copy(server, from_, to, "--verify"))["messages"][0] == str(MANY + 6)


def test_no_server_runs_on_an_unfinished_copy(way, own_server):
    server, from_, to = way
    Typed(server, "copy", "--from", from_, "--to", to, terminal=True).wait_for(r"copying messages: [1-9]").interrupt(signal.SIGKILL).end()
    if to.startswith("sqlite:"):
        text = server.config.read_text().replace("  - sqlite  ", f"  - sqlite:\n      file: {to.removeprefix('sqlite:')}\n  #", 1)
        other = own_server(start=False, db="sqlite", config=text)
    else:
        other = own_server(start=False, db=to)
    other.start(ready=False)
    assert other.process.wait(60) == 1
    other._reader.join(60)
    assert "the database holds an unfinished copy; go on with `parley copy`, or empty it" in other.text()
    for more in [], ["--plan"]:
        refused(command(other, "migrate", *more), "the database holds an unfinished copy")
    sums(copy(server, from_, to))
    with other:
        assert other.anonymous().get("/readyz").status_code == 200


def damage(to, sql):
    if to.startswith("sqlite:"):
        with lite(to.removeprefix("sqlite:")) as db:
            db.execute(sql)
    else:
        query(sql + " RETURNING 1", to)


def has_row(to, key):
    sql = f"SELECT COUNT(*) FROM messages WHERE id = {key}"
    if not to.startswith("sqlite:"):
        return query(sql, to)[0][0] == "1"
    with lite(to.removeprefix("sqlite:")) as db:
        return db.execute(sql).fetchone()[0] == 1


@pytest.mark.parametrize("sql", ["UPDATE messages SET content = 'text 8' WHERE id = 107", "DELETE FROM messages WHERE id = 107",
                                 "UPDATE messages SET edited_at = 0 WHERE id = 107"])
def test_a_damaged_row_is_found(way, sql):
    server, from_, to = way
    broken = Typed(server, "copy", "--from", from_, "--to", to, terminal=True).wait_for(r"copying messages: [1-9]\d{3,} of")
    wait_until("the row to be there for good", lambda: has_row(to, 107))
    broken.interrupt(signal.SIGKILL).end()
    damage(to, sql)
    done = copy(server, from_, to)
    refused(done, "1 of ", "tables differ", "empty the target and begin anew")
    assert re.search(r"^messages +DIFFERS: \d+ rows [0-9a-f]{32} in the source, \d+ rows [0-9a-f]{32} in the target$", done.stdout, re.M)
    refused(copy(server, from_, to, "--verify"), "tables differ", "Do not use this copy")


def test_a_copy_of_something_else_is_not_taken_up(way):
    server, from_, to = way
    Typed(server, "copy", "--from", from_, "--to", to, terminal=True).wait_for(r"copying messages: [1-9]").interrupt(signal.SIGKILL).end()
    damage(to, "UPDATE parley_copy SET source = 'elsewhere'")
    refused(copy(server, from_, to), "holds an unfinished copy of elsewhere, not of ")


def test_a_target_that_a_server_has_only_migrated_is_empty(source, url, own_server):
    other = own_server(db=url)
    other.end()
    sums(copy(source, at(source), url))


def test_nobody_may_use_the_two(source, url, own_server):
    source.start()
    refused(copy(source, at(source), url), f"works only while no server uses {source.data}, and one does; stop it first")
    elsewhere = own_server(start=False)
    refused(copy(elsewhere, at(source), url), f"a server uses {at(source)}; stop it first")
    source.end()
    other = own_server(db=url)
    refused(copy(source, at(source), url), 'is in use by "parley"; stop every server')
    refused(copy(source, url, at(source, "new.db")), 'is in use by "parley"; stop every server')
    other.end()
    sums(copy(source, at(source), url))


def test_what_postgresql_cannot_hold_is_named(source, url):
    with lite(source.data / "parley.db") as db:
        db.execute("UPDATE messages SET content = 'a' || char(0) || 'b' WHERE id = 2")
    refused(copy(source, at(source), url), "a row of messages holds a NUL character", "in the column content")
    with lite(source.data / "parley.db") as db:
        db.execute("UPDATE messages SET content = 'ab', created_at = 'never' WHERE id = 2")
    refused(copy(source, at(source), url), "a row of messages holds something else than an integer", "in the column created_at")


def test_a_table_of_nobody_is_named(source, url):
    with lite(source.data / "parley.db") as db:
        db.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY)")
    refused(copy(source, at(source), url), "has the table notes, which no migration makes in ")


def test_a_migration_without_a_file_is_named(source, url):
    with lite(source.data / "parley.db") as db:
        db.execute("INSERT INTO schema_migrations VALUES ('gone', 1, 'x', 1)")
    refused(copy(source, at(source), url), "sql/sqlite/gone: No such file or directory")


SECRET = "pg-s3cret"


@pytest.mark.parametrize("from_,to,status,why", [
    ("sqlite:", "postgresql://u@h/d", 2, "--from must be sqlite:FILE or postgresql://"),
    ("mysql://x", f"postgresql://u:{SECRET}@h/d", 2, "--from must be sqlite:FILE or postgresql://"),
    ("sqlite:a", f"postgres:u:{SECRET}@h/d", 2, "--to must be sqlite:FILE or postgresql://"),
    ("sqlite:a", "sqlite:b", 2, "both are SQLite"),
    (f"postgresql://u:{SECRET}@h/d", "postgresql://u@h/d", 2, "both are PostgreSQL"),
    ("sqlite:/nowhere/a.db", f"postgresql://u:{SECRET}@127.0.0.1:1/d", 1, "sqlite:/nowhere/a.db: cannot open it: unable to open database file"),
    (f"postgresql://u:{SECRET}@127.0.0.1:1/d", "sqlite:/tmp/x.db", 1, "d on 127.0.0.1: cannot connect: "),
    (f"postgresql://u:{SECRET}%zz@127.0.0.1:1/d", "sqlite:/tmp/x.db", 1, "the PostgreSQL URL is not like postgresql://"),
])
def test_wrong_addresses_are_told_without_their_secrets(own_server, from_, to, status, why):
    done = copy(own_server(start=False, db="sqlite"), from_, to)
    assert SECRET not in done.stdout + done.stderr
    refused(done, why, status=status)


def test_a_wrong_password_is_not_repeated(source, url):
    wrong = url.replace(postgres.PASSWORD_IN_URL, SECRET)
    done = copy(source, at(source), wrong)
    refused(done, "password authentication failed")
    assert SECRET not in done.stderr


def test_an_address_can_come_from_standard_input(source, url):
    sums(copy(source, at(source), "-", stdin=url + "\n"))


def test_help_and_the_near_miss(own_server):
    server = own_server(start=False)
    assert "--verify" in command(server, "copy", "--help").stdout
    refused(command(server, "cpoy"), "did you mean `parley copy`?", status=2)
    refused(command(server, "copy"), "--from is missing", status=2)
