/* presence_tell.c -- what has changed of who is there: to parley.kv, and to the rooms.
 *
 *   tell_turn       a second after the first: up to BATCH_MOST users; for each, one after the other
 *                   in parley.kv: what he was, this worker's part, what he is
 *   tell_asked      those who are another than before: SQL: their small rooms
 *   tell_answered   the frame, to each; goes on with the next ones
 *
 * So who comes back within the second has never been away.  Who was told of has a pause (presence.c),
 * after which he is told of as he is by then: a user costs his rooms a frame in two or three seconds,
 * however often his clients change their mind.  And a worker never asks more than one question
 * of the database at a time.  Who is at several workers is told of by the one that makes the
 * difference.  What fails is not told: parley.kv is set right by the renewal. */
#include "plugins/chat/live.h"
#include "plugins/chat/presence.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"

enum { WAIT_MS = 1000, BATCH_MOST = 32 };

struct turn {
    struct presence_ask before_ask, after_ask;
    int64_t key;
    enum presence_status before, after;
    bool has_failed;
};

static struct {
    struct turn batch[BATCH_MOST];
    uint32_t n;         /* 0: none is on its way */
    uint32_t left;      /* who are due, of this round */
    uint32_t open;      /* answers of parley.kv that are on their way */
    bool is_stopped;    /* the server stops */
    parley_timer timer; /* id 0: nobody is due, or a batch is on its way */
} tell;

static void tell_next(void);

/* ---- to the rooms ---- */

static void tell_room(const struct turn *turn, const parley_rows *rows, int64_t row)
{
    parley_str room = chat.db->get(rows, row, PRESENCE_ROOM);
    parley_json *out = parley->json_obj();

    parley->json_set(out, "type", parley->json_s(PARLEY_S("presence")));
    parley->json_set(out, "room", parley->json_s(room));
    parley->json_set(out, "user",
                     render_user(chat.db->get(rows, row, PRESENCE_UID),
                                 chat.db->get(rows, row, PRESENCE_USERNAME)));
    parley->json_set(out, "status", parley->json_s(str_of(presence_names[turn->after])));
    live_tell(room, EVENT_PRESENCE, turn->key, out, (parley_conn){ 0 });
}

static void tell_answered(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx, (void)ud;
    for (uint32_t i = 0; status >= 0 && !tell.is_stopped && i < tell.n; i++)
        for (int64_t row = 0; row < chat.db->rows_n(result->rows[i]); row++)
            tell_room(&tell.batch[i], result->rows[i], row);
    tell.n = 0;
    tell_next();
}

/* ---- what has changed ---- */

static void tell_asked(void)
{
    parley_param who[BATCH_MOST];
    parley_sql sql[BATCH_MOST];
    uint32_t n = 0;

    for (uint32_t i = 0; i < tell.n; i++) {
        const struct turn *turn = &tell.batch[i];

        if (turn->has_failed || turn->before == turn->after)
            continue;
        tell.batch[n] = *turn;
        who[n] = (parley_param)PARLEY_INT(turn->key);
        sql[n] = (parley_sql){ sql_prepared[SQL_PRESENCE_ROOMS], &who[n], 1 };
        n++;
    }
    tell.n = n;
    bool is_asked = n > 0 && !tell.is_stopped &&
                    chat.db->run(chat.ctx, sql, n, PARLEY_DB_READ, tell_answered, NULL) >= 0;

    if (is_asked)
        return;
    tell.n = 0;
    tell_next();
}

static void tell_got(struct turn *turn, int status, enum presence_status *ret,
                     enum presence_status what)
{
    *ret = what;
    turn->has_failed |= status < 0;
    if (--tell.open == 0)
        tell_asked();
}

static void tell_before(struct presence_ask *ask, int status, enum presence_status what)
{
    struct turn *turn = ask->ud;

    tell_got(turn, status, &turn->before, what);
}

static void tell_after(struct presence_ask *ask, int status, enum presence_status what)
{
    struct turn *turn = ask->ud;

    tell_got(turn, status, &turn->after, what);
}

static void tell_start(struct turn *turn, struct presence *one)
{
    enum presence_status here = presence_here(one);

    *turn = (struct turn){ .before_ask = { tell_before, turn },
                           .after_ask = { tell_after, turn },
                           .key = one->key };
    presence_get(str_of(one->uid), &turn->before_ask);
    presence_put(one->uid, here);
    presence_get(str_of(one->uid), &turn->after_ask);
    presence_rest(one);
}

static void tell_turn(parley_ctx *ctx, int status, void *ud)
{
    struct presence *one;

    (void)ctx, (void)ud;
    tell.timer = (parley_timer){ 0 };
    if (status < 0)
        return;
    if (tell.left == 0)
        tell.left = presence_due_n();
    tell.open = 1; /* until all have been asked */
    while (tell.n < BATCH_MOST && tell.left > 0 && (one = presence_take())) {
        tell.left--;
        tell.open += 2;
        tell_start(&tell.batch[tell.n++], one);
    }
    if (--tell.open == 0)
        tell_asked();
}

/* ---- when ---- */

/* The rest of a round at once.  Without memory for the timer the next one who is due tries again. */
static void tell_next(void)
{
    int64_t wait_ms = tell.left > 0 ? 1 : WAIT_MS;

    if (presence_due_n() > 0 && tell.n == 0 && !tell.timer.id && !tell.is_stopped)
        tell.timer = parley->timer(chat.ctx, wait_ms, 0, tell_turn, NULL);
}

void presence_tell_soon(void)
{
    tell_next();
}

void presence_tell_start(void)
{
    tell.is_stopped = false;
    tell.left = 0;
}

void presence_tell_stop(void)
{
    tell.is_stopped = true;
    if (tell.timer.id)
        parley->timer_stop(tell.timer);
    tell.timer = (parley_timer){ 0 };
}
