/* test_host.c -- plugins load, start and stop in order; what is refused and in which words; timers,
 * threads, descriptors, topics. */
#include "host_bench.h"

#include <parley/bus.h>

PARLEY_HIDDEN const parley_api *parley;

/* ---- what the plugins of a case do ---- */

static struct {
    int (*load)(parley_ctx *ctx);
    int (*start)(parley_ctx *ctx);
    int (*stop)(parley_ctx *ctx);
    void (*after)(void); /* "user" has stopped, "store" has not */
} acts;
static char trace[512];

static void trace_add(const char *word)
{
    size_t n = strlen(trace);

    (void)snprintf(trace + n, sizeof(trace) - n, "%s ", word);
}

static int nothing(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)req;
    (void)ud;
    return PARLEY_NEXT;
}

static int get_route(parley_ctx *ctx, const char *method, const char *path)
{
    const parley_route r = { PARLEY_SIZED(parley_route), .method = method, .path = path,
                             .fn = nothing };

    return parley->route(ctx, &r);
}

/* "store" offers test.store, starts late and stops late; "user" needs it; "free" needs nothing and
 * is optional. */
static const parley_service table = PARLEY_SERVICE(parley_service, 0, 1);
static const parley_need needs[] = { { "test.store", 0, 1, 0 } };

static void started_later(parley_ctx *ctx, int status, void *ud)
{
    (void)status;
    (void)ud;
    trace_add("store+");
    parley->started(ctx, PARLEY_OK);
}

static void stopped_later(parley_ctx *ctx, int status, void *ud)
{
    (void)status;
    (void)ud;
    if (acts.after)
        acts.after();
    trace_add("store-");
    parley->stopped(ctx);
}

static int store_load(parley_ctx *ctx, const parley_conf *conf)
{
    (void)conf;
    return parley->provide(ctx, "test.store", &table);
}

static int store_start(parley_ctx *ctx)
{
    (void)parley->timer(ctx, 10, 0, started_later, NULL);
    return PARLEY_PENDING;
}

static int store_stop(parley_ctx *ctx)
{
    (void)parley->timer(ctx, 10, 0, stopped_later, NULL);
    return PARLEY_PENDING;
}

static int user_load(parley_ctx *ctx, const parley_conf *conf)
{
    (void)conf;
    assert_null(parley->service(ctx, "test.store")); /* not in load() */
    return acts.load ? acts.load(ctx) : PARLEY_OK;
}

static int user_start(parley_ctx *ctx)
{
    trace_add("user");
    assert_ptr_equal(parley->service(ctx, "test.store"), &table);
    assert_null(parley->service(ctx, "test.unknown"));
    assert_int_equal(get_route(ctx, "GET", "/late/"), PARLEY_EPHASE);
    return acts.start ? acts.start(ctx) : PARLEY_OK;
}

static int user_stop(parley_ctx *ctx)
{
    trace_add("user-");
    return acts.stop ? acts.stop(ctx) : PARLEY_OK;
}

static int free_load(parley_ctx *ctx, const parley_conf *conf)
{
    (void)conf;
    (void)get_route(ctx, "GET", "/v1/login");
    return parley_failf(ctx, "cannot read key file");
}

#define PLUGIN .magic = PARLEY_MAGIC, .size = sizeof(parley_plugin), .host = &parley, .version = "1"
static const parley_plugin store = { PLUGIN, .name = "store", .load = store_load,
                                     .start = store_start, .stop = store_stop };
static const parley_plugin user = { PLUGIN,
                                    .name = "user",
                                    PARLEY_LIST(need, needs),
                                    .load = user_load,
                                    .start = user_start,
                                    .stop = user_stop };
static const parley_plugin failing = { PLUGIN, .name = "free", .load = free_load };
static const parley_plugin lonely = { PLUGIN, .name = "lonely", .features = PARLEY_SINGLE_WORKER };
const parley_plugin *const bench_plugins[] = { &store, &user, &failing, &lonely, NULL };

#define SERVER "server:\n  workers: 1\nplugins:\n"
#define BOTH   SERVER "  - user\n  - store\n"

/* ---- order ---- */

