/* run.c -- one call of run(), and the order in which a plugin is answered. */
#include "plugins/postgres/run.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/common/db_meters.h"
#include "plugins/postgres/store.h"

static struct {
    pgowner *list;
    uint32_t n;
    uint32_t open; /* runs not yet answered */
} owners;

enum { NUMBER_BYTES = 21 };

/* ---- making one ---- */

/* Checks everything and adds up the memory. */
static int run_measure(const parley_sql *sql, uint32_t n, uint32_t flags, size_t *ret_values,
                       size_t *ret_bytes)
{
    *ret_values = *ret_bytes = 0;
    for (uint32_t i = 0; i < n; i++) {
        const pgtext *text = text_find(sql[i].stmt.id);

        if (!text || sql[i].n != text->param_n)
            return PARLEY_EINVAL;
        if ((flags & PARLEY_DB_READ) && !text->is_readonly)
            return PARLEY_EINVAL;
        for (uint32_t k = 0; k < sql[i].n; k++) {
            const parley_param *param = &sql[i].params[k];

            if (param->type > PARLEY_P_INT)
                return PARLEY_EINVAL;
            *ret_bytes += param->type == PARLEY_P_TEXT ? param->text.n + 1 : NUMBER_BYTES;
        }
        *ret_values += sql[i].n;
    }
    return *ret_bytes > RUN_BYTES_MAX ? PARLEY_EINVAL : 0;
}

/* PostgreSQL has no text with a NUL byte in it, so such a text is equal to nothing: NULL. */
static const char *run_copy_value(const parley_param *from, char **bytes)
{
    char *value = *bytes;

    if (from->type == PARLEY_P_INT) {
        *bytes += snprintf(value, NUMBER_BYTES, "%lld", (long long)from->number) + 1;
        return value;
    }
    if (from->type == PARLEY_P_NULL || !from->text.p || memchr(from->text.p, 0, from->text.n))
        return NULL;
    memcpy(value, from->text.p, from->text.n);
    value[from->text.n] = '\0';
    *bytes += from->text.n + 1;
    return value;
}

int run_create(const parley_sql *sql, uint32_t n, uint32_t flags, pgrun **ret)
{
    static const uint8_t kinds[] = {
        [0] = RUN_WRITE,
        [PARLEY_DB_READ] = RUN_READ,
        [PARLEY_DB_STALE_OK] = RUN_KINDS,
        [PARLEY_DB_READ | PARLEY_DB_STALE_OK] = RUN_STALE_READ,
    };
    size_t value_n = 0;
    size_t byte_n = 0;

    if (n == 0 || n > RUN_CALLS_MAX || flags >= sizeof(kinds) / sizeof(kinds[0]) ||
        kinds[flags] == RUN_KINDS)
        return PARLEY_EINVAL;
    int err = run_measure(sql, n, flags, &value_n, &byte_n);
    if (err < 0)
        return err;
    pgrun *run = calloc(1, sizeof(*run) +
                               n * (sizeof(pgcall) + sizeof(parley_rows) + sizeof(parley_rows *)) +
                               value_n * sizeof(char *) + byte_n + 1);
    if (!run)
        return PARLEY_ENOMEM;
    run->sets = (parley_rows *)(void *)(run->calls + n);
    run->lists = (const parley_rows **)(void *)(run->sets + n);
    const char **values = (const char **)(void *)(run->lists + n);
    char *bytes = (char *)(values + value_n);

    run->n = n;
    run->kind = kinds[flags];
    for (uint32_t i = 0; i < n; i++) {
        run->lists[i] = &run->sets[i];
        run->calls[i] = (pgcall){ .text = text_find(sql[i].stmt.id), .values = values };
        for (uint32_t k = 0; k < sql[i].n; k++)
            *values++ = run_copy_value(&sql[i].params[k], &bytes);
    }
    *ret = run;
    return 0;
}

void run_drop_results(pgrun *run)
{
    for (uint32_t i = 0; i < run->n; i++) {
        PQclear(run->sets[i].result);
        run->sets[i] = (parley_rows){ NULL, 0 };
    }
}

