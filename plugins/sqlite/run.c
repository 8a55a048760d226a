/* run.c -- one call of run(): a transaction on its way from the loop to a thread and back; and the
 * queues. */
#include "plugins/sqlite/run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/sqlite/text.h"

/* Checks everything and adds up the memory: parameters and their bytes. */
static int run_measure(const parley_sql *sql, uint32_t n, uint32_t flags, size_t *ret_params,
                       size_t *ret_bytes)
{
    *ret_params = *ret_bytes = 0;
    for (uint32_t i = 0; i < n; i++) {
        const dbtext *text = dbtext_find(sql[i].stmt.id);

        if (!text || sql[i].n != text->param_n)
            return PARLEY_EINVAL;
        if ((flags & PARLEY_DB_READ) && !text->is_readonly)
            return PARLEY_EINVAL;
        for (uint32_t k = 0; k < sql[i].n; k++) {
            if (sql[i].params[k].type > PARLEY_P_INT)
                return PARLEY_EINVAL;
            if (sql[i].params[k].type == PARLEY_P_TEXT)
                *ret_bytes += sql[i].params[k].text.n;
        }
        *ret_params += sql[i].n;
    }
    return *ret_bytes > ROWS_BYTES_MAX ? PARLEY_EINVAL : 0;
}

/* Copies one parameter; its bytes go to *bytes.  An absent text is NULL. */
static void run_copy_param(parley_param *to, const parley_param *from, char **bytes)
{
    *to = *from;
    if (from->type != PARLEY_P_TEXT)
        return;
    if (!from->text.p) {
        to->type = PARLEY_P_NULL;
        return;
    }
    if (from->text.n)
        memcpy(*bytes, from->text.p, from->text.n);
    to->text.p = *bytes;
    *bytes += from->text.n;
}

int dbrun_create(const parley_sql *sql, uint32_t n, uint32_t flags, dbrun **ret)
{
    size_t param_n = 0;
    size_t byte_n = 0;

    /* STALE_OK changes nothing here: there is one file. */
    if (n == 0 || n > DBRUN_CALLS_MAX || flags > (PARLEY_DB_READ | PARLEY_DB_STALE_OK) ||
        flags == PARLEY_DB_STALE_OK)
        return PARLEY_EINVAL;
    int err = run_measure(sql, n, flags, &param_n, &byte_n);
    if (err < 0)
        return err;
    dbrun *run =
        calloc(1, sizeof(*run) + n * sizeof(dbcall) + param_n * sizeof(parley_param) + byte_n + 1);
    if (!run)
        return PARLEY_ENOMEM;
    parley_param *params = (parley_param *)(void *)(run->calls + n);
    char *bytes = (char *)(params + param_n);

    run->kind = flags & PARLEY_DB_READ ? DBRUN_READ : DBRUN_WRITE;
    run->n = n;
    for (uint32_t i = 0; i < n; i++) {
        run->calls[i] = (dbcall){ .text = dbtext_find(sql[i].stmt.id), .params = params };
        for (uint32_t k = 0; k < sql[i].n; k++)
            run_copy_param(params++, &sql[i].params[k], &bytes);
    }
    *ret = run;
    return 0;
}

int dbrun_create_migration(const parley_db_migration *what, dbrun **ret)
{
    dbrun *run = calloc(1, sizeof(*run));

    if (!run)
        return PARLEY_ENOMEM;
    run->kind = DBRUN_MIGRATE;
    run->way = what->way;
    run->version = what->version;
    run->plugin = strndup(what->plugin.p, what->plugin.n);
    run->folder = strndup(what->folder.p, what->folder.n);
    if (!run->plugin || !run->folder) {
        dbrun_free(run);
        return PARLEY_ENOMEM;
    }
    *ret = run;
    return 0;
}

void dbrun_free(dbrun *run)
{
    if (!run)
        return;
    free(run->plugin);
    free(run->folder);
    free(run->result);
    free(run);
}

void dbrun_succeed(dbrun *run, const dbscratch *scratch)
{
    dberror no_memory;

    free(run->result);
    run->status = PARLEY_OK;
    run->result = dbresult_pack(scratch);
    if (run->result)
        return;
    dberror_set(&no_memory, PARLEY_DB_ERROR, "out of memory for the result");
    dbrun_fail(run, &no_memory);
}

void dbrun_report(dbrun *run, const char *text)
{
    free(run->result);
    run->status = PARLEY_OK;
    run->result = dbresult_failed(0, "", text ? text : "");
}

void dbrun_fail(dbrun *run, const dberror *why)
{
    free(run->result);
    run->status = why->status;
    run->result = dbresult_failed(why->failed, why->constraint, why->message);
}

void dbqueue_init(dbqueue *queue, uint32_t max)
{
    pthread_condattr_t monotonic;

    memset(queue, 0, sizeof(*queue));
    (void)pthread_mutex_init(&queue->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&queue->filled, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    queue->tail = &queue->head;
    queue->max = max;
}

void dbqueue_done(dbqueue *queue)
{
    (void)pthread_cond_destroy(&queue->filled);
    (void)pthread_mutex_destroy(&queue->lock);
}

int dbqueue_put(dbqueue *queue, dbrun *run)
{
    int err = 0;

    (void)pthread_mutex_lock(&queue->lock);
    if (queue->is_closed)
        err = PARLEY_DB_DOWN;
    else if (queue->n >= queue->max)
        err = PARLEY_EAGAIN;
    if (err == 0) {
        run->next = NULL;
        *queue->tail = run;
        queue->tail = &run->next;
        queue->n++;
        (void)pthread_cond_signal(&queue->filled);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return err;
}

/* Cuts the first runs off the queue; the lock is held. */
static int queue_cut(dbqueue *queue, uint32_t max, dbrun **ret)
{
    dbrun **end = &queue->head;
    int n = 0;

    while (*end && (uint32_t)n < max) {
        int is_migration = (*end)->kind == DBRUN_MIGRATE;

        if (is_migration && n > 0)
            break;
        end = &(*end)->next;
        n++;
        if (is_migration)
            break;
    }
    *ret = queue->head;
    queue->head = *end;
    *end = NULL;
    if (!queue->head)
        queue->tail = &queue->head;
    queue->n -= (uint32_t)n;
    return n;
}

static struct timespec time_after(int wait_ms)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += wait_ms / 1000;
    at.tv_nsec += (wait_ms % 1000) * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

int dbqueue_take(dbqueue *queue, uint32_t max, int wait_ms, dbrun **ret)
{
    struct timespec until = time_after(wait_ms < 0 ? 0 : wait_ms);
    int err = 0;

    (void)pthread_mutex_lock(&queue->lock);
    while (!queue->head && !queue->is_closed && err == 0)
        err = wait_ms < 0 ? pthread_cond_wait(&queue->filled, &queue->lock)
                          : pthread_cond_timedwait(&queue->filled, &queue->lock, &until);
    int n = 0;
    if (queue->head)
        n = queue_cut(queue, max, ret);
    else if (queue->is_closed)
        n = -1;
    (void)pthread_mutex_unlock(&queue->lock);
    return n;
}

void dbqueue_close(dbqueue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->is_closed = 1;
    (void)pthread_cond_broadcast(&queue->filled);
    (void)pthread_mutex_unlock(&queue->lock);
}
