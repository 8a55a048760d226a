"""Every SQL text of every plugin, found in the sources: written by the rules of docs/SQL.md, and taken by both databases; and
what those of chat cost PostgreSQL when much has been said.

Nothing here lists plugins or statements: the texts are the string literals of the preprocessed sources that begin like a
statement, so that a new one is tested as soon as it is written."""
import contextlib
import json
import re
import sqlite3
import subprocess

import pytest

import postgres
from parley import ROOT

pytestmark = pytest.mark.one_database("both, by itself")

STATEMENT = re.compile(r"(SELECT|INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM|WITH|VALUES)\s+\S")
LITERALS = re.compile(r"'(?:[^'\\]|\\.)'|((?:\"(?:[^\"\\]|\\.)*\"\s*)+)")
RULES = [
    # what a text may not hold, and why
    (r"::", "a cast is CAST(x AS ...)"),
    (r"CAST\([^()]*(?:\([^()]*\)[^()]*)*AS (?!BIGINT|TEXT)\w+", "only CAST(x AS BIGINT) and CAST(x AS TEXT)"),
    (r"ANY\s*\(", "no ANY()"),
    (r"FOR (UPDATE|SHARE|NO KEY)", "no row locks but those of UPDATE"),
    (r"\(\s*(INSERT|UPDATE|DELETE)\s", "no data-modifying CTE"),
    (r"^INSERT[^;]* SELECT (?:(?!WHERE).)* ON CONFLICT", "WHERE true before ON CONFLICT after INSERT ... SELECT"),
    (r"\?", "parameters are $1, $2, ..."),
]


def is_store(folder):
    """a plugin that talks to a database itself speaks the dialect of that one"""
    return any(line.startswith(("#include <sqlite3.h>", "#include <libpq-fe.h>"))
               for f in folder.glob("*.[ch]") for line in f.read_text().splitlines())


def preprocessed(source):
    return subprocess.run(["cc", "-E", "-P", "-std=c11", "-D_GNU_SOURCE", f"-I{ROOT}/include", f"-I{ROOT}", source], capture_output=True,
                          text=True, check=True).stdout


def joined(literals):
    """what adjacent literals are to the compiler"""
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)).replace('\\"', '"').replace("\\n", "\n")


def texts_of(source):
    """the statements among the string literals of a C file"""
    found = []
    for match in LITERALS.finditer(preprocessed(source)):
        text = joined(match.group(1) or "")
        if STATEMENT.match(text):
            found.append(text)
    return found


def statements_in(is_meant):
    """{plugin: texts of those of its files}"""
    found = {}
    for folder in sorted(f for f in (ROOT / "plugins").iterdir() if f.is_dir() and not is_store(f)):
        sources = [f for f in folder.glob("*.c") if is_meant(f.stem) and re.search(r'"\s*' + STATEMENT.pattern, f.read_text())]
        found[folder.name] = [text for f in sources for text in texts_of(f)]
    return {plugin: texts for plugin, texts in found.items() if texts}


@pytest.fixture(scope="module")
def statements():
    """those for both databases"""
    return statements_in(lambda stem: stem not in ("sql_sqlite", "sql_postgres"))


@pytest.fixture(scope="module")
def sqlite_statements():
    return statements_in(lambda stem: stem == "sql_sqlite")


@pytest.fixture(scope="module")
def postgres_statements():
    return statements_in(lambda stem: stem == "sql_postgres")


def with_own(statements, own):
    return [text for texts in [*statements.values(), *own.values()] for text in texts]


def numbered(text):
    """whether its parameters are numbered in order of first use"""
    numbers = [int(n) for n in re.findall(r"\$(\d+)", text)]
    return sorted(set(numbers), key=numbers.index) == list(range(1, len(set(numbers)) + 1))


def scripts(dialect):
    """folder of a plugin -> its migrations, in order"""
    return {f.name: sorted(s for s in f.glob("[0-9]*_*.sql") if not s.name.endswith(".down.sql")) for f in sorted((ROOT / "sql" / dialect).iterdir())}


def migrate(dialect, apply):
    """applies every migration; a plugin whose tables refer to those of another comes after it"""
    left = scripts(dialect)
    while left:
        done = [name for name, files in left.items() if apply("".join(f.read_text() for f in files))]
        assert done, f"sql/{dialect}: {', '.join(left)} cannot be applied"
        for name in done:
            del left[name]


