/* test_sqlite_run.c -- transactions: atomic, isolated inside a group, in order, with the right
 * errors and results. */
#include <sqlite3.h>

#include "plugins/sqlite/store.h"
#include "tests/plugin/sqlite_host.h"

static int setup(void **state)
{
    (void)state;
    sq_folder_create();
    return 0;
}

/* Somebody else who holds the write lock: meanwhile runs queue up. */
static sqlite3 *lock_take(void)
{
    sqlite3 *db = NULL;
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/parley.db", host.data_dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static void lock_give(sqlite3 *db)
{
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#define ANN "INSERT INTO users (id, email_key, age) VALUES (1, 'ann@x.org', 30)"
#define BOB "INSERT INTO users (id, email_key, age) VALUES (2, 'bob@x.org', 30)"

static const struct {
    const char *label;
    const char *texts[4];
    int status;
    uint32_t failed;
    const char *constraint;
    const char *users; /* afterwards */
} atomic_cases[] = {
    { "all good", { ANN, BOB }, PARLEY_OK, 0, "", "2" },
    { "unique column",
      { ANN, BOB, "UPDATE users SET email_key = 'ann@x.org' WHERE id = 2" },
      PARLEY_DB_UNIQUE,
      2,
      "users.email_key",
      "0" },
    { "primary key",
      { ANN, "INSERT INTO users (id, email_key) VALUES (1, 'c@x.org')" },
      PARLEY_DB_UNIQUE,
      1,
      "users.id",
      "0" },
    { "unique index",
      { ANN, "INSERT INTO posts (author, body) VALUES (1, 'a')",
        "INSERT INTO posts (author, body) VALUES (1, 'A')" },
      PARLEY_DB_UNIQUE,
      2,
      "posts_body",
      "0" },
    { "not null",
      { ANN, "INSERT INTO users (email_key) VALUES (NULL)" },
      PARLEY_DB_CHECK,
      1,
      "users.email_key",
      "0" },
    { "check",
      { "INSERT INTO users (email_key, age) VALUES ('x', -1)" },
      PARLEY_DB_CHECK,
      0,
      "users_age",
      "0" },
    { "foreign key",
      { ANN, "INSERT INTO posts (author) VALUES (9)" },
      PARLEY_DB_FOREIGN_KEY,
      1,
      "",
      "0" },
    { "foreign key at COMMIT",
      { ANN, "INSERT INTO posts (author, later) VALUES (1, 9)" },
      PARLEY_DB_FOREIGN_KEY,
      1,
      "",
      "0" },
    { "at run time",
      { ANN, "SELECT abs(-9223372036854775807 - 1) FROM users" },
      PARLEY_DB_ERROR,
      1,
      "",
      "0" },
};

static uint32_t prepare_all(const char *const *texts, parley_sql *sql)
{
    uint32_t n = 0;

    for (; n < 4 && texts[n]; n++)
        sql[n] = (parley_sql){ .stmt = sq_prepare(texts[n]) };
    return n;
}

static void test_atomic(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(atomic_cases); i++) {
        parley_sql sql[4];
        answer a = { 0 };

        sq_folder_free();
        sq_folder_create();
        sq_start(NULL);
        uint32_t n = prepare_all(atomic_cases[i].texts, sql);
        assert_int_equal(sq.db->run(&host.plugin, sql, n, 0, sq_answer, &a), 0);
        host_wait(&a.calls, 1);
        answer count = sq_run("SELECT count(*) FROM users", PARLEY_DB_READ);
        if (a.status != atomic_cases[i].status || a.failed != atomic_cases[i].failed ||
            strcmp(a.constraint, atomic_cases[i].constraint) != 0 ||
            strcmp(count.first, atomic_cases[i].users) != 0)
            fail_msg("case \"%s\": status %d failed %u constraint \"%s\" message \"%s\" users %s",
                     atomic_cases[i].label, a.status, a.failed, a.constraint, a.message,
                     count.first);
        host_stop();
    }
}

/* One run of a group: a user and a post by it.  Run 6 repeats the user of run 0.  Run 3 repeats the
 * post of run 2, after its user was stored; or, in the second round, it breaks a foreign key that
 * only COMMIT looks at. */
static void group_add(int round, int i, parley_stmt user, parley_stmt post, answer *ret)
{
    int is_late = i == 3 && round == 1;
    int same_as = i == 6 ? 0 : i;
    int64_t id = round * 100 + i;
    char key[] = { (char)('a' + round), (char)('a' + same_as) };
    parley_param user_values[] = { PARLEY_INT(id), PARLEY_TEXT(((parley_str){ key, 2 })) };
    parley_param post_values[] = { PARLEY_INT(i == 3 && !is_late ? id - 1 : id), PARLEY_INT(id),
                                   PARLEY_NULL };
    parley_sql sql[] = { { user, user_values, 2 }, { post, post_values, 3 } };

    if (is_late)
        post_values[2] = (parley_param)PARLEY_INT(4711);
    assert_int_equal(sq.db->run(&host.plugin, sql, 2, 0, sq_answer, ret), 0);
}

/* In one group: each of the bad ones fails alone. */
static void test_group_isolates(void **state)
{
    (void)state;
    sq_start(NULL);
    parley_stmt user = sq_prepare("INSERT INTO users (id, email_key) VALUES ($1, $2)");
    parley_stmt post = sq_prepare("INSERT INTO posts (id, author, later) VALUES ($1, $2, $3)");
    for (int round = 0; round < 2; round++) {
        answer answers[9] = { 0 };
        sqlite3 *lock = lock_take();
        uint64_t before = writer_commits();

        for (int i = 0; i < 9; i++)
            group_add(round, i, user, post, &answers[i]);
        lock_give(lock);
        for (int i = 0; i < 9; i++) {
            int third = round == 0 ? PARLEY_DB_UNIQUE : PARLEY_DB_FOREIGN_KEY;

            host_wait(&answers[i].calls, 1);
            assert_int_equal(answers[i].status, i == 3   ? third
                                                : i == 6 ? PARLEY_DB_UNIQUE
                                                         : PARLEY_OK);
        }
        if (round == 0)
            assert_true(writer_commits() - before <= 2);
    }
    assert_string_equal(sq_run("SELECT count(*) FROM users", PARLEY_DB_READ).first, "14");
    assert_string_equal(sq_run("SELECT count(*) FROM posts", PARLEY_DB_READ).first, "14");
    host_stop();
}

enum { MANY = 1000 };
static struct {
    int next, wrong, n;
} order;

static void order_seen(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx, (void)result;
    if (status != PARLEY_OK || (int)(intptr_t)ud != order.next)
        order.wrong++;
    order.next++;
    order.n++;
}

static void test_group_commit(void **state)
{
    (void)state;
    sq_start(NULL);
    parley_stmt add = sq_prepare("INSERT INTO users (id, email_key) VALUES ($1, CAST($2 AS TEXT))");
    sqlite3 *lock = lock_take();
    uint64_t before = writer_commits();
    uint64_t posts = host.post_n;

    memset(&order, 0, sizeof(order));
    for (int i = 0; i < MANY; i++) {
        parley_param values[] = { PARLEY_INT(i), PARLEY_INT(i) };
        parley_sql sql = { add, values, 2 };

        assert_int_equal(sq.db->run(&host.plugin, &sql, 1, 0, order_seen, (void *)(intptr_t)i), 0);
    }
    lock_give(lock);
    host_wait(&order.n, MANY);
    assert_int_equal(order.wrong, 0);
    assert_true(writer_commits() - before <= 4); /* what it held already, 512, the rest */
    assert_true(host.post_n - posts <= 4);
    assert_string_equal(sq_run("SELECT count(*) FROM users", PARLEY_DB_READ).first, "1000");
    host_stop();
}

/* The first read is slow, the others overtake it on the other readers; callbacks keep the order. */
static void test_read_order(void **state)
{
    static const host_setting settings[] = { { .name = "readers", .number = 4 }, { .name = NULL } };

    (void)state;
    sq_start(settings);
    parley_stmt count = sq_prepare("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c"
                                   " WHERE x < $1) SELECT count(*) FROM c");
    memset(&order, 0, sizeof(order));
    for (int i = 0; i < 100; i++) {
        parley_param value = PARLEY_INT(i % 10 == 0 ? 100000 : 10);
        parley_sql sql = { count, &value, 1 };

        assert_int_equal(
            sq.db->run(&host.plugin, &sql, 1, PARLEY_DB_READ, order_seen, (void *)(intptr_t)i), 0);
    }
    host_wait(&order.n, 100);
    assert_int_equal(order.wrong, 0);
    host_stop();
}

static void state_seen(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx;
    assert_int_equal(status, PARLEY_OK);
    assert_int_equal(sq.db->get_int(result->rows[0], 0, 0, -1),
                     sq.db->get_int(result->rows[2], 0, 0, -2));
    *(int *)ud += 1;
}

/* All statements of a read see the same state, whatever is written meanwhile. */
static void test_read_is_one_state(void **state)
{
    parley_param many = PARLEY_INT(100000);
    int seen = 0;

    (void)state;
    sq_start(NULL);
    parley_stmt count = sq_prepare("SELECT count(*) FROM users");
    parley_stmt slow = sq_prepare("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c"
                                  " WHERE x < $1) SELECT count(*) FROM c");
    for (int i = 0; i < 10; i++) {
        parley_sql sql[] = { { .stmt = count }, { slow, &many, 1 }, { .stmt = count } };

        assert_int_equal(sq.db->run(&host.plugin, sql, 3, PARLEY_DB_READ, state_seen, &seen), 0);
        assert_int_equal(
            sq_run("INSERT INTO users (email_key) SELECT count(*) FROM users", 0).status,
            PARLEY_OK);
    }
    host_wait(&seen, 10);
    host_stop();
}

static void test_read_sees_commit(void **state)
{
    (void)state;
    sq_start(NULL);
    parley_stmt add = sq_prepare("INSERT INTO users (email_key) VALUES ($1)");
    parley_stmt find = sq_prepare("SELECT email_key FROM users WHERE email_key = $1");
    for (int i = 0; i < 50; i++) {
        char key[16];
        answer a = { 0 };
        answer b = { 0 };

        (void)snprintf(key, sizeof(key), "u%d", i);
        parley_param value = PARLEY_TEXT(((parley_str){ key, strlen(key) }));
        parley_sql sql = { add, &value, 1 };
        assert_int_equal(sq.db->run(&host.plugin, &sql, 1, 0, sq_answer, &a), 0);
        host_wait(&a.calls, 1);
        assert_int_equal(a.n, 1); /* rows affected */
        sql.stmt = find;
        assert_int_equal(sq.db->run(&host.plugin, &sql, 1, PARLEY_DB_READ, sq_answer, &b), 0);
        host_wait(&b.calls, 1);
        assert_string_equal(b.first, key);
    }
    host_stop();
}

static void values_seen(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    const parley_rows *rows = result->rows[0];
    parley_str text = sq.db->get(rows, 0, 2);

    (void)ctx;
    assert_int_equal(status, PARLEY_OK);
    assert_int_equal(result->count, 2);
    assert_int_equal(sq.db->rows_n(rows), 1);
    assert_int_equal(sq.db->get_int(rows, 0, 0, 0), INT64_MIN);
    assert_null(sq.db->get(rows, 0, 1).p);
    assert_int_equal(sq.db->get_int(rows, 0, 1, -7), -7);
    assert_int_equal(text.n, 5);
    assert_memory_equal(text.p, "a\0b\xc3\xa4", 5);
    assert_int_equal(sq.db->get_int(rows, 0, 2, -7), -7);
    assert_non_null(sq.db->get(rows, 0, 3).p); /* the empty text is not NULL */
    assert_int_equal(sq.db->get(rows, 0, 3).n, 0);
    assert_null(sq.db->get(rows, 0, 4).p); /* no such column, no such row */
    assert_null(sq.db->get(rows, 1, 0).p);
    assert_null(sq.db->get(rows, -1, 0).p);
    assert_int_equal(sq.db->rows_n(result->rows[1]), 0);
    assert_null(sq.db->get(result->rows[1], 0, 0).p);
    *(int *)ud = 1;
}

static void test_values(void **state)
{
    int seen = 0;

    (void)state;
    sq_start(NULL);
    parley_param values[] = { PARLEY_NULL, PARLEY_INT(INT64_MIN),
                              PARLEY_TEXT(PARLEY_S("a\0b\xc3\xa4")), PARLEY_TEXT(PARLEY_S("")) };
    parley_sql sql[] = { { sq_prepare("SELECT $2, $1, $3, $4"), values, 4 },
                         { sq_prepare("SELECT 1 FROM users WHERE id = 0"), NULL, 0 } };
    assert_int_equal(sq.db->run(&host.plugin, sql, 2, PARLEY_DB_READ, values_seen, &seen), 0);
    host_wait(&seen, 1);
    answer a =
        sq_run("INSERT INTO users (id, email_key) VALUES (5, 'a'), (6, 'b') RETURNING id", 0);
    assert_int_equal(a.n, 2);
    assert_string_equal(a.first, "5");
    assert_int_equal(sq_run("DELETE FROM users", 0).n, 2);
    assert_string_equal(sq.db->dialect(), "sqlite");
    host_stop();
}

static void test_run_refuses(void **state)
{
    parley_param values[2] = { PARLEY_INT(1), { .type = 99 } };
    answer a = { 0 };

    (void)state;
    sq_start(NULL);
    parley_stmt one = sq_prepare("SELECT 1 FROM users WHERE id = $1");
    parley_stmt add = sq_prepare("INSERT INTO users (email_key) VALUES ('x')");
    const struct {
        const char *label;
        parley_sql sql;
        uint32_t n, flags;
    } cases[] = {
        { "no statement", { one, values, 1 }, 0, 0 },
        { "id 0", { { 0 }, values, 1 }, 1, 0 },
        { "unknown id", { { 77 }, values, 1 }, 1, 0 },
        { "too few params", { one, values, 0 }, 1, 0 },
        { "too many params", { one, values, 2 }, 1, 0 },
        { "type of a param", { one, values + 1, 1 }, 1, 0 },
        { "write on a reader", { add, NULL, 0 }, 1, PARLEY_DB_READ },
        { "unknown flag", { one, values, 1 }, 1, 4 },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (sq.db->run(&host.plugin, &cases[i].sql, cases[i].n, cases[i].flags, sq_answer, &a) !=
            PARLEY_EINVAL)
            fail_msg("case \"%s\"", cases[i].label);
    host_stop();
    assert_int_equal(a.calls, 0);
    parley_sql late = { one, values, 1 };
    assert_int_equal(sq.db->run(&host.plugin, &late, 1, 0, sq_answer, &a), PARLEY_DB_DOWN);
}

static const struct {
    const char *text, *why;
} prepare_cases[] = {
    { "SELEC 1", "near \"SELEC\": syntax error" },
    { "SELECT nope FROM users", "no such column: nope" },
    { "SELECT \"text\"", "no such column: text" },
    { "SELECT 1 FROM nobody", "no such table: nobody" },
    { "", "no statement" },
    { "SELECT 1; SELECT 2", "one statement" },
    { "SELECT ?", "parameters must be" },
    { "SELECT $1, $3", "parameters must be" },
    { "SELECT :name", "parameters must be" },
    { "BEGIN", "not authorized" },
    { "PRAGMA synchronous = OFF", "not authorized" },
    { "ATTACH 'x' AS x", "not authorized" },
};

static void test_prepare_refuses(void **state)
{
    parley_stmt stmt = { 0 };

    (void)state;
    sq_start(NULL);
    for (size_t i = 0; i < COUNT(prepare_cases); i++) {
        host.failed[0] = '\0';
        if (sq.db->prepare(&host.plugin, prepare_cases[i].text, &stmt) >= 0 ||
            !strstr(host.failed, prepare_cases[i].why) ||
            !strstr(host.failed, prepare_cases[i].text))
            fail_msg("case \"%s\": \"%s\"", prepare_cases[i].text, host.failed);
    }
    assert_int_equal(stmt.id, 0);
    assert_int_equal(sq.db->prepare(&host.plugin, "SELECT 1 ; ", &stmt), 0);
    host_stop();
}

static void test_queue_full(void **state)
{
    static const host_setting settings[] = { { .name = "queue", .number = 8 }, { .name = NULL } };
    answer answers[64] = { 0 };
    int taken = 0;

    (void)state;
    sq_start(settings);
    parley_sql sql = { .stmt = sq_prepare("UPDATE users SET age = 1") };
    sqlite3 *lock = lock_take();
    for (int before = -1;
         before != taken;) { /* until the writer holds a group, and the queue is full again */
        before = taken;
        while (taken < 60 && sq.db->run(&host.plugin, &sql, 1, 0, sq_answer, &answers[taken]) == 0)
            taken++;
        host_turn(50);
    }
    assert_in_range(taken, 8, 16);
    assert_int_equal(sq.db->run(&host.plugin, &sql, 1, 0, sq_answer, &answers[63]), PARLEY_EAGAIN);
    lock_give(lock);
    for (int i = 0; i < taken; i++)
        host_wait(&answers[i].calls, 1);
    assert_int_equal(answers[63].calls, 0);
    host_stop();
}

/* What was accepted before stop() is done and answered. */
static void test_stop_finishes(void **state)
{
    (void)state;
    sq_start(NULL);
    parley_stmt add = sq_prepare("INSERT INTO users (email_key) VALUES (CAST($1 AS TEXT))");
    memset(&order, 0, sizeof(order));
    for (int i = 0; i < 100; i++) {
        parley_param value = PARLEY_INT(i);
        parley_sql sql = { add, &value, 1 };

        assert_int_equal(sq.db->run(&host.plugin, &sql, 1, 0, order_seen, (void *)(intptr_t)i), 0);
    }
    host_stop();
    assert_int_equal(order.n, 100);
    assert_int_equal(order.wrong, 0);
    sq_start(NULL);
    assert_string_equal(sq_run("SELECT count(*) FROM users", PARLEY_DB_READ).first, "100");
    host_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_atomic, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_group_isolates, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_group_commit, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_read_order, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_read_is_one_state, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_read_sees_commit, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_values, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_run_refuses, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_prepare_refuses, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_queue_full, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_stop_finishes, setup, sq_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
