"""Plugins that fail, hang and crash: one clear line with their name, the right exit status, nothing left running."""
import os
import signal
import time

import pytest
import requests

from faults import configured, plugin_of, release_build
from parley import BUILD, PATIENCE, wait_until

pytestmark = pytest.mark.one_database("core/host: plugins")

CRASH = "*(volatile int *)8 = 1;"
PLUGIN = 'PARLEY_PLUGIN(.name = "odd", .version = "1.2.3", %s)\n'
NO_LOAD = "static int load(parley_ctx *ctx, const parley_conf *conf) { (void)ctx, (void)conf; return 0; }\n"
LOAD = "static int load(parley_ctx *ctx, const parley_conf *conf) { (void)ctx, (void)conf; %s }\n"
START = NO_LOAD + "static int start(parley_ctx *ctx) { (void)ctx; %s }\n" + PLUGIN % ".load = load, .start = start"
# starts when the database is there, as the server's own plugins do
AFTER_STORE = ('static const parley_need needs[] = { { "parley.db", 0, 1, 0 } };\n' + NO_LOAD
               + "static int start(parley_ctx *ctx) { (void)ctx; %s }\n" + PLUGIN % "PARLEY_LIST(need, needs), .load = load, .start = start")
STOP = PLUGIN % ".load = load, .stop = stop"


def with_plugin(own_server, tmp_path, source, build=BUILD, **server_keys):
    return own_server(config=configured(plugin_of(tmp_path / "plugin", "odd", source), **server_keys), build=build, start=False)


def ended(server, status):
    """the output of a start that is expected to end so, with all its processes"""
    server.start(ready=False)
    assert server.process.wait(PATIENCE) == status, server.text()
    server._reader.join(PATIENCE)
    assert not server._reader.is_alive(), "somebody still holds the output"
    return server.text()


def lines_with(text, *words):
    return [line for line in text.splitlines() if all(word in line for word in words)]


def test_load_that_fails(own_server, tmp_path):
    server = with_plugin(own_server, tmp_path, LOAD % 'return parley->fail(ctx, "no flux");' + PLUGIN % ".load = load")
    text = ended(server, 78)
    assert len(lines_with(text, 'plugin "odd"', "load() failed", "no flux")) == 1
    assert not lines_with(text, "listening")


def test_start_that_fails(own_server, tmp_path):
    server = with_plugin(own_server, tmp_path, START % 'return parley->fail(ctx, "no flux");')
    text = ended(server, 78)
    assert len(lines_with(text, 'plugin "odd"', "start() failed", "no flux")) == 1
    assert not lines_with(text, "listening")
    server.check_sanitizers()


def test_start_that_the_system_refuses(own_server, tmp_path):
    server = with_plugin(own_server, tmp_path, START % 'parley->fail(ctx, "no flux"); return PARLEY_EIO;')
    assert lines_with(ended(server, 1), 'plugin "odd"', "no flux")


def test_start_that_fails_later(own_server, tmp_path):
    later = """
        static void late(parley_ctx *ctx, int status, void *ud)
        { (void)ud, (void)status; parley->started(ctx, parley->fail(ctx, "no flux")); }
        """
    server = with_plugin(own_server, tmp_path, later + START % "parley->timer(ctx, 50, 0, late, NULL); return PARLEY_PENDING;")
    assert lines_with(ended(server, 78), 'plugin "odd"', "start() failed", "no flux")
    server.check_sanitizers()


def test_start_that_never_ends(own_server, tmp_path):
    server = with_plugin(own_server, tmp_path, START % 'parley->ready(ctx, 0, "waits for flux"); return PARLEY_PENDING;',
                         start_timeout="300ms")
    server.start(ready=False)
    server.wait_line('plugin "odd" has not started yet: waits for flux')
    assert "listening" not in server.text()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 0
    server._reader.join(PATIENCE)
    server.check_sanitizers()


@pytest.mark.parametrize("source, where", [
    (LOAD % f"{CRASH} return 0;" + PLUGIN % ".load = load", "load"),
    (START % f"{CRASH} return 0;", "start"),
])
def test_a_crash_on_the_way_up(own_server, tmp_path, source, where):
    server = with_plugin(own_server, tmp_path, source, release_build())  # a sanitizer would report the crash as its own
    text = ended(server, 1)
    assert len(lines_with(text, "died of signal 11", 'plugin "odd" 1.2.3', where)) == 1
    assert not lines_with(text, "listening")


