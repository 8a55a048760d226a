"""Every SQL text of every plugin, found in the sources: written by the rules of docs/SQL.md, and taken by both databases.

Nothing here lists plugins or statements: the texts are the string literals of the preprocessed sources that begin like a
statement, so that a new one is tested as soon as it is written."""
import contextlib
import re
import sqlite3
import subprocess

import pytest

import postgres
from parley import ROOT

pytestmark = pytest.mark.one_database("both, by itself")

STATEMENT = re.compile(r"(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|VALUES)\s+\S")
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


def texts_of(source):
    """the statements among the string literals of a C file, adjacent literals joined as the compiler does"""
    done = subprocess.run(["cc", "-E", "-P", "-std=c11", "-D_GNU_SOURCE", f"-I{ROOT}/include", f"-I{ROOT}", source], capture_output=True,
                          text=True, check=True)
    found = []
    for match in LITERALS.finditer(done.stdout):
        text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', match.group(1) or "")).replace('\\"', '"').replace("\\n", "\n")
        if STATEMENT.match(text):
            found.append(text)
    return found


@pytest.fixture(scope="module")
def statements():
    """{plugin: texts}"""
    found = {}
    for folder in sorted(f for f in (ROOT / "plugins").iterdir() if f.is_dir() and not is_store(f)):
        sources = [f for f in folder.glob("*.c") if re.search(r'"\s*' + STATEMENT.pattern, f.read_text())]
        found[folder.name] = [text for f in sources for text in texts_of(f)]
    return {plugin: texts for plugin, texts in found.items() if texts}


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
            numbers = [int(n) for n in re.findall(r"\$(\d+)", text)]
            if sorted(set(numbers), key=numbers.index) != list(range(1, len(set(numbers)) + 1)):
                wrong.append(f"{plugin}: parameters are numbered in order of first use: {text}")
            wrong += [f"{plugin}: {why}: {text}" for rule, why in RULES if re.search(rule, text)]
    assert not wrong, "\n".join(wrong)


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


def test_sqlite_takes_them_all(statements, db):
    for texts in statements.values():
        for text in texts:
            names = set(re.findall(r"\$(\d+)", text))
            db.execute("EXPLAIN " + text, {name: None for name in names})


# What is asked at every message and every page, so that it must cost the same with ten million messages as with a thousand.
HOT = {
    "a page": r"^SELECT .*FROM room_events e JOIN messages m .*ORDER BY e\.seq (DESC )?LIMIT",
    "how many": r"^SELECT r\.message_count",
    "seq": r"^UPDATE rooms SET last_seq = last_seq \+ 1",
    "message": r"^INSERT INTO messages",
    "event": r"^INSERT INTO room_events",
    "the log": r"^SELECT e\.seq, e\.kind, .*ORDER BY e\.seq",
}


@pytest.mark.parametrize("what", HOT)
def test_sqlite_scans_and_sorts_nothing_for(what, statements, db):
    texts = [text for text in statements["chat"] if re.search(HOT[what], text)]
    assert texts, "no such statement: its pattern is out of date"
    for text in texts:
        names = set(re.findall(r"\$(\d+)", text))
        plan = [row[3] for row in db.execute("EXPLAIN QUERY PLAN " + text, {name: None for name in names})]
        slow = [step for step in plan if re.match("SCAN (?!CONSTANT)", step) or "TEMP B-TREE" in step]
        assert not slow, f"{slow}: {text}"


def test_postgresql_takes_them_all(statements):
    server = postgres.shared()
    name = server.database().rsplit("/", 1)[1]

    def apply(script):
        # SQLite lets a table refer to one that is not there yet; PostgreSQL says which plugin needs which.
        return server.script(f"BEGIN; {script} COMMIT;", name) == ""

    migrate("postgres", apply)
    numbered = [text for texts in statements.values() for text in texts]
    said = server.script("\n".join(f"PREPARE s{i} AS {text};" for i, text in enumerate(numbered)), name, go_on=True)
    assert not said, said
    assert server.query("SELECT 1", name) == [["1"]]
