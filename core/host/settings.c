/* settings.c -- `server:` of the YAML: the table of its keys, and how they become `settings`.
 *
 * A key is one row of settings_options[] and one row of settings_fields[]; what follows from
 * several keys, or from where the binary lies, is worked out below them. */
#include "core/host/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define KIB  1024L
#define MIB  (1024 * KIB)
#define GIB  (1024 * MIB)
#define HOUR 3600000L /* milliseconds */

/* clang-format off */
static const parley_option settings_options[] = {
    { .name = "host", .type = PARLEY_T_STR, .def = "127.0.0.1", .min = 1, .max = 1024,
      .help = "Addresses to listen on, separated by commas: 127.0.0.1 this machine only, 0.0.0.0 and :: everybody." },
    { .name = "port", .type = PARLEY_T_INT, .def = "8000", .min = 0, .max = 65535,
      .help = "TCP port; 0 takes any free one." },
    { .name = "ops", .type = PARLEY_T_STR, .def = "auto", .max = 64,
      .help = "Address and port of the operations listener (/metrics, /healthz, /readyz), like 127.0.0.1:9464 or [::1]:9464; "
              "auto: 127.0.0.1:9464 unless that is in use; none or empty: no such listener." },
    { .name = "workers", .type = PARLEY_T_STR, .def = "1",
      .help = "Worker processes, 1 to 256, or auto: one per core." },
    { .name = "user", .type = PARLEY_T_STR, .def = "",
      .help = "Account to run as when started by root; root: stay, empty: refuse to start." },
    { .name = "site_url", .type = PARLEY_T_STR, .def = "", .max = 512,
      .help = "Address under which people reach the server, for links in mails; empty: http://localhost:<port>." },
    { .name = "secret_key", .type = PARLEY_T_STR, .def = "", .flags = PARLEY_O_SECRET, .max = 4096,
      .help = "Key that tokens and queued mails are protected with; empty: made once and kept in <data_dir>/secret." },
    { .name = "secret_required", .type = PARLEY_T_BOOL, .def = "false",
      .help = "Refuse to start without a secret_key of at least 16 bytes (all machines must have the same)." },
    { .name = "allowed_hosts", .type = PARLEY_T_STR, .def = "", .max = 16 * KIB,
      .help = "Host names that requests may ask for, separated by commas, beside localhost and site_url's; .example.org: it "
              "and all below it; *: any." },
    { .name = "trusted_proxies", .type = PARLEY_T_STR, .def = "", .max = 16 * KIB,
      .help = "Addresses or networks (10.0.0.0/8), separated by commas, whose X-Forwarded-For is believed." },
    { .name = "cors_origins", .type = PARLEY_T_STR, .def = "", .max = 16 * KIB,
      .help = "Origins (https://app.example.org), separated by commas, whose pages may use the API and open WebSockets; empty: "
              "none, with debug http://localhost:3000 and http://127.0.0.1:3000." },
    { .name = "data_dir", .type = PARLEY_T_STR, .def = "var", .min = 1, .max = 1024,
      .help = "Folder for what must be kept, relative to the working directory." },
    { .name = "log_dir", .type = PARLEY_T_STR, .def = "logs", .min = 1, .max = 1024,
      .help = "Folder for log files, relative to the working directory." },
    { .name = "plugin_dir", .type = PARLEY_T_STR, .def = "", .max = 1024,
      .help = "Folder of the plugins without a path, relative to this file; empty: beside the binary, else where it was "
              "installed." },
    { .name = "share_dir", .type = PARLEY_T_STR, .def = "", .max = 1024,
      .help = "Folder of sql/, templates/, web/ and admin/, relative to this file; empty: as for plugin_dir." },
    { .name = "log_level", .type = PARLEY_T_ENUM, .def = "info", .choices = "debug|info|warn|error",
      .help = "Lines below this level are not written." },
    { .name = "debug", .type = PARLEY_T_BOOL, .def = "false",
      .help = "Development: log_level is debug unless it is given; see cors_origins." },
    { .name = "max_body", .type = PARLEY_T_BYTES, .def = "1MiB", .min = 1 * KIB, .max = 64 * MIB,
      .help = "Longest body of a request; a route may say otherwise." },
    { .name = "max_message", .type = PARLEY_T_BYTES, .def = "64KiB", .min = 1 * KIB, .max = 16 * MIB,
      .help = "Longest WebSocket message taken." },
    { .name = "compression", .type = PARLEY_T_BOOL, .def = "false",
      .help = "Agree to permessage-deflate on WebSockets: a message of the chat is sent in about 60 % of its bytes, and is packed "
              "once for all who get it." },
    { .name = "max_queue", .type = PARLEY_T_BYTES, .def = "1MiB", .min = 64 * KIB, .max = 1 * GIB,
      .help = "Bytes waiting for a slow client before its socket is closed (4001)." },
    { .name = "send_buffer", .type = PARLEY_T_BYTES, .def = "256KiB", .min = 0, .max = 64 * MIB,
      .help = "Send buffer asked of the system per socket; 0: the system's own choice." },
    { .name = "max_connections", .type = PARLEY_T_INT, .def = "19000", .min = 1, .max = 1000000,
      .help = "Open sockets per worker." },
    { .name = "max_events", .type = PARLEY_T_INT, .def = "64", .min = 1, .max = 4096,
      .help = "Messages of one WebSocket that are worked on at once." },
    { .name = "max_user_sockets", .type = PARLEY_T_INT, .def = "100", .min = 0, .max = 100000,
      .help = "WebSockets of one user per worker, over it 4409; 0: no limit." },
    { .name = "head_timeout", .type = PARLEY_T_MS, .def = "10s", .min = 100, .max = 1 * HOUR,
      .help = "Time for the head of a request." },
    { .name = "body_timeout", .type = PARLEY_T_MS, .def = "30s", .min = 100, .max = 1 * HOUR,
      .help = "Time for the body of a request." },
    { .name = "idle_timeout", .type = PARLEY_T_MS, .def = "75s", .min = 100, .max = 24 * HOUR,
      .help = "How long a connection may wait for its next request." },
    { .name = "ping_interval", .type = PARLEY_T_MS, .def = "25s", .min = 100, .max = 1 * HOUR,
      .help = "Pause between two pings on a WebSocket." },
    { .name = "pong_timeout", .type = PARLEY_T_MS, .def = "10s", .min = 100, .max = 1 * HOUR,
      .help = "Time for the answer to a ping." },
    { .name = "close_timeout", .type = PARLEY_T_MS, .def = "5s", .min = 100, .max = 1 * HOUR,
      .help = "Time for the closing handshake." },
    { .name = "request_timeout", .type = PARLEY_T_MS, .def = "30s", .min = 100, .max = 1 * HOUR,
      .help = "Time for the answer to a request, then 503; a route may say otherwise." },
    { .name = "start_timeout", .type = PARLEY_T_MS, .def = "10s", .min = 100, .max = 1 * HOUR,
      .help = "A plugin that has not started is reported each time this much has passed." },
    { .name = "drain_timeout", .type = PARLEY_T_MS, .def = "10s", .min = 100, .max = 1 * HOUR,
      .help = "Time for an orderly stop." },
    { .name = "hang_timeout", .type = PARLEY_T_MS, .def = "30s", .min = 0, .max = 1 * HOUR,
      .help = "A worker whose loop has not turned for so long is ended and started again; 0: never." },
    { .name = "slow_callback", .type = PARLEY_T_MS, .def = "100ms", .min = 1, .max = 1 * HOUR,
      .help = "A plugin that holds up the worker for longer is reported." },
    { .name = "work_threads", .type = PARLEY_T_INT, .def = "4", .min = 1, .max = 1024,
      .help = "Threads for slow work (password hashes, name resolution) per worker." },
    { .name = "work_queue", .type = PARLEY_T_INT, .def = "256", .min = 1, .max = 1000000,
      .help = "Jobs of one plugin waiting for those threads." },
};

