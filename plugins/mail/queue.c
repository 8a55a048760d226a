/* queue.c -- claims mails that are due, sends them one after the other, marks them.
 *
 *   look     SQL: is anything due?          on wake(), after a batch, and every `poll`
 *   claim    SQL: up to 16 for this node, under a lease; what has expired is wiped
 *   send     the transport, in the pool
 *   mark     SQL: sent and wiped; or when to try again
 *
 * A node that dies in between loses its lease, and another one sends the mail again, under the same
 * Message-ID. */
#include "plugins/mail/mail.h"
#include "plugins/mail/mime.h"
#include "plugins/mail/seal.h"
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 16, ATTEMPTS_MAX = 100, TIDY_MS = 3600000 };
#define LEASE_US       INT64_C(120000000)
#define RETRY_FIRST_US INT64_C(5000000)
#define RETRY_MOST_US  INT64_C(3600000000)
#define KEPT_US        INT64_C(2592000000000) /* rows of mails that are over: 30 days */

/* One claimed mail. */
typedef struct item {
    int64_t key, attempts;
    char uid[MAIL_UID_CHARS + 1];
    text_out eml;
    int err;
    char why[MAIL_WHY_MAX];
} item;

static struct {
    int is_busy;    /* from look to the last mark */
    int is_woken;   /* look again when done */
    int is_failing; /* the log has said so */
    char owner[MAIL_UID_CHARS + 1];
    item items[BATCH_MAX];
    size_t n, at;
} queue;

static void queue_look(void);

static void queue_idle(int look_again)
{
    queue.is_busy = 0;
    if (look_again || queue.is_woken)
        queue_look();
}

/* ---- send and mark ---- */

static void send_next(void);

static void marked(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx;
    (void)status; /* not marked: the lease ends, and it is sent again */
    (void)result;
    (void)ud;
    send_next();
}

static int mark_sent(const item *i)
{
    parley_param params[] = { PARLEY_INT(parley->now_us()), PARLEY_INT(i->key) };
    parley_sql sql = SQL(SQL_SENT, params);

    return mail.db->run(mail.ctx, &sql, 1, 0, marked, NULL);
}

static int mark_failed(const item *i)
{
    int64_t wait_us = RETRY_FIRST_US << (i->attempts < 10 ? i->attempts - 1 : 10);
    int64_t next_us = parley->now_us() + (wait_us < RETRY_MOST_US ? wait_us : RETRY_MOST_US);
    parley_str why = { i->why, strlen(i->why) };
    parley_str owner = { queue.owner, MAIL_UID_CHARS };
    parley_param retry[] = { PARLEY_INT(next_us), PARLEY_TEXT(why), PARLEY_INT(i->key),
                             PARLEY_TEXT(owner) };
    parley_param over[] = { PARLEY_TEXT(why), PARLEY_INT(i->key), PARLEY_TEXT(owner) };
    parley_sql sql = i->attempts < ATTEMPTS_MAX ? SQL(SQL_RETRY, retry) : SQL(SQL_GIVE_UP, over);

    return mail.db->run(mail.ctx, &sql, 1, 0, marked, NULL);
}

/* One line when it begins to fail, one when it works again. */
static void tell(const item *i)
{
    if (i->err < 0 && !queue.is_failing)
        parley_logf(mail.ctx, PARLEY_WARN, "mails cannot be delivered, will try again: %s", i->why);
    if (i->err >= 0 && queue.is_failing)
        parley->log(mail.ctx, PARLEY_INFO, PARLEY_S("mails are delivered again"));
    queue.is_failing = i->err < 0;
}

static void send_done(parley_ctx *ctx, int status, void *ud)
{
    item *i = ud;

    (void)ctx;
    if (status < 0 && i->err >= 0) {
        i->err = status;
        (void)snprintf(i->why, sizeof(i->why), "not sent (%d)", status);
    }
    tell(i);
    text_out_done(&i->eml);
    int err = i->err < 0 ? mark_failed(i) : mark_sent(i);
    if (err < 0)
        send_next();
}

/* Pool thread. */
static void send_work(void *ud)
{
    item *i = ud;

    if (i->err >= 0)
        i->err = outbox_write(i->uid, text_out_view(&i->eml), i->why);
}