static void test_order(void **state)
{
    bench b;

    (void)state;
    memset(&acts, 0, sizeof(acts));
    trace[0] = '\0';
    if (bench_open(&b, SERVER "  - user\n  - free:\n      optional: true\n  - store\n") < 0)
        fail_msg("%s", b.failure.text);
    assert_string_equal(trace, "store+ user ");
    assert_int_equal(host_plugin_n(b.host), 2);
    bench_close(&b);
    assert_string_equal(trace, "store+ user user- store- ");
}

/* ---- what is begun at the end ---- */

static parley_ctx *user_ctx;

static void work_slow(void *ud)
{
    (void)ud;
    usleep(30000);
}

static void work_over(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)ud;
    trace_add(status == PARLEY_OK ? "work" : "no work");
}

static void never_over(parley_ctx *ctx, int status, void *ud)
{
    work_over(ctx, status, ud);
    fail_msg("a plugin that has stopped is called");
}

static void never_resolved(parley_ctx *ctx, parley_str port, parley_str addresses, void *ud)
{
    (void)port;
    (void)addresses;
    never_over(ctx, PARLEY_OK, ud);
}

static int stop_with_work(parley_ctx *ctx)
{
    user_ctx = ctx;
    return parley->work(ctx, work_slow, work_over, NULL);
}

/* As a store does when it answers, in its own stop, what "user" asked before. */
static void answered_late(void)
{
    assert_int_equal(parley->work(user_ctx, work_slow, never_over, NULL), PARLEY_EPHASE);
    assert_int_equal(parley->resolve(user_ctx, "localhost", "1", never_resolved, NULL),
                     PARLEY_EPHASE);
    assert_int_equal(parley->timer(user_ctx, 0, 0, never_over, NULL).id, 0);
}

/* Nothing of the pool outlives the host: what stop() itself began is waited for, and a plugin that
 * has stopped begins nothing. */
static void test_pool_at_the_end(void **state)
{
    bench b;

    (void)state;
    memset(&acts, 0, sizeof(acts));
    acts.stop = stop_with_work;
    acts.after = answered_late;
    trace[0] = '\0';
    if (bench_open(&b, BOTH) < 0)
        fail_msg("%s", b.failure.text);
    bench_close(&b);
    assert_string_equal(trace, "store+ user user- work store- ");
    memset(&acts, 0, sizeof(acts));
}

/* ---- refusals ---- */

static int load_twice(parley_ctx *ctx)
{
    assert_int_equal(get_route(ctx, "GET", "/v1/login"), PARLEY_OK);
    assert_int_equal(get_route(ctx, "POST", "/v1/login"), PARLEY_OK);
    assert_int_equal(get_route(ctx, "GET", "/v1/:id/"), PARLEY_OK);
    return get_route(ctx, "GET", "/v1/login");
}

static int load_same_shape(parley_ctx *ctx)
{
    assert_int_equal(get_route(ctx, "GET", "/v1/:id/"), PARLEY_OK);
    return get_route(ctx, "GET", "/v1/:name/");
}

static int load_core_route(parley_ctx *ctx)
{
    return get_route(ctx, "GET", "/healthz");
}

static int load_bad_route(parley_ctx *ctx)
{
    return get_route(ctx, "FETCH", "/v1/");
}

static int load_bad_stage(parley_ctx *ctx)
{
    return parley->use(ctx, 251, "/v1/", nothing, NULL);
}

static int load_provides(parley_ctx *ctx)
{
    return parley->provide(ctx, "test.store", &table);
}

static int load_silent(parley_ctx *ctx)
{
    (void)ctx;
    return PARLEY_EIO;
}

static int load_secret(parley_ctx *ctx)
{
    uint8_t key[32];

    (void)ctx;
    return parley->secret("x", key);
}

static int start_fails(parley_ctx *ctx)
{
    return parley_failf(ctx, "no luck");
}

