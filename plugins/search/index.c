/* index.c -- follows `messages` in the background; nobody who sends waits for it.
 *
 *   look      SQL: is anything to be done, and does nobody else do it?    every `poll`, any worker
 *   fetch     SQL: a batch of messages that are new, or have changed or gone
 *   cut       into tokens, in the pool
 *   write     SQL: the lease, the batch and the position after it, in one transaction: nothing, if
 *             another worker was faster
 *
 * Whatever is interrupted is done again from the position that was written last.  Until then a message
 * is not found; one that has changed is not found by its old text, since lookup.c looks at it again. */
#include "plugins/search/index.h"
#include <string.h>

enum { PAUSE_MS = 5, PAUSE_AFTER_FAILURE_MS = 2000, MANY = 1000 /* worth a line in the log */ };
#define PROGRESS_US INT64_C(10000000)

static struct {
    bool is_stopping;
    bool has_failed; /* and the log says so */
    parley_timer timer;
    char owner[37];
    struct batch batch;
    int64_t newest;   /* messages.id */
    bool was_refused; /* the last batch broke a constraint */
    /* of a long way: how many are done, and when the log was told; 0: it is not long */
    int64_t done_n, told_us;
} indexer;

static void index_tick(parley_ctx *ctx, int status, void *ud);

static parley_str owner(void)
{
    return (parley_str){ indexer.owner, strlen(indexer.owner) };
}

static void index_arm(int64_t ms)
{
    indexer.timer = (parley_timer){ 0 };
    if (!indexer.is_stopping)
        indexer.timer = parley->timer(search.ctx, ms, 0, index_tick, NULL);
}

/* status   < 0: what failed */
static void index_rest(int status)
{
    batch_free(&indexer.batch);
    if (status < 0 && !indexer.has_failed && !indexer.is_stopping)
        parley_logf(search.ctx, PARLEY_WARN,
                    "messages cannot be indexed now (%d), will try again; search finds older ones",
                    status);
    if (status >= 0 && indexer.has_failed)
        parley->log(search.ctx, PARLEY_INFO, PARLEY_S("messages are indexed again"));
    indexer.has_failed = status < 0;
    index_arm(status < 0 ? PAUSE_AFTER_FAILURE_MS : search.poll_ms);
}

/* One line when a long way begins, one each time it has gone on for a while, one at its end. */
static void index_tell(const struct batch *batch)
{
    int64_t now_us = parley->now_us(), left = indexer.newest - batch->to;
    bool is_begin = indexer.told_us == 0;

    if (batch->kind != INDEX_NEW || (is_begin && left < MANY))
        return;
    indexer.done_n += (int64_t)batch->n;
    if (!batch->is_full) {
        parley_logf(search.ctx, PARLEY_INFO, "all messages can be searched, %lld were indexed",
                    (long long)indexer.done_n);
        indexer.told_us = 0;
        indexer.done_n = 0;
        return;
    }
    if (!is_begin && now_us - indexer.told_us < PROGRESS_US)
        return;
    parley_logf(search.ctx, PARLEY_INFO, "indexed %lld messages for the search, about %lld to go",
                (long long)indexer.done_n, (long long)left);
    indexer.told_us = now_us;
}

/* ---- write ---- */

static void index_written(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx, (void)result, (void)ud;
    bool is_more = status >= 0 && indexer.batch.is_full;
    bool is_refused = status == PARLEY_DB_CHECK || status == PARLEY_DB_UNIQUE;

    /* Another worker was faster; or an id is in the index already: given again by SQLite, or of a
     * message that changed before it was its turn.  What has changed and comes between says nothing
     * of that. */
    if (indexer.batch.kind != INDEX_TODO)
        indexer.was_refused = is_refused;
    if (status >= 0)
        index_tell(&indexer.batch);
    index_rest(is_refused ? PARLEY_OK : status);
    if (!is_more || !indexer.timer.id)
        return;
    (void)parley->timer_stop(indexer.timer);
    index_arm(PAUSE_MS);
}

static void index_write(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    if (status >= 0)
        status = indexer.batch.is_faulty ? PARLEY_ENOMEM
                                         : batch_write(&indexer.batch, owner(), index_written);
    if (status < 0)
        index_rest(status);
}

/* ---- fetch ---- */

