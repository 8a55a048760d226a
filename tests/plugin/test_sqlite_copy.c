/* test_sqlite_copy.c -- copies of a database: one moment of it whatever is written meanwhile, sound or
 * not there at all. */
#include "tests/plugin/sqlite_host.h"

#include <fcntl.h>
#include <sqlite3.h>

#include "plugins/sqlite/copy.h"
#include "plugins/sqlite/restore.h"
#include "plugins/sqlite/store.h"

enum { ROWS = 6000 }; /* more pages than are copied in one step */

static sqlite3 *writer; /* somebody who goes on writing */

static void writer_exec(const char *sql)
{
    if (sqlite3_exec(writer, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(writer));
}

static int setup(void **state)
{
    (void)state;
    sq_folder_create();
    sq_start(NULL);
    assert_int_equal(sqlite3_open(store.path, &writer), SQLITE_OK);
    writer_exec("PRAGMA synchronous = OFF");
    char sql[300];
    (void)snprintf(sql, sizeof(sql),
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                   " INSERT INTO users (id, email_key) SELECT i, hex(zeroblob(1000)) || i FROM n",
                   ROWS);
    writer_exec(sql);
    return 0;
}

static int teardown(void **state)
{
    (void)sqlite3_close(writer);
    writer = NULL;
    return sq_teardown(state);
}

static int64_t number_in(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return number;
}

static int steps, steps_until; /* then: give up; 0: never */

/* One commit in the midst of each step of the copy. */
static int write_along(void *ud, int64_t done, int64_t total)
{
    (void)ud;
    assert_true(done <= total);
    writer_exec("UPDATE users SET age = 1 + ifnull(age, 0) WHERE id % 1000 = 0");
    return ++steps == steps_until;
}

static void path_of(const char *name, char ret[256])
{
    (void)snprintf(ret, 256, "%s/%s", sq.folder, name);
}

static void test_one_moment(void **state)
{
    char to[256];
    dberror why;

    (void)state;
    path_of("copy.db", to);
    dbcopy copy = { .from = store.path, .to = to, .step = write_along };
    steps = steps_until = 0;
    if (copy_make(&copy, &why) < 0)
        fail_msg("%s", why.message);
    assert_true(steps > 3);
    assert_int_equal(number_in(to, "SELECT count(*) FROM users"), ROWS);
    assert_int_equal(number_in(to, "SELECT count(*) FROM users WHERE age IS NOT NULL"), 0);
    assert_int_equal(number_in(store.path, "SELECT count(*) FROM users WHERE age > 3"),
                     ROWS / 1000);
    assert_int_equal(number_in(to, "SELECT count(*) FROM store_incarnations"
                                   " WHERE incarnation = 'backup'"),
                     1);
    struct stat info;
    assert_int_equal(stat(to, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(info.st_size, copy.bytes);
    path_of("copy.db-wal", to);
    assert_int_not_equal(access(to, F_OK), 0);
}

static void test_given_up(void **state)
{
    char to[256];
    dberror why;

    (void)state;
    path_of("copy.db", to);
    dbcopy copy = { .from = store.path, .to = to, .step = write_along };
    for (steps_until = 1; steps_until <= 4; steps_until++) {
        steps = 0;
        assert_int_equal(copy_make(&copy, &why), -1);
        assert_int_equal(why.status, PARLEY_ECANCELED);
        assert_int_not_equal(access(to, F_OK), 0);
    }
}

static int go_on(void *ud, int64_t done, int64_t total)
{
    (void)ud, (void)done, (void)total;
    return 0;
}

/* Bytes in the middle of a b-tree's page. */
static void damage(const char *path)
{
    static const char junk[600] = { 'j', 'u', 'n', 'k' };
    int fd = open(path, O_RDWR);

    assert_true(fd >= 0);
    for (off_t at = 40; at < 60; at++)
        assert_int_equal(pwrite(fd, junk, sizeof(junk), at * 4096), sizeof(junk));
    assert_int_equal(close(fd), 0);
}

static void test_refused(void **state)
{
    char good[256], bad[256], text[256], to[256];
    dberror why;

    (void)state;
    path_of("good.db", good);
    path_of("bad.db", bad);
    path_of("text", text);
    path_of("to.db", to);
    dbcopy copy = { .from = store.path, .to = good, .step = go_on };
    assert_int_equal(copy_make(&copy, &why), 0);
    copy.to = bad;
    assert_int_equal(copy_make(&copy, &why), 0);
    damage(bad);
    sq_write_file(sq.folder, "text", "this is no database");
    const struct {
        const char *from, *to, *why;
    } cases[] = {
        { bad, to, "damaged" },
        { text, to, "not a database" },
        { "/dev/null", to, "no database of Parley" },
        { good, bad, "File exists" },
        { good, "/nowhere/to.db", "No such file" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        copy.from = cases[i].from;
        copy.to = cases[i].to;
        assert_int_equal(copy_make(&copy, &why), -1);
        if (!strstr(why.message, cases[i].why) && !strstr(why.message, "malformed"))
            fail_msg("%s -> %s: %s", cases[i].from, cases[i].to, why.message);
        assert_int_not_equal(access(to, F_OK), 0);
    }
}

/* The old database cannot even be opened, and has a WAL that must not be taken for the new one's. */
static void test_restore_over_a_ruin(void **state)
{
    static char ruin[3 * 4096 + 1];
    char good[256], wal[sizeof(store.path) + 8];
    char kept[RESTORE_NAME_SIZE], kept_wal[RESTORE_NAME_SIZE + 8];
    dberror why;

    (void)state;
    path_of("good.db", good);
    dbcopy copy = { .from = store.path, .to = good, .step = go_on };
    assert_int_equal(copy_make(&copy, &why), 0);
    assert_int_equal(sqlite3_close(writer), SQLITE_OK);
    writer = NULL;
    host_stop();
    memset(ruin, 'r', sizeof(ruin) - 1); /* some pages of it */
    sq_write_file(host.data_dir, "parley.db", ruin);
    sq_write_file(host.data_dir, "parley.db-wal", "of the ruin");
    copy = (dbcopy){ .from = good, .step = go_on };
    (void)snprintf(wal, sizeof(wal), "%s-wal", store.path);
    /* Something is in the way of the last step: all is as it was. */
    (void)snprintf(kept_wal, sizeof(kept_wal), "%s.before-restore-20231114T221320Z-shm",
                   store.path);
    assert_int_equal(mkdir(kept_wal, 0700), 0);
    sq_write_file(host.data_dir, "parley.db-shm", "of the ruin");
    assert_int_equal(restore_make(&copy, 1700000000000000, kept, &why), -1);
    assert_int_equal(access(wal, F_OK), 0);
    assert_int_not_equal(access(kept, F_OK), 0);
    assert_int_equal(rmdir(kept_wal), 0);
    if (restore_make(&copy, 1700000000000000, kept, &why) < 0)
        fail_msg("%s", why.message);
    assert_non_null(strstr(kept, "parley.db.before-restore-20231114T221320Z"));
    (void)snprintf(kept_wal, sizeof(kept_wal), "%s-wal", kept);
    assert_int_equal(access(kept, F_OK), 0);
    assert_int_equal(access(kept_wal, F_OK), 0);
    assert_int_not_equal(access(wal, F_OK), 0);
    assert_int_equal(number_in(store.path, "SELECT count(*) FROM users"), ROWS);
    /* A second one in the same second must not overwrite what the first has kept. */
    assert_int_equal(restore_make(&copy, 1700000000000000, kept, &why), -1);
    assert_non_null(strstr(why.message, "File exists"));
    assert_int_equal(number_in(store.path, "SELECT count(*) FROM users"), ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_moment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restore_over_a_ruin, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
