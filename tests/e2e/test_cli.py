"""Commands of plugins (tests/e2e/plugins/verbs.c): in `parley` itself and in a worker of the running server, alike."""
import os
import re
import signal
import socket
import stat
import subprocess

import pytest

from command import Typed, command, words
from parley import BUILD, PATIENCE, ROOT, Server, wait_until

CONFIG = """
server:
  host: 127.0.0.1
  port: ${PORT}
  data_dir: ${DATA_DIR}
  log_dir: ${LOG_DIR}
  workers: 2
  drain_timeout: 2s
plugins:
  - verbs: { path: %s }
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugins")
    folder.chmod(0o755)
    path = folder / "verbs.so"
    subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden",
                    f"-I{ROOT}/include", "-o", path, ROOT / "tests/e2e/plugins/verbs.c"], check=True)
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def running(tmp_path_factory, plugin):
    with Server(tmp_path_factory.mktemp("running"), config=CONFIG % plugin) as one:
        yield one


@pytest.fixture(scope="module")
def stopped(tmp_path_factory, plugin):
    return Server(tmp_path_factory.mktemp("stopped"), config=CONFIG % plugin)


@pytest.fixture(params=["running", "stopped"])
def place(request):
    """a server that runs, and one that does not: a verb does not see the difference"""
    return request.getfixturevalue(request.param)


def is_running(server):
    return server.process is not None


# ---- where ----
def test_a_verb_runs_in_a_worker_while_a_server_runs(running):
    done = command(running, "try", "say", "hi")
    assert (done.returncode, done.stderr) == (0, "said\n")
    pid = int(re.search(r"^hi\npid=(\d+) started=1 ", done.stdout).group(1))
    assert pid in running.workers()
    running.wait_line("INFO core command: parley try say")


def test_a_verb_runs_in_a_process_of_its_own_otherwise(stopped):
    done = command(stopped, "try", "say", "hi")
    assert (done.returncode, done.stderr) == (0, "said\n")
    assert " started=1 " in done.stdout


def test_flags_say_where_a_verb_may_run(running, stopped):
    refused = f"works only while no server uses {running.data}, and one does; stop it first\n"
    assert command(running, "try", "bare").stdout.startswith("bare pid=")
    assert "started=0" in command(running, "try", "bare").stdout
    for name in "offline", "both":
        done = command(running, "try", name)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"error: parley try {name} {refused}")
    assert re.fullmatch(r"offline pid=\d+ started=1\n", command(stopped, "try", "offline").stdout)
    assert re.fullmatch(r"offline bare pid=\d+ started=0\n", command(stopped, "try", "both").stdout)


def test_no_server_starts_while_a_verb_runs(plugin, own_server):
    server = own_server(start=False, config=CONFIG % plugin)
    verb = Typed(server, "try", "count").wait_for("counting")
    server.start(ready=False)
    assert server.process.wait(PATIENCE) == 1
    server._reader.join(PATIENCE)
    assert f"another server is using {server.data}" in server.text()
    assert verb.interrupt().end() == 1


# ---- values ----
def test_options_and_operands_reach_the_verb(place):
    done = command(place, "try", "say", "--times=2", "--loud", "--colour", "GREEN", "--tag", "a", "--tag=b", "hi", "--",
                   "--more", "-x", "")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["hi!", "hi!"] and "colour=1 key=0 file=" in lines[2]
    assert lines[3:] == ["tag=a", "tag=b", "more=--more", "more=-x", "more="]


def test_no_turns_a_switch_off_and_underscores_are_dashes(place):
    done = command(place, "try", "say", "--no-loud", "--to_file", "/x/y", "hi")
    assert done.stdout.startswith("hi\n") and "file=/x/y\n" in done.stdout


def test_a_path_is_relative_to_where_the_command_was_typed(place, tmp_path):
    done = command(place, "try", "say", "--to-file", "some/file", "hi", cwd=tmp_path)
    assert f"file={tmp_path}/some/file\n" in done.stdout


def test_a_secret_can_come_from_standard_input(place):
    assert " key=10 " in command(place, "try", "say", "--key", "-", "hi", stdin="topsecret!\nmore\n").stdout
    done = command(place, "try", "say", "--key", "-", "hi")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: parley try say: --key is to be read from standard input, but there is no line\n"


WRONG = [
    (["--times", "9", "hi"], "--times: 9 is outside 1..5"),
    (["--times", "x", "hi"], '--times: "x" is not a whole number'),
    (["--times", "2", "--times", "3", "hi"], "--times stands twice"),
    (["--times="], "--times is empty"),
    (["hi", "--times"], "--times needs a value"),
    (["--tims", "2", "hi"], "unknown option --tims; did you mean --times?"),
    (["--quite-another", "hi"], "unknown option --quite-another; `parley try say --help` lists the known ones"),
    (["-t", "hi"], "unknown option -t; `parley try say --help` lists the known ones"),
    (["--after", "5", "hi"], '--after: "5" has no unit; write 500ms, 30s, 15m, 24h or 7d'),
    (["--colour", "gren", "hi"], '--colour: "gren" is not one of red, green; did you mean green?'),
    (["--key", "abc", "hi"], "--key: is 3 bytes long; 4 to 64 are allowed"),
    (["--tag", "", "hi"], "--tag: is empty; 1 to 16 bytes are allowed"),
    ([], "WHAT is missing: what to say"),
    ([b"\xff"], "WHAT is not valid UTF-8"),
    (["\x1b[31m" * 30], "WHAT: is 150 bytes long; 1 to 100 are allowed"),
]


@pytest.mark.parametrize("args,why", WRONG, ids=[why[:40] for _, why in WRONG])
def test_wrong_words_are_one_clear_line(stopped, args, why):
    done = command(stopped, "try", "say", *args)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: parley try say: {why}\n")


def test_an_operand_too_many(stopped):
    done = command(stopped, "try", "end", "good", "bye")
    assert done.returncode == 2
    assert done.stderr == 'error: parley try end: "bye" is one operand too many; `parley try end --help` tells what it takes\n'


# ---- names and help ----
def test_help_of_a_verb_is_made_from_its_tables(stopped):
    done = command(stopped, "try", "say", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for line in ("Usage: parley try say [options] WHAT [MORE...]", "Twice, if it must be.",
                 "  --times VALUE           how often (int, 1..5, default 1)",
                 "  --loud                  in capitals",
                 "  --key VALUE             a secret (secret text, 4 to 64 bytes)",
                 "  WHAT                    what to say (text, 1 to 100 bytes)"):
        assert line in done.stdout.splitlines()


@pytest.mark.parametrize("verb", ["backup", "restore", "export", "copy"])
def test_help_of_a_verb_is_lines(stopped, verb):
    for line in command(stopped, verb, "--help").stdout.splitlines():
        assert len(line) <= 120 and not re.search(r"\.[A-Z]", line), line


def test_help_lists_the_verbs_of_the_configured_plugins(stopped):
    text = command(stopped, "--help").stdout
    assert re.search(r"^  serve +run the server$", text, re.M)
    assert re.search(r"^  try say +say something$", text, re.M)


def test_the_first_word_alone_lists_its_verbs(stopped):
    done = command(stopped, "try")
    assert done.returncode == 2 and "  parley try ask " in done.stderr
    assert command(stopped, "try", "--help").returncode == 0


@pytest.mark.parametrize("typed,meant", [(["sevre"], "serve"), (["try", "asc"], "try ask"), (["tri", "say"], "try say")])
def test_a_mistyped_name_is_told_the_nearest(stopped, typed, meant):
    done = command(stopped, *typed)
    assert done.returncode == 2
    assert done.stderr == f'error: parley has no command "{" ".join(typed)}"; did you mean `parley {meant}`?\n'


def test_without_a_configuration_the_line_says_what_is_missing(stopped, tmp_path):
    done = subprocess.run([BUILD / "parley", "try", "say", "-c", str(tmp_path / "none.yaml")], capture_output=True, text=True,
                          env=stopped.env)
    assert done.returncode == 78
    assert "none.yaml: No such file or directory" in done.stderr and 'no command "try" of its own' in done.stderr


# ---- ends ----
@pytest.mark.parametrize("how,status,line", [
    ("good", 0, ""), ("status", 78, ""), ("fail", 1, "error: room 7: there is no such room\n"),
    ("reason", 1, "error: the reason\n"), ("nothing", 1, "error: the plugin gave no reason\n"),
    ("wrong", 1, "error: the plugin's verb returned without an end\n")])
def test_the_exit_status_and_the_reason_are_the_verbs(place, how, status, line):
    done = command(place, "try", "end", how)
    assert (done.returncode, done.stderr) == (status, line)


def test_a_verb_may_answer_later(place):
    assert command(place, "try", "say", "--after", "50ms", "hi").stdout.startswith("hi\n")


def test_much_output_arrives_whole_and_a_slow_reader_is_waited_for(place):
    lines = 200000  # 12.8 MB: more than may wait
    verb = subprocess.Popen(words(place, ["try", "flood", "--lines", str(lines)]),
                            stdout=subprocess.PIPE, env=place.env, cwd=ROOT)
    for i in range(lines):
        assert verb.stdout.readline() == b"%063d\n" % i
    assert verb.stdout.read() == b"" and verb.wait(PATIENCE) == 0


def test_a_reader_that_has_had_enough_ends_the_verb(place):
    verb = subprocess.Popen(words(place, ["try", "flood", "--lines", "10000000"]),
                            stdout=subprocess.PIPE, env=place.env, cwd=ROOT)
    assert verb.stdout.readline()
    verb.stdout.close()
    assert verb.wait(PATIENCE) == 1


# ---- questions ----
def test_questions_are_asked_at_the_terminal_and_a_secret_is_not_shown(place):
    verb = Typed(place, "try", "ask", terminal=True)
    verb.wait_for("Name: ").type("jane\n").wait_for("hello jane").wait_for("Password: ").type("s3cret!\n")
    assert verb.end() == 0
    assert "password of 7 bytes" in verb.output and "s3cret" not in verb.output


def test_end_of_input_is_no_answer(place):
    verb = Typed(place, "try", "ask", terminal=True).wait_for("Name: ").type("\x04")
    assert verb.end() == 1 and "error: no answer" in verb.output


def test_without_a_terminal_the_verb_says_what_to_give_instead(place):
    done = command(place, "try", "ask")
    assert (done.returncode, done.stderr) == (2, "error: there is no terminal to ask for a name; give --name\n")


def test_what_strangers_wrote_does_not_command_the_terminal(place):
    verb = Typed(place, "try", "say", "a\x1b]0;owned\x07b", terminal=True)
    assert verb.end() == 0
    assert "a\\x1b]0;owned\\x07b" in verb.output and "\x1b]" not in verb.output
    assert command(place, "try", "say", "a\x1bb").stdout.startswith("a\x1bb\n")  # a pipe gets the bytes


def test_progress_is_one_line_on_a_terminal(place):
    verb = Typed(place, "try", "count", terminal=True).wait_for("\r\x1b\\[K3 counted").interrupt()
    assert verb.end() == 1


# ---- the end before the end ----
def test_ctrl_c_cancels(place):
    assert Typed(place, "try", "count").wait_for("counting").interrupt().end() == 1
    if is_running(place):
        place.wait_line("INFO verbs count cancelled")


def test_ctrl_c_does_not_wait_for_a_verb_that_does_not_listen(plugin, own_server):
    for server in own_server(config=CONFIG % plugin), own_server(start=False, config=CONFIG % plugin):
        verb = Typed(server, "try", "count", "--deaf").wait_for("counting").interrupt()
        assert verb.end() == 130 and verb.output.endswith("error: interrupted\n")


def test_ctrl_c_at_a_question(place):
    verb = Typed(place, "try", "ask", terminal=True).wait_for("Name: ").interrupt()
    assert verb.end() != 0 and "hello" not in verb.output


def test_a_caller_that_is_killed_cancels_its_verb(running):
    before = len([line for line in running.output if "count cancelled" in line])
    verb = Typed(running, "try", "count").wait_for("counting")
    verb.process.kill()
    verb.end()
    wait_until("the verb to be cancelled", lambda: len([line for line in running.output if "count cancelled" in line]) > before)


def test_a_worker_that_dies_is_one_clear_line(plugin, own_server):
    server = own_server(config=CONFIG % plugin)
    done = command(server, "try", "crash")
    assert done.returncode == 1
    assert done.stderr == "error: the server went away before the command had ended; its log tells why\n"
    assert command(server, "try", "say", "hi").returncode == 0  # the other worker, or its successor


def test_a_server_that_stops_cancels_verbs_and_leaves_no_socket(plugin, own_server):
    server = own_server(config=CONFIG % plugin)
    at = server.data / "parley.sock"
    assert stat.S_ISSOCK(at.stat().st_mode) and stat.S_IMODE(at.stat().st_mode) == 0o600
    verb = Typed(server, "try", "count").wait_for("counting")
    server.end()
    assert verb.end() == 1
    server.wait_line("count cancelled")
    assert not at.exists()


def test_a_socket_left_by_a_crash_is_in_nobodys_way(plugin, own_server):
    server = own_server(config=CONFIG % plugin)
    workers = server.workers()
    server.kill()
    wait_until("the workers to end", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))
    assert (server.data / "parley.sock").exists()
    assert command(server, "try", "say", "hi").returncode == 0
    server.start()
    assert command(server, "try", "say", "hi").returncode == 0


def test_a_verb_waits_for_a_worker(plugin, own_server):
    """between the death of the only worker and its successor there is nobody to take it"""
    server = own_server(config=(CONFIG % plugin).replace("workers: 2", "workers: 1"))
    [worker] = server.workers()
    os.kill(worker, signal.SIGSTOP)
    verb = Typed(server, "try", "say", "hi").wait_for("waiting for a worker of the server")
    os.kill(worker, signal.SIGKILL)
    assert verb.end() == 0 and "\nhi\n" in verb.output


def test_a_folder_in_use_that_stays_silent_is_told(stopped):
    verb = Typed(stopped, "try", "count").wait_for("counting")
    done = command(stopped, "try", "say", "hi")
    assert done.returncode == 1
    assert f"{stopped.data} is in use, but who uses it does not answer" in done.stderr
    assert verb.interrupt().end() == 1


def test_a_folder_with_a_long_name_has_a_socket_too(plugin, own_server, tmp_path):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    server = own_server(config=CONFIG % plugin, env={"DATA_DIR": str(deep / "var")})
    server.data = deep / "var"
    assert command(server, "try", "say", "hi").returncode == 0


def test_the_socket_survives_noise(running):
    for noise in b"GET / HTTP/1.1\r\n\r\n", b"r\xff\xff\xff\xff", b"r\x05\0\0\0abcde", b"a\0\0\0\0" * 3, b"x\0\0\0\0", b"c\0\0\0\0r\0\0\0\0":
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(running.data / "parley.sock"))
            client.sendall(noise)
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == b""
    assert command(running, "try", "say", "hi").returncode == 0


def test_a_request_of_another_version_or_name_is_refused(running):
    def ask(*texts):
        body = b"".join(text.encode() + b"\0" for text in texts)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(running.data / "parley.sock"))
            client.sendall(b"r" + len(body).to_bytes(4, "little") + body)
            return b"".join(iter(lambda: client.recv(4096), b""))

    version = re.search(r"parley (\S+),", subprocess.run([BUILD / "parley", "version"], capture_output=True, text=True).stdout).group(1)
    assert b"\x01the running server is parley " + version.encode() in ask("9.9", "0", "try say", "hi")
    assert b'has no command "try nothing"' in ask(version, "0", "try nothing")
    assert b"does not run inside a server" in ask(version, "0", "try offline")
    assert b"\x02parley try say: WHAT is missing" in ask(version, "0", "try say")
    assert b"a path is empty, or not absolute" in ask(version, "0", "try say", "--to-file=x", "hi")
