"""Fixtures: `server` is shared by the tests of a file, `own_server` makes one for a single test, `modules` compiles plugins."""
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "e2e"))
import postgres  # noqa: E402
import redis  # noqa: E402
from parley import ROOT, Server  # noqa: E402


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


def pytest_sessionfinish():
    postgres.end_shared()  # a process of xdist ends without atexit
    redis.end_shared()
