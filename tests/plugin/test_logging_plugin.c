/* test_logging_plugin.c -- the files: who gets a line, rotation, a disk that takes nothing, the
 * flush at the end. */
#include "fake/fake.h"

#include "plugins/logging/writer.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[2][128]; /* api.log, parley.log */

static int setup(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/parley_logging_%d", (int)getpid());
    (void)snprintf(path[0], sizeof(path[0]), "%s/api.log", dir);
    (void)snprintf(path[1], sizeof(path[1]), "%s/parley.log", dir);
    fake_server("log_dir", dir);
    return 0;
}

static int teardown(void **state)
{
    char old[140];

    (void)state;
    fake_end();
    (void)snprintf(old, sizeof(old), "%s.1", path[1]);
    (void)unlink(old);
    (void)unlink(path[0]);
    (void)unlink(path[1]);
    (void)rmdir(dir);
    return 0;
}

/* The file's text, new. */
static char *file_text(const char *name)
{
    FILE *file = fopen(name, "rb");
    char *text = calloc(1, 1 << 21);

    if (file && text) {
        (void)!fread(text, 1, (1 << 21) - 1, file);
        (void)fclose(file);
    }
    return text;
}

static size_t lines_with(const char *name, const char *part)
{
    char *text = file_text(name);
    size_t count = 0;

    for (char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    free(text);
    return count;
}

/* The writer is a thread: waits until the file has it, or 10 s. */
static void expect_soon(const char *name, const char *part, size_t count)
{
    for (int i = 0; i < 2000 && lines_with(name, part) < count; i++)
        (void)usleep(5000);
    if (lines_with(name, part) != count) {
        char *text = file_text(name);

        print_error("%s\n", text);
        free(text);
        fail_msg("not %zu times in %s: %s", count, name, part);
    }
}

static void test_calls(void **state)
{
    struct stat st;

    (void)state;
    fake_route("POST", "/api/chat/rooms/", PARLEY_R_USER);
    fake_route("POST", "/api/auth/verify-email/:token/", 0);
    fake_route("GET", "/healthz", PARLEY_R_NOLOG);
    fake_route("EVENT", "typing", 0);
    fake_open(&parley_plugin_0, NULL);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0077, 0);

    parley_req req = fake_req("POST", "/api/chat/rooms/?token=in-the-query");
    fake_req_user(req, "1", "ada@example.org");
    fake_req_header(req, "User-Agent", "curl/8.5.0");
    fake_req_header(req, "Authorization", "Token in-the-header");
    fake_req_body(req, "{\"password\":\"in-the-body\"}");
    fake_req_peer(req, "127.0.0.1");
    fake_req_took(req, 4200);
    fake_send(req);
    (void)fake_call("POST", "/api/auth/verify-email/in-the-path/", NULL);
    (void)fake_call("GET", "/healthz", NULL);
    (void)fake_call("GET", "/no/such/path", NULL);
    (void)fake_event(fake_conn("/ws/", NULL), "{\"type\":\"typing\"}");
    assert_int_equal(fake_stop(), 0);

    expect_soon(path[0], "\n", 3);
    expect_soon(path[0],
                "2025-01-31 12:00:00,123 INFO api method=POST path='/api/chat/rooms/' "
                "user=ada@example.org ip=127.0.0.1 agent='curl/8.5.0' status=200 duration_ms=4.2\n",
                1);
    expect_soon(
        path[0],
        "path='/api/auth/verify-email/***/' user=anonymous ip=192.0.2.1 agent='' status=200", 1);
    expect_soon(path[0], "method=GET path='/no/such/path' user=anonymous ", 1);
    expect_soon(path[0], "in-the-", 0);
}

static void say(const char *line)
{
    parley_log_info info = { PARLEY_SIZED(parley_log_info),
                             PARLEY_INFO,
                             fake_now_us(),
                             PARLEY_S("chat"),
                             { line, strlen(line) } };

    (void)fake_fire("log", &info);
}

