"""Storms in short: some of every kind of fault under load, judged by the checker.  Longer ones:

    pytest tests/faults/test_storm.py -n 0 --storm-faults 200 --storm-seed 7        or tests/faults/storm.py --help
"""
import shutil
import tempfile
from pathlib import Path

import pytest

import storm
from faults import release_build


@pytest.fixture
def folder():
    """one that PostgreSQL, which runs as somebody else, may enter; it stays if the storm is not passed"""
    made = Path(tempfile.mkdtemp(prefix="parley-storm-"))
    made.chmod(0o755)
    return made


@pytest.mark.parametrize("stores", ["postgres", "sqlite"])
def test_a_storm(stores, folder, request):
    n = request.config.getoption("--storm-faults")
    seed = request.config.getoption("--storm-seed")
    lines = []
    more = {"build": release_build(), "longest": 10.0} if n > 12 else {"longest": 2.0}

    def say(line):
        lines.append(line)
        print(line, flush=True)
    assert storm.STORMS[stores](folder, n, seed, say=say, **more).run(), "\n".join(lines)
    shutil.rmtree(folder)
