/* history_tag.c -- the tag of a page of messages, and 304 for one that has not changed.
 *
 * Whatever happens to a message is an event of its room, so the head of the log, the epoch and the
 * number of messages (which changes alone when old ones are purged) say whether a page is as it
 * was: one indexed row, without a look at the messages. */
#include "plugins/chat/access.h"
#include "plugins/chat/history.h"
#include "plugins/chat/sql.h"
#include <inttypes.h>

void history_tag_of(parley_req req, const struct history_head *head, parley_str page,
                    char ret[ETAG_SIZE])
{
    char text[1024];
    parley_str version = parley->server("version"); /* another one may show more of a message */
    parley_str site = parley->req_url(req);         /* next and previous begin with it */
    parley_str room = parley->req_param(req, "id");
    parley_str user = parley->user(req); /* which reactions are his own */
    int n = snprintf(text, sizeof(text), "%.*s %.*s %.*s %.*s %.*s %" PRId64 " %" PRId64 " %.*s",
                     (int)version.n, version.p, (int)room.n, room.p, (int)user.n, user.p,
                     (int)head->epoch.n, head->epoch.p, (int)page.n, page.p, head->last_seq,
                     head->count, (int)site.n, site.p);

    etag_of((parley_str){ text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 }, ret);
}

void history_tag(const parley_flow *flow, parley_str page, char ret[ETAG_SIZE])
{
    const parley_rows *rows = flow->result->rows[0];
    struct history_head head = { .epoch = flow->db->get(rows, 0, COUNT_EPOCH),
                                 .last_seq = flow->db->get_int(rows, 0, COUNT_LAST_SEQ, 0),
                                 .count = flow->db->get_int(rows, 0, COUNT_MESSAGES, 0) };

    history_tag_of(flow->req, &head, page, ret);
}

static bool is_conditional(parley_req req)
{
    return parley->req_header(req, "If-None-Match").p != NULL;
}

int history_known_ask(parley_flow *flow)
{
    const parley_param who[] = { PARLEY_INT(access_caller(flow->req)),
                                 PARLEY_TEXT(parley->req_param(flow->req, "id")) };
    const parley_sql sql[] = { SQL(SQL_HISTORY_COUNT, who) };

    if (!is_conditional(flow->req))
        return PARLEY_FLOW_NEXT;
    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

int history_known_tell(parley_flow *flow, parley_str page)
{
    char tag[ETAG_SIZE];

    if (!is_conditional(flow->req))
        return PARLEY_FLOW_NEXT;
    if (flow->db->rows_n(flow->result->rows[0]) == 0)
        return access_deny_not_found(flow->req);
    history_tag(flow, page, tag);
    return etag_reply_known(flow->req, tag) ? PARLEY_FLOW_DONE : PARLEY_FLOW_NEXT;
}
