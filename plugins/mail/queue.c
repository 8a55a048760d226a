/* queue.c -- claims mails that are due, hands them to the transport.
 *
 *   look     SQL: is anything due?          on wake(), after a mail, and every `poll`
 *   claim    SQL: as many as there are free slots, under a lease; what has expired is wiped
 *   send     by the transport, several at a time, few of them to one domain
 *   mark     SQL (mark.c): sent and wiped; or when to try again
 *
 * A node that dies in between loses its lease, and another one sends the mail again, under the same
 * Message-ID.  While the way out is closed (no connection, no login) one mail tries for all, with
 * growing pauses, and none of them loses an attempt. */
#include "plugins/mail/mail.h"
#include "plugins/mail/pace.h"
#include <string.h>
#include <strings.h>

enum { HELD_MAX = 32, TIDY_MS = 3600000 };
#define LEASE_REST_US INT64_C(60000000)      /* for waiting here, and for the mark */
#define HELD_US       INT64_C(10000000)      /* then the rest of the queue has its turn */
#define STOP_MS       5000                   /* for answers of the mail server that are under way */
#define KEPT_US       INT64_C(2592000000000) /* rows of mails that are over: 30 days */

static struct {
    int is_asking;    /* look or claim is under way */
    int is_woken;     /* look again then */
    int64_t failed;   /* attempts since the way out is closed */
    int64_t until_us; /* and no further one before */
    int is_stopping;
    void (*stopped)(void);          /* NULL: told */
    int64_t asked_n;                /* mails that the claim under way asks for */
    char owner[MAIL_UID_CHARS + 1]; /* of the claim that is under way */
    int64_t lease_until_us;
    delivery slots[HELD_MAX];
} queue;

static void queue_look(void);
static void queue_go_on(void);

static size_t count(enum delivery_state state)
{
    size_t n = 0;

    for (size_t i = 0; i < HELD_MAX; i++)
        n += queue.slots[i].state == state;
    return n;
}

static uint32_t dice(void)
{
    uint32_t value;

    parley->random(&value, sizeof(value));
    return value;
}

/* ---- what became of a mail ---- */

void queue_marked(delivery *d)
{
    d->state = DELIVERY_FREE;
    queue_go_on();
}

static void give_back(delivery *d, outcome how, const char *why, int64_t next_us)
{
    d->outcome = how;
    (void)snprintf(d->why, sizeof(d->why), "%s", why);
    mark(d, next_us);
}

static void look_again(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    if (status < 0)
        return;
    for (size_t i = 0; i < HELD_MAX; i++)
        mark_poll(&queue.slots[i]);
    queue.is_woken = 1;
    queue_go_on();
}

static void poll_tick(parley_ctx *ctx, int status, void *ud)
{
    if (status >= 0)
        meters_look();
    look_again(ctx, status, ud);
}

/* Nothing goes out: those that wait go back, too.  One line when it begins. */
static void way_is_closed(const char *why)
{
    int64_t pause_us = pace_us(++queue.failed, PACE_AWAY_FIRST_US, PACE_AWAY_MOST_US, dice());

    queue.until_us = parley->now_us() + pause_us;
    if (queue.failed == 1)
        parley_logf(mail.ctx, PARLEY_WARN, "mails cannot be delivered, will try again: %s", why);
    for (size_t i = 0; i < HELD_MAX; i++)
        if (queue.slots[i].state == DELIVERY_WAITING)
            give_back(&queue.slots[i], OUTCOME_AWAY, why, queue.until_us);
    (void)parley->timer(mail.ctx, pause_us / 1000 + 1, 0, look_again, NULL);
}

static void way_is_open(void)
{
    if (queue.failed > 0)
        parley->log(mail.ctx, PARLEY_INFO, PARLEY_S("mails are delivered again"));
    queue.failed = 0;
    queue.until_us = 0;
}