THREADS = """
#include <pthread.h>
static void work(void *ud) { (void)ud; %(crash)s }
static void done(parley_ctx *ctx, int status, void *ud) { (void)ctx, (void)status, (void)ud; }
static void *own(void *ud) { (void)ud; pthread_setname_np(pthread_self(), "odd-thread"); %(crash)s return NULL; }
static int in_work(parley_ctx *ctx, parley_req req, void *ud)
{ (void)req, (void)ud; parley->work(ctx, work, done, NULL); return PARLEY_PENDING; }
static int in_thread(parley_ctx *ctx, parley_req req, void *ud)
{ pthread_t t; (void)ctx, (void)req, (void)ud; pthread_create(&t, NULL, own, NULL); return PARLEY_PENDING; }
""" % {"crash": CRASH} + LOAD % """
    parley->route(ctx, &(parley_route){ PARLEY_SIZED(parley_route), .method = "GET", .path = "/work", .fn = in_work });
    return parley->route(ctx, &(parley_route){ PARLEY_SIZED(parley_route), .method = "GET", .path = "/thread", .fn = in_thread });
""" + PLUGIN % ".load = load"


@pytest.mark.parametrize("path, named", [("/work", 'plugin "odd" 1.2.3, work'), ("/thread", 'thread "odd-thread"')])
def test_a_crash_off_the_loop(own_server, tmp_path, path, named):
    server = with_plugin(own_server, tmp_path, THREADS, release_build())
    server.start()
    with pytest.raises(requests.ConnectionError):
        server.anonymous().get(path)
    server.wait_line("died of signal 11.*" + named)
    wait_until("an answer", lambda: server.anonymous().get("/healthz").status_code == 200)


def test_a_plugin_that_holds_the_loop_is_named(own_server, tmp_path):
    source = """
        #include <time.h>
        static int hold(parley_ctx *ctx, parley_req req, void *ud)
        {
            (void)ctx, (void)ud;
            nanosleep(&(struct timespec){ 0, 400000000 }, NULL);
            parley->reply(req, 204, NULL, (parley_str){ NULL, 0 });
            return PARLEY_DONE;
        }
        """ + LOAD % """return parley->route(ctx, &(parley_route){ PARLEY_SIZED(parley_route), .method = "GET",
            .path = "/hold", .fn = hold });""" + PLUGIN % ".load = load"
    server = with_plugin(own_server, tmp_path, source)
    server.start()
    assert server.anonymous().get("/hold").status_code == 204
    found = server.wait_line(r'plugin "odd" held the loop for (\d+) ms in GET /hold')
    assert 350 < int(found.group(1)) < 5000


def test_a_callback_that_never_comes_back(own_server, tmp_path):
    """the worker is alive and serves nobody: it is ended with its plugin's name, and the next one serves"""
    source = """
        #include <unistd.h>
        static int hang(parley_ctx *ctx, parley_req req, void *ud)
        { (void)ctx, (void)req, (void)ud; for (;;) pause(); }
        """ + LOAD % """return parley->route(ctx, &(parley_route){ PARLEY_SIZED(parley_route), .method = "GET",
            .path = "/hang", .fn = hang });""" + PLUGIN % ".load = load"
    server = with_plugin(own_server, tmp_path, source, release_build(), hang_timeout="2s")
    server.start()
    with pytest.raises(requests.ConnectionError):
        server.anonymous().get("/hang")
    server.wait_line(r"worker 0 \(pid \d+\) has said nothing for \d+ s \(hang_timeout\): ended")
    server.wait_line('died of signal 6.*SIGABRT inside plugin "odd" 1.2.3, GET /hang')
    wait_until("an answer", lambda: server.anonymous().get("/healthz").status_code == 200)


def test_a_worker_that_is_stopped(own_server):
    """it cannot even say its last words"""
    server = own_server(config=configured(hang_timeout="2s"))
    [worker] = server.workers()
    os.kill(worker, signal.SIGSTOP)
    server.wait_line("has said nothing for .* ended")
    server.wait_line("died of signal 9")
    wait_until("another worker", lambda: server.workers() not in ([], [worker]))
    wait_until("an answer", lambda: server.anonymous().get("/healthz").status_code == 200)


