/* keeper.c -- the thread that copies the WAL into the database (checkpoints), so that no COMMIT
 * waits for it.
 *
 *   IDLE   -> ASKED  the writer saw a long WAL
 *   ASKED  -> SWEPT  copied
 *   SWEPT  -> IDLE   the writer copied the rest (writer_tend_wal) */
#include <string.h>

#include "plugins/sqlite/store.h"

enum keeper_state { KEEPER_IDLE, KEEPER_ASKED, KEEPER_SWEPT };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int state;
    uint32_t ended; /* of the other threads */
} keeper = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

void keeper_init(void)
{
    keeper.state = KEEPER_IDLE;
    keeper.ended = 0;
}

void keeper_ask(void)
{
    (void)pthread_mutex_lock(&keeper.lock);
    if (keeper.state == KEEPER_IDLE)
        keeper.state = KEEPER_ASKED;
    (void)pthread_cond_signal(&keeper.changed);
    (void)pthread_mutex_unlock(&keeper.lock);
}

int keeper_take_swept(void)
{
    (void)pthread_mutex_lock(&keeper.lock);
    int is_swept = keeper.state == KEEPER_SWEPT;
    if (is_swept)
        keeper.state = KEEPER_IDLE;
    (void)pthread_mutex_unlock(&keeper.lock);
    return is_swept;
}

void keeper_thread_ended(void)
{
    (void)pthread_mutex_lock(&keeper.lock);
    keeper.ended++;
    (void)pthread_cond_signal(&keeper.changed);
    (void)pthread_mutex_unlock(&keeper.lock);
}

/* returns 1: sweep now, 0: the last time, everybody else has ended */
static int keeper_wait(void)
{
    (void)pthread_mutex_lock(&keeper.lock);
    while (keeper.state != KEEPER_ASKED && keeper.ended < store.reader_n + 1)
        (void)pthread_cond_wait(&keeper.changed, &keeper.lock);
    int is_last = keeper.ended >= store.reader_n + 1;
    (void)pthread_mutex_unlock(&keeper.lock);
    return !is_last;
}

static void keeper_set_swept(void)
{
    (void)pthread_mutex_lock(&keeper.lock);
    keeper.state = KEEPER_SWEPT;
    (void)pthread_mutex_unlock(&keeper.lock);
}

/* A checkpoint that fails is no loss: what is in the WAL is safe there, and the next one tries
 * again. */
void *keeper_main(void *unused)
{
    dbconn conn;
    dberror why;
    int is_open = dbconn_open(&conn, &store.conf, DBCONN_KEEP, &why) == 0;

    (void)unused;
    while (keeper_wait()) {
        if (is_open)
            (void)sqlite3_wal_checkpoint_v2(conn.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        keeper_set_swept();
    }
    if (is_open)
        (void)sqlite3_wal_checkpoint_v2(conn.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    dbconn_close(&conn);
    outbox_thread_ended();
    return NULL;
}
