/* thread_host.h -- a small host for the tests of the stores: post() from real threads, a clock the
 * test sets, settings. */
#ifndef TESTS_PLUGIN_THREAD_HOST_H
#define TESTS_PLUGIN_THREAD_HOST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <parley/plugin.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern const parley_plugin parley_plugin_0;
struct parley_ctx { /* a plugin, in the eyes of this host */
    int depth;      /* of call_begin() */
};

typedef struct host_setting {
    const char *name, *text; /* text NULL: the number counts */
    int64_t number;
} host_setting;
typedef struct host_post {
    struct host_post *next;
    parley_ctx *ctx;
    parley_done_fn fn;
    void *ud;
} host_post;

static struct {
    pthread_mutex_t lock; /* of posts, post_n and logged */
    pthread_cond_t posted;
    host_post *head, **tail;
    uint64_t post_n;
    int logged[4]; /* lines by level */
    parley_ctx plugin;
    const host_setting *settings; /* ends with name NULL */
    const void *services[4];
    const char *service_names[4];
    int service_n;
    char failed[1024]; /* what fail() was told */
    int is_running, is_ready, ready_calls, stopped;
    int64_t mono_ns; /* < 0: the real clock */
    parley_done_fn timer_fn;
    void *timer_ud;
    int64_t timer_at_ns;
    char data_dir[256], share_dir[256];
} host = { .lock = PTHREAD_MUTEX_INITIALIZER, .posted = PTHREAD_COND_INITIALIZER };

static void host_log(parley_ctx *ctx, int level, parley_str line)
{
    (void)ctx;
    if (getenv("HOST_LOG"))
        (void)fprintf(stderr, "log %d: %.*s\n", level, (int)line.n, line.p);
    (void)pthread_mutex_lock(&host.lock);
    host.logged[level]++;
    (void)pthread_mutex_unlock(&host.lock);
}

static int host_fail(parley_ctx *ctx, const char *why)
{
    (void)ctx;
    (void)snprintf(host.failed, sizeof(host.failed), "%s", why);
    return -100;
}

static int host_conf_fail(parley_ctx *ctx, const char *path, const char *why)
{
    (void)path;
    return host_fail(ctx, why);
}

static int64_t host_now_us(void)
{
    return 1700000000000000;
}