enum field_kind { FIELD_STR, FIELD_INT, FIELD_BOOL, FIELD_U32, FIELD_I64, FIELD_SIZE };
#define FIELD(key, member, kind) { key, offsetof(settings, member), kind }
static const struct field {
    const char *key;
    size_t at;
    int kind;
} settings_fields[] = { /* the keys that are copied as they are; workers and the lists are not */
    FIELD("host", host, FIELD_STR),
    FIELD("port", port, FIELD_INT),
    FIELD("ops", ops, FIELD_STR),
    FIELD("user", user, FIELD_STR),
    FIELD("site_url", site_url, FIELD_STR),
    FIELD("secret_key", secret_key, FIELD_STR),
    FIELD("secret_required", secret_required, FIELD_BOOL),
    FIELD("trusted_proxies", trusted_proxies, FIELD_STR),
    FIELD("data_dir", data_dir, FIELD_STR),
    FIELD("log_dir", log_dir, FIELD_STR),
    FIELD("plugin_dir", plugin_dir, FIELD_STR),
    FIELD("share_dir", share_dir, FIELD_STR),
    FIELD("log_level", log_level, FIELD_INT),
    FIELD("debug", debug, FIELD_BOOL),
    FIELD("max_body", limits.max_body, FIELD_SIZE),
    FIELD("max_message", limits.max_message, FIELD_SIZE),
    FIELD("compression", limits.compression, FIELD_BOOL),
    FIELD("max_queue", limits.max_queue, FIELD_SIZE),
    FIELD("send_buffer", limits.send_buffer, FIELD_SIZE),
    FIELD("max_connections", limits.max_connections, FIELD_U32),
    FIELD("max_events", limits.max_events, FIELD_U32),
    FIELD("max_user_sockets", max_user_sockets, FIELD_U32),
    FIELD("head_timeout", limits.head_ms, FIELD_I64),
    FIELD("body_timeout", limits.body_ms, FIELD_I64),
    FIELD("idle_timeout", limits.idle_ms, FIELD_I64),
    FIELD("ping_interval", limits.ping_ms, FIELD_I64),
    FIELD("pong_timeout", limits.pong_ms, FIELD_I64),
    FIELD("close_timeout", limits.close_ms, FIELD_I64),
    FIELD("request_timeout", request_timeout_ms, FIELD_I64),
    FIELD("start_timeout", start_timeout_ms, FIELD_I64),
    FIELD("drain_timeout", drain_ms, FIELD_I64),
    FIELD("hang_timeout", hang_ms, FIELD_I64),
    FIELD("slow_callback", slow_callback_ms, FIELD_I64),
    FIELD("work_threads", work_threads, FIELD_U32),
    FIELD("work_queue", work_queue, FIELD_U32),
};
/* clang-format on */

