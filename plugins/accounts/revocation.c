/* revocation.c -- who is it no more? */
#include "plugins/accounts/revocation.h"
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/person.h"
#include "plugins/accounts/standing.h"
#include <string.h>

enum {
    POLL_MS = 500,
    /* rows before the newest that may still appear: transactions commit out of order */
    WINDOW = 256
};
#define TOPIC "accounts.revoked" /* makes the other workers look at once; the poll needs it not */
#define STALE_NS                                                                                   \
    INT64_C(5000000000)           /* without a good poll for so long, the cache is not believed */
#define SKEW_US INT64_C(10000000) /* between the clocks of two machines, at most */

static struct {
    parley_timer timer;
    int is_on, is_asking, is_hurried;
    int64_t head;         /* largest id seen */
    uint8_t seen[WINDOW]; /* 1 at id % WINDOW: that row was worked off; of the last WINDOW rows */
    int64_t good_ns;
    uint32_t epoch;
} watch;

int revocation_is_watched(void)
{
    return watch.is_on && parley->mono_ns() - watch.good_ns < STALE_NS;
}

uint32_t revocation_epoch(void)
{
    return watch.epoch;
}

/* What was revoked before the session was read is already in what was read. */
static int is_meant(const person *p, int64_t user_key, int64_t session_key, int64_t at_us)
{
    return p->facts.shown.key == user_key && p->facts.session_key == session_key &&
           p->facts.loaded_us < at_us + SKEW_US;
}

static void revoke(int64_t user_key, int64_t session_key, int64_t at_us)
{
    person *next;

    for (person *p = person_next(NULL); p; p = next) {
        next = person_next(p);
        if (is_meant(p, user_key, session_key, at_us))
            person_revoke(p);
    }
}

/* 1 the first time it is asked for `id`. */
static int take_id(int64_t id)
{
    if (id - watch.head >= WINDOW) {
        memset(watch.seen, 0, sizeof(watch.seen));
        watch.head = id;
    }
    while (watch.head < id)
        watch.seen[++watch.head % WINDOW] = 0;
    if (id <= watch.head - WINDOW || watch.seen[id % WINDOW])
        return 0;
    watch.seen[id % WINDOW] = 1;
    return 1;
}

/* A right is the business of the plugin that gave it. */
static void work_off(const parley_rows *rows, int64_t i)
{
    int64_t user_key = accounts.db->get_int(rows, i, 1, 0);
    int64_t at_us = accounts.db->get_int(rows, i, 3, 0);
    parley_auth_revoked info = { PARLEY_SIZED(parley_auth_revoked), .user = user_key,
                                 .subject = accounts.db->get(rows, i, 4), .at_us = at_us };

    if (info.subject.n > 0) {
        (void)parley->fire(accounts.ctx, "auth.revoked", &info);
        return;
    }
    int64_t session_key = accounts.db->get_int(rows, i, 2, 0);
    watch.epoch++;
    if (session_key > 0)
        revoke(user_key, session_key, at_us);
    else
        standing_doubt(user_key);
}

static void poll(void);

static void poll_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx;
    (void)ud;
    watch.is_asking = 0;
    if (status < 0)
        return;
    watch.good_ns = parley->mono_ns();
    const parley_rows *rows = result->rows[0];
    for (int64_t i = 0; i < accounts.db->rows_n(rows); i++) {
        if (take_id(accounts.db->get_int(rows, i, 0, 0)))
            work_off(rows, i);
    }
    standing_ask();
    if (watch.is_hurried) {
        watch.is_hurried = 0;
        poll();
    }
}

void revocation_stop(void)
{
    if (watch.is_on)
        (void)parley->timer_stop(watch.timer);
    watch.is_on = 0;
}

static void poll(void)
{
    parley_param params[] = { PARLEY_INT(watch.head - WINDOW) };
    parley_sql sql = SQL(SQL_REVOKED_SINCE, params);

    watch.is_asking = accounts.db->run(accounts.ctx, &sql, 1, PARLEY_DB_READ, poll_done, NULL) >= 0;
}

static void poll_tick(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)ud;
    if (status < 0 || person_alive() == 0)
        revocation_stop();
    else if (!watch.is_asking)
        poll();
}

/* Another worker has revoked something.  A question that is out may be older than that. */
static void poll_hurry(parley_ctx *ctx, parley_str topic, parley_str bytes, void *ud)
{
    (void)ctx;
    (void)topic;
    (void)bytes;
    (void)ud;
    if (watch.is_on && watch.is_asking)
        watch.is_hurried = 1;
    else if (watch.is_on)
        poll();
}

int revocation_start(void)
{
    return parley->subscribe(accounts.ctx, PARLEY_S(TOPIC), poll_hurry, NULL);
}

void revocation_here(int64_t user_key, int64_t session_key, int64_t kept_key)
{
    person *next;

    watch.epoch++;
    for (person *p = person_next(NULL); p; p = next) {
        int64_t own = p->facts.session_key;

        next = person_next(p);
        if (p->facts.shown.key == user_key && own != kept_key &&
            (session_key == 0 || own == session_key))
            person_revoke(p);
    }
    (void)parley->publish(accounts.ctx, PARLEY_S(TOPIC), PARLEY_S("now"));
}

void revocation_watch(int64_t head)
{
    if (watch.is_on)
        return;
    watch.timer = parley->timer(accounts.ctx, POLL_MS, POLL_MS, poll_tick, NULL);
    if (watch.timer.id == 0) /* no timer, no watch: every request asks the database */
        return;
    watch.is_on = 1;
    watch.head = head;
    memset(watch.seen, 0, sizeof(watch.seen));
    watch.good_ns = parley->mono_ns();
}
