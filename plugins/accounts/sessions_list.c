/* sessions_list.c -- GET /api/auth/sessions/?limit=&offset= (token): where the caller is logged in,
 * newest first.
 *
 *   ask      SQL: count, the page
 *   reply    200, a page
 */
#include "plugins/accounts/account.h"
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/auth.h"
#include "plugins/common/list.h"

typedef struct listing {
    struct page page;
    int64_t session_key;
} listing;

static int sessions_ask(parley_flow *flow)
{
    listing *l = flow->state;
    const parley_person *me = auth_person(flow->req);

    if (!me)
        return PARLEY_EINVAL;
    l->page = list_page(flow->req);
    l->session_key = auth_session_key(flow->req);
    parley_param who[] = { PARLEY_INT(me->key), PARLEY_INT(parley->now_us()) };
    parley_param slice[] = { who[0], who[1], PARLEY_INT(l->page.limit),
                             PARLEY_INT(l->page.offset) };
    parley_sql sql[] = { SQL(SQL_SESSIONS_COUNT, who), SQL(SQL_SESSIONS_PAGE, slice) };
    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static parley_json *session_json(const parley_rows *rows, int64_t i, int64_t current)
{
    const parley_db *db = accounts.db;
    char created[STAMP_SIZE], used[STAMP_SIZE];
    parley_json *out = parley->json_obj();

    parley->json_set(out, "id", parley->json_s(db->get(rows, i, 0)));
    parley->json_set(out, "created_at",
                     parley->json_s(stamp_text(db->get_int(rows, i, 1, 0), created)));
    parley->json_set(out, "last_used_at",
                     parley->json_s(stamp_text(db->get_int(rows, i, 2, 0), used)));
    parley->json_set(out, "current", parley->json_b(db->get_int(rows, i, 5, 0) == current));
    parley->json_set(out, "user_agent", parley->json_s(db->get(rows, i, 3)));
    parley->json_set(out, "ip", parley->json_s(db->get(rows, i, 4)));
    return out;
}

static int sessions_reply(parley_flow *flow)
{
    const listing *l = flow->state;
    const parley_rows *const *rows = flow->result->rows;
    parley_json *results = parley->json_arr();

    for (int64_t i = 0; i < accounts.db->rows_n(rows[1]); i++)
        parley->json_push(results, session_json(rows[1], i, l->session_key));
    (void)list_reply(flow->req, &l->page, accounts.db->get_int(rows[0], 0, 0, 0), results);
    return PARLEY_FLOW_DONE;
}

int sessions_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { sessions_ask, sessions_reply };

    (void)ud;
    return parley_flow_start(ctx, req, accounts.db, sizeof(listing), steps, COUNT(steps));
}
