/* test_sqlite_migrate.c -- migrations: each once, in order, in a transaction; changed or newer ones
 * stop the server. */
#include "tests/plugin/sqlite_host.h"

#include <sqlite3.h>

static char sql_folder[512];

static int setup(void **state)
{
    (void)state;
    sq_folder_create();
    (void)snprintf(sql_folder, sizeof(sql_folder), "%s/sql/sqlite/t", host.share_dir);
    sq_start(NULL);
    return 0;
}

static const char *applied(void)
{
    static answer a;

    a = sq_run("SELECT coalesce(group_concat(version), '') FROM"
               " (SELECT version FROM schema_migrations WHERE plugin = 't' ORDER BY version)",
               PARLEY_DB_READ);
    return a.first;
}

static void test_each_once(void **state)
{
    (void)state;
    assert_string_equal(applied(), "1");
    assert_int_equal(sq_migrate("t").status, PARLEY_OK);
    assert_string_equal(applied(), "1");
    sq_write_file(sql_folder, "010_later.sql", "INSERT INTO users (email_key) VALUES ('third');");
    sq_write_file(sql_folder, "002_more.sql", "INSERT INTO users (email_key) VALUES ('second');");
    sq_write_file(sql_folder, "README", "no migration");
    assert_int_equal(sq_migrate("t").status, PARLEY_OK);
    assert_string_equal(applied(), "1,2,10");
    assert_string_equal(sq_run("SELECT group_concat(email_key) FROM users", PARLEY_DB_READ).first,
                        "second,third");
    assert_string_equal(
        sq_run("SELECT length(checksum) FROM schema_migrations", PARLEY_DB_READ).first, "64");
    assert_string_equal(sq_run("SELECT applied_at FROM schema_migrations", PARLEY_DB_READ).first,
                        "1700000000000000");
}

/* A table is rebuilt as SQLite's manual says; what refers to it must not mind. */
static void test_rebuild(void **state)
{
    (void)state;
    assert_int_equal(sq_run("INSERT INTO users (id, email_key) VALUES (1, 'a')", 0).status,
                     PARLEY_OK);
    assert_int_equal(sq_run("INSERT INTO posts (author) VALUES (1)", 0).status, PARLEY_OK);
    sq_write_file(
        sql_folder, "002_rebuild.sql",
        "CREATE TABLE users_new (id INTEGER PRIMARY KEY, email_key TEXT NOT NULL UNIQUE);\n"
        "INSERT INTO users_new SELECT id, email_key FROM users;\n"
        "DROP TABLE users;\nALTER TABLE users_new RENAME TO users;\n");
    answer a = sq_migrate("t");
    assert_string_equal(a.message, "applied 002_rebuild.sql\n");
    assert_int_equal(sq_run("INSERT INTO posts (author) VALUES (9)", 0).status,
                     PARLEY_DB_FOREIGN_KEY);
    assert_int_equal(sq_run("INSERT INTO posts (author) VALUES (1)", 0).status, PARLEY_OK);
}

static const struct {
    const char *label, *file, *sql;
    const char *why[3];
} bad_cases[] = {
    { "changed",
      "001_tables.sql",
      "CREATE TABLE other (id);",
      { "t/001_tables.sql was changed", "its checksum is ", "applied was " } },
    { "not SQL",
      "002_bad.sql",
      "INSERT INTO users (email_key) VALUES ('x'); CREATE TABEL y (id);",
      { "t/002_bad.sql: ", "near \"TABEL\"" } },
    { "ends the transaction",
      "002_bad.sql",
      "INSERT INTO users (email_key) VALUES ('x'); COMMIT; BEGIN;",
      { "t/002_bad.sql: ", "not authorized" } },
    { "breaks a reference",
      "002_bad.sql",
      "INSERT INTO posts (author) VALUES (99);",
      { "t/002_bad.sql: ", "table posts" } },
    { "same number", "001_again.sql", "SELECT 1;", { "001_", "the same number" } },
    { "no number", "more.sql", "SELECT 1;", { "more.sql", "NNN_name.sql" } },
    { "number 0", "000_x.sql", "SELECT 1;", { "000_x.sql", "NNN_name.sql" } },
};

static void test_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_cases); i++) {
        (void)sq_teardown(NULL);
        (void)setup(NULL);
        sq_write_file(sql_folder, bad_cases[i].file, bad_cases[i].sql);
        answer a = sq_migrate("t");
        for (int k = 0; k < 3; k++)
            if (a.status != PARLEY_DB_ERROR ||
                (bad_cases[i].why[k] && !strstr(a.message, bad_cases[i].why[k])))
                fail_msg("case \"%s\": %d \"%s\"", bad_cases[i].label, a.status, a.message);
        answer count = sq_run("SELECT count(*) FROM users", PARLEY_DB_READ);
        assert_string_equal(count.first, "0");
        assert_string_equal(applied(), "1");
    }
}

