"""Fixtures: `server` is shared by the tests of a file, `own_server` makes one for a single test, `modules` compiles plugins.

Everything runs on SQLite, and again on PostgreSQL with PARLEY_DB=postgres.  What need not run again says so by the marker
one_database(why): files about the core, which knows no SQL, or about a plugin without tables; and files that choose their
database themselves.  Files about accounts, rooms, messages and mail, or about what is lost in a fault, never have it.
"""
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "e2e"))
import described  # noqa: E402
import postgres  # noqa: E402
import redis  # noqa: E402
from parley import ROOT, Server  # noqa: E402


described.watch()


def pytest_addoption(parser):
    parser.addoption("--storm-faults", type=int, default=6, help="faults of each storm (tests/faults/test_storm.py)")
    parser.addoption("--storm-seed", type=int, default=1, help="what the storms' chance begins with")


@pytest.fixture(autouse=True)
def answers_are_described():
    """What a server has said is as its documents say (described.py)."""
    yield
    found = described.taken()
    assert not found, "not as the documents of the API say:\n" + "\n".join(found)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with the throttles lifted."""
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def own_server(tmp_path):
    """own_server(env=..., config=...) -> a server of this test's own, ended with it."""
    made = []

    def make(start=True, **more):
        one = Server(tmp_path / f"server{len(made)}", **more)
        made.append(one)
        return one.start() if start else one

    yield make
    for one in made:
        if one.process and one.process.poll() is None:
            one.end()


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """modules(name, source, *flags) -> path of a plugin compiled outside the tree"""
    folder = tmp_path_factory.mktemp("plugins")
    folder.chmod(0o755)

    def build(name, source, *flags):
        (folder / f"{name}.c").write_text(source)
        path = folder / f"{name}.so"
        subprocess.run(["cc", "-std=c11", "-fPIC", "-shared", "-fvisibility=hidden", f"-I{ROOT}/include", *flags,
                        "-o", path, folder / f"{name}.c"], check=True)
        path.chmod(0o755)
        return path

    return build


def pytest_collection_modifyitems(config, items):
    if os.environ.get("PARLEY_DB", "sqlite") == "sqlite":
        return
    once = [item for item in items if item.get_closest_marker("one_database")]
    config.hook.pytest_deselected(items=once)
    items[:] = [item for item in items if not item.get_closest_marker("one_database")]


def pytest_sessionfinish():
    postgres.end_shared()  # a process of xdist ends without atexit
    redis.end_shared()
