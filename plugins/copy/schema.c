/* schema.c -- the target's tables, made by the migrations that the source has had, and matched with the
 * source's, whoever they belong to.
 *
 * The table parley_copy marks a target whose copy is not whole; it is the first thing that we make
 * and the last that we remove.  schema_migrations is not copied: its rows come with the scripts,
 * with the time at which the source had them; nor is store_incarnations (epochs.c), nor what a plugin
 * makes anew from other tables (derived_...: the index of the search). */
#include "plugins/copy/copy.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/common/script.h"

#define DERIVED "derived_" /* docs/SQL.md */

static const char *const own_tables[] = { "schema_migrations", "store_incarnations", "parley_copy",
                                          "parley_probe" };

void tables_free(tables *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i].columns);
    free(list->items);
    *list = (tables){ 0 };
}

static int is_own(const char *name)
{
    if (strncmp(name, DERIVED, sizeof(DERIVED) - 1) == 0)
        return 1;
    for (size_t i = 0; i < sizeof(own_tables) / sizeof(own_tables[0]); i++)
        if (strcmp(own_tables[i], name) == 0)
            return 1;
    return 0;
}

static table *table_find(const tables *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

static column *column_find(const table *t, const char *name)
{
    for (size_t i = 0; i < t->column_n; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return &t->columns[i];
    return NULL;
}

/* ---- the mark ---- */

static int text_row(void *ud, const cell *cells, size_t n)
{
    (void)n;
    (void)snprintf(ud, 256, "%s", cells[0].p ? cells[0].p : "");
    return 0;
}

static int claim_again(copy_job *job)
{
    char source[256] = "";

    if (job->target.ops->query(&job->target, "SELECT source FROM parley_copy", NULL, 0, NULL,
                               text_row, source, job->why) < 0)
        return -1;
    if (strcmp(source, job->source.shown) == 0)
        return 0;
    return COPY_FAIL(job->why,
                     "%s holds an unfinished copy of %s, not of %s; go on with that one, or empty "
                     "the target",
                     job->target.shown, source, job->source.shown);
}

static int claim_mark(copy_job *job)
{
    const cell source = { job->source.shown, strlen(job->source.shown) };
    side *t = &job->target;

    if (t->ops->exec(t, "CREATE TABLE IF NOT EXISTS parley_copy (source TEXT NOT NULL)", job->why) <
        0)
        return -1;
    return t->ops->query(t, "INSERT INTO parley_copy (source) VALUES ($1)", &source, 1, NULL, NULL,
                         NULL, job->why);
}

int schema_claim(copy_job *job)
{
    tables is = { 0 };
    int64_t rows = 0;
    int err = job->target.ops->tables(&job->target, &is, job->why);

    if (err == 0 && table_find(&is, "parley_copy") &&
        table_count(&job->target, table_find(&is, "parley_copy"), &rows, job->why) == 0 &&
        rows > 0) {
        tables_free(&is);
        return claim_again(job);
    }
    for (size_t i = 0; err == 0 && i < is.n; i++) {
        if (is_own(is.items[i].name))
            continue;
        err = table_count(&job->target, &is.items[i], &rows, job->why);
        if (err == 0 && rows > 0)
            err = COPY_FAIL(job->why,
                            "%s already holds data: %lld rows in %s.  Nothing was changed; name an "
                            "empty database",
                            job->target.shown, (long long)rows, is.items[i].name);
    }
    tables_free(&is);
    return err == 0 ? claim_mark(job) : -1;
}

int schema_release(copy_job *job)
{
    return job->target.ops->exec(&job->target, "DROP TABLE parley_copy", job->why);
}

/* ---- migrations ---- */

typedef struct applied {
    char plugin[80];
    int64_t version;
    char checksum[80], at[24];
} applied;

typedef struct history {
    applied *items;
    size_t n;
} history;

static int history_row(void *ud, const cell *cells, size_t n)
{
    history *h = ud;
    applied *more = realloc(h->items, (h->n + 1) * sizeof(*more));

    (void)n;
    if (!more)
        return -1;
    h->items = more;
    applied *a = &h->items[h->n++];
    (void)snprintf(a->plugin, sizeof(a->plugin), "%s", cells[0].p);
    a->version = strtoll(cells[1].p, NULL, 10);
    (void)snprintf(a->checksum, sizeof(a->checksum), "%s", cells[2].p);
    (void)snprintf(a->at, sizeof(a->at), "%s", cells[3].p);
    return 0;
}

/* In the order in which they were applied, which is an order of needs. */
static int history_read(side *s, history *ret, char why[COPY_WHY])
{
    return s->ops->query(s,
                         "SELECT plugin, version, checksum, applied_at FROM schema_migrations"
                         " ORDER BY applied_at, plugin, version",
                         NULL, 0, NULL, history_row, ret, why);
}

static const applied *history_find(const history *h, const applied *what)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->items[i].version == what->version && strcmp(h->items[i].plugin, what->plugin) == 0)
            return &h->items[i];
    return NULL;
}

