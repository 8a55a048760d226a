/* room_show.c -- GET /api/chat/rooms/:id/
 *
 *   ask      SQL: the room and its people, if the caller is one of them
 *   reply    200 the room, 304, 404
 */
#include "plugins/chat/room_show.h"
#include "plugins/chat/access.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"
#include "plugins/common/etag.h"
#include <stdlib.h>

/* Of the room, and first of what its creator decides: messages and what one has read change the
 * answer, but nothing that a change of the room could undo.  false: no memory. */
static bool room_tag(const parley_json *room, parley_str text, char ret[ETAG_SIZE])
{
    parley_str name = parley->json_str(parley->json_get(room, "name"));
    parley_str at = parley->json_str(parley->json_get(room, "updated_at"));
    parley_str people = parley->json_text(chat.ctx, parley->json_get(room, "participants"));
    size_t size = name.n + at.n + people.n + 2;
    char *kept = text.p && people.p ? malloc(size) : NULL;

    if (!kept)
        return false;
    int n = snprintf(kept, size, "%.*s\n%.*s", (int)at.n, at.p, (int)people.n, people.p);

    memcpy(kept + n, name.p, name.n);
    etag_of_both((parley_str){ kept, (size_t)n + name.n }, text, ret);
    free(kept);
    return true;
}

int room_reply(parley_req req, int status, const parley_rows *room, const parley_rows *people)
{
    int64_t next_person = 0;
    parley_json *shown = render_room(room, 0, people, &next_person, parley->user(req));
    parley_str text = parley->json_text(chat.ctx, shown);
    char tag[ETAG_SIZE];

    if (!room_tag(shown, text, tag)) /* the server refuses it, or tells it without a tag */
        return parley->reply_json(req, status, shown);
    int err = etag_reply(req, status, tag, text);

    parley->json_free(shown);
    return err;
}

bool room_is_as_seen(parley_req req, const parley_rows *room, const parley_rows *people)
{
    int64_t next_person = 0;
    parley_json *shown = render_room(room, 0, people, &next_person, parley->user(req));
    char tag[ETAG_SIZE];
    bool is_so = room_tag(shown, parley->json_text(chat.ctx, shown), tag) &&
                 etag_is_kept(parley->req_header(req, "If-Match"), tag);

    parley->json_free(shown);
    return is_so;
}

static int show_ask(parley_flow *flow)
{
    const parley_param room[] = { PARLEY_INT(access_caller(flow->req)),
                                  PARLEY_TEXT(parley->req_param(flow->req, "id")) };
    const parley_sql sql[] = { SQL(SQL_ROOM, room), SQL(SQL_ROOM_PEOPLE, room) };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static int show_reply(parley_flow *flow)
{
    const parley_rows *const *rows = flow->result->rows;

    if (flow->db->rows_n(rows[0]) == 0)
        return access_deny_not_found(flow->req);
    room_reply(flow->req, 200, rows[0], rows[1]);
    return PARLEY_FLOW_DONE;
}

int room_show(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { show_ask, show_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, 0, steps, COUNT(steps));
}
