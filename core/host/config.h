/* config.h -- the YAML file: read once, expanded from the environment, checked
 * against option tables.
 *
 *   server:                      keys of settings_options[] (settings.c)
 *     port: ${PORT:-8000}
 *   plugins:                     order = order of the chain inside a stage
 *     - sqlite                   a name alone, or a name with its part:
 *     - accounts:
 *         token_ttl: 24h
 *     - hello:
 *         path: ./hello.so       reserved: path (relative to the file's folder), optional
 *         who: world
 *
 * ${NAME}: the variable, an error when unset.  ${NAME:-text}: text when unset or empty.
 * ${NAME-text}: text when unset only.  $$ is a dollar sign.  Expansion happens inside scalars,
 * after YAML parsing: a value can never become structure.
 *
 * Errors: "error: config/parley.yaml:41: plugins.chat.max_text: 9999999 is outside
 * 1..65536", "...:44: plugins.chat.max_txt: unknown key; did you mean max_text?".  Size (1 MiB),
 * depth (32), nodes (100,000) and aliases (none) are bounded. */
#ifndef CORE_HOST_CONFIG_H
#define CORE_HOST_CONFIG_H
#include "core/base/buf.h"
#include "core/base/failure.h"
#include "core/net/net.h"

/* `server:`, checked and with defaults; everything lives as long as the config. */
typedef struct settings {
    /* "127.0.0.1", "::1", "0.0.0.0"; several, separated by commas or spaces */
    str host;
    int port; /* 1..65535; 0: any free one (tests) */
    /* operations listener, as configured; empty or "none": none; "auto": the usual place if it is
     * free */
    str ops;
    str ops_host; /* a numeric address; empty: none */
    int ops_port;
    bool ops_is_auto;
    int workers;           /* 1..256; "auto" = 0: one per core */
    str user;              /* account to run as when started by root; empty: stay */
    str site_url;          /* without trailing slash; default http://localhost:<port> when empty */
    str secret_key;        /* empty: generated into data_dir/secret (0600), see secret_required */
    bool secret_required;  /* true: an empty secret_key is an error */
    str *allowed_hosts;    /* lower case; "*" any, ".example.org" the domain and all below it */
    size_t allowed_host_n; /* localhost, 127.0.0.1, [::1], site_url's and the configured ones */
    str trusted_proxies;   /* CIDRs separated by commas or spaces, syntax checked */
    str *cors_origins;     /* "https://app.example.org": whose pages may read our answers */
    size_t cors_origin_n;
    str data_dir, log_dir;     /* as configured (relative to the working directory) */
    str plugin_dir, share_dir; /* absolute; default: beside the binary, else the installed place */
    int log_level;             /* enum parley_level */
    bool debug;                /* DEBUG */
    bool is_public;            /* some listener is not loopback */
    net_limits limits;
    int64_t request_timeout_ms; /* default 30 s */
    /* a plugin that has not started by then is reported once per that time */
    int64_t start_timeout_ms;
    int64_t drain_ms;          /* SIGTERM: default 10 s in all */
    int64_t hang_ms;           /* 0: never */
    int64_t slow_callback_ms;  /* loop watchdog: default 100 */
    uint32_t work_threads;     /* UV_THREADPOOL_SIZE, default 4 */
    uint32_t work_queue;       /* per plugin, default 256 */
    uint32_t max_user_sockets; /* per user, default 100, 0: no limit; over it 4409 */
} settings;

typedef struct config config;

/* 0, or -1 with `f` filled (EXIT_CONFIG; a file that cannot be read too). */
int config_open(const char *file, config **ret, failure *f);
void config_free(config *c);
const char *config_file(const config *c); /* as given on the command line */
const char *config_dir(const config *c);  /* absolute folder of the file */
const settings *config_settings(const config *c);
/* the table of `server:`, for docs and describe */
const parley_option *config_server_options(size_t *ret_n);

/* plugins: i-th entry in YAML order */
size_t config_plugin_n(const config *c);
str config_plugin_name(const config *c, size_t i);
/* One that this process loads besides, without options; at most once.  name: static. */
void config_plugin_add(config *c, const char *name);
/* the `path:` as written; absent: plugin_dir/<name>.so */
str config_plugin_path(const config *c, size_t i);
bool config_plugin_optional(const config *c, size_t i);
int config_plugin_line(const config *c, size_t i);
/* Checks the entry against the plugin's table and gives its values. */
int config_plugin_conf(const config *c, size_t i, const parley_plugin *def, parley_conf **ret,
                       failure *f);
/* An error at a key of the entry, e.g. "scopes.messages.rate": file, line,
 * "plugins.<name>.<path>: why". */
int config_plugin_fail(const config *c, size_t i, const char *path, const char *why, failure *f);

/* the ABI's conf_* */
str conf_str(const parley_conf *conf, const char *name);
int64_t conf_int(const parley_conf *conf, const char *name);
const parley_json *conf_tree(const parley_conf *conf, const char *name);
void conf_free(parley_conf *conf);
/* One option in words, for `parley describe` and docs/CONFIG.md:
 * "max_text  int, 1..65536, default 5000". */
void option_describe(const parley_option *o, buf *ret);
#endif