/* The folder of a plugin's scripts for one dialect. */
static void scripts_folder(const copy_job *job, const char *dialect, const char *plugin,
                           char ret[1024])
{
    char key[128];

    (void)snprintf(key, sizeof(key), "migrations.%s", plugin);
    parley_str folder = parley->server(key);
    (void)snprintf(ret, 1024, "%s/sql/%s/%.*s", job->share_dir, dialect,
                   folder.p ? (int)folder.n : (int)strlen(plugin), folder.p ? folder.p : plugin);
}

/* The file of one migration; its scripts are to be freed in either case. */
static int script_find(copy_job *job, const side *s, const applied *what, scripts *ret,
                       const script **ret_one)
{
    static char folder[1024];
    char why[SCRIPT_WHY];

    scripts_folder(job, s->ops->dialect, what->plugin, folder);
    if (scripts_read(ret, folder, why) < 0)
        return COPY_FAIL(job->why, "%s", why);
    for (size_t i = 0; i < ret->n; i++)
        if (ret->items[i].version == what->version) {
            *ret_one = &ret->items[i];
            return 0;
        }
    return COPY_FAIL(job->why,
                     "%s has had migration %lld of plugin \"%s\", but %s has no file for it",
                     job->source.shown, (long long)what->version, what->plugin, folder);
}

/* The source's tables are what its scripts say only if it had those scripts. */
static int script_check_source(copy_job *job, const applied *what)
{
    scripts all = { 0 };
    const script *one = NULL;
    int err = script_find(job, &job->source, what, &all, &one);

    if (err == 0 && strcmp(one->checksum, what->checksum) != 0)
        err = COPY_FAIL(job->why, "%s/%s was changed after %s had it; restore the file", all.folder,
                        one->name, job->source.shown);
    scripts_free(&all);
    return err;
}

static int script_apply(copy_job *job, const applied *what)
{
    side *t = &job->target;
    scripts all = { 0 };
    const script *one = NULL;
    char version[24];
    int err = script_find(job, t, what, &all, &one);

    (void)snprintf(version, sizeof(version), "%lld", (long long)what->version);
    const cell row[] = { { what->plugin, strlen(what->plugin) },
                         { version, strlen(version) },
                         { one ? one->checksum : "", one ? strlen(one->checksum) : 0 },
                         { what->at, strlen(what->at) } };
    if (err == 0)
        err = t->ops->exec(t, "BEGIN", job->why);
    if (err == 0)
        err = t->ops->exec(t, one->sql, job->why);
    if (err == 0)
        err = t->ops->query(t,
                            "INSERT INTO schema_migrations (plugin, version, checksum, applied_at)"
                            " VALUES ($1, $2, $3, $4)",
                            row, 4, NULL, NULL, NULL, job->why);
    if (err == 0)
        err = t->ops->exec(t, "COMMIT", job->why);
    scripts_free(&all);
    return err;
}

