/* reactions.c -- the reactions to messages, as bodies show them. */
#include "plugins/chat/reactions.h"
#include "plugins/chat/sql.h"

static parley_json *reaction_json(const parley_rows *rows, int64_t row)
{
    parley_json *out = parley->json_obj();
    bool is_asked = chat.db->get(rows, row, REACTIONS_OWN).p != NULL;
    bool is_own = chat.db->get_int(rows, row, REACTIONS_OWN, 0) != 0;

    parley->json_set(out, "emoji", parley->json_s(chat.db->get(rows, row, REACTIONS_EMOJI)));
    parley->json_set(out, "count", parley->json_i(chat.db->get_int(rows, row, REACTIONS_N, 0)));
    if (is_asked)
        parley->json_set(out, "own", parley->json_b(is_own));
    return out;
}

typedef parley_json *(*row_render)(const parley_rows *rows, int64_t row);

/* Those of the message of row *at, which is moved behind them. */
static parley_json *rows_of_one(const parley_rows *rows, parley_str uid, row_render render,
                                int64_t *at)
{
    parley_json *list = parley->json_arr();

    for (; *at < chat.db->rows_n(rows); ++*at) {
        if (!str_equal(chat.db->get(rows, *at, 0), uid))
            break;
        parley->json_push(list, render(rows, *at));
    }
    return list;
}

parley_json *rows_by_message(const parley_rows *rows, row_render render)
{
    char key[UID_SIZE];
    int64_t n = chat.db->rows_n(rows);
    parley_json *out = n > 0 ? parley->json_obj() : NULL;

    for (int64_t at = 0; at < n;) {
        parley_str uid = chat.db->get(rows, at, 0);

        uid_copy(key, uid);
        parley->json_set(out, key, rows_of_one(rows, uid, render, &at));
    }
    return out;
}

parley_json *reactions_read(const parley_rows *rows)
{
    return rows_by_message(rows, reaction_json);
}

const parley_json *reactions_find(const parley_json *all, parley_str message_uid)
{
    char key[UID_SIZE];

    uid_copy(key, message_uid);
    return parley->json_get(all, key);
}

void reactions_into(parley_json *message, const parley_json *all, parley_str message_uid)
{
    const parley_json *list = reactions_find(all, message_uid);

    if (list)
        parley->json_set(message, "reactions", parley->json_copy(list));
}
