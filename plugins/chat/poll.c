/* poll.c -- finds the events that the bus lost, when there are other workers.
 *
 * last_seq of the rooms with sockets here is compared with what they were shown: every five seconds
 * while the bus is up, three times a second while it is away, and at once when it says that it may
 * have lost some, has gone, or is back (hook bus.gap).  So without a bus messages come all the
 * same, only later.  A bus for one worker does not know of other servers on the same PostgreSQL, and
 * is as good as away there.  With one worker and a file nobody else writes, and nothing runs. */
#include "plugins/chat/live.h"
#include "plugins/chat/sql.h"
#include <stdlib.h>

enum {
    POLL_MS = 5000,
    POLL_AWAY_MS = 400,
    STATEMENTS_OF_ONE = 16,
    ROOMS_OF_ONE = STATEMENTS_OF_ONE * HEADS_MOST
};

static struct {
    parley_timer timer;
    bool is_away;  /* as the timer was set */
    uint32_t open; /* questions under way */
    bool again;    /* asked for meanwhile */
} polls;

struct poll { /* one question, for rooms which it holds */
    uint32_t n;
    struct room *rooms[ROOMS_OF_ONE]; /* rising keys */
};

static void poll_all(void);

static void poll_free(struct poll *poll)
{
    for (uint32_t i = 0; i < poll->n; i++)
        room_unuse(poll->rooms[i]);
    free(poll);
}

/* ---- the answer ---- */

/* The rows of one statement, rising keys as well; a room without a row is no more. */
static void poll_compare(struct room *const *rooms, uint32_t n, const parley_rows *rows)
{
    int64_t row = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (chat.db->get_int(rows, row, HEADS_KEY, 0) == rooms[i]->key)
            live_compare(rooms[i], chat.db->get_int(rows, row++, HEADS_LAST_SEQ, 0));
        else
            live_end(rooms[i]);
    }
}

static void poll_answered(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct poll *poll = ud;

    (void)ctx;
    for (uint32_t at = 0; status >= 0 && at < poll->n; at += HEADS_MOST) {
        uint32_t n = poll->n - at < HEADS_MOST ? poll->n - at : HEADS_MOST;

        poll_compare(poll->rooms + at, n, result->rows[at / HEADS_MOST]);
    }
    poll_free(poll);
    if (--polls.open == 0 && polls.again && status >= 0)
        poll_all();
}

/* ---- the question ---- */

static int poll_order(const void *a, const void *b)
{
    const struct room *x = *(struct room *const *)a;
    const struct room *y = *(struct room *const *)b;

    return (x->key > y->key) - (x->key < y->key);
}

static void poll_ask(struct poll *poll)
{
    static parley_param keys[ROOMS_OF_ONE]; /* run() copies them */
    parley_sql sql[STATEMENTS_OF_ONE];
    uint32_t n = 0;

    qsort(poll->rooms, poll->n, sizeof(poll->rooms[0]), poll_order);
    for (uint32_t at = 0; at < poll->n; at += HEADS_MOST) {
        for (uint32_t i = at; i < at + HEADS_MOST; i++)
            keys[i] = (parley_param)PARLEY_INT(poll->rooms[i < poll->n ? i : at]->key);
        sql[n++] =
            (parley_sql){ .stmt = sql_prepared[SQL_HEADS], .params = keys + at, .n = HEADS_MOST };
    }
    if (chat.db->run(chat.ctx, sql, n, PARLEY_DB_READ, poll_answered, poll) < 0)
        poll_free(poll);
    else
        polls.open++;
}

static void poll_room(struct room *room, void *ud)
{
    struct poll **poll = ud;

    if (room->key == 0 || room->is_gone)
        return;
    if (!*poll)
        *poll = calloc(1, sizeof(**poll));
    if (!*poll)
        return;
    room_use_again(room);
    (*poll)->rooms[(*poll)->n++] = room;
    if ((*poll)->n < ROOMS_OF_ONE)
        return;
    poll_ask(*poll);
    *poll = NULL;
}

static void poll_all(void)
{
    struct poll *poll = NULL;

    polls.again = false;
    room_each_watched(poll_room, &poll);
    if (poll)
        poll_ask(poll);
}

/* ---- when ---- */

static bool poll_bus_is_away(void)
{
    return !chat.bus || chat.bus->state(chat.ctx) != PARLEY_BUS_UP;
}

static void poll_tick(parley_ctx *ctx, int status, void *ud);

/* Up to half of the pause earlier, so that many workers do not ask in one moment. */
static int poll_arm(void)
{
    uint32_t dice = 0;

    polls.is_away = poll_bus_is_away();
    int64_t pause_ms = polls.is_away ? POLL_AWAY_MS : POLL_MS;

    parley->random(&dice, sizeof(dice));
    polls.timer = parley->timer(chat.ctx, pause_ms - dice % (pause_ms / 2), 0, poll_tick, NULL);
    return polls.timer.id ? PARLEY_OK : PARLEY_ENOMEM;
}

/* A slow database is not asked ever more: what is still under way is the answer to this one. */
static void poll_tick(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    polls.timer = (parley_timer){ 0 };
    if (status < 0)
        return;
    if (polls.open == 0)
        poll_all();
    (void)poll_arm();
}

static int poll_gap(parley_ctx *ctx, void *info, void *ud)
{
    (void)ctx, (void)info, (void)ud;
    if (!chat.many_workers)
        return PARLEY_NEXT;
    if (polls.open > 0)
        polls.again = true; /* it was asked before the gap */
    else
        poll_all();
    if (polls.timer.id && polls.is_away != poll_bus_is_away()) {
        parley->timer_stop(polls.timer);
        (void)poll_arm();
    }
    return PARLEY_NEXT;
}

int poll_load(parley_ctx *ctx)
{
    return parley->hook(ctx, "bus.gap", PARLEY_APP, poll_gap, NULL);
}

int poll_start(void)
{
    return chat.many_workers ? poll_arm() : PARLEY_OK;
}

void poll_stop(void)
{
    if (polls.timer.id)
        parley->timer_stop(polls.timer);
    polls.timer = (parley_timer){ 0 };
    polls.again = false;
}
