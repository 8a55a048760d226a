"""docs/BACKUP.md for PostgreSQL: its commands as they stand there, and what a server and its clients see of it."""
import os
import re
import subprocess
import time

import pytest

import postgres
from command import command
from faults import everything
from parley import ROOT, Server, wait_until
from test_replicas import epochs

pytestmark = pytest.mark.one_database("PostgreSQL")


def blocks(heading):
    """the commands below a heading of the page"""
    page = (ROOT / "docs/BACKUP.md").read_text()
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.M | re.S).group(1)
    return re.findall(r"```sh\n(.*?)```", section, re.S)


@pytest.fixture
def database():
    made = postgres.Postgres()
    with open(made.data / "postgresql.auto.conf", "a") as conf:
        conf.write(f"port = {made.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{made.folder}'\nmax_connections = 200\n")
    yield made.start()
    subprocess.run([*made.as_user, made.bin / "pg_ctl", "stop", "-D", made.data, "-m", "immediate"], capture_output=True)
    made.end()


def shell(database, commands, **variables):
    env = {**os.environ, "PATH": f"{database.bin}:{os.environ['PATH']}", "PGHOST": str(database.folder), "PGPORT": str(database.port),
           "PGUSER": "parley", "PGDATA": str(database.data), **{k: str(v) for k, v in variables.items()}}
    as_user = [a for a in database.as_user if not a.startswith("--pdeathsig")]
    done = subprocess.run([*as_user, "bash", "-euc", commands], cwd=database.folder, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    log = database.folder / "data.log"
    assert done.returncode == 0, f"{commands}\n{done.stdout}" + (log.read_text() if log.exists() else "")


def contents(person, room):
    return [m["content"] for m in everything(person, room)]


def test_a_dump_and_its_way_back(database, tmp_path):
    dump, restore = blocks("PostgreSQL: a dump")
    url = database.database()
    name = url.rsplit("/", 1)[1]
    with Server(tmp_path / "server", db=url) as server:
        ada = server.person()
        room = ada.room()
        ada.say(room, "before")
        shell(database, dump, DATABASE_URL=url)
        ada.say(room, "after")
        before = epochs(database, name)
        said = command(server, "backup", "parley.dump", cwd=tmp_path)
        assert said.returncode == 1 and "pg_dump --format=custom" in said.stderr and postgres.PASSWORD_IN_URL not in said.stderr
    shell(database, restore, DATABASE_URL=url)
    with Server(tmp_path / "server", db=url) as server:
        ada.server = server
        assert contents(ada, room) == ["before"]
        after = epochs(database, name)
        assert after.keys() == before.keys() and after != before
    # Into another, empty database: the same way.
    other = database.database()
    shell(database, restore, DATABASE_URL=other)
    with Server(tmp_path / "other", db=other) as server:
        ada.server = server
        assert contents(ada, room) == ["before"]
        assert epochs(database, other.rsplit("/", 1)[1]) not in (before, after)


def test_rows_put_back_by_hand_are_told_of(database, tmp_path):
    url = database.database()
    name = url.rsplit("/", 1)[1]
    with Server(tmp_path / "server", db=url) as server:
        server.person().room()
        before = epochs(database, name)
    [words] = re.findall(r"`(DELETE FROM store_incarnations)`", (ROOT / "docs/BACKUP.md").read_text())
    database.query(words, name)
    with Server(tmp_path / "server", db=url):
        after = epochs(database, name)
        assert after.keys() == before.keys() and not set(after.values()) & set(before.values())


def test_any_moment_of_the_past_while_the_server_runs(database, tmp_path):
    once, nightly, back = blocks("PostgreSQL: any moment of the past")
    places = {"ARCHIVE": database.folder / "archive", "BACKUP": database.folder / "base"}
    shell(database, once, **places)
    url = database.database()
    name = url.rsplit("/", 1)[1]
    with Server(tmp_path / "server", db=url) as server:
        ada = server.person()
        room = ada.room()
        shell(database, nightly, **places)
        ada.say(room, "before")
        time.sleep(1.1)  # the clock is what the moment is chosen by
        moment = database.query("SELECT now()")[0][0]
        time.sleep(1.1)
        ada.say(room, "after")
        before = epochs(database, name)
        with ada.socket(room) as socket:
            shell(database, back, MOMENT=moment, **places)
            assert socket.closed().code == 1001
        wait_until("/readyz to recover", lambda: server.anonymous().get("/readyz").status_code == 200)
        wait_until("the history", lambda: ada.get(f"/api/chat/rooms/{room['id']}/messages/").status_code == 200)
        assert contents(ada, room) == ["before"]
        after = epochs(database, name)
        assert after.keys() == before.keys() and after != before
        assert server.text().count("applied restored.sql") == 1
        assert ada.say(room, "goes on")["seq"] == 2
