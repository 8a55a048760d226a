/* room_log.c -- stores messages: many in one transaction, each with its seq.
 *
 *   room_log_append   into the queue; if no group runs and none is awaited, one starts with what this
 *                     turn brings
 *   group_start       takes the queue's head, rooms in the order of their keys (so that workers
 *                     cannot deadlock), locks them, and stores each message: in pieces (SQLite), or
 *                     by one statement (PostgreSQL)
 *   group_done        tells each append what the database answered, and starts the next group: at
 *                     once, or with what those answer who are told (group_await_answers)
 *   group_failed      one by one, again, or unavailable, by the kind of failure
 *   group_look        the outcome is unknown: under the rooms' locks (so after whatever became of
 *                     the lost transaction) each append looks for its own message
 *
 * The membership of the sender is a guard in the statements, so it is decided in the transaction that
 * stores. */
#include "plugins/chat/room_log.h"
#include "plugins/chat/live.h"
#include "plugins/chat/meters.h"
#include "plugins/chat/sql.h"
#include <inttypes.h>
#include <stdlib.h>

enum {
    GROUP_MOST = 256,
    QUEUE_MOST = 8192,
    FAN_LARGE = 128, /* sockets to write to, from which on writing takes longer than storing */
    STATEMENTS_OF_ONE = 4,
    PARAMS_OF_ONE = 17,
    KEY_DIGITS = 20, /* and what stands before them */
    TRIES_MOST = 3,
    LOOKS_MOST = 3,
    LOOK_AGAIN_MS = 500,
    ANSWERS_MS = 3 /* that a group waits for the answers to the one before */
};

static struct {
    struct append *first, **last;
    size_t n; /* waiting */
    struct append *group[GROUP_MOST];
    uint32_t group_n;     /* in the running transaction; 0: none runs */
    bool is_due;          /* the next one starts with what this turn of the loop brings */
    size_t wanted;        /* so many that wait are enough for it; 0: it does not wait for answers */
    parley_timer answers; /* until when */
    uint32_t looks;
    int64_t began_ns; /* the running group */
} room_log = { .last = &room_log.first };

/* Parameters and statements of one run; the provider copies them before run() returns. */
static struct {
    parley_sql sql[GROUP_MOST * STATEMENTS_OF_ONE + 1]; /* and the locks */
    parley_param params[GROUP_MOST * PARAMS_OF_ONE + 1];
    uint32_t sql_n, param_n;
} batch;

static void group_start(void);
static int group_await_answers(uint32_t told);
static void group_look(void);

/* ---- the run ---- */

static void batch_add(enum sql_id id, const parley_param *params, uint32_t n)
{
    parley_param *copy = batch.params + batch.param_n;

    memcpy(copy, params, n * sizeof(*params));
    batch.param_n += n;
    batch.sql[batch.sql_n++] = (parley_sql){ .stmt = sql_prepared[id], .params = copy, .n = n };
}

/* The rooms of the group, which is sorted by them.  SQLite has one writer, so nothing to lock. */
static void batch_lock(void)
{
    static char keys[GROUP_MOST * KEY_DIGITS + 3];
    size_t n = 0;

    if (chat.is_sqlite)
        return;
    for (uint32_t i = 0; i < room_log.group_n; i++)
        if (i == 0 || room_log.group[i - 1]->room != room_log.group[i]->room)
            n += (size_t)snprintf(keys + n, sizeof(keys) - n, "%c%" PRId64, i == 0 ? '{' : ',',
                                  room_log.group[i]->room->key);
    keys[n++] = '}';
    batch_add(SQL_SEND_LOCK, &(parley_param)PARLEY_TEXT(((parley_str){ keys, n })), 1);
}

