"""Fixtures: the engine with its images, made once a run."""
import pytest

from engine import Engine


@pytest.fixture(scope="session")
def engine():
    one = Engine()
    try:
        one.make_base()
        one.make_standins()
        one.make_parley()
        yield one
    finally:
        one.close()
