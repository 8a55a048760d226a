/* time.c -- the clock, timers, jobs, names, descriptors, and the log. */
#include "internal.h"

#include <pthread.h>
#include <stdio.h>

enum { WATCH_MAX = 64 };

static const int64_t epoch_us = 1738324800123456;        /* 2025-01-31T12:00:00.123456Z */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* jobs and lines come from any thread */

typedef struct watch_item {
    int fd;
    uint32_t events;
    parley_fd_fn fn;
    void *ud;
} watch_item;

/* ---- the clock ---- */

int64_t fake_now_us(void)
{
    return epoch_us + fake.wall_step_us + fake.mono_ns / 1000;
}

static int64_t api_mono_ns(void)
{
    return fake.mono_ns + (int64_t)1000 * 1000000000;
}

void fake_clock_step(int64_t us)
{
    fake.wall_step_us += us;
}

/* ---- jobs ---- */

void fake_job_push(void (*run)(fake_job *), parley_done_fn done, void *ud, int status)
{
    fake_job *job = calloc(1, sizeof(*job));

    if (!job)
        abort();
    job->run = run;
    job->done = done;
    job->ud = ud;
    job->status = status;
    (void)pthread_mutex_lock(&lock);
    if (!fake.jobs.next)
        list_init(&fake.jobs);
    list_push(&fake.jobs, &job->link);
    (void)pthread_mutex_unlock(&lock);
}

void fake_run(void)
{
    for (;;) {
        (void)pthread_mutex_lock(&lock);
        list *link = fake.jobs.next ? list_shift(&fake.jobs) : NULL;
        (void)pthread_mutex_unlock(&lock);
        if (!link)
            return;
        fake_job *job = LIST_ITEM(link, fake_job, link);
        job->run(job);
        free(job);
    }
}

static void job_done(fake_job *job)
{
    job->done(fake_ctx(), job->status, job->ud);
}

static int api_defer(parley_ctx *ctx, parley_done_fn fn, void *ud)
{
    (void)ctx;
    fake_job_push(job_done, fn, ud, PARLEY_OK);
    return PARLEY_OK;
}

typedef struct work_item {
    parley_work_fn fn;
    parley_done_fn done;
    void *ud;
} work_item;

static void job_work(fake_job *job)
{
    work_item *item = job->ud;

    item->fn(item->ud);
    item->done(fake_ctx(), PARLEY_OK, item->ud);
    free(item);
}

static int api_work(parley_ctx *ctx, parley_work_fn fn, parley_done_fn done, void *ud)
{
    (void)ctx;
    if (fake.work_full)
        return PARLEY_EAGAIN;
    work_item *item = calloc(1, sizeof(*item));
    if (!item)
        abort();
    *item = (work_item){ fn, done, ud };
    fake_job_push(job_work, NULL, item, PARLEY_OK);
    return PARLEY_OK;
}

void fake_work_full(bool is_full)
{
    fake.work_full = is_full;
}

typedef struct resolve_item {
    char *port;
    parley_bytes_fn fn;
    void *ud;
} resolve_item;

static void job_resolve(fake_job *job)
{
    resolve_item *item = job->ud;
    str found = fake.resolve ? str_of(fake.resolve) : STR("127.0.0.1\n");

    if (fake.resolve && !*fake.resolve)
        found = STR_NONE;
    item->fn(fake_ctx(), str_of(item->port), found, item->ud);
    free(item->port);
    free(item);
}

static int api_resolve(parley_ctx *ctx, const char *host, const char *port, parley_bytes_fn fn,
                       void *ud)
{
    resolve_item *item = calloc(1, sizeof(*item));

    (void)ctx;
    (void)host;
    if (!item)
        abort();
    *item = (resolve_item){ fake_dup(str_of(port)), fn, ud };
    fake_job_push(job_resolve, NULL, item, PARLEY_OK);
    return PARLEY_OK;
}

void fake_resolve(const char *addresses)
{
    fake.resolve = addresses ? addresses : "";
}

/* ---- timers ---- */

void fake_no_timers(int on)
{
    fake.has_no_timers = on;
}

static parley_timer api_timer(parley_ctx *ctx, int64_t first_ms, int64_t every_ms,
                              parley_done_fn fn, void *ud)
{
    (void)ctx;
    if (fake.has_no_timers)
        return (parley_timer){ 0 };
    fake_timer *t = calloc(1, sizeof(*t));
    if (!t)
        abort();
    *t = (fake_timer){ fn, ud, fake.mono_ns / 1000 + first_ms * 1000, every_ms * 1000, false };
    fake_vec_push(&fake.timers, t);
    return (parley_timer){ fake.timers.n };
}

