/* api.c -- the table `parley`: one for all plugins of the process, filled once, never changed; and
 * its basics. */
#include "core/host/inside.h"

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/random.h"

#include <stdio.h>

enum { CALLS_DEEP = 32 };

/* ---- basics ---- */

static void api_log(parley_ctx *p, int level, str line)
{
    log_line(level, p ? p->name : STR("core"), line);
}

static int api_fail(parley_ctx *p, const char *why)
{
    (void)snprintf(p->why, sizeof(p->why), "%s", why ? why : "");
    return PARLEY_EINVAL;
}

static int api_conf_fail(parley_ctx *p, const char *where, const char *why)
{
    host *h = p->host;
    failure f = { 0 };

    (void)config_plugin_fail(h->config, p->index, where ? where : "", why ? why : "", &f);
    (void)snprintf(p->why, sizeof(p->why), "%.*s", (int)sizeof(p->why) - 1, f.text);
    if (h->loading == p && h->load_failure)
        (void)failure_set(h->load_failure, f.status ? f.status : EXIT_CONFIG, "%s", f.text);
    return PARLEY_EINVAL;
}

static str server_public(const host *h)
{
    return h->set->is_public ? STR("1") : STR("0");
}

/* "migrations.<plugin>": the folder of its SQL files; absent: it has none, or is not configured. */
static str server_migrations(const host *h, str name)
{
    for (size_t i = 0; i < h->plugin_n; i++)
        if (str_eq(h->plugins[i]->name, name))
            return str_of(h->plugins[i]->def->migrations);
    return STR_NONE;
}

static str api_server(const char *name)
{
    const host *h = host_here();

    if (!h || !name)
        return STR_NONE;
    const struct {
        const char *name;
        str value;
    } all[] = {
        { "site_url", h->set->site_url },
        { "data_dir", h->set->data_dir },
        { "log_dir", h->set->log_dir },
        { "share_dir", h->set->share_dir },
        { "version", STR(PARLEY_VERSION) },
        { "public", server_public(h) },
        { "workers", str_of(h->workers_text) },
        { "max_queue", str_of(h->max_queue_text) },
        { "config", str_of(config_file(h->config)) },
    };
    for (size_t i = 0; i < COUNT(all); i++)
        if (strcmp(all[i].name, name) == 0)
            return all[i].value.p ? all[i].value : STR("");
    if (str_starts(str_of(name), STR("migrations.")))
        return server_migrations(h, str_tail(str_of(name), sizeof("migrations.") - 1));
    return STR_NONE;
}

static int api_secret(const char *purpose, uint8_t ret[32])
{
    const host *h = host_here();

    if (!h || !h->has_secret) {
        log_msg(PARLEY_ERROR, "secret() was called from load(); keys are there from start() on.");
        return PARLEY_EPHASE;
    }
    if (!purpose)
        return PARLEY_EINVAL;
    random_derive((str){ (const char *)h->secret, sizeof(h->secret) }, purpose, ret);
    return PARLEY_OK;
}

static str api_json_text(parley_ctx *p, const parley_json *j)
{
    buf *scratch = &p->host->scratch;

    buf_reset(scratch);
    if (!j || json_write(j, scratch) < 0)
        return STR_NONE;
    return host_text(p->host, buf_str(scratch));
}

static str api_json_join(parley_ctx *p, const parley_jpart *parts, size_t n)
{
    buf *scratch = &p->host->scratch;

    buf_reset(scratch);
    return json_join(parts, n, scratch) < 0 ? STR_NONE : host_text(p->host, buf_str(scratch));
}

/* ---- who is charged ---- */

static plugin_frame outer[CALLS_DEEP];
static int outer_n;

static void api_call_begin(parley_ctx *user)
{
    if (outer_n < CALLS_DEEP)
        plugin_enter(&outer[outer_n], user, "callback of a service", STR_NONE);
    outer_n++;
}

static void api_call_end(parley_ctx *user)
{
    (void)user;
    if (outer_n == 0)
        return;
    outer_n--;
    if (outer_n < CALLS_DEEP)
        plugin_leave(&outer[outer_n]);
}

void api_fill_basics(parley_api *api)
{
    api->log = api_log;
    api->fail = api_fail;
    api->now_us = clock_wall_us;
    api->mono_ns = clock_mono_ns;
    api->random = random_bytes;
    api->uuid7 = random_uuid7;
    api->conf_str = conf_str;
    api->conf_int = conf_int;
    api->conf_tree = conf_tree;
    api->conf_fail = api_conf_fail;
    api->server = api_server;
    api->secret = api_secret;
    api->json_text = api_json_text;
    api->json_join = api_json_join;
    api->call_begin = api_call_begin;
    api->call_end = api_call_end;
}

/* ---- the table ---- */

static parley_api table = { .size = sizeof(table),
                            .major = PARLEY_ABI_MAJOR,
                            .minor = PARLEY_ABI_MINOR };

const parley_api *api_table(void)
{
    static void (*const fills[])(parley_api *) = {
        json_api_fill,    api_fill_basics,  api_fill_life,   api_fill_register, api_fill_services,
        api_fill_topics,  api_fill_request, api_fill_reply,  api_fill_conn,     api_fill_fan,
        api_fill_timers,  api_fill_work,    api_fill_watch,  api_fill_verbs,    api_fill_run,
        api_fill_metrics, api_fill_look,    api_fill_schema,
    };

    if (table.log)
        return &table;
    for (size_t i = 0; i < COUNT(fills); i++)
        fills[i](&table);
    return &table;
}
