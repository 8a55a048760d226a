/* life.c -- load, start, stop, and what the plugin registers. */
#include "core/base/clock.h"
#include "core/base/random.h"
#include "internal.h"

#include <stdio.h>
#include <strings.h>
#include <unistd.h>

fake_world fake = { .stop_state = PARLEY_OK };

/* ---- small helpers ---- */

void fake_vec_push(fake_vec *v, void *item)
{
    void **p = realloc(v->p, (v->n + 1) * sizeof(*p));

    if (!p)
        abort();
    v->p = p;
    v->p[v->n++] = item;
}

char *fake_dup(str s)
{
    char *copy = str_dup(s);

    if (!copy)
        abort();
    return copy;
}

fake_named *fake_named_find(const fake_vec *v, const char *name)
{
    for (size_t i = 0; i < v->n; i++) {
        fake_named *item = v->p[i];

        if (strcasecmp(item->name, name) == 0)
            return item;
    }
    return NULL;
}

fake_named *fake_named_set(fake_vec *v, const char *name, const char *value)
{
    fake_named *item = fake_named_find(v, name);

    if (!item) {
        item = calloc(1, sizeof(*item));
        if (!item)
            abort();
        item->name = fake_dup(str_of(name));
        fake_vec_push(v, item);
    }
    free(item->value);
    item->value = value ? fake_dup(str_of(value)) : NULL;
    return item;
}

void fake_named_free(fake_vec *v)
{
    for (size_t i = 0; i < v->n; i++) {
        fake_named *item = v->p[i];

        free(item->name);
        free(item->value);
        free(item);
    }
    free(v->p);
    *v = (fake_vec){ NULL, 0 };
}

str fake_view(const char *text)
{
    return str_of(text);
}

static void vec_free_items(fake_vec *v)
{
    for (size_t i = 0; i < v->n; i++)
        free(v->p[i]);
    free(v->p);
    *v = (fake_vec){ NULL, 0 };
}

/* ---- the table: basics, registration, services ---- */

static int api_fail(parley_ctx *ctx, const char *why)
{
    (void)ctx;
    (void)snprintf(fake.why, sizeof(fake.why), "%s", why);
    return -1;
}

static int api_conf_fail(parley_ctx *ctx, const char *path, const char *why)
{
    (void)ctx;
    (void)snprintf(fake.why, sizeof(fake.why), "%s: %s", path, why);
    return -1;
}

static parley_str api_server(const char *name)
{
    const fake_named *item = fake_named_find(&fake.settings, name);

    return item ? fake_view(item->value) : STR_NONE;
}

static int api_secret(const char *purpose, uint8_t ret[32])
{
    random_derive(STR("the fake server's secret"), purpose, ret);
    return PARLEY_OK;
}

static void api_started(parley_ctx *ctx, int status)
{
    (void)ctx;
    fake.start_status = status;
}

static void api_stopped(parley_ctx *ctx)
{
    (void)ctx;
    fake.stop_state = PARLEY_OK;
}

static void api_ready(parley_ctx *ctx, int is_ready, const char *why)
{
    (void)ctx;
    fake.ready = is_ready != 0;
    (void)snprintf(fake.ready_why, sizeof(fake.ready_why), "%s", why ? why : "");
}

static int api_renew(parley_ctx *ctx, const char *why)
{
    (void)ctx, (void)why;
    return PARLEY_EPHASE;
}

static void route_add(const parley_route *def, bool foreign)
{
    fake_route_item *item = calloc(1, sizeof(*item));

    if (!item)
        abort();
    item->def = *def;
    item->foreign = foreign;
    fake_vec_push(&fake.routes, item);
}

static int api_route(parley_ctx *ctx, const parley_route *def)
{
    (void)ctx;
    if (!fake.loading)
        fail_msg("route() outside load(): %s %s", def->method, def->path);
    if (def->size == 0 || !def->fn)
        fail_msg("route without PARLEY_SIZED or fn: %s %s", def->method, def->path);
    if (fake_route_find(def->method, def->path) && strcmp(def->method, "EVENT") != 0)
        return PARLEY_EEXIST;
    route_add(def, false);
    return PARLEY_OK;
}

void fake_use(int stage, const char *prefix, parley_req_fn fn, void *ud)
{
    fake_use_item *item = calloc(1, sizeof(*item));

    if (!item)
        abort();
    *item = (fake_use_item){ stage, prefix ? prefix : "", fn, ud };
    fake_vec_push(&fake.uses, item);
}

static int api_use(parley_ctx *ctx, int stage, const char *prefix, parley_req_fn fn, void *ud)
{
    (void)ctx;
    if (!fake.loading)
        fail_msg("use() outside load()");
    fake_use(stage, prefix, fn, ud);
    return PARLEY_OK;
}

