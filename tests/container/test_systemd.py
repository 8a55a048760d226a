"""parley.service under a real systemd: started, reloaded, watched, restarted, stopped; its account, its secrets, how closed
it is.  The machine is a container that boots."""
import json
import re
import tempfile

import pytest

from engine import clone
from parley import PASSWORD, ROOT, wait_until

NAME = "parley-machine"
SECRET = "a secret that only root can read, 0123456789"
CREDENTIALS = "/etc/parley/credentials"
EXPOSURE = 1.5  # of systemd-analyze security, 10 is open


@pytest.fixture(scope="module")
def machine(engine):
    """machine(command) runs it there and gives what it printed"""
    with tempfile.TemporaryDirectory() as folder:
        clone(folder)
        engine.podman("build", "--network", "host", "--quiet", "--target", "build", "--tag", "parley-build", folder, timeout=1800)
    engine.podman("build", "--network", "host", "--quiet", "--tag", "parley-systemd", "--file", ROOT / "tests/container/standins/systemd.dockerfile",
                  ROOT / "tests/container/standins")
    engine.podman("run", "--detach", "--name", NAME, "--privileged", "--systemd=always", "--network", "none", "parley-systemd")

    def run(command, check=True):
        done = engine.run("podman", "exec", NAME, "sh", "-c", command, check=False)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}\n" + engine.run(
            "podman", "exec", NAME, "journalctl", "--no-pager", "--unit", "parley", check=False).stdout
        return done.stdout.strip()

    wait_until("the machine to boot", lambda: run("systemctl is-system-running", check=False) in ("running", "degraded"), 120)
    # As on a machine of its own; in a container systemd leaves it private, and credentials would be mounted where nobody sees them.
    run("mount --make-rshared /")
    yield run
    engine.podman("rm", "--force", "--time", "0", NAME)


def show(machine, what):
    return machine(f"systemctl show parley --property={what} --value")


def ready(machine):
    return json.loads(machine("curl --silent http://127.0.0.1:8000/readyz"))["status"] == "ready"


def test_it_comes_up_at_boot(machine):
    """Type=notify: active is what the supervisor said when its workers served."""
    assert machine("systemctl is-active parley") == "active"
    assert show(machine, "StatusText") == "serving"
    assert ready(machine)


def test_nothing_else_failed(machine):
    assert machine("systemctl --failed --no-legend --plain") == ""


def test_its_processes_have_an_account_and_no_rights(machine):
    main = show(machine, "MainPID")
    for pid in [main, *machine(f"cat /proc/{main}/task/{main}/children").split()]:
        status = machine(f"cat /proc/{pid}/status")
        uid = re.search(r"^Uid:\t(\d+)", status, re.M)[1]
        assert machine(f"getent passwd {uid}").startswith("parley:")
        for field, wanted in (("CapEff", "0000000000000000"), ("CapBnd", "0000000000000000"), ("NoNewPrivs", "1"), ("Seccomp", "2")):
            assert re.search(rf"^{field}:\t(\S+)", status, re.M)[1] == wanted, field
    assert machine("stat -c '%U %a' /var/lib/parley /var/log/parley").split("\n") == ["parley 700", "parley 750"]


def test_people_use_it_inside_its_walls(machine):
    """Passwords are hashed, mails written, messages stored, under the filter of system calls and the rest."""
    call = "curl --silent --fail-with-body --header 'Content-Type: application/json'"
    api = "http://127.0.0.1:8000/api"
    person = {"first_name": "A", "last_name": "B", "email": "ada@example.org", "username": "ada", "password": PASSWORD, "password_confirm": PASSWORD}
    machine(f"{call} {api}/auth/register/ --data '{json.dumps(person)}'")
    token = wait_until("the mail", lambda: re.search(r"/verify-email/([\w-]+)/", machine("cat /var/lib/parley/outbox/*.eml", check=False)))[1]
    machine(f"{call} --request POST {api}/auth/verify-email/{token}/")
    login = json.loads(machine(f"{call} {api}/auth/login/ --data '{json.dumps({'email': person['email'], 'password': PASSWORD})}'"))
    auth = f"--header 'Authorization: Token {login['token']}'"
    room = json.loads(machine(f"{call} {auth} {api}/chat/rooms/ --data '{{\"name\": \"Room\"}}'"))["id"]
    machine(f"{call} {auth} {api}/chat/rooms/{room}/send/ --data '{{\"content\": \"Hello\"}}'")
    assert "Hello" in machine(f"{call} {auth} {api}/chat/rooms/{room}/messages/")


