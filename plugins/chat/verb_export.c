/* verb_export.c -- `parley export [--room ROOM]`: messages as JSON lines.
 *
 *   find    SQL: which room, if one is named
 *   ask     SQL: the next page of the log, by (room, seq); what its messages said before, and the
 *           reactions to them
 *   print   its messages; then ask again.  A caller that reads slowly is waited for, so that no more
 *           than two pages are in memory */
#include "plugins/chat/history.h"
#include "plugins/chat/message.h"
#include "plugins/chat/reactions.h"
#include "plugins/chat/verb.h"

enum { QUEUED_MOST = 1 << 20, STEP_ASK = 2 };

typedef struct export
{
    int64_t room, seq; /* of the last message that was printed */
    int64_t last_room;
    int64_t n;
}
export;

static int export_find(task *t)
{
    export *e = t->state;

    e->last_room = INT64_MAX;
    if (parley->run->text(t->of.run, "room").p)
        return target_ask(t, false);
    t->at = STEP_ASK;
    return TASK_NEXT;
}

static int export_found(task *t)
{
    export *e = t->state;
    target found;

    if (target_read(t, false, &found) != TASK_NEXT)
        return TASK_DONE;
    e->room = e->last_room = found.key;
    return TASK_NEXT;
}

enum { ASK_MESSAGES, ASK_PAST, ASK_REACTIONS };

static int export_ask(task *t)
{
    const export *e = t->state;
    const parley_param params[] = { PARLEY_INT(e->room), PARLEY_INT(e->seq),
                                    PARLEY_INT(e->last_room) };
    const parley_sql sql[] = {
        [ASK_MESSAGES] = SQL(SQL_EXPORT, params),
        [ASK_PAST] = SQL(SQL_EXPORT_PAST, params),
        [ASK_REACTIONS] = SQL(SQL_EXPORT_REACTIONS, params),
    };

    return task_sql(t, sql, COUNT(sql), PARLEY_DB_READ);
}

struct beside { /* by message; NULL: none has any */
    parley_json *past, *reactions;
};

/* What it said before, and how much of that is left out. */
static void past_into(parley_json *message, const parley_json *past, int64_t n)
{
    if (!past)
        return;
    int64_t left_out = n - (int64_t)parley->json_len(past);

    parley->json_set(message, "history", parley->json_copy(past));
    if (left_out > 0)
        parley->json_set(message, "history_left_out", parley->json_i(left_out));
}

static parley_json *message_json(const parley_rows *rows, int64_t i, const struct beside *beside)
{
    parley_str uid = chat.db->get(rows, i, HISTORY_UID);
    parley_json *out =
        history_message(chat.db->get(rows, i, EXPORT_ROOM), rows, i, beside->reactions);

    parley->json_set(out, "room_name", parley->json_s(chat.db->get(rows, i, EXPORT_ROOM_NAME)));
    past_into(out, reactions_find(beside->past, uid), chat.db->get_int(rows, i, EXPORT_PAST, 0));
    return out;
}

/* returns 0, or < 0: the caller has gone */
static int export_page(task *t)
{
    const parley_rows *const *rows = t->result->rows;
    struct beside beside = { rows_by_message(rows[ASK_PAST], message_past_render),
                             reactions_read(rows[ASK_REACTIONS]) };
    int err = 0;

    for (int64_t i = 0; err >= 0 && i < chat.db->rows_n(rows[ASK_MESSAGES]); i++)
        err = show_json(t, message_json(rows[ASK_MESSAGES], i, &beside));
    if (beside.past)
        parley->json_free(beside.past);
    if (beside.reactions)
        parley->json_free(beside.reactions);
    return err;
}

static int export_print(task *t)
{
    export *e = t->state;
    const parley_rows *rows = t->result->rows[ASK_MESSAGES];
    int64_t n = chat.db->rows_n(rows);

    if (export_page(t) < 0)
        return task_end(t, 1);
    if (n == 0) {
        task_say(t, "%lld message%s", (long long)e->n, e->n == 1 ? "" : "s");
        return TASK_DONE;
    }
    e->n += n;
    e->room = chat.db->get_int(rows, n - 1, EXPORT_ROOM_KEY, 0);
    e->seq = chat.db->get_int(rows, n - 1, HISTORY_SEQ, 0);
    t->at = STEP_ASK;
    return parley->run->queued(t->of.run) > QUEUED_MOST ? task_drain(t) : TASK_NEXT;
}

int verb_export(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { export_find, export_found, export_ask, export_print };

    return TASK_START(steps, sizeof(export));
}