static void send_next(void)
{
    if (queue.at == queue.n) {
        queue_idle(queue.n == BATCH_MAX);
        return;
    }
    item *i = &queue.items[queue.at++];
    if (parley->work(mail.ctx, send_work, send_done, i) >= 0)
        return;
    /* The pool is full: the rest keeps its lease and is claimed again when that ends. */
    for (; i < queue.items + queue.n; i++)
        text_out_done(&i->eml);
    queue_idle(0);
}

/* ---- claim ---- */

static int item_compose(item *i, parley_str sealed, int64_t created_us)
{
    text_out text = { .limit = MAIL_BYTES_MAX };
    const char *why;
    int err = seal_open(mail.key, sealed, &text);

    if (err < 0) {
        (void)snprintf(i->why, sizeof(i->why), "a mail was sealed with another SECRET_KEY");
        text_out_done(&text);
        return err;
    }
    parley_json *content = parley->json_parse(text_out_view(&text), &why);
    mime_mail m = { .from = mail.from,
                    .to = parley->json_str(parley->json_get(content, "to")),
                    .subject = parley->json_str(parley->json_get(content, "subject")),
                    .text = parley->json_str(parley->json_get(content, "text")),
                    .id = { i->uid, MAIL_UID_CHARS },
                    .at_us = created_us };
    err = mime_write(&m, &i->eml);
    if (err < 0)
        (void)snprintf(i->why, sizeof(i->why), "a mail cannot be written (%d)", err);
    parley->json_free(content);
    text_out_done(&text);
    return err;
}

static void item_read(item *i, const parley_rows *rows, int64_t row)
{
    parley_str uid = mail.db->get(rows, row, 1);

    *i = (item){ .key = mail.db->get_int(rows, row, 0, 0),
                 .attempts = mail.db->get_int(rows, row, 3, 1),
                 .eml = { .limit = MAIL_BYTES_MAX } };
    (void)snprintf(i->uid, sizeof(i->uid), "%.*s", (int)uid.n, uid.p ? uid.p : "");
    i->err = item_compose(i, mail.db->get(rows, row, 2), mail.db->get_int(rows, row, 4, 0));
}

static void claimed(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx;
    (void)ud;
    if (status < 0) {
        queue_idle(0);
        return;
    }
    const parley_rows *rows = result->rows[2];
    queue.n = 0;
    queue.at = 0;
    for (int64_t row = 0; row < mail.db->rows_n(rows) && queue.n < BATCH_MAX; row++)
        item_read(&queue.items[queue.n++], rows, row);
    send_next();
}

static void looked(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    int64_t now_us = parley->now_us();

    (void)ud;
    if (status < 0 || mail.db->rows_n(result->rows[0]) == 0) {
        queue_idle(0);
        return;
    }
    parley->uuid7(queue.owner);
    parley_str owner = { queue.owner, MAIL_UID_CHARS };
    parley_param expire[] = { PARLEY_INT(now_us) };
    parley_param claim[] = { PARLEY_TEXT(owner), PARLEY_INT(now_us + LEASE_US),
                             PARLEY_INT(now_us) };
    parley_param read[] = { PARLEY_TEXT(owner) };
    parley_sql sql[] = { SQL(SQL_EXPIRE, expire), SQL(SQL_CLAIM, claim), SQL(SQL_CLAIMED, read) };
    if (mail.db->run(ctx, sql, COUNT(sql), 0, claimed, NULL) < 0)
        queue_idle(0);
}

/* ---- look ---- */

static void queue_look(void)
{
    parley_param params[] = { PARLEY_INT(parley->now_us()) };
    parley_sql sql = SQL(SQL_DUE, params);

    if (queue.is_busy) {
        queue.is_woken = 1;
        return;
    }
    queue.is_woken = 0;
    queue.is_busy = mail.db->run(mail.ctx, &sql, 1, PARLEY_DB_READ, looked, NULL) >= 0;
}

static void queue_tick(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)ud;
    if (status >= 0 && !queue.is_busy)
        queue_look();
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

int queue_start(void)
{
    parley_timer poll = parley->timer(mail.ctx, mail.poll_ms, mail.poll_ms, queue_tick, NULL);
    parley_timer tidy = parley->timer(mail.ctx, TIDY_MS, TIDY_MS, queue_tidy, NULL);

    if (poll.id == 0 || tidy.id == 0)
        return parley->fail(mail.ctx, "no timer");
    queue_look(); /* what a stopped server left */
    return 0;
}
