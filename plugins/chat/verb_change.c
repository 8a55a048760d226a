/* verb_change.c -- `parley room add | remove | delete`
 *
 *   find     SQL: which room, which user
 *   store    change.c: the change, and a row of the audit log; sockets hear of it, or close
 *   told     the person */
#include "plugins/chat/change.h"
#include "plugins/chat/verb.h"
#include <stdio.h>

static int member_find(task *t)
{
    return target_ask(t, true);
}

static void change_answered(parley_ctx *ctx, int outcome, void *ud)
{
    (void)ctx;
    task_told(ud, outcome);
}

static int change_store(task *t, enum parley_chat_what what)
{
    const target *to = t->state;
    const parley_chat_change change = { PARLEY_SIZED(parley_chat_change), .what = what,
                                        .room = str_of(to->uid), .user = str_of(to->user_uid) };

    return change_room(t->of.ctx, &change, change_answered, t) < 0 ? task_refused(t) : TASK_WAIT;
}

/* ---- add ---- */

static int add_store(task *t)
{
    if (target_read(t, true, t->state) != TASK_NEXT)
        return TASK_DONE;
    return change_store(t, PARLEY_CHAT_MEMBER_ADD);
}

static int add_told(task *t)
{
    const target *to = t->state;

    if (t->status == PARLEY_CHAT_MEMBER)
        task_say(t, "%s is in \"%s\" already", to->email, to->shown);
    else if (t->status != PARLEY_CHAT_CHANGED)
        return task_fail(t, 1, "the room \"%s\", or the account, has just been deleted", to->shown);
    else
        (void)parley_run_printf(t->of.run, "%s is in \"%s\" now\n", to->email, to->shown);
    return TASK_NEXT;
}

int verb_room_add(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { member_find, add_store, add_told };

    return TASK_START(steps, sizeof(target));
}

/* ---- remove ---- */

static int remove_store(task *t)
{
    if (target_read(t, true, t->state) != TASK_NEXT)
        return TASK_DONE;
    return change_store(t, PARLEY_CHAT_MEMBER_REMOVE);
}

static int remove_told(task *t)
{
    const target *to = t->state;

    if (t->status == PARLEY_CHAT_CREATOR)
        return task_fail(t, 1,
                         "%s has made \"%s\" and cannot be taken out: delete the room instead",
                         to->email, to->shown);
    if (t->status != PARLEY_CHAT_CHANGED)
        return task_fail(t, 1, "%s is not in \"%s\": see parley room members", to->email,
                         to->shown);
    (void)parley_run_printf(t->of.run, "%s is out of \"%s\"\n", to->email, to->shown);
    return TASK_NEXT;
}

int verb_room_remove(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { member_find, remove_store, remove_told };

    return TASK_START(steps, sizeof(target));
}

/* ---- delete ---- */

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
    return change_store(t, PARLEY_CHAT_ROOM_DELETE);
}

static int delete_told(task *t)
{
    const target *to = t->state;

    if (t->status != PARLEY_CHAT_CHANGED)
        return task_fail(t, 1, "the room \"%s\" has just been deleted", to->shown);
    (void)parley_run_printf(t->of.run, "\"%s\" is deleted\n", to->shown);
    return TASK_NEXT;
}

int verb_room_delete(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { delete_find, delete_ask, delete_answered, delete_store,
                                       delete_told };

    return TASK_START(steps, sizeof(target));
}