/* A server that was started once on the empty target may have migrated it: the same rows, with times
 * of its own, which become the source's. */
static int script_take_time(copy_job *job, const applied *what)
{
    char version[24];

    (void)snprintf(version, sizeof(version), "%lld", (long long)what->version);
    const cell row[] = { { what->at, strlen(what->at) },
                         { what->plugin, strlen(what->plugin) },
                         { version, strlen(version) } };
    return job->target.ops->query(&job->target,
                                  "UPDATE schema_migrations SET applied_at = CAST($1 AS BIGINT)"
                                  " WHERE plugin = $2 AND version = CAST($3 AS BIGINT)",
                                  row, 3, NULL, NULL, NULL, job->why);
}

static int build_all(copy_job *job, const history *theirs, const history *ours)
{
    for (size_t i = 0; i < ours->n; i++)
        if (!history_find(theirs, &ours->items[i]))
            return COPY_FAIL(job->why,
                             "%s has migration %lld of plugin \"%s\", which %s has not; bring the "
                             "source up to date first (parley migrate), or name an empty target",
                             job->target.shown, (long long)ours->items[i].version,
                             ours->items[i].plugin, job->source.shown);
    for (size_t i = 0; i < theirs->n; i++) {
        const applied *a = &theirs->items[i];
        int err = script_check_source(job, a);
        if (err == 0)
            err = history_find(ours, a) ? script_take_time(job, a) : script_apply(job, a);
        if (err < 0)
            return -1;
    }
    return 0;
}

int schema_build(copy_job *job)
{
    history theirs = { 0 }, ours = { 0 };
    int err = history_read(&job->source, &theirs, job->why);

    if (err == 0)
        err = job->target.ops->exec(
            &job->target,
            "CREATE TABLE IF NOT EXISTS schema_migrations (plugin TEXT NOT NULL,"
            " version BIGINT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL,"
            " PRIMARY KEY (plugin, version))",
            job->why);
    if (err == 0)
        err = history_read(&job->target, &ours, job->why);
    if (err == 0)
        err = build_all(job, &theirs, &ours);
    free(theirs.items);
    free(ours.items);
    return err;
}

int schema_compare(copy_job *job)
{
    history theirs = { 0 }, ours = { 0 };
    int err = history_read(&job->source, &theirs, job->why);

    if (err == 0)
        err = history_read(&job->target, &ours, job->why);
    if (err == 0 && theirs.n != ours.n)
        err = COPY_FAIL(job->why, "%s has had %zu migrations, %s %zu", job->source.shown, theirs.n,
                        job->target.shown, ours.n);
    for (size_t i = 0; err == 0 && i < theirs.n; i++) {
        const applied *a = history_find(&ours, &theirs.items[i]);
        if (!a || strcmp(a->at, theirs.items[i].at) != 0)
            err = COPY_FAIL(job->why, "schema_migrations differs in %lld of plugin \"%s\"",
                            (long long)theirs.items[i].version, theirs.items[i].plugin);
    }
    free(theirs.items);
    free(ours.items);
    return err;
}

/* ---- tables of both sides ---- */

static int name_is_plain(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ==
               '\0' &&
           strlen(name) < 63;
}

/* The target's columns, with what only PostgreSQL knows: their kinds.  Counters and keys are each
 * side's own. */
static int match_columns(copy_job *job, table *ours, const table *theirs)
{
    int pg_is_target = strcmp(job->target.ops->dialect, "postgres") == 0;

    if (ours->column_n != theirs->column_n || ours->column_n > COLUMNS_MAX)
        return COPY_FAIL(job->why, "table %s has %zu columns in %s and %zu in %s", ours->name,
                         theirs->column_n, job->source.shown, ours->column_n, job->target.shown);
    for (size_t i = 0; i < ours->column_n; i++) {
        column *c = &ours->columns[i];
        const column *other = column_find(theirs, c->name);
        if (!other || !name_is_plain(c->name) || other->key_at != c->key_at)
            return COPY_FAIL(job->why, "table %s: the column %s is not the same in %s", ours->name,
                             c->name, job->source.shown);
        if (!pg_is_target) {
            c->kind = other->kind;
            c->is_text = other->is_text;
        }
        if (c->key_at > KEY_MAX)
            return COPY_FAIL(job->why, "table %s: more than %d columns in its key", ours->name,
                             KEY_MAX);
        if (c->key_at > 0) {
            ours->key[c->key_at - 1] = i;
            ours->key_n++;
        }
    }
    return 0;
}

