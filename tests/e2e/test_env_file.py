"""--env-file FILE: variables of the configuration from a file of NAME=VALUE lines."""
import os
import shutil
import signal
import subprocess

import pytest
import requests

from command import command
from parley import BUILD, PATIENCE, ROOT, free_port, wait_until

pytestmark = pytest.mark.one_database("how the configuration is read")


def check(folder, text, *more, env=None, name="the.env"):
    (folder / name).write_text(text)
    return subprocess.run([BUILD / "parley", "check", *more, "--env-file", folder / name], cwd=ROOT, capture_output=True, text=True,
                          env={"PATH": "/bin:/usr/bin", **(env or {})}, timeout=PATIENCE)


def test_a_server_takes_its_variables_from_it(own_server, tmp_path):
    server = own_server(start=False)
    taken = free_port()
    file = tmp_path / "the.env"
    file.write_text(f"# of the original app\nexport PORT={server.port}\nSITE_URL = 'http://127.0.0.1:{taken}' # not ours\n"
                    "EMAIL_FROM=\"Chat \\\"team\\\" <chat@example.org>\"\n")
    for name in ("PORT", "SITE_URL"):
        del server.env[name]
    server.arguments += ["--env-file", str(file)]
    server.start()
    assert f"listening on http://127.0.0.1:{server.port}" in server.text()
    person = server.person(login=False, verified=False)
    mail = wait_until("the mail", lambda: server.mails(person.email))[0]
    assert f"http://127.0.0.1:{taken}/api/auth/verify-email/" in mail.get_body().get_content()
    assert mail["From"].addresses[0].display_name == 'Chat "team"'


def test_nothing_is_evaluated(tmp_path):
    done = check(tmp_path, "ALLOWED_HOSTS=$HOME\n", env={"HOME": "example.org"})
    assert done.returncode == 78 and '"$HOME" is not a host name' in done.stderr


@pytest.mark.parametrize("verb", [("user", "list"), ("mail", "list"), ("export",), ("room", "list", "--json")])
def test_commands_take_it_too(own_server, tmp_path, verb):
    server = own_server()
    file = tmp_path / "the.env"
    file.write_text(f"DATA_DIR={server.data}\nLOG_DIR={server.logs}\n")
    for name in ("DATA_DIR", "LOG_DIR"):
        del server.env[name]
    for words in (("--env-file", file), (f"--env-file={file}",)):
        done = command(server, *verb, *words)
        assert done.returncode == 0, done.stderr


def test_the_environment_wins(tmp_path):
    assert check(tmp_path, "PORT=nonsense\n").returncode == 78
    assert check(tmp_path, "PORT=nonsense\n", env={"PORT": "8000"}).returncode == 0


def test_a_variable_that_nobody_uses(tmp_path):
    done = check(tmp_path, "DATABASE_URL=postgresql://u:secret@h/d\n")
    assert done.returncode == 78 and "DATABASE_URL" in done.stderr and "secret" not in done.stderr


@pytest.mark.parametrize("text, words", [
    ("PORT=8000\nnonsense\n", "the.env:2: must be NAME=VALUE: there is no = behind the name"),
    ("A='hush", "the.env:1: A: the quote is not closed on its line"),
    ("A='x' hush", "the.env:1: A: there is something behind the closing quote"),
    ("A=" + "hush" * 20000, "is larger than 64 KiB"),
], ids=["no equals", "open quote", "behind the quote", "large"])
def test_wrong_files(tmp_path, text, words):
    done = check(tmp_path, text)
    assert done.returncode == 78 and words in done.stderr and len(done.stderr.splitlines()) == 1
    assert "hush" not in done.stderr


def test_no_file(tmp_path):
    done = subprocess.run([BUILD / "parley", "check", "--env-file", tmp_path / "none"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 78 and "none: cannot be read: No such file or directory" in done.stderr
    done = subprocess.run([BUILD / "parley", "check", "--env-file"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (2, "error: --env-file needs the name of a file\n")


def test_behind_two_dashes_it_is_an_operand(own_server):
    server = own_server()
    done = command(server, "user", "show", "--", "--env-file")
    assert done.returncode == 1 and 'nobody has the address, username or id "--env-file"' in done.stderr


def test_dev_run_hands_it_on(tmp_path):
    """The script in a tree where everything is compiled already: the server that it becomes has the variables of the file."""
    port = free_port()
    shutil.copy(ROOT / "dev", tmp_path)
    for folder in ("config", "sql", "templates", "web", "admin"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "build" / "release").mkdir(parents=True)
    (tmp_path / "build" / "release" / "parley").symlink_to(BUILD / "parley")
    (tmp_path / "build" / "release" / "build.ninja").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "cmake").symlink_to("/bin/true")
    (tmp_path / "the.env").write_text(f"PORT={port}\nOPS=none\nDATA_DIR={tmp_path}/data\nLOG_DIR={tmp_path}/logs\n")
    env = {**{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "HOST", "PORT", "DATA_DIR", "LOG_DIR", "OPS")},
           "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    with subprocess.Popen([tmp_path / "dev", "run", "--env-file", "the.env"], cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = []
            while not lines or "listening on" not in lines[-1]:
                lines.append(process.stderr.readline())
                assert lines[-1], lines
            assert f"http://127.0.0.1:{port}" in lines[-1]
            assert any("the variables of that file" in line for line in lines)
            assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE).status_code == 200
            assert (tmp_path / "data" / "parley.db").exists() and not (tmp_path / "var").exists()
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
    assert process.returncode == 0
