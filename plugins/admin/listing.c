/* listing.c -- a page of rows as JSON (contract.md, 1.3), or one row; what is in them says lists.c.
 *
 *   ask      SQL: count and page, or the row
 *   reply    200, or 404: no such row
 */
#include "plugins/admin/listing.h"
#include "plugins/admin/admin.h"
#include "plugins/common/list.h"
#include "plugins/common/stamp.h"

enum { PATTERN_CHARS = 200 };

typedef struct asking {
    const list_kind *kind;
    struct page page;
    parley_param params[LIST_PARAMS + 2];
    char pattern[2 * PATTERN_CHARS + 3];
} asking;

/* "%<text>%", what has a meaning in patterns marked by "!"; a text that is too long finds nothing
 * that it should not, because it is cut. */
static parley_str pattern_make(parley_str text, char *ret)
{
    size_t n = 0, most = text.n < PATTERN_CHARS ? text.n : PATTERN_CHARS;

    while (most > 0 && most < text.n && ((unsigned char)text.p[most] & 0xc0) == 0x80)
        most--;
    ret[n++] = '%';
    for (size_t i = 0; i < most; i++) {
        if (strchr("%_!", text.p[i]))
            ret[n++] = '!';
        ret[n++] = text.p[i];
    }
    if (most > 0)
        ret[n++] = '%';
    return parley_text_view(ret, n);
}

/* A NUL is in no text of the database, and PostgreSQL refuses it. */
static parley_str query_text(parley_req req, const char *name)
{
    parley_str text = parley->req_query(req, name);

    if (!text.p || memchr(text.p, '\0', text.n))
        return PARLEY_S("");
    return parley_text_trim(text);
}

static parley_param param_of(asking *a, parley_req req, uint32_t i)
{
    switch (a->kind->params[i].kind) {
    case LIST_SEARCH:
        return (parley_param)PARLEY_TEXT(pattern_make(query_text(req, "q"), a->pattern));
    case LIST_FILTER:
        return (parley_param)PARLEY_TEXT(query_text(req, a->kind->params[i].name));
    case LIST_PATH:
        return (parley_param)PARLEY_TEXT(parley->req_param(req, "id"));
    case LIST_NOW:
        break;
    }
    return (parley_param)PARLEY_INT(parley->now_us());
}

static parley_json *time_json(int64_t at_us)
{
    char text[STAMP_SIZE];

    stamp_format(at_us, text);
    return parley->json_s(parley_text_view(text, strlen(text)));
}

static parley_json *address_json(parley_str sealed)
{
    char to[PARLEY_MAIL_ADDRESS];

    admin.mail->address(sealed, to);
    return parley->json_s(parley_text_view(to, strlen(to)));
}

static parley_json *field_json(const parley_rows *rows, int64_t row, uint32_t col, uint32_t kind)
{
    parley_str text = admin.db->get(rows, row, col);

    if (!text.p)
        return parley->json_null();
    switch (kind & ~(uint32_t)FIELD_MAYBE) {
    case FIELD_INT:
        return parley->json_i(admin.db->get_int(rows, row, col, 0));
    case FIELD_BOOL:
        return parley->json_b(admin.db->get_int(rows, row, col, 0) != 0);
    case FIELD_TIME:
        return time_json(admin.db->get_int(rows, row, col, 0));
    case FIELD_ADDRESS:
        return address_json(text);
    default: /* FIELD_TEXT, FIELD_ID */
        break;
    }
    return parley->json_s(text);
}

static parley_json *row_json(const list_kind *kind, const parley_rows *rows, int64_t row)
{
    parley_json *out = parley->json_obj();

    for (uint32_t i = 0; kind->fields[i].name; i++)
        parley->json_set(out, kind->fields[i].name, field_json(rows, row, i, kind->fields[i].kind));
    return out;
}

static void params_fill(asking *a, parley_req req)
{
    for (uint32_t i = 0; i < a->kind->param_n; i++)
        a->params[i] = param_of(a, req, i);
}

/* ---- a page ---- */

static int list_ask(parley_flow *flow)
{
    asking *a = flow->state;
    uint32_t n = a->kind->param_n;

    params_fill(a, flow->req);
    a->page = list_page(flow->req);
    a->params[n] = (parley_param)PARLEY_INT(a->page.limit);
    a->params[n + 1] = (parley_param)PARLEY_INT(a->page.offset);
    parley_sql sql[] = { sql_make(a->kind->count, a->params, n),
                         sql_make(a->kind->page, a->params, n + 2) };
    return parley_flow_sql(flow, sql, COUNT(sql), a->kind->flags);
}

static int list_answer(parley_flow *flow)
{
    const asking *a = flow->state;
    const parley_rows *const *rows = flow->result->rows;
    parley_json *results = parley->json_arr();

    for (int64_t i = 0; i < admin.db->rows_n(rows[1]); i++)
        parley->json_push(results, row_json(a->kind, rows[1], i));
    (void)parley->reply_header(flow->req, "Cache-Control", PARLEY_S("no-store"));
    (void)list_reply(flow->req, &a->page, admin.db->get_int(rows[0], 0, 0, 0), results);
    return PARLEY_FLOW_DONE;
}

/* ---- one row ---- */

static int show_ask(parley_flow *flow)
{
    asking *a = flow->state;

    params_fill(a, flow->req);
    parley_sql sql = sql_make(a->kind->page, a->params, a->kind->param_n);
    return parley_flow_sql(flow, &sql, 1, a->kind->flags);
}

static int show_answer(parley_flow *flow)
{
    const asking *a = flow->state;
    const parley_rows *rows = flow->result->rows[0];

    (void)parley->reply_header(flow->req, "Cache-Control", PARLEY_S("no-store"));
    if (admin.db->rows_n(rows) == 0)
        (void)parley->deny(flow->req, 404, "not_found", "Not found.");
    else
        (void)parley->reply_json(flow->req, 200, row_json(a->kind, rows, 0));
    return PARLEY_FLOW_DONE;
}

static int start(parley_ctx *ctx, parley_req req, const list_kind *kind, const parley_step *steps,
                 uint32_t n)
{
    asking *a = parley->req_alloc(req, sizeof(*a));
    parley_flow *flow = parley->req_alloc(req, sizeof(*flow));

    if (!a || !flow)
        return PARLEY_ENOMEM;
    a->kind = kind;
    *flow = (parley_flow){
        .ctx = ctx, .req = req, .db = admin.db, .state = a, .steps = steps, .step_n = n
    };
    parley_flow_run(flow);
    return PARLEY_PENDING;
}

int list_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { list_ask, list_answer };

    return start(ctx, req, ud, steps, COUNT(steps));
}

int show_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { show_ask, show_answer };

    return start(ctx, req, ud, steps, COUNT(steps));
}
