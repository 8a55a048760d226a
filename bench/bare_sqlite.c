/* bare_sqlite.c -- commits messages with SQLite and does nothing else (bare.h).
 *
 *   bare_sqlite FILE MESSAGES_PER_COMMIT SECONDS ROOMS SCRIPT...     the scripts make the tables
 *
 * The settings are those of plugins/sqlite: WAL, synchronous=FULL, a checkpoint every 2000 pages.  The
 * rows are those of plugins/chat and plugins/search. */
#include "bench/bare.h"

#include <sqlite3.h>
#include <string.h>

enum statement { BEGIN, RAISE, MESSAGE, EVENT, INDEX, INDEXED, COMMIT, STATEMENTS };

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [RAISE] = "UPDATE rooms SET last_seq = ?2, message_count = ?2 WHERE id = ?1",
    [MESSAGE] = "INSERT INTO messages (id, uid, room_id, seq, sender_id, sender_uid,"
                " sender_username, sender_first_name, sender_last_name, content, created_at)"
                " VALUES (?1, ?2, ?3, ?4, ?3, ?2, 'user', 'First', 'Last', ?5, ?6)",
    [EVENT] = "INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at)"
              " VALUES (?1, ?2, 1, ?3, ?1, ?4)",
    [INDEX] = "INSERT INTO derived_search (rowid, tokens) VALUES (?1, ?2)",
    [INDEXED] = "UPDATE derived_search_state SET at_id = ?1 WHERE id = 1",
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

/* A user and a room of hers, so many times. */
static void fill(long rooms)
{
    char sql[600], uid[37];

    run_text("BEGIN");
    for (long i = 1; i <= rooms; i++) {
        bare_uid(uid, (uint64_t)i);
        (void)snprintf(
            sql, sizeof(sql),
            "INSERT INTO users (id, uid, username, username_key, email, email_key,"
            " first_name, last_name, password_hash, joined_at)"
            " VALUES (%ld, '%s', 'u%ld', 'u%ld', 'e%ld', 'e%ld', 'First', 'Last', '', 0);"
            "INSERT INTO rooms (id, uid, name, creator_id, epoch, created_at, updated_at)"
            " VALUES (%ld, '%s', 'Room', %ld, 'bench', 0, 0)",
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

static void store(uint64_t number, long rooms)
{
    char content[BARE_CONTENT + 1], uid[37];
    const int64_t id = (int64_t)number, room = bare_room(number, rooms), seq = id / rooms + 1;
    const int64_t at = bare_now_us(CLOCK_REALTIME);

    bare_uid(uid, number);
    bare_content(content, number);
    sqlite3_bind_int64(statements[RAISE], 1, room);
    sqlite3_bind_int64(statements[RAISE], 2, seq);
    step(RAISE);
    sqlite3_bind_int64(statements[MESSAGE], 1, id);
    sqlite3_bind_text(statements[MESSAGE], 2, uid, 36, SQLITE_STATIC);
    sqlite3_bind_int64(statements[MESSAGE], 3, room);
    sqlite3_bind_int64(statements[MESSAGE], 4, seq);
    sqlite3_bind_text(statements[MESSAGE], 5, content, BARE_CONTENT, SQLITE_STATIC);
    sqlite3_bind_int64(statements[MESSAGE], 6, at);
    step(MESSAGE);
    sqlite3_bind_int64(statements[EVENT], 1, room);
    sqlite3_bind_int64(statements[EVENT], 2, seq);
    sqlite3_bind_int64(statements[EVENT], 3, id);
    sqlite3_bind_int64(statements[EVENT], 4, at);
    step(EVENT);
}

/* The words of the messages from `from` on to `to`, in a transaction of their own. */
static void index_some(uint64_t from, uint64_t to, long rooms)
{
    char words[BARE_CONTENT + 32];

    step(BEGIN);
    for (uint64_t number = from; number <= to; number++) {
        bare_content(words, number);
        (void)snprintf(words + BARE_CONTENT, 32, " r%ld", bare_room(number, rooms));
        sqlite3_bind_int64(statements[INDEX], 1, (sqlite3_int64)number);
        sqlite3_bind_text(statements[INDEX], 2, words, -1, SQLITE_STATIC);
        step(INDEX);
    }
    sqlite3_bind_int64(statements[INDEXED], 1, (sqlite3_int64)to);
    step(INDEXED);
    step(COMMIT);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: bare_sqlite FILE MESSAGES_PER_COMMIT SECONDS ROOMS SCRIPT...\n");
        return 2;
    }
    long size = strtol(argv[2], NULL, 10);
    long rooms = strtol(argv[4], NULL, 10);
    check(sqlite3_open_v2(argv[1], &db,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL),
          argv[1]);
    run_text("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
             "PRAGMA wal_autocheckpoint = 2000; PRAGMA cache_size = -16384");
    for (int i = 5; i < argc; i++)
        run_script(argv[i]);
    fill(rooms);
    for (int i = 0; i < STATEMENTS; i++)
        check(sqlite3_prepare_v2(db, texts[i], -1, &statements[i], NULL), texts[i]);
    int64_t start = bare_now_us(CLOCK_MONOTONIC);
    int64_t start_cpu = bare_now_us(CLOCK_PROCESS_CPUTIME_ID);
    int64_t end = start + (int64_t)(strtod(argv[3], NULL) * 1e6);
    uint64_t messages = 0, commits = 0, indexed = 0;
    while (bare_now_us(CLOCK_MONOTONIC) < end) {
        step(BEGIN);
        for (long i = 0; i < size; i++)
            store(++messages, rooms);
        step(COMMIT);
        commits++;
        for (; messages - indexed >= BARE_INDEXED; indexed += BARE_INDEXED)
            index_some(indexed + 1, indexed + BARE_INDEXED, rooms);
    }
    bare_report(messages, commits, bare_now_us(CLOCK_MONOTONIC) - start,
                bare_now_us(CLOCK_PROCESS_CPUTIME_ID) - start_cpu);
    for (int i = 0; i < STATEMENTS; i++)
        (void)sqlite3_finalize(statements[i]);
    (void)sqlite3_close(db);
    return 0;
}
