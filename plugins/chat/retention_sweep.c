/* retention_sweep.c -- removes from the rooms that a rule names what is older than it keeps.
 *
 *   turn     SQL: every `retention_every` one worker of all takes the turn
 *   rooms    SQL: a page of rooms, by id; those that a rule fits
 *   look     SQL: how far the beginning of the room's log is too old, 200 events at the most
 *   purge    SQL: these events, their messages with edits and reactions, in one transaction under the
 *            room's lock; again until there are none, then the next room
 *
 * The log is cut from its beginning, so what is left is dense; whoever asks for a place before it is
 * told "purged".  A turn that is broken off is gone on with in the next one. */
#include "plugins/chat/retention.h"
#include "plugins/chat/sql.h"
#include <inttypes.h>

enum { PAUSE_MS = 20, ROOMS_PAGE = 100, LOOK_MOST_MS = 60000 };

static struct {
    parley_timer timer;
    bool is_stopping;
    /* the turn */
    int64_t begun_us, after; /* rooms.id */
    int64_t rooms[ROOMS_PAGE], cutoffs[ROOMS_PAGE];
    size_t n, at;
    bool is_last; /* page of rooms */
    bool is_told; /* in the audit log, of this room */
    int64_t to;   /* seq */
    int64_t events_n, rooms_n;
} turn;

static void turn_take(parley_ctx *ctx, int status, void *ud);
static void turn_go_on(parley_ctx *ctx, int status, void *ud);

static void turn_arm(int64_t ms, void (*fn)(parley_ctx *, int, void *))
{
    turn.timer = (parley_timer){ 0 };
    if (!turn.is_stopping)
        turn.timer = parley->timer(chat.ctx, ms, 0, fn, NULL);
}

static void turn_rest(void)
{
    turn_arm(chat.retention_every_ms < LOOK_MOST_MS ? chat.retention_every_ms : LOOK_MOST_MS,
             turn_take);
}

static void turn_over(int status)
{
    if (status < 0)
        parley_logf(chat.ctx, PARLEY_WARN,
                    "what is too old cannot be removed now (%d); the next turn goes on", status);
    if (turn.events_n > 0)
        parley_logf(chat.ctx, PARLEY_INFO,
                    "retention: removed %" PRId64 " events, with their messages, from %" PRId64
                    " rooms",
                    turn.events_n, turn.rooms_n);
    turn_rest();
}

/* ---- purge ---- */

static void turn_purged(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx, (void)ud;
    if (status < 0) {
        turn_over(status);
        return;
    }
    turn.events_n += chat.db->rows_n(result->rows[result->count - 1]);
    turn.rooms_n += !turn.is_told;
    turn.is_told = true;
    turn_arm(PAUSE_MS, turn_go_on);
}

static int turn_purge(parley_ctx *ctx, int64_t to)
{
    int64_t now_us = parley->now_us(), room = turn.rooms[turn.at];
    const parley_param lock[] = { PARLEY_INT(room) };
    const parley_param audit[] = { PARLEY_INT(now_us), PARLEY_INT(room) };
    const parley_param part[] = { PARLEY_INT(room), PARLEY_INT(to) };
    const parley_param empty[] = { PARLEY_INT(now_us), PARLEY_INT(room), PARLEY_INT(to) };
    parley_sql sql[8];
    uint32_t n = 0;

    sql[n++] = (parley_sql)SQL(SQL_LOCK, lock);
    if (!turn.is_told)
        sql[n++] = (parley_sql)SQL(SQL_PURGE_AUDIT, audit);
    sql[n++] = (parley_sql)SQL(SQL_PURGE_COUNT, part);
    sql[n++] = (parley_sql)SQL(SQL_PURGE_EDITS, part);
    sql[n++] = (parley_sql)SQL(SQL_PURGE_REACTIONS, part);
    sql[n++] = (parley_sql)SQL(SQL_PURGE_MESSAGES, part);
    sql[n++] = (parley_sql)SQL(SQL_PURGE_TEXTS, empty);
    sql[n++] = (parley_sql)SQL(SQL_PURGE_EVENTS, part);
    return chat.db->run(ctx, sql, n, 0, turn_purged, NULL);
}