/* clang-format off */
static const struct {
    const char *label, *yaml;
    int (*load)(parley_ctx *ctx);
    int (*start)(parley_ctx *ctx);
    const char *text;
} refusals[] = {
    { "twice", BOTH, load_twice, NULL, "plugin \"user\": GET /v1/login is already registered by plugin \"user\"." },
    { "same shape", BOTH, load_same_shape, NULL, "plugin \"user\": GET /v1/:name/ is already registered by plugin \"user\"." },
    { "core's route", BOTH, load_core_route, NULL, "plugin \"user\": GET /healthz is already registered by plugin \"core\"." },
    { "no method", BOTH, load_bad_route, NULL, "plugin \"user\": FETCH /v1/ is no route." },
    { "no stage", BOTH, load_bad_stage, NULL, "plugin \"user\": a middleware of /v1/ has no known stage." },
    { "service twice", SERVER "  - store\n  - user\n", load_provides, NULL, "plugin \"user\": service test.store is already offered by plugin \"store\"." },
    { "load without a reason", BOTH, load_silent, NULL, "plugin \"user\": load() failed (-10): the plugin gave no reason (it should return parley->fail(ctx, ...))" },
    { "secret in load()", BOTH, load_secret, NULL, "plugin \"user\": load() failed (-8): " },
    { "load with a reason", SERVER "  - free\n", NULL, NULL, "plugin \"free\": load() failed (-1): cannot read key file" },
    { "start", BOTH, NULL, start_fails, "plugin \"user\": start() failed (-1): no luck" },
    { "missing", SERVER "  - nobody\n", NULL, NULL, "plugin \"nobody\": no such file" },
    { "need", SERVER "  - user\n", NULL, NULL, "plugin \"user\": needs service test.store 0.1; no configured plugin offers it." },
    { "single worker", "server:\n  workers: 2\nplugins:\n  - lonely\n", NULL, NULL, "plugin \"lonely\" keeps its state in one worker, but server.workers is 2. Set workers: 1" },
};
/* clang-format on */

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        bench b;
        acts.load = refusals[i].load;
        acts.start = refusals[i].start;
        int err = bench_open(&b, refusals[i].yaml);
        if ((err < 0) != (refusals[i].text != NULL))
            fail_msg("case \"%s\": %d %s", refusals[i].label, err, b.failure.text);
        if (err < 0 && !strstr(b.failure.text, refusals[i].text))
            fail_msg("case \"%s\": %s", refusals[i].label, b.failure.text);
        if (err < 0)
            assert_int_equal(b.failure.status, EXIT_CONFIG);
        bench_close(&b);
    }
}

/* ---- tools ---- */

static int timer_n, work_n, post_n, watch_n, resolve_n, heard_n;
static int pipe_fds[2];
static parley_timer ticking;

static void tick(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)status;
    (void)ud;
    if (++timer_n == 3)
        assert_int_equal(parley->timer_stop(ticking), PARLEY_OK);
}

static void never(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)status;
    (void)ud;
    fail_msg("a stopped timer came");
}

static void deferred(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)status;
    trace_add(ud);
}

static void posted(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)status;
    (void)ud;
    post_n++;
}

static void work(void *ud)
{
    (void)parley->post(ud, posted, NULL);
}

static void work_done(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)ud;
    work_n += status == PARLEY_OK;
}

static void readable(parley_ctx *ctx, int fd, uint32_t ready, void *ud)
{
    char byte;

    (void)ud;
    assert_int_equal(ready, PARLEY_FD_READ);
    watch_n += read(fd, &byte, 1) == 1;
    assert_int_equal(parley->watch(ctx, fd, 0, NULL, NULL), PARLEY_OK);
    close(fd);
}

static void resolved(parley_ctx *ctx, parley_str port, parley_str addresses, void *ud)
{
    (void)ctx;
    (void)ud;
    resolve_n += str_eq(port, STR("5432")) && str_eq(addresses, STR("127.0.0.1\n"));
}

static void heard(parley_ctx *ctx, parley_str topic, parley_str bytes, void *ud)
{
    (void)ud;
    heard_n += str_eq(topic, STR("room.1")) && str_eq(bytes, STR("hi"));
    (void)parley->unsubscribe(ctx, topic); /* also in the middle of a delivery */
}

