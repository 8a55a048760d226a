/* accounts_host.h -- what accounts' tests share: a plugin with cheap hashing, and Ada in its
 * database. */
#ifndef TESTS_PLUGIN_ACCOUNTS_HOST_H
#define TESTS_PLUGIN_ACCOUNTS_HOST_H
#include "fake/fake.h"
#include <sodium.h>
#include <string.h>

#define ADA_UID     "019a1b2c-0000-7000-8000-0000000000a1"
#define SESSION_UID "019a1b2c-0000-7000-8000-0000000000e1"
#define NOW         "1738324800123456"
#define NOW_TEXT    "2025-01-31T12:00:00.123456Z"
#define NOW_US      1738324800123456
#define DAY_US      86400000000
#define KEY         "ply_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL0189_"
#define PASSWORD    "securepassword123"
#define ADA_JSON                                                                                   \
    "{\"id\":\"" ADA_UID "\",\"username\":\"ada\",\"email\":\"ada@example.org\","                  \
    "\"first_name\":\"Ada\",\"last_name\":\"Example\",\"is_verified\":true,"                       \
    "\"date_joined\":\"" NOW_TEXT "\"}"

/* What is asked of the database is counted from here on. */
static size_t asked_before;

static inline void mark(void)
{
    asked_before = fake_db_runs();
}

static inline size_t asked(void)
{
    return fake_db_runs() - asked_before;
}

static inline int accounts_setup(void **state)
{
    static const fake_option options[] = { { "hash_memory", "8KiB" },
                                           { "hash_passes", "1" },
                                           { "hash_parallel", "1" },
                                           { "hash_queue", "1" },
                                           { NULL, NULL } };

    (void)state;
    fake_db_use("sqlite");
    fake_mail_use();
    fake_open(&parley_plugin_0, options);
    fake_db_answer(PARLEY_OK); /* decoy.c counts */
    FAKE_ROWS(3, "1", "0", NULL);
    fake_run();
    fake_db_forget();
    mark();
    return 0;
}

static inline int accounts_teardown(void **state)
{
    (void)state;
    fake_end();
    return 0;
}

static inline parley_req call_with_key(const char *method, const char *path, const char *header)
{
    parley_req req = fake_req(method, path);

    if (header)
        fake_req_header(req, "Authorization", header);
    fake_send(req);
    return req;
}

/* The answer to a lookup of Ada's session that ends at `expires`; head: the first of a watch. */
static inline void answer_session(bool with_head, const char *expires)
{
    fake_db_answer(PARLEY_OK);
    if (with_head)
        FAKE_ROWS(1, "0");
    FAKE_ROWS(11, "5", SESSION_UID, NOW, expires, "1", ADA_UID, "ada", "ada@example.org", "Ada",
              "Example", "0");
    fake_run();
}

static inline void assert_body(parley_req req, int status, const char *body)
{
    assert_int_equal(fake_status(req), status);
    assert_string_equal(fake_body(req), body);
}
#endif