def test_the_statements_are_found(statements):
    assert set(scripts("sqlite")) <= set(statements), "a plugin with tables and without a statement"
    assert len(statements["chat"]) > 40  # as many as its sql.h names, or more


def test_both_dialects_have_the_same_migrations():
    for files in zip(scripts("sqlite").items(), scripts("postgres").items()):
        (left, of_left), (right, of_right) = files
        assert left == right and [f.name for f in of_left] == [f.name for f in of_right]
    assert scripts("sqlite").keys() == scripts("postgres").keys()


def test_the_rules_are_kept(statements):
    wrong = []
    for plugin, texts in statements.items():
        for text in texts:
            if not numbered(text):
                wrong.append(f"{plugin}: parameters are numbered in order of first use: {text}")
            wrong += [f"{plugin}: {why}: {text}" for rule, why in RULES if re.search(rule, text)]
    assert not wrong, "\n".join(wrong)


def test_what_is_for_one_database_has_its_like_for_the_other(sqlite_statements, postgres_statements):
    assert sqlite_statements.keys() == postgres_statements.keys() >= {"chat", "search"}
    assert len(sqlite_statements["search"]) == len(postgres_statements["search"])
    for texts in [*sqlite_statements.values(), *postgres_statements.values()]:
        assert texts and all(numbered(text) for text in texts)


@pytest.fixture
def db():
    """an SQLite database with the tables of all plugins"""
    with contextlib.closing(sqlite3.connect(":memory:")) as made:
        def apply(script):
            try:
                made.executescript(f"BEGIN; {script} COMMIT;")
                return True
            except sqlite3.Error:
                made.rollback()
                return False

        made.execute("PRAGMA foreign_keys = ON")
        migrate("sqlite", apply)
        yield made


def test_sqlite_takes_them_all(statements, sqlite_statements, db):
    for text in with_own(statements, sqlite_statements):
        names = set(re.findall(r"\$(\d+)", text))
        db.execute("EXPLAIN " + text, {name: None for name in names})


# What is asked at every message and every page, so that it must cost the same with ten million messages as with a thousand.
HOT = {
    "a page": r"^SELECT .*FROM room_events e JOIN messages m .*ORDER BY e\.seq (DESC )?LIMIT",
    "how many": r"^SELECT r\.message_count",
    "seq": r"^UPDATE rooms SET last_seq = last_seq \+ 1",
    "message": r"^INSERT OR FAIL INTO messages",
    "event": r"^INSERT OR FAIL INTO room_events",
    "what became of it": r"^SELECT m\.seq, .*last_insert_rowid",
    "the log": r"^SELECT e\.seq, e\.kind, .*ORDER BY e\.seq",
}


@pytest.mark.parametrize("what", HOT)
def test_sqlite_scans_and_sorts_nothing_for(what, statements, sqlite_statements, db):
    texts = [text for text in statements["chat"] + sqlite_statements["chat"] if re.search(HOT[what], text)]
    assert texts, "no such statement: its pattern is out of date"
    for text in texts:
        names = set(re.findall(r"\$(\d+)", text))
        plan = [row[3] for row in db.execute("EXPLAIN QUERY PLAN " + text, {name: None for name in names})]
        slow = [step for step in plan if re.match("SCAN (?!CONSTANT)", step) or "TEMP B-TREE" in step]
        assert not slow, f"{slow}: {text}"


def test_postgresql_takes_them_all(statements, postgres_statements):
    server = postgres.shared()
    name = server.database().rsplit("/", 1)[1]

    def apply(script):
        # SQLite lets a table refer to one that is not there yet; PostgreSQL says which plugin needs which.
        return server.script(f"BEGIN; {script} COMMIT;", name) == ""

    migrate("postgres", apply)
    texts = with_own(statements, postgres_statements)
    said = server.script("\n".join(f"PREPARE s{i} AS {text};" for i, text in enumerate(texts)), name, go_on=True)
    assert not said, said
    assert server.query("SELECT 1", name) == [["1"]]


