"""`parley migrate`: what is missing, what would run, and the way back of every migration of every plugin, on both databases."""
import re
import shutil
import sqlite3

import pytest

import postgres
from command import Typed, command
from parley import BUILD, ROOT

FOLDERS = sorted(f.name for f in (ROOT / "sql/sqlite").iterdir())


@pytest.fixture(params=["sqlite", "postgres"])
def fresh(request, own_server):
    """a server that has never run"""
    return own_server(start=False, db=request.param)


def good(server, *args):
    done = command(server, "migrate", *args)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.splitlines()


def plan(server):
    """[(plugin, is it applied, version, file)], in the order in which they run"""
    rows = [re.fullmatch(r"(\S+): (applied|missing) (\d+) ([0-9a-f]{64}) (\S+\.sql)", line) for line in good(server, "--plan")]
    assert all(rows)
    return [(m[1], m[2] == "applied", int(m[3]), m[5]) for m in rows]


def schema(server):
    """the tables, as the database tells them"""
    if server.database_url:
        pg = postgres.shared()
        text = pg._run("pg_dump", "--schema-only", "--no-owner", "-h", pg.folder, "-p", str(pg.port), "-U", "parley",
                       server.database_url.rsplit("/", 1)[1])
        return [line for line in text.splitlines() if line and not line.startswith(("--", "\\"))]
    with sqlite3.connect(server.data / "parley.db") as db:
        return db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").fetchall()


def test_what_is_missing_is_told_then_applied_then_nothing_is_left(fresh):
    missing = plan(fresh)
    assert {name for name, *_ in missing} == set(FOLDERS) and not any(row[1] for row in missing)
    assert good(fresh) == [f"{name}: applied {file}" for name, _, _, file in missing]
    assert good(fresh) == ["nothing to do"]
    assert [(name, True, version, file) for name, _, version, file in missing] == plan(fresh)
    with fresh:
        fresh.person()
        assert not any("applied migration" in line for line in fresh.output)


def incarnations(server):
    """the plugins that know which store they are in"""
    sql = "SELECT plugin FROM store_incarnations"
    if server.database_url:
        return {row[0] for row in postgres.shared().query(sql, server.database_url.rsplit("/", 1)[1])}
    with sqlite3.connect(server.data / "parley.db") as db:
        return {row[0] for row in db.execute(sql)}


def test_every_migration_has_a_way_back_that_leads_home(fresh):
    good(fresh)
    whole, files = schema(fresh), plan(fresh)
    for depth in range(1, len(files) + 1):
        undone = list(reversed(files))[:depth]
        for name, _, _, file in undone:
            assert good(fresh, "--back", name, "--yes") == [f"{name}: undone {file}"]
        assert [row[1] for row in plan(fresh)] == [True] * (len(files) - depth) + [False] * depth
        assert incarnations(fresh) == {name for name, *_ in files[:len(files) - depth]}
        if depth == len(files):  # nothing of ours is left
            made = set(re.findall(r"CREATE TABLE (?:public\.)?(\w+)", str(schema(fresh))))
            assert made <= {"schema_migrations", "store_incarnations", "parley_probe", "sqlite_sequence"}
        good(fresh)
        assert schema(fresh) == whole


def test_back_to_a_version_undoes_all_above_it(fresh):
    good(fresh)
    for name, _, _, _ in reversed(plan(fresh)):
        good(fresh, "--back", f"{name}:0", "--yes")
        assert not any(is_applied for plugin, is_applied, *_ in plan(fresh) if plugin == name)
        assert good(fresh, "--back", f"{name}:0", "--yes") == ["nothing to undo"]
        assert good(fresh, "--back", name, "--yes") == ["nothing to undo"]


def test_what_others_refer_to_is_not_taken_away(fresh):
    good(fresh)
    whole = schema(fresh)
    good(fresh, "--back", "accounts:1", "--yes")
    before, files = schema(fresh), plan(fresh)
    done = command(fresh, "migrate", "--back", "accounts:0", "--yes")
    assert done.returncode == 1 and re.search(r'plugin "accounts": migration failed \(-\d+\): \S+/001_accounts\.down\.sql: ', done.stderr)
    assert schema(fresh) == before and plan(fresh) == files
    good(fresh)
    assert schema(fresh) == whole


def test_of_several_what_was_undone_before_a_failure_stays_undone(fresh):
    good(fresh)
    assert command(fresh, "migrate", "--back", "accounts:0", "--yes").returncode == 1
    assert [version for name, is_applied, version, _ in plan(fresh) if name == "accounts" and is_applied] == [1]