static void hook_add(const char *name, int stage, parley_hook_fn fn, void *ud)
{
    fake_hook_item *item = calloc(1, sizeof(*item));

    if (!item)
        abort();
    *item = (fake_hook_item){ fake_dup(str_of(name)), stage, fn, ud };
    fake_vec_push(&fake.hooks, item);
}

static int api_hook(parley_ctx *ctx, const char *name, int stage, parley_hook_fn fn, void *ud)
{
    (void)ctx;
    if (!fake.loading)
        fail_msg("hook() outside load()");
    hook_add(name, stage, fn, ud);
    return PARLEY_OK;
}

void fake_hook(const char *name, parley_hook_fn fn, void *ud)
{
    hook_add(name, PARLEY_APP, fn, ud);
}

int fake_hooks_run(const char *name, void *info)
{
    static const int stages[] = { PARLEY_EARLY, PARLEY_AUTH, PARLEY_LIMIT, PARLEY_APP,
                                  PARLEY_LATE };

    for (size_t s = 0; s < COUNT(stages); s++)
        for (size_t i = 0; i < fake.hooks.n; i++) {
            const fake_hook_item *item = fake.hooks.p[i];
            bool mine = strcmp(item->name, name) == 0 && item->stage == stages[s];
            int verdict = mine ? item->fn(fake_ctx(), info, item->ud) : PARLEY_NEXT;

            if (verdict == PARLEY_DONE)
                return PARLEY_DONE;
            if (verdict != PARLEY_NEXT)
                return PARLEY_DENY;
        }
    return PARLEY_NEXT;
}

static int api_fire(parley_ctx *ctx, const char *hook, void *info)
{
    (void)ctx;
    return fake_hooks_run(hook, info);
}

int fake_fire(const char *name, void *info)
{
    int verdict = fake_hooks_run(name, info);

    fake_run();
    return verdict;
}

static int api_provide(parley_ctx *ctx, const char *name, const parley_service *table)
{
    (void)ctx;
    if (!fake.loading)
        fail_msg("provide() outside load(): %s", name);
    fake_named_set(&fake.provided, name, NULL)->table = table;
    return PARLEY_OK;
}

static const void *api_service(parley_ctx *ctx, const char *name)
{
    const fake_named *item = fake_named_find(&fake.services, name);

    (void)ctx;
    if (fake.loading)
        fail_msg("service(\"%s\") inside load(): services are there from start() on", name);
    return item ? item->table : NULL;
}

void fake_service(const char *name, const void *table)
{
    fake_named_set(&fake.services, name, NULL)->table = table;
}

static int api_verb(parley_ctx *ctx, const parley_verb *verb)
{
    (void)ctx;
    if (!fake.loading)
        fail_msg("verb() outside load(): %s", verb->name);
    fake_named_set(&fake.verbs, verb->name, NULL)->table = verb;
    return PARLEY_OK;
}

const void *fake_provided(const char *name)
{
    const fake_named *item = fake_named_find(&fake.provided, name);

    return item ? item->table : NULL;
}

const parley_route *fake_route_find(const char *method, const char *path)
{
    for (size_t i = 0; i < fake.routes.n; i++) {
        const fake_route_item *item = fake.routes.p[i];

        if (strcmp(item->def.method, method) == 0 && strcmp(item->def.path, path) == 0)
            return &item->def;
    }
    return NULL;
}

static int foreign_answer(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)ud;
    (void)fake.api.reply(req, 200, "application/json", STR("{}"));
    return PARLEY_DONE;
}

void fake_route(const char *method, const char *path, uint32_t flags)
{
    const parley_route def = { PARLEY_SIZED(parley_route), .flags = flags, .method = method,
                               .path = path, .fn = foreign_answer };

    route_add(&def, true);
}

void fake_route_told(const parley_route *def)
{
    parley_route told = *def;

    told.fn = foreign_answer;
    route_add(&told, true);
}

/* ---- life ---- */

parley_ctx *fake_ctx(void)
{
    return (parley_ctx *)(void *)&fake; /* only its address counts */
}

const char *fake_why(void)
{
    return fake.why;
}

bool fake_ready_state(const char **ret_why)
{
    if (ret_why)
        *ret_why = fake.ready_why;
    return fake.ready;
}

void fake_server(const char *name, const char *value)
{
    fake_named_set(&fake.settings, name, value);
}

static void settings_defaults(void)
{
    /* clang-format off */
    static const char *const defaults[][2] = {
        { "site_url", "http://localhost:8000" }, { "data_dir", "." }, { "log_dir", "." },
        { "version", "0.1.0" }, { "public", "0" },   { "workers", "1" },
    };
    /* clang-format on */
    static const char inside[] = "/tests/plugin/fake/";
    str root = STR(__FILE__);
    const char *at = strstr(__FILE__, inside);

    /* sql/ and templates/ are in the source tree, where this file is. */
    root.n = at ? (size_t)(at - root.p) : 0;
    char *share = fake_dup(root.n ? root : STR("."));
    if (!fake_named_find(&fake.settings, "share_dir"))
        fake_server("share_dir", share);
    free(share);

    for (size_t i = 0; i < COUNT(defaults); i++)
        if (!fake_named_find(&fake.settings, defaults[i][0]))
            fake_server(defaults[i][0], defaults[i][1]);
}

