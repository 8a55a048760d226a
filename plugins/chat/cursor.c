/* cursor.c -- a client's place in the log of a room, from a query or a frame. */
#include "plugins/chat/cursor.h"
#include "plugins/chat/fields.h"
#include <inttypes.h>

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

bool seq_of_query(parley_req req, const char *name, int64_t otherwise, int64_t *ret,
                  parley_json *errors)
{
    parley_str text = parley->req_query(req, name);

    *ret = otherwise;
    if (!text.p || seq_parse(text, ret))
        return true;
    field_error(errors, name, "A valid integer is required.");
    return false;
}

parley_json *query_address(parley_req req, int64_t limit, parley_str more)
{
    char text[512];
    parley_str site = parley->req_url(req);
    parley_str path = parley->req_path(req);
    int n = snprintf(text, sizeof(text), "%.*s%.*s?limit=%" PRId64 "%.*s", (int)site.n, site.p,
                     (int)path.n, path.p, limit, (int)more.n, more.p);

    if (n < 0 || (size_t)n >= sizeof(text))
        return parley->json_null();
    return parley->json_s((parley_str){ text, (size_t)n });
}

parley_json *seq_address(parley_req req, const char *name, int64_t seq, int64_t limit)
{
    char more[64];
    int n = snprintf(more, sizeof(more), "&%s=%" PRId64, name, seq);

    return query_address(req, limit, (parley_str){ more, (size_t)n });
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
