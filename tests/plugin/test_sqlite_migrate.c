/* test_sqlite_migrate.c -- migrations: each once, in order, in a transaction; changed or newer ones
 * stop the server. */
#include "tests/plugin/sqlite_host.h"

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
    assert_string_equal(a.message, "");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_once, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_rebuild, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_refuses, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_newer_database, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_file_gone, setup, sq_teardown),
        cmocka_unit_test_setup_teardown(test_no_folder, setup, sq_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
