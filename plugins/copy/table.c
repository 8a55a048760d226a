/* table.c -- one table: its rows copied in the order of its key, a batch in a transaction; and read
 * whole for a checksum.
 *
 * A copy goes on behind the largest key that the target has: batches are written in that order and
 * each is there wholly or not.  A table without a key is written in one transaction, and from the
 * start again if that did not end. */
#include "plugins/copy/copy.h"

#include <stdlib.h>
#include <string.h>

typedef struct sink {
    copy_job *job;
    const table *table;
    int is_open; /* between write_begin and write_end */
    int64_t in_batch;
} sink;

static int count_row(void *ud, const cell *cells, size_t n)
{
    int64_t *ret = ud;

    (void)n;
    *ret = cells[0].p ? strtoll(cells[0].p, NULL, 10) : 0;
    return 0;
}

int table_count(side *s, const table *t, int64_t *ret, char why[COPY_WHY])
{
    char sql[160];

    (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM \"%s\"", t->name);
    return s->ops->query(s, sql, NULL, 0, NULL, count_row, ret, why);
}

/* ---- texts ---- */

static void keys_write(FILE *to, const side *s, const table *t, const char *behind)
{
    for (size_t i = 0; i < t->key_n; i++) {
        const column *c = &t->columns[t->key[i]];
        fprintf(to, "%s\"%s\"%s%s", i ? ", " : "", c->name, s->ops->collate(c), behind);
    }
}

/* All columns of all rows; behind_key: of those behind the key given as parameters. */
static char *select_text(const side *s, const table *t, int behind_key)
{
    char *sql = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&sql, &n);

    if (!to)
        return NULL;
    fprintf(to, "SELECT ");
    for (size_t i = 0; i < t->column_n; i++)
        fprintf(to, "%s\"%s\"", i ? ", " : "", t->columns[i].name);
    fprintf(to, " FROM \"%s\"", t->name);
    if (behind_key) {
        fprintf(to, " WHERE (");
        keys_write(to, s, t, "");
        fprintf(to, ") > (");
        for (size_t i = 0; i < t->key_n; i++)
            fprintf(to,
                    t->columns[t->key[i]].kind == KIND_INT ? "%sCAST($%zu AS BIGINT)" : "%s$%zu",
                    i ? ", " : "", i + 1);
        fprintf(to, ")");
    }
    if (t->key_n) {
        fprintf(to, " ORDER BY ");
        keys_write(to, s, t, "");
    }
    (void)fclose(to);
    return sql;
}

static char *last_key_text(const side *s, const table *t)
{
    char *sql = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&sql, &n);

    if (!to)
        return NULL;
    fprintf(to, "SELECT ");
    for (size_t i = 0; i < t->key_n; i++)
        fprintf(to, "%s\"%s\"", i ? ", " : "", t->columns[t->key[i]].name);
    fprintf(to, " FROM \"%s\" ORDER BY ", t->name);
    keys_write(to, s, t, " DESC");
    fprintf(to, " LIMIT 1");
    (void)fclose(to);
    return sql;
}

static void kinds_of(const table *t, int ret[COLUMNS_MAX])
{
    for (size_t i = 0; i < t->column_n; i++)
        ret[i] = t->columns[i].kind;
}

/* ---- where to go on ---- */

typedef struct last_key {
    cell cells[KEY_MAX]; /* owned texts */
    size_t n;            /* 0: the table is empty */
} last_key;

static int last_key_row(void *ud, const cell *cells, size_t n)
{
    last_key *key = ud;

    for (size_t i = 0; i < n && i < KEY_MAX; i++) {
        char *copy = cells[i].p ? strndup(cells[i].p, cells[i].n) : NULL;
        if (!copy)
            return -1;
        key->cells[i] = (cell){ copy, cells[i].n };
        key->n = i + 1;
    }
    return 0;
}