static int64_t host_mono_ns(void)
{
    struct timespec now;

    if (host.mono_ns >= 0)
        return host.mono_ns;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static const host_setting *host_find_setting(const char *name)
{
    for (const host_setting *s = host.settings; s && s->name; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

static const parley_option *host_find_option(const char *name)
{
    for (uint32_t i = 0; i < parley_plugin_0.option_n; i++)
        if (strcmp(parley_plugin_0.options[i].name, name) == 0)
            return &parley_plugin_0.options[i];
    fail_msg("option %s is not declared", name);
    return NULL;
}

static parley_str host_conf_str(const parley_conf *conf, const char *name)
{
    const host_setting *s = host_find_setting(name);

    (void)conf;
    assert_int_equal(host_find_option(name)->type, PARLEY_T_STR);
    return s ? (parley_str){ s->text, strlen(s->text) } : (parley_str){ NULL, 0 };
}

/* Defaults in their YAML spelling: the units that the stores use. */
static int64_t host_conf_int(const parley_conf *conf, const char *name)
{
    static const struct {
        const char *name;
        int64_t factor;
    } units[] = { { "", 1 }, { "s", 1000 }, { "KiB", 1024 }, { "MiB", 1024 * 1024 } };
    const host_setting *s = host_find_setting(name);
    char *end = NULL;

    (void)conf;
    int64_t number = strtoll(host_find_option(name)->def, &end, 10);
    if (s)
        return s->number;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(units[i].name, end) == 0)
            return number * units[i].factor;
    fail_msg("option %s: default %s?", name, host_find_option(name)->def);
    return 0;
}

static parley_str host_server(const char *name)
{
    const char *text = strcmp(name, "data_dir") == 0 ? host.data_dir : host.share_dir;

    return (parley_str){ text, strlen(text) };
}

static void host_random(void *buf, size_t n)
{
    assert_int_equal(getentropy(buf, n), 0);
}

static void host_stopped(parley_ctx *ctx)
{
    (void)ctx;
    host.stopped++;
}

static void host_ready(parley_ctx *ctx, int is_ready, const char *why)
{
    (void)ctx, (void)why;
    host.is_ready = is_ready;
    host.ready_calls++;
}

static int host_provide(parley_ctx *ctx, const char *name, const parley_service *service)
{
    (void)ctx;
    host.service_names[host.service_n] = name;
    host.services[host.service_n++] = service;
    return 0;
}

static int host_verb(parley_ctx *ctx, const struct parley_verb *verb)
{
    (void)ctx, (void)verb;
    return 0;
}

static int host_post_fn(parley_ctx *ctx, parley_done_fn fn, void *ud)
{
    host_post *post = malloc(sizeof(*post));

    if (!post)
        return PARLEY_ENOMEM;
    *post = (host_post){ .ctx = ctx, .fn = fn, .ud = ud };
    (void)pthread_mutex_lock(&host.lock);
    *host.tail = post;
    host.tail = &post->next;
    host.post_n++;
    (void)pthread_cond_signal(&host.posted);
    (void)pthread_mutex_unlock(&host.lock);
    return 0;
}

static parley_timer host_timer(parley_ctx *ctx, int64_t first_ms, int64_t every_ms,
                               parley_done_fn fn, void *ud)
{
    (void)ctx;
    assert_int_equal(every_ms, 0);
    assert_null(host.timer_fn);
    host.timer_fn = fn;
    host.timer_ud = ud;
    host.timer_at_ns = host_mono_ns() + first_ms * 1000000;
    return (parley_timer){ 7 };
}

static int host_timer_stop(parley_timer timer)
{
    assert_int_equal(timer.id, 7);
    host.timer_fn = NULL;
    return 0;
}

static void host_call_begin(parley_ctx *user)
{
    user->depth++;
}

static void host_call_end(parley_ctx *user)
{
    user->depth--;
}

/* Nothing is counted here. */
static int host_metric(parley_ctx *ctx, const parley_metric *what, parley_meter *ret)
{
    (void)ctx, (void)what;
    *ret = (parley_meter){ 0 };
    return PARLEY_OK;
}

static void host_metric_change(parley_meter m, int64_t n)
{
    (void)m, (void)n;
}

static const parley_api host_api = {
    .size = sizeof(parley_api),
    .log = host_log,
    .fail = host_fail,
    .conf_fail = host_conf_fail,
    .now_us = host_now_us,
    .mono_ns = host_mono_ns,
    .random = host_random,
    .conf_str = host_conf_str,
    .conf_int = host_conf_int,
    .server = host_server,
    .stopped = host_stopped,
    .ready = host_ready,
    .provide = host_provide,
    .verb = host_verb,
    .metric = host_metric,
    .metric_add = host_metric_change,
    .metric_set = host_metric_change,
    .metric_observe = host_metric_change,
    .post = host_post_fn,
    .timer = host_timer,
    .timer_stop = host_timer_stop,
    .call_begin = host_call_begin,
    .call_end = host_call_end,
};

/* Loads and starts the plugin; returns what the first of them that failed returned. */
__attribute__((unused)) static int host_start(const host_setting *settings)
{
    *parley_plugin_0.host = &host_api;
    host.head = NULL;
    host.tail = &host.head;
    host.post_n = 0;
    memset(host.logged, 0, sizeof(host.logged));
    host.settings = settings;
    host.service_n = 0;
    host.failed[0] = '\0';
    host.is_ready = 1;
    host.ready_calls = host.stopped = 0;
    host.timer_fn = NULL;
    int err = parley_plugin_0.load(&host.plugin, NULL);
    if (err == 0 && parley_plugin_0.start)
        err = parley_plugin_0.start(&host.plugin);
    host.is_running = err == 0;
    return err;
}

__attribute__((unused)) static const void *host_service(const char *name)
{
    for (int i = 0; i < host.service_n; i++)
        if (strcmp(host.service_names[i], name) == 0)
            return host.services[i];
    fail_msg("service %s is not provided", name);
    return NULL;
}

/* One turn of the loop: all that was posted, or, if there is nothing, at most wait_ms for it. */
__attribute__((unused)) static void host_turn(int wait_ms)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += wait_ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&host.lock);
    if (!host.head)
        (void)pthread_cond_timedwait(&host.posted, &host.lock, &until);
    host_post *list = host.head;
    host.head = NULL;
    host.tail = &host.head;
    (void)pthread_mutex_unlock(&host.lock);
    while (list) {
        host_post *post = list;

        list = post->next;
        post->fn(post->ctx, 0, post->ud);
        free(post);
    }
}

/* Turns until *value is `wanted`, ten seconds at most. */
__attribute__((unused)) static void host_wait(const int *value, int wanted)
{
    for (int i = 0; i < 1000 && *value != wanted; i++)
        host_turn(10);
    assert_int_equal(*value, wanted);
}

__attribute__((unused)) static void host_stop(void)
{
    int err = parley_plugin_0.stop(&host.plugin);

    host.is_running = 0;
    if (err == PARLEY_PENDING)
        host_wait(&host.stopped, 1);
    else
        assert_int_equal(err, 0);
    while (host.head)
        host_turn(0);
}
#endif
