"""What an operator meets: broken configs, a taken port, missing plugins, check, describe; one clear line each."""
import os
import re
import socket
import subprocess

import pytest

from parley import BUILD, LIFTED, PATIENCE, ROOT

pytestmark = pytest.mark.one_database("core: configuration, processes")

MINIMAL = """
server:
  host: 127.0.0.1
  port: ${PORT}
  data_dir: ${DATA_DIR}
  log_dir: ${LOG_DIR}
plugins:
"""


def parley(*args, env=None, cwd=ROOT):
    return subprocess.run([BUILD / "parley", *args], capture_output=True, text=True, cwd=cwd, timeout=PATIENCE,
                          env={**{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}, **LIFTED, **(env or {})})


def ended(server, status):
    """the output of a server that must not start"""
    server.start(ready=False)
    code = server.process.wait(PATIENCE)
    server._reader.join(PATIENCE)
    assert code == status, server.text()
    assert server.workers() == []
    return server.text()


HELLO = (ROOT / "examples/plugins/hello/hello.c").read_text()


def with_hello(path, more=""):
    return MINIMAL + f"  - hello:\n      path: {path}\n{more}"


# ---- the example plugin ----
def test_the_example_plugin_is_small_loads_and_answers(own_server, modules):
    assert len(HELLO.splitlines()) < 30
    server = own_server(config=with_hello(modules("hello", HELLO, "-Wl,-z,defs"), "      who: wörld\n"))
    assert server.anonymous().get("/hello").json() == {"hello": "wörld"}


# ---- refusals of a plugin ----
def body(load):
    return f"#include <parley/plugin.h>\nstatic int load(parley_ctx *ctx, const parley_conf *conf) {{ (void)conf; {load} }}\n" \
           'PARLEY_PLUGIN(.name = "hello", .version = "1.0.0", .load = load)\n'


PLUGINS = [
    ("newer minor", HELLO, ["-DPARLEY_ABI_REQUIRE=5"], r'plugin "hello": \S+hello\.so needs plugin ABI 0\.5; this server has 0\.2\. Use a newer server'),
    ("other major", HELLO.replace("PARLEY_PLUGIN(", "#undef PARLEY_ABI_MAJOR\n#define PARLEY_ABI_MAJOR 2\n#define parley_plugin_0 parley_plugin_2\nPARLEY_PLUGIN("),
     [], r'was built for plugin ABI 2; this server has ABI 0\. Rebuild it'),
    ("no descriptor", "int x;", [], r"is not a parley plugin: it has no symbol parley_plugin_0"),
    ("undefined symbol", HELLO.replace("    who = ", "    extern int nope(void); nope();\n    who = "), [], r"cannot load: .*undefined symbol: nope"),
    ("another name", HELLO.replace('.name = "hello"', '.name = "other"'), [], r'calls itself "other"; the configuration says "hello"\.'),
    ("load fails with a reason", body('return parley->fail(ctx, "cannot read key file /x: No such file");'), [],
     r'plugin "hello": load\(\) failed \(-\d+\): cannot read key file /x: No such file'),
    ("load fails without one", body("(void)ctx; return -1;"), [], r"load\(\) failed \(-1\): the plugin gave no reason"),
    ("a missing service", '#include <parley/plugin.h>\nstatic const parley_need needs[] = {{"parley.auth", 0, 1, 0}};\n'
     'static int load(parley_ctx *c, const parley_conf *f) { (void)c, (void)f; return 0; }\n'
     'PARLEY_PLUGIN(.name = "hello", .version = "1", PARLEY_LIST(need, needs), .load = load)\n', [],
     r'plugin "hello": needs service parley\.auth 0\.1; no configured plugin offers it\. Add "accounts" to plugins:'),
    ("route twice", body('parley_route r = { PARLEY_SIZED(parley_route), .method = "GET", .path = "/x" }; r.fn = (parley_req_fn)0;'
                         'static int f; (void)f; return 0;').replace("r.fn = (parley_req_fn)0;", "extern int handler(parley_ctx *, parley_req, void *); r.fn = handler;"
                         "parley->route(ctx, &r); return parley->route(ctx, &r);").replace("static int f; (void)f; return 0;", "")
     + "__attribute__((visibility(\"hidden\"))) int handler(parley_ctx *c, parley_req r, void *u) { (void)c, (void)r, (void)u; return 0; }\n",
     [], r'GET /x is already registered by plugin "hello"\.'),
]


@pytest.mark.parametrize("label,source,flags,text", PLUGINS, ids=[p[0] for p in PLUGINS])
def test_plugins_that_are_refused(own_server, modules, label, source, flags, text):
    # What dlerror() keeps is in the storage that the leak checker is told to leave out (parley.py).
    server = own_server(config=with_hello(modules("hello", source, *flags)), start=False, env={"LSAN_OPTIONS": ""})
    out = ended(server, 78)
    assert re.search("error: " + ".*" + text, out), out


def test_a_plugin_that_others_may_write_to_is_refused(own_server, modules):
    path = modules("hello", HELLO)
    path.chmod(0o777)
    assert re.search(r'plugin "hello": \S+hello\.so is refused: others may write to the file \(mode 777\); chmod go-w', ended(own_server(config=with_hello(path), start=False), 78))


