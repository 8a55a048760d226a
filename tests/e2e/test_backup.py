"""Backups: one moment of the database while people write, put back whole; and rooms know that history was lost.

On PostgreSQL its own tools do it: docs/BACKUP.md, whose commands test_backup_postgres.py runs."""
import contextlib
import os
import shutil
import sqlite3
import threading
import time

import pytest
import requests

from command import command
from parley import PATIENCE, Server

pytestmark = pytest.mark.one_database("SQLite")


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "server", db="sqlite") as made:
        yield made


def epochs(server):
    return dict(map(tuple, server.query("SELECT uid, epoch FROM rooms")))


def contents(person, room):
    return [m["content"] for m in person.get(f"/api/chat/rooms/{room['id']}/messages/?limit=200").json()["results"]][::-1]


def test_a_backup_of_a_busy_server_and_its_way_back(server, tmp_path):
    ada = server.person()
    room, stop, said, slowest = ada.room(), threading.Event(), [], [0.0]

    def talk():
        session = requests.Session()
        while not stop.is_set():
            started = time.monotonic()
            answer = session.post(f"{server.url}/api/chat/rooms/{room['id']}/send/", json={"content": f"m{len(said)}"},
                                  headers={"Authorization": f"Token {ada.token}"}, timeout=PATIENCE)
            slowest[0] = max(slowest[0], time.monotonic() - started)
            assert answer.status_code == 201
            said.append(answer.json()["content"])

    ada.say(room, "first")
    thread = threading.Thread(target=talk)
    thread.start()
    made = command(server, "backup", "one.db", cwd=tmp_path)
    stop.set()
    thread.join(PATIENCE)
    assert made.returncode == 0 and str(tmp_path / "one.db") in made.stdout and not (tmp_path / "one.db.part").exists()
    assert (tmp_path / "one.db").stat().st_mode & 0o777 == 0o600
    ada.say(room, "after the backup")
    assert slowest[0] < 2
    before = epochs(server)
    server.end()

    back = command(server, "restore", "one.db", cwd=tmp_path)
    assert back.returncode == 0 and "kept as" in back.stdout and "new epochs" in back.stdout
    kept = list(server.data.glob("parley.db.before-restore-*"))
    assert len(kept) == 1
    with sqlite3.connect(kept[0]) as old:
        assert old.execute("SELECT count(*) FROM messages WHERE content = 'after the backup'").fetchone() == (1,)
    server.start()
    found = contents(ada, room)
    assert found[0] == "first" and found[1:] == said[:len(found) - 1] and "after the backup" not in found
    after = epochs(server)
    assert after.keys() == before.keys() and not set(after.values()) & set(before.values())
    # once: the next start finds its own database
    server.end()
    server.start()
    assert epochs(server) == after
    ada.say(room, "goes on")


def test_what_is_refused(server, tmp_path):
    ada = server.person()
    ada.room()
    (tmp_path / "taken").write_text("mine")
    cases = [
        (("backup", "taken"), "is there already: name a new file"),
        (("backup", "no/folder.db"), "No such file or directory"),
        (("restore", "taken"), "works only while no server uses"),
    ]
    for args, words in cases:
        done = command(server, *args, cwd=tmp_path)
        assert done.returncode == 1 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert (tmp_path / "taken").read_text() == "mine"
    server.end()
    before = (server.data / "parley.db").read_bytes()
    for args, words in [(("restore", "taken"), "not a database"), (("restore", "nowhere"), "no file that can be read"),
                        (("restore", str(server.data / "parley.db")), "is the database itself")]:
        done = command(server, *args, cwd=tmp_path)
        assert done.returncode == 1 and words in done.stderr, done.stderr
    assert (server.data / "parley.db").read_bytes() == before
    assert {f.name for f in server.data.glob("parley.db*")} == {"parley.db"}
    server.start()


def test_a_backup_that_was_killed_is_named(server, tmp_path):
    (tmp_path / "new.db.part").write_text("half")
    done = command(server, "backup", "new.db", cwd=tmp_path)
    assert done.returncode == 1 and "new.db.part is there already" in done.stderr and "remove that file" in done.stderr, done.stderr
    (tmp_path / "new.db.part").unlink()
    assert command(server, "backup", "new.db", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "new.db.part").exists()


def test_nothing_is_moved_while_the_log_cannot_be_emptied(server, tmp_path):
    server.person().room()
    assert command(server, "backup", "one.db", cwd=tmp_path).returncode == 0
    server.person().room()
    server.end()
    path = server.data / "parley.db"
    # Somebody still reads: what is in the log since then cannot go into the file and the log be emptied.
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader, contextlib.closing(sqlite3.connect(path)) as writer:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM rooms").fetchone() == (2,)
        with writer:
            writer.execute("UPDATE rooms SET name = 'last'")
        done = command(server, "restore", "one.db", cwd=tmp_path)
        assert done.returncode == 1 and "nothing was changed" in done.stderr and "locked" in done.stderr, done.stderr
        assert {f.name for f in server.data.glob("parley.db*")} == {"parley.db", "parley.db-wal", "parley.db-shm"}
        assert writer.execute("SELECT DISTINCT name FROM rooms").fetchall() == [("last",)]
    done = command(server, "restore", "one.db", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    kept = list(server.data.glob("parley.db.before-restore-*"))
    assert len(kept) == 1
    with contextlib.closing(sqlite3.connect(kept[0])) as old:
        assert old.execute("SELECT DISTINCT name FROM rooms").fetchall() == [("last",)]
    server.start()


def test_a_backup_without_a_running_server(server, tmp_path):
    server.person().room()
    server.end()
    assert command(server, "backup", "cold.db", cwd=tmp_path).returncode == 0
    with sqlite3.connect(tmp_path / "cold.db") as copy:
        assert copy.execute("SELECT count(*) FROM rooms").fetchone() == (1,)
    empty = Server(tmp_path / "empty", db="sqlite")
    done = command(empty, "backup", "nothing.db", cwd=tmp_path)
    assert done.returncode == 1 and not (tmp_path / "nothing.db").exists()
    server.start()


def test_an_old_file_put_back_by_hand_is_noticed(server, tmp_path):
    server.person().room()
    server.end()
    shutil.copy(server.data / "parley.db", tmp_path / "old.db")
    server.start()
    server.person().room()
    before = epochs(server)
    server.end()
    shutil.copy(tmp_path / "old.db", server.data / "parley.db")
    server.start()
    after = epochs(server)
    assert len(after) == 1 and not set(after.values()) & set(before.values())
    assert "chat: the database was restored from a backup: applied restored.sql" in server.text()


@pytest.mark.parametrize("moved", ["parley.db only", "everything"])
def test_a_move_to_another_folder(server, tmp_path, moved):
    """With var/incarnation beside it, it is the same database; without, nobody knows how old it is."""
    server.person().room()
    before = epochs(server)
    server.end()
    other = Server(tmp_path / "other", db="sqlite")
    other.data.mkdir()
    for file in server.data.glob("parley.db" if moved == "parley.db only" else "*"):
        if file.is_file():
            shutil.copy(file, other.data)
    with other:
        assert (epochs(other) == before) == (moved == "everything")
    server.start()


def test_a_crash_and_a_restart_change_no_epoch(server):
    server.person().room()
    before = epochs(server)
    server.kill()
    server.start()
    assert epochs(server) == before
    server.end()
    server.start()
    assert epochs(server) == before
    assert os.stat(server.data / "incarnation").st_mode & 0o777 == 0o600
