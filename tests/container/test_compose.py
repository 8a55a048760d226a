"""docker-compose.yml: the original's quick start, from `cp env.example .env` to two people who talk; what a restart of each
container leaves; how closed the server's container is."""
import json
import re
import time

import pytest
import requests
import yaml

from parley import PATIENCE, ROOT, Refused, wait_until
from stack import Stack, ports

CONTENT = "Hello, World!"


@pytest.fixture(scope="module")
def stack(engine, tmp_path_factory):
    given = ports("PORT", "POSTGRES_PORT", "REDIS_PORT", "MAIL_PORT", "MAIL_PAGE_PORT")
    given["SITE_URL"] = f"http://127.0.0.1:{given['PORT']}"
    one = Stack(engine, tmp_path_factory.mktemp("clone"), "docker-compose.yml", given)
    try:
        yield one.up("web")
    except BaseException:
        print(one.logs("web"))
        raise
    finally:
        one.down()


@pytest.fixture(scope="module")
def two(stack):
    """john and jane, whose links came by mail, and their room"""
    john, jane = stack.person("john"), stack.person("jane")
    room = john.room(jane)
    john.say(room, CONTENT)
    return john, jane, room


def test_the_ports_are_the_originals():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    opened = sorted(re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", port) for one in services.values() for port in one["ports"])
    assert opened == sorted(["127.0.0.1:8000:8000", "127.0.0.1:5433:5432", "127.0.0.1:6380:6379", "127.0.0.1:1025:1025",
                             "127.0.0.1:8025:8025"])


def test_two_people_talk(stack, two):
    john, jane, room = two
    assert requests.get(stack.mail_page, timeout=PATIENCE).status_code == 200
    assert len(stack.mails("john@example.org")) == 1, "one mail, by SMTP"
    with john.socket(room) as his, jane.socket(room) as hers:
        hers.say("Hello, John!")
        assert his.message()["content"] == "Hello, John!"
        assert hers.message()["content"] == "Hello, John!"
        his.say("Hello, Jane!")
        assert hers.message()["content"] == "Hello, Jane!"


def test_it_starts_fast(stack):
    """From the start of the container to the line that says that it listens; the database is there."""
    before = len(stack.logs("web"))
    start = time.monotonic()
    stack.engine.podman("restart", "--time", "15", stack.name("web"))
    wait_until("the server to listen", lambda: "is listening on" in stack.logs("web")[before:])
    print(f"stopped, started and listening after {time.monotonic() - start:.2f} s")
    stack.engine.wait_healthy(stack.name("web"))


# ---- what a restart leaves ----
def opened(person, room):
    try:
        return person.socket(room)
    except Refused as refusal:
        assert refusal.status == 503, refusal
        return None


@pytest.mark.parametrize("service", ["web", "db", "redis"])
def test_a_restart_loses_nothing(stack, two, service):
    john, jane, room = two
    said = jane.say(room, f"before the restart of {service}")
    stack.engine.podman("restart", "--time", "15", stack.name(service))
    stack.engine.wait_healthy(stack.name("web"))
    stack.wait_url()
    messages = f"/api/chat/rooms/{room['id']}/"
    # 503 is a right answer until the lost connections have been noticed and made again.
    history = wait_until("the history", lambda: (a := john.get(messages + "messages/")).status_code == 200 and a.json()["results"])
    assert said["id"] in [m["id"] for m in history]
    assert CONTENT in [m["content"] for m in history]
    with wait_until("a socket", lambda: opened(john, room)) as his:
        text = f"after the restart of {service}"
        wait_until("a message to be taken", lambda: jane.post(messages + "send/", {"content": text}).status_code == 201)
        assert his.message()["content"] == text


def test_stop_drains(stack, two):
    john, _, room = two
    his = john.socket(room)
    his.sync()
    start = time.monotonic()
    stack.engine.podman("stop", "--time", "15", stack.name("web"))
    took = time.monotonic() - start
    end = his.closed()
    assert end.code == 1001
    state = stack.engine.inspect(stack.name("web"))["State"]
    assert state["ExitCode"] == 0 and took < 10
    stack.engine.podman("start", stack.name("web"))
    stack.engine.wait_healthy(stack.name("web"))


# ---- how closed it is ----
def test_the_root_file_system_is_read_only(stack):
    for path in ("/x", "/etc/x", "/usr/bin/x", "/usr/lib/parley/plugins/x"):
        done = stack.inside("web", "touch", path, check=False)
        assert done.returncode != 0 and re.search("Read-only|Permission", done.stderr), done.stderr
    assert stack.engine.inspect(stack.name("web"))["HostConfig"]["ReadonlyRootfs"]


def test_no_process_in_it_is_root_or_has_rights(stack):
    status = stack.inside("web", "sh", "-c", "cat /proc/[0-9]*/status").stdout
    for field, wanted in (("Uid", "10001"), ("Gid", "10001"), ("CapEff", "0000000000000000"), ("CapBnd", "0000000000000000"), ("NoNewPrivs", "1")):
        found = re.findall(rf"^{field}:\t(\S+)", status, re.M)
        assert len(found) >= 2 and set(found) == {wanted}, (field, found)


def test_health_follows_the_database(stack):
    healthy = ["podman", "healthcheck", "run", stack.name("web")]
    assert stack.engine.run(*healthy, check=False).returncode == 0
    stack.engine.podman("pause", stack.name("db"))
    try:
        wait_until("it to be unhealthy", lambda: stack.engine.run(*healthy, check=False).returncode == 1, 60)
    finally:
        stack.engine.podman("unpause", stack.name("db"))
    stack.engine.wait_healthy(stack.name("web"))
    asked = json.loads(stack.inside("web", "parley", "health").stdout)
    assert asked["status"] == "ready" and asked["plugins"]["postgres"]["ready"]