# ---- what they cost ----
NAMED = re.compile(r'\[\(?(SQL_\w+)\)?(?:\s*-\s*SQL_\w+)?\]\s*=\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
LOG = {"messages", "room_events", "message_edits", "reactions"}  # they grow with every word
SEARCHES = {"SQL_VERB_ROOMS", "SQL_VERB_ROOM_FIND", "SQL_VERB_USER_FIND"}  # of the command line, by names that have no index
FEW = {"SQL_PRESENCE_ROOMS", "SQL_SEND_LOCK"}  # many rooms at once: a table of 500 is sooner read whole
FILL = """
INSERT INTO users (uid, username, username_key, email, email_key, first_name, last_name, password_hash, joined_at)
    SELECT gen_random_uuid(), 'u' || i, 'u' || i, i || '@example.org', i || '@example.org', 'A', 'L', '', i FROM generate_series(1, 2000) i;
INSERT INTO rooms (uid, name, creator_id, epoch, last_seq, message_count, created_at, updated_at)
    SELECT gen_random_uuid(), 'r' || i, i, 'e', n, n, i, i FROM (SELECT i, CASE i WHEN 1 THEN 10000 ELSE 20 END AS n
    FROM generate_series(1, 500) i) s;
INSERT INTO room_members (room_id, user_id, joined_at)
    SELECT r, 1 + (r - 1 + m * 7) % 2000, 0 FROM generate_series(1, 500) r, generate_series(0, 19) m;
INSERT INTO messages (uid, room_id, seq, sender_id, sender_uid, sender_username, sender_first_name, sender_last_name, content, created_at,
    edited_at) SELECT gen_random_uuid(), r.id, i, u.id, u.uid, u.username, 'A', 'L', 'new', i, CASE WHEN i % 10 = 0 THEN i END
    FROM rooms r JOIN users u ON u.id = r.creator_id CROSS JOIN generate_series(1, r.last_seq) i;
INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at) SELECT room_id, seq, 1, id, sender_id, created_at FROM messages;
INSERT INTO message_edits (room_id, message_seq, seq, content, written_at)
    SELECT room_id, seq, n, 'old', n FROM messages CROSS JOIN generate_series(1, 3) n WHERE edited_at IS NOT NULL;
INSERT INTO reactions (room_id, message_seq, emoji, user_id, seq)
    SELECT room_id, seq, chr(128512 + n), sender_id, n FROM messages CROSS JOIN generate_series(1, 2) n WHERE seq % 5 = 0;
ANALYZE;
"""


class Filled:
    """a database in which much has been said, most of it in one room, and the statements of chat by name"""

    def __init__(self):
        self.server = postgres.shared()
        self.name = self.server.database().rsplit("/", 1)[1]
        migrate("postgres", lambda script: self.server.script(f"BEGIN; {script} COMMIT;", self.name) == "")
        assert not self.server.script(FILL, self.name)
        chat = ROOT / "plugins/chat"
        self.texts = {name: joined(literals) for source in [*sorted(chat.glob("*sql.c")), chat / "sql_postgres.c"]
                      for name, literals in NAMED.findall(preprocessed(source))}

    def prepare(self, name, mode="generic"):
        return f"SET plan_cache_mode = force_{mode}_plan; PREPARE {name} AS {self.texts[name]};"

    def plans(self, script):
        """the scans of each plan that the script explains"""
        text, found = "\n".join("|".join(row) for row in self.server.query(script, self.name)), []
        while text.strip():
            plan, end = json.JSONDecoder().raw_decode(text.lstrip())
            text = text.lstrip()[end:]
            found.append(list(scans(plan[0]["Plan"])))
        return found


def scans(node):
    if "Scan" in node["Node Type"] and ("Relation Name" in node or "Index Name" in node):
        yield node
    for inner in node.get("Plans", []):
        yield from scans(inner)


@pytest.fixture(scope="module")
def filled():
    return Filled()


def test_no_statement_of_chat_reads_a_whole_table(filled):
    wrong = []
    for name, text in filled.texts.items():
        n = max(map(int, re.findall(r"\$(\d+)", text)), default=0)
        values = f"({', '.join(['NULL'] * n)})" if n else ""
        plan, = filled.plans(f"{filled.prepare(name)} EXPLAIN (FORMAT JSON) EXECUTE {name}{values}")
        for scan in plan:
            table = scan.get("Relation Name", "")
            if scan["Node Type"] == "Seq Scan" and table in LOG | {"rooms", "room_members", "users"} and name not in SEARCHES | FEW:
                wrong.append(f"{name} reads all of {table}")
            if table in LOG and "Index" in scan["Node Type"] and "Index Cond" not in scan:
                wrong.append(f"{name} walks through {scan['Index Name']}")
    assert not wrong, "\n".join(wrong)
    assert len(filled.texts) > 90 and SEARCHES <= set(filled.texts)


# The statements of one transaction, or of one answer, with their parameters; rows of the log that they may look at.
COSTS = [
    ("the latest page, with reactions", 450, [("SQL_HISTORY", "1, {room}, 0, 50"), ("SQL_REACTIONS_PAGE", "1, {room}, 0, 50")]),
    ("a page by seq, up", 450, [("SQL_HISTORY_UP", "1, {room}, 5000, 10000, 51"), ("SQL_REACTIONS_UP", "1, {room}, 5000, 10000, 51")]),
    ("a page by seq, down", 450, [("SQL_HISTORY_DOWN", "1, {room}, 0, 5000, 51"), ("SQL_REACTIONS_DOWN", "1, {room}, 0, 5000, 51")]),
    ("one message", 5, [("SQL_SHOW", "1, {message}"), ("SQL_REACTIONS", "1, {message}")]),
    ("its past", 20, [("SQL_PAST_COUNT", "{message}"), ("SQL_PAST", "{message}, 50, 0")]),
    ("an edit", 20, [("SQL_ERASE_LOCK", "{message}"), ("SQL_EDIT_SEQ", "1, {message}, 'x'"), ("SQL_EDIT_EVENT", "1, 1, {message}, 'x'"),
                     ("SQL_EDIT_KEEP", "1, {message}, 'x'"), ("SQL_EDIT_MESSAGE", "'x', NULL, 1, 1, {message}")]),
    ("a reaction", 40, [("SQL_REACT_SEQ", "1, {message}, 'x', 10, 20"), ("SQL_REACT_EVENT", "1, 'x', 1, {message}, 10, 20"),
                        ("SQL_REACT_ADD", "'x', 1, {message}, 10, 20"), ("SQL_REACT_STATE", "'x', 1, {message}")]),
    ("its end", 40, [("SQL_UNREACT_SEQ", "1, {message}, chr(128513)"), ("SQL_UNREACT_EVENT", "1, chr(128513), 1, {message}"),
                     ("SQL_UNREACT_REMOVE", "chr(128513), 1, {message}")]),
    ("a deletion", 40, [("SQL_ERASE_SEQ", "1, {message}"), ("SQL_ERASE_EVENT", "1, 1, {message}"), ("SQL_ERASE_AUDIT", "1, '', 1, {message}"),
                        ("SQL_ERASE_MESSAGE", "1, 1, {message}"), ("SQL_ERASE_MARK", "{message}"), ("SQL_ERASE_EDITS", "{message}"),
                        ("SQL_ERASE_REACTIONS", "{message}")]),
    ("a page of an export", 450, [("SQL_EXPORT", "1, 5000, 500"), ("SQL_EXPORT_PAST", "1, 5000, 500"), ("SQL_EXPORT_REACTIONS", "1, 5000, 500")]),
]


@pytest.mark.parametrize("mode", ["generic", "custom"])  # PostgreSQL takes either, by what it has counted
@pytest.mark.parametrize("most, group", [c[1:] for c in COSTS], ids=[c[0] for c in COSTS])
def test_what_is_looked_at_does_not_grow_with_the_log(filled, most, group, mode):
    room = filled.server.query("SELECT uid FROM rooms WHERE id = 1", filled.name)[0][0]
    message = filled.server.query("SELECT uid FROM messages WHERE room_id = 1 AND seq = 9990", filled.name)[0][0]
    runs = [f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {name}({values.format(room=repr(room), message=repr(message))});" for name, values in group]
    plans = filled.plans("".join(filled.prepare(name, mode) for name, _ in group) + "BEGIN;" + "".join(runs) + "ROLLBACK")
    assert len(plans) == len(group)
    rows = {name: sum(scan["Actual Loops"] * (scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)) for scan in plan
                      if scan.get("Relation Name") in LOG) for (name, _), plan in zip(group, plans)}
    assert 0 < sum(rows.values()) <= most, rows
