/* outbox.c -- what the threads have finished, on its way back to the loop and to the callbacks.
 *
 * Threads put lists of runs in; one post() wakes the loop for all that is there.  Writes come out
 * in the order they were given in, because one thread does them; reads may overtake each other, so
 * a plugin's finished read waits here until that plugin's earlier ones are done. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/common/db_meters.h"
#include "plugins/sqlite/store.h"
#include "plugins/sqlite/text.h"

typedef struct dbowner { /* a plugin that reads */
    struct dbowner *next;
    parley_ctx *user;
    dbrun *head, **tail; /* its reads, in the order of its calls */
} dbowner;

static struct { /* any thread, under the lock */
    pthread_mutex_t lock;
    dbrun *head, **tail;
    int is_posted;
    uint32_t ended; /* threads */
    int is_ill;
    dberror why;
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct { /* the loop's */
    dbowner *owners;
    int told_ill, told_status; /* what ready() last said */
    int64_t logged_ns;
    uint64_t unlogged;
} outbox;

static void outbox_drain(parley_ctx *ctx, int status, void *ud);

void outbox_init(void)
{
    shared.head = NULL;
    shared.tail = &shared.head;
    shared.is_posted = 0;
    shared.ended = 0;
    shared.is_ill = 0;
    memset(&outbox, 0, sizeof(outbox));
    outbox.logged_ns = INT64_MIN;
}

void outbox_done(void)
{
    while (outbox.owners) {
        dbowner *owner = outbox.owners;

        outbox.owners = owner->next;
        free(owner);
    }
}

/* A result must reach the loop, so a post() that fails is tried again. */
static void outbox_wake(int is_needed)
{
    struct timespec pause = { .tv_nsec = 10000000 };

    while (is_needed && parley->post(store.ctx, outbox_drain, NULL) < 0)
        (void)nanosleep(&pause, NULL);
}

/* Say that a post() is on its way; returns 1 if the caller must send it.  The lock is held. */
static int outbox_claim_post(void)
{
    int is_needed = !shared.is_posted;

    shared.is_posted = 1;
    return is_needed;
}

void outbox_put(dbrun *first, dbrun *last)
{
    (void)pthread_mutex_lock(&shared.lock);
    last->next = NULL;
    *shared.tail = first;
    shared.tail = &last->next;
    int is_needed = outbox_claim_post();
    (void)pthread_mutex_unlock(&shared.lock);
    outbox_wake(is_needed);
}

void outbox_thread_ended(void)
{
    (void)pthread_mutex_lock(&shared.lock);
    shared.ended++;
    int is_needed = outbox_claim_post();
    (void)pthread_mutex_unlock(&shared.lock);
    outbox_wake(is_needed);
}

void outbox_set_health(const dberror *why)
{
    int is_needed = 0;

    (void)pthread_mutex_lock(&shared.lock);
    int is_same = why ? shared.is_ill && shared.why.status == why->status : !shared.is_ill;
    if (!is_same) {
        shared.is_ill = why != NULL;
        if (why)
            shared.why = *why;
        is_needed = outbox_claim_post();
    }
    (void)pthread_mutex_unlock(&shared.lock);
    outbox_wake(is_needed);
}

static dbowner *outbox_find_owner(parley_ctx *user)
{
    dbowner *owner = outbox.owners;

    while (owner && owner->user != user)
        owner = owner->next;
    return owner;
}

int outbox_know_owner(parley_ctx *user)
{
    if (outbox_find_owner(user))
        return 0;
    dbowner *owner = calloc(1, sizeof(*owner));
    if (!owner)
        return PARLEY_ENOMEM;
    owner->user = user;
    owner->tail = &owner->head;
    owner->next = outbox.owners;
    outbox.owners = owner;
    return 0;
}

void outbox_add_read(dbrun *run)
{
    dbowner *owner = outbox_find_owner(run->user);

    run->next_read = NULL;
    *owner->tail = run;
    owner->tail = &run->next_read;
}

/* A wrong statement or a broken file is for the operator to see; at most one line a second. */
static void outbox_log(const dbrun *run)
{
    int64_t now_ns = parley->mono_ns();
    const char *sql = run->result && run->result->failed < run->n
                          ? run->calls[run->result->failed].text->sql
                          : "";

    if (run->status != PARLEY_DB_ERROR && run->status != PARLEY_DB_UNKNOWN &&
        run->status != PARLEY_DB_DOWN)
        return;
    if (outbox.logged_ns != INT64_MIN && now_ns - outbox.logged_ns < 1000000000) {
        outbox.unlogged++;
        return;
    }
    parley_logf(
        store.ctx, PARLEY_ERROR, "a transaction failed: %.*s: %.200s (%llu more not logged)",
        run->result ? (int)run->result->message.n : 0, run->result ? run->result->message.p : "",
        sql, (unsigned long long)outbox.unlogged);
    outbox.logged_ns = now_ns;
    outbox.unlogged = 0;
}

static void outbox_deliver(dbrun *run)
{
    static const parley_db_result no_memory = { PARLEY_SIZED(parley_db_result),
                                                .message = { "out of memory", 13 } };

    if (run->status < 0 && run->kind != DBRUN_MIGRATE)
        outbox_log(run);
    if (run->kind != DBRUN_MIGRATE)
        db_meter_ended(run->kind == DBRUN_READ, run->status, parley->mono_ns() - run->begun_ns);
    parley->call_begin(run->user);
    run->fn(run->user, run->status, run->result ? run->result : &no_memory, run->ud);
    parley->call_end(run->user);
    dbrun_free(run);
}

/* Delivers what is next in the order of this plugin's reads. */
static void outbox_deliver_reads(parley_ctx *user)
{
    dbowner *owner = outbox_find_owner(user);

    while (owner->head && owner->head->is_done) {
        dbrun *run = owner->head;

        owner->head = run->next_read;
        if (!owner->head)
            owner->tail = &owner->head;
        outbox_deliver(run);
    }
}

static void outbox_tell_health(int is_ill, const dberror *why)
{
    if (is_ill == outbox.told_ill && (!is_ill || why->status == outbox.told_status))
        return;
    outbox.told_ill = is_ill;
    db_meter_up(!is_ill);
    outbox.told_status = why->status;
    if (is_ill)
        parley_logf(store.ctx, PARLEY_ERROR, "the database takes no writes: %s", why->message);
    else
        parley_logf(store.ctx, PARLEY_INFO, "the database takes writes again");
    parley->ready(store.ctx, !is_ill, is_ill ? why->message : NULL);
}

static void outbox_drain(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)status, (void)ud;
    if (!store.is_running)
        return; /* the last post() of a start that failed */
    (void)pthread_mutex_lock(&shared.lock);
    dbrun *list = shared.head;
    shared.head = NULL;
    shared.tail = &shared.head;
    shared.is_posted = 0;
    int is_ill = shared.is_ill;
    dberror why = shared.why;
    int is_over = shared.ended == store.thread_n;
    (void)pthread_mutex_unlock(&shared.lock);

    outbox_tell_health(is_ill, &why);
    while (list) {
        dbrun *run = list;

        list = run->next;
        run->is_done = 1;
        if (run->kind == DBRUN_READ)
            outbox_deliver_reads(run->user);
        else
            outbox_deliver(run);
    }
    if (is_over)
        store_stopped();
}
