/* test_sqlite_threads.c -- many runs of all kinds at once, over several lives of the store; for the
 * thread sanitizer. */
#include "plugins/sqlite/store.h"
#include "tests/plugin/sqlite_host.h"

enum { LIVES = 3, ROUNDS = 20, WRITES = 100, READS = 60, USERS = 4 };

/* One plugin that uses the store; its callbacks come in order, per kind. */
typedef struct stress_user {
    parley_ctx ctx;
    int write_next, read_next; /* the run whose callback comes next */
    int64_t rows_seen;         /* reads never see fewer rows than before */
} stress_user;

static stress_user users[USERS];
static int done, refused;
static parley_stmt add, sum, pair;

static void write_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    stress_user *user = (stress_user *)(void *)ctx;
    int i = (int)(intptr_t)ud;

    assert_int_equal(i, user->write_next++);
    assert_int_equal(user->ctx.depth, 1);
    if (i % 7 == 6) { /* a repeated key, see write_start() */
        assert_int_equal(status, PARLEY_DB_UNIQUE);
        refused++;
    } else {
        assert_int_equal(status, PARLEY_OK);
        assert_int_equal(result->count, 2);
    }
    done++;
}

static void read_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    stress_user *user = (stress_user *)(void *)ctx;

    assert_int_equal((int)(intptr_t)ud, user->read_next++);
    assert_int_equal(status, PARLEY_OK);
    /* Both statements see one state: as many posts as users, because every run adds one of each. */
    int64_t people = sq.db->get_int(result->rows[0], 0, 0, -1);
    assert_int_equal(people, sq.db->get_int(result->rows[1], 0, 0, -2));
    assert_true(people >= 0);
    user->rows_seen += people;
    done++;
}

static void write_start(stress_user *user, int life, int i)
{
    char key[64];
    int same = i % 7 == 6 ? i - 1 : i; /* every seventh repeats the key of the one before */

    (void)snprintf(key, sizeof(key), "%d-%d-%d", life, (int)(user - users), same);
    parley_param value = PARLEY_TEXT(((parley_str){ key, strlen(key) }));
    parley_sql sql[] = { { add, &value, 1 }, { pair, &value, 1 } };
    assert_int_equal(sq.db->run(&user->ctx, sql, 2, 0, write_done, (void *)(intptr_t)i), 0);
}

static void read_start(stress_user *user, int i)
{
    static parley_stmt posts;

    if (i == 0 && user == users)
        posts = sq_prepare("SELECT count(*) FROM posts");
    parley_sql sql[] = { { .stmt = sum }, { .stmt = posts } };
    assert_int_equal(sq.db->run(&user->ctx, sql, 2, PARLEY_DB_READ, read_done, (void *)(intptr_t)i),
                     0);
}

static void stress_round(int life, int round)
{
    for (int u = 0; u < USERS; u++) {
        for (int i = 0; i < READS / USERS; i++)
            read_start(&users[u], round * (READS / USERS) + i);
        for (int i = 0; i < WRITES / USERS; i++)
            write_start(&users[u], life, round * (WRITES / USERS) + i);
    }
    host_turn(1);
}

static void test_stress(void **state)
{
    static const host_setting settings[] = { { .name = "readers", .number = 4 },
                                             { .name = "wal_autocheckpoint", .number = 100 },
                                             { .name = NULL } };

    (void)state;
    sq_folder_create();
    refused = 0;
    for (int life = 0; life < LIVES; life++) {
        memset(users, 0, sizeof(users));
        done = 0;
        sq_start(settings);
        add = sq_prepare("INSERT INTO users (email_key) VALUES ($1)");
        pair = sq_prepare("INSERT INTO posts (author, body)"
                          " SELECT id, email_key FROM users WHERE email_key = $1");
        sum = sq_prepare("SELECT count(*) FROM users");
        for (int round = 0; round < ROUNDS; round++)
            stress_round(life, round);
        host_stop(); /* with much of it still waiting */
        assert_int_equal(done, ROUNDS * (READS + WRITES));
    }
    sq_start(NULL);
    answer count = sq_run("SELECT count(*) FROM users", PARLEY_DB_READ);
    assert_int_equal(strtol(count.first, NULL, 10), LIVES * ROUNDS * WRITES - refused);
    assert_int_equal(refused, LIVES * USERS * (ROUNDS * WRITES / USERS / 7));
    host_stop();
    sq_folder_free();
}

/* Starting and stopping with nothing to do. */
static void test_short_lives(void **state)
{
    (void)state;
    sq_folder_create();
    for (int i = 0; i < 30; i++) {
        assert_int_equal(host_start(NULL), 0);
        host_stop();
    }
    sq_folder_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stress),
        cmocka_unit_test(test_short_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