static void api_make(parley_api *api)
{
    *api = (parley_api){
        .size = (uint32_t)sizeof(*api),
        .major = PARLEY_ABI_MAJOR,
        .minor = PARLEY_ABI_MINOR,
        .fail = api_fail,
        .random = random_bytes,
        .uuid7 = random_uuid7,
        .conf_fail = api_conf_fail,
        .server = api_server,
        .secret = api_secret,
        .started = api_started,
        .stopped = api_stopped,
        .ready = api_ready,
        .renew = api_renew,
        .route = api_route,
        .use = api_use,
        .hook = api_hook,
        .provide = api_provide,
        .verb = api_verb,
        .service = api_service,
        .fire = api_fire,
    };
    fake_log_api(api);
    fake_conf_api(api);
    fake_request_api(api);
    fake_reply_api(api);
    fake_conn_api(api);
    fake_time_api(api);
    fake_topics_api(api);
    json_api_fill(api);
    fake_metrics_api(api);
    fake_schema_api(api);
}

int fake_load(const parley_plugin *def, const fake_option *options)
{
    if (!fake.jobs.next)
        list_init(&fake.jobs);
    fake.def = def;
    fake.ready = true;
    fake.why[0] = '\0';
    if (fake.views.cap == 0)
        arena_init(&fake.views, FAKE_TEXT);
    settings_defaults();
    api_make(&fake.api);
    *def->host = &fake.api;
    if (fake_conf_make(def, options) < 0)
        return -1;
    fake.loading = true;
    int err = def->load ? def->load(fake_ctx(), fake.conf) : 0;
    fake.loading = false;
    return err;
}

static void needs_check(const parley_plugin *def)
{
    for (uint32_t i = 0; i < def->need_n; i++) {
        const char *row = (const char *)def->needs + (size_t)i * def->need_stride;
        const parley_need *need = (const parley_need *)(const void *)row;
        const fake_named *item = fake_named_find(&fake.services, need->service);

        if (!need->optional && (!item || !item->table))
            fail_msg("the plugin needs %s: call fake_..._use() or fake_service() first",
                     need->service);
    }
}

int fake_start(void)
{
    needs_check(fake.def);
    fake.start_status = PARLEY_PENDING;
    int err = fake.def->start ? fake.def->start(fake_ctx()) : 0;
    if (err != PARLEY_PENDING)
        fake.start_status = err;
    fake_run();
    fake.started = fake.start_status == 0;
    return fake.start_status;
}

int fake_stop(void)
{
    int64_t until_ns = clock_mono_ns() + (int64_t)10 * 1000000000;

    fake.started = false;
    fake.stop_state = PARLEY_PENDING;
    int err = fake.def->stop ? fake.def->stop(fake_ctx()) : 0;
    if (err != PARLEY_PENDING)
        fake.stop_state = err;
    fake_run();
    /* Threads of the plugin may have to end first. */
    while (fake.stop_state == PARLEY_PENDING && clock_mono_ns() < until_ns) {
        (void)usleep(1000);
        fake_run();
    }
    return fake.stop_state;
}

void fake_open(const parley_plugin *def, const fake_option *options)
{
    if (fake_load(def, options) != 0)
        fail_msg("load() failed: %s", fake.why);
    if (fake_start() != 0)
        fail_msg("start() failed: %s", fake.why);
}

void fake_end(void)
{
    int stopped = fake.started ? fake_stop() : 0;

    fake_requests_done();
    fake_sockets_done();
    fake_topics_done();
    size_t frames = fake.live_frames;
    fake_db_done();
    fake_services_done();
    fake_time_done();
    fake_conf_done();
    fake_log_done();
    fake_metrics_done();
    for (size_t i = 0; i < fake.hooks.n; i++)
        free(((fake_hook_item *)fake.hooks.p[i])->name);
    vec_free_items(&fake.hooks);
    vec_free_items(&fake.routes);
    vec_free_items(&fake.uses);
    free(fake.schemas.p); /* its items are the plugins' */
    fake_named_free(&fake.services);
    fake_named_free(&fake.provided);
    fake_named_free(&fake.verbs);
    fake_named_free(&fake.settings);
    arena_done(&fake.views);
    arena_trim();
    fake = (fake_world){ .stop_state = PARLEY_OK };
    if (stopped != 0)
        fail_msg("stop() failed or took more than 10 s (%d)", stopped);
    if (frames)
        fail_msg("%zu frames were not released", frames);
}
