/* plugin.c -- parley.db on SQLite: one file in WAL mode, one thread that writes, some that read.
 *
 * store.h shows how the parts work together; file.c finds and opens the file. */
#include <sodium.h>
#include <string.h>

#include "plugins/common/db_meters.h"
#include "plugins/sqlite/file.h"
#include "plugins/sqlite/store.h"
#include "plugins/sqlite/text.h"
#include "plugins/sqlite/verbs.h"

/* clang-format off */
static const parley_option options[] = {
    { .name = "file", .type = PARLEY_T_STR, .help = "the database file; default: parley.db in the server's data_dir" },
    { .name = "readers", .def = "2", .type = PARLEY_T_INT, .min = 1, .max = STORE_READERS_MAX,
      .help = "threads that read beside the one that writes" },
    { .name = "queue", .def = "4096", .type = PARLEY_T_INT, .min = 1, .max = 1000000,
      .help = "transactions that may wait, for the writer and for the readers each; beyond: 503" },
    { .name = "cache_size", .def = "16MiB", .type = PARLEY_T_BYTES, .min = 65536, .max = 1LL << 40,
      .help = "page cache of each thread" },
    { .name = "busy_timeout", .def = "5s", .type = PARLEY_T_MS, .min = 0, .max = 600000,
      .help = "how long to wait for another process that holds the file's lock" },
    { .name = "wal_autocheckpoint", .def = "2000", .type = PARLEY_T_INT, .min = 100, .max = 10000000,
      .help = "pages in the write-ahead log from which on they are copied into the database" },
    { .name = "max_size", .def = "0", .type = PARLEY_T_BYTES, .min = 0, .max = 1LL << 50,
      .help = "the database file grows no larger than this; 0: as large as the disk" },
};
/* clang-format on */

static const char *db_dialect(void)
{
    return "sqlite";
}

static int db_prepare(parley_ctx *ctx, const char *text, parley_stmt *ret)
{
    char why[512];

    if (!text || !ret)
        return PARLEY_EINVAL;
    if (!store.is_running)
        return parley->fail(ctx, "parley.db is not running: prepare() belongs into start()");
    int id = dbtext_add(&store.check, text, why, sizeof(why));
    if (id < 0)
        return parley_failf(ctx, "a wrong SQL text: %s: %.300s", why, text);
    ret->id = (uint32_t)id;
    return PARLEY_OK;
}

static int db_enqueue(parley_ctx *ctx, dbrun *run, parley_db_fn fn, void *ud)
{
    int kind = run->kind, is_read = kind == DBRUN_READ;
    int err = is_read ? outbox_know_owner(ctx) : 0;

    run->user = ctx;
    run->fn = fn;
    run->ud = ud;
    run->begun_ns = parley->mono_ns();
    if (err == 0)
        err = dbqueue_put(is_read ? &store.reads : &store.writes, run);
    if (err < 0) {
        dbrun_free(run);
        return err;
    }
    if (kind != DBRUN_MIGRATE)
        db_meter_began(is_read);
    /* A thread may be at work on it, but only the loop hands it out, and looks at this list. */
    if (is_read)
        outbox_add_read(run);
    return PARLEY_OK;
}

static int db_run(parley_ctx *ctx, const parley_sql *sql, uint32_t n, uint32_t flags,
                  parley_db_fn fn, void *ud)
{
    dbrun *run = NULL;

    if (!sql || !fn)
        return PARLEY_EINVAL;
    if (!store.is_running)
        return PARLEY_DB_DOWN;
    int err = dbrun_create(sql, n, flags, &run);
    return err < 0 ? err : db_enqueue(ctx, run, fn, ud);
}

static int db_migrate(parley_ctx *ctx, const parley_db_migration *what, parley_db_fn done, void *ud)
{
    dbrun *run = NULL;

    if (!what || !what->plugin.p || !what->folder.p || !done)
        return PARLEY_EINVAL;
    if (!store.is_running)
        return PARLEY_DB_DOWN;
    int err = dbrun_create_migration(what, &run);
    if (err < 0)
        return err;
    run->at_us = parley->now_us();
    return db_enqueue(ctx, run, done, ud);
}

static const parley_db service = {
    .head = PARLEY_SERVICE(parley_db, 0, 1),
    .dialect = db_dialect,
    .prepare = db_prepare,
    .run = db_run,
    .migrate = db_migrate,
    .rows_n = rows_n,
    .get = rows_get,
    .get_int = rows_get_int,
};

static int sqlite_load(parley_ctx *ctx, const parley_conf *conf)
{
    if (sodium_init() < 0)
        return parley->fail(ctx, "libsodium cannot start");
    /* SQLite's statistics of memory cost a lock for every allocation, and nobody reads them; 20
     * pages for each connection in advance are more than most of ours ever use. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    memset(&store, 0, sizeof(store));
    store.ctx = ctx;
    if (file_choose_path(parley->conf_str(conf, "file"), parley->server("data_dir"), store.path,
                         sizeof(store.path)) < 0)
        return parley->conf_fail(ctx, "file", "the path is too long");
    store.reader_n = (uint32_t)parley->conf_int(conf, "readers");
    store.queue_max = (uint32_t)parley->conf_int(conf, "queue");
    store.checkpoint_pages = (int)parley->conf_int(conf, "wal_autocheckpoint");
    store.conf = (dbconn_conf){ .path = store.path,
                                .cache_bytes = parley->conf_int(conf, "cache_size"),
                                .max_bytes = parley->conf_int(conf, "max_size"),
                                .busy_ms = (int)parley->conf_int(conf, "busy_timeout") };
    int err = db_meters_load(ctx);
    if (err == 0)
        err = verbs_register(ctx);
    return err < 0 ? err : parley->provide(ctx, "parley.db", &service.head);
}

static int sqlite_start(parley_ctx *ctx)
{
    dberror why;

    if (file_prepare(&store.conf, &why) < 0 ||
        dbconn_open(&store.check, &store.conf, DBCONN_CHECK, &why) < 0 ||
        store_start_threads(&why) < 0) {
        dbconn_close(&store.check);
        (void)parley_failf(ctx, "cannot use the database %.200s: %s", store.path, why.message);
        return PARLEY_EIO;
    }
    db_meter_up(1);
    parley_logf(ctx, PARLEY_INFO, "database %s, SQLite %s, %u readers", store.path,
                sqlite3_libversion(), store.reader_n);
    return PARLEY_OK;
}

static int sqlite_stop(parley_ctx *ctx)
{
    (void)ctx;
    if (!store.is_running)
        return PARLEY_OK;
    store_stop_threads();
    return PARLEY_PENDING;
}

/* All threads have ended and all callbacks have run. */
void store_stopped(void)
{
    store_finish_threads();
    dbconn_close(&store.check);
    dbtext_free_all();
    parley->stopped(store.ctx);
}

PARLEY_PLUGIN(.name = "sqlite", .version = "0.1.0", .about = "the database in one file: SQLite",
              PARLEY_LIST(option, options), .load = sqlite_load, .start = sqlite_start,
              .stop = sqlite_stop)