/* What became of it: its own message, or the one of the same client_msg_id. */
static void batch_answer(struct append *append)
{
    const parley_param own = PARLEY_TEXT(str_of(append->uid));
    const parley_param once[] = { PARLEY_INT(append->room->key), PARLEY_INT(append->sender),
                                  PARLEY_TEXT(append->once.id), own };

    append->answer = batch.sql_n;
    if (append->once.id.p)
        batch_add(SQL_ONCE_SENT, once, COUNT(once));
    else
        batch_add(SQL_SENT, &own, 1);
}

/* In the order in which all texts that store a message use them; returns how many. */
static uint32_t append_params(const struct append *append, parley_param ret[9])
{
    bool is_once = append->once.id.p != NULL;
    uint32_t n = 0;

    ret[n++] = (parley_param)PARLEY_INT(append->room->key);
    ret[n++] = (parley_param)PARLEY_INT(append->sender);
    if (is_once)
        ret[n++] = (parley_param)PARLEY_TEXT(append->once.id);
    ret[n++] = (parley_param)PARLEY_TEXT(str_of(append->uid));
    ret[n++] = (parley_param)PARLEY_TEXT(append->content);
    ret[n++] = (parley_param)PARLEY_INT(append->at);
    ret[n++] = sql_text_or_null(append->refers.reply_to);
    ret[n++] = sql_text_or_null(append->refers.mentions);
    if (is_once)
        ret[n++] = (parley_param)PARLEY_TEXT(str_of(append->once.hash));
    return n;
}

/* With a client_msg_id, a repeat changes nothing. */
static void batch_append(struct append *append)
{
    const parley_param event[] = { PARLEY_INT(append->room->key), PARLEY_INT(append->sender),
                                   PARLEY_INT(append->at) };
    bool is_once = append->once.id.p != NULL;
    parley_param params[9];
    uint32_t n = append_params(append, params);

    if (!chat.is_sqlite) {
        append->answer = batch.sql_n;
        batch_add(is_once ? SQL_ONCE_WHOLE : SQL_SEND_WHOLE, params, n);
        return;
    }
    batch_add(is_once ? SQL_ONCE_MESSAGE : SQL_SEND_MESSAGE, params, n);
    batch_add(SQL_SEND_SEQ, event, 1);
    batch_add(SQL_SEND_EVENT, event, COUNT(event));
    if (is_once) {
        batch_answer(append);
        return;
    }
    append->answer = batch.sql_n;
    batch_add(SQL_SEND_SENT, event, 0);
}

static int group_compare(const void *a, const void *b)
{
    const struct append *x = *(struct append *const *)a;
    const struct append *y = *(struct append *const *)b;

    if (x->room->key != y->room->key)
        return x->room->key < y->room->key ? -1 : 1;
    return x->answer < y->answer ? -1 : 1; /* the place in the queue, for now */
}

static void group_take(void)
{
    room_log.group_n = 0;
    while (room_log.first && room_log.group_n < GROUP_MOST) {
        struct append *append = room_log.first;

        if (append->is_alone && room_log.group_n > 0)
            break;
        room_log.first = append->next;
        append->next = NULL;
        append->answer = room_log.group_n;
        room_log.group[room_log.group_n++] = append;
        room_log.n--;
        if (append->is_alone)
            break;
    }
    if (!room_log.first)
        room_log.last = &room_log.first;
    parley->metric_set(meters.queue, (int64_t)room_log.n);
    qsort(room_log.group, room_log.group_n, sizeof(struct append *), group_compare);
}

/* ---- the end of an append ---- */

static void append_end(struct append *append, enum append_outcome outcome)
{
    struct room *room = append->room;

    append->done(append, outcome, NULL);
    room_unuse(room);
}

