/* presence_list.c -- GET /api/chat/rooms/:id/presence/: who of a room's members is there.
 *
 *   list_ask        SQL: is the caller a member, and a page of members
 *   list_members    404; parley.kv: each of them
 *   list_tell       200, in the order in which they have accounts; 503
 */
#include "plugins/chat/access.h"
#include "plugins/chat/presence.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"
#include "plugins/common/list.h"

struct member {
    struct presence_ask ask;
    struct listing *of;
    char uid[UID_SIZE];
    parley_str username;
    enum presence_status status;
};

struct listing {
    struct page page;
    parley_flow *flow;
    int64_t count, n; /* members of the room, and of the page */
    struct member *members;
    int64_t open; /* answers that are on their way */
    bool has_failed, is_waiting;
};

enum { LIST_ROOM, LIST_COUNT, LIST_PAGE };

static int list_ask(parley_flow *flow)
{
    struct listing *list = flow->state;

    list->flow = flow;
    list->page = list_page(flow->req);
    const parley_param who[] = { PARLEY_INT(access_caller(flow->req)),
                                 PARLEY_TEXT(parley->req_param(flow->req, "id")) };
    const parley_param slice[] = { who[0], who[1], PARLEY_INT(list->page.limit),
                                   PARLEY_INT(list->page.offset) };
    const parley_sql sql[] = {
        [LIST_ROOM] = SQL(SQL_ROOM_SEEN, who),
        [LIST_COUNT] = SQL(SQL_READS_COUNT, who),
        [LIST_PAGE] = SQL(SQL_READS_PAGE, slice),
    };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static void list_answered(struct presence_ask *ask, int status, enum presence_status what)
{
    struct member *member = ask->ud;
    struct listing *list = member->of;

    member->status = what;
    list->has_failed |= status < 0;
    if (--list->open > 0 || !list->is_waiting)
        return;
    list->flow->status = PARLEY_OK;
    list->flow->result = NULL;
    parley_flow_run(list->flow);
}

/* The rows are gone by the time of the answers.  false: no memory. */
static bool list_copy(parley_flow *flow, const parley_rows *rows, int64_t row)
{
    struct listing *list = flow->state;
    struct member *member = &list->members[row];
    parley_str name = flow->db->get(rows, row, READ_USERNAME);
    char *copy = parley->req_alloc(flow->req, name.n + 1);

    if (!copy)
        return false;
    if (name.n > 0)
        memcpy(copy, name.p, name.n);
    *member = (struct member){ .ask = { list_answered, member },
                               .of = list,
                               .username = { copy, name.n } };
    uid_copy(member->uid, flow->db->get(rows, row, READ_UID));
    return true;
}

static int list_members(parley_flow *flow)
{
    struct listing *list = flow->state;
    const parley_rows *rows = flow->result->rows[LIST_PAGE];

    if (access_check(flow, ACCESS_MEMBER) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    list->count = flow->db->get_int(flow->result->rows[LIST_COUNT], 0, 0, 0);
    list->n = flow->db->rows_n(rows);
    list->members = parley->req_alloc(flow->req, ((size_t)list->n + 1) * sizeof(*list->members));
    for (int64_t i = 0; i < list->n; i++)
        if (!list->members || !list_copy(flow, rows, i))
            return PARLEY_ENOMEM;
    list->open = list->n;
    for (int64_t i = 0; i < list->n; i++)
        presence_get(str_of(list->members[i].uid), &list->members[i].ask);
    list->is_waiting = list->open > 0;
    return list->is_waiting ? PARLEY_FLOW_WAIT : PARLEY_FLOW_NEXT;
}

static int list_tell(parley_flow *flow)
{
    struct listing *list = flow->state;

    if (list->has_failed) {
        parley_flow_unavailable(flow->req);
        return PARLEY_FLOW_DONE;
    }
    parley_json *results = parley->json_arr();

    for (int64_t i = 0; i < list->n; i++) {
        const struct member *member = &list->members[i];
        parley_json *one = parley->json_obj();

        parley->json_set(one, "user", render_user(str_of(member->uid), member->username));
        parley->json_set(one, "status", parley->json_s(str_of(presence_names[member->status])));
        parley->json_push(results, one);
    }
    list_reply(flow->req, &list->page, list->count, results);
    return PARLEY_FLOW_DONE;
}

int presence_list(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { list_ask, list_members, list_tell };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct listing), steps, COUNT(steps));
}