static void index_fetched(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ud;
    if (status >= 0) {
        batch_take(&indexer.batch, result->rows[0]);
        status = parley->work(ctx, batch_cut, index_write, &indexer.batch);
    }
    if (status < 0)
        index_rest(status);
}

static int index_fetch(parley_ctx *ctx)
{
    const struct batch *batch = &indexer.batch;
    parley_param todo[] = { PARLEY_INT(BATCH_MOST) };
    parley_param new[] = { PARLEY_INT(batch->from), PARLEY_INT(BATCH_MOST) };
    parley_param again[] = { PARLEY_INT(batch->from), PARLEY_INT(batch->to),
                             PARLEY_INT(BATCH_MOST) };
    const parley_sql sql[] = {
        [INDEX_TODO] = SQL(SQL_TODO, todo),
        [INDEX_NEW] = SQL(SQL_NEW, new),
        [INDEX_AGAIN] = SQL(SQL_AGAIN, again),
    };

    if (batch->kind == INDEX_MARK) /* nothing to fetch */
        return batch_write(batch, owner(), index_written);
    return search.db->run(ctx, &sql[batch->kind], 1, PARLEY_DB_READ, index_fetched, NULL);
}

/* ---- look ---- */

static enum index_kind index_choose(const parley_rows *rows, struct batch *batch)
{
    const parley_db *db = search.db;
    int64_t at = db->get_int(rows, 0, LOOK_AT, 0);
    int64_t again = db->get_int(rows, 0, LOOK_AGAIN, 0);
    int64_t mark = db->get_int(rows, 0, LOOK_MARK, 0);
    bool is_mark_reached =
        db->get_int(rows, 0, LOOK_HORIZON, 0) >= db->get_int(rows, 0, LOOK_MARK_HORIZON, INT64_MAX);

    indexer.newest = db->get_int(rows, 0, LOOK_NEWEST, 0);
    batch->from = at;
    batch->to = at;
    batch->is_full = false;
    /* In turns, so that a great purge does not hold up what is new. */
    if (db->get(rows, 0, LOOK_TODO).p && (batch->kind != INDEX_TODO || indexer.newest <= at))
        return INDEX_TODO;
    if (indexer.newest > at)
        return INDEX_NEW;
    if (again >= mark)
        return mark < at ? INDEX_MARK : INDEX_NOTHING;
    batch->from = again;
    batch->to = mark;
    return is_mark_reached ? INDEX_AGAIN : INDEX_NOTHING;
}

static void index_looked(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ud;
    if (status < 0) {
        index_rest(status);
        return;
    }
    const parley_rows *rows = result->rows[0];
    parley_str holder = search.db->get(rows, 0, LOOK_OWNER);
    bool is_ours = holder.n == owner().n && memcmp(holder.p, indexer.owner, holder.n) == 0;
    bool is_held = search.db->get_int(rows, 0, LOOK_LEASE_UNTIL, 0) >= parley->now_us();
    int err = PARLEY_OK;

    indexer.batch.kind = index_choose(rows, &indexer.batch);
    indexer.batch.is_first = indexer.batch.kind != INDEX_TODO && !indexer.was_refused;
    if (indexer.is_stopping)
        return;
    if (indexer.batch.kind == INDEX_NOTHING || (is_held && !is_ours))
        index_rest(PARLEY_OK);
    else
        err = index_fetch(ctx);
    if (err < 0)
        index_rest(err);
}

static void index_tick(parley_ctx *ctx, int status, void *ud)
{
    const parley_sql sql[] = { { .stmt = sql_prepared[SQL_LOOK] } };

    (void)ud;
    indexer.timer = (parley_timer){ 0 };
    if (status < 0 || indexer.is_stopping)
        return;
    int err = search.db->run(ctx, sql, COUNT(sql), PARLEY_DB_READ, index_looked, NULL);

    if (err < 0)
        index_rest(err);
}

int index_start(void)
{
    memset(&indexer, 0, sizeof(indexer));
    parley->uuid7(indexer.owner);
    index_arm(PAUSE_MS);
    return indexer.timer.id ? PARLEY_OK : parley->fail(search.ctx, "no timer");
}

void index_stop(void)
{
    indexer.is_stopping = true;
    if (indexer.timer.id)
        (void)parley->timer_stop(indexer.timer);
    indexer.timer = (parley_timer){ 0 };
}
