/* tidy.c -- what is old goes: unverified accounts, expired sessions, tokens and tickets, old
 * revocations, the old part of the audit log.
 *
 * An unverified account may be in a room already, because others may add it.  This plugin
 * knows no rooms: it deletes the accounts one by one and leaves the answer to the foreign
 * keys.  Whoever refers to an account and does not say ON DELETE CASCADE keeps it;
 * accounts' own tables cascade. */
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/auth.h"

enum { FIRST_MS = 60000, EVERY_MS = 3600000 };
#define REVOCATIONS_KEPT_US INT64_C(2592000000000) /* 30 days */

static struct {
    int is_purging;
    int64_t before_us;
    int64_t last_key; /* the purge goes upwards, so that a kept account is not asked for again */
} tidy;

static void purge_next(void);

static void purge_deleted(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx;
    /* PARLEY_DB_FOREIGN_KEY: somebody needs it; anything else: the next hour tries again */
    (void)status;
    (void)result;
    if (ud)
        purge_next();
}

static void purge_listed(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    int64_t n = status < 0 ? 0 : accounts.db->rows_n(result->rows[0]);

    (void)ud;
    tidy.is_purging = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t key = accounts.db->get_int(result->rows[0], i, 0, 0);
        parley_param params[] = { PARLEY_INT(key) };
        parley_sql sql = SQL(SQL_PURGE_ONE, params);
        void *is_last = i + 1 == n ? &tidy : NULL;

        if (accounts.db->run(ctx, &sql, 1, 0, purge_deleted, is_last) < 0)
            return;
        tidy.last_key = key;
    }
}

static void purge_next(void)
{
    parley_param params[] = { PARLEY_INT(tidy.before_us), PARLEY_INT(tidy.last_key) };
    parley_sql sql = SQL(SQL_PURGE_LIST, params);

    if (tidy.is_purging)
        return;
    tidy.is_purging = accounts.db->run(accounts.ctx, &sql, 1, PARLEY_DB_READ | PARLEY_DB_STALE_OK,
                                       purge_listed, NULL) >= 0; /* the DELETE looks again */
}

static void tidy_old(int64_t now_us)
{
    parley_param now[] = { PARLEY_INT(now_us) };
    parley_param old[] = { PARLEY_INT(now_us - REVOCATIONS_KEPT_US) };
    parley_param audited[] = { PARLEY_INT(now_us - accounts.audit_ttl_us) };
    parley_sql sql[] = { SQL(SQL_TIDY_TICKETS, now), SQL(SQL_TIDY_SESSIONS, now),
                         SQL(SQL_TIDY_TOKENS, now), SQL(SQL_TIDY_REVOCATIONS, old),
                         SQL(SQL_TIDY_AUDIT, audited) };

    (void)sql_run_quietly(sql, COUNT(sql));
}

static void tidy_tick(parley_ctx *ctx, int status, void *ud)
{
    int64_t now_us = parley->now_us();

    (void)ctx;
    (void)ud;
    if (status < 0)
        return;
    auth_touch_live();
    tidy_old(now_us);
    tidy.before_us = now_us - accounts.unverified_ttl_us;
    tidy.last_key = 0;
    purge_next();
}

int tidy_start(void)
{
    parley_timer timer = parley->timer(accounts.ctx, FIRST_MS, EVERY_MS, tidy_tick, NULL);

    return timer.id == 0 ? parley->fail(accounts.ctx, "no timer") : 0;
}
