/* host_bench.h -- a whole server inside a test: config, host, net, and plugins that are plain C in
 * the test itself.
 *
 * The test gives `bench_plugins`; plugin_open() finds them there by their name in the YAML instead
 * of opening files.  A client talks from a thread of its own with blocking calls while the loop
 * runs. */
#ifndef TESTS_HOST_BENCH_H
#define TESTS_HOST_BENCH_H
#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/host/host.h"

#include <arpa/inet.h>

#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka.h needs the ones above. */
#include <cmocka.h>

extern const parley_plugin *const bench_plugins[]; /* ends with NULL */

typedef struct bench {
    uv_loop_t loop;
    uv_async_t over; /* the client is through */
    config *config;
    host *host;
    net *net;
    int port;
    bool is_started, is_stopped;
    failure failure;
} bench;

/* ---- plugin_open.c, without files ---- */

int plugin_open(const config *c, size_t i, plugin **ret, failure *f)
{
    str name = config_plugin_name(c, i);

    for (size_t at = 0; bench_plugins[at]; at++) {
        if (!str_eq(str_of(bench_plugins[at]->name), name))
            continue;
        plugin *p = calloc(1, sizeof(*p));
        assert_non_null(p);
        p->def = bench_plugins[at];
        p->name = name;
        p->index = i;
        *ret = p;
        return 0;
    }
    return failure_set(f, EXIT_CONFIG, "plugin \"" STR_FMT "\": no such file", STR_ARG(name));
}

int plugin_open_path(const char *path, plugin **ret, failure *f)
{
    (void)ret;
    return failure_set(f, EXIT_CONFIG, "%s: not in this test", path);
}

void plugin_free(plugin *p)
{
    if (!p)
        return;
    conf_free(p->conf);
    free(p);
}

const parley_option *plugin_option(const parley_plugin *def, uint32_t i)
{
    return &def->options[i];
}

const parley_need *plugin_need(const parley_plugin *def, uint32_t i)
{
    return &def->needs[i];
}

/* ---- the server ---- */

static config *bench_config(const char *yaml, failure *f)
{
    char file[] = "/tmp/parley-bench-XXXXXX";
    int fd = mkstemp(file);
    config *c = NULL;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
    close(fd);
    (void)config_open(file, &c, f);
    unlink(file);
    return c;
}

static void bench_over(uv_async_t *over)
{
    uv_stop(over->loop);
}

static void bench_started(void *ud, const failure *f)
{
    bench *b = ud;

    b->is_started = f == NULL;
    if (f)
        b->failure = *f;
    uv_stop(&b->loop);
}

static void bench_stopped(void *ud)
{
    bench *b = ud;

    b->is_stopped = true;
    uv_stop(&b->loop);
}

static void bench_listen(bench *b)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    b->port = ntohs(at.sin_port);
    assert_int_equal(net_listen(b->net, fd, false), 0);
}

/* -1: b->failure says why; bench_close() is due all the same. */
__attribute__((unused)) static int bench_open(bench *b, const char *yaml)
{
    memset(b, 0, sizeof(*b));
    assert_true(sodium_init() >= 0);
    log_level_set(PARLEY_ERROR + 1);
    assert_int_equal(uv_loop_init(&b->loop), 0);
    uv_async_init(&b->loop, &b->over, bench_over);
    b->config = bench_config(yaml, &b->failure);
    if (!b->config || host_create(b->config, &b->loop, &b->host, &b->failure) < 0)
        return -1;
    assert_int_equal(host_secret_set(b->host, STR("a secret for tests")), 0);
    assert_int_equal(net_create(&b->loop, &config_settings(b->config)->limits, host_up(b->host),
                                b->host, &b->net),
                     0);
    host_net_set(b->host, b->net);
    host_start(b->host, bench_started, b);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    if (!b->is_started)
        return -1;
    bench_listen(b);
    return 0;
}

__attribute__((unused)) static void bench_close(bench *b)
{
    if (b->net) {
        net_stop_listening(b->net);
        host_stop(b->host, 2000, bench_stopped, b);
        while (!b->is_stopped)
            uv_run(&b->loop, UV_RUN_DEFAULT);
        net_free(b->net);
    }
    uv_close((uv_handle_t *)&b->over, NULL);
    uv_run(&b->loop, UV_RUN_NOWAIT);
    host_free(b->host);
    for (int i = 0; i < 100 && uv_loop_close(&b->loop) != 0; i++)
        uv_run(&b->loop, UV_RUN_NOWAIT);
    config_free(b->config);
    arena_trim();
}