const option_table settings_table = { settings_options, COUNT(settings_options),
                                      sizeof(parley_option) };

const parley_option *config_server_options(size_t *ret_n)
{
    *ret_n = COUNT(settings_options);
    return settings_options;
}

int settings_fail(const conf_source *from, const char *key, failure *f, const char *fmt, ...)
{
    const node *at = node_find(from->part, str_of(key));
    char why[400];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    return conf_fail_at(from, at ? at->line : from->line, key, why, f);
}

static void settings_copy(const parley_conf *conf, const struct field *field, settings *ret)
{
    void *at = (char *)ret + field->at;
    int64_t num = conf_int(conf, field->key);

    switch (field->kind) {
    case FIELD_STR:
        *(str *)at = conf_str(conf, field->key);
        break;
    case FIELD_INT:
        *(int *)at = (int)num;
        break;
    case FIELD_BOOL:
        *(bool *)at = num != 0;
        break;
    case FIELD_U32:
        *(uint32_t *)at = (uint32_t)num;
        break;
    case FIELD_I64:
        *(int64_t *)at = num;
        break;
    default:
        *(size_t *)at = (size_t)num;
        break;
    }
}

static int settings_workers(const conf_source *from, str text, settings *ret, failure *f)
{
    int64_t n = 0;

    if (str_ieq(text, STR("auto"))) {
        ret->workers = 0;
        return 0;
    }
    if (!str_int(text, &n) || n < 1 || n > 256)
        return settings_fail(from, "workers", f, STR_FMT " is neither auto nor in 1..256",
                             STR_ARG(text));
    ret->workers = (int)n;
    return 0;
}

