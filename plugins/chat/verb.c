/* verb.c -- `parley room ...`, `parley retention plan` and `parley export`: the table of them, and which room and user are
 * meant. */
#include "plugins/chat/verb.h"
#include <stdio.h>

#define NO_UID "00000000-0000-0000-0000-000000000000"

enum { KEY_SIZE = 1024 };

static bool is_uid(parley_str s)
{
    if (s.n != UID_SIZE - 1)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash ? s.p[i] != '-' : !memchr("0123456789abcdef", s.p[i], 16))
            return false;
    }
    return true;
}

int target_ask(task *t, bool has_user)
{
    parley_str room = parley->run->text(t->of.run, "room");
    parley_str user = has_user ? parley->run->text(t->of.run, "user") : PARLEY_S("");
    char key[KEY_SIZE];
    int n = chat.auth->email_key(user, key, sizeof(key));
    const parley_param which[] = { PARLEY_TEXT(is_uid(room) ? room : PARLEY_S(NO_UID)),
                                   PARLEY_TEXT(room) };
    const parley_param who[] = {
        PARLEY_TEXT(((parley_str){ key, n < 0 ? 0 : (size_t)n })),
        PARLEY_TEXT(user),
        PARLEY_TEXT(is_uid(user) ? user : PARLEY_S(NO_UID)),
    };
    const parley_sql sql[] = { SQL(SQL_VERB_ROOM_FIND, which), SQL(SQL_VERB_USER_FIND, who) };

    return task_sql(t, sql, has_user ? 2 : 1, PARLEY_DB_READ);
}

static int target_refuse(task *t, const parley_rows *rows, const char *what, parley_str written)
{
    char shown[80];
    parley_str ids[] = { chat.db->get(rows, 0, 0), chat.db->get(rows, 1, 0) };

    (void)show_safe(written, shown, sizeof(shown));
    if (chat.db->rows_n(rows) == 0)
        return task_fail(t, 1, "there is no %s \"%s\": see parley %s list", what, shown, what);
    return task_fail(t, 1,
                     "more than one %s is called \"%s\": say which by its id, as %.*s or %.*s",
                     what, shown, (int)ids[0].n, ids[0].p, (int)ids[1].n, ids[1].p);
}

static void keep(char *ret, size_t size, parley_str text)
{
    (void)snprintf(ret, size, "%.*s", (int)text.n, text.p);
}

int target_read(task *t, bool has_user, target *ret)
{
    const parley_rows *room = t->result->rows[0];
    const parley_rows *user = has_user ? t->result->rows[1] : NULL;

    if (chat.db->rows_n(room) != 1)
        return target_refuse(t, room, "room", parley->run->text(t->of.run, "room"));
    if (user && chat.db->rows_n(user) != 1)
        return target_refuse(t, user, "user", parley->run->text(t->of.run, "user"));
    keep(ret->uid, sizeof(ret->uid), chat.db->get(room, 0, VERB_ROOM_UID));
    keep(ret->name, sizeof(ret->name), chat.db->get(room, 0, VERB_ROOM_NAME));
    (void)show_safe(chat.db->get(room, 0, VERB_ROOM_NAME), ret->shown, sizeof(ret->shown));
    ret->key = chat.db->get_int(room, 0, VERB_ROOM_KEY, 0);
    if (!user)
        return TASK_NEXT;
    keep(ret->user_uid, sizeof(ret->user_uid), chat.db->get(user, 0, VERB_USER_UID));
    keep(ret->email, sizeof(ret->email), chat.db->get(user, 0, VERB_USER_EMAIL));
    return TASK_NEXT;
}

/* ---- the table ---- */

/* clang-format off */
#define LIMIT  { "limit", "50", NULL, "rows at the most", PARLEY_T_INT, 0, 1, SHOW_MOST }
#define OFFSET { "offset", "0", NULL, "rows to skip", PARLEY_T_INT, 0, 0, INT64_MAX }
#define ROOM   { "room", NULL, NULL, "id, or a name that only one room has", PARLEY_T_STR, PARLEY_O_REQUIRED, 1, 2000 }
#define USER   { "user", NULL, NULL, "address, username or id", PARLEY_T_STR, PARLEY_O_REQUIRED, 1, 1000 }

static const parley_option list_options[] = {
    { "search", "", NULL, "only rooms whose name contains this", PARLEY_T_STR, 0, 0, 1000 },
    { "user", "", NULL, "only rooms that the user with this address is in", PARLEY_T_STR, 0, 0, 254 },
    LIMIT, OFFSET, SHOW_JSON,
};
static const parley_option show_options[] = { SHOW_JSON };
static const parley_option members_options[] = { LIMIT, OFFSET, SHOW_JSON };
static const parley_option delete_options[] = {
    { "yes", "false", NULL, "do not ask whether it is meant", PARLEY_T_BOOL, 0, 0, 0 },
};
static const parley_option export_options[] = {
    { "room", NULL, NULL, "only this room: id, or a name that only one room has", PARLEY_T_STR, 0, 1, 2000 },
};
static const parley_option room_operands[] = { ROOM };
static const parley_option member_operands[] = { ROOM, USER };

#define VERB(n, a) PARLEY_SIZED(parley_verb), .name = (n), .about = (a)
#define BY_CREATOR "The room sees it as done by who made the room; the audit log says that it was the command line.\n"
static const parley_verb verbs[] = {
    { VERB("room list", "list rooms, oldest first"), PARLEY_LIST(option, list_options), .fn = verb_room_list },
    { VERB("room show", "show one room"), PARLEY_LIST(option, show_options), PARLEY_LIST(operand, room_operands), .fn = verb_room_show },
    { VERB("room members", "list who is in a room, in the order of joining"),
      PARLEY_LIST(option, members_options), PARLEY_LIST(operand, room_operands), .fn = verb_room_members },
    { VERB("room add", "let somebody into a room"), .details = BY_CREATOR,
      PARLEY_LIST(operand, member_operands), .fn = verb_room_add },
    { VERB("room remove", "take somebody out of a room"),
      .details = "Sockets of that user in the room close with 4403.\n" BY_CREATOR,
      PARLEY_LIST(operand, member_operands), .fn = verb_room_remove },
    { VERB("room delete", "delete a room with all its messages"),
      .details = "Sockets in the room close with 4404. It cannot be undone.\n",
      PARLEY_LIST(option, delete_options), PARLEY_LIST(operand, room_operands), .fn = verb_room_delete },
    { VERB("retention plan", "show what the rules of retention would remove now"),
      .details = "One JSON object per line and room that a rule names: how many messages would go, and when the oldest\n"
                 "of those that stay was sent. Nothing is removed.\n",
      .fn = verb_retention_plan },
    { VERB("export", "print messages, one JSON object per line"),
      .details = "Room by room, oldest first; the order is the same every time. Deleted messages are left out.\n"
                 "Each with what it said before it was edited, and with the reactions to it.\n",
      PARLEY_LIST(option, export_options), .fn = verb_export },
};
/* clang-format on */

int verbs_load(parley_ctx *ctx)
{
    int err = 0;

    for (size_t i = 0; err >= 0 && i < COUNT(verbs); i++)
        err = parley->verb(ctx, &verbs[i]);
    return err;
}