/* ---- the client ---- */

enum talk_kind {
    TALK_RAW,
    TALK_TEXT,
    TALK_BINARY,
    TALK_WAIT /* milliseconds in `until` */,
    TALK_RESET /* at the end */
};
typedef struct talk_step {
    int kind;
    const char *text;  /* what is sent; NULL: nothing */
    const char *until; /* then read until this has come; NULL: to the end of the connection */
} talk_step;

typedef struct talk {
    bench *b;
    const talk_step *steps;
    size_t n;
    buf got;
    bool missed; /* `until` has not come */
} talk;

static void talk_send(int fd, const talk_step *s)
{
    uint8_t frame_bytes[1024] = { s->kind == TALK_BINARY ? 0x82 : 0x81 };
    size_t n = strlen(s->text), head = 0;

    if (s->kind != TALK_RAW) { /* masked with zeros */
        head = n < 126 ? 6 : 8;
        frame_bytes[1] = (uint8_t)(0x80 | (n < 126 ? n : 126));
        frame_bytes[2] = n < 126 ? 0 : (uint8_t)(n >> 8);
        frame_bytes[3] = n < 126 ? 0 : (uint8_t)n;
    }
    assert_true(n + head < sizeof(frame_bytes) || head == 0);
    if (head == 0) {
        (void)send(fd, s->text, n, MSG_NOSIGNAL);
        return;
    }
    memcpy(frame_bytes + head, s->text, n);
    (void)send(fd, frame_bytes, head + n, MSG_NOSIGNAL);
}

/* Everything is kept; only what came in this step is looked through. */
static bool talk_read(int fd, talk *t, const char *until)
{
    size_t from = t->got.n;

    for (;;) {
        str all = buf_str(&t->got);
        if (until && (!*until || memmem(all.p + from, all.n - from, until, strlen(until))))
            return true;
        char *to = buf_space(&t->got, 4096);
        ssize_t n = recv(fd, to, 4096, 0);
        if (n <= 0)
            return !until && n == 0;
        buf_grew(&t->got, (size_t)n);
    }
}

static void *talk_run(void *ud)
{
    talk *t = ud;
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct timeval patience = { .tv_sec = 3 };
    const struct linger at_once = { .l_onoff = 1 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_port = htons((uint16_t)t->b->port);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    t->missed = connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0;
    for (size_t i = 0; i < t->n && !t->missed; i++) {
        const talk_step *s = &t->steps[i];
        if (s->kind == TALK_WAIT)
            usleep((useconds_t)strtoul(s->until, NULL, 10) * 1000);
        if (s->kind == TALK_RESET)
            (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        if (s->kind == TALK_WAIT || s->kind == TALK_RESET)
            continue;
        if (s->text)
            talk_send(fd, s);
        t->missed = !talk_read(fd, t, s->until);
    }
    close(fd);
    uv_async_send(&t->b->over);
    return NULL;
}

/* What came back, in `t`; the caller frees t->got. */
__attribute__((unused)) static void bench_talk(bench *b, const talk_step *steps, size_t n, talk *t)
{
    pthread_t thread;

    *t = (talk){ .b = b, .steps = steps, .n = n };
    buf_init(&t->got, 1u << 20);
    assert_int_equal(pthread_create(&thread, NULL, talk_run, t), 0);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 10; i++)
        uv_run(&b->loop, UV_RUN_NOWAIT); /* the end of the connection */
}

/* Runs the loop until *value is what is wanted, and what follows from it has been done; fails after ten seconds. */
__attribute__((unused)) static void bench_until(bench *b, const int *value, int wanted)
{
    for (int i = 0; i < 10000 && *value != wanted; i++) {
        uv_run(&b->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    for (int i = 0; i < 100; i++) {
        uv_run(&b->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_int_equal(*value, wanted);
}

__attribute__((unused)) static bool talk_has(const talk *t, const char *text)
{
    return memmem(t->got.p, t->got.n, text, strlen(text)) != NULL;
}
#endif
