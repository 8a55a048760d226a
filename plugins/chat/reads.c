/* reads.c -- how far members have read: the frame {"type":"read","read_seq":...}, what becomes of it,
 * and the frame that the others are shown.
 *
 *   read_event    a mark into the list of those that wait
 *   reads_turn    a third of a second after the first: one mark per member, the furthest; up to
 *                 BATCH_MOST of them in one transaction
 *   reads_stored  tells the others of each that has moved; goes on, or tries again when the database
 *                 is away
 *
 * So a member costs one write and one frame in that time, however much his clients say, and nothing
 * is shown that is not stored.  What a client says in frames is not acknowledged: the last third of
 * a second is lost with the worker. */
#include "plugins/chat/reads.h"
#include "plugins/chat/access.h"
#include "plugins/chat/fields.h"
#include "plugins/chat/live.h"
#include "plugins/chat/place.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"
#include <stdlib.h>

enum {
    WAIT_MS = 300,
    AGAIN_MS = 1000, /* the database does not answer */
    BATCH_MOST = 64,
    MARKS_MOST = 8192 /* that wait; over it the newest is dropped: clients say it again */
};

static struct {
    struct read_mark *marks;
    uint32_t n, space;
    uint32_t added; /* since they were merged */
    struct read_mark batch[BATCH_MOST];
    uint32_t batch_n;      /* being stored; 0: nothing is */
    parley_timer timer;    /* id 0: nothing waits, or a batch runs */
    void (*stopped)(void); /* the server stops */
} reads;

/* ---- what clients say ---- */

static bool seq_parse(const parley_json *in, const char *name, int64_t *ret, parley_json *errors)
{
    const parley_json *value = parley->json_get(in, name);
    int64_t seq = parley->json_type(value) == PARLEY_J_NUM ? parley->json_int(value, -1) : -1;

    *ret = seq < 0 ? 0 : seq;
    if (value && seq < 0)
        field_error(errors, name, "A valid integer is required.");
    return !value || seq >= 0;
}

bool reads_parse(const parley_json *in, struct read_mark *ret, parley_json *errors)
{
    bool is_sound = seq_parse(in, "read_seq", &ret->read, errors);

    is_sound &= seq_parse(in, "delivered_seq", &ret->delivered, errors);
    if (ret->delivered < ret->read)
        ret->delivered = ret->read;
    if (parley->json_get(in, "read_seq") || parley->json_get(in, "delivered_seq"))
        return is_sound;
    field_error(errors, "read_seq", "This field is required.");
    return false;
}

int read_event(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_conn conn = parley->req_conn(req);
    const struct room *room = place_room(req);
    struct read_mark mark = { .user = access_caller(req), .from = conn };

    (void)ctx, (void)ud;
    if (!room)
        return PARLEY_DENY;
    if (mark.user == 0)
        return PARLEY_DONE; /* the socket is on its way out */
    if (!reads_parse(parley->req_json(req), &mark, NULL)) {
        parley_json *errors = parley->json_obj();

        (void)reads_parse(parley->req_json(req), &mark, errors);
        parley->deny_fields(req, errors);
        return PARLEY_DENY;
    }
    uid_copy(mark.room, str_of(room->uid));
    int err = reads_add(&mark);

    return err < 0 ? err : PARLEY_DONE;
}

/* ---- storing and telling ---- */

void reads_ask(const struct read_mark *mark, struct reads_ask *ret,
               parley_sql sql[READS_STATEMENTS])
{
    const parley_param user = PARLEY_INT(mark->user);
    const parley_param room = PARLEY_TEXT(str_of(mark->room));

    *ret = (struct reads_ask){
        .move = { PARLEY_INT(mark->read), PARLEY_INT(mark->delivered), user, room },
        .state = { user, room },
    };
    sql[READS_MOVE] = (parley_sql)SQL(SQL_READ_MOVE, ret->move);
    sql[READS_STATE] = (parley_sql)SQL(SQL_READ_STATE, ret->state);
}

static parley_json *reads_render(const struct read_mark *mark, const parley_rows *state)
{
    const parley_db *db = chat.db;
    parley_json *out = parley->json_obj();

    parley->json_set(out, "type", parley->json_s(PARLEY_S("read")));
    parley->json_set(out, "room", parley->json_s(str_of(mark->room)));
    parley->json_set(out, "user",
                     render_user(db->get(state, 0, READ_UID), db->get(state, 0, READ_USERNAME)));
    parley->json_set(out, "read_seq", parley->json_i(db->get_int(state, 0, READ_READ, 0)));
    parley->json_set(out, "delivered_seq",
                     parley->json_i(db->get_int(state, 0, READ_DELIVERED, 0)));
    return out;
}

void reads_tell(const struct read_mark *mark, const parley_rows *const *rows)
{
    const parley_rows *state = rows[READS_STATE];
    bool has_moved = chat.db->rows_n(rows[READS_MOVE]) > 0 && chat.db->rows_n(state) > 0;

    if (!has_moved)
        return;
    /* His own sockets for all rooms are told what is unread by then, however many the others are. */
    bool is_told = chat.db->get_int(state, 0, READ_MEMBERS, 0) <= READ_TOLD_MOST;

    live_tell(str_of(mark->room), EVENT_READ, mark->user,
              is_told ? reads_render(mark, state) : NULL, mark->from);
}

