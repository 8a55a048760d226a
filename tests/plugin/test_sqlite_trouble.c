/* test_sqlite_trouble.c -- the file at start, a full disk, a foreign lock: refused clearly, told
 * once, over by itself. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "plugins/sqlite/store.h"
#include "tests/plugin/sqlite_host.h"

static atomic_int fault_sync, fault_write; /* errno of every sync, every write; 0: they work */

/* In place of libc's, for SQLite too: it is a shared library. */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    int err = atomic_load(&fault_sync);

    if (err == 0)
        return (int)syscall(SYS_fdatasync, fd);
    errno = err;
    return -1;
}

static ssize_t fault_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    int err = atomic_load(&fault_write);

    if (err == 0)
        return pwrite(fd, bytes, n, at);
    errno = err;
    return -1;
}

static int fault_setup(void **state)
{
    static const char *const names[] = { "pwrite", "pwrite64" };
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(vfs->xSetSystemCall(vfs, names[i], (sqlite3_syscall_ptr)fault_pwrite),
                         SQLITE_OK);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    sq_folder_create();
    return 0;
}

static void data_path(char *ret, size_t size, const char *name)
{
    (void)snprintf(ret, size, "%s%s", host.data_dir, name);
}

static void test_file_modes(void **state)
{
    static const struct {
        const char *name;
        mode_t mode;
    } cases[] = {
        { "", 0700 }, { "/parley.db", 0600 }, { "/parley.db-wal", 0600 }, { "/parley.db-shm", 0600 }
    };
    struct stat info;
    char path[512];

    (void)state;
    sq_start(NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        data_path(path, sizeof(path), cases[i].name);
        assert_int_equal(stat(path, &info), 0);
        if ((info.st_mode & 0777) != cases[i].mode)
            fail_msg("%s: %o", path, info.st_mode & 0777);
    }
    host_stop();
    data_path(path, sizeof(path), "/parley.db-wal"); /* all of it is in the database now */
    assert_int_equal(stat(path, &info), -1);
}

static void make_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

static void make_rubbish(const char *path)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    for (int i = 0; i < 2000; i++)
        (void)fputs("this is no database\n", file);
    (void)fclose(file);
}

static void make_nothing(const char *path)
{
    (void)path;
}

static const struct {
    const char *label, *path; /* the option; %s: a folder */
    void (*make)(const char *path);
    const char *why;
} start_cases[] = {
    { "a folder", "%s/db", make_folder, "Is a directory" },
    { "rubbish", "%s/db", make_rubbish, "file is not a database" },
    { "below a file", "/dev/null/db", make_nothing, "Not a directory" },
};

static void test_start_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(start_cases); i++) {
        char path[512];
        host_setting settings[] = { { .name = "file", .text = path }, { .name = NULL } };

        sq_folder_free();
        sq_folder_create();
        if (start_cases[i].make == make_nothing)
            (void)snprintf(path, sizeof(path), "%s", start_cases[i].path);
        else
            (void)snprintf(path, sizeof(path), "%s/db", sq.folder);
        start_cases[i].make(path);
        if (host_start(settings) >= 0 || !strstr(host.failed, start_cases[i].why) ||
            !strstr(host.failed, path))
            fail_msg("case \"%s\": \"%s\"", start_cases[i].label, host.failed);
    }
}

static void test_names_are_files(void **state)
{
    static const char *const names[] = { ":memory:", "file:x?mode=memory" };
    char before[512];

    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(sq.folder), 0);
    assert_int_equal(mkdir(host.data_dir, 0700), 0); /* the server makes it */
    for (size_t i = 0; i < COUNT(names); i++) {
        host_setting settings[] = { { .name = "file", .text = names[i] }, { .name = NULL } };

        sq_start(settings);
        host_stop();
        assert_int_equal(access(names[i], F_OK), 0);
    }
    assert_int_equal(chdir(before), 0);
}

