/* plugin.c -- logging: api.log, one line per API call, and parley.log,
 * everything that is logged. */
#include "plugins/logging/trace.h"
#include "plugins/logging/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct { /* the plugin's state; loop thread, unless said */
    parley_ctx *ctx;
    writer *writer;
    log_file *api, *app; /* NULL: not wanted */
    parley_meter dropped;
    int format; /* enum line_format; fixed after load(), so the writer's thread reads it too */
} logging;

/* clang-format off */
static const parley_option options[] = {
    { .name = "format", .type = PARLEY_T_ENUM, .choices = "text|json", .def = "text",
      .help = "how lines look: key=value text, or one JSON object per line" },
    { .name = "buffer", .type = PARLEY_T_BYTES, .def = "1MiB", .min = 16384, .max = 268435456,
      .help = "lines that wait for a slow disk, per file; more are dropped and counted" },
    { .name = "api_file", .type = PARLEY_T_STR, .def = "api.log", .min = 0, .max = 100,
      .help = "name in server.log_dir for one line per API call; empty: none" },
    { .name = "app_file", .type = PARLEY_T_STR, .def = "parley.log", .min = 0, .max = 100,
      .help = "name in server.log_dir for what server and plugins log; empty: none" },
    { .name = "max_size", .type = PARLEY_T_BYTES, .def = "100MiB", .min = 0, .max = INT64_C(1) << 40,
      .help = "a file that has reached this is kept as NAME.1, NAME.1 as NAME.2, and so on; 0: never" },
    { .name = "keep", .type = PARLEY_T_INT, .def = "5", .min = 1, .max = 999,
      .help = "old files that are kept of each; what is older is deleted" },
};
/* clang-format on */

/* ---- lines ---- */

static void line_write(log_file *to, int64_t at_us, const char *line, size_t n)
{
    if (!writer_line(to, at_us, line, n))
        parley->metric_add(logging.dropped, 1);
}

static int api_log(parley_ctx *ctx, void *info, void *ud)
{
    const parley_req_info *done = info;
    parley_req req = done->req;
    char line[LINE_MAX], path[LINE_MAX];

    (void)ctx;
    (void)ud;
    if (!logging.api || done->is_event || (done->route_flags & PARLEY_R_NOLOG))
        return PARLEY_NEXT;
    api_call call = {
        .at_us = parley->now_us(),
        .method = parley->req_method(req),
        .path = line_path(parley->req_path(req), parley->req_route(req), path),
        .user = parley->user_label(req),
        .peer = parley->req_peer(req),
        .agent = parley->req_header(req, "User-Agent"),
        .request_id = parley->req_id(req),
        .trace = trace_id(parley->req_header(req, "traceparent")),
        .status = done->status,
        .micros = done->micros,
    };
    if (!call.user.p)
        call.user = PARLEY_S("anonymous");
    line_write(logging.api, call.at_us, line, line_api(&call, logging.format, line));
    return PARLEY_NEXT;
}

static int app_log(parley_ctx *ctx, void *info, void *ud)
{
    const parley_log_info *said = info;
    app_line what = { said->at_us, said->level, said->plugin, said->line };
    char line[LINE_MAX];

    (void)ctx;
    (void)ud;
    if (!logging.app)
        return PARLEY_NEXT;
    line_write(logging.app, said->at_us, line, line_app(&what, logging.format, line));
    return PARLEY_NEXT;
}

static size_t dropped_line(int64_t at_us, uint64_t n, char ret[LINE_MAX])
{
    char text[64];
    int length = snprintf(text, sizeof(text), "%llu lines were dropped", (unsigned long long)n);
    app_line line = { at_us, PARLEY_WARN, PARLEY_S("logging"), { text, (size_t)length } };

    return line_app(&line, logging.format, ret);
}

static int logs_reopen(parley_ctx *ctx, void *info, void *ud)
{
    (void)ctx;
    (void)info;
    (void)ud;
    if (logging.writer)
        writer_reopen(logging.writer);
    return PARLEY_NEXT;
}