def test_a_missing_plugin(own_server):
    assert re.search(r'plugin "hello": .*/nope\.so', ended(own_server(config=with_hello("/nope.so"), start=False), 78))


def test_an_optional_plugin_may_be_missing(own_server):
    server = own_server(config=with_hello("/nope.so", "      optional: true\n"))
    assert server.anonymous().get("/healthz").status_code == 200
    server.wait_line("nope.so")


# ---- configs ----
CONFIGS = [
    ("not YAML", "server: [", r":\d+"),
    ("unknown section", "sever:\n  port: 1\n", r":1:.* sever: unknown key; did you mean server\?"),
    ("unknown key", "server:\n  prot: 1\nplugins: []\n", r":2:.* server\.prot: unknown key; did you mean port\?"),
    ("port out of range", "server:\n  port: 99999\nplugins: []\n", r":2:.* server\.port: 99999 is outside 0\.\.65535"),
    ("port no number", "server:\n  port: http\nplugins: []\n", r":2:.* server\.port: .*http"),
    ("unset variable", "server:\n  port: ${PARLEY_NOT_SET}\nplugins: []\n", r":2:.*PARLEY_NOT_SET"),
    ("key twice", "server:\n  port: 1\n  port: 2\nplugins: []\n", r":3:.*port"),
    ("alias", "server: &a\n  port: 1\nplugins: *a\n", r":\d+:.*alias|anchor"),
    ("plugin unknown", "plugins:\n  - nope\n", r'plugin "nope"'),
    ("plugin name with a path", "plugins:\n  - ../x\n", r":2"),
    ("unknown option", "plugins:\n  - chat:\n      max_txt: 1\n  - sqlite\n", r":3:.* plugins\.chat\.max_txt: unknown key"),
    ("plugin twice", "plugins:\n  - memory\n  - memory\n", r":3"),
    ("single worker", "server:\n  workers: 2\nplugins:\n  - memory\n", r"memory.*worker|worker.*memory"),
]


@pytest.mark.parametrize("label,text,expected", CONFIGS, ids=[c[0] for c in CONFIGS])
def test_broken_configs(tmp_path, label, text, expected):
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    done = parley("check", "--config", str(file))
    assert done.returncode == 78, done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.startswith("error: ") and re.search(expected, done.stderr), done.stderr


def test_a_missing_config():
    done = parley("serve", "--config", "/nope.yaml")
    assert done.returncode == 78 and "/nope.yaml" in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_a_variable_that_nothing_uses_is_an_error(name):
    done = parley("check", "--config", "config/parley.yaml", env={name: "x://localhost"})
    assert done.returncode == 78 and name in done.stderr


# ---- the system refuses ----
def test_a_port_in_use(own_server):
    server = own_server(start=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        out = ended(server, 1)
    assert re.search(rf"error: cannot listen on 127\.0\.0\.1 port {server.port}: .*in use.*PORT", out), out


def test_a_data_folder_that_cannot_be_made(own_server, tmp_path):
    (tmp_path / "file").write_text("")
    for name in ("DATA_DIR", "LOG_DIR"):
        out = ended(own_server(env={name: str(tmp_path / "file" / "var")}, start=False), 1)
        assert "error: cannot make the folder" in out
        out = ended(own_server(env={name: str(tmp_path / "file")}, start=False), 1)
        assert "is not a folder" in out


def test_two_servers_in_one_folder(own_server):
    first = own_server()
    out = ended(own_server(env={"DATA_DIR": str(first.data)}, start=False), 1)
    assert "another server is using" in out


def test_an_outbox_with_a_public_listener_is_refused(own_server):
    out = ended(own_server(env={"HOST": "0.0.0.0"}, start=False), 78)
    assert "plugins.mail" in out and "127.0.0.1" in out


# ---- commands ----
def test_usage_and_help():
    assert parley().returncode == 2
    assert parley("nope").returncode == 2
    assert parley("serve", "--nope").returncode == 2
    assert parley("serve", "extra").returncode == 2
    for args in (["--help"], ["serve", "--help"], ["check", "--help"], ["describe", "--help"], ["version"]):
        done = parley(*args)
        assert done.returncode == 0 and done.stdout and not done.stderr


def test_check_and_its_chain(tmp_path):
    done = parley("check", "--config", "config/parley.yaml", "--chain", env={"DATA_DIR": str(tmp_path / "var")})
    assert done.returncode == 0, done.stderr
    assert "POST /api/chat/rooms/:id(uuid)/send/" in done.stdout or "/send/" in done.stdout
    for word in ("accounts", "throttle", "chat_message", "req.done"):
        assert word in done.stdout
    assert not (tmp_path / "var").exists()


def test_describe():
    done = parley("describe", "accounts")
    assert done.returncode == 0 and "verify_ttl" in done.stdout and "parley.db" in done.stdout
    assert parley("describe", "nope").returncode == 78
    assert "port" in parley("describe", "server").stdout
