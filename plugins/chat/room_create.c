/* room_create.c -- POST /api/chat/rooms/ {"name":...,"participant_emails":[...]}
 *
 *   parse    the body; 415, 400
 *   store    SQL: the room, its owner, one member per address; an address nobody has breaks the
 *            transaction
 *   reply    201 the room; or, if it broke, SQL: whose are the addresses?
 *   refuse   400, with the addresses nobody has
 */
#include "plugins/chat/access.h"
#include "plugins/chat/feed.h"
#include "plugins/chat/room_body.h"
#include "plugins/chat/room_show.h"
#include "plugins/chat/sql.h"
#include <stdlib.h>

struct create {
    struct room_body body;
    char uid[UID_SIZE];
};
enum { FIXED = 4 }; /* statements beside one per address */

static int create_parse(parley_flow *flow)
{
    struct create *create = flow->state;
    const parley_json *in;

    if (access_object(flow, &in) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    parley_json *errors = parley->json_obj();

    if (!room_body_parse(flow->req, in, &create->body, errors)) {
        parley->deny_fields(flow->req, errors);
        return PARLEY_FLOW_DONE;
    }
    parley->json_free(errors);
    return PARLEY_FLOW_NEXT;
}

/* 64 random bits in hexadecimal: a new one means that history was lost. */
static void epoch_make(char ret[17])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[8];

    parley->random(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[16] = '\0';
}

/* One statement per address, from `sql` on. */
static int create_members(parley_flow *flow, parley_sql *sql)
{
    const struct create *create = flow->state;
    const struct email_list *list = &create->body.emails;
    parley_param *params = parley->req_alloc(flow->req, (list->n + 1) * 2 * sizeof(*params));

    if (!params)
        return PARLEY_ENOMEM;
    for (size_t i = 0; i < list->n; i++) {
        params[2 * i] = (parley_param)PARLEY_TEXT(list->items[i].key);
        params[2 * i + 1] = (parley_param)PARLEY_TEXT(str_of(create->uid));
        sql[i] = (parley_sql){ .stmt = sql_prepared[SQL_CREATE_MEMBER],
                               .params = &params[2 * i],
                               .n = 2 };
    }
    return PARLEY_OK;
}

static int create_store(parley_flow *flow)
{
    struct create *create = flow->state;
    size_t n = create->body.emails.n;
    parley_sql *sql = parley->req_alloc(flow->req, (FIXED + n) * sizeof(*sql));
    int64_t caller = access_caller(flow->req);
    char epoch[17];

    parley->uuid7(create->uid);
    epoch_make(epoch);
    const parley_param room[] = { PARLEY_TEXT(str_of(create->uid)), PARLEY_TEXT(create->body.name),
                                  PARLEY_INT(caller), PARLEY_TEXT(str_of(epoch)),
                                  PARLEY_INT(parley->now_us()) };
    const parley_param seen[] = { PARLEY_INT(caller), PARLEY_TEXT(str_of(create->uid)) };

    if (!sql || create_members(flow, sql + 2) < 0)
        return PARLEY_ENOMEM;
    sql[0] = (parley_sql)SQL(SQL_CREATE_ROOM, room);
    sql[1] = (parley_sql){ sql_prepared[SQL_CREATE_OWNER], &seen[1], 1 };
    sql[2 + n] = (parley_sql)SQL(SQL_ROOM, seen);
    sql[3 + n] = (parley_sql)SQL(SQL_ROOM_PEOPLE, seen);
    flow->allow = PARLEY_DB_CHECK; /* NULL for a user: an address nobody has */
    return parley_flow_sql(flow, sql, (uint32_t)(FIXED + n), 0);
}

/* To the sockets for all rooms of those who are in it now. */
static void create_tell(const parley_rows *people)
{
    size_t n = (size_t)chat.db->rows_n(people);
    parley_str *users = malloc((n + 1) * sizeof(*users));

    if (!users)
        return; /* they find it when they ask next */
    for (size_t i = 0; i < n; i++)
        users[i] = chat.db->get(people, (int64_t)i, PEOPLE_PERSON);
    feeds_added(users, n);
    free(users);
}

static int create_reply(parley_flow *flow)
{
    const struct create *create = flow->state;
    parley_str site = parley->req_url(flow->req);
    char address[1024];

    if (flow->status < 0 && create->body.emails.n > 0)
        return room_body_ask_people(flow, &create->body);
    if (flow->status < 0)
        return flow->status;
    int n = snprintf(address, sizeof(address), "%.*s/api/chat/rooms/%s/", (int)site.n, site.p,
                     create->uid);

    if (n > 0 && (size_t)n < sizeof(address))
        parley->reply_header(flow->req, "Location", (parley_str){ address, (size_t)n });
    const parley_rows *const *rows = flow->result->rows + 2 + create->body.emails.n;

    room_reply(flow->req, 201, rows[0], rows[1]);
    create_tell(rows[1]);
    return PARLEY_FLOW_DONE;
}

static int create_refuse(parley_flow *flow)
{
    const struct create *create = flow->state;

    if (room_body_refuse_unknown(flow, &create->body) == PARLEY_FLOW_NEXT)
        parley_flow_unavailable(flow->req); /* all are known by now: they registered meanwhile */
    return PARLEY_FLOW_DONE;
}

int room_create(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { create_parse, create_store, create_reply, create_refuse };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct create), steps, COUNT(steps));
}