static void test_app_log(void **state)
{
    static const fake_option options[] = { { "format", "json" },
                                           { "api_file", "" },
                                           { NULL, NULL } };

    (void)state;
    assert_int_equal(fake_load(&parley_plugin_0, options), 0);
    say("before the start");
    assert_int_equal(fake_start(), 0);
    say("after it");
    expect_soon(path[1], "\"logger\":\"chat\",\"message\":\"before the start\"}\n", 1);
    expect_soon(path[1], "\"message\":\"after it\"}\n", 1);
    (void)fake_call("GET", "/x", NULL);
    assert_int_equal(access(path[0], F_OK), -1);
}

static void test_reopen(void **state)
{
    char old[140];

    (void)state;
    fake_open(&parley_plugin_0, NULL);
    say("first");
    expect_soon(path[1], "first\n", 1);
    (void)snprintf(old, sizeof(old), "%s.1", path[1]);
    assert_int_equal(rename(path[1], old), 0);
    say("second");
    expect_soon(old, "second\n", 1);
    (void)fake_fire("log.reopen", NULL);
    for (int i = 0; i < 2000 && access(path[1], F_OK) < 0; i++)
        (void)usleep(5000);
    say("third");
    expect_soon(path[1], "third\n", 1);
    expect_soon(old, "third\n", 0);

    /* The folder is gone: the old file goes on. */
    (void)snprintf(old, sizeof(old), "%s.gone", dir);
    assert_int_equal(rename(dir, old), 0);
    (void)fake_fire("log.reopen", NULL);
    for (int i = 0; i < 2000 && fake_log_count("cannot be opened again") < 2; i++)
        (void)usleep(5000);
    assert_int_equal(fake_log_count("cannot be opened again"), 2);
    assert_int_equal(rename(old, dir), 0);
    say("fourth");
    expect_soon(path[1], "fourth\n", 1);
}

static void test_flush_at_stop(void **state)
{
    (void)state;
    fake_open(&parley_plugin_0, NULL);
    for (int i = 0; i < 5000; i++)
        say("one of many");
    assert_int_equal(fake_stop(), 0);
    assert_int_equal(lines_with(path[1], "one of many\n"), 5000);
    say("too late, and harmless");
    (void)fake_fire("log.reopen", NULL);
}

static void test_bad_start(void **state)
{
    static const fake_option slash[] = { { "api_file", "../api.log" }, { NULL, NULL } };

    (void)state;
    fake_server("log_dir", "/dev/null/logs");
    assert_int_equal(fake_load(&parley_plugin_0, NULL), 0);
    assert_true(fake_start() < 0);
    assert_non_null(strstr(fake_why(), "cannot create the folder /dev/null/logs: Not a directory"));
    (void)parley_plugin_0.stop(fake_ctx()); /* gives the memory back; a real worker ends */
    fake_run();

    fake_server("log_dir", "/proc");
    assert_int_equal(fake_load(&parley_plugin_0, NULL), 0);
    assert_true(fake_start() < 0);
    assert_non_null(strstr(fake_why(), "cannot write /proc/api.log: "));
    (void)parley_plugin_0.stop(fake_ctx());
    fake_run();

    assert_true(fake_load(&parley_plugin_0, slash) < 0);
    assert_non_null(strstr(fake_why(), "api_file: must be a name"));
    (void)parley_plugin_0.stop(fake_ctx());
    fake_run();
}

/* ---- the writer by itself: a disk that is full ---- */

static void tell(int level, const char *text, void *ud)
{
    (void)level;
    (void)snprintf(ud, 512, "%s", text);
}

static size_t dropped(int64_t at_us, uint64_t n, char ret[LINE_MAX])
{
    (void)at_us;
    return (size_t)snprintf(ret, LINE_MAX, "%llu dropped\n", (unsigned long long)n);
}

static void ended(void *ud)
{
    __atomic_store_n((bool *)ud, true, __ATOMIC_RELEASE);
}

