/* smtp.c -- the transport "smtp": mails go to one mail server, over up to `connections` connections.
 *
 *   send       the name is resolved (in the server's pool), the mail put into a list
 *   sender     a thread per connection takes it from there (smtp_session.c); made when needed
 *   over       back on the loop by post()
 *
 * A sender keeps its connection for the next mail, for a while. */
#include "plugins/mail/mail.h"
#include "plugins/mail/smtp_session.h"
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum { SENDERS_MAX = 64, KEPT_S = 5, ADDRESSES_MAX = 8, ADDRESSES_BYTES = 512 };
#define ADDRESS_FRESH_NS INT64_C(60000000000)

typedef struct sender {
    pthread_t thread;
    smtp_session session;
    int is_open; /* its session */
} sender;

static struct {
    /* the loop's */
    delivery *unresolved, **unresolved_end;
    int is_resolving;
    int64_t resolved_ns; /* 0: ask again */
    void (*stopped)(void);
    sender senders[SENDERS_MAX];
    int sender_n;
    atomic_int hurry;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    delivery *first, **end; /* for the next free sender */
    int waiting_n, idle_n, running_n;
    int is_ending;
    int has_told_login; /* that the server takes none */
    char addresses[ADDRESSES_BYTES];
} smtp = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- on a sender's thread ---- */

static void sender_over(parley_ctx *ctx, int status, void *ud)
{
    delivery *d = ud;

    (void)ctx, (void)status;
    if (d->outcome == OUTCOME_AWAY)
        smtp.resolved_ns = 0; /* perhaps it has moved */
    delivery_over(d);
}

void sender_post(parley_done_fn fn, void *ud)
{
    const struct timespec pause = { 0, 100000000 };

    while (parley->post(mail.ctx, fn, ud) == PARLEY_ENOMEM)
        (void)nanosleep(&pause, NULL);
}

static void sender_close(sender *me)
{
    if (me->is_open)
        smtp_session_close(&me->session);
    me->is_open = 0;
}

/* Lock held.  0: nothing came in time */
static int sender_wait(int is_open)
{
    struct timespec until;
    int err = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += KEPT_S;
    smtp.idle_n++;
    while (!smtp.first && !smtp.is_ending && err != ETIMEDOUT)
        err = is_open ? pthread_cond_timedwait(&smtp.wake, &smtp.lock, &until)
                      : pthread_cond_wait(&smtp.wake, &smtp.lock);
    smtp.idle_n--;
    return smtp.first || smtp.is_ending;
}

/* The next mail and where to; NULL: the end. */
static delivery *sender_take(sender *me, char addresses[ADDRESSES_BYTES])
{
    (void)pthread_mutex_lock(&smtp.lock);
    while (!sender_wait(me->is_open)) {
        (void)pthread_mutex_unlock(&smtp.lock);
        sender_close(me);
        (void)pthread_mutex_lock(&smtp.lock);
    }
    delivery *d = smtp.first;
    if (d) {
        smtp.first = d->next;
        if (!smtp.first)
            smtp.end = &smtp.first;
        smtp.waiting_n--;
        memcpy(addresses, smtp.addresses, ADDRESSES_BYTES);
    }
    (void)pthread_mutex_unlock(&smtp.lock);
    return d;
}

static void sender_tell_login(const sender *me)
{
    const smtp_trace *t = &me->session.trace;

    if (!mail.smtp.user[0] || t->has_login || !t->has_greeted)
        return;
    (void)pthread_mutex_lock(&smtp.lock);
    int has_told = smtp.has_told_login;
    smtp.has_told_login = 1;
    (void)pthread_mutex_unlock(&smtp.lock);
    if (!has_told)
        parley->log(mail.ctx, PARLEY_WARN,
                    PARLEY_S("the mail server offers no login: EMAIL_HOST_USER and"
                             " EMAIL_HOST_PASSWORD are not used"));
}

static void sender_send(sender *me, delivery *d, const char *addresses)
{
    if (atomic_load(&smtp.hurry)) {
        d->outcome = OUTCOME_STOPPED;
        return;
    }
    if (!me->is_open)
        me->is_open = smtp_session_open(&me->session, &mail.smtp, &smtp.hurry) >= 0;
    if (!me->is_open) {
        d->outcome = OUTCOME_AWAY;
        (void)snprintf(d->why, sizeof(d->why), "no memory");
        return;
    }
    smtp_session_send(&me->session, d, addresses);
    sender_tell_login(me);
}

static void senders_ended(parley_ctx *ctx, int status, void *ud)
{
    void (*stopped)(void) = smtp.stopped;

    (void)ctx, (void)status, (void)ud;
    while (smtp.sender_n > 0)
        (void)pthread_join(smtp.senders[--smtp.sender_n].thread, NULL);
    curl_global_cleanup();
    if (stopped)
        stopped();
}

