/* lookup_ask.c -- what a request looks for: ?q=&room=&before=&limit=. */
#include "plugins/common/page.h"
#include "plugins/common/place.h"
#include "plugins/search/lookup.h"
#include <parley/text.h>

/* The text of `q`, copied; false: faulty, and errors says why. */
static bool ask_text(parley_req req, parley_json *errors, parley_str *ret)
{
    parley_str given = parley->req_query(req, "q"), sound;

    parley_json *fields = parley->json_obj();
    if (given.p)
        parley->json_set(fields, "q", parley->json_s(given));
    bool is_sound = parley_text_field(errors, fields, "q", QUERY_MOST, 0, &sound);
    char *copy = is_sound ? parley->req_alloc(req, sound.n + 1) : NULL;

    if (copy)
        memcpy(copy, sound.p, sound.n);
    *ret = (parley_str){ copy, copy ? sound.n : 0 };
    parley->json_free(fields);
    return copy != NULL;
}

static bool is_uuid(parley_str text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (text.n != sizeof(shape) - 1)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        bool is_digit =
            (text.p[i] >= '0' && text.p[i] <= '9') || (text.p[i] >= 'a' && text.p[i] <= 'f');

        if (shape[i] == '-' ? text.p[i] != '-' : !is_digit)
            return false;
    }
    return true;
}

static bool ask_query(parley_req req, struct lookup *l)
{
    struct tokens *tokens = &l->query.tokens;

    tokens->text_room = tokens_text_room(l->q.n);
    tokens->room = tokens_list_room(l->q.n);
    tokens->text = parley->req_alloc(req, tokens->text_room);
    tokens->list = parley->req_alloc(req, tokens->room * sizeof(*tokens->list));
    if (!tokens->text || !tokens->list)
        return false;
    query_parse(l->q, &l->query);
    return true;
}

bool lookup_parse(parley_req req, struct lookup *ret, int64_t *ret_before)
{
    parley_json *errors = parley->json_obj();
    parley_str before = parley->req_query(req, "before");
    struct place place = { .at = INT64_MAX };
    bool is_asked = ask_text(req, errors, &ret->q) && ask_query(req, ret);

    ret->limit = page_parse(parley->req_query(req, "limit"), (parley_str){ NULL, 0 }).limit;
    ret->room = parley->req_query(req, "room");
    if (ret->room.p && !is_uuid(ret->room))
        parley_text_fault(errors, "room", "Must be a valid UUID.");
    if (before.p && !place_open(before, PLACE_SEARCH, &place))
        parley_text_fault(errors, "before", "Invalid cursor.");
    *ret_before = place.at;
    if (parley->json_len(errors) > 0) {
        parley->deny_fields(req, errors);
        return false;
    }
    parley->json_free(errors);
    if (!is_asked) /* no fault, so no memory */
        parley_flow_unavailable(req);
    return is_asked;
}
