/* verb_change.c -- `parley room add | remove | delete`
 *
 *   find     SQL: which room, which user
 *   store    SQL: what the endpoint of the same name does, in the name of who made the room, and a row
 *            of the audit log
 *   told     sockets hear of it, or close */
#include "plugins/chat/feed.h"
#include "plugins/chat/live.h"
#include "plugins/chat/verb.h"
#include <stdio.h>

static int member_find(task *t)
{
    return target_ask(t, true);
}

/* ---- add ---- */

enum { ADD_LOCK, ADD_SEQ, ADD_EVENT, ADD_AUDIT, ADD_MEMBER, ADD_HEAD };

static int add_store(task *t)
{
    target *to = t->state;

    if (target_read(t, true, to) != TASK_NEXT)
        return TASK_DONE;
    const parley_param uid = PARLEY_TEXT(str_of(to->uid));
    const parley_param creator = PARLEY_INT(to->creator);
    const parley_param address = PARLEY_TEXT(str_of(to->email_key));
    const parley_param now = PARLEY_INT(parley->now_us());
    const parley_param lock[] = { uid };
    const parley_param guard[] = { uid, creator, address };
    const parley_param write[] = { now, uid, creator, address };
    const parley_param audit[] = { now, PARLEY_TEXT(str_of(to->user_uid)), uid };
    const parley_param head[] = { PARLEY_INT(to->key) };
    const parley_sql sql[] = {
        [ADD_LOCK] = SQL(SQL_LOCK_UID, lock),      [ADD_SEQ] = SQL(SQL_ADD_SEQ, guard),
        [ADD_EVENT] = SQL(SQL_ADD_EVENT, write),   [ADD_AUDIT] = SQL(SQL_VERB_AUDIT_ADD, audit),
        [ADD_MEMBER] = SQL(SQL_ADD_MEMBER, write), [ADD_HEAD] = SQL(SQL_HEAD, head),
    };
    return task_sql(t, sql, COUNT(sql), 0);
}

static int add_told(task *t)
{
    const target *to = t->state;
    const parley_rows *const *rows = t->result->rows;

    if (chat.db->rows_n(rows[ADD_HEAD]) == 0)
        return task_fail(t, 1, "the room \"%s\" has just been deleted", to->shown);
    if (chat.db->rows_n(rows[ADD_MEMBER]) == 0) {
        task_say(t, "%s is in \"%s\" already", to->email, to->shown);
        return TASK_NEXT;
    }
    struct announcement what = { .kind = EVENT_MEMBER_ADDED,
                                 .seq = chat.db->get_int(rows[ADD_HEAD], 0, HEAD_LAST_SEQ, 0) };
    live_announce(str_of(to->uid), &what);
    feeds_added((const parley_str[]){ str_of(to->user_uid) }, 1);
    (void)parley_run_printf(t->of.run, "%s is in \"%s\" now\n", to->email, to->shown);
    return TASK_NEXT;
}

int verb_room_add(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { member_find, add_store, add_told };

    return TASK_START(steps, sizeof(target));
}

/* ---- remove ---- */

enum {
    REMOVE_LOCK,
    REMOVE_SEQ,
    REMOVE_EVENT,
    REMOVE_RIGHT,
    REMOVE_AUDIT,
    REMOVE_MEMBER,
    REMOVE_STATE
};

static int remove_store(task *t)
{
    target *to = t->state;

    if (target_read(t, true, to) != TASK_NEXT)
        return TASK_DONE;
    if (to->user == to->creator)
        return task_fail(t, 1,
                         "%s has made \"%s\" and cannot be taken out: delete the room instead",
                         to->email, to->shown);
    const parley_param uid = PARLEY_TEXT(str_of(to->uid));
    const parley_param user = PARLEY_TEXT(str_of(to->user_uid));
    const parley_param creator = PARLEY_INT(to->creator);
    const parley_param now = PARLEY_INT(parley->now_us());
    const parley_param lock[] = { uid };
    const parley_param guard[] = { uid, user, creator };
    const parley_param event[] = { creator, now, uid, user };
    const parley_param right[] = { now, uid, user, creator };
    const parley_param audit[] = { now, user, uid };
    const parley_param state[] = { creator, user, uid };
    const parley_sql sql[] = {
        [REMOVE_LOCK] = SQL(SQL_LOCK_UID, lock),
        [REMOVE_SEQ] = SQL(SQL_REMOVE_SEQ, guard),
        [REMOVE_EVENT] = SQL(SQL_REMOVE_EVENT, event),
        [REMOVE_RIGHT] = SQL(SQL_REMOVE_RIGHT, right),
        [REMOVE_AUDIT] = SQL(SQL_VERB_AUDIT_REMOVE, audit),
        [REMOVE_MEMBER] = SQL(SQL_REMOVE_MEMBER, guard),
        [REMOVE_STATE] = SQL(SQL_REMOVE_STATE, state),
    };
    return task_sql(t, sql, COUNT(sql), 0);
}