static int last_key_read(copy_job *job, const table *t, last_key *ret)
{
    char *sql = last_key_text(&job->target, t);
    int kinds[KEY_MAX];

    for (size_t i = 0; i < t->key_n; i++)
        kinds[i] = t->columns[t->key[i]].kind;
    int err =
        sql ? job->target.ops->query(&job->target, sql, NULL, 0, kinds, last_key_row, ret, job->why)
            : COPY_FAIL(job->why, "out of memory");
    free(sql);
    return err;
}

static void last_key_free(last_key *key)
{
    for (size_t i = 0; i < key->n; i++)
        free((char *)(uintptr_t)key->cells[i].p);
}

/* ---- copying ---- */

static int is_cancelled(copy_job *job)
{
    if (!atomic_load(&job->is_cancelled))
        return 0;
    (void)COPY_FAIL(job->why, "interrupted%s",
                    job->only_verify ? "" : "; the same command goes on where it stopped");
    return 1;
}

static int sink_row(void *ud, const cell *cells, size_t n)
{
    sink *k = ud;
    side *to = &k->job->target;

    (void)n;
    if (is_cancelled(k->job))
        return -1;
    if (!k->is_open && to->ops->write_begin(to, k->table, k->job->why) < 0)
        return -1;
    k->is_open = 1;
    if (to->ops->write_row(to, k->table, cells, k->job->why) < 0)
        return -1;
    atomic_fetch_add(&k->job->rows_done, 1);
    if (++k->in_batch < BATCH_ROWS || k->table->key_n == 0)
        return 0;
    k->in_batch = 0;
    k->is_open = 0;
    return to->ops->write_end(to, k->table, k->job->why);
}

/* Without a key nobody can tell how far it came. */
static int empty_table(copy_job *job, const table *t)
{
    char sql[160];

    (void)snprintf(sql, sizeof(sql), "DELETE FROM \"%s\"", t->name);
    return job->target.ops->exec(&job->target, sql, job->why);
}

static int copy_rows(copy_job *job, const table *t, const last_key *from)
{
    sink k = { .job = job, .table = t };
    int kinds[COLUMNS_MAX];
    char *sql = select_text(&job->source, t, from->n > 0);
    char why[COPY_WHY] = "";

    kinds_of(t, kinds);
    int err = sql ? job->source.ops->query(&job->source, sql, from->cells, from->n, kinds, sink_row,
                                           &k, why)
                  : COPY_FAIL(why, "out of memory");
    free(sql);
    if (err == 0 && k.is_open)
        err = job->target.ops->write_end(&job->target, t, job->why);
    else if (err < 0 && why[0]) /* the source's; the target's is in job->why */
        (void)COPY_FAIL(job->why, "%s", why);
    return err;
}

int table_copy(copy_job *job, const table *t)
{
    last_key from = { .n = 0 };
    int64_t has = 0;
    int err = t->key_n ? last_key_read(job, t, &from) : empty_table(job, t);

    if (err == 0 && from.n > 0)
        err = table_count(&job->target, t, &has, job->why);
    atomic_fetch_add(&job->rows_done, has);
    atomic_fetch_add(&job->rows_before, has);
    if (err == 0)
        err = copy_rows(job, t, &from);
    last_key_free(&from);
    return err;
}

/* ---- comparing ---- */

typedef struct summing {
    copy_job *job;
    sum *sum;
} summing;

static int summing_row(void *ud, const cell *cells, size_t n)
{
    summing *s = ud;

    if (is_cancelled(s->job))
        return -1;
    sum_add(s->sum, cells, n);
    atomic_fetch_add(&s->job->rows_done, 1);
    return 0;
}

int table_sum(copy_job *job, side *s, const table *t, sum *ret)
{
    summing into = { job, ret };
    table unordered = *t;
    int kinds[COLUMNS_MAX];
    char why[COPY_WHY] = "";

    unordered.key_n = 0;
    *ret = (sum){ .rows = 0 };
    kinds_of(t, kinds);
    char *sql = select_text(s, &unordered, 0);
    int err = sql ? s->ops->query(s, sql, NULL, 0, kinds, summing_row, &into, why)
                  : COPY_FAIL(why, "out of memory");
    free(sql);
    if (err < 0 && why[0])
        (void)COPY_FAIL(job->why, "%s", why);
    return err;
}
