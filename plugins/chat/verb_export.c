/* verb_export.c -- `parley export [--room ROOM]`: messages as JSON lines.
 *
 *   find    SQL: which room, if one is named
 *   ask     SQL: the next page of the log, by (room, seq)
 *   print   its messages; then ask again.  A caller that reads slowly is waited for, so that no more
 *           than two pages are in memory */
#include "plugins/chat/verb.h"
#include "plugins/common/stamp.h"

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

static int export_ask(task *t)
{
    const export *e = t->state;
    const parley_param params[] = { PARLEY_INT(e->room), PARLEY_INT(e->seq),
                                    PARLEY_INT(e->last_room) };
    const parley_sql sql = SQL(SQL_EXPORT, params);

    return task_sql(t, &sql, 1, PARLEY_DB_READ);
}

static parley_json *text_json(const parley_rows *rows, int64_t i, uint32_t column)
{
    return parley->json_s(chat.db->get(rows, i, column));
}

static parley_json *message_json(const parley_rows *rows, int64_t i)
{
    static const char *const sender[] = { "id", "username", "first_name", "last_name" };
    parley_json *out = parley->json_obj(), *who = parley->json_obj();
    char stamp[STAMP_SIZE];

    for (uint32_t k = 0; k < COUNT(sender); k++)
        parley->json_set(who, sender[k], text_json(rows, i, EXPORT_SENDER + k));
    stamp_format(chat.db->get_int(rows, i, EXPORT_CREATED, 0), stamp);
    parley->json_set(out, "room", text_json(rows, i, EXPORT_ROOM));
    parley->json_set(out, "room_name", text_json(rows, i, EXPORT_ROOM_NAME));
    parley->json_set(out, "seq", parley->json_i(chat.db->get_int(rows, i, EXPORT_SEQ, 0)));
    parley->json_set(out, "id", text_json(rows, i, EXPORT_MESSAGE));
    parley->json_set(out, "created_at", parley->json_s(str_of(stamp)));
    parley->json_set(out, "sender", who);
    parley->json_set(out, "content", text_json(rows, i, EXPORT_CONTENT));
    return out;
}

static int export_print(task *t)
{
    export *e = t->state;
    const parley_rows *rows = t->result->rows[0];
    int64_t n = chat.db->rows_n(rows);

    for (int64_t i = 0; i < n; i++)
        if (show_json(t, message_json(rows, i)) < 0)
            return task_end(t, 1); /* the caller has gone */
    if (n == 0) {
        task_say(t, "%lld message%s", (long long)e->n, e->n == 1 ? "" : "s");
        return TASK_DONE;
    }
    e->n += n;
    e->room = chat.db->get_int(rows, n - 1, EXPORT_ROOM_KEY, 0);
    e->seq = chat.db->get_int(rows, n - 1, EXPORT_SEQ, 0);
    t->at = STEP_ASK;
    return parley->run->queued(t->of.run) > QUEUED_MOST ? task_drain(t) : TASK_NEXT;
}

int verb_export(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { export_find, export_found, export_ask, export_print };

    return TASK_START(steps, sizeof(export));
}
