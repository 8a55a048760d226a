"""The image that the Dockerfile makes: what is in it, and what is not."""
import json
import re
import time

import pytest

from engine import BASE, clone
from parley import PATIENCE


@pytest.fixture(scope="module")
def config(engine):
    seen = engine.inspect("parley", "image")
    return {**seen["Config"], "Healthcheck": seen["Healthcheck"]}


def inside(engine, script, *options):
    return engine.podman("run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL", *options, "--entrypoint", "sh", "parley",
                         "-c", script)


def test_what_it_says_of_itself(config):
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["parley"] and config["Cmd"] == ["serve"], "without a shell between, which would keep the signals"
    assert config["StopSignal"] == "SIGTERM"
    assert config["Healthcheck"]["Test"] == ["CMD", "parley", "health"]
    assert list(config["ExposedPorts"]) == ["8000/tcp"]
    assert set(config["Volumes"]) == {"/var/lib/parley", "/var/log/parley"}
    for label in ("title", "description", "licenses"):
        assert config["Labels"][f"org.opencontainers.image.{label}"]


def test_it_is_small(engine):
    size, base = (engine.inspect(image, "image")["Size"] for image in ("parley", BASE))
    print(f"image {size / 1e6:.1f} MB, {(size - base) / 1e6:.1f} MB over its base")
    assert size - base < 25e6


def test_nothing_unneeded_is_in_it(engine):
    found = inside(engine, "command -v gcc cc cmake ninja make git curl wget python3 || true; ls -d /src /image /usr/include/parley /var/lib/apt/lists/* 2>/dev/null || true")
    assert found == ""


def test_no_set_id_program_gives_rights_back(engine):
    assert inside(engine, "grep NoNewPrivs /proc/self/status; id -u; id -g", "--security-opt", "no-new-privileges").split() == [
        "NoNewPrivs:", "1", "10001", "10001"]


def test_its_files_are_roots_and_its_folders_its_own(engine):
    assert inside(engine, "stat -c '%U %a' /usr/bin/parley /usr/lib/parley/plugins /etc/parley/parley.yaml /var/lib/parley /var/log/parley"
                  ).split("\n") == ["root 755", "root 755", "root 644", "parley 700", "parley 700"]
    assert inside(engine, "find / -xdev -writable ! -type l ! -path '/proc/*' ! -path '/dev/*' ! -path '/tmp*' ! -path '/var/tmp*' "
                          "! -path '/run*' ! -path '/var/l*/parley' 2>/dev/null || true") == ""


def test_every_plugin_loads_in_it(engine):
    plugins = inside(engine, "ls /usr/lib/parley/plugins").split()
    assert len(plugins) >= 9
    for plugin in plugins:
        assert inside(engine, f"parley describe /usr/lib/parley/plugins/{plugin}")


def test_without_its_variables_it_says_what_is_missing(engine):
    done = engine.run("podman", "run", "--rm", "--network", "none", "parley", check=False)
    assert done.returncode == 78
    assert re.search(r"error: /etc/parley/parley\.yaml:\d+: .*the variable \w+ is not set", done.stderr), done.stderr


def test_only_what_the_build_reads_goes_to_it(engine, tmp_path):
    """What .dockerignore lets through, seen by a build that only copies it."""
    clone(tmp_path)
    (tmp_path / "list.dockerfile").write_text(f"FROM {BASE}\nCOPY . /context\nRUN find /context -type f | sort >/list\n")
    engine.podman("build", "--quiet", "--network", "none", "--tag", "context", "--file", tmp_path / "list.dockerfile", tmp_path)
    files = engine.podman("run", "--rm", "--network", "none", "context", "cat", "/list").split()
    folders = {name.split("/")[2] for name in files}
    assert folders == {"admin", "CMakeLists.txt", "CMakePresets.json", "cmake", "config", "core", "dev", "docs", "include", "packaging",
                       "plugins", "sql", "templates", "web"}
    assert sum("/docs/" in name for name in files) == 1


def test_a_server_that_waits_for_its_database_stops_at_once(engine):
    """It is process 1 there, which gets no signal that it does not ask for."""
    name = "parley-alone"
    engine.podman("run", "--detach", "--name", name, "--network", "none", "--read-only", "--env", "SITE_URL=http://localhost:8000",
                  "--env", "DATABASE_URL=postgresql://a:b@127.0.0.1:1/c", "--env", "REDIS_URL=redis://127.0.0.1:1/0",
                  "--env", "EMAIL_HOST=127.0.0.1", "--env", "SECRET_KEY=0123456789abcdef", "parley")
    try:
        assert engine.run("podman", "healthcheck", "run", name, check=False).returncode == 1
        start = time.monotonic()
        engine.podman("stop", "--time", str(PATIENCE), name)
        assert time.monotonic() - start < 10
        state = engine.inspect(name)["State"]
        assert state["ExitCode"] in (0, 1), json.dumps(state)
    finally:
        engine.podman("rm", "--force", name)