def test_reload_ends_when_the_successors_serve(machine):
    main = show(machine, "MainPID")
    workers = machine(f"cat /proc/{main}/task/{main}/children")
    machine("systemctl reload parley")
    wait_until("the reload to end", lambda: machine("systemctl is-active parley", check=False) == "active")
    wait_until("another worker", lambda: set(machine(f"cat /proc/{main}/task/{main}/children").split()).isdisjoint(workers.split()))
    assert show(machine, "MainPID") == main and ready(machine)


def test_the_watchdog_bites_a_supervisor_that_hangs(machine):
    """Its time is shortened for the test: a drop-in, as operators write them."""
    machine("mkdir -p /run/systemd/system/parley.service.d && printf '[Service]\\nWatchdogSec=2\\n' >/run/systemd/system/parley.service.d/fast.conf"
            " && systemctl daemon-reload && systemctl restart parley")
    main = show(machine, "MainPID")
    machine(f"kill -STOP {main}")
    wait_until("another supervisor", lambda: show(machine, "MainPID") not in (main, "0") and show(machine, "ActiveState") == "active", 60)
    assert "Watchdog timeout" in machine("journalctl --no-pager --unit parley")
    machine("rm -r /run/systemd/system/parley.service.d && systemctl daemon-reload && systemctl restart parley")
    assert ready(machine)


def test_a_killed_supervisor_is_back(machine):
    main = show(machine, "MainPID")
    machine(f"kill -KILL {main}")
    wait_until("another supervisor", lambda: show(machine, "MainPID") not in (main, "0") and show(machine, "ActiveState") == "active", 60)
    assert ready(machine)


def test_stop_is_an_orderly_end(machine):
    machine("systemctl stop parley")
    assert show(machine, "Result") == "success" and show(machine, "ExecMainStatus") == "0"
    machine("systemctl start parley")


def test_a_secret_as_a_credential(machine):
    assert machine("ls /var/lib/parley/secret"), "made for itself, as long as none is given"
    machine(f"systemctl stop parley && rm -r /var/lib/parley/* && umask 077 && printf '%s' '{SECRET}' >{CREDENTIALS}/SECRET_KEY && systemctl start parley")
    assert ready(machine)
    assert machine("ls /var/lib/parley/secret", check=False) == ""
    main = show(machine, "MainPID")
    assert SECRET not in machine(f"tr '\\0' '\\n' </proc/{main}/environ; journalctl --no-pager --unit parley; cat /var/log/parley/*")
    assert machine(f"stat -c '%U %a' {CREDENTIALS} {CREDENTIALS}/SECRET_KEY").split("\n") == ["root 700", "root 600"]


def test_a_wrong_configuration_is_not_tried_again(machine):
    machine("systemctl stop parley && cp /etc/parley/parley.yaml /tmp/good && echo 'nope: 1' >>/etc/parley/parley.yaml")
    assert machine("systemctl start parley", check=False) == ""
    assert show(machine, "ExecMainStatus") == "78" and show(machine, "NRestarts") == "0"
    # The starts of these tests are more than systemd allows in ten seconds; an operator says the same then.
    machine("cp /tmp/good /etc/parley/parley.yaml && systemctl reset-failed parley && systemctl start parley")
    assert ready(machine)


def test_how_closed_it_is(machine):
    assert machine("systemd-analyze verify /usr/lib/systemd/system/parley.service 2>&1 | grep -v 'man parley' || true") == ""
    report = machine("systemd-analyze security --no-pager parley")
    exposure = float(re.search(r"Overall exposure level for parley.service: ([\d.]+)", report)[1])
    print(f"systemd-analyze security: {exposure}")
    assert exposure <= EXPOSURE, report