/* Runs that fit, one that does not, all in one group: the large one fails alone. */
static void test_full(void **state)
{
    static const host_setting settings[] = { { .name = "max_size", .number = 40 * 4096 },
                                             { .name = NULL } };
    answer answers[5] = { 0 };
    sqlite3 *lock = NULL;
    char path[512];

    (void)state;
    sq_start(settings);
    parley_stmt add = sq_prepare("INSERT INTO users (email_key) VALUES ($1)");
    parley_stmt grow =
        sq_prepare("INSERT INTO users (email_key) VALUES (CAST(zeroblob($1) AS TEXT))");
    data_path(path, sizeof(path), "/parley.db");
    assert_int_equal(sqlite3_open(path, &lock), SQLITE_OK);
    assert_int_equal(sqlite3_exec(lock, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 5; i++) {
        char name[] = { 'n', (char)('0' + i) };
        parley_param value = PARLEY_TEXT(((parley_str){ name, 2 }));
        parley_param size = PARLEY_INT(1000000);
        parley_sql sql = { i == 2 ? grow : add, i == 2 ? &size : &value, 1 };

        assert_int_equal(sq.db->run(&host.plugin, &sql, 1, 0, sq_answer, &answers[i]), 0);
    }
    assert_int_equal(sqlite3_exec(lock, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(lock), SQLITE_OK);
    for (int i = 0; i < 5; i++) {
        host_wait(&answers[i].calls, 1);
        assert_int_equal(answers[i].status, i == 2 ? PARLEY_DB_FULL : PARLEY_OK);
    }
    host_stop();
}

/* Fills the store up; it says so once, and says it again when there is room. */
static void test_full_and_back(void **state)
{
    static const host_setting settings[] = { { .name = "max_size", .number = 40 * 4096 },
                                             { .name = NULL } };
    answer a = { 0 };

    (void)state;
    sq_start(settings);
    parley_stmt grow =
        sq_prepare("INSERT INTO users (email_key) SELECT $1 || hex(randomblob(2000))");
    parley_param value = PARLEY_TEXT(PARLEY_S("x"));
    parley_sql sql = { grow, &value, 1 };
    int stored = -1;
    for (int wanted = 1; a.status == PARLEY_OK; wanted++, stored++) {
        assert_int_equal(sq.db->run(&host.plugin, &sql, 1, 0, sq_answer, &a), 0);
        host_wait(&a.calls, wanted);
    }
    assert_int_equal(a.status, PARLEY_DB_FULL);
    assert_true(stored > 5);
    host_wait(&host.is_ready, 0);
    assert_int_equal(host.ready_calls, 1);
    assert_int_equal(host.logged[PARLEY_ERROR], 1);
    for (int i = 0; i < 3; i++) /* not told again */
        assert_int_equal(
            sq_run("INSERT INTO users (email_key) SELECT hex(randomblob(100000))", 0).status,
            PARLEY_DB_FULL);
    assert_int_equal(host.ready_calls, 1);
    answer count = sq_run("SELECT count(*) FROM users", PARLEY_DB_READ);
    assert_int_equal(strtol(count.first, NULL, 10),
                     stored); /* what was acknowledged, no more and no less */
    assert_int_equal(sq_run("DELETE FROM users", 0).status, PARLEY_OK);
    host_wait(&host.is_ready, 1);
    assert_int_equal(host.ready_calls, 2);
    assert_int_equal(sq_run("INSERT INTO users (email_key) VALUES ('fits')", 0).status, PARLEY_OK);
    host_stop();
}

/* A foreign lock: BUSY, not ready; nobody writes any more, yet it becomes ready again when the lock
 * is gone. */
static void test_busy_and_back(void **state)
{
    static const host_setting settings[] = { { .name = "busy_timeout", .number = 20 },
                                             { .name = NULL } };
    sqlite3 *lock = NULL;
    char path[512];

    (void)state;
    sq_start(settings);
    data_path(path, sizeof(path), "/parley.db");
    assert_int_equal(sqlite3_open(path, &lock), SQLITE_OK);
    assert_int_equal(sqlite3_exec(lock, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    answer a = sq_run("UPDATE users SET age = 1", 0);
    assert_int_equal(a.status, PARLEY_DB_BUSY);
    host_wait(&host.is_ready, 0);
    assert_int_equal(sq_run("SELECT 1", PARLEY_DB_READ).status, PARLEY_OK); /* reads go on */
    assert_int_equal(sqlite3_exec(lock, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(lock), SQLITE_OK);
    host_wait(&host.is_ready, 1);
    assert_int_equal(host.ready_calls, 2);
    host_stop();
}

/* Whoever goes on writing, and changes nothing, does not keep the store from finding out that all is
 * well. */
static void test_back_though_it_is_busy(void **state)
{
    (void)state;
    sq_start(NULL);
    atomic_store(&fault_write, ENOSPC);
    assert_int_equal(sq_run("INSERT INTO users (email_key) VALUES ('lost')", 0).status,
                     PARLEY_DB_FULL);
    host_wait(&host.is_ready, 0);
    atomic_store(&fault_write, 0);
    int64_t until = parley->mono_ns() + 20000000000;
    while (!host.is_ready && parley->mono_ns() < until)
        assert_int_equal(sq_run("UPDATE users SET age = 1 WHERE email_key = 'nobody'", 0).status,
                         PARLEY_OK);
    assert_int_equal(host.is_ready, 1);
    host_stop();
}

/* The disk refuses what COMMIT writes: nobody of the group is told that it is stored, and nothing
 * is. */
static const struct {
    const char *label;
    atomic_int *fault;
    int err, status;
} commit_cases[] = {
    { "no space", &fault_write, ENOSPC, PARLEY_DB_FULL },
    { "write error", &fault_write, EIO, PARLEY_DB_UNKNOWN },
    { "sync error", &fault_sync, EIO, PARLEY_DB_UNKNOWN },
};

static void test_commit_fails(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNT(commit_cases); c++) {
        answer answers[20] = { 0 };

        sq_folder_free();
        sq_folder_create();
        sq_start(NULL);
        parley_stmt add = sq_prepare("INSERT INTO users (email_key) VALUES (CAST($1 AS TEXT))");
        atomic_store(commit_cases[c].fault, commit_cases[c].err);
        for (int i = 0; i < 20; i++) {
            parley_param value = PARLEY_INT(i % 18); /* the last two repeat a key */
            parley_sql sql = { add, &value, 1 };

            assert_int_equal(sq.db->run(&host.plugin, &sql, 1, 0, sq_answer, &answers[i]), 0);
        }
        for (int i = 0; i < 20; i++) {
            host_wait(&answers[i].calls, 1);
            if (answers[i].status != commit_cases[c].status)
                fail_msg("case \"%s\": %d \"%s\"", commit_cases[c].label, answers[i].status,
                         answers[i].message);
        }
        host_wait(&host.is_ready, 0);
        assert_string_equal(sq_run("SELECT count(*) FROM users", PARLEY_DB_READ).first, "0");
        atomic_store(commit_cases[c].fault, 0);
        host_wait(&host.is_ready, 1); /* by itself */
        assert_int_equal(host.ready_calls, 2);
        assert_int_equal(sq_run("INSERT INTO users (email_key) VALUES ('fits')", 0).status,
                         PARLEY_OK);
        assert_string_equal(sq_run("SELECT count(*) FROM users", PARLEY_DB_READ).first, "1");
        host_stop();
    }
}

/* A file that reads as nonsense, as it does when the disk fails: the store is away, and that is not
 * the fault of whoever asks. */
static void test_unreadable(void **state)
{
    static const char spoil[] = "PRAGMA writable_schema = ON;"
                                " UPDATE sqlite_master SET rootpage = 99999 WHERE type = 'table'";
    sqlite3 *other = NULL;
    char path[512];

    (void)state;
    sq_start(NULL);
    const parley_sql sql[] = {
        { .stmt = sq_prepare("SELECT count(*) FROM users") },
        { .stmt = sq_prepare("INSERT INTO users (email_key) VALUES ('x')") },
    };
    answer answers[COUNT(sql)] = { 0 };

    data_path(path, sizeof(path), "/parley.db");
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, spoil, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "PRAGMA schema_version = 999", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sq.db->run(&host.plugin, &sql[i], 1, i == 0 ? PARLEY_DB_READ : 0,
                                    sq_answer, &answers[i]),
                         0);
        host_wait(&answers[i].calls, 1);
        if (answers[i].status != PARLEY_DB_DOWN)
            fail_msg("%d: %d \"%s\"", i, answers[i].status, answers[i].message);
    }
    host_stop();
}

/* Steady writing, with no pause: the log starts again and again instead of growing. */
static void test_wal_stays_short(void **state)
{
    static const host_setting settings[] = { { .name = "wal_autocheckpoint", .number = 100 },
                                             { .name = NULL } };
    struct stat info;
    char path[512];

    (void)state;
    sq_start(settings);
    parley_stmt grow = sq_prepare("INSERT INTO users (email_key) SELECT hex(randomblob(3000))");
    parley_sql sql = { .stmt = grow };
    for (int i = 0; i < 1000; i++) {
        answer a = { 0 };

        assert_int_equal(sq.db->run(&host.plugin, &sql, 1, 0, sq_answer, &a), 0);
        host_wait(&a.calls, 1);
        assert_int_equal(a.status, PARLEY_OK);
    }
    data_path(path, sizeof(path), "/parley.db-wal");
    assert_int_equal(stat(path, &info), 0);
    assert_true(info.st_size < 3 * 1024 * 1024); /* about 12 MiB went through it */
    host_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_file_modes, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_start_refuses, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_names_are_files, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_full_and_back, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_busy_and_back, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_back_though_it_is_busy, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_commit_fails, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_unreadable, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_wal_stays_short, setup, sq_teardown),
    };
    return cmocka_run_group_tests(tests, fault_setup, NULL);
}