static void try_topics(parley_ctx *ctx)
{
    assert_int_equal(parley->unsubscribe(ctx, PARLEY_S("room.1")), PARLEY_ENOENT);
    assert_int_equal(parley->subscribe(ctx, PARLEY_S("room.1"), heard, NULL), PARLEY_OK);
    assert_int_equal(parley->subscribe(ctx, PARLEY_S("room.1"), heard, NULL), PARLEY_OK);
    assert_int_equal(parley->publish(ctx, PARLEY_S("room.1"), PARLEY_S("hi")),
                     PARLEY_OK); /* to others only */
    assert_int_equal(heard_n, 0);
    for (int i = 0; i < 4; i++)
        parley->deliver(ctx, PARLEY_S("room.1"), PARLEY_S("hi"));
    assert_int_equal(heard_n, 2);
}

static void try_work(parley_ctx *ctx)
{
    int taken = 0;

    while (parley->work(ctx, work, work_done, ctx) == PARLEY_OK)
        taken++;
    assert_int_equal(taken, 3); /* server.work_queue */
    assert_int_equal(parley->work(ctx, work, work_done, ctx), PARLEY_EAGAIN);
}

static int start_tools(parley_ctx *ctx)
{
    uint8_t one[32], again[32], other[32];

    assert_int_equal(parley->secret("one", one), PARLEY_OK);
    assert_int_equal(parley->secret("one", again), PARLEY_OK);
    assert_int_equal(parley->secret("other", other), PARLEY_OK);
    assert_memory_equal(one, again, 32);
    assert_memory_not_equal(one, other, 32);
    assert_true(str_eq(parley->server("workers"), STR("1")) &&
                str_eq(parley->server("public"), STR("0")));
    assert_null(parley->server("secret_key").p);
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(parley->watch(ctx, pipe_fds[0], PARLEY_FD_READ, readable, NULL), PARLEY_OK);
    assert_int_equal(write(pipe_fds[1], "x", 1), 1);
    assert_int_equal(parley->resolve(ctx, "127.0.0.1", "5432", resolved, NULL), PARLEY_OK);
    ticking = parley->timer(ctx, 1, 1, tick, NULL);
    parley_timer stopped = parley->timer(ctx, 1, 0, never, NULL);
    assert_int_equal(parley->timer_stop(stopped), PARLEY_OK);
    assert_int_equal(parley->timer_stop(stopped), PARLEY_EGONE);
    assert_int_equal(parley->defer(ctx, deferred, (void *)(uintptr_t) "deferred"), PARLEY_OK);
    trace_add("start");
    try_topics(ctx);
    try_work(ctx);
    return PARLEY_OK;
}

static void test_tools(void **state)
{
    bench b;

    (void)state;
    acts.load = NULL;
    acts.start = start_tools;
    trace[0] = '\0';
    if (bench_open(&b, "server:\n  workers: 1\n  work_queue: 3\nplugins:\n  - user\n  - store\n") <
        0)
        fail_msg("%s", b.failure.text);
    assert_string_equal(trace,
                        "store+ user start deferred "); /* after the callback, in the same turn */
    bench_until(&b, &timer_n, 3);
    bench_until(&b, &work_n, 3);
    bench_until(&b, &post_n, 3);
    bench_until(&b, &watch_n, 1);
    bench_until(&b, &resolve_n, 1);
    for (size_t i = 0; i < host_plugin_n(b.host); i++)
        assert_int_equal(host_plugin(b.host, i)->pending, 0);
    close(pipe_fds[1]);
    bench_close(&b);
}

static void test_chain_in_words(void **state)
{
    bench b;
    buf text;

    (void)state;
    memset(&acts, 0, sizeof(acts));
    if (bench_open(&b, BOTH) < 0)
        fail_msg("%s", b.failure.text);
    buf_init(&text, 65536);
    host_print_chain(b.host, &text);
    assert_false(text.failed);
    assert_non_null(memmem(text.p, text.n, "start order: store user\n", 24));
    assert_non_null(memmem(text.p, text.n, "GET /healthz  (core, nolog, any host)\n", 38));
    assert_non_null(memmem(text.p, text.n, "test.store 0.1: store\n", 22));
    buf_done(&text);
    frame *f = host_going_away(b.host, 250);
    assert_true(str_eq(frame_payload(f), STR("{\"type\":\"going_away\",\"in_ms\":250}")));
    frame_unref(f);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),          cmocka_unit_test(test_pool_at_the_end),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_tools),
        cmocka_unit_test(test_chain_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
