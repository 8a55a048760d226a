/* health.c -- whether the database is there, and who is told: one line of the log for every change,
 * /readyz, and at most one line a second for transactions that failed. */
#include <string.h>

#include "plugins/common/db_meters.h"
#include "plugins/postgres/store.h"

void store_tell(void)
{
    char why[LINK_WHY] = "";

    if (store.is_starting)
        return; /* started() will say so first */
    if (store.is_away)
        (void)snprintf(why, sizeof(why), "the database is away");
    else if (store.is_readonly)
        (void)snprintf(why, sizeof(why), "the database takes no writes");
    else if (store.wrong[0])
        (void)snprintf(why, sizeof(why), "the database refuses a statement: %.200s", store.wrong);
    if (strcmp(why, store.told) == 0)
        return;
    memcpy(store.told, why, sizeof(why));
    parley->ready(store.ctx, why[0] == '\0', why[0] ? why : NULL);
}

void store_set_away(const char *why)
{
    int64_t now_ns = parley->mono_ns();
    int is_away = why != NULL;

    if (is_away)
        store_refuse_waiting("the database is away");
    if (is_away == store.is_away)
        return;
    store.is_away = is_away;
    db_meter_up(!is_away && !store.is_readonly);
    if (is_away) {
        store.away_ns = now_ns;
        parley_logf(store.ctx, PARLEY_ERROR, "the database is away: %s", why);
    } else {
        parley_logf(store.ctx, PARLEY_INFO, "the database is back after %lld ms",
                    (long long)((now_ns - store.away_ns) / 1000000));
    }
    store_tell();
}

/* A standby, or a primary that was told to refuse writes: the sessions are renewed until one finds
 * it writable, and so a name that points to another server by now is looked up again. */
void store_set_readonly(int is_readonly)
{
    if (is_readonly == store.is_readonly)
        return; /* whoever goes on trying to write does not put the next look off */
    store.is_readonly = is_readonly;
    store.probe_ns = parley->mono_ns() + 2 * store.timeout_ns / 3;
    db_meter_up(!is_readonly && !store.is_away);
    if (is_readonly)
        parley_logf(store.ctx, PARLEY_ERROR, "the database takes no writes: it is read-only");
    else
        parley_logf(store.ctx, PARLEY_INFO, "the database takes writes again");
    for (uint32_t i = 1; i < store.conn_n && !is_readonly; i++) /* the lead is new already */
        store.conns[i].is_worn |= store.conns[i].link.state == LINK_OPEN;
    store_tell();
}

void store_log_failure(const pgrun *run)
{
    int64_t now_ns = parley->mono_ns();

    if (run->status != PARLEY_DB_ERROR && run->status != PARLEY_DB_UNKNOWN &&
        run->status != PARLEY_DB_FULL)
        return;
    if (store.logged_ns != 0 && now_ns - store.logged_ns < 1000000000) {
        store.unlogged++;
        return;
    }
    parley_logf(store.ctx, PARLEY_ERROR,
                "a transaction failed%s: %s: %.200s (%llu more not logged)",
                run->status == PARLEY_DB_UNKNOWN ? ", or not: the outcome is unknown" : "",
                run->error ? run->error->message : "out of memory",
                run->calls[run->failed].text->sql, (unsigned long long)store.unlogged);
    store.logged_ns = now_ns;
    store.unlogged = 0;
}
