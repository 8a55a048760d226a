/* lookup_page.c -- a page of what was found: {"next","results"}. */
#include "plugins/common/place.h"
#include "plugins/common/stamp.h"
#include "plugins/search/lookup.h"
#include <inttypes.h>
#include <string.h>

/* New: pairs of code points in `content`, [[from, to], ...]. */
static parley_json *page_highlights(const struct hit *hit)
{
    parley_json *list = parley->json_arr();

    for (size_t i = 0; i < hit->range_n; i++) {
        parley_json *pair = parley->json_arr();

        parley->json_push(pair, parley->json_i(hit->ranges[i].from));
        parley->json_push(pair, parley->json_i(hit->ranges[i].to));
        parley->json_push(list, pair);
    }
    return list;
}

/* New. */
static parley_json *page_stamp(int64_t micros)
{
    char text[STAMP_SIZE];

    stamp_format(micros, text);
    return parley->json_s((parley_str){ text, strlen(text) });
}

static void page_mentions(parley_json *out, parley_str mentions)
{
    const char *why;
    parley_json *list = mentions.p ? parley->json_parse(mentions, &why) : NULL;

    if (list)
        parley->json_set(out, "mentions", list);
}

/* New: the message as its room's history shows it, and where it was found. */
static parley_json *page_hit(const struct hit *hit)
{
    static const char *const keys[SENDER_N] = { "id", "username", "first_name", "last_name" };
    parley_json *out = parley->json_obj(), *sender = parley->json_obj();

    for (size_t i = 0; i < SENDER_N; i++)
        parley->json_set(sender, keys[i], parley->json_s(hit->sender[i]));
    parley->json_set(out, "id", parley->json_s(hit->uid));
    parley->json_set(out, "room", parley->json_s(hit->room));
    parley->json_set(out, "sender", sender);
    parley->json_set(out, "content", parley->json_s(hit->content));
    parley->json_set(out, "created_at", page_stamp(hit->created_at));
    parley->json_set(out, "seq", parley->json_i(hit->seq));
    if (hit->reply_to.p)
        parley->json_set(out, "reply_to", parley->json_s(hit->reply_to));
    page_mentions(out, hit->mentions);
    if (hit->edited_at)
        parley->json_set(out, "edited_at", page_stamp(hit->edited_at));
    if (hit->client_id.p)
        parley->json_set(out, "client_msg_id", parley->json_s(hit->client_id));
    parley->json_set(out, "highlights", page_highlights(hit));
    return out;
}

static size_t percent_encode(parley_str text, char *ret)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (memchr(plain, c, sizeof(plain) - 1)) {
            ret[n++] = (char)c;
            continue;
        }
        ret[n++] = '%';
        ret[n++] = digits[c >> 4];
        ret[n++] = digits[c & 15];
    }
    return n;
}

/* New: the absolute address of the page below `next`, or null. */
static parley_json *page_next(parley_req req, const struct lookup *l, int64_t next)
{
    char q[3 * QUERY_BYTES_MOST], text[3 * QUERY_BYTES_MOST + 1024], place[PLACE_SIZE];
    const struct place at = { .list = PLACE_SEARCH, .at = next };
    parley_str site = parley->req_url(req), path = parley->req_path(req);

    if (next == 0 || place_seal(&at, place) < 0)
        return parley->json_null();
    int q_n = (int)percent_encode(l->q, q);
    int n = snprintf(text, sizeof(text), "%.*s%.*s?q=%.*s%s%.*s&limit=%" PRId64 "&before=%s",
                     (int)site.n, site.p, (int)path.n, path.p, q_n, q, l->room.p ? "&room=" : "",
                     (int)l->room.n, l->room.p ? l->room.p : "", l->limit, place);

    if (n < 0 || (size_t)n >= sizeof(text))
        return parley->json_null();
    return parley->json_s((parley_str){ text, (size_t)n });
}

int lookup_reply(parley_req req, const struct lookup *lookup, int64_t next)
{
    parley_json *out = parley->json_obj(), *results = parley->json_arr();

    for (size_t i = 0; i < lookup->hit_n; i++)
        parley->json_push(results, page_hit(&lookup->hits[i]));
    parley->json_set(out, "next", page_next(req, lookup, next));
    parley->json_set(out, "results", results);
    parley->reply_json(req, 200, out);
    return PARLEY_FLOW_DONE;
}