/* ---- the list ---- */

static int reads_order(const void *a, const void *b)
{
    const struct read_mark *x = a;
    const struct read_mark *y = b;
    int order = strcmp(x->room, y->room);

    return order ? order : (x->user > y->user) - (x->user < y->user);
}

/* One mark per member, in an order that is the same in all workers, so that their transactions do
 * not wait for each other in a ring. */
static void reads_merge(void)
{
    uint32_t n = 0;

    if (reads.n > 1)
        qsort(reads.marks, reads.n, sizeof(*reads.marks), reads_order);
    for (uint32_t i = 0; i < reads.n; i++) {
        struct read_mark *last = n > 0 ? &reads.marks[n - 1] : NULL;
        const struct read_mark *mark = &reads.marks[i];

        if (!last || reads_order(last, mark) != 0) {
            reads.marks[n++] = *mark;
            continue;
        }
        last->read = mark->read > last->read ? mark->read : last->read;
        last->delivered = mark->delivered > last->delivered ? mark->delivered : last->delivered;
        last->from = mark->from;
    }
    reads.n = n;
    reads.added = 0;
}

/* When all places are taken: to sort them for every mark would cost more than it finds. */
static bool reads_may_merge(void)
{
    return reads.n == reads.space && reads.n > BATCH_MOST && reads.added >= reads.space / 4;
}

static int reads_put(const struct read_mark *mark)
{
    if (reads_may_merge())
        reads_merge();
    if (reads.n == MARKS_MOST)
        return PARLEY_OK;
    if (reads.n == reads.space) {
        uint32_t space = reads.space ? reads.space * 2 : BATCH_MOST;
        struct read_mark *more = realloc(reads.marks, space * sizeof(*more));

        if (!more)
            return PARLEY_ENOMEM;
        reads.marks = more;
        reads.space = space;
    }
    reads.marks[reads.n++] = *mark;
    reads.added++;
    return PARLEY_OK;
}

static void reads_take(void)
{
    reads_merge();
    reads.batch_n = reads.n < BATCH_MOST ? reads.n : BATCH_MOST;
    memcpy(reads.batch, reads.marks, reads.batch_n * sizeof(*reads.batch));
    reads.n -= reads.batch_n;
    memmove(reads.marks, reads.marks + reads.batch_n, reads.n * sizeof(*reads.marks));
}

/* ---- a batch ---- */

static void reads_store(void);

static void reads_end(void)
{
    void (*stopped)(void) = reads.stopped;

    free(reads.marks);
    reads.marks = NULL;
    reads.n = reads.space = reads.added = 0;
    reads.stopped = NULL;
    stopped();
}

static void reads_turn(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    reads.timer = (parley_timer){ 0 };
    if (status >= 0)
        reads_store();
}

/* Without memory for the timer the next mark tries again. */
static void reads_arm(int64_t wait_ms)
{
    if (reads.n > 0 && !reads.timer.id && reads.batch_n == 0)
        reads.timer = parley->timer(chat.ctx, wait_ms, 0, reads_turn, NULL);
}

/* Storing a place twice changes nothing, so whatever may not have happened is done again; what can
 * never be stored is not. */
static void reads_failed(int status)
{
    uint32_t n = reads.batch_n;

    reads.batch_n = 0;
    if (reads.stopped) {
        reads_end();
        return;
    }
    for (uint32_t i = 0; status != PARLEY_DB_ERROR && i < n; i++)
        (void)reads_put(&reads.batch[i]);
    reads_arm(AGAIN_MS);
}

static void reads_stored(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx, (void)ud;
    if (status < 0) {
        reads_failed(status);
        return;
    }
    for (uint32_t i = 0; i < reads.batch_n; i++)
        reads_tell(&reads.batch[i], result->rows + (size_t)i * READS_STATEMENTS);
    reads.batch_n = 0;
    reads_store();
}

static void reads_store(void)
{
    static struct reads_ask asks[BATCH_MOST]; /* run() copies them */
    static parley_sql sql[BATCH_MOST * READS_STATEMENTS];

    if (reads.batch_n > 0)
        return;
    if (reads.n == 0) {
        if (reads.stopped)
            reads_end();
        return;
    }
    reads_take();
    for (uint32_t i = 0; i < reads.batch_n; i++)
        reads_ask(&reads.batch[i], &asks[i], sql + (size_t)i * READS_STATEMENTS);
    int err = chat.db->run(chat.ctx, sql, reads.batch_n * READS_STATEMENTS, 0, reads_stored, NULL);

    if (err < 0)
        reads_failed(err);
}

int reads_add(const struct read_mark *mark)
{
    int err = reads_put(mark);

    reads_arm(WAIT_MS);
    return err;
}

void reads_stop(void (*done)(void))
{
    reads.stopped = done;
    if (reads.timer.id)
        parley->timer_stop(reads.timer);
    reads.timer = (parley_timer){ 0 };
    reads_store();
}
