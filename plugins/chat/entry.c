/* entry.c -- the way into a room.
 *
 *   entry_ask      SQL: is the caller a member, and what is the head of the log?
 *   entry_answer   not found, or on
 *   entry_wait     until this worker has shown what was stored before the answer; asks again if a
 *                  removal was shown meanwhile; not for ever
 *   entry_check    open
 */
#include "plugins/chat/entry.h"
#include "plugins/chat/live.h"
#include "plugins/chat/sql.h"

enum { BEHIND_MS = 20, BEHIND_MOST = 250 /* looks, until the client is told to try later */ };

static void entry_check(struct entry *entry);

/* A removal that was shown while we asked may be the caller's, and this answer older; or it is of a
 * log that is no more. */
static bool entry_is_stale(const struct entry *entry)
{
    return entry->last_seq < entry->room->removed_at ||
           strcmp(entry->epoch, entry->room->epoch) != 0;
}

static void entry_look(parley_ctx *ctx, int status, void *ud)
{
    struct entry *entry = ud;

    (void)ctx;
    if (status < 0 || ++entry->looks > BEHIND_MOST) {
        entry->done(entry, ENTRY_UNAVAILABLE);
        return;
    }
    if (entry_is_stale(entry)) {
        if (entry_ask(entry) < 0)
            entry->done(entry, ENTRY_UNAVAILABLE);
        return;
    }
    live_compare(entry->room, entry->last_seq);
    entry_check(entry);
}

/* What other workers stored may still be on its way here, the caller's own removal before he was
 * added again, too: a socket that is open by then would be shown what is older than itself, and be
 * closed for it. */
static void entry_wait(struct entry *entry)
{
    if (!parley->timer(chat.ctx, BEHIND_MS, 0, entry_look, entry).id)
        entry->done(entry, ENTRY_UNAVAILABLE);
}

static void entry_check(struct entry *entry)
{
    const struct room *room = entry->room;
    bool is_behind = room->order.head >= 0 && room->order.head < entry->last_seq;

    if (room->is_gone)
        entry->done(entry, ENTRY_NOT_FOUND);
    else if (is_behind || entry_is_stale(entry))
        entry_wait(entry);
    else
        entry->done(entry, ENTRY_OPEN);
}

void entry_answer(struct entry *entry, const parley_rows *rows, int64_t row, uint32_t first)
{
    struct room *room = entry->room;

    entry->last_seq = chat.db->get_int(rows, row, first + SEEN_LAST_SEQ, 0);
    room->key = chat.db->get_int(rows, row, first + SEEN_KEY, 0);
    live_epoch(room, chat.db->get(rows, row, first + SEEN_EPOCH));
    memcpy(entry->epoch, room->epoch, EPOCH_SIZE);
    entry_check(entry);
}

static void entry_answered(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct entry *entry = ud;

    (void)ctx;
    if (status < 0)
        entry->done(entry, ENTRY_UNAVAILABLE);
    else if (chat.db->rows_n(result->rows[0]) == 0)
        entry->done(entry, ENTRY_NOT_FOUND);
    else
        entry_answer(entry, result->rows[0], 0, 0);
}

int entry_ask(struct entry *entry)
{
    const parley_param who[] = { PARLEY_INT(entry->caller), PARLEY_TEXT(str_of(entry->room->uid)) };
    const parley_sql sql[] = { SQL(SQL_ROOM_SEEN, who) };

    return chat.db->run(chat.ctx, sql, COUNT(sql), PARLEY_DB_READ, entry_answered, entry);
}
