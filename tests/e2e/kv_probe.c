/* kv_probe.c -- parley.kv over HTTP, for test_kv.py: POST /kv/ {"op":..., "key":..., ...} answers
 * {"status":..., ...}.  What is called is what the service offers, nothing is added. */
#include <parley/kv.h>
#include <parley/plugin.h>

enum { ENTRIES_MOST = 300 };
static const parley_kv *kv;

static parley_json *answer(int status)
{
    parley_json *out = parley->json_obj();

    parley->json_set(out, "status", parley->json_i(status));
    return out;
}

static parley_json *tail_json(int status, const parley_kv_tail *tail)
{
    parley_json *out = answer(status);
    parley_json *list = parley->json_arr();

    for (uint32_t i = 0; status >= 0 && i < tail->n; i++) {
        parley_json *one = parley->json_arr();

        parley->json_push(one, parley->json_i(tail->entries[i].seq));
        parley->json_push(one, parley->json_s(tail->entries[i].bytes));
        parley->json_push(list, one);
    }
    parley->json_set(out, "entries", list);
    return out;
}

static parley_json *members_json(int status, const parley_kv_members *members)
{
    parley_json *out = answer(status);
    parley_json *list = parley->json_arr();

    for (uint32_t i = 0; status >= 0 && i < members->n; i++)
        parley->json_push(list, parley->json_s(members->members[i]));
    parley->json_set(out, "members", list);
    return out;
}

static void tail_came(parley_ctx *ctx, int status, const parley_kv_tail *tail, void *ud)
{
    parley_req *req = ud;

    (void)ctx;
    parley->reply_json(*req, 200, tail_json(status, tail));
}

static void members_came(parley_ctx *ctx, int status, const parley_kv_members *members, void *ud)
{
    parley_req *req = ud;

    (void)ctx;
    parley->reply_json(*req, 200, members_json(status, members));
}

static int64_t number(const parley_json *in, const char *key)
{
    return parley->json_int(parley->json_get(in, key), 0);
}

static int push(parley_ctx *ctx, parley_str key, const parley_json *in)
{
    static parley_kv_entry entries[ENTRIES_MOST];
    const parley_json *list = parley->json_get(in, "entries");
    uint32_t n = 0;

    for (; n < parley->json_len(list) && n < ENTRIES_MOST; n++) {
        const parley_json *one = parley->json_at(list, n);

        entries[n].seq = parley->json_int(parley->json_at(one, 0), -1);
        entries[n].bytes = parley->json_str(parley->json_at(one, 1));
    }
    return kv->tail_push(ctx, key, entries, n, (uint32_t)number(in, "most"), number(in, "ttl"));
}

static int handle(parley_ctx *ctx, parley_req req, void *ud)
{
    const parley_json *in = parley->req_json(req);
    parley_str op = parley->json_str(parley->json_get(in, "op"));
    parley_str key = parley->json_str(parley->json_get(in, "key"));
    parley_str member = parley->json_str(parley->json_get(in, "member"));
    parley_req *later = parley->req_alloc(req, sizeof(*later));
    parley_kv_tail tail = { PARLEY_SIZED(parley_kv_tail) };
    parley_kv_members members = { PARLEY_SIZED(parley_kv_members) };
    int status = PARLEY_EINVAL;
    parley_json *out = NULL;

    (void)ud;
    *later = req;
    switch (op.n ? op.p[0] : 0) {
    case 'p':
        status = push(ctx, key, in);
        break;
    case 'r':
        status = kv->tail_read(ctx, key, (uint32_t)number(in, "most"), &tail, tail_came, later);
        out = status == PARLEY_PENDING ? NULL : tail_json(status, &tail);
        break;
    case 'j':
        status = kv->presence_join(ctx, key, member, number(in, "ttl"));
        break;
    case 'l':
        status = kv->presence_leave(ctx, key, member);
        break;
    case 'w':
        status = kv->presence_list(ctx, key, &members, members_came, later);
        out = status == PARLEY_PENDING ? NULL : members_json(status, &members);
        break;
    default:
        break;
    }
    if (status == PARLEY_PENDING)
        return PARLEY_PENDING;
    parley->reply_json(req, 200, out ? out : answer(status));
    return PARLEY_DONE;
}

static int load(parley_ctx *ctx, const parley_conf *conf)
{
    parley_route route = { PARLEY_SIZED(parley_route), .method = "POST", .path = "/kv/",
                           .fn = handle };

    (void)conf;
    return parley->route(ctx, &route);
}

static int start(parley_ctx *ctx)
{
    kv = parley->service(ctx, "parley.kv");
    return kv ? 0 : parley->fail(ctx, "no parley.kv");
}

static const parley_need needs[] = { { "parley.kv", 0, 1, 0 } };
PARLEY_PLUGIN(.name = "probe", .version = "1", PARLEY_LIST(need, needs), .load = load,
              .start = start)
