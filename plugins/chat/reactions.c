/* reactions.c -- the reactions to messages, as bodies show them. */
#include "plugins/chat/reactions.h"
#include "plugins/chat/sql.h"

static parley_json *reaction_json(const parley_rows *rows, int64_t row)
{
    parley_json *out = parley->json_obj();

    parley->json_set(out, "emoji", parley->json_s(chat.db->get(rows, row, REACTIONS_EMOJI)));
    parley->json_set(out, "count", parley->json_i(chat.db->get_int(rows, row, REACTIONS_N, 0)));
    parley->json_set(out, "own",
                     parley->json_b(chat.db->get_int(rows, row, REACTIONS_OWN, 0) != 0));
    return out;
}

/* Those of the message of row *at, which is moved behind them. */
static parley_json *reactions_of_one(const parley_rows *rows, parley_str uid, int64_t *at)
{
    parley_json *list = parley->json_arr();

    for (; *at < chat.db->rows_n(rows); ++*at) {
        if (!str_equal(chat.db->get(rows, *at, REACTIONS_MESSAGE), uid))
            break;
        parley->json_push(list, reaction_json(rows, *at));
    }
    return list;
}

parley_json *reactions_read(const parley_rows *rows)
{
    char key[UID_SIZE];
    int64_t n = chat.db->rows_n(rows);
    parley_json *out = n > 0 ? parley->json_obj() : NULL;

    for (int64_t at = 0; at < n;) {
        parley_str uid = chat.db->get(rows, at, REACTIONS_MESSAGE);

        uid_copy(key, uid);
        parley->json_set(out, key, reactions_of_one(rows, uid, &at));
    }
    return out;
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