/* ---- look ---- */

static void turn_looked(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    int64_t to = status < 0 ? 0 : chat.db->get_int(result->rows[0], 0, 0, 0);

    (void)ud;
    if (status >= 0 && to == 0) { /* the next room */
        turn.at++;
        turn.is_told = false;
        turn_arm(0, turn_go_on);
        return;
    }
    if (status >= 0)
        status = turn_purge(ctx, to);
    if (status < 0)
        turn_over(status);
}

static void turn_paged(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx, (void)ud;
    if (status < 0) {
        turn_over(status);
        return;
    }
    const parley_rows *rows = result->rows[0];
    int64_t n = chat.db->rows_n(rows);

    turn.n = 0;
    turn.at = 0;
    turn.is_last = n < ROOMS_PAGE;
    for (int64_t i = 0; i < n; i++) {
        const struct retention_rule *rule = retention_rule_of(chat.db->get(rows, i, 1));

        turn.after = chat.db->get_int(rows, i, 0, 0);
        if (!rule)
            continue;
        turn.rooms[turn.n] = turn.after;
        turn.cutoffs[turn.n++] = turn.begun_us - rule->keep_us;
    }
    turn_arm(0, turn_go_on);
}

static void turn_go_on(parley_ctx *ctx, int status, void *ud)
{
    const parley_param page[] = { PARLEY_INT(turn.after), PARLEY_INT(ROOMS_PAGE) };
    const parley_param look[] = { PARLEY_INT(turn.at < turn.n ? turn.rooms[turn.at] : 0),
                                  PARLEY_INT(turn.at < turn.n ? turn.cutoffs[turn.at] : 0) };
    const parley_sql sql[] = { SQL(SQL_PURGE_ROOMS, page), SQL(SQL_PURGE_LOOK, look) };

    (void)ud;
    turn.timer = (parley_timer){ 0 };
    if (status < 0 || turn.is_stopping)
        return;
    if (turn.at == turn.n && turn.is_last) {
        turn_over(PARLEY_OK);
        return;
    }
    int err = turn.at == turn.n ? chat.db->run(ctx, &sql[0], 1, PARLEY_DB_READ, turn_paged, NULL)
                                : chat.db->run(ctx, &sql[1], 1, PARLEY_DB_READ, turn_looked, NULL);
    if (err < 0)
        turn_over(err);
}

/* ---- turn ---- */

static void turn_taken(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx, (void)ud;
    if (status < 0 || chat.db->rows_n(result->rows[0]) == 0) {
        turn_rest();
        return;
    }
    turn.begun_us = parley->now_us();
    turn.after = 0;
    turn.n = turn.at = 0;
    turn.is_last = turn.is_told = false;
    turn.events_n = turn.rooms_n = 0;
    turn_arm(0, turn_go_on);
}

static void turn_take(parley_ctx *ctx, int status, void *ud)
{
    int64_t now_us = parley->now_us();
    const parley_param take[] = { PARLEY_INT(now_us + chat.retention_every_ms * 1000),
                                  PARLEY_INT(now_us) };
    const parley_sql sql[] = { SQL(SQL_PURGE_TURN, take) };

    (void)ud;
    turn.timer = (parley_timer){ 0 };
    if (status < 0 || turn.is_stopping)
        return;
    if (chat.db->run(ctx, sql, COUNT(sql), 0, turn_taken, NULL) < 0)
        turn_rest();
}

int retention_start(void)
{
    memset(&turn, 0, sizeof(turn));
    if (!retention_has_rules())
        return PARLEY_OK;
    turn_arm(PAUSE_MS, turn_take);
    return turn.timer.id ? PARLEY_OK : parley->fail(chat.ctx, "no timer");
}

void retention_stop(void)
{
    turn.is_stopping = true;
    if (turn.timer.id)
        (void)parley->timer_stop(turn.timer);
    turn.timer = (parley_timer){ 0 };
}
