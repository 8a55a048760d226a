/* standing.c -- which of a user's sessions stand? */
#include "plugins/accounts/standing.h"
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/person.h"
#include "plugins/accounts/revocation.h"

static struct {
    int is_asking, has_doubts;
    int64_t user_key; /* of the question that is out */
} standing;

void standing_doubt(int64_t user_key)
{
    for (person *p = person_next(NULL); p; p = person_next(p)) {
        if (p->facts.shown.key != user_key || p->is_revoked)
            continue;
        p->is_doubted = PERSON_DOUBTED;
        standing.has_doubts = 1;
    }
}

static int is_standing(const parley_rows *rows, int64_t session_key)
{
    for (int64_t i = 0; i < accounts.db->rows_n(rows); i++)
        if (accounts.db->get_int(rows, i, 0, 0) == session_key)
            return 1;
    return 0;
}

/* Only those that the question was about: a session that was opened since is not in the answer. */
static void judge(const parley_rows *rows)
{
    person *next;

    for (person *p = person_next(NULL); p; p = next) {
        next = person_next(p);
        if (p->is_doubted != PERSON_ASKED || p->facts.shown.key != standing.user_key)
            continue;
        p->is_doubted = PERSON_SURE;
        if (!is_standing(rows, p->facts.session_key))
            person_revoke(p);
    }
}

/* The answer was not had: all of it is asked again. */
static void doubt_again(void)
{
    for (person *p = person_next(NULL); p; p = person_next(p))
        if (p->is_doubted == PERSON_ASKED)
            p->is_doubted = PERSON_DOUBTED;
}

static void standing_answered(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx;
    (void)ud;
    standing.is_asking = 0;
    if (status < 0) {
        doubt_again();
        return;
    }
    judge(result->rows[0]);
    standing_ask();
}

/* Marks all sessions of the first user in doubt; 0: there is none. */
static int64_t user_take(void)
{
    int64_t user_key = 0;

    for (person *p = person_next(NULL); p; p = person_next(p)) {
        if (p->is_doubted != PERSON_DOUBTED)
            continue;
        if (user_key == 0)
            user_key = p->facts.shown.key;
        if (p->facts.shown.key == user_key)
            p->is_doubted = PERSON_ASKED;
    }
    return user_key;
}

/* Asked where it is written, not on a replica that may be behind. */
void standing_ask(void)
{
    if (standing.is_asking || !standing.has_doubts)
        return;
    standing.user_key = user_take();
    if (standing.user_key == 0) {
        standing.has_doubts = 0;
        return;
    }
    parley_param params[] = { PARLEY_INT(standing.user_key), PARLEY_INT(parley->now_us()) };
    parley_sql sql = SQL(SQL_SESSIONS_STANDING, params);
    standing.is_asking = accounts.db->run(accounts.ctx, &sql, 1, 0, standing_answered, NULL) >= 0;
    if (!standing.is_asking)
        doubt_again();
}