static int remove_told(task *t)
{
    const target *to = t->state;
    const parley_rows *const *rows = t->result->rows;

    if (chat.db->rows_n(rows[REMOVE_MEMBER]) == 0)
        return task_fail(t, 1, "%s is not in \"%s\": see parley room members", to->email,
                         to->shown);
    struct announcement what = {
        .kind = EVENT_MEMBER_REMOVED,
        .seq = chat.db->get_int(rows[REMOVE_STATE], 0, REMOVE_LAST_SEQ, 0),
        .user = str_of(to->user_uid),
    };
    live_announce(str_of(to->uid), &what);
    (void)parley_run_printf(t->of.run, "%s is out of \"%s\"\n", to->email, to->shown);
    return TASK_NEXT;
}

int verb_room_remove(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { member_find, remove_store, remove_told };

    return TASK_START(steps, sizeof(target));
}

/* ---- delete ---- */

enum { DROP_LOCK, DROP_AUDIT, DROP_RIGHT, DROP_SWEEP, DROP_MEMBERS, DROP_ROOM };

static int delete_find(task *t)
{
    return target_ask(t, false);
}

static int delete_ask(task *t)
{
    target *to = t->state;
    char question[320];

    if (target_read(t, false, to) != TASK_NEXT)
        return TASK_DONE;
    if (parley->run->num(t->of.run, "yes")) {
        t->at++;
        return TASK_NEXT;
    }
    (void)snprintf(
        question, sizeof(question),
        "\"%s\" and all its messages will be gone for ever.  Type its name to go on: ", to->shown);
    return task_ask(t, question, 0, "--yes");
}

static int delete_answered(task *t)
{
    const target *to = t->state;

    if (str_equal(t->answer, str_of(to->name)))
        return TASK_NEXT;
    return task_fail(t, 1, "that is not its name; nothing was changed");
}

static int delete_store(task *t)
{
    const target *to = t->state;
    const parley_param uid = PARLEY_TEXT(str_of(to->uid));
    const parley_param creator = PARLEY_INT(to->creator);
    const parley_param now = PARLEY_INT(parley->now_us());
    const parley_param lock[] = { uid };
    const parley_param audit[] = { now, uid };
    const parley_param right[] = { now, uid, creator };
    const parley_param own[] = { uid, creator };
    const parley_sql sql[] = {
        [DROP_LOCK] = SQL(SQL_LOCK_UID, lock),
        [DROP_AUDIT] = SQL(SQL_VERB_AUDIT_DELETE, audit),
        [DROP_RIGHT] = SQL(SQL_DROP_RIGHT, right),
        [DROP_SWEEP] = SQL(SQL_DROP_SWEEP, own),
        [DROP_MEMBERS] = SQL(SQL_DROP_MEMBERS, own),
        [DROP_ROOM] = SQL(SQL_DROP_ROOM, own),
    };

    return task_sql(t, sql, COUNT(sql), 0);
}

static int delete_told(task *t)
{
    const target *to = t->state;

    if (chat.db->rows_n(t->result->rows[DROP_ROOM]) == 0)
        return task_fail(t, 1, "the room \"%s\" has just been deleted", to->shown);
    live_announce_end(str_of(to->uid));
    sweep_start();
    (void)parley_run_printf(t->of.run, "\"%s\" is deleted\n", to->shown);
    return TASK_NEXT;
}

int verb_room_delete(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { delete_find, delete_ask, delete_answered, delete_store,
                                       delete_told };

    return TASK_START(steps, sizeof(target));
}
