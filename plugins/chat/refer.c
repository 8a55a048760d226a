/* refer.c -- what a message refers to, found out before it is stored (stage APP).
 *
 *   refer_ask        only if it replies or has an @ with a name: SQL: is that a message of the room,
 *                    and who of its members is called so?
 *   refer_answered   on to the handler, which asks refer_take()
 *
 * It is middleware, so the frames of a socket wait for it and stay in order.  Nothing here decides who
 * may send; whoever may not is refused by the transaction that would store the message. */
#include "plugins/chat/refer.h"
#include "plugins/chat/fields.h"
#include "plugins/chat/place.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"
#include "plugins/common/name.h"
#include <stdlib.h>

enum { ASK_REPLY, ASK_NAMES, ASK_N };

struct refer { /* in the request's slot */
    parley_req req;
    parley_str wanted;     /* reply_to as it was written; absent: none, or not well-formed */
    bool is_found;         /* it is a message of the room */
    uint32_t asked[ASK_N]; /* place of the statement, from 1; 0: not asked */
    struct refer_ask ask;
    parley_str mentions;
};

/* ---- names ---- */

/* The form in which names are compared; absent: no memory. */
static parley_str key_of(parley_req req, parley_str name)
{
    char *key;

    if (name_key(name, &key) < 0)
        return (parley_str){ NULL, 0 };
    size_t n = strlen(key);
    char *copy = parley->req_alloc(req, n + 1);

    if (copy)
        memcpy(copy, key, n + 1);
    free(key);
    return (parley_str){ copy, copy ? n : 0 };
}

bool refer_names(parley_req req, parley_str room_or_message, parley_str text, struct refer_ask *ret)
{
    if (!memchr(text.p, '@', text.n))
        return false;
    mention_find(text, &ret->names);
    if (ret->names.n == 0)
        return false;
    ret->list[0] = (parley_param)PARLEY_TEXT(room_or_message);
    for (size_t i = 0; i < MENTION_NAMES_MOST; i++) {
        parley_str key = i < ret->names.n ? key_of(req, ret->names.names[i]) : ret->list[1].text;

        ret->list[1 + i] = (parley_param)PARLEY_TEXT(key);
    }
    return true;
}

/* The row of that key, < 0: none. */
static int64_t row_of(const parley_rows *rows, parley_str key)
{
    for (int64_t i = 0; i < chat.db->rows_n(rows); i++)
        if (str_equal(chat.db->get(rows, i, NAME_KEY), key))
            return i;
    return -1;
}

static bool is_listed(const int64_t *found, size_t n, int64_t row)
{
    for (size_t i = 0; i < n; i++)
        if (found[i] == row)
            return true;
    return false;
}

/* Each member once, in the order of the text. */
static size_t members_of(const struct refer_ask *ask, const parley_rows *rows,
                         int64_t found[MENTION_NAMES_MOST])
{
    const struct mention_names *names = &ask->names;
    size_t n = 0;

    for (size_t i = 0; i < names->n; i++) {
        int64_t row = row_of(rows, ask->list[1 + i].text);

        if (row < 0)
            continue;
        if (!is_listed(found, n, row))
            found[n++] = row;
        while (i + 1 < names->n && names->places[i + 1] == names->places[i])
            i++; /* the longest is the one that is meant */
    }
    return n;
}

parley_str refer_mentions(parley_req req, const struct refer_ask *ask, const parley_rows *rows)
{
    int64_t found[MENTION_NAMES_MOST];
    size_t n = members_of(ask, rows, found);
    parley_json *list = parley->json_arr();
    parley_str kept = { NULL, 0 };

    for (size_t i = 0; i < n; i++)
        parley->json_push(list, render_user(chat.db->get(rows, found[i], NAME_UID),
                                            chat.db->get(rows, found[i], NAME_USERNAME)));
    parley_str text = parley->json_text(chat.ctx, list);
    char *copy = n > 0 && text.p ? parley->req_alloc(req, text.n) : NULL;

    if (copy)
        kept = (parley_str){ memcpy(copy, text.p, text.n), text.n };
    parley->json_free(list);
    return kept;
}

/* ---- before the handler ---- */

static void refer_answered(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct refer *refer = ud;

    (void)ctx;
    if (status < 0) {
        parley_flow_unavailable(refer->req);
        return;
    }
    if (refer->asked[ASK_REPLY])
        refer->is_found = chat.db->rows_n(result->rows[refer->asked[ASK_REPLY] - 1]) > 0;
    if (refer->asked[ASK_NAMES])
        refer->mentions =
            refer_mentions(refer->req, &refer->ask, result->rows[refer->asked[ASK_NAMES] - 1]);
    parley->go_on(refer->req);
}

static int refer_ask(parley_ctx *ctx, parley_req req, parley_str room)
{
    const parley_json *in = parley->req_json(req);
    parley_str content = parley->json_str(parley->json_get(in, "content"));
    parley_str wanted = parley->json_str(parley->json_get(in, "reply_to"));
    struct refer *refer;
    parley_sql sql[ASK_N];
    uint32_t n = 0;

    if (!wanted.p && (content.n == 0 || !memchr(content.p, '@', content.n)))
        return PARLEY_NEXT;
    refer = parley->req_alloc(req, sizeof(*refer));
    if (!refer)
        return PARLEY_ENOMEM;
    refer->req = req;
    if (uid_is_valid(wanted))
        refer->wanted = wanted;
    const parley_param reply[] = { PARLEY_TEXT(room), PARLEY_TEXT(wanted) };

    if (refer->wanted.p) {
        sql[n++] = (parley_sql)SQL(SQL_REFER_REPLY, reply);
        refer->asked[ASK_REPLY] = n;
    }
    if (content.n > 0 && refer_names(req, room, content, &refer->ask)) {
        sql[n++] = (parley_sql)SQL(SQL_REFER_NAMES, refer->ask.list);
        refer->asked[ASK_NAMES] = n;
    }
    if (parley->req_set(ctx, req, refer) < 0)
        return PARLEY_ENOMEM;
    if (n == 0)
        return PARLEY_NEXT;
    if (chat.db->run(ctx, sql, n, PARLEY_DB_READ, refer_answered, refer) >= 0)
        return PARLEY_PENDING;
    parley_flow_unavailable(req);
    return PARLEY_DENY;
}

int refer_request(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ud;
    if (!str_equal(parley->req_route(req), PARLEY_S(CHAT_SEND_PATH)) ||
        !str_equal(parley->req_method(req), PARLEY_S("POST")))
        return PARLEY_NEXT;
    return refer_ask(ctx, req, parley->req_param(req, "id"));
}

int refer_event(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_str room;

    (void)ud;
    if (!str_equal(parley->req_method(req), PARLEY_S("EVENT")) || !place_uid(req, &room))
        return PARLEY_NEXT;
    return refer_ask(ctx, req, room);
}

/* ---- for the handler ---- */

bool refer_take(parley_req req, const parley_json *in, struct references *ret, parley_json *errors)
{
    const struct refer *refer = parley->req_get(chat.ctx, req);
    const parley_json *value = parley->json_get(in, "reply_to");
    int type = parley->json_type(value);

    *ret = (struct references){ .mentions = refer ? refer->mentions : (parley_str){ NULL, 0 } };
    if (!value || type == PARLEY_J_NULL)
        return true;
    if (type != PARLEY_J_STR) {
        field_error(errors, "reply_to", "Not a valid string.");
        return false;
    }
    if (!refer || !refer->is_found) {
        field_error(errors, "reply_to", "No such message in this room.");
        return false;
    }
    ret->reply_to = refer->wanted;
    return true;
}
