/* verb_create.c -- `parley createsuperuser` and `parley user create`
 *
 *   take     the fields: from options, else asked for, until each is sound
 *   taken    SQL: address or name in use?  Asked for again, if it was asked for
 *   secret   four steps: the password
 *   store    SQL: the account, a row of the audit log
 *   told */
#include "plugins/accounts/field.h"
#include "plugins/accounts/verb.h"
#include <stdlib.h>

enum { TEXT_SIZE = 640 /* 150 characters */, SHOWN = 80 };
enum { STEP_TAKE };

typedef struct creation {
    secret secret;                     /* first: verb.h */
    char text[FIELD_COUNT][TEXT_SIZE]; /* "": not there yet */
    int is_asked[FIELD_COUNT];
    enum field asking;
    char email_key[ADDRESS_MAX + 1];
    char *username_key; /* owned */
    char uid[37];
} creation;

/* clang-format off */
static const struct {
    const char *option, *question, *words;
} askings[] = { /* enum field */
    [FIELD_EMAIL]      = { "email", "E-mail address: ", "--email" },
    [FIELD_USERNAME]   = { "username", "Username: ", "--username" },
    [FIELD_FIRST_NAME] = { "first_name", "First name: ", "--first-name" },
    [FIELD_LAST_NAME]  = { "last_name", "Last name: ", "--last-name" },
};
/* clang-format on */

static parley_str text_of(const char *text)
{
    return parley_text_view(text, strlen(text));
}

/* NULL: it is kept; else what is wrong with it. */
static const char *field_keep(creation *c, enum field f, parley_str given,
                              char why[PARLEY_TEXT_WHY_MAX])
{
    parley_json *value = given.p ? parley->json_s(given) : NULL;
    parley_str text = { NULL, 0 };
    const char *fault = value ? field_check(f, value, &text, why) : "It is not UTF-8 text.";

    if (!fault)
        (void)snprintf(c->text[f], TEXT_SIZE, "%.*s", (int)text.n, text.p);
    parley->json_free(value);
    return fault;
}

static int create_take(task *t)
{
    creation *c = t->state;
    char why[PARLEY_TEXT_WHY_MAX], shown[SHOWN];

    for (enum field f = 0; f < FIELD_COUNT; f++) {
        parley_str given = parley->run->text(t->of.run, askings[f].option);

        if (c->text[f][0] != '\0')
            continue;
        c->asking = f;
        c->is_asked[f] = !given.p;
        if (!given.p)
            return task_ask(t, askings[f].question, 0, askings[f].words);
        const char *fault = field_keep(c, f, given, why);
        if (fault)
            return task_fail(t, 2, "%s \"%s\": %s", askings[f].words,
                             show_safe(given, shown, sizeof(shown)), fault);
    }
    t->at++;
    return TASK_NEXT;
}

static int create_answered(task *t)
{
    creation *c = t->state;
    char why[PARLEY_TEXT_WHY_MAX];
    const char *fault = field_keep(c, c->asking, t->answer, why);

    if (fault)
        task_say(t, "%s", fault);
    t->at = STEP_TAKE;
    return TASK_NEXT;
}

static int create_ask_taken(task *t)
{
    creation *c = t->state;

    free(c->username_key);
    c->username_key = NULL;
    (void)address_key(text_of(c->text[FIELD_EMAIL]), c->email_key, sizeof(c->email_key));
    if (name_key(text_of(c->text[FIELD_USERNAME]), &c->username_key) < 0)
        return task_fail(t, 1, "there is no memory left");
    parley_param params[] = { PARLEY_TEXT(text_of(c->email_key)),
                              PARLEY_TEXT(text_of(c->username_key)) };
    parley_sql sql = SQL(SQL_TAKEN, params);
    return task_sql(t, &sql, 1, PARLEY_DB_READ);
}

static int is_taken(const parley_rows *rows, uint32_t column, const char *key)
{
    for (int64_t i = 0; i < accounts.db->rows_n(rows); i++) {
        parley_str other = accounts.db->get(rows, i, column);

        if (other.n == strlen(key) && memcmp(other.p, key, other.n) == 0)
            return 1;
    }
    return 0;
}

static int create_judge_taken(task *t)
{
    creation *c = t->state;
    const parley_rows *rows = t->result->rows[0];
    const int taken[] = { is_taken(rows, 0, c->email_key), is_taken(rows, 1, c->username_key) };
    char shown[SHOWN];

    for (enum field f = FIELD_EMAIL; f <= FIELD_USERNAME; f++) {
        if (!taken[f])
            continue;
        if (!c->is_asked[f])
            return task_fail(t, 1, "%s %s: %s", askings[f].words,
                             show_safe(text_of(c->text[f]), shown, sizeof(shown)), field_taken(f));
        task_say(t, "%s", field_taken(f));
        c->text[f][0] = '\0';
        t->at = STEP_TAKE;
    }
    c->secret.of =
        (strength_of){ text_of(c->text[FIELD_USERNAME]), text_of(c->text[FIELD_FIRST_NAME]),
                       text_of(c->text[FIELD_LAST_NAME]), text_of(c->email_key) };
    return TASK_NEXT;
}

static int create_store(task *t)
{
    creation *c = t->state;
    const create_kind *kind = t->of.ud;
    int is_verified = kind->is_superuser || parley->run->num(t->of.run, "verified");
    int64_t now_us = parley->now_us();

    parley->uuid7(c->uid);
    parley_param user[] = {
        PARLEY_TEXT(text_of(c->uid)),
        PARLEY_TEXT(text_of(c->text[FIELD_USERNAME])),
        PARLEY_TEXT(text_of(c->username_key)),
        PARLEY_TEXT(text_of(c->email_key)),
        PARLEY_TEXT(text_of(c->email_key)),
        PARLEY_TEXT(text_of(c->text[FIELD_FIRST_NAME])),
        PARLEY_TEXT(text_of(c->text[FIELD_LAST_NAME])),
        PARLEY_TEXT(text_of(c->secret.hash.text)),
        PARLEY_INT(is_verified),
        PARLEY_INT(kind->is_superuser),
        PARLEY_INT(kind->is_superuser),
        PARLEY_INT(now_us),
    };
    parley_param audit[] = { PARLEY_INT(now_us), PARLEY_TEXT(text_of(kind->action)),
                             PARLEY_TEXT(text_of(c->uid)) };
    parley_sql sql[] = { SQL(SQL_USER_MAKE, user), SQL(SQL_AUDIT_COMMAND, audit) };
    t->allow = PARLEY_DB_UNIQUE;
    return task_sql(t, sql, COUNT(sql), 0);
}

static int create_told(task *t)
{
    const creation *c = t->state;
    const create_kind *kind = t->of.ud;

    if (t->status == PARLEY_DB_UNIQUE)
        return task_fail(t, 1, "somebody else has just taken that address or username; try again");
    (void)parley_run_printf(t->of.run, "%s %s is there, id %s\n",
                            kind->is_superuser ? "superuser" : "account", c->email_key, c->uid);
    return TASK_NEXT;
}

static void create_clean(void *state)
{
    free(((creation *)state)->username_key);
}

int verb_create(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = {
        [STEP_TAKE] = create_take,
        create_answered,
        create_ask_taken,
        create_judge_taken,
        secret_take,
        secret_first,
        secret_judge,
        secret_hashed,
        create_store,
        create_told,
    };

    return task_start(&(task_of){ ctx, run, accounts.db, ud, steps, COUNT(steps), sizeof(creation),
                                  create_clean });
}
