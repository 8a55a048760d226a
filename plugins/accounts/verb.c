/* verb.c -- `parley createsuperuser`, `parley user ...`, `parley audit list`: the table of them, and
 * which user is meant. */
#include "plugins/accounts/verb.h"
#include "plugins/common/address.h"
#include "plugins/common/name.h"
#include <stdlib.h>

#define NO_UID "00000000-0000-0000-0000-000000000000"

/* ---- which user is meant ---- */

enum { UID_CHARS = 36, WRITTEN_SHOWN = 80 };

static int is_uid(parley_str s)
{
    if (s.n != UID_CHARS)
        return 0;
    for (size_t i = 0; i < s.n; i++) {
        int is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash ? s.p[i] != '-' : !memchr("0123456789abcdef", s.p[i], 16))
            return 0;
    }
    return 1;
}

int user_ask(task *t, parley_str written)
{
    char address[ADDRESS_MAX + 1];
    char *name = NULL;
    int n = address_key(written, address, sizeof(address));

    if (name_key(written, &name) < 0)
        return task_fail(t, 2, "the name of the user is not UTF-8 text");
    parley_param params[] = {
        PARLEY_TEXT(n < 0 ? PARLEY_S("") : parley_text_view(address, (size_t)n)),
        PARLEY_TEXT(parley_text_view(name, strlen(name))),
        PARLEY_TEXT(is_uid(written) ? written : PARLEY_S(NO_UID)),
    };
    parley_sql sql = SQL(SQL_USER_FIND, params);
    int said = task_sql(t, &sql, 1, PARLEY_DB_READ);
    free(name);
    return said;
}

/* A username may be what is somebody else's address. */
int user_check(task *t, parley_str written)
{
    const parley_rows *rows = t->result->rows[0];
    char shown[WRITTEN_SHOWN];
    int64_t n = accounts.db->rows_n(rows);

    (void)show_safe(written, shown, sizeof(shown));
    if (n == 1)
        return TASK_NEXT;
    if (n == 0)
        return task_fail(
            t, 1, "nobody has the address, username or id \"%s\": see parley user list", shown);
    parley_str ids[] = { accounts.db->get(rows, 0, USER_UID), accounts.db->get(rows, 1, USER_UID) };
    return task_fail(t, 1,
                     "\"%s\" is the username of one and the address of another: say %.*s or %.*s",
                     shown, (int)ids[0].n, ids[0].p, (int)ids[1].n, ids[1].p);
}

/* ---- the table ---- */

/* clang-format off */
#define LIMIT { "limit", "50", NULL, "rows at the most", PARLEY_T_INT, 0, 1, SHOW_MOST }
#define USER  { "user", NULL, NULL, "address, username or id", PARLEY_T_STR, PARLEY_O_REQUIRED, 1, 1000 }

static const parley_option list_options[] = {
    { "search", "", NULL, "only whose username or address contains this", PARLEY_T_STR, 0, 0, 254 },
    LIMIT,
    { "offset", "0", NULL, "rows to skip", PARLEY_T_INT, 0, 0, INT64_MAX },
    SHOW_JSON,
};
static const parley_option json_options[] = { SHOW_JSON };
static const parley_option sessions_options[] = { LIMIT, SHOW_JSON };
static const parley_option audit_options[] = {
    { "since", "365d", NULL, "how far back", PARLEY_T_MS, 0, 1000, 315360000000 },
    { "user", NULL, NULL, "only what this one did, or was done to: address, username or id", PARLEY_T_STR, 0, 1, 1000 },
    LIMIT,
    SHOW_JSON,
};
static const parley_option create_options[] = {
    { "email", NULL, NULL, "address; asked for without it", PARLEY_T_STR, 0, 0, 1000 },
    { "username", NULL, NULL, "name of the account; asked for without it", PARLEY_T_STR, 0, 0, 1000 },
    { "first_name", NULL, NULL, "asked for without it", PARLEY_T_STR, 0, 0, 1000 },
    { "last_name", NULL, NULL, "asked for without it", PARLEY_T_STR, 0, 0, 1000 },
    SECRET_OPTION,
    { "verified", "true", NULL, "the address counts as confirmed; --no-verified: its owner must confirm it before logging in", PARLEY_T_BOOL, 0, 0, 0 },
};
static const parley_option password_options[] = { SECRET_OPTION };
static const parley_option delete_options[] = {
    { "yes", "false", NULL, "do not ask whether it is meant", PARLEY_T_BOOL, 0, 0, 0 },
};
static const parley_option user_operands[] = { USER };
static const parley_option staff_operands[] = {
    USER,
    { "right", NULL, "on|off", "on, or off", PARLEY_T_ENUM, PARLEY_O_REQUIRED, 0, 0 },
};

