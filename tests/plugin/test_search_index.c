/* test_search_index.c -- what is written into the index, and that nothing is while another worker has
 * the lease. */
#include "fake/fake.h"
#include "plugins/search/search.h"
#include <string.h>

enum { FIRST_LOOK_MS = 5, POLL_MS = 500, AFTER_FAILURE_MS = 2000 };

static int setup(void **state)
{
    static const int chat;

    (void)state;
    fake_db_use("sqlite");
    fake_auth_use();
    fake_service("parley.chat", &chat);
    fake_open(&parley_plugin_0, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_end();
    return 0;
}

/* The indexer looks and finds that messages up to `at` are in the index, the newest is `newest`, and
 * `todo` is the first that has changed. */
static void look(const char *at, const char *newest, const char *todo)
{
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(9, "", "0", at, at, at, "0", newest, todo, "0");
    fake_run();
}

/* The statements of a run by their first words. */
static void assert_run(size_t run, const char *const *texts, size_t n)
{
    assert_int_equal(fake_db_statements(run), n);
    for (size_t i = 0; i < n; i++)
        if (strncmp(fake_db_text(run, i), texts[i], strlen(texts[i])) != 0)
            fail_msg("statement %zu is \"%s\" and not \"%s\"", i, fake_db_text(run, i), texts[i]);
}
#define ASSERT_RUN(run, ...)                                                                       \
    assert_run((run), (const char *const[]){ __VA_ARGS__ },                                        \
               FAKE_COUNT(((const char *const[]){ __VA_ARGS__ })))

#define LEASE "UPDATE derived_search_state SET owner = CASE"
#define ADD   "INSERT INTO derived_search "
#define PUT   "INSERT OR REPLACE INTO derived_search "
#define DROP  "DELETE FROM derived_search WHERE"
#define TOLD  "DELETE FROM derived_search_todo WHERE id = $1"
#define DONE  "UPDATE derived_search_state SET at_id = $1"

static void test_new_ones(void **state)
{
    (void)state;
    fake_advance(FIRST_LOOK_MS);
    size_t at = fake_db_runs();

    look("0", "2", NULL);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(4, "1", "10", "Hello, World!", "0", "2", "10", NULL, "0");
    fake_run();
    ASSERT_RUN(at + 1, LEASE, ADD, DONE); /* the second one was deleted before anybody looked */
    assert_string_equal(fake_db_param(at + 1, 1, 0), "1");
    assert_string_equal(fake_db_param(at + 1, 1, 1), "hello world \xee\x80\x80"
                                                     "10");
    assert_string_equal(fake_db_param(at + 1, 2, 0), "2");
    assert_string_equal(fake_db_param(at + 1, 2, 1), "0");
    fake_db_answer(PARLEY_OK);
    fake_run();
}

static void test_changed_ones(void **state)
{
    (void)state;
    fake_advance(FIRST_LOOK_MS);
    size_t at = fake_db_runs();

    look("2", "2", "7");
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(4, "1", "10", "edited", "7", "2", NULL, NULL, "8");
    fake_run();
    ASSERT_RUN(at + 1, LEASE, PUT, TOLD, DROP, TOLD);
    assert_string_equal(fake_db_param(at + 1, 2, 0), "7");
    assert_string_equal(fake_db_param(at + 1, 3, 0), "2");
    assert_string_equal(fake_db_param(at + 1, 4, 0), "8");
    fake_db_answer(PARLEY_OK);
    fake_run();
}

static void test_after_a_write(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        int status;
        int64_t pause_ms;
        bool is_told;
    } cases[] = {
        { "written",                            PARLEY_OK,       POLL_MS,          false },
        { "another worker took the lease",      PARLEY_DB_CHECK, POLL_MS,          false },
        { "an id has been given again",         PARLEY_DB_UNIQUE, POLL_MS,         false },
        { "the database is away",               PARLEY_DB_DOWN,  AFTER_FAILURE_MS, true  },
    };
    /* clang-format on */
    int64_t pause_ms = FIRST_LOOK_MS;
    bool was_refused = false;

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        fake_log_clear();
        fake_advance(pause_ms);
        look("0", "1", NULL);
        fake_db_answer(PARLEY_OK);
        FAKE_ROWS(4, "1", "10", "text", "0");
        fake_run();
        ASSERT_RUN(fake_db_runs() - 1, LEASE, was_refused ? PUT : ADD, DONE);
        was_refused = cases[i].status == PARLEY_DB_CHECK || cases[i].status == PARLEY_DB_UNIQUE;
        fake_db_answer(cases[i].status);
        fake_run();
        size_t runs = fake_db_runs();

        pause_ms = cases[i].pause_ms;
        fake_advance(pause_ms - 1);
        if (fake_db_runs() != runs || fake_log_has("cannot be indexed") != cases[i].is_told)
            fail_msg("case \"%s\"", cases[i].label);
        pause_ms = 1;
    }
}

/* A message that was edited before it was its turn is in the index already: what is new is refused
 * once, and not again because something else has changed meanwhile. */
static void test_refused_and_then_a_change(void **state)
{
    (void)state;
    fake_advance(FIRST_LOOK_MS);
    look("0", "1", NULL);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(4, "1", "10", "text", "0");
    fake_run();
    ASSERT_RUN(fake_db_runs() - 1, LEASE, ADD, DONE);
    fake_db_answer(PARLEY_DB_CHECK);
    fake_run();

    fake_advance(POLL_MS);
    look("0", "1", "7");
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(4, "1", "10", "edited", "7");
    fake_run();
    ASSERT_RUN(fake_db_runs() - 1, LEASE, PUT, TOLD);
    fake_db_answer(PARLEY_OK);
    fake_run();

    fake_advance(POLL_MS);
    look("0", "1", NULL);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(4, "1", "10", "text", "0");
    fake_run();
    ASSERT_RUN(fake_db_runs() - 1, LEASE, PUT, DONE);
    fake_db_answer(PARLEY_OK);
    fake_run();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changed_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(test_after_a_write, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_and_then_a_change, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