void delivery_over(delivery *d)
{
    int64_t next_us = parley->now_us();

    if (d->outcome == OUTCOME_AWAY) {
        /* Others that were on their way have failed for the same reason. */
        if (next_us >= queue.until_us)
            way_is_closed(d->why);
        next_us = queue.until_us;
    } else if (d->outcome != OUTCOME_STOPPED) {
        way_is_open();
    }
    if (d->outcome == OUTCOME_SENT)
        parley_logf(mail.ctx, PARLEY_INFO, "mail %s is delivered", d->uid);
    if (d->outcome == OUTCOME_LATER)
        next_us += pace_us(d->attempts, PACE_MAIL_FIRST_US, PACE_MAIL_MOST_US, dice());
    mark(d, next_us);
    queue_go_on();
}

/* ---- send ---- */

static const char *domain_of(const delivery *d)
{
    const char *at = strrchr(d->to, '@');

    return at ? at : d->to;
}

static int is_domain_busy(const delivery *d)
{
    int64_t n = 0;

    for (size_t i = 0; i < HELD_MAX; i++)
        n += queue.slots[i].state == DELIVERY_SENDING &&
             strcasecmp(domain_of(&queue.slots[i]), domain_of(d)) == 0;
    return n >= mail.transport->per_domain;
}

static int64_t attempt_us(void)
{
    return mail.transport->longest_ms * 1000 + LEASE_REST_US / 2;
}

static void send_or_wait(delivery *d)
{
    int64_t now_us = parley->now_us(), sending = (int64_t)count(DELIVERY_SENDING);

    if (queue.is_stopping || now_us + attempt_us() > d->lease_until_us) {
        give_back(d, OUTCOME_STOPPED, "", now_us);
        return;
    }
    if (sending < (queue.failed > 0 ? 1 : mail.transport->parallel) && !is_domain_busy(d)) {
        d->state = DELIVERY_SENDING;
        if (mail.transport->send(d) >= 0)
            return;
        d->state = DELIVERY_WAITING;
    }
    if (now_us - d->held_since_us > HELD_US)
        give_back(d, OUTCOME_STOPPED, "", now_us + HELD_US / 2 + dice() % HELD_US);
}

/* ---- claim ---- */

static delivery *slot_free(void)
{
    for (size_t i = 0; i < HELD_MAX; i++)
        if (queue.slots[i].state == DELIVERY_FREE)
            return &queue.slots[i];
    return NULL;
}

/* We know what became of it, and only have to store that yet. */
static int is_held(int64_t key)
{
    for (size_t i = 0; i < HELD_MAX; i++)
        if (queue.slots[i].state != DELIVERY_FREE && queue.slots[i].key == key)
            return 1;
    return 0;
}

static void slot_fill(delivery *d, const parley_rows *rows, int64_t row)
{
    parley_str uid = mail.db->get(rows, row, 1);

    *d = (delivery){ .state = DELIVERY_WAITING,
                     .key = mail.db->get_int(rows, row, 0, 0),
                     .attempts = mail.db->get_int(rows, row, 3, 1),
                     .lease_until_us = queue.lease_until_us,
                     .held_since_us = parley->now_us() };
    (void)snprintf(d->uid, sizeof(d->uid), "%.*s", (int)uid.n, uid.p ? uid.p : "");
    memcpy(d->owner, queue.owner, sizeof(d->owner));
    if (compose(d, mail.db->get(rows, row, 2), mail.db->get_int(rows, row, 4, 0)) < 0)
        mark(d, parley->now_us() +
                    pace_us(d->attempts, PACE_MAIL_FIRST_US, PACE_MAIL_MOST_US, dice()));
}

static void claimed(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx, (void)ud;
    queue.is_asking = 0;
    if (status < 0)
        return; /* `poll` looks again */
    const parley_rows *rows = result->rows[2];
    for (int64_t row = 0; row < mail.db->rows_n(rows); row++) {
        delivery *d = slot_free();

        if (d && !is_held(mail.db->get_int(rows, row, 0, 0)))
            slot_fill(d, rows, row);
    }
    queue.is_woken |= mail.db->rows_n(rows) == queue.asked_n; /* there may be more of them */
    queue_go_on();
}

