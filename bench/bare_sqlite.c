/* bare_sqlite.c -- commits messages with SQLite and does nothing else (bare.h).
 *
 *   bare_sqlite FILE MESSAGES_PER_COMMIT SECONDS SCRIPT...     the scripts make the tables
 *
 * The settings are those of plugins/sqlite: WAL, synchronous=FULL, a checkpoint every 2000 pages. */
#include "bench/bare.h"

#include <sqlite3.h>
#include <string.h>

enum statement { BEGIN, RAISE, MESSAGE, EVENT, COMMIT, STATEMENTS };

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [RAISE] = "UPDATE rooms SET last_seq = last_seq + 1, message_count = message_count + 1"
              " WHERE id = ?1",
    [MESSAGE] = "INSERT INTO messages (uid, room_id, seq, sender_id, sender_uid, sender_username,"
                " sender_first_name, sender_last_name, content, created_at)"
                " SELECT ?2, id, last_seq, ?1, ?3, 'user', 'First', 'Last', ?4, ?5"
                " FROM rooms WHERE id = ?1",
    [EVENT] = "INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at)"
              " SELECT id, last_seq, 1, last_insert_rowid(), ?1, ?2 FROM rooms WHERE id = ?1",
    [COMMIT] = "COMMIT",
};

static sqlite3 *db;
static sqlite3_stmt *statements[STATEMENTS];

static void check(int rc, const char *what)
{
    if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
        return;
    fprintf(stderr, "bare_sqlite: %s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

static void run_text(const char *sql)
{
    check(sqlite3_exec(db, sql, NULL, NULL, NULL), sql);
}

static void run_script(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

    if (file)
        fclose(file);
    text[n] = '\0';
    run_text(text);
}

static void fill(void)
{
    char sql[600], uid[37];

    run_text("BEGIN");
    for (int i = 1; i <= BARE_ROOMS; i++) {
        bare_uid(uid, (uint64_t)i);
        (void)snprintf(
            sql, sizeof(sql),
            "INSERT INTO users (id, uid, username, username_key, email, email_key,"
            " first_name, last_name, password_hash, joined_at)"
            " VALUES (%d, '%s', 'u%d', 'u%d', 'e%d', 'e%d', 'First', 'Last', '', 0);"
            "INSERT INTO rooms (id, uid, name, creator_id, epoch, created_at, updated_at)"
            " VALUES (%d, '%s', 'Room', %d, 'x', 0, 0)",
            i, uid, i, i, i, i, i, uid, i);
        run_text(sql);
    }
    run_text("COMMIT");
}

static void step(enum statement which)
{
    check(sqlite3_step(statements[which]), texts[which]);
    check(sqlite3_reset(statements[which]), texts[which]);
}

static void store(uint64_t number)
{
    static char content[BARE_CONTENT];
    int room = (int)(number % BARE_ROOMS) + 1;
    int64_t at = bare_now_us(CLOCK_REALTIME);
    char uid[37];

    bare_uid(uid, number);
    memset(content, 'x', sizeof(content));
    sqlite3_bind_int(statements[RAISE], 1, room);
    step(RAISE);
    sqlite3_bind_int(statements[MESSAGE], 1, room);
    sqlite3_bind_text(statements[MESSAGE], 2, uid, 36, SQLITE_STATIC);
    sqlite3_bind_text(statements[MESSAGE], 3, uid, 36, SQLITE_STATIC);
    sqlite3_bind_text(statements[MESSAGE], 4, content, sizeof(content), SQLITE_STATIC);
    sqlite3_bind_int64(statements[MESSAGE], 5, at);
    step(MESSAGE);
    sqlite3_bind_int(statements[EVENT], 1, room);
    sqlite3_bind_int64(statements[EVENT], 2, at);
    step(EVENT);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: bare_sqlite FILE MESSAGES_PER_COMMIT SECONDS SCRIPT...\n");
        return 2;
    }
    long size = strtol(argv[2], NULL, 10);
    check(sqlite3_open(argv[1], &db), argv[1]);
    run_text("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
             "PRAGMA wal_autocheckpoint = 2000; PRAGMA cache_size = -16384");
    for (int i = 4; i < argc; i++)
        run_script(argv[i]);
    fill();
    for (int i = 0; i < STATEMENTS; i++)
        check(sqlite3_prepare_v2(db, texts[i], -1, &statements[i], NULL), texts[i]);
    int64_t start = bare_now_us(CLOCK_MONOTONIC);
    int64_t start_cpu = bare_now_us(CLOCK_PROCESS_CPUTIME_ID);
    int64_t end = start + (int64_t)(strtod(argv[3], NULL) * 1e6);
    uint64_t messages = 0, commits = 0;
    while (bare_now_us(CLOCK_MONOTONIC) < end) {
        step(BEGIN);
        for (long i = 0; i < size; i++)
            store(++messages);
        step(COMMIT);
        commits++;
    }
    bare_report(messages, commits, bare_now_us(CLOCK_MONOTONIC) - start,
                bare_now_us(CLOCK_PROCESS_CPUTIME_ID) - start_cpu);
    for (int i = 0; i < STATEMENTS; i++)
        (void)sqlite3_finalize(statements[i]);
    (void)sqlite3_close(db);
    return 0;
}
