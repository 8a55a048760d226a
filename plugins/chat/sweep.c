/* sweep.c -- removes the log and the messages of deleted rooms, piece by piece.
 *
 * A room of millions of messages would hold up all writers if it went at once.  Deleting the room
 * makes them unreachable and notes its key in room_sweeps; here they go, 200 events at a time, with
 * pauses.  The note outlives a restart, and any worker may carry on with it: every piece is a
 * transaction that can be repeated. */
#include "plugins/chat/sql.h"

enum { PAUSE_MS = 20, PAUSE_AFTER_FAILURE_MS = 5000 };

static struct {
    bool is_running;
    bool is_asked_again; /* a room was deleted meanwhile */
} sweep;

static void sweep_next(parley_ctx *ctx, int status, void *ud);

static void sweep_pause(int64_t ms)
{
    sweep.is_running = parley->timer(chat.ctx, ms, 0, sweep_next, NULL).id != 0;
}

static void sweep_piece_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx, (void)result, (void)ud;
    sweep_pause(status < 0 ? PAUSE_AFTER_FAILURE_MS : PAUSE_MS);
}

static void sweep_found(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ud;
    if (status < 0) {
        sweep_pause(PAUSE_AFTER_FAILURE_MS);
        return;
    }
    if (chat.db->rows_n(result->rows[0]) == 0) {
        sweep.is_running = false;
        if (sweep.is_asked_again)
            sweep_start();
        return;
    }
    const parley_param room[] = { PARLEY_INT(chat.db->get_int(result->rows[0], 0, 0, 0)) };
    const parley_sql sql[] = {
        SQL(SQL_SWEEP_EDITS, room),  SQL(SQL_SWEEP_REACTIONS, room), SQL(SQL_SWEEP_MESSAGES, room),
        SQL(SQL_SWEEP_EVENTS, room), SQL(SQL_SWEEP_DONE, room),
    };

    if (chat.db->run(ctx, sql, COUNT(sql), 0, sweep_piece_done, NULL) < 0)
        sweep_pause(PAUSE_AFTER_FAILURE_MS);
}

static void sweep_next(parley_ctx *ctx, int status, void *ud)
{
    const parley_sql sql[] = { { .stmt = sql_prepared[SQL_SWEEP_NEXT] } };

    (void)ud;
    sweep.is_running = false;
    if (status < 0) /* the server stops; the note is kept */
        return;
    sweep.is_asked_again = false;
    sweep.is_running = true;
    if (chat.db->run(ctx, sql, COUNT(sql), PARLEY_DB_READ, sweep_found, NULL) < 0)
        sweep_pause(PAUSE_AFTER_FAILURE_MS);
}

void sweep_start(void)
{
    if (sweep.is_running)
        sweep.is_asked_again = true;
    else
        sweep_pause(PAUSE_MS);
}

/* Whatever is on its way has ended by now; the notes in room_sweeps are for the next start. */
void sweep_stop(void)
{
    sweep.is_running = false;
    sweep.is_asked_again = false;
}
