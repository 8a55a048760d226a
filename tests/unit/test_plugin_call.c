/* test_plugin_call.c -- who runs now, and who held up the loop. */
#include "core/base/log.h"
#include "core/host/plugin.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>

static void check_current(const char *want)
{
    char got[128];
    size_t n = plugin_current(got, sizeof(got) - 1);

    got[n] = '\0';
    assert_string_equal(got, want);
}

static const parley_plugin chat_def = { .name = "chat", .version = "0.1.0" };
static const parley_plugin db_def = { .name = "sqlite", .version = "2" };
static const plugin chat = { .def = &chat_def, .name = STR_LIT("chat") };
static const plugin db = { .def = &db_def, .name = STR_LIT("sqlite") };

static void test_current(void **state)
{
    plugin_frame outer;
    plugin_frame inner;
    char little[9];

    (void)state;
    check_current("");
    plugin_enter(&outer, &chat, "event", STR("chat_message\n"));
    check_current("plugin \"chat\" 0.1.0, event chat_message?");
    plugin_enter(&inner, &db, "service", STR_NONE);
    check_current("plugin \"sqlite\" 2, service");
    plugin_leave(&inner);
    check_current("plugin \"chat\" 0.1.0, event chat_message?");
    assert_int_equal(plugin_current(little, sizeof(little)), sizeof(little));
    assert_memory_equal(little, "plugin \"c", sizeof(little));
    plugin_leave(&outer);
    check_current("");
}

/* ---- slow callbacks ---- */

static char logged[512];

static void log_keep(int level, int64_t at_us, str who, str line, void *ud)
{
    (void)level, (void)at_us, (void)who, (void)ud;
    (void)snprintf(logged + strlen(logged), sizeof(logged) - strlen(logged), STR_FMT "\n",
                   STR_ARG(line));
}

static void wait_ms(long ms)
{
    (void)nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* The inner call is slow: it is reported, the outer one, which only waited for it, is not. */
static void test_slow(void **state)
{
    plugin_frame outer;
    plugin_frame inner;

    (void)state;
    log_sink_set(log_keep, NULL, NULL);
    plugin_watch_slow(60);
    plugin_enter(&outer, &chat, "event", STR("chat_message"));
    plugin_enter(&inner, &db, "service", STR_NONE);
    wait_ms(80);
    plugin_leave(&inner);
    plugin_leave(&outer);
    assert_non_null(strstr(logged, "plugin \"sqlite\" held the loop for "));
    assert_non_null(strstr(logged, " ms in service; use work()\n"));
    assert_null(strstr(logged, "\"chat\""));

    logged[0] = '\0';
    plugin_enter(&outer, &chat, "POST", STR("/api/x/"));
    wait_ms(80);
    plugin_leave(&outer);
    assert_non_null(strstr(logged, " ms in POST /api/x/; use work()\n"));

    logged[0] = '\0';
    plugin_watch_slow(0);
    plugin_enter(&outer, &chat, "timer", STR_NONE);
    wait_ms(80);
    plugin_leave(&outer);
    assert_string_equal(logged, "");
    log_sink_set(NULL, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_current),
        cmocka_unit_test(test_slow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
