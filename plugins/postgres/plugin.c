/* plugin.c -- parley.db on PostgreSQL: libpq in pipeline mode on the worker's loop.
 *
 * store.h shows how the parts work together. */
#include <libpq-fe.h>
#include <parley/verb.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/common/db_meters.h"
#include "plugins/postgres/migrate.h"
#include "plugins/postgres/replica.h"
#include "plugins/postgres/store.h"

/* clang-format off */
static const parley_option options[] = {
    { .name = "url", .type = PARLEY_T_STR, .flags = PARLEY_O_REQUIRED | PARLEY_O_SECRET,
      .help = "postgresql://user:password@host:5432/database; several hosts: h1,h2. TLS to another machine is verify-full unless it says sslmode=..." },
    { .name = "replicas", .type = PARLEY_T_STR, .flags = PARLEY_O_SECRET,
      .help = "URLs of streaming standbys, separated by spaces: they answer reads that may be some seconds old; while none can, the primary does" },
    { .name = "replica_lag", .def = "10s", .type = PARLEY_T_MS, .min = 100, .max = 86400000,
      .help = "a replica that is further behind answers nothing" },
    { .name = "connections", .def = "4", .type = PARLEY_T_INT, .min = 1, .max = STORE_CONNS_MAX,
      .help = "of each worker, at most; half of them carry writes, half reads" },
    { .name = "timeout", .def = "3s", .type = PARLEY_T_MS, .min = 100, .max = 600000,
      .help = "for the server's answer; then the connection is given up and requests are answered 503" },
    { .name = "queue", .def = "4096", .type = PARLEY_T_INT, .min = 1, .max = 1000000,
      .help = "transactions that may wait or be under way; beyond: 503" },
    { .name = "application_name", .def = "parley", .type = PARLEY_T_STR, .min = 1, .max = 63,
      .help = "what pg_stat_activity shows" },
};
/* clang-format on */

static const char *db_dialect(void)
{
    return "postgres";
}

/* In start() only, so nobody is kept waiting but the start itself. */
static void text_ask_server(pgtext *text)
{
    pgconn *lead = &store.conns[0];
    int64_t end_ns = parley->mono_ns() + store.timeout_ns;

    if (!lead->is_ready || conn_send_prepare(lead, text) < 0)
        return;
    while (text->state == TEXT_NEW && lead->link.state == LINK_OPEN) {
        int64_t left_ms = (end_ns - parley->mono_ns()) / 1000000;
        int verdict = link_flush(&lead->link);
        struct pollfd fd = { .fd = PQsocket(lead->link.pg),
                             .events = (short)(verdict > 0 ? POLLIN | POLLOUT : POLLIN) };

        if (verdict < 0 || left_ms <= 0 || poll(&fd, 1, (int)left_ms) < 0)
            break; /* the loop will see what is wrong; the text is prepared with the next session */
        int err = link_read(&lead->link);
        conn_pump(lead);
        if (err < 0)
            break;
    }
    store_settle_soon(); /* answers to others may have come too */
}

static int db_prepare(parley_ctx *ctx, const char *sql, parley_stmt *ret)
{
    const char *why = NULL;

    if (!sql || !ret)
        return PARLEY_EINVAL;
    if (!store.is_running)
        return parley->fail(ctx, "parley.db is not running: prepare() belongs into start()");
    pgtext *text = text_add(sql, &why);
    if (text) {
        text_ask_server(text);
        if (text->state == TEXT_WRONG)
            why = text->why;
    }
    if (why)
        return parley_failf(ctx, "a wrong SQL text: %s: %.300s", why, sql);
    ret->id = text->id;
    return PARLEY_OK;
}

static int db_run(parley_ctx *ctx, const parley_sql *sql, uint32_t n, uint32_t flags,
                  parley_db_fn fn, void *ud)
{
    pgrun *run = NULL;

    if (!sql || !fn)
        return PARLEY_EINVAL;
    if (!store.is_running || store.is_stopping || store.is_away)
        return PARLEY_DB_DOWN;
    if (run_open() >= store.queue_max)
        return PARLEY_EAGAIN;
    int err = run_create(sql, n, flags, &run);
    if (err < 0)
        return err;
    run->owner = owner_get(ctx);
    if (!run->owner) {
        run_free(run);
        return PARLEY_ENOMEM;
    }
    run->fn = fn;
    run->ud = ud;
    run->begun_ns = parley->mono_ns();
    run->due_ns = run->begun_ns + store.timeout_ns;
    db_meter_began(run->kind != RUN_WRITE);
    owner_add(run);
    store_put(run);
    store_settle_soon();
    return PARLEY_OK;
}

static const parley_db service = {
    .head = PARLEY_SERVICE(parley_db, 0, 1),
    .dialect = db_dialect,
    .prepare = db_prepare,
    .run = db_run,
    .migrate = migrate_run,
    .rows_n = rows_n,
    .get = rows_get,
    .get_int = rows_get_int,
};

/* ---- verbs: PostgreSQL has programs of its own for them ---- */

static int verb_refuse(parley_ctx *ctx, parley_run run, void *ud)
{
    (void)run;
    return parley->fail(ctx, ud);
}

