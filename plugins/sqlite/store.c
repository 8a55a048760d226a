/* store.c -- starting and ending the threads of the store. */
#include "plugins/sqlite/store.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

dbstore store;

/* The server's signals are for the loop's thread; those of a crash are for the
 * thread that crashes. */
static void signals_for_threads(sigset_t *ret)
{
    static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

    (void)sigfillset(ret);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        (void)sigdelset(ret, own[i]);
}

int store_spawn(void *(*body)(void *), const char *name, pthread_t *ret)
{
    sigset_t block;
    sigset_t before;

    signals_for_threads(&block);
    (void)pthread_sigmask(SIG_SETMASK, &block, &before);
    int err = pthread_create(ret, NULL, body, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err == 0)
        (void)pthread_setname_np(*ret, name);
    return -err;
}

static int store_add_thread(void *(*body)(void *), const char *name)
{
    int err = store_spawn(body, name, &store.threads[store.thread_n]);

    store.thread_n += err == 0;
    return err;
}

static void store_join(void)
{
    for (uint32_t i = 0; i < store.thread_n; i++)
        (void)pthread_join(store.threads[i], NULL);
    store.thread_n = 0;
    dbqueue_done(&store.writes);
    dbqueue_done(&store.reads);
    outbox_done();
}

int store_start_threads(dberror *why)
{
    dbqueue_init(&store.writes, store.queue_max);
    dbqueue_init(&store.reads, store.queue_max);
    keeper_init();
    outbox_init();
    store.thread_n = 0;
    int err = store_add_thread(writer_main, "sqlite-write");
    for (uint32_t i = 0; i < store.reader_n && err == 0; i++)
        err = store_add_thread(reader_main, "sqlite-read");
    if (err == 0) /* last: it waits for all the others to end */
        err = store_add_thread(keeper_main, "sqlite-keep");
    if (err == 0) {
        store.is_running = 1;
        return 0;
    }
    dberror_set(why, PARLEY_DB_ERROR, strerrordesc_np(-err));
    store_stop_threads();
    store_join();
    return -1;
}

void store_stop_threads(void)
{
    dbqueue_close(&store.writes);
    dbqueue_close(&store.reads);
}

void store_finish_threads(void)
{
    store.is_running = 0;
    store_join();
}