static int settings_secret(const conf_source *from, const settings *s, failure *f)
{
    if (!s->secret_required)
        return 0;
    if (s->secret_key.n == 0)
        return settings_fail(from, "secret_key", f,
                             "is required here, but empty; make one with: openssl rand -hex 32");
    if (s->secret_key.n < 16)
        return settings_fail(
            from, "secret_key", f,
            "has %zu bytes, at least 16 are required; make one with: openssl rand -hex 32",
            s->secret_key.n);
    return 0;
}

/* A message must fit into the queue that carries it to others. */
static int settings_sizes(const conf_source *from, const settings *s, failure *f)
{
    if (s->limits.max_message <= s->limits.max_queue)
        return 0;
    return settings_fail(from, "max_message", f, "is larger than max_queue (%zu bytes)",
                         s->limits.max_queue);
}

static bool is_folder(const char *path)
{
    return access(path, X_OK) == 0;
}

/* <folder of the binary>/<name> if it is there (a build tree), else where
 * `make install` puts it. */
static const char *default_dir(const char *name, const char *installed, char ret[4096 + 16])
{
    ssize_t n = readlink("/proc/self/exe", ret, 4096);

    while (n > 0 && ret[n - 1] != '/')
        n--;
    if (n <= 0)
        return installed;
    (void)snprintf(ret + n, 16, "%s", name);
    return is_folder(ret) ? ret : installed;
}

static int settings_dir(const conf_source *from, const char *dir, const char *otherwise,
                        arena *memory, str *at, failure *f)
{
    char path[4096 + 1100];
    int n = 0;

    if (at->n == 0)
        n = snprintf(path, sizeof(path), "%s", otherwise);
    else if (at->p[0] == '/')
        n = snprintf(path, sizeof(path), STR_FMT, STR_ARG(*at));
    else
        n = snprintf(path, sizeof(path), "%s/" STR_FMT, dir, STR_ARG(*at));
    if (n < 0 || (size_t)n >= sizeof(path))
        return conf_fail_at(from, from->line, "", "the folder's name is too long", f);
    *at = arena_str(memory, (str){ path, (size_t)n });
    return at->p ? 0 : conf_fail_at(from, from->line, "", "not enough memory", f);
}

static int settings_dirs(const conf_source *from, const char *dir, arena *memory, settings *s,
                         failure *f)
{
    char beside[4096 + 16];

    if (settings_dir(from, dir, default_dir("plugins", PARLEY_PLUGIN_DIR, beside), memory,
                     &s->plugin_dir, f) < 0)
        return -1;
    return settings_dir(from, dir, default_dir("share", PARLEY_SHARE_DIR, beside), memory,
                        &s->share_dir, f);
}

int settings_read(const conf_source *from, const char *dir, arena *memory, parley_conf **ret_conf,
                  settings *ret, failure *f)
{
    if (conf_create(from, &settings_table, ret_conf, f) < 0)
        return -1;
    const parley_conf *conf = *ret_conf;
    for (size_t i = 0; i < COUNT(settings_fields); i++)
        settings_copy(conf, &settings_fields[i], ret);
    if (ret->debug && !node_find(from->part, STR("log_level")))
        ret->log_level = PARLEY_DEBUG;
    if (settings_workers(from, conf_str(conf, "workers"), ret, f) < 0 ||
        settings_secret(from, ret, f) < 0 || settings_sizes(from, ret, f) < 0 ||
        settings_check_host(from, ret, f) < 0 || settings_check_ops(from, ret, f) < 0 ||
        settings_check_site_url(from, memory, ret, f) < 0 ||
        settings_check_proxies(from, ret, f) < 0 ||
        settings_fill_hosts(from, conf_str(conf, "allowed_hosts"), memory, ret, f) < 0 ||
        settings_fill_origins(from, conf_str(conf, "cors_origins"), memory, ret, f) < 0)
        return -1;
    return settings_dirs(from, dir, memory, ret, f);
}
