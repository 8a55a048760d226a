/* body.c -- a request's body as JSON: parsed once, when somebody asks; and the refusals that follow
 * from it. */
#include "core/host/body.h"

#include "core/base/json.h"
#include "core/host/socket.h"

#include <stdio.h>

#define WHY_MAX 192
#define SHORT   1024 /* bytes of a text whose tree surely fits into a request's memory */
_Static_assert(JSON_TREE_MOST(SHORT) < NET_REQUEST_EXTRA, "it does");

const parley_json *call_json(call *c)
{
    str body = c->req->body;
    char why[WHY_MAX] = "no memory";

    if (c->is_json_read)
        return c->json;
    c->is_json_read = true;
    if (body.n == 0 && !c->is_event)
        c->json = c->json_owned = api_table()->json_obj();
    else if (body.n <= SHORT)
        c->json = json_read_into(&c->req->memory, body, why, sizeof(why));
    else
        c->json = c->json_owned = json_read(body, why, sizeof(why));
    if (!c->json)
        c->json_why = arena_str(&c->req->memory, str_of(why)).p;
    return c->json;
}

/* "application/json", in any case, perhaps with charset=utf-8 and nothing else. */
bool body_type_is_json(str type)
{
    str name = STR_NONE;
    str params = STR_NONE;

    (void)str_cut(type, ';', &name, &params);
    if (!str_ieq(str_trim(name), STR("application/json")))
        return false;
    params = str_trim(params);
    return params.n == 0 || str_ieq(params, STR("charset=utf-8")) ||
           str_ieq(params, STR("charset=\"utf-8\""));
}

bool body_is_form(const call *c)
{
    str name = STR_NONE, params = STR_NONE;

    (void)str_cut(request_header(c->req, "content-type"), ';', &name, &params);
    return str_ieq(str_trim(name), STR("application/x-www-form-urlencoded"));
}

static int deny_type(call *c, str type)
{
    size_t size = type.n + 64;
    char *text = arena_alloc(&c->req->memory, size);

    if (!text)
        return PARLEY_ENOMEM;
    int n =
        snprintf(text, size, "Unsupported media type \"" STR_FMT "\" in request.", STR_ARG(type));
    return call_deny(c, 415, "unsupported_media_type", (str){ text, (size_t)n });
}

static int deny_malformed(call *c)
{
    char text[WHY_MAX + 32];
    int n = snprintf(text, sizeof(text), "JSON parse error - %s",
                     c->json_why ? c->json_why : "no memory");

    return call_deny(c, 400, "parse_error", (str){ text, (size_t)n });
}

/* As Python calls it, since that is what clients of such an API read. */
static const char *type_name(const parley_json *in, str body)
{
    static const char *const names[] = {
        [PARLEY_J_NULL] = "NoneType", [PARLEY_J_BOOL] = "bool", [PARLEY_J_NUM] = "int",
        [PARLEY_J_STR] = "str",       [PARLEY_J_ARR] = "list",  [PARLEY_J_OBJ] = "dict",
    };
    int type = api_table()->json_type(in);

    if (type == PARLEY_J_NUM &&
        (memchr(body.p, '.', body.n) || memchr(body.p, 'e', body.n) || memchr(body.p, 'E', body.n)))
        return "float";
    return type >= 0 && (size_t)type < COUNT(names) ? names[type] : "NoneType";
}

static int deny_not_object(call *c, const parley_json *in)
{
    char body[128];
    int n =
        snprintf(body, sizeof(body),
                 "{\"non_field_errors\":[\"Invalid data. Expected a dictionary, but got %s.\"]}",
                 type_name(in, c->req->body));

    return call_reply(c, 400, "application/json", (str){ body, (size_t)n });
}

int call_object(call *c, const parley_json **ret)
{
    int err = 0;

    str type = c->is_event || c->req->body.n == 0 ? STR("application/json")
                                                  : request_header(c->req, "content-type");
    const parley_json *in = body_type_is_json(type) ? call_json(c) : NULL;
    if (in && api_table()->json_type(in) == PARLEY_J_OBJ) {
        *ret = in;
        return PARLEY_OK;
    }
    if (!body_type_is_json(type))
        err = deny_type(c, type);
    else
        err = in ? deny_not_object(c, in) : deny_malformed(c);
    return err < 0 ? err : PARLEY_DENY;
}