static void test_newer_database(void **state)
{
    (void)state;
    assert_int_equal(sq_run("INSERT INTO schema_migrations VALUES ('t', 7, 'x', 1)", 0).status,
                     PARLEY_OK);
    answer a = sq_migrate("t");
    assert_int_equal(a.status, PARLEY_DB_ERROR);
    assert_non_null(strstr(a.message, "has migration 7 of plugin \"t\""));
    assert_non_null(strstr(a.message, "only up to 1"));
    assert_non_null(strstr(a.message, "Run the newer server"));
}

static void test_file_gone(void **state)
{
    char path[600];

    (void)state;
    sq_write_file(sql_folder, "002_more.sql", "SELECT 1;");
    assert_int_equal(sq_migrate("t").status, PARLEY_OK);
    (void)snprintf(path, sizeof(path), "%s/001_tables.sql", sql_folder);
    assert_int_equal(unlink(path), 0);
    assert_non_null(strstr(sq_migrate("t").message, "no file for migration 1"));
}

static void test_no_folder(void **state)
{
    (void)state;
    answer a = sq_migrate("nowhere");
    assert_int_equal(a.status, PARLEY_DB_ERROR);
    assert_non_null(strstr(a.message, "sql/sqlite/nowhere: No such file"));
}

/* What happens between a stop and the next start, and whether restored.sql is run by it. */
typedef struct restore_case {
    const char *label;
    const char *copy_from, *copy_to; /* in data_dir */
    const char *sql;                 /* run in the database */
    int is_restored;
} restore_case;

static void data_copy(const char *from, const char *to)
{
    char command[1200];

    (void)snprintf(command, sizeof(command), "cp '%s/%s' '%s/%s'", host.data_dir, from,
                   host.data_dir, to);
    assert_int_equal(system(command), 0);
}

static void data_change(const char *sql)
{
    char path[512];
    sqlite3 *db = NULL;

    (void)snprintf(path, sizeof(path), "%s/parley.db", host.data_dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int times_restored(void)
{
    return (int)strtol(sq_run("SELECT count(*) FROM users", PARLEY_DB_READ).first, NULL, 10);
}

static void test_restored_once(void **state)
{
    static const restore_case cases[] = {
        { "nothing", NULL, NULL, NULL, 0 },
        { "a copy of the database from before the last start", "old.db", "parley.db", NULL, 1 },
        { "a copy of the file of values from before", "old.txt", "incarnation", NULL, 1 },
        { "a file of values with nothing in it", "/dev/null", "incarnation", NULL, 1 },
        { "a backup", NULL, NULL, "UPDATE store_incarnations SET incarnation = 'backup'", 1 },
        { "a database without the row", NULL, NULL, "DELETE FROM store_incarnations", 1 },
        { "a crash between file and database", NULL, NULL, NULL, 0 },
    };

    (void)state;
    sq_write_file(sql_folder, "restored.sql",
                  "INSERT INTO users (email_key) SELECT 'u' || count(*) FROM users;");
    host_stop();
    sq_start(NULL);
    int before = times_restored();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const restore_case *c = &cases[i];

        host_stop();
        data_copy("parley.db", "old.db");
        data_copy("incarnation", "old.txt");
        sq_start(NULL); /* the copies are of an earlier start now */
        host_stop();
        if (c->copy_from && c->copy_from[0] == '/')
            sq_write_file(host.data_dir, c->copy_to, "");
        else if (c->copy_from)
            data_copy(c->copy_from, c->copy_to);
        if (c->sql)
            data_change(c->sql);
        if (i + 1 == COUNT(cases)) { /* the file has the next value already, the rows do not */
            char text[200] = "";
            char path[512];

            (void)snprintf(path, sizeof(path), "%s/incarnation", host.data_dir);
            FILE *file = fopen(path, "r");
            assert_non_null(file);
            size_t n = fread(text + 33, 1, 100, file);
            (void)fclose(file);
            assert_int_equal(n, 33);
            memset(text, 'a', 32);
            text[32] = '\n';
            sq_write_file(host.data_dir, "incarnation", text);
        }
        for (int start = 0; start < 2; start++) { /* once, not at each start */
            if (start > 0)
                host_stop();
            sq_start(NULL);
            if (times_restored() != before + c->is_restored)
                fail_msg("%s, start %d: restored.sql has run %d times", c->label, start,
                         times_restored() - before);
        }
        before = times_restored();
    }
}

/* One that fails changes nothing, and is tried again. */
static void test_restored_that_fails(void **state)
{
    (void)state;
    sq_write_file(sql_folder, "restored.sql",
                  "INSERT INTO users (email_key) VALUES ('x'); nonsense;");
    host_stop();
    data_change("UPDATE store_incarnations SET incarnation = 'backup'");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(host_start(NULL), 0);
        sq.db = host_service("parley.db");
        answer a = sq_migrate("t");
        assert_int_equal(a.status, PARLEY_DB_ERROR);
        assert_non_null(strstr(a.message, "restored.sql: near \"nonsense\""));
        assert_int_equal(times_restored(), 0);
        host_stop();
    }
    sq_write_file(sql_folder, "restored.sql", "INSERT INTO users (email_key) VALUES ('x');");
    sq_start(NULL);
    assert_int_equal(times_restored(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_restored_once, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_restored_that_fails, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_each_once, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_rebuild, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_refuses, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_newer_database, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_file_gone, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_no_folder, setup, sq_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
