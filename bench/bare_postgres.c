/* bare_postgres.c -- commits messages with PostgreSQL and does nothing else (bare.h).
 *
 *   bare_postgres URL MESSAGES_PER_COMMIT SECONDS ROOMS SCRIPT...     the scripts make the tables
 *
 * One connection in pipeline mode, one Sync per transaction, prepared statements: a transaction is
 * one round trip, as in plugins/postgres.  The next one is sent when the answer has come.  The rows are
 * those of plugins/chat and plugins/search. */
#include "bench/bare.h"

#include <libpq-fe.h>
#include <string.h>

enum statement { RAISE, MESSAGE, EVENT, INDEX, INDEXED, STATEMENTS };

static const struct {
    const char *name, *text;
} texts[STATEMENTS] = {
    [RAISE] = { "raise", "UPDATE rooms SET last_seq = last_seq + 1,"
                         " message_count = message_count + 1 WHERE id = $1" },
    [MESSAGE] = { "message",
                  "INSERT INTO messages (uid, room_id, seq, sender_id, sender_uid, sender_username,"
                  " sender_first_name, sender_last_name, content, created_at)"
                  " SELECT $2, id, last_seq, $1, $2, 'user', 'First', 'Last', $3, $4"
                  " FROM rooms WHERE id = $1" },
    [EVENT] = { "event", "INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at)"
                         " SELECT room_id, seq, 1, id, sender_id, created_at FROM messages"
                         " WHERE uid = $1" },
    [INDEX] = { "index", "INSERT INTO derived_search (id, tokens)"
                         " VALUES ($1, CAST(CAST($2 AS TEXT) AS tsvector))" },
    [INDEXED] = { "indexed", "UPDATE derived_search_state SET at_id = $1 WHERE id = 1" },
};

static PGconn *db;

static void check(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bare_postgres: %s: %s", what, PQerrorMessage(db));
    exit(1);
}

static void run_text(const char *sql)
{
    PGresult *result = PQexecParams(db, sql, 0, NULL, NULL, NULL, NULL, 0);

    check(PQresultStatus(result) == PGRES_COMMAND_OK, sql);
    PQclear(result);
}

/* Several statements in one text: the simple protocol. */
static void run_script(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    PGresult *result;

    if (file)
        fclose(file);
    text[n] = '\0';
    check(PQsendQuery(db, text), path);
    while ((result = PQgetResult(db)) != NULL) {
        check(PQresultStatus(result) == PGRES_COMMAND_OK, path);
        PQclear(result);
    }
}

static void fill(long rooms)
{
    char sql[600], uid[37];

    for (long i = 1; i <= rooms; i++) {
        bare_uid(uid, (uint64_t)i);
        (void)snprintf(
            sql, sizeof(sql),
            "INSERT INTO users (id, uid, username, username_key, email, email_key,"
            " first_name, last_name, password_hash, joined_at)"
            " VALUES (%ld, '%s', 'u%ld', 'u%ld', 'e%ld', 'e%ld', 'First', 'Last', '', 0)",
            i, uid, i, i, i, i);
        run_text(sql);
        (void)snprintf(
            sql, sizeof(sql),
            "INSERT INTO rooms (id, uid, name, creator_id, epoch, created_at, updated_at)"
            " VALUES (%ld, '%s', 'Room', %ld, 'bench', 0, 0)",
            i, uid, i);
        run_text(sql);
    }
}

static void send_one(enum statement which, int n, const char *const *values)
{
    check(PQsendQueryPrepared(db, texts[which].name, n, values, NULL, NULL, 0), texts[which].name);
}

static void store(uint64_t number, long rooms)
{
    char content[BARE_CONTENT + 1], room[24], at[24], uid[37];

    bare_content(content, number);
    bare_uid(uid, number);
    (void)snprintf(room, sizeof(room), "%ld", bare_room(number, rooms));
    (void)snprintf(at, sizeof(at), "%lld", (long long)bare_now_us(CLOCK_REALTIME));
    const char *const raise[] = { room };
    const char *const message[] = { room, uid, content, at };
    const char *const event[] = { uid };
    send_one(RAISE, 1, raise);
    send_one(MESSAGE, 4, message);
    send_one(EVENT, 1, event);
}

/* Everything up to the answer of the Sync. */
static void wait_for_commit(void)
{
    ExecStatusType status = PGRES_COMMAND_OK;

    while (status != PGRES_PIPELINE_SYNC) {
        PGresult *result = PQgetResult(db);

        if (!result)
            continue;
        status = PQresultStatus(result);
        check(status == PGRES_COMMAND_OK || status == PGRES_PIPELINE_SYNC, "commit");
        PQclear(result);
    }
}

static void commit(void)
{
    check(PQpipelineSync(db), "sync");
    wait_for_commit();
}

/* The words of the messages from `from` on to `to`, in a transaction of their own. */
static void index_some(uint64_t from, uint64_t to, long rooms)
{
    char words[2 * BARE_CONTENT], content[BARE_CONTENT + 1], id[24];

    for (uint64_t number = from; number <= to; number++) {
        bare_content(content, number);
        (void)snprintf(id, sizeof(id), "%llu", (unsigned long long)number);
        (void)snprintf(words, sizeof(words), "'%s':1 'r%ld'", content, bare_room(number, rooms));
        const char *const index[] = { id, words };
        send_one(INDEX, 2, index);
    }
    const char *const indexed[] = { id };
    send_one(INDEXED, 1, indexed);
    commit();
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: bare_postgres URL MESSAGES_PER_COMMIT SECONDS ROOMS SCRIPT...\n");
        return 2;
    }
    long size = strtol(argv[2], NULL, 10);
    long rooms = strtol(argv[4], NULL, 10);
    db = PQconnectdb(argv[1]);
    check(PQstatus(db) == CONNECTION_OK, "connect");
    for (int i = 5; i < argc; i++)
        run_script(argv[i]);
    fill(rooms);
    for (int i = 0; i < STATEMENTS; i++)
        PQclear(PQprepare(db, texts[i].name, texts[i].text, 0, NULL));
    check(PQenterPipelineMode(db), "pipeline");
    int64_t start = bare_now_us(CLOCK_MONOTONIC);
    int64_t start_cpu = bare_now_us(CLOCK_PROCESS_CPUTIME_ID);
    int64_t end = start + (int64_t)(strtod(argv[3], NULL) * 1e6);
    uint64_t messages = 0, commits = 0, indexed = 0;
    while (bare_now_us(CLOCK_MONOTONIC) < end) {
        for (long i = 0; i < size; i++)
            store(++messages, rooms);
        commit();
        commits++;
        for (; messages - indexed >= BARE_INDEXED; indexed += BARE_INDEXED)
            index_some(indexed + 1, indexed + BARE_INDEXED, rooms);
    }
    bare_report(messages, commits, bare_now_us(CLOCK_MONOTONIC) - start,
                bare_now_us(CLOCK_PROCESS_CPUTIME_ID) - start_cpu);
    PQfinish(db);
    return 0;
}
