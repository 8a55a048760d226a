/* notice.c -- the frame {"type":"unread","room","count","last_seq"} to sockets for all rooms, of those
 * rooms that they only look at.
 *
 *   notice_due        into the list of those that wait
 *   notice_turn       half a second after the first: SQL: what is unread, for up to BATCH_MOST of them
 *   notice_answered   tells; goes on with the others
 *
 * All that wait when the time is over are told, one question after the other; what becomes due meanwhile
 * waits again.  So a room costs a socket one frame and one count in that time, however much is said in
 * it, and all sockets of a worker together never more than one question at a time.  For a socket whose
 * reader is slow nothing is counted until it is drained, and then each room once. */
#include "plugins/chat/feed.h"
#include "plugins/chat/sql.h"

enum { WAIT_MS = 500, AGAIN_MS = 1000 /* the database does not answer */, BATCH_MOST = 32 };

static struct {
    struct subscription *first, **last;
    uint32_t n, left;                       /* that wait; of them, those of this round */
    struct subscription *batch[BATCH_MOST]; /* asked for; NULL: forgotten meanwhile */
    uint32_t batch_n;                       /* 0: no question is on its way */
    parley_timer timer;                     /* id 0: nothing waits, or a question is on its way */
} notices = { .last = &notices.first };

static void notice_arm(int64_t wait_ms);
static void notice_ask(void);

/* ---- the list ---- */

static void notice_unlink(struct subscription *sub)
{
    *sub->due_link = sub->due_next;
    if (sub->due_next)
        sub->due_next->due_link = sub->due_link;
    else
        notices.last = sub->due_link;
    sub->due_next = NULL;
    sub->due_link = NULL;
    notices.n--;
}

void notice_due(struct subscription *sub)
{
    if (sub->due_link || !sub->is_member || !sub->feed->conn.id || !feed_only_looks(sub))
        return;
    if (sub->feed->is_behind) {
        sub->is_owed = true;
        return;
    }
    sub->due_link = notices.last;
    *notices.last = sub;
    notices.last = &sub->due_next;
    notices.n++;
    notice_arm(WAIT_MS);
}

void notice_forget(struct subscription *sub)
{
    if (sub->due_link)
        notice_unlink(sub);
    if (sub->asked)
        notices.batch[sub->asked - 1] = NULL;
    sub->asked = 0;
    sub->is_owed = false;
}

void notice_stop(void)
{
    if (notices.timer.id)
        parley->timer_stop(notices.timer);
    notices.timer = (parley_timer){ 0 };
}

/* ---- slow readers ---- */

static void notice_drained(parley_ctx *ctx, int status, void *ud)
{
    struct feed *feed = ud;

    (void)ctx;
    feed->is_behind = false;
    for (uint32_t i = 0; status >= 0 && i < feed->n; i++) {
        if (feed->subs[i]->is_owed)
            notice_due(feed->subs[i]);
        feed->subs[i]->is_owed = false;
    }
    feed_unuse(feed);
}

/* Its frame was dropped: told is what is unread when the socket is drained.  Without memory to wait for
 * that the next thing that happens in the room tells. */
static void notice_owe(struct subscription *sub)
{
    struct feed *feed = sub->feed;

    sub->is_owed = true;
    if (feed->is_behind)
        return;
    feed->is_behind = parley->on_drain(chat.ctx, feed->conn, notice_drained, feed) >= 0;
    if (feed->is_behind)
        feed_use(feed);
}

/* ---- a question ---- */

static void notice_tell(struct subscription *sub, const parley_rows *rows)
{
    parley_json *data;

    if (chat.db->rows_n(rows) == 0 || !feed_only_looks(sub))
        return;
    data = parley->json_obj();
    parley->json_set(data, "room", parley->json_s(str_of(sub->room->uid)));
    parley->json_set(data, "count", parley->json_i(chat.db->get_int(rows, 0, UNREAD_COUNT, 0)));
    parley->json_set(data, "last_seq", parley->json_i(chat.db->get_int(rows, 0, UNREAD_LAST, 0)));
    if (feed_tell(sub->feed, "unread", data, PARLEY_F_EPHEMERAL) == PARLEY_EAGAIN)
        notice_owe(sub);
}

static void notice_answered(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    uint32_t n = notices.batch_n;

    (void)ctx, (void)ud;
    for (uint32_t i = 0; i < n; i++) {
        struct subscription *sub = notices.batch[i];

        if (!sub)
            continue;
        sub->asked = 0;
        if (status >= 0)
            notice_tell(sub, result->rows[i]);
        else
            notice_due(sub);
    }
    notices.batch_n = 0;
    if (status >= 0 && notices.left > 0 && notices.first)
        notice_ask();
    else
        notice_arm(status >= 0 ? WAIT_MS : AGAIN_MS);
}

static void notice_ask(void)
{
    parley_param who[BATCH_MOST][2];
    parley_sql sql[BATCH_MOST];
    uint32_t n = 0;

    for (; notices.first && notices.left > 0 && n < BATCH_MOST; notices.left--) {
        struct subscription *sub = notices.first;

        notice_unlink(sub);
        sub->is_owed = sub->feed->is_behind;
        if (sub->is_owed)
            continue;
        notices.batch[n] = sub;
        sub->asked = n + 1;
        who[n][0] = (parley_param)PARLEY_INT(sub->feed->user);
        who[n][1] = (parley_param)PARLEY_INT(sub->room->key);
        sql[n] = (parley_sql)SQL(SQL_UNREAD, who[n]);
        n++;
    }
    notices.batch_n = n;
    if (n == 0) {
        notice_arm(WAIT_MS);
        return;
    }
    int err = chat.db->run(chat.ctx, sql, n, PARLEY_DB_READ, notice_answered, NULL);

    if (err < 0)
        notice_answered(chat.ctx, err, NULL, NULL);
}

static void notice_turn(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    notices.timer = (parley_timer){ 0 };
    notices.left = notices.n;
    if (status >= 0)
        notice_ask();
}

/* Without memory for the timer the next one that is due tries again. */
static void notice_arm(int64_t wait_ms)
{
    if (notices.first && notices.batch_n == 0 && !notices.timer.id)
        notices.timer = parley->timer(chat.ctx, wait_ms, 0, notice_turn, NULL);
}
