/* sqlite_host.h -- a store in a folder of its own, with one migration, for the tests of the plugin
 * sqlite. */
#ifndef TESTS_PLUGIN_SQLITE_HOST_H
#define TESTS_PLUGIN_SQLITE_HOST_H
#include <ftw.h>
#include <parley/db.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/plugin/thread_host.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char tables_sql[] =
    "CREATE TABLE users (id INTEGER PRIMARY KEY, email_key TEXT NOT NULL UNIQUE,"
    " age BIGINT CONSTRAINT users_age CHECK (age >= 0));\n"
    "CREATE TABLE posts (id INTEGER PRIMARY KEY, author BIGINT NOT NULL REFERENCES users (id),"
    " later BIGINT REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED, body TEXT);\n"
    "CREATE UNIQUE INDEX posts_body ON posts (lower(body));\n";

static struct {
    char folder[128];
    const parley_db *db;
} sq;

typedef struct answer { /* of one run */
    int calls, status;
    uint32_t failed;
    char constraint[128], message[600];
    int64_t n;      /* rows_n of the last statement */
    char first[64]; /* its first cell; "NULL" */
} answer;

static int sq_remove(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path);
}

__attribute__((unused)) static void sq_folder_free(void)
{
    (void)nftw(sq.folder, sq_remove, 16, FTW_DEPTH | FTW_PHYS);
}

__attribute__((unused)) static void sq_write_file(const char *folder, const char *name,
                                                  const char *text)
{
    char path[1024];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* <folder>/share/sql/sqlite/t/001_tables.sql, and data_dir <folder>/var,
 * which does not exist yet */
__attribute__((unused)) static void sq_folder_create(void)
{
    static const char *const parts[] = { "/share", "/share/sql", "/share/sql/sqlite",
                                         "/share/sql/sqlite/t" };
    char path[256];

    (void)snprintf(sq.folder, sizeof(sq.folder), "/tmp/parley-sqlite-XXXXXX");
    assert_non_null(mkdtemp(sq.folder));
    for (size_t i = 0; i < COUNT(parts); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", sq.folder, parts[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    sq_write_file(path, "001_tables.sql", tables_sql);
    (void)snprintf(host.share_dir, sizeof(host.share_dir), "%s/share", sq.folder);
    (void)snprintf(host.data_dir, sizeof(host.data_dir), "%s/var", sq.folder);
    host.mono_ns = -1;
}

/* Also after a test that failed in the middle. */
__attribute__((unused)) static int sq_teardown(void **state)
{
    (void)state;
    if (host.is_running)
        host_stop();
    sq_folder_free();
    return 0;
}

static void sq_answer(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    answer *a = ud;

    assert_int_equal(ctx->depth, 1);
    a->calls++;
    a->status = status;
    a->failed = result->failed;
    (void)snprintf(a->constraint, sizeof(a->constraint), "%.*s", (int)result->constraint.n,
                   result->constraint.p ? result->constraint.p : "");
    (void)snprintf(a->message, sizeof(a->message), "%.*s", (int)result->message.n,
                   result->message.p ? result->message.p : "");
    if (status < 0)
        assert_int_equal(result->count, 0);
    if (result->count == 0)
        return;
    const parley_rows *rows = result->rows[result->count - 1];
    parley_str first = sq.db->get(rows, 0, 0);
    a->n = sq.db->rows_n(rows);
    (void)snprintf(a->first, sizeof(a->first), "%.*s", first.p ? (int)first.n : 4,
                   first.p ? first.p : "NULL");
}

__attribute__((unused)) static answer sq_migrate_way(const char *folder, uint32_t way,
                                                     int64_t version)
{
    answer a = { 0 };
    char path[sizeof(host.share_dir) + 64];
    int n = snprintf(path, sizeof(path), "%s/sql/sqlite/%s", host.share_dir, folder);
    const parley_db_migration what = { PARLEY_SIZED(parley_db_migration), .way = way,
                                       .plugin = PARLEY_S("t"), .folder = { path, (size_t)n },
                                       .version = version };

    assert_int_equal(sq.db->migrate(&host.plugin, &what, sq_answer, &a), 0);
    assert_int_equal(a.calls, 0);
    host_wait(&a.calls, 1);
    return a;
}

__attribute__((unused)) static answer sq_migrate(const char *folder)
{
    return sq_migrate_way(folder, PARLEY_DB_UP, 0);
}

__attribute__((unused)) static void sq_start(const host_setting *settings)
{
    if (host_start(settings) != 0)
        fail_msg("start: %s", host.failed);
    sq.db = host_service("parley.db");
    answer a = sq_migrate("t");
    if (a.status != 0)
        fail_msg("migrate: %s", a.message);
}

__attribute__((unused)) static parley_stmt sq_prepare(const char *text)
{
    parley_stmt stmt = { 0 };

    if (sq.db->prepare(&host.plugin, text, &stmt) != 0)
        fail_msg("prepare: %s", host.failed);
    assert_true(stmt.id > 0);
    return stmt;
}

/* One statement with at most two integers, run to its end. */
__attribute__((unused)) static answer sq_run(const char *text, uint32_t flags)
{
    answer a = { 0 };
    parley_sql sql = { .stmt = sq_prepare(text) };

    assert_int_equal(sq.db->run(&host.plugin, &sql, 1, flags, sq_answer, &a), 0);
    assert_int_equal(a.calls, 0); /* never before run() returns */
    host_wait(&a.calls, 1);
    return a;
}
#endif