static void test_full_buffer(void **state)
{
    char told[512] = "", line[100];
    const char *about = "";
    bool is_over = false;
    writer *w = writer_create(tell, dropped, told);
    log_file *f = writer_add(w, path[0], 1000);

    (void)state;
    assert_int_equal(mkdir(dir, 0700), 0);
    memset(line, 'x', sizeof(line));
    line[99] = '\n';
    for (int i = 0; i < 15; i++) /* nobody writes yet: ten fit */
        (void)writer_line(f, 0, line, sizeof(line));
    assert_int_equal(writer_start(w, &about), 0);
    expect_soon(path[0], "x\n", 10);
    (void)writer_line(f, 0, line, sizeof(line));
    expect_soon(path[0], "5 dropped\nx", 1);
    (void)writer_line(f, 0, line, sizeof(line));
    expect_soon(path[0], "x\n", 12);
    expect_soon(path[0], "dropped", 1);
    writer_finish(w, ended, &is_over);
    writer_free(w);
    assert_true(is_over);
}

/* /dev/full takes nothing; after the rotation there is a file that does. */
static void test_full_disk(void **state)
{
    char told[512] = "";
    const char *about = "";
    bool is_over = false;
    writer *w = writer_create(tell, dropped, told);
    log_file *f = writer_add(w, path[0], 1000);

    (void)state;
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(symlink("/dev/full", path[0]), 0);
    assert_int_equal(writer_start(w, &about), 0);
    (void)writer_line(f, 0, "waits\n", 6);
    for (int i = 0; i < 400; i++)
        (void)writer_line(f, 0, "many\n", 5);
    (void)usleep(200000);
    assert_int_equal(unlink(path[0]), 0);
    writer_reopen(w);
    expect_soon(path[0], "waits\n", 1);
    (void)writer_line(f, 0, "after\n", 6);
    expect_soon(path[0], "after\n", 1);
    expect_soon(path[0], " dropped\nafter", 1);
    writer_finish(w, ended, &is_over);
    writer_free(w);
    assert_non_null(strstr(told, "is written again"));
}

/* Two writers of one file, as two workers are: each turns it when it is full, and no line is lost
 * but those of files that are old enough. */
static void test_rotation(void **state)
{
    char told[512] = "", name[160], line[100];
    const char *about = "";
    bool is_over[2] = { false, false };
    writer *w[2];
    log_file *f[2];
    size_t n = 0;

    (void)state;
    assert_int_equal(mkdir(dir, 0700), 0);
    memset(line, 'x', sizeof(line));
    line[99] = '\n';
    for (int k = 0; k < 2; k++) {
        w[k] = writer_create(tell, dropped, told);
        f[k] = writer_add(w[k], path[0], 100000);
        writer_rotate(f[k], 2000, 30);
        assert_int_equal(writer_start(w[k], &about), 0);
    }
    for (int i = 0; i < 200; i++) {
        (void)writer_line(f[i & 1], 0, line, sizeof(line));
        (void)usleep(2000); /* several writes, not one */
    }
    for (int k = 0; k < 2; k++) {
        writer_finish(w[k], ended, &is_over[k]);
        writer_free(w[k]);
    }
    assert_true(is_over[0] && is_over[1]);
    assert_string_equal(told, "");
    int files = 0;
    for (; files < 30; files++) {
        (void)snprintf(name, sizeof(name), files ? "%s.%d" : "%s", path[0], files);
        if (files > 0 && access(name, F_OK) < 0)
            break;
        n += lines_with(name, "x\n");
        (void)unlink(name);
    }
    assert_int_equal(n, 200);
    assert_in_range(files, 4, 12);
}

static void test_old_files_go(void **state)
{
    char told[512] = "", name[160];
    const char *about = "";
    bool is_over = false;
    writer *w = writer_create(tell, dropped, told);
    log_file *f = writer_add(w, path[0], 1000);

    (void)state;
    assert_int_equal(mkdir(dir, 0700), 0);
    writer_rotate(f, 1, 2);
    assert_int_equal(writer_start(w, &about), 0);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof(name), "line %d\n", i);
        (void)writer_line(f, 0, name, strlen(name));
        (void)snprintf(told, sizeof(told), "%s.1", path[0]);
        expect_soon(told, name, 1);
    }
    told[0] = '\0';
    writer_finish(w, ended, &is_over);
    writer_free(w);
    for (int i = 1; i <= 3; i++) {
        (void)snprintf(name, sizeof(name), "%s.%d", path[0], i);
        assert_int_equal(lines_with(name, "line"), i <= 2 ? 1 : 0);
        (void)unlink(name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_app_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reopen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flush_at_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_start, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_buffer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_files_go, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