static void append_stored(struct append *append, const parley_rows *answer)
{
    struct room *room = append->room;
    struct stored stored = { .message = { .uid = str_of(append->uid),
                                          .room = str_of(room->uid),
                                          .content = append->content,
                                          .client_id = append->once.id,
                                          .reply_to = append->refers.reply_to,
                                          .mentions = append->refers.mentions } };
    parley_str uid = append->once.id.p ? chat.db->get(answer, 0, SENT_UID) : stored.message.uid;
    bool is_own = str_equal(uid, stored.message.uid);

    if (is_own) {
        parley->metric_add(meters.stored, 1);
        once_take(&stored, answer);
    } else {
        once_take_all(&stored, answer);
    }
    live_epoch(room, stored.epoch);
    append->done(append, is_own ? APPEND_STORED : APPEND_REPEATED, &stored);
    room_unuse(room);
}

static void group_end(enum append_outcome outcome)
{
    uint32_t n = room_log.group_n;

    for (uint32_t i = 0; i < n; i++)
        append_end(room_log.group[i], outcome);
    room_log.group_n = 0;
}

/* Puts the group back at the head of the queue, to be run one by one.  The sort kept each room's
 * order. */
static void group_again(void)
{
    if (room_log.group_n > 0)
        parley->metric_add(meters.repeated_tries, 1);
    for (uint32_t i = room_log.group_n; i-- > 0;) {
        struct append *append = room_log.group[i];

        append->is_alone = true;
        append->tries++;
        append->next = room_log.first;
        if (!room_log.first)
            room_log.last = &append->next;
        room_log.first = append;
        room_log.n++;
    }
    room_log.group_n = 0;
}

/* ---- answers ---- */

static void group_failed(int status)
{
    bool is_one = room_log.group_n == 1;
    uint32_t tries = room_log.group[0]->tries;

    switch (status) {
    case PARLEY_DB_UNKNOWN:
        room_log.looks = 0;
        group_look();
        return;
    case PARLEY_DB_BUSY:
        if (tries < TRIES_MOST)
            group_again();
        else
            group_end(APPEND_UNAVAILABLE);
        break;
    case PARLEY_DB_UNIQUE:
    case PARLEY_DB_FOREIGN_KEY:
    case PARLEY_DB_CHECK:
    case PARLEY_DB_ERROR:
        if (!is_one)
            group_again();
        else
            group_end(APPEND_FAILED);
        break;
    default: /* away, full, read-only: one by one would be no better */
        group_end(APPEND_UNAVAILABLE);
        break;
    }
    group_start();
}

static void group_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx, (void)ud;
    if (status < 0) { /* the store has logged the reason */
        group_failed(status);
        return;
    }
    static struct append *told[GROUP_MOST]; /* loop thread only */
    uint32_t n = room_log.group_n;
    uint64_t fan = 0;

    parley->metric_observe(meters.group_size, n);
    parley->metric_observe(meters.commit_time, (parley->mono_ns() - room_log.began_ns) / 1000);
    for (uint32_t i = 0; i < n; i++) {
        told[i] = room_log.group[i];
        fan += told[i]->room->watchers;
    }
    room_log.group_n = 0;
    /* The database stores the next group while this one is told.  But what many sockets are told costs
     * as much for one message as for several, and what they answer comes right behind it: the next
     * group takes that along, and so there are half as many of them, twice as large. */
    bool takes_along = !room_log.first || !room_log.first->is_alone;
    if (fan < FAN_LARGE || room_log.n >= GROUP_MOST || !takes_along || group_await_answers(n) < 0)
        group_start();
    for (uint32_t i = 0; i < n; i++) {
        const parley_rows *answer = result->rows[told[i]->answer];

        if (chat.db->rows_n(answer) > 0)
            append_stored(told[i], answer);
        else
            append_end(told[i], APPEND_REFUSED);
    }
}

static void group_turn(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)status, (void)ud;
    room_log.is_due = false;
    group_start();
}

/* With all that this turn of the loop reads. */
static int group_start_soon(void)
{
    int err = parley->post(chat.ctx, group_turn, NULL);

    room_log.is_due = err >= 0;
    return err;
}

