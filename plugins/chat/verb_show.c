/* verb_show.c -- `parley room list`, `room show`, `room members`. */
#include "plugins/chat/verb.h"

enum { PATTERN_SIZE = 2 * 1000 + 3, KEY_SIZE = 1024 };

/* clang-format off */
static const show_column room_columns[] = { /* enum verb_room_column */
    { "id", "ID", SHOW_TEXT },
    { "name", "NAME", SHOW_TEXT },
    { "creator", "MADE BY", SHOW_TEXT },
    { "members", "MEMBERS", SHOW_NUMBER },
    { "messages", "MESSAGES", SHOW_NUMBER },
    { "created_at", "MADE (UTC)", SHOW_TIME },
    { "updated_at", "CHANGED (UTC)", SHOW_TIME },
};
static const show_column member_columns[] = {
    { "id", "ID", SHOW_TEXT },
    { "username", "USERNAME", SHOW_TEXT },
    { "email", "ADDRESS", SHOW_TEXT },
    { "role", "ROLE", SHOW_TEXT },
    { "joined_at", "JOINED (UTC)", SHOW_TIME },
};
/* clang-format on */

/* "%lounge%", with the signs of LIKE made plain. */
static parley_str pattern_make(parley_str search, char ret[PATTERN_SIZE])
{
    size_t n = 0;

    ret[n++] = '%';
    for (size_t i = 0; i < search.n && n + 3 < PATTERN_SIZE; i++) {
        if (memchr("!%_", search.p[i], 3))
            ret[n++] = '!';
        ret[n++] = search.p[i];
    }
    ret[n++] = '%';
    return (parley_str){ ret, n };
}

static int list_ask(task *t)
{
    char pattern[PATTERN_SIZE], key[KEY_SIZE];
    parley_str user = parley->run->text(t->of.run, "user");
    int key_n = user.n > 0 ? chat.auth->email_key(user, key, sizeof(key)) : 0;

    if (key_n < 0)
        return task_fail(t, 2, "--user: not an e-mail address");
    const parley_param params[] = {
        PARLEY_TEXT(pattern_make(parley->run->text(t->of.run, "search"), pattern)),
        PARLEY_TEXT(((parley_str){ key, (size_t)key_n })),
        PARLEY_INT(parley->run->num(t->of.run, "limit")),
        PARLEY_INT(parley->run->num(t->of.run, "offset")),
    };
    const parley_sql sql = SQL(SQL_VERB_ROOMS, params);
    return task_sql(t, &sql, 1, PARLEY_DB_READ);
}

static int list_print(task *t)
{
    show_rows(t, room_columns, COUNT(room_columns), t->result->rows[0], "no room matches");
    return TASK_NEXT;
}

int verb_room_list(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { list_ask, list_print };

    return TASK_START(steps, 0);
}

static int room_ask(task *t)
{
    return target_ask(t, false);
}

static int show_print(task *t)
{
    target found;

    if (target_read(t, false, &found) != TASK_NEXT)
        return TASK_DONE;
    show_row(t, room_columns, COUNT(room_columns), t->result->rows[0]);
    return TASK_NEXT;
}

int verb_room_show(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { room_ask, show_print };

    return TASK_START(steps, 0);
}

static int members_ask(task *t)
{
    target found;

    if (target_read(t, false, &found) != TASK_NEXT)
        return TASK_DONE;
    const parley_param params[] = { PARLEY_INT(found.key),
                                    PARLEY_INT(parley->run->num(t->of.run, "limit")),
                                    PARLEY_INT(parley->run->num(t->of.run, "offset")) };
    const parley_sql sql = SQL(SQL_VERB_MEMBERS, params);
    return task_sql(t, &sql, 1, PARLEY_DB_READ);
}

static int members_print(task *t)
{
    show_rows(t, member_columns, COUNT(member_columns), t->result->rows[0], "there are no more");
    return TASK_NEXT;
}

int verb_room_members(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { room_ask, members_ask, members_print };

    return TASK_START(steps, 0);
}
