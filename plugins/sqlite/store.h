/* store.h -- the running store: its settings, its queues and threads, and what they tell the loop.
 *
 *   loop     run() -> dbqueue writes -> writer     BEGIN, many runs, COMMIT
 *                  -> dbqueue reads  -> readers    one run each, all beside the writer
 *   threads  a list of runs -> outbox -> one post() -> the loop -> callbacks
 *   keeper   checkpoints, so that no COMMIT waits for one
 */
#ifndef SQLITE_STORE_H
#define SQLITE_STORE_H
#include "plugins/sqlite/run.h"

enum { STORE_READERS_MAX = 64, STORE_GROUP_MAX = 512 /* runs in one transaction */ };
enum { STORE_INCARNATION_SIZE = 33 };

typedef struct dbstore {
    parley_ctx *ctx; /* ours */
    dbconn_conf conf;
    char path[4096];
    uint32_t reader_n, queue_max;
    int checkpoint_pages;
    dbconn check; /* the loop's connection */
    dbqueue writes, reads;
    pthread_t threads[STORE_READERS_MAX + 2];
    uint32_t thread_n;
    int is_running;
    /* "": not in the migration process, or not asked yet; the writer's thread only */
    char incarnation[STORE_INCARNATION_SIZE];
} dbstore;

extern dbstore store; /* one instance per process; fields are fixed before the threads start */

/* threads: bodies for pthread_create; each opens its own connection */
void *writer_main(void *unused);
void *reader_main(void *unused);
void *keeper_main(void *unused);
uint64_t writer_commits(void); /* transactions committed so far; any thread */

/* One thread, with the signals of a thread.  returns 0, or -errno */
int store_spawn(void *(*body)(void *), const char *name, pthread_t *ret);
/* Starts the threads.  returns 0, or < 0 with *why set and nothing left running. */
int store_start_threads(dberror *why);
/* Lets the queues run empty and the threads end; the outbox then calls store_stopped(). */
void store_stop_threads(void);
void store_stopped(void);        /* in plugin.c */
void store_finish_threads(void); /* joins threads that have ended; frees what they used */

/* outbox: from the threads to the loop */
void outbox_init(void);
/* a list of runs with their outcomes; one post() for all */
void outbox_put(dbrun *first, dbrun *last);
void outbox_thread_ended(void);
void outbox_set_health(const dberror *why); /* NULL: the store takes writes */
/* loop only; before outbox_add_read(); returns 0 or PARLEY_ENOMEM */
int outbox_know_owner(parley_ctx *user);
void outbox_add_read(dbrun *run); /* loop only: remembers the order of a plugin's reads */
void outbox_done(void);

/* keeper */
void keeper_init(void);
void keeper_ask(void);          /* the WAL has grown: copy it into the database now */
int keeper_take_swept(void);    /* 1, once, when the bulk of it has been copied */
void keeper_thread_ended(void); /* writer and readers say so; the last checkpoint waits for all */

/* migrate.c; on the writer's thread */
/* *ret_report: what was done, a line for each file; free() it in either case */
int migrate_run(const dbrun *run, char **ret_report, dberror *why);
#endif