static char backup_words[] =
    "the database is on PostgreSQL, whose own program backs it up: pg_dump --format=custom "
    "--file=FILE --dbname=\"$DATABASE_URL\" (more: docs/BACKUP.md)";
static char restore_words[] =
    "the database is on PostgreSQL, whose own program restores it: stop all nodes, then "
    "pg_restore --clean --if-exists --no-owner --single-transaction --dbname=\"$DATABASE_URL\" "
    "FILE "
    "(more: docs/BACKUP.md)";

static const parley_option operands[] = {
    { .name = "file", .type = PARLEY_T_STR, .flags = PARLEY_O_PATH, .help = "the backup" },
};

static const parley_verb verbs[] = {
    { PARLEY_SIZED(parley_verb), .flags = PARLEY_V_BARE, .name = "backup",
      .about = "say how the database is backed up", PARLEY_LIST(operand, operands),
      .fn = verb_refuse, .ud = backup_words },
    { PARLEY_SIZED(parley_verb), .flags = PARLEY_V_BARE, .name = "restore",
      .about = "say how the database is restored", PARLEY_LIST(operand, operands),
      .fn = verb_refuse, .ud = restore_words },
};

static int verbs_register(parley_ctx *ctx)
{
    int err = 0;

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]) && err >= 0; i++)
        err = parley->verb(ctx, &verbs[i]);
    return err;
}

static char *text_copy(parley_str text)
{
    return strndup(text.p ? text.p : "", text.n);
}

static int replicas_load(parley_ctx *ctx, parley_str urls, int64_t timeout_ms)
{
    char why[REPLICA_WHY] = "out of memory";
    char *list = text_copy(urls);
    int err = list ? replicas_read(list, timeout_ms, store.name, why) : -1;

    if (list)
        sodium_memzero(list, strlen(list));
    free(list);
    return err < 0 ? parley->conf_fail(ctx, "replicas", why) : 0;
}

static int postgres_load(parley_ctx *ctx, const parley_conf *conf)
{
    char why[ADDRESS_WHY] = "out of memory";
    int64_t timeout_ms = parley->conf_int(conf, "timeout");

    if (sodium_init() < 0)
        return parley->fail(ctx, "libsodium cannot start");
    memset(&store, 0, sizeof(store));
    store.ctx = ctx;
    store.timeout_ns = timeout_ms * 1000000;
    store.lag_ns = parley->conf_int(conf, "replica_lag") * 1000000;
    store.queue_max = (uint32_t)parley->conf_int(conf, "queue");
    store.conn_n = (uint32_t)parley->conf_int(conf, "connections");
    store.write_n = store.conn_n > 1 ? store.conn_n / 2 : 1;
    char *url = text_copy(parley->conf_str(conf, "url"));
    char *name = text_copy(parley->conf_str(conf, "application_name"));
    int err = url && name
                  ? address_read(&store.address, url, ADDRESS_PRIMARY, timeout_ms, name, why)
                  : -1;
    if (url)
        sodium_memzero(url, strlen(url));
    free(url);
    store.name = name;
    if (err < 0)
        return parley->conf_fail(ctx, "url", why);
    err = replicas_load(ctx, parley->conf_str(conf, "replicas"), timeout_ms);
    if (err >= 0)
        err = verbs_register(ctx);
    if (err >= 0)
        err = db_meters_load(ctx);
    if (err < 0)
        return err;
    return parley->provide(ctx, "parley.db", &service.head);
}

static int postgres_start(parley_ctx *ctx)
{
    if (store.address.is_weak || replicas_are_weak())
        parley->log(ctx, PARLEY_WARN,
                    PARLEY_S("the URL's sslmode lets anybody between here and the database listen "
                             "or answer in its place; verify-full does not"));
    store_open();
    return PARLEY_PENDING;
}

void store_started(void)
{
    const pgconn *lead = &store.conns[0];

    store.is_starting = 0;
    if (lead->is_ready)
        parley_logf(store.ctx, PARLEY_INFO, "database %s, PostgreSQL %s, up to %u connections",
                    store.address.label, PQparameterStatus(lead->link.pg, "server_version"),
                    store.conn_n);
    parley->started(store.ctx, PARLEY_OK);
    store_tell();
}

static int postgres_stop(parley_ctx *ctx)
{
    (void)ctx;
    if (!store.is_running)
        return PARLEY_OK;
    store_stop();
    return PARLEY_PENDING;
}

/* All callbacks have run. */
void store_stopped(void)
{
    store.is_running = 0;
    if (store.is_ticking)
        (void)parley->timer_stop(store.timer);
    for (uint32_t i = 0; i < store.conn_n; i++)
        conn_done(&store.conns[i]);
    replicas_done();
    migrate_stop();
    owner_free_all();
    text_free_all();
    address_done(&store.address);
    free(store.name);
    parley->stopped(store.ctx);
}

PARLEY_PLUGIN(.name = "postgres", .version = "0.1.0",
              .about = "the database on a server: PostgreSQL", PARLEY_LIST(option, options),
              .load = postgres_load, .start = postgres_start, .stop = postgres_stop)