@pytest.fixture
def shelf(tmp_path, fresh):
    """the folder sql/<dialect> of a share folder of its own"""
    share = tmp_path / "share"
    shutil.copytree(BUILD / "share", share)
    text = fresh.config.read_text().replace("server:\n", f"server:\n  share_dir: {share}\n", 1)
    fresh.config = fresh.folder / "shelf.yaml"
    fresh.config.write_text(text)
    return share / "sql" / ("postgres" if fresh.database_url else "sqlite")


def test_a_changed_file_is_named(fresh, shelf):
    good(fresh)
    file = shelf / "chat/001_chat.sql"
    file.write_text(file.read_text() + "-- changed\n")
    for args in [], ["--plan"], ["--back", "chat", "--yes"]:
        done = command(fresh, "migrate", *args)
        assert done.returncode == 1
        assert f"{file} was changed after it was applied: its checksum is " in done.stderr


def test_a_migration_without_a_way_back_is_named_and_nothing_is_undone(fresh, shelf):
    (shelf / "chat/900_more.sql").write_text("CREATE TABLE more (id BIGINT);")
    (shelf / "chat/901_most.sql").write_text("CREATE TABLE most (id BIGINT);")
    (shelf / "chat/901_most.down.sql").write_text("DROP TABLE most;")
    good(fresh)
    before = schema(fresh)
    done = command(fresh, "migrate", "--back", "chat:899", "--yes")
    assert done.returncode == 1 and schema(fresh) == before
    assert '900_more.sql of plugin "chat" has no way back: beside it there is no file 900_more.down.sql' in done.stderr
    assert good(fresh, "--back", "chat", "--yes") == ["chat: undone 901_most.sql"]


def test_a_way_back_that_fails_changes_nothing(fresh, shelf):
    newest = max(shelf.glob("chat/*.down.sql"))
    newest.write_text("DROP TABLE room_sweeps; DROP TABLE nothing;")
    good(fresh)
    before = schema(fresh)
    done = command(fresh, "migrate", "--back", "chat", "--yes")
    assert done.returncode == 1 and f"{newest}: " in done.stderr
    assert schema(fresh) == before


def test_a_newer_database_is_left_alone(fresh, shelf):
    (shelf / "chat/900_more.sql").write_text("CREATE TABLE more (id BIGINT);")
    good(fresh)
    (shelf / "chat/900_more.sql").unlink()
    newest = int(max(shelf.glob("chat/[0-9]*.sql")).name[:3])
    done = command(fresh, "migrate")
    assert done.returncode == 1
    assert f'the database has migration 900 of plugin "chat"; this server knows only up to {newest}.' in done.stderr


def test_beside_a_server_only_a_plan(own_server):
    server = own_server()
    refused = f"error: a server uses {server.data}; it migrates when it starts or gets SIGHUP. Stop it to migrate by hand\n"
    for args in [], ["--back", "chat", "--yes"]:
        done = command(server, "migrate", *args)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", refused)
    assert all(row[1] for row in plan(server))


def test_undoing_is_confirmed(own_server):
    server = own_server(start=False)
    good(server)
    before = plan(server)
    done = command(server, "migrate", "--back", "chat")
    assert (done.returncode, done.stderr) == (2, "error: parley migrate: --back drops tables with all they hold; confirm it with --yes\n")
    asked = Typed(server, "migrate", "--back", "chat", terminal=True).wait_for("Type yes to go on: ").type("y\n")
    assert asked.end() == 1 and "error: nothing was changed" in asked.output
    asked = Typed(server, "migrate", "--back", "chat", terminal=True).wait_for("Type yes to go on: ").type("yes\n")
    newest = [file for name, *_, file in before if name == "chat"][-1]
    assert asked.end() == 0 and f"chat: undone {newest}" in asked.output


@pytest.mark.parametrize("args,why", [
    (["--back", "nope", "--yes"], 'configures no plugin "nope" with migrations'),
    (["--back", "logging", "--yes"], 'configures no plugin "logging" with migrations'),
    (["--back", "chat:x", "--yes"], "--back chat:x: must be PLUGIN"),
    (["--back", "chat:-1", "--yes"], "--back chat:-1: must be PLUGIN"),
    (["--back", ":1", "--yes"], "--back :1: must be PLUGIN"),
    (["--plan", "--back", "chat"], "give one"),
    (["--down"], ""),
    (["now"], "takes no operand"),
])
def test_wrong_words(own_server, args, why):
    server = own_server(start=False)
    done = command(server, "migrate", *args)
    assert done.returncode == 2 and why in done.stderr and done.stdout == ""


def test_every_file_has_its_way_back_beside_it():
    for up in ROOT.glob("sql/*/*/*.sql"):
        if up.name != "restored.sql" and not up.name.endswith(".down.sql"):
            assert up.with_name(up.stem + ".down.sql").exists(), up