static int api_timer_stop(parley_timer timer)
{
    if (timer.id == 0 || timer.id > fake.timers.n)
        return PARLEY_EGONE;
    fake_timer *t = fake.timers.p[timer.id - 1];
    int err = t->stopped ? PARLEY_EGONE : PARLEY_OK;
    t->stopped = true;
    return err;
}

/* The timer that is due first, not later than `until_us`; NULL: none. */
static fake_timer *timer_next(int64_t until_us)
{
    fake_timer *next = NULL;

    for (size_t i = 0; i < fake.timers.n; i++) {
        fake_timer *t = fake.timers.p[i];

        if (!t->stopped && t->at_us <= until_us && (!next || t->at_us < next->at_us))
            next = t;
    }
    return next;
}

void fake_advance(int64_t ms)
{
    int64_t until_us = fake.mono_ns / 1000 + ms * 1000;

    fake_run();
    for (fake_timer *t = timer_next(until_us); t; t = timer_next(until_us)) {
        if (t->at_us * 1000 > fake.mono_ns)
            fake.mono_ns = t->at_us * 1000;
        t->stopped = t->every_us == 0;
        t->at_us += t->every_us;
        t->fn(fake_ctx(), PARLEY_OK, t->ud);
        fake_run();
    }
    fake.mono_ns = until_us * 1000;
}

/* ---- descriptors ---- */

static int api_watch(parley_ctx *ctx, int fd, uint32_t events, parley_fd_fn fn, void *ud)
{
    watch_item *item = NULL;

    (void)ctx;
    for (size_t i = 0; i < fake.watches.n && !item; i++)
        if (((watch_item *)fake.watches.p[i])->fd == fd)
            item = fake.watches.p[i];
    if (!item) {
        item = calloc(1, sizeof(*item));
        if (!item)
            abort();
        fake_vec_push(&fake.watches, item);
    }
    *item = (watch_item){ fd, events, fn, ud };
    return PARLEY_OK;
}

void fake_fd_ready(int fd, uint32_t ready)
{
    for (size_t i = 0; i < fake.watches.n; i++) {
        const watch_item *item = fake.watches.p[i];

        if (item->fd == fd && (item->events & ready)) {
            item->fn(fake_ctx(), fd, item->events & ready, item->ud);
            fake_run();
            return;
        }
    }
    fail_msg("descriptor %d is not watched for %u", fd, ready);
}

static void api_call_mark(parley_ctx *user)
{
    (void)user;
}

void fake_time_api(parley_api *api)
{
    api->now_us = fake_now_us;
    api->mono_ns = api_mono_ns;
    api->defer = api_defer;
    api->post = api_defer;
    api->work = api_work;
    api->resolve = api_resolve;
    api->timer = api_timer;
    api->timer_stop = api_timer_stop;
    api->watch = api_watch;
    api->call_begin = api_call_mark;
    api->call_end = api_call_mark;
}

void fake_time_done(void)
{
    fake_run();
    for (size_t i = 0; i < fake.timers.n; i++)
        free(fake.timers.p[i]);
    free(fake.timers.p);
    for (size_t i = 0; i < fake.watches.n; i++)
        free(fake.watches.p[i]);
    free(fake.watches.p);
}

/* ---- the log ---- */

static fake_vec lines; /* char * */

void fake_logged(int level, str line)
{
    static const char *const names[] = { "DEBUG ", "INFO ", "WARNING ", "ERROR " };
    buf text;

    buf_init(&text, FAKE_TEXT);
    (void)buf_add(&text, str_of(names[level & 3]));
    (void)buf_add(&text, line);
    (void)buf_byte(&text, '\0');
    (void)pthread_mutex_lock(&lock);
    fake_vec_push(&lines, text.p);
    (void)pthread_mutex_unlock(&lock);
}

static void api_log(parley_ctx *ctx, int level, parley_str line)
{
    (void)ctx;
    fake_logged(level, line);
}

size_t fake_log_count(const char *part)
{
    size_t count = 0;

    (void)pthread_mutex_lock(&lock);
    for (size_t i = 0; i < lines.n; i++)
        count += strstr(lines.p[i], part) != NULL;
    (void)pthread_mutex_unlock(&lock);
    return count;
}

bool fake_log_has(const char *part)
{
    return fake_log_count(part) > 0;
}

void fake_log_clear(void)
{
    (void)pthread_mutex_lock(&lock);
    for (size_t i = 0; i < lines.n; i++)
        free(lines.p[i]);
    free(lines.p);
    lines = (fake_vec){ NULL, 0 };
    (void)pthread_mutex_unlock(&lock);
}

void fake_log_api(parley_api *api)
{
    api->log = api_log;
}

void fake_log_done(void)
{
    fake_log_clear();
}
