/* migrate.c -- the short-lived process that brings the database up to date, or back, or tells what is
 * missing: only the store is started, then the files of every plugin are looked at, in order of
 * needs. */
#include "core/host/inside.h"

#include "core/base/log.h"

#include <parley/db.h>
#include <stdio.h>

/* `p` and whatever it cannot do without. */
void life_want(const host *h, const plugin *p)
{
    if (h->life.wanted[p->index])
        return;
    h->life.wanted[p->index] = true;
    for (uint32_t i = 0; i < p->def->need_n; i++) {
        const parley_need *need = plugin_need(p->def, i);
        const service *s = need->optional ? NULL : service_find(h, need->service, need->major);
        if (s)
            life_want(h, s->owner);
    }
}

static void migrated(parley_ctx *p, int status, const parley_db_result *result, void *ud)
{
    host *h = ud;
    str why = result ? result->message : STR_NONE;

    h->life.migrate_waits = false;
    h->life.at++;
    if (status < 0)
        failure_set(&h->life.failure, EXIT_SYSTEM,
                    "plugin \"" STR_FMT "\": migration failed (%d): " STR_FMT, STR_ARG(p->name),
                    status, why.p ? (int)why.n : 9, why.p ? why.p : "no reason");
    else if (h->life.migration->report && why.n > 0)
        h->life.migration->report(h->life.ud, p->name, why);
    job_add(h, &h->life.step);
}

static int migrate_one(host *h, const service *store, plugin *p)
{
    const parley_db *db = (const parley_db *)(const void *)store->table;
    char folder[1024];
    plugin_frame saved;

    int n = snprintf(folder, sizeof(folder), STR_FMT "/sql/%s/%s", STR_ARG(h->set->share_dir),
                     db->dialect(), p->def->migrations);
    if (n < 0 || (size_t)n >= sizeof(folder))
        return PARLEY_ETOOBIG;
    h->life.migrate_waits = true;
    plugin_enter(&saved, store->owner, "migrate", p->name);
    const parley_db_migration one = { PARLEY_SIZED(parley_db_migration),
                                      .way = h->life.migration->way, .plugin = p->name,
                                      .folder = { folder, (size_t)n },
                                      .version = h->life.migration->version };
    int err = db->migrate(p, &one, migrated, h);
    plugin_leave(&saved);
    return err;
}

/* The next plugin with migrations; called again when one is through. */
void migrate_step(host *h)
{
    const service *store = service_find(h, "parley.db", -1);

    if (h->life.migrate_waits)
        return;
    while (h->life.at < h->plugin_n) {
        plugin *p = h->order[h->life.at];
        str only = h->life.migration->plugin;
        if (!p->def->migrations || !store || (only.p && !str_eq(only, p->name))) {
            h->life.at++;
            continue;
        }
        int err = migrate_one(h, store, p);
        if (err >= 0)
            return;
        failure_set(&h->life.failure, EXIT_SYSTEM,
                    "plugin \"" STR_FMT "\": migration failed (%d): %s", STR_ARG(p->name), err,
                    store->owner->why);
        life_finish(h, &h->life.failure);
        return;
    }
    life_finish(h, NULL);
}

void host_migrate(host *h, const host_migration *what, void (*done)(void *ud, const failure *f),
                  void *ud)
{
    const service *store = service_find(h, "parley.db", -1);

    h->life.migration = what;
    h->life.at = 0;
    h->life.migrating = true;
    if (store)
        life_want(h, store->owner);
    life_begin(h, done, ud);
}
