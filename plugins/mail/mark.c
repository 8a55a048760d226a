/* mark.c -- stores how an attempt ended.
 *
 * A mail that the server has taken must not be sent again because the database was away just then:
 * the mark is tried until it is stored, and its slot stays taken meanwhile. */
#include "plugins/mail/mail.h"
#include "plugins/mail/pace.h"
#include <string.h>

enum { ATTEMPTS_MAX = 100 /* four days */ };
#define MARK_FIRST_US INT64_C(200000)
#define MARK_MOST_US  INT64_C(5000000)

static void mark_run(delivery *d);

static void mark_again(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    if (status >= 0)
        mark_run(ud);
}

static void mark_later(delivery *d)
{
    uint32_t dice;

    parley->random(&dice, sizeof(dice));
    int64_t pause_us = pace_us(++d->mark_failed, MARK_FIRST_US, MARK_MOST_US, dice);
    if (d->mark_failed == 1)
        parley_logf(mail.ctx, PARLEY_WARN,
                    "what became of mail %s cannot be stored; will try again until it is", d->uid);
    d->is_mark_stuck = parley->timer(mail.ctx, pause_us / 1000, 0, mark_again, d).id == 0;
}

void mark_poll(delivery *d)
{
    if (d->state != DELIVERY_MARKING || !d->is_mark_stuck)
        return;
    d->is_mark_stuck = 0;
    mark_run(d);
}

/* An unknown outcome too: every mark may be repeated. */
static void mark_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    delivery *d = ud;

    (void)ctx, (void)result;
    if (status < 0)
        mark_later(d);
    else
        queue_marked(d);
}

static void mark_run(delivery *d)
{
    parley_str why = { d->why, strlen(d->why) }, owner = { d->owner, MAIL_UID_CHARS };
    int64_t now_us = parley->now_us();
    parley_param text = PARLEY_TEXT(why);
    if (why.n == 0)
        text = (parley_param)PARLEY_NULL;
    parley_param sent[] = { PARLEY_INT(now_us), PARLEY_INT(d->key) };
    parley_param over[] = { PARLEY_INT(now_us), text, PARLEY_INT(d->key), PARLEY_TEXT(owner) };
    parley_param next[] = { PARLEY_INT(d->next_us), text, PARLEY_INT(d->key), PARLEY_TEXT(owner) };
    const parley_sql sql[] = {
        [OUTCOME_SENT] = SQL(SQL_SENT, sent),       [OUTCOME_LATER] = SQL(SQL_RETRY, next),
        [OUTCOME_REFUSED] = SQL(SQL_GIVE_UP, over), [OUTCOME_AWAY] = SQL(SQL_BACK, next),
        [OUTCOME_STOPPED] = SQL(SQL_BACK, next),
    };

    if (mail.db->run(mail.ctx, &sql[d->outcome], 1, 0, mark_done, d) < 0)
        mark_later(d);
}

void mark(delivery *d, int64_t next_us)
{
    d->state = DELIVERY_MARKING;
    d->next_us = next_us;
    d->mark_failed = 0;
    text_out_done(&d->eml);
    if (d->outcome == OUTCOME_LATER && d->attempts >= ATTEMPTS_MAX)
        d->outcome = OUTCOME_REFUSED;
    parley->metric_add(mail.attempts[d->outcome], 1);
    if (d->outcome == OUTCOME_REFUSED)
        parley_logf(mail.ctx, PARLEY_WARN, "mail %s is given up after attempt %lld: %s", d->uid,
                    (long long)d->attempts, d->why);
    if (d->outcome == OUTCOME_LATER)
        parley_logf(mail.ctx, PARLEY_INFO, "mail %s, attempt %lld: %s; again in %lld s", d->uid,
                    (long long)d->attempts, d->why,
                    (long long)((next_us - parley->now_us() + 999999) / 1000000));
    mark_run(d);
}
