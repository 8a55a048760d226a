/* live_log.c -- reads a room's log from a position on, as events ready to be shown.
 *
 * The log holds no content: a message is shown as it is now, by its creation and by each of its
 * edits.  Whatever happened to one that has been deleted since is shown as the deletion, at its own
 * seq, so that no seq is skipped and no content appears. */
#include "plugins/chat/live_log.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"
#include <stdlib.h>

struct log_ask {
    struct room *room;
    live_log_fn fn;
};

static parley_json *log_message(const struct log_page *page, int64_t i,
                                const struct event_head *head)
{
    const parley_db *db = chat.db;
    const parley_rows *rows = page->rows;
    struct message message = { .uid = db->get(rows, i, LOG_MESSAGE),
                               .room = page->room,
                               .content = db->get(rows, i, LOG_CONTENT),
                               .client_id = db->get(rows, i, LOG_CLIENT),
                               .seq = head->seq,
                               .created_at = db->get_int(rows, i, LOG_CREATED, 0),
                               .edited_at = db->get_int(rows, i, LOG_EDITED, 0),
                               .reply_to = db->get(rows, i, LOG_REPLY_TO),
                               .mentions = db->get(rows, i, LOG_MENTIONS) };

    render_take_sender(&message, rows, i, LOG_SENDER);
    return render_message_event(&message, page->epoch);
}

static parley_json *log_deletion(const struct log_page *page, int64_t i,
                                 const struct event_head *head)
{
    const parley_db *db = chat.db;
    struct deletion deletion = { .message = db->get(page->rows, i, LOG_MESSAGE),
                                 .actor_uid = db->get(page->rows, i, LOG_ACTOR),
                                 .actor_username = db->get(page->rows, i, LOG_ACTOR_NAME),
                                 .deleted_at = db->get_int(page->rows, i, LOG_DELETED, 0) };

    return render_deletion_event(head, &deletion);
}

static parley_json *log_edit(const struct log_page *page, int64_t i, const struct event_head *head)
{
    const parley_db *db = chat.db;
    struct edit edit = { .message = db->get(page->rows, i, LOG_MESSAGE),
                         .content = db->get(page->rows, i, LOG_CONTENT),
                         .mentions = db->get(page->rows, i, LOG_MENTIONS),
                         .edited_at = db->get_int(page->rows, i, LOG_EDITED, 0),
                         .actor_uid = db->get(page->rows, i, LOG_ACTOR),
                         .actor_username = db->get(page->rows, i, LOG_ACTOR_NAME) };

    return render_edit_event(head, &edit);
}

static parley_json *log_reaction(const struct log_page *page, int64_t i, bool is_added,
                                 const struct event_head *head)
{
    const parley_db *db = chat.db;
    struct reaction reaction = { .message = db->get(page->rows, i, LOG_MESSAGE),
                                 .emoji = db->get(page->rows, i, LOG_EMOJI),
                                 .is_added = is_added,
                                 .n = db->get_int(page->rows, i, LOG_REACTIONS, 0),
                                 .actor_uid = db->get(page->rows, i, LOG_ACTOR),
                                 .actor_username = db->get(page->rows, i, LOG_ACTOR_NAME) };

    return render_reaction_event(head, &reaction);
}

static parley_json *log_change(const struct log_page *page, int64_t i, uint32_t kind,
                               const struct event_head *head)
{
    const parley_db *db = chat.db;
    struct change change = { .kind = kind,
                             .user_uid = db->get(page->rows, i, LOG_USER),
                             .user_username = db->get(page->rows, i, LOG_USERNAME),
                             .name = page->name,
                             .actor_uid = db->get(page->rows, i, LOG_ACTOR),
                             .actor_username = db->get(page->rows, i, LOG_ACTOR_NAME) };

    return render_change_event(head, &change);
}

parley_json *log_frame(const struct log_page *page, int64_t i)
{
    const parley_db *db = chat.db;
    uint32_t kind = (uint32_t)db->get_int(page->rows, i, LOG_KIND, 0);
    bool is_deleted = db->get(page->rows, i, LOG_DELETED).p != NULL;
    struct event_head head = { .room = page->room,
                               .epoch = page->epoch,
                               .seq = db->get_int(page->rows, i, LOG_SEQ, 0),
                               .at = db->get_int(page->rows, i, LOG_AT, 0) };

    if (is_deleted)
        return log_deletion(page, i, &head);
    switch (kind) {
    case EVENT_MESSAGE:
        return log_message(page, i, &head);
    case EVENT_MESSAGE_EDITED:
        return log_edit(page, i, &head);
    case EVENT_REACTION_ADDED:
    case EVENT_REACTION_REMOVED:
        return log_reaction(page, i, kind == EVENT_REACTION_ADDED, &head);
    case EVENT_MESSAGE_SINCE_DELETED:
    case EVENT_MESSAGE_DELETED:
        return log_deletion(page, i, &head);
    case EVENT_MEMBER_ADDED:
    case EVENT_MEMBER_REMOVED:
    case EVENT_ROOM_UPDATED:
        return log_change(page, i, kind, &head);
    default:
        return NULL; /* a newer version's */
    }
}

bool log_is_known(uint32_t kind)
{
    return kind <= EVENT_REACTION_REMOVED;
}

void log_page_event(const struct log_page *page, int64_t i, struct room_event *ret)
{
    parley_str user = chat.db->get(page->rows, i, LOG_USER);
    parley_json *data = log_frame(page, i);

    *ret = (struct room_event){ .seq = chat.db->get_int(page->rows, i, LOG_SEQ, 0),
                                .kind = (uint32_t)chat.db->get_int(page->rows, i, LOG_KIND, 0) };
    if (user.p && user.n < sizeof(ret->user))
        memcpy(ret->user, user.p, user.n);
    if (!data)
        return;
    ret->frame = parley->frame(NULL, data, 0);
    parley->json_free(data);
}

static void log_answered(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct log_ask ask = *(struct log_ask *)ud;
    struct log_page page = { .room = str_of(ask.room->uid) };
    int64_t last_seq = -1;

    (void)ctx;
    free(ud);
    if (status >= 0) {
        last_seq = chat.db->get_int(result->rows[0], 0, HEAD_LAST_SEQ, -1);
        page.epoch = chat.db->get(result->rows[0], 0, HEAD_EPOCH);
        page.name = chat.db->get(result->rows[0], 0, HEAD_NAME);
        page.rows = result->rows[1];
        page.n = chat.db->rows_n(result->rows[1]);
    }
    ask.fn(ask.room, status, last_seq, &page);
    room_unuse(ask.room);
}

int live_log_ask(struct room *room, int64_t after, live_log_fn fn)
{
    const parley_param of_room[] = { PARLEY_INT(room->key) };
    const parley_param from[] = { PARLEY_INT(room->key), PARLEY_INT(after),
                                  PARLEY_INT(LOG_PAGE_MOST) };
    const parley_sql sql[] = { SQL(SQL_HEAD, of_room), SQL(SQL_LOG, from) };
    struct log_ask *ask = malloc(sizeof(*ask));

    if (!ask)
        return PARLEY_ENOMEM;
    *ask = (struct log_ask){ room, fn };
    int err = chat.db->run(chat.ctx, sql, COUNT(sql), PARLEY_DB_READ, log_answered, ask);

    if (err < 0) {
        free(ask);
        return err;
    }
    room_use_again(room);
    return PARLEY_OK;
}