static int match_all(copy_job *job, tables *ours, const tables *theirs)
{
    for (size_t i = 0; i < theirs->n; i++)
        if (!is_own(theirs->items[i].name) && !table_find(ours, theirs->items[i].name))
            return COPY_FAIL(
                job->why,
                "%s has the table %s, which no migration makes in %s; remove it there, "
                "or give its plugin migrations for both databases",
                job->source.shown, theirs->items[i].name, job->target.shown);
    for (size_t i = 0; i < ours->n; i++) {
        table *t = &ours->items[i];
        const table *other = table_find(theirs, t->name);
        if (is_own(t->name))
            continue;
        if (!other || !name_is_plain(t->name))
            return COPY_FAIL(job->why, "%s has the table %s, which %s has not", job->target.shown,
                             t->name, job->source.shown);
        if (match_columns(job, t, other) < 0 ||
            table_count(&job->source, t, &t->rows, job->why) < 0)
            return -1;
    }
    return 0;
}

typedef struct edges {
    char pairs[256][2][64]; /* child, parent */
    size_t n;
} edges;

static int edge_row(void *ud, const cell *cells, size_t n)
{
    edges *e = ud;

    (void)n;
    if (e->n == sizeof(e->pairs) / sizeof(e->pairs[0]))
        return 0;
    (void)snprintf(e->pairs[e->n][0], 64, "%s", cells[0].p);
    (void)snprintf(e->pairs[e->n++][1], 64, "%s", cells[1].p);
    return 0;
}

static int waits_for_parent(const edges *e, const table *t, const tables *placed)
{
    for (size_t i = 0; i < e->n; i++)
        if (strcmp(e->pairs[i][0], t->name) == 0 && strcmp(e->pairs[i][1], t->name) != 0 &&
            !table_find(placed, e->pairs[i][1]))
            return 1;
    return 0;
}

/* Parents first, since PostgreSQL checks each row; what is left is a circle, and PostgreSQL will say. */
static int order_tables(copy_job *job, tables *from)
{
    static edges e;
    size_t before = SIZE_MAX;
    side *pg = strcmp(job->target.ops->dialect, "postgres") == 0 ? &job->target : &job->source;

    e.n = 0;
    if (pg->ops->query(
            pg,
            "SELECT c.relname, p.relname FROM pg_constraint k"
            " JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid"
            " WHERE k.contype = 'f'",
            NULL, 0, NULL, edge_row, &e, job->why) < 0)
        return -1;
    job->list.items = calloc(from->n + 1, sizeof(table));
    if (!job->list.items)
        return COPY_FAIL(job->why, "out of memory");
    for (int last = 0; job->list.n != before || !last++;) {
        before = job->list.n;
        for (size_t i = 0; i < from->n; i++) {
            table *t = &from->items[i];
            if (!t->columns || is_own(t->name) || (!last && waits_for_parent(&e, t, &job->list)))
                continue;
            job->list.items[job->list.n++] = *t;
            t->columns = NULL; /* moved */
        }
    }
    return 0;
}

int schema_match(copy_job *job)
{
    tables ours = { 0 }, theirs = { 0 };
    int err = job->target.ops->tables(&job->target, &ours, job->why);

    if (err == 0)
        err = job->source.ops->tables(&job->source, &theirs, job->why);
    if (err == 0)
        err = match_all(job, &ours, &theirs);
    if (err == 0)
        err = order_tables(job, &ours);
    tables_free(&ours);
    tables_free(&theirs);
    return err;
}
