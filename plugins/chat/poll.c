/* poll.c -- finds the events that the bus lost, when there are other workers.
 *
 * Every five seconds, and at once after the bus said that it may have lost some (hook bus.gap),
 * last_seq of the rooms with sockets here is compared with what they were shown.  With one worker
 * nobody else writes, and nothing runs. */
#include "plugins/chat/live.h"
#include "plugins/chat/sql.h"
#include <stdlib.h>

enum { POLL_MS = 5000, ROOMS_OF_ONE = 64 };

static struct {
    uint32_t open; /* questions under way */
    bool again;    /* asked for meanwhile */
} polls;

struct poll { /* one question for up to ROOMS_OF_ONE rooms, which it holds */
    uint32_t n;
    struct room *rooms[ROOMS_OF_ONE];
};

static void poll_all(parley_ctx *ctx, int status, void *ud);

static void poll_free(struct poll *poll)
{
    for (uint32_t i = 0; i < poll->n; i++)
        room_unuse(poll->rooms[i]);
    free(poll);
}

static void poll_answered(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct poll *poll = ud;

    for (uint32_t i = 0; status >= 0 && i < poll->n; i++) {
        int64_t last_seq = chat.db->get_int(result->rows[i], 0, HEAD_LAST_SEQ, -1);

        if (last_seq < 0)
            live_end(poll->rooms[i]);
        else
            live_compare(poll->rooms[i], last_seq);
    }
    poll_free(poll);
    if (--polls.open == 0 && polls.again && status >= 0)
        poll_all(ctx, 0, NULL);
}

static void poll_ask(struct poll *poll)
{
    parley_param keys[ROOMS_OF_ONE];
    parley_sql sql[ROOMS_OF_ONE];

    for (uint32_t i = 0; i < poll->n; i++) {
        keys[i] = (parley_param)PARLEY_INT(poll->rooms[i]->key);
        sql[i] = (parley_sql){ .stmt = sql_prepared[SQL_HEAD], .params = &keys[i], .n = 1 };
    }
    if (chat.db->run(chat.ctx, sql, poll->n, PARLEY_DB_READ, poll_answered, poll) < 0)
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

static void poll_all(parley_ctx *ctx, int status, void *ud)
{
    struct poll *poll = NULL;

    (void)ctx, (void)ud;
    polls.again = polls.open > 0; /* a slow database must not be asked ever more */
    if (status < 0 || polls.again)
        return;
    room_each_watched(poll_room, &poll);
    if (poll)
        poll_ask(poll);
}

static int poll_gap(parley_ctx *ctx, void *info, void *ud)
{
    (void)info, (void)ud;
    poll_all(ctx, 0, NULL);
    return PARLEY_NEXT;
}

int poll_load(parley_ctx *ctx)
{
    return parley->hook(ctx, "bus.gap", PARLEY_APP, poll_gap, NULL);
}

int poll_start(parley_ctx *ctx)
{
    if (!chat.many_workers)
        return PARLEY_OK;
    return parley->timer(ctx, POLL_MS, POLL_MS, poll_all, NULL).id ? PARLEY_OK : PARLEY_ENOMEM;
}