static create_kind create_superuser = { 1, "superuser_create" }, create_user = { 0, "user_create" };

#define VERB(n, a) PARLEY_SIZED(parley_verb), .name = (n), .about = (a)
#define OPTIONS(t) PARLEY_LIST(option, t)
#define OPERANDS(t) PARLEY_LIST(operand, t)
#define UD(kind) (void *)(uintptr_t)&(kind)
static const parley_verb verbs[] = {
    { VERB("createsuperuser", "make an account that may do everything"),
      .details = "Verified, staff and superuser. What no option says is asked for at the terminal.\n",
      .options = create_options, .option_n = COUNT(create_options) - 1, .option_stride = sizeof(create_options[0]),
      .fn = verb_create, .ud = &create_superuser },
    { VERB("user list", "list accounts, oldest first"), OPTIONS(list_options), .fn = verb_user_list },
    { VERB("user show", "show one account"), OPTIONS(json_options), OPERANDS(user_operands), .fn = verb_user_show },
    { VERB("user create", "make an account"),
      .details = "What no option says is asked for at the terminal. No mail is sent.\n",
      OPTIONS(create_options), .fn = verb_create, .ud = &create_user },
    { VERB("user verify", "let an account log in without its verification mail"),
      OPERANDS(user_operands), .fn = verb_change, .ud = UD(kind_verify) },
    { VERB("user disable", "shut an account: nobody can log in to it, its sessions end"),
      .details = "Sockets that are open close with 4401 within a second, on every node.\n",
      OPERANDS(user_operands), .fn = verb_change, .ud = UD(kind_disable) },
    { VERB("user enable", "open a disabled account again"), OPERANDS(user_operands), .fn = verb_change, .ud = UD(kind_enable) },
    { VERB("user staff", "give or take the right to administer"),
      .details = "off also takes the superuser's right away, and ends all sessions.\n",
      OPERANDS(staff_operands), .fn = verb_staff },
    { VERB("user sessions", "list where somebody is logged in, newest first"),
      OPTIONS(sessions_options), OPERANDS(user_operands), .fn = verb_user_sessions },
    { VERB("user end-sessions", "log somebody out everywhere"),
      .details = "Sockets that are open close with 4401 within a second, on every node.\n",
      OPERANDS(user_operands), .fn = verb_change, .ud = UD(kind_end_sessions) },
    { VERB("user password", "set a new password; all sessions end"),
      .details = "It is asked for twice, or comes by --password. The user gets a mail that it has changed.\n",
      OPTIONS(password_options), OPERANDS(user_operands), .fn = verb_password },
    { VERB("user delete", "delete an account that is in no room"),
      .details = "Who has made a room or is in one cannot be deleted: take him out of the rooms, delete those that he\n"
                 "made, or disable the account. Messages that he wrote keep his name.\n",
      OPTIONS(delete_options), OPERANDS(user_operands), .fn = verb_delete },
    { VERB("audit list", "list log-ins, changes of rights, deletions; newest first"), OPTIONS(audit_options), .fn = verb_audit_list },
};
/* clang-format on */

int verbs_load(parley_ctx *ctx)
{
    int err = 0;

    for (size_t i = 0; err >= 0 && i < COUNT(verbs); i++)
        err = parley->verb(ctx, &verbs[i]);
    return err;
}