static void looked(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    int64_t now_us = parley->now_us(), n = queue.failed > 0 ? 1 : (int64_t)count(DELIVERY_FREE);

    (void)ud;
    queue.is_asking = 0;
    if (queue.is_stopping || n == 0 || status < 0 || mail.db->rows_n(result->rows[0]) == 0) {
        queue_go_on();
        return;
    }
    parley->uuid7(queue.owner);
    queue.asked_n = n;
    queue.lease_until_us = now_us + attempt_us() + LEASE_REST_US;
    parley_str owner = { queue.owner, MAIL_UID_CHARS };
    parley_param expire[] = { PARLEY_INT(now_us) };
    parley_param claim[] = { PARLEY_TEXT(owner), PARLEY_INT(queue.lease_until_us),
                             PARLEY_INT(now_us), PARLEY_INT(n) };
    parley_param read[] = { PARLEY_TEXT(owner) };
    parley_sql sql[] = { SQL(SQL_EXPIRE, expire), SQL(SQL_CLAIM, claim), SQL(SQL_CLAIMED, read) };
    queue.is_asking = mail.db->run(ctx, sql, COUNT(sql), 0, claimed, NULL) >= 0;
}

/* ---- look ---- */

static void queue_look(void)
{
    parley_param params[] = { PARLEY_INT(parley->now_us()) };
    parley_sql sql = SQL(SQL_DUE, params);

    queue.is_woken = 1;
    if (queue.is_asking || queue.is_stopping || parley->now_us() < queue.until_us || !slot_free() ||
        (queue.failed > 0 && count(DELIVERY_FREE) < HELD_MAX))
        return;
    queue.is_woken = 0;
    queue.is_asking = mail.db->run(mail.ctx, &sql, 1, PARLEY_DB_READ, looked, NULL) >= 0;
}

/* Whatever has changed: sends what may be sent, claims what there is room for, and ends when all is
 * through. */
static void queue_go_on(void)
{
    for (size_t i = 0; i < HELD_MAX; i++)
        if (queue.slots[i].state == DELIVERY_WAITING)
            send_or_wait(&queue.slots[i]);
    if (queue.is_woken)
        queue_look();
    if (queue.stopped && !queue.is_asking && count(DELIVERY_FREE) == HELD_MAX) {
        void (*stopped)(void) = queue.stopped;

        queue.stopped = NULL;
        mail.transport->stop(stopped);
    }
}

static void tidied(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx;
    (void)status; /* the next hour tries again */
    (void)result;
    (void)ud;
}

static void queue_tidy(parley_ctx *ctx, int status, void *ud)
{
    int64_t now_us = parley->now_us();
    parley_param expire[] = { PARLEY_INT(now_us) }, old[] = { PARLEY_INT(now_us - KEPT_US) };
    parley_sql sql[] = { SQL(SQL_EXPIRE, expire), SQL(SQL_TIDY, old) };

    (void)ud;
    if (status >= 0)
        (void)mail.db->run(ctx, sql, COUNT(sql), 0, tidied, NULL);
}

void queue_wake(parley_ctx *ctx)
{
    (void)ctx;
    queue_look();
}

static void stop_limit(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    if (status >= 0)
        mail.transport->hurry(HURRY_AT_ONCE);
}

void queue_stop(void (*done)(void))
{
    queue.is_stopping = 1;
    queue.stopped = done;
    mail.transport->hurry(HURRY_SOON);
    (void)parley->timer(mail.ctx, STOP_MS, 0, stop_limit, NULL);
    queue_go_on();
}

void queue_hasten(void)
{
    queue.until_us = 0;
    queue_look();
}

int queue_start(void)
{
    memset(&queue, 0, sizeof(queue));
    parley_timer poll = parley->timer(mail.ctx, mail.poll_ms, mail.poll_ms, poll_tick, NULL);
    parley_timer tidy = parley->timer(mail.ctx, TIDY_MS, TIDY_MS, queue_tidy, NULL);

    if (poll.id == 0 || tidy.id == 0)
        return parley->fail(mail.ctx, "no timer");
    queue_look(); /* what a stopped server left */
    return 0;
}
