/* bare_reads.c -- answers with a page of a room's messages and does nothing else: the limit for REST
 * reads.
 *
 *   bare_reads PORT DATABASE ROOM USER ROWS BODY
 *
 * A libuv server that for each request runs the queries of Parley's page (who asks, how many there
 * are; the newest ROWS messages) and sends the bytes of the file BODY.  It reads no header, makes no
 * JSON, and knows nobody. */
#include "bench/tool.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define OWN_ROOM                                                                                   \
    "(SELECT r.id FROM rooms r JOIN room_members me ON me.room_id = r.id AND me.user_id = $1"      \
    " WHERE r.uid = $2 AND r.message_count > $3)"

static const char count_text[] =
    "SELECT r.message_count, r.last_seq, r.epoch, r.id FROM rooms r"
    " JOIN room_members m ON m.room_id = r.id AND m.user_id = $1 WHERE r.uid = $2";
static const char page_text[] =
    "SELECT m.uid, e.seq, m.created_at, m.content, m.sender_uid, m.sender_username,"
    " m.sender_first_name, m.sender_last_name, m.client_msg_id"
    " FROM room_events e JOIN messages m ON m.id = e.message_id"
    " WHERE e.kind = 1 AND e.room_id = " OWN_ROOM " AND e.seq <= (SELECT b.seq FROM room_events b"
    " WHERE b.kind = 1 AND b.room_id = " OWN_ROOM " ORDER BY b.seq DESC LIMIT 1 OFFSET $3)"
    " ORDER BY e.seq DESC LIMIT $4";

static sqlite3 *db;
static sqlite3_stmt *count_query, *page_query;
static char in[65536];
static uv_buf_t answer;
static long rows;

static void check(int rc)
{
    if (rc != SQLITE_OK)
        tool_fail("SQLite", sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(const char *text, const char *user, const char *room)
{
    sqlite3_stmt *query;

    check(sqlite3_prepare_v2(db, text, -1, &query, NULL));
    check(sqlite3_bind_int64(query, 1, strtoll(user, NULL, 10)));
    check(sqlite3_bind_text(query, 2, room, -1, SQLITE_STATIC));
    return query;
}

/* Takes every column, as whoever makes an answer of them must. */
static long run(sqlite3_stmt *query)
{
    long n = 0;

    while (sqlite3_step(query) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(query); i++)
            (void)sqlite3_column_text(query, i);
        n++;
    }
    check(sqlite3_reset(query));
    return n;
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *ret)
{
    (void)handle;
    (void)size;
    *ret = uv_buf_init(in, sizeof(in));
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void on_written(uv_write_t *req, int status)
{
    (void)status;
    free(req);
}

/* What came is one request: the load has one under way. */
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *from)
{
    (void)from;
    if (n < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    if (run(count_query) != 1 || run(page_query) != rows)
        tool_fail("the page", "has not the rows it had");
    int taken = uv_try_write(stream, &answer, 1);
    if (taken == (int)answer.len)
        return;
    size_t at = taken > 0 ? (size_t)taken : 0;
    uv_buf_t rest = uv_buf_init(answer.base + at, (unsigned)(answer.len - at));
    uv_write_t *req = malloc(sizeof(*req));
    if (!req || uv_write(req, stream, &rest, 1, on_written) < 0)
        tool_fail("cannot write", "");
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *client = malloc(sizeof(*client));

    if (status < 0 || !client || uv_tcp_init(listener->loop, client) < 0 ||
        uv_accept(listener, (uv_stream_t *)client) < 0)
        tool_fail("cannot accept", "");
    (void)uv_tcp_nodelay(client, 1);
    (void)uv_read_start((uv_stream_t *)client, on_alloc, on_read);
}

static void make_answer(const char *path)
{
    char *body = tool_file(path);
    size_t n = strlen(body), room = n + 200;

    answer.base = malloc(room);
    if (!answer.base)
        tool_fail("memory", "none");
    answer.len = (size_t)snprintf(answer.base, room,
                                  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                  "Content-Length: %zu\r\n\r\n%s",
                                  n, body);
}

int main(int argc, char **argv)
{
    struct sockaddr_in at;
    uv_tcp_t listener;
    uv_loop_t *loop = uv_default_loop();

    if (argc != 7)
        tool_fail("usage", "bare_reads PORT DATABASE ROOM USER ROWS BODY");
    (void)signal(SIGPIPE, SIG_IGN);
    check(sqlite3_open_v2(argv[2], &db, SQLITE_OPEN_READONLY, NULL));
    rows = strtol(argv[5], NULL, 10);
    count_query = prepare(count_text, argv[4], argv[3]);
    page_query = prepare(page_text, argv[4], argv[3]);
    check(sqlite3_bind_int64(page_query, 3, 0));
    check(sqlite3_bind_int64(page_query, 4, rows));
    make_answer(argv[6]);
    (void)uv_ip4_addr("127.0.0.1", (int)strtol(argv[1], NULL, 10), &at);
    (void)uv_tcp_init(loop, &listener);
    if (uv_tcp_bind(&listener, (const struct sockaddr *)&at, 0) < 0 ||
        uv_listen((uv_stream_t *)&listener, 512, on_connection) < 0)
        tool_fail("cannot listen on", argv[1]);
    return uv_run(loop, UV_RUN_DEFAULT);
}
