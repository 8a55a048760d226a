/* link.c -- keeps one connection to a server: finds its address, connects, logs in, notices when it
 * is silent or gone, and tries again. */
#include "plugins/redis/link.h"

#include <arpa/inet.h>
#include <string.h>

#include "plugins/redis/backoff.h"

enum { WAITING_MOST = 50000 /* commands without an answer */ };

static const char silent[] = "it does not answer in time";

static void link_connect(redis_link *l);
static void link_timer_come(parley_ctx *ctx, int status, void *ud);

/* ---- the one timer: what it means depends on the state ---- */

static void link_timer_stop(redis_link *l)
{
    if (l->timer.id)
        (void)parley->timer_stop(l->timer);
    l->timer = (parley_timer){ 0 };
}

static void link_timer_start(redis_link *l, int64_t after_ms)
{
    link_timer_stop(l);
    l->timer = parley->timer(l->ctx, after_ms, 0, link_timer_come, l);
}

static void link_wait(redis_link *l)
{
    uint32_t dice = 0;

    parley->random(&dice, sizeof(dice));
    l->state = LINK_WAITING;
    link_timer_start(l, backoff_ms(l->failed, dice));
}

/* ---- failure ---- */

/* The attempts of one round go to all addresses of the name. */
static void link_down(redis_link *l, const char *why)
{
    int was_up = l->state == LINK_UP;

    l->wire = NULL;
    link_timer_stop(l);
    if (was_up)
        l->address_at = 0;
    else if (l->addresses[l->address_at]) {
        link_connect(l);
        return;
    }
    l->failed = was_up ? 1 : l->failed + 1;
    link_wait(l);
    l->events->down(l->ud, why);
}

void link_fail(redis_link *l, const char *why)
{
    char text[160];
    wire *w = l->wire;

    (void)snprintf(text, sizeof(text), "%s", why); /* it may be part of what is closed here */
    if (!w)
        return;
    link_down(l, text);
    wire_close(w);
}

/* ---- life signs ---- */

static void ping_answered(void *ud, const redisReply *reply)
{
    redis_link *l = ud;

    if (reply)
        l->is_beating = 0;
}

static void link_beat(redis_link *l)
{
    const char *argv[] = { "PING" };
    const size_t argv_n[] = { 4 };

    if (l->events->beat)
        l->events->beat(l->ud);
    else
        (void)wire_send(l->wire, &(wire_command){ argv, argv_n, 1 }, ping_answered, l);
}

/* Half of the time limit has passed: a command that waits for its answer shows whether the server
 * lives; without one, something is sent that will be heard of. */
static void link_look(redis_link *l)
{
    int64_t oldest_ns = wire_oldest_ns(l->wire);

    if (oldest_ns ? parley->mono_ns() - oldest_ns >= l->timeout_ms * 1000000 : l->is_beating >= 2) {
        link_fail(l, silent);
        return;
    }
    link_timer_start(l, l->timeout_ms / 2);
    if (oldest_ns)
        l->is_beating = 0;
    else if (l->is_beating++ == 0)
        link_beat(l);
}

static void link_timer_come(parley_ctx *ctx, int status, void *ud)
{
    redis_link *l = ud;

    (void)ctx;
    l->timer = (parley_timer){ 0 };
    if (status < 0)
        return;
    if (l->state == LINK_UP)
        link_look(l);
    else if (l->state == LINK_CONNECTING)
        link_fail(l, silent);
    else if (l->state == LINK_WAITING)
        link_start(l);
}

/* ---- logging in ---- */

static void login_send(redis_link *l, wire_reply_fn fn, const char *const *words, int n)
{
    const char *argv[3];
    size_t argv_n[3];

    for (int i = 0; i < n; i++) {
        argv[i] = words[i];
        argv_n[i] = strlen(words[i]);
    }
    (void)wire_send(l->wire, &(wire_command){ argv, argv_n, n }, fn, l);
}

/* The first refusal ends it; `lost` has told already when there is no reply. */
static int login_is_good(redis_link *l, const redisReply *reply)
{
    if (!reply || l->state != LINK_CONNECTING)
        return 0;
    if (reply->type != REDIS_REPLY_ERROR)
        return 1;
    link_fail(l, reply->str);
    return 0;
}