static void answers_late(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)status, (void)ud;
    room_log.answers.id = 0;
    room_log.wanted = 0;
    group_start();
}

/* All are told: the time counts from here. */
static void answers_from_now(parley_ctx *ctx, int status, void *ud)
{
    (void)status, (void)ud;
    if (room_log.wanted == 0)
        return;
    room_log.answers = parley->timer(ctx, ANSWERS_MS, 0, answers_late, NULL);
    if (!room_log.answers.id)
        answers_late(ctx, PARLEY_OK, NULL);
}

/* One to each that was told, while they come at once. */
static int group_await_answers(uint32_t told)
{
    int err = parley->post(chat.ctx, answers_from_now, NULL);

    if (err >= 0)
        room_log.wanted = room_log.n + told < GROUP_MOST ? room_log.n + told : GROUP_MOST;
    return err;
}

/* One more is waiting. */
static int group_more(void)
{
    if (room_log.group_n > 0 || room_log.is_due || room_log.n + 1 < room_log.wanted)
        return PARLEY_OK;
    int err = group_start_soon();

    if (err < 0 && room_log.wanted > 0)
        return PARLEY_OK; /* the timer comes */
    if (room_log.answers.id)
        (void)parley->timer_stop(room_log.answers);
    room_log.answers.id = 0;
    room_log.wanted = 0;
    return err;
}

static void group_start(void)
{
    while (room_log.group_n == 0 && room_log.first) {
        group_take();
        batch.sql_n = batch.param_n = 0;
        room_log.began_ns = parley->mono_ns();
        batch_lock();
        for (uint32_t i = 0; i < room_log.group_n; i++)
            batch_append(room_log.group[i]);
        if (chat.db->run(chat.ctx, batch.sql, batch.sql_n, 0, group_done, NULL) < 0)
            group_end(APPEND_UNAVAILABLE);
    }
}

/* ---- the outcome is unknown ---- */

static void look_again(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    if (status < 0)
        room_log.looks = LOOKS_MOST; /* the server stops */
    group_look();
}

static void look_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    uint32_t missing = 0;

    (void)ctx, (void)ud;
    if (status < 0) {
        if (!parley->timer(chat.ctx, LOOK_AGAIN_MS, 0, look_again, NULL).id)
            group_look();
        return;
    }
    for (uint32_t i = 0; i < room_log.group_n; i++) {
        struct append *append = room_log.group[i];
        const parley_rows *answer = result->rows[append->answer];

        if (chat.db->rows_n(answer) > 0)
            append_stored(append, answer);
        else if (append->tries < TRIES_MOST)
            room_log.group[missing++] = append;
        else
            append_end(append, APPEND_UNAVAILABLE);
    }
    room_log.group_n = missing;
    group_again();
    group_start();
}

static void group_look(void)
{
    while (room_log.looks++ < LOOKS_MOST) {
        batch.sql_n = batch.param_n = 0;
        batch_lock();
        for (uint32_t i = 0; i < room_log.group_n; i++)
            batch_answer(room_log.group[i]);
        if (chat.db->run(chat.ctx, batch.sql, batch.sql_n, 0, look_done, NULL) >= 0)
            return;
        if (parley->timer(chat.ctx, LOOK_AGAIN_MS, 0, look_again, NULL).id)
            return;
    }
    group_end(APPEND_UNAVAILABLE);
    group_start();
}

int room_log_append(struct append *append)
{
    if (room_log.n >= QUEUE_MOST)
        return PARLEY_EAGAIN;
    /* A group that cannot be run ends its appends, and that must not happen inside this call. */
    if (group_more() < 0)
        return PARLEY_EAGAIN;
    append->next = NULL;
    append->tries = 0;
    append->is_alone = false;
    append->at = parley->now_us();
    parley->uuid7(append->uid);
    room_use_again(append->room);
    *room_log.last = append;
    room_log.last = &append->next;
    room_log.n++;
    return PARLEY_OK;
}
