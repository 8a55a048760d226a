/* verb_retention.c -- `parley retention plan`: what the rules of `retention` would remove now.
 *
 *   page     SQL: rooms by id; the first that a rule fits
 *   count    SQL: its messages that are too old, and the oldest one that stays
 *   tell     a line, and the next room */
#include "plugins/chat/retention.h"
#include "plugins/chat/verb.h"
#include "plugins/common/stamp.h"
#include <inttypes.h>

struct plan {
    int64_t room, go_n, rooms_n; /* rooms.id of the last one; messages and rooms that lose some */
    const struct retention_rule *rule;
    char uid[UID_SIZE], name[128];
    int64_t now_us;
};
enum { STEP_PAGE, PLAN_PAGE = 100 };

static int plan_page(task *t)
{
    const struct plan *plan = t->state;
    const parley_param page[] = { PARLEY_INT(plan->room), PARLEY_INT(PLAN_PAGE) };
    const parley_sql sql = SQL(SQL_PURGE_ROOMS, page);

    if (!retention_has_rules())
        return task_fail(t, 1,
                         "no rule: chat has no retention in the configuration, and all is kept");
    return task_sql(t, &sql, 1, PARLEY_DB_READ | PARLEY_DB_STALE_OK);
}

static int plan_count(task *t)
{
    struct plan *plan = t->state;
    const parley_rows *rows = t->result->rows[0];
    int64_t n = chat.db->rows_n(rows), i = 0;

    plan->now_us = parley->now_us();
    plan->rule = NULL;
    for (; i < n && !plan->rule; i++) {
        plan->room = chat.db->get_int(rows, i, 0, 0);
        plan->rule = retention_rule_of(chat.db->get(rows, i, 1));
        uid_copy(plan->uid, chat.db->get(rows, i, 2));
        (void)show_safe(chat.db->get(rows, i, 1), plan->name, sizeof(plan->name));
    }
    if (!plan->rule && n == PLAN_PAGE) {
        t->at = STEP_PAGE;
        return TASK_NEXT;
    }
    if (!plan->rule) {
        task_say(t, "%" PRId64 " messages of %" PRId64 " rooms would go", plan->go_n,
                 plan->rooms_n);
        return task_end(t, 0);
    }
    const parley_param old[] = { PARLEY_INT(plan->now_us - plan->rule->keep_us),
                                 PARLEY_INT(plan->room) };
    const parley_sql sql = SQL(SQL_PURGE_PLAN, old);

    return task_sql(t, &sql, 1, PARLEY_DB_READ | PARLEY_DB_STALE_OK);
}

static int plan_tell(task *t)
{
    struct plan *plan = t->state;
    const parley_rows *rows = t->result->rows[0];
    int64_t go = chat.db->get_int(rows, 0, 0, 0), oldest = chat.db->get_int(rows, 0, 1, 0);
    char stamp[STAMP_SIZE] = "none stays";
    parley_json *out = parley->json_obj();

    if (oldest > 0)
        stamp_format(oldest, stamp);
    plan->go_n += go;
    plan->rooms_n += go > 0;
    parley->json_set(out, "id", parley->json_s(str_of(plan->uid)));
    parley->json_set(out, "name", parley->json_s(str_of(plan->name)));
    parley->json_set(out, "rule", parley->json_s(plan->rule->rooms));
    parley->json_set(out, "keep", parley->json_s(plan->rule->keep));
    parley->json_set(out, "messages", parley->json_i(go));
    parley->json_set(out, "oldest_kept",
                     oldest > 0 ? parley->json_s(str_of(stamp)) : parley->json_null());
    t->at = STEP_PAGE;
    return show_json(t, out) < 0 ? task_end(t, 1) : task_drain(t);
}

int verb_retention_plan(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { [STEP_PAGE] = plan_page, plan_count, plan_tell };

    return TASK_START(steps, sizeof(struct plan));
}
