/* cursor.c -- a client's place in the log of a room, from a query or a frame. */
#include "plugins/chat/cursor.h"
#include "plugins/chat/fields.h"

enum { DIGITS_MOST = 18 /* so that no number overflows */ };

static bool seq_parse(parley_str text, int64_t *ret)
{
    int64_t value = 0;

    if (text.n == 0 || text.n > DIGITS_MOST)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        value = value * 10 + (text.p[i] - '0');
    }
    *ret = value;
    return true;
}

static bool epoch_parse(parley_str text, struct cursor *ret)
{
    if (text.n == 0 || text.n >= EPOCH_SIZE || memchr(text.p, '\0', text.n))
        return false;
    memcpy(ret->epoch, text.p, text.n);
    ret->epoch[text.n] = '\0';
    return true;
}

bool cursor_of_query(parley_req req, struct cursor *ret)
{
    parley_str after = parley->req_query(req, "after");
    parley_str epoch = parley->req_query(req, "epoch");

    *ret = (struct cursor){ .after = -1 };
    if (!after.p && !epoch.p)
        return true;
    return after.p && epoch.p && seq_parse(after, &ret->after) && epoch_parse(epoch, ret);
}

bool cursor_of_frame(const parley_json *in, struct cursor *ret, parley_json *errors)
{
    const parley_json *after = parley->json_get(in, "after");
    parley_str epoch = parley->json_str(parley->json_get(in, "epoch"));

    bool is_number = parley->json_type(after) == PARLEY_J_NUM;

    *ret = (struct cursor){ .after = is_number ? parley->json_int(after, -1) : -1 };
    if (ret->after < 0)
        field_error(errors, "after", "A valid integer is required.");
    if (!epoch_parse(epoch, ret))
        field_error(errors, "epoch", "Not a valid epoch.");
    return ret->after >= 0 && ret->epoch[0];
}