def test_how_long_a_worker_may_be_silent_is_taken_over(own_server):
    """SIGHUP: each worker is held to what it was started with, also to "for ever" """
    server = own_server(config=configured(hang_timeout="2s"))
    server.config.write_text(configured(hang_timeout="0"))
    [first] = server.workers()
    server.process.send_signal(signal.SIGHUP)
    server.wait_line("configuration taken")
    wait_until("the first one to end", lambda: not os.path.exists(f"/proc/{first}"))
    [second] = server.workers()
    server.wait_line(rf"pid {second}\) is ready")
    time.sleep(5)  # nothing happens: no event can be awaited
    assert server.workers() == [second] and "has said nothing" not in server.text()
    server.config.write_text(configured(hang_timeout="2s"))
    server.process.send_signal(signal.SIGHUP)
    wait_until("the second one to end", lambda: not os.path.exists(f"/proc/{second}"))
    [third] = server.workers()
    server.wait_line(rf"pid {third}\) is ready")
    os.kill(third, signal.SIGSTOP)
    server.wait_line(rf"pid {third}\) has said nothing")


def test_a_worker_that_crashes_again_and_again_is_restarted_with_pauses(own_server, tmp_path):
    source = f"""
        static void crash(parley_ctx *ctx, int status, void *ud) {{ (void)ctx, (void)status, (void)ud; {CRASH} }}
        """ + AFTER_STORE % "parley->timer(ctx, 1, 0, crash, NULL); return 0;"
    server = with_plugin(own_server, tmp_path, source, release_build())
    server.start()

    def deaths():
        return len(lines_with(server.text(), "died of signal 11", 'plugin "odd" 1.2.3, timer'))
    times = []
    for n in range(1, 7):
        wait_until(f"death {n}", lambda: deaths() >= n)
        times.append(time.monotonic())
    pauses = [b - a for a, b in zip(times, times[1:])]
    print("pauses between crashes:", [f"{p:.2f}" for p in pauses])
    assert pauses[-1] > 0.75 and pauses[-1] > 2 * pauses[0]  # 50, 100, 200, 400, 800 ms, and the start itself
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 0


def test_a_stop_that_hangs_is_named_and_ended(own_server, tmp_path):
    source = NO_LOAD + "static int stop(parley_ctx *ctx) { (void)ctx; return PARLEY_PENDING; }\n" + STOP
    server = with_plugin(own_server, tmp_path, source, drain_timeout="1s")
    server.start()
    started = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 0
    assert time.monotonic() - started < 20
    server._reader.join(PATIENCE)
    assert lines_with(server.text(), 'plugin "odd" has not stopped in time')
    assert "died of" not in server.text()


def test_a_plugin_whose_code_blocks_the_stop_is_killed(own_server, tmp_path):
    source = """
        #include <time.h>
        static int stop(parley_ctx *ctx)
        { (void)ctx; nanosleep(&(struct timespec){ 60, 0 }, NULL); return 0; }
        """ + NO_LOAD + STOP
    server = with_plugin(own_server, tmp_path, source, drain_timeout="1s")
    server.start()
    worker = server.workers()[0]
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 0
    assert not os.path.exists(f"/proc/{worker}")
    assert lines_with(server.text(), "workers did not end in time")


WRONG_METRIC = """
static int load(parley_ctx *ctx, const parley_conf *conf)
{
    parley_meter m;
    (void)conf;
    return parley->metric(ctx, &(parley_metric){ PARLEY_SIZED(parley_metric), .kind = PARLEY_M_COUNTER, .name = "messages", .help = "x" }, &m);
}
PARLEY_PLUGIN(.name = "counting", .version = "1.0.0", .load = load)
"""


def test_a_plugin_with_a_wrong_metric_is_named(own_server, tmp_path):
    server = own_server(start=False, config=configured(more=plugin_of(tmp_path / "plugin", "counting", WRONG_METRIC)))
    server.start(ready=False)
    assert server.process.wait(PATIENCE) == 78
    server.wait_line(r'plugin "counting": the metric "messages" needs a name')