/* The writer's thread: log() may be called from any. */
static void writer_says(int level, const char *text, void *ud)
{
    (void)ud;
    parley->log(logging.ctx, level, (parley_str){ text, strlen(text) });
}

/* ---- the plugin's life ---- */

/* Adds the file that the option names; *ret stays NULL if it names none. */
static int file_add(parley_ctx *ctx, const parley_conf *conf, const char *option, log_file **ret)
{
    parley_str dir = parley->server("log_dir"), name = parley->conf_str(conf, option);
    char *path = NULL;

    if (name.n == 0)
        return 0;
    if (memchr(name.p, '/', name.n))
        return parley->conf_fail(ctx, option,
                                 "must be a name, without folders: it is in server.log_dir");
    if (asprintf(&path, "%.*s/%.*s", (int)dir.n, dir.p, (int)name.n, name.p) < 0)
        return PARLEY_ENOMEM;
    *ret = writer_add(logging.writer, path, (size_t)parley->conf_int(conf, "buffer"));
    if (*ret)
        writer_rotate(*ret, parley->conf_int(conf, "max_size"),
                      (int)parley->conf_int(conf, "keep"));
    free(path);
    return *ret ? 0 : PARLEY_ENOMEM;
}

static int logging_load(parley_ctx *ctx, const parley_conf *conf)
{
    logging.ctx = ctx;
    logging.format = (int)parley->conf_int(conf, "format");
    logging.api = logging.app = NULL;
    int err = parley->metric(
        ctx,
        &(parley_metric){ PARLEY_SIZED(parley_metric), .kind = PARLEY_M_COUNTER,
                          .name = "parley_log_lines_dropped",
                          .help = "Lines that were lost because the disk was too slow or full." },
        &logging.dropped);
    if (err < 0)
        return err;
    logging.writer = writer_create(writer_says, dropped_line, NULL);
    if (!logging.writer)
        return PARLEY_ENOMEM;
    err = file_add(ctx, conf, "api_file", &logging.api);
    if (err == 0)
        err = file_add(ctx, conf, "app_file", &logging.app);
    if (err == 0 && logging.api)
        err = parley->hook(ctx, "req.done", PARLEY_LATE, api_log, NULL);
    if (err == 0 && logging.app)
        err = parley->hook(ctx, "log", PARLEY_LATE, app_log, NULL);
    return err ? err : parley->hook(ctx, "log.reopen", PARLEY_LATE, logs_reopen, NULL);
}

static int logging_start(parley_ctx *ctx)
{
    parley_str server_dir = parley->server("log_dir");
    const char *path = "";
    char reason[128], dir[1024];

    (void)snprintf(dir, sizeof(dir), "%.*s", (int)server_dir.n, server_dir.p);
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return parley_failf(ctx, "cannot create the folder %s: %s", dir,
                            strerror_r(errno, reason, sizeof(reason)));
    int err = writer_start(logging.writer, &path);
    if (err < 0)
        return parley_failf(ctx, "cannot write %s: %s", path,
                            strerror_r(-err, reason, sizeof(reason)));
    return 0;
}

static void logging_ended(parley_ctx *ctx, int status, void *ud)
{
    (void)status;
    (void)ud;
    writer_free(logging.writer);
    logging.writer = NULL;
    logging.api = logging.app = NULL; /* others may still log */
    parley->stopped(ctx);
}

/* On the writer's thread. */
static void writer_ended(void *ud)
{
    (void)parley->post(ud, logging_ended, NULL);
}

static int logging_stop(parley_ctx *ctx)
{
    writer_finish(logging.writer, writer_ended, ctx);
    return PARLEY_PENDING;
}

PARLEY_PLUGIN(.name = "logging", .version = "0.1.0",
              .about = "api.log, one line per API call, and parley.log", .license = "MIT",
              PARLEY_LIST(option, options), .load = logging_load, .start = logging_start,
              .stop = logging_stop)