void run_free(pgrun *run)
{
    if (!run)
        return;
    run_drop_results(run);
    free(run->error);
    free(run);
}

/* ---- its outcome ---- */

void run_take_result(pgrun *run, PGresult *take)
{
    if (run->at >= run->n) {
        PQclear(take);
        return;
    }
    const char *affected = PQcmdTuples(take);
    int is_table = PQresultStatus(take) == PGRES_TUPLES_OK;
    run->sets[run->at++] =
        (parley_rows){ .result = take,
                       .n = is_table ? PQntuples(take) : strtoll(affected, NULL, 10) };
}

void run_finish(pgrun *run, const pgerror *error)
{
    run->is_done = 1;
    run->status = error ? error->status : PARLEY_OK;
    if (!error)
        return;
    run_drop_results(run);
    run->error = malloc(sizeof(*run->error));
    if (run->error)
        *run->error = *error;
}

/* ---- queues ---- */

void queue_init(pgqueue *queue)
{
    queue->head = NULL;
    queue->tail = &queue->head;
}

void queue_put(pgqueue *queue, pgrun *run)
{
    run->next = NULL;
    *queue->tail = run;
    queue->tail = &run->next;
}

pgrun *queue_take(pgqueue *queue)
{
    pgrun *run = queue->head;

    if (!run)
        return NULL;
    queue->head = run->next;
    if (!queue->head)
        queue->tail = &queue->head;
    run->next = NULL;
    return run;
}

/* ---- owners ---- */

pgowner *owner_get(parley_ctx *user)
{
    for (pgowner *owner = owners.list; owner; owner = owner->next)
        if (owner->user == user)
            return owner;
    pgowner *owner = calloc(1, sizeof(*owner));
    if (!owner)
        return NULL;
    owner->user = user;
    owner->index = owners.n++;
    for (int i = 0; i < RUN_KINDS; i++)
        owner->order[i].tail = &owner->order[i].head;
    owner->next = owners.list;
    owners.list = owner;
    return owner;
}

void owner_add(pgrun *run)
{
    pgowner *owner = run->owner;

    run->next_owned = NULL;
    *owner->order[run->kind].tail = run;
    owner->order[run->kind].tail = &run->next_owned;
    owners.open++;
}

void owner_free_all(void)
{
    while (owners.list) {
        pgowner *owner = owners.list;

        owners.list = owner->next;
        free(owner);
    }
    owners.n = 0;
}

uint32_t run_open(void)
{
    return owners.open;
}

static void run_deliver(pgrun *run)
{
    parley_db_result result = { PARLEY_SIZED(parley_db_result) };

    if (run->status == PARLEY_OK) {
        result.count = run->n;
        result.rows = run->lists;
    } else if (run->error) {
        result.failed = run->failed;
        result.message = (parley_str){ run->error->message, strlen(run->error->message) };
        if (run->error->constraint[0])
            result.constraint =
                (parley_str){ run->error->constraint, strlen(run->error->constraint) };
    }
    parley->call_begin(run->owner->user);
    run->fn(run->owner->user, run->status, &result, run->ud);
    parley->call_end(run->owner->user);
    run_free(run);
}

static uint32_t owner_deliver(pgowner *owner, int kind)
{
    uint32_t n = 0;

    while (owner->order[kind].head && owner->order[kind].head->is_done) {
        pgrun *run = owner->order[kind].head;

        owner->order[kind].head = run->next_owned;
        if (!owner->order[kind].head)
            owner->order[kind].tail = &owner->order[kind].head;
        owners.open--;
        store_log_failure(run);
        db_meter_ended(run->kind != RUN_WRITE, run->status, parley->mono_ns() - run->begun_ns);
        run_deliver(run);
        n++;
    }
    return n;
}

uint32_t run_deliver_all(void)
{
    uint32_t n = 0;

    for (pgowner *owner = owners.list; owner; owner = owner->next)
        for (int kind = 0; kind < RUN_KINDS; kind++)
            n += owner_deliver(owner, kind);
    return n;
}
