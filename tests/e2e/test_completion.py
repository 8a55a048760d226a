"""parley completion: bash itself is asked what it would offer; parley routes."""
import json
import re
import subprocess

import pytest

from command import command
from parley import BUILD, PATIENCE

pytestmark = pytest.mark.one_database("the command line's tables")

ASK = """
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
_parley
((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
exit 0
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory, server):
    done = command(server, "completion", "bash")
    assert (done.returncode, done.stderr) == (0, "")
    file = tmp_path_factory.mktemp("completion") / "parley.bash"
    file.write_text(done.stdout)
    (file.parent / "some.yaml").touch()
    return file


def offered(script, *words):
    done = subprocess.run(["bash", "-u", "-c", ASK, "bash", script, "parley", *words], capture_output=True, text=True, cwd=script.parent,
                          timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("words, expected", [
    (("",), {"serve", "check", "routes", "user", "room", "mail", "export", "createsuperuser", "migrate", "copy", "backup", "completion"}),
    (("us",), {"user"}),
    (("user", ""), {"list", "show", "create", "verify", "disable", "enable", "staff", "sessions", "end-sessions", "password", "delete"}),
    (("user", "s"), {"show", "staff", "sessions"}),
    (("room", "re"), {"remove"}),
    (("user", "list", "--"), {"--search", "--limit", "--offset", "--json", "--config", "--env-file", "--help"}),
    (("user", "list", "--limit", "5", "--s"), {"--search"}),
    (("--config", "some.yaml", "user", "li"), {"list"}),
    (("user", "--config", "list", "li"), {"list"}),
    (("user", "create", "--no"), {"--no-verified"}),
    (("import", ""), {"django"}),
    (("copy", "--v"), {"--verify"}),
    (("serve", "--"), {"--config", "--env-file", "--user", "--help"}),
    (("version", "--c"), set()),
    (("check", "--config", "so"), {"some.yaml"}),
    (("restore", "so"), {"some.yaml"}),
    (("nonsense", "--x"), set()),
    (("worker", "--sl"), set()),
])
def test_bash_offers(script, words, expected):
    got = offered(script, *words)
    assert len(got) == len(set(got))
    assert set(got) == expected if words != ("",) else expected <= set(got) and "worker" not in got


def test_every_command_is_offered(script, server):
    """what --help lists is what can be completed, word by word"""
    helped = command(server, "--help").stdout
    names = re.findall(r"^  ([a-z][a-z -]*?)  ", helped, re.M)
    assert len(names) > 30 and "import" in names and "user list" in names
    for name in names:
        first = name.split(" ")
        assert first[-1] in offered(script, *first[:-1], first[-1]), name


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_all_of_it(server, shell):
    done = command(server, "completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("end-sessions", "createsuperuser", "env-file", "no-verified", "search"):
        assert word in done.stdout
    assert done.stdout == (BUILD / "completion" / shell).read_text()


def test_unknown_shells_are_refused(server):
    done = command(server, "completion", "tcsh")
    assert (done.returncode, done.stderr) == (2, 'error: parley completion: "tcsh" is none of bash, zsh, fish\n')


def test_routes(server):
    text = command(server, "routes").stdout.splitlines()
    rows = [json.loads(line) for line in command(server, "routes", "--json").stdout.splitlines()]
    assert len(text) == len(rows) > 25
    assert {"method": "DELETE", "path": "/api/chat/rooms/:id(uuid)/", "endpoint": None, "plugin": "chat", "flags": ["user"]} in rows
    assert {"method": "EVENT", "path": "typing", "endpoint": "/ws/chat/:room(uuid)/", "plugin": "chat", "flags": []} in rows
    assert "GET     accounts      /api/auth/profile/  (user)" in text
    assert "EVENT   chat          typing on /ws/chat/:room(uuid)/" in text
    for row in rows:
        if row["method"] == "GET" and ":" not in row["path"] and "ops" not in row["flags"]:
            status = server.anonymous().get(row["path"]).status_code
            assert status == 401 if "user" in row["flags"] else status == 200, row