static void *sender_main(void *ud)
{
    sender *me = ud;
    char addresses[ADDRESSES_BYTES];

    for (delivery *d = sender_take(me, addresses); d; d = sender_take(me, addresses)) {
        sender_send(me, d, addresses);
        sender_post(sender_over, d);
    }
    sender_close(me);
    (void)pthread_mutex_lock(&smtp.lock);
    int is_last = --smtp.running_n == 0;
    (void)pthread_mutex_unlock(&smtp.lock);
    if (is_last)
        sender_post(senders_ended, NULL);
    return NULL;
}

/* ---- on the loop ---- */

/* Lock held. */
static int sender_start(void)
{
    sigset_t all, before;
    sender *made = &smtp.senders[smtp.sender_n];

    *made = (sender){ 0 };
    (void)sigfillset(&all); /* signals are the loop's */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&made->thread, NULL, sender_main, made);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        return -err;
    smtp.sender_n++;
    smtp.running_n++;
    return 0;
}

/* returns 0, or < 0: there is no thread to take it */
static int hand_over(delivery *d)
{
    int err = 0;

    (void)pthread_mutex_lock(&smtp.lock);
    if (smtp.idle_n <= smtp.waiting_n && smtp.sender_n < smtp_transport.parallel)
        err = sender_start();
    if (smtp.sender_n > 0) {
        d->next = NULL;
        *smtp.end = d;
        smtp.end = &d->next;
        smtp.waiting_n++;
        (void)pthread_cond_signal(&smtp.wake);
        err = 0;
    }
    (void)pthread_mutex_unlock(&smtp.lock);
    return err;
}

static void away(delivery *d, const char *why)
{
    d->outcome = OUTCOME_AWAY;
    (void)snprintf(d->why, sizeof(d->why), "%s", why);
    delivery_over(d);
}

void smtp_addresses(parley_str lines, char *ret, size_t size)
{
    size_t n = 0, count = 0;

    for (size_t i = 0; i < lines.n && n + 1 < size && count < ADDRESSES_MAX; i++) {
        count += lines.p[i] == '\n';
        ret[n++] = (char)(lines.p[i] == '\n' ? ',' : lines.p[i]);
    }
    while (n > 0 && ret[n - 1] == ',')
        n--;
    ret[n] = '\0';
}

static void resolved(parley_ctx *ctx, parley_str port, parley_str lines, void *ud)
{
    char why[MAIL_WHY_MAX];
    delivery *d = smtp.unresolved;

    (void)ctx, (void)port, (void)ud;
    smtp.is_resolving = 0;
    smtp.unresolved = NULL;
    smtp.unresolved_end = &smtp.unresolved;
    (void)snprintf(why, sizeof(why), "the name of the mail server, %.100s, has no address",
                   mail.smtp.host);
    if (lines.n > 0) {
        smtp.resolved_ns = parley->mono_ns();
        (void)pthread_mutex_lock(&smtp.lock);
        smtp_addresses(lines, smtp.addresses, sizeof(smtp.addresses));
        (void)pthread_mutex_unlock(&smtp.lock);
    }
    while (d) {
        delivery *next = d->next;

        if (lines.n == 0)
            away(d, why);
        else if (hand_over(d) < 0)
            away(d, "no thread can be made");
        d = next;
    }
}

static int smtp_send(delivery *d)
{
    int64_t now_ns = parley->mono_ns();

    if (smtp.resolved_ns && now_ns - smtp.resolved_ns < ADDRESS_FRESH_NS)
        return hand_over(d);
    if (!smtp.is_resolving) {
        int err = parley->resolve(mail.ctx, mail.smtp.host, mail.smtp.port, resolved, NULL);

        if (err < 0)
            return err;
        smtp.is_resolving = 1;
    }
    d->next = NULL;
    *smtp.unresolved_end = d;
    smtp.unresolved_end = &d->next;
    return 0;
}

static int smtp_start(parley_ctx *ctx)
{
    pthread_condattr_t monotonic;

    smtp.end = &smtp.first;
    smtp.unresolved_end = &smtp.unresolved;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&smtp.wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return parley->fail(ctx, "libcurl does not start");
    return 0;
}

static void smtp_hurry(enum hurry how)
{
    atomic_store(&smtp.hurry, (int)how);
}

static void smtp_stop(void (*done)(void))
{
    (void)pthread_mutex_lock(&smtp.lock);
    smtp.stopped = done;
    smtp.is_ending = 1;
    int is_running = smtp.running_n > 0;
    (void)pthread_cond_broadcast(&smtp.wake);
    (void)pthread_mutex_unlock(&smtp.lock);
    if (!is_running)
        senders_ended(mail.ctx, 0, NULL);
}

transport smtp_transport = {
    .start = smtp_start,
    .send = smtp_send,
    .hurry = smtp_hurry,
    .stop = smtp_stop,
};
