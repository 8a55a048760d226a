"""Fixtures: servers under faults."""
import pytest

from faults import Faults, release_build


@pytest.fixture
def faulty_server(own_server, tmp_path):
    """faulty_server(config=...) -> a server with the shim, not sanitized; its switches are server.faults"""
    def make(start=True, env=None, **more):
        faults = Faults(tmp_path / "shim")
        one = own_server(start=False, build=release_build(), env={**faults.env, **(env or {})}, **more)
        one.faults = faults
        return one.start() if start else one

    return make


def pytest_collection_modifyitems(config, items):
    """A storm is given time for its faults."""
    for item in items:
        if item.path.name == "test_storm.py":
            item.add_marker(pytest.mark.timeout(180 + 40 * config.getoption("--storm-faults")))