static void login_step(void *ud, const redisReply *reply)
{
    (void)login_is_good(ud, reply);
}

static void login_done(void *ud, const redisReply *reply)
{
    redis_link *l = ud;

    if (login_is_good(l, reply))
        l->events->hello(l->ud);
}

static void link_connected(void *ud)
{
    redis_link *l = ud;
    const redis_url *url = l->url;
    char db[16];

    if (url->password[0] && url->user[0])
        login_send(l, login_step, (const char *[]){ "AUTH", url->user, url->password }, 3);
    else if (url->password[0])
        login_send(l, login_step, (const char *[]){ "AUTH", url->password }, 2);
    (void)snprintf(db, sizeof(db), "%d", url->db);
    if (url->db)
        login_send(l, login_step, (const char *[]){ "SELECT", db }, 2);
    login_send(l, login_done, (const char *[]){ "PING" }, 1);
}

static void link_lost(void *ud, const char *why)
{
    link_down(ud, why);
}

static void link_heard(void *ud, const redisReply *reply)
{
    redis_link *l = ud;

    l->is_beating = 0;
    l->events->heard(l->ud, reply);
}

static const wire_events wire_reports = {
    .connected = link_connected,
    .lost = link_lost,
    .heard = link_heard,
};

/* ---- connecting ---- */

/* The next line of l->addresses.  returns 0: there is none */
static int address_take(redis_link *l, char *ret, size_t size)
{
    const char *at = l->addresses + l->address_at;
    size_t n = strcspn(at, "\n");

    if (n == 0 || n >= size)
        return 0;
    memcpy(ret, at, n);
    ret[n] = '\0';
    l->address_at += n + (at[n] == '\n');
    return 1;
}

static void link_connect(redis_link *l)
{
    char address[64];
    char why[160] = "its name has no address";

    while (address_take(l, address, sizeof(address))) {
        l->state = LINK_CONNECTING;
        l->wire = wire_open(l->ctx, address, l->url->port, &wire_reports, l, why, sizeof(why));
        if (l->wire) {
            link_timer_start(l, l->timeout_ms);
            return;
        }
    }
    l->failed++;
    link_wait(l);
    l->events->down(l->ud, why);
}

static void link_resolved(parley_ctx *ctx, parley_str port, parley_str addresses, void *ud)
{
    redis_link *l = ud;

    (void)ctx, (void)port;
    l->is_resolving = 0;
    if (l->state != LINK_RESOLVING)
        return;
    l->address_at = 0;
    (void)snprintf(l->addresses, sizeof(l->addresses), "%.*s", (int)addresses.n,
                   addresses.n ? addresses.p : "");
    link_connect(l);
}

static int host_is_numeric(const char *host)
{
    unsigned char address[16];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

void link_start(redis_link *l)
{
    l->state = LINK_RESOLVING;
    if (l->is_resolving)
        return;
    if (host_is_numeric(l->url->host)) {
        link_resolved(l->ctx, (parley_str){ NULL, 0 },
                      (parley_str){ l->url->host, strlen(l->url->host) }, l);
        return;
    }
    l->is_resolving = parley->resolve(l->ctx, l->url->host, "", link_resolved, l) >= 0;
    if (!l->is_resolving)
        link_resolved(l->ctx, (parley_str){ NULL, 0 }, (parley_str){ NULL, 0 }, l);
}

void link_stop(redis_link *l)
{
    wire *w = l->wire;

    l->state = LINK_STOPPED;
    l->wire = NULL;
    link_timer_stop(l);
    if (w)
        wire_close(w);
}

void link_ready(redis_link *l)
{
    l->state = LINK_UP;
    l->failed = 0;
    l->is_beating = 0;
    link_timer_start(l, l->timeout_ms / 2);
    l->events->up(l->ud);
}

int link_send(redis_link *l, const wire_command *command, wire_reply_fn fn, void *ud)
{
    if (!l->wire || wire_waiting(l->wire) >= WAITING_MOST)
        return PARLEY_EAGAIN;
    return wire_send(l->wire, command, fn, ud);
}

int link_subscribe(redis_link *l, const wire_command *command)
{
    return l->wire ? wire_subscribe(l->wire, command) : PARLEY_EAGAIN;
}
