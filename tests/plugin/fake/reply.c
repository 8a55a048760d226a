/* reply.c -- what a handler asks a request, and how it answers. */
#include "internal.h"

#include <stdio.h>

/* ---- asking ---- */

static parley_str api_method(parley_req req)
{
    const fake_request *r = fake_request_of(req);

    return r ? str_of(r->method) : STR_NONE;
}

static parley_str api_path(parley_req req)
{
    const fake_request *r = fake_request_of(req);

    return r ? str_of(r->path) : STR_NONE;
}

static parley_str api_route_path(parley_req req)
{
    const fake_request *r = fake_request_of(req);

    return r && r->route ? str_of(r->route->def.path) : STR_NONE;
}

/* PARLEY_R_USER counts if any method of the path has it. */
static uint32_t api_route_flags(parley_req req)
{
    const fake_request *r = fake_request_of(req);

    if (!r || !r->route)
        return 0;
    uint32_t flags = r->route->def.flags;
    for (size_t i = 0; i < fake.routes.n && !r->is_event; i++) {
        const fake_route_item *item = fake.routes.p[i];

        if (strcmp(item->def.path, r->route->def.path) == 0)
            flags |= item->def.flags & PARLEY_R_USER;
    }
    return flags;
}

static parley_str api_endpoint(parley_req req)
{
    const fake_request *r = fake_request_of(req);
    const fake_socket *s = r && r->is_event ? fake_socket_of(r->conn) : NULL;

    if (r && r->is_event)
        return s ? str_of(s->path) : STR_NONE;
    return api_path(req);
}

static parley_str api_param(parley_req req, const char *name)
{
    const fake_request *r = fake_request_of(req);
    const fake_socket *s = r && r->is_event ? fake_socket_of(r->conn) : NULL;
    const fake_named *item = NULL;

    if (r)
        item = fake_named_find(s ? &s->params : &r->params, name);
    return item ? str_of(item->value) : STR_NONE;
}

static int hex(char c)
{
    const char *at = c ? strchr("0123456789abcdef0123456789ABCDEF", c) : NULL;

    return at ? (int)((at - "0123456789abcdef0123456789ABCDEF") % 16) : -1;
}

/* A query's name or value, decoded into the request's memory. */
static str decoded(fake_request *r, str s)
{
    char *p = arena_alloc(&r->mem, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n && p; i++) {
        bool escape = s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0;

        p[n] = s.p[i];
        if (s.p[i] == '+')
            p[n] = ' ';
        if (escape)
            p[n] = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
        n++;
        i += escape ? 2 : 0;
    }
    return (str){ p, n };
}

static parley_str fields_find(fake_request *r, str rest, const char *name)
{
    str found = STR_NONE;

    while (rest.n > 0) {
        str pair, key, value;

        (void)str_cut(rest, '&', &pair, &rest);
        (void)str_cut(pair, '=', &key, &value);
        if (str_eq(decoded(r, key), str_of(name)))
            found = decoded(r, value);
    }
    return found;
}

static parley_str api_query(parley_req req, const char *name)
{
    fake_request *r = fake_request_of(req);

    return r ? fields_find(r, str_of(r->query), name) : STR_NONE;
}

static parley_str api_header(parley_req req, const char *name)
{
    const fake_request *r = fake_request_of(req);
    const fake_named *item = r ? fake_named_find(&r->headers, name) : NULL;

    return item ? str_of(item->value) : STR_NONE;
}

static parley_str api_form(parley_req req, const char *name)
{
    fake_request *r = fake_request_of(req);

    return r && str_eq(api_header(req, "Content-Type"), STR("application/x-www-form-urlencoded"))
               ? fields_find(r, str_of(r->body), name)
               : STR_NONE;
}

/* The site is http://localhost:8000. */
static int api_from_site(parley_req req)
{
    return str_eq(api_header(req, "Origin"), STR("http://localhost:8000"));
}

static parley_str api_id(parley_req req)
{
    parley_str given = api_header(req, "X-Request-ID");

    return given.p ? given : STR("fake-request");
}

static parley_str api_url(parley_req req)
{
    parley_str host = api_header(req, "Host");
    fake_request *r = fake_request_of(req);
    char text[300];

    if (!r)
        return STR_NONE;
    (void)snprintf(text, sizeof(text), "http://" STR_FMT,
                   STR_ARG(host.p ? host : STR("localhost:8000")));
    return arena_str(&r->mem, str_of(text));
}

static parley_str api_body(parley_req req)
{
    const fake_request *r = fake_request_of(req);

    return r ? str_of(r->body) : STR_NONE;
}

static parley_json *body_read(fake_request *r, char *why, size_t why_size)
{
    str text = r->body && *r->body ? str_of(r->body) : STR("{}");

    if (!r->json_read)
        r->json = json_read(text, why, why_size);
    r->json_read = r->json != NULL;
    return r->json;
}

static const parley_json *api_json(parley_req req)
{
    fake_request *r = fake_request_of(req);
    char why[160];

    return r ? body_read(r, why, sizeof(why)) : NULL;
}

static int deny_shape(parley_req req, const parley_json *got)
{
    static const char *const names[] = { "None", "bool", "int", "str", "list", "dict" };
    char text[96];

    (void)snprintf(text, sizeof(text), "Invalid data. Expected a dictionary, but got %s.",
                   names[fake.api.json_type(got)]);
    parley_json *errors = fake.api.json_obj(), *texts = fake.api.json_arr();
    (void)fake.api.json_push(texts, fake.api.json_s(str_of(text)));
    (void)fake.api.json_set(errors, "non_field_errors", texts);
    (void)fake.api.deny_fields(req, errors);
    return PARLEY_DENY;
}

static int api_object(parley_req req, const parley_json **ret)
{
    fake_request *r = fake_request_of(req);
    char why[160] = "", text[256];
    parley_str type = api_header(req, "Content-Type");

    if (!r)
        return PARLEY_EGONE;
    if (!r->is_event && r->body && *r->body && !str_istarts(type, STR("application/json"))) {
        (void)snprintf(text, sizeof(text), "Unsupported media type \"" STR_FMT "\" in request.",
                       STR_ARG(type));
        (void)fake.api.deny(req, 415, "unsupported_media_type", text);
        return PARLEY_DENY;
    }
    parley_json *j = body_read(r, why, sizeof(why));
    if (!j) {
        (void)snprintf(text, sizeof(text), "JSON parse error - %s", why);
        (void)fake.api.deny(req, 400, "parse_error", text);
        return PARLEY_DENY;
    }
    if (fake.api.json_type(j) != PARLEY_J_OBJ)
        return deny_shape(req, j);
    *ret = j;
    return PARLEY_OK;
}

static int api_wants(parley_req req, const char *type)
{
    parley_str accept = api_header(req, "Accept");

    return accept.p && strstr(accept.p, type) != NULL; /* the test's own text: NUL-ended */
}

static parley_str api_peer(parley_req req)
{
    const fake_request *r = fake_request_of(req);

    return r ? str_of(r->peer) : STR_NONE;
}

static int api_direct(parley_req req)
{
    return str_eq(api_peer(req), STR("127.0.0.1")) && !api_header(req, "X-Forwarded-For").p;
}

static parley_conn api_conn(parley_req req)
{
    const fake_request *r = fake_request_of(req);

    return r ? r->conn : (parley_conn){ 0 };
}

static parley_str api_user(parley_req req)
{
    const fake_request *r = fake_request_of(req);

    return r ? str_of(r->user) : STR_NONE;
}

static parley_str api_user_label(parley_req req)
{
    const fake_request *r = fake_request_of(req);

    return r ? str_of(r->label) : STR_NONE;
}

static int api_set_user(parley_req req, parley_str id, parley_str label)
{
    fake_request *r = fake_request_of(req);

    if (!r)
        return PARLEY_EGONE;
    free(r->user);
    free(r->label);
    r->user = id.p ? fake_dup(id) : NULL;
    r->label = label.p ? fake_dup(label) : NULL;
    return PARLEY_OK;
}

static void *api_alloc(parley_req req, size_t n)
{
    fake_request *r = fake_request_of(req);

    return r ? arena_alloc(&r->mem, n) : NULL;
}

static int api_set(parley_ctx *ctx, parley_req req, void *value)
{
    fake_request *r = fake_request_of(req);

    (void)ctx;
    if (!r)
        return PARLEY_EGONE;
    r->slot = value;
    return PARLEY_OK;
}

static void *api_slot(parley_ctx *ctx, parley_req req)
{
    const fake_request *r = fake_request_of(req);

    (void)ctx;
    return r ? r->slot : NULL;
}

/* ---- answering ---- */

static void job_finish(fake_job *job)
{
    fake_request_finish(job->ud);
}

/* The request that may be answered now; NULL: *ret_err says why not.  One that the client has left
 * ends all the same. */
static fake_request *answer_begin(parley_req req, int *ret_err)
{
    fake_request *r = fake_request_of(req);

    *ret_err = PARLEY_EGONE;
    if (!r || r->answered)
        return NULL;
    r->answered = true;
    if (r->state == REQUEST_PENDING) {
        r->state = REQUEST_RUNNING;
        fake_job_push(job_finish, NULL, r, 0);
    }
    return r->gone ? NULL : r;
}

static int api_reply_header(parley_req req, const char *name, parley_str value)
{
    fake_request *r = fake_request_of(req);
    char *text = fake_dup(value);
    bool good = strlen(text) == value.n && !strpbrk(text, "\r\n");

    if (r && good)
        fake_named_set(&r->reply_headers, name, text);
    free(text);
    return !r ? PARLEY_EGONE : good ? PARLEY_OK : PARLEY_EINVAL;
}

static int api_reply(parley_req req, int status, const char *type, parley_str body)
{
    int err;
    fake_request *r = answer_begin(req, &err);

    if (!r)
        return err;
    if (type)
        fake_named_set(&r->reply_headers, "Content-Type", type);
    r->status = status;
    (void)buf_add(&r->reply, body);
    return PARLEY_OK;
}

static int api_reply_json(parley_req req, int status, parley_json *take)
{
    int err;
    fake_request *r = answer_begin(req, &err);

    if (!take)
        fail_msg("reply_json() without a value");
    if (r) {
        fake_named_set(&r->reply_headers, "Content-Type", "application/json");
        r->status = status;
        (void)json_write(take, &r->reply);
    }
    json_release(take);
    return r ? PARLEY_OK : err;
}

/* The error object of HTTP, or the error frame of an event. */
static int refusal(parley_req req, int status, const char *code, const char *text)
{
    int err;
    fake_request *r = answer_begin(req, &err);

    if (!r)
        return err;
    parley_json *j = fake.api.json_obj();
    if (r->is_event)
        (void)fake.api.json_set(j, "type", fake.api.json_s(STR("error")));
    if (!r->is_event)
        (void)fake.api.json_set(j, "detail", fake.api.json_s(str_of(text)));
    (void)fake.api.json_set(j, "code", fake.api.json_s(str_of(code)));
    if (r->is_event)
        (void)fake.api.json_set(j, "detail", fake.api.json_s(str_of(text)));
    str client_id =
        r->is_event ? fake.api.json_str(fake.api.json_get(r->json, "client_msg_id")) : STR_NONE;
    if (client_id.p)
        (void)fake.api.json_set(j, "client_msg_id", fake.api.json_s(client_id));
    if (r->is_event && status == 429) {
        const fake_named *wait = fake_named_find(&r->reply_headers, "Retry-After");
        int64_t seconds = 0;

        (void)str_int(str_of(wait ? wait->value : "0"), &seconds);
        (void)fake.api.json_set(j, "retry_after", fake.api.json_i(seconds));
    }
    r->status = status;
    (void)json_write(j, &r->reply);
    if (r->is_event) {
        parley_frame *f = fake.api.frame(NULL, j, 0);

        (void)fake.api.send(r->conn, f);
        fake.api.frame_unref(f);
    }
    json_release(j);
    return PARLEY_OK;
}

static int api_deny(parley_req req, int status, const char *code, const char *text)
{
    return refusal(req, status, code, text);
}

static int api_deny_fields(parley_req req, parley_json *take)
{
    int err;
    fake_request *r = answer_begin(req, &err);

    if (!r) {
        json_release(take);
        return err;
    }
    r->status = 400;
    parley_json *j = take;
    if (r->is_event) {
        j = fake.api.json_obj();
        (void)fake.api.json_set(j, "type", fake.api.json_s(STR("error")));
        (void)fake.api.json_set(j, "code", fake.api.json_s(STR("invalid")));
        (void)fake.api.json_set(j, "detail", fake.api.json_s(STR("Invalid message.")));
        (void)fake.api.json_set(j, "errors", take);
        parley_frame *f = fake.api.frame(NULL, j, 0);
        (void)fake.api.send(r->conn, f);
        fake.api.frame_unref(f);
    }
    (void)json_write(j, &r->reply);
    json_release(j);
    return PARLEY_OK;
}

static int api_deny_throttled(parley_req req, int64_t seconds)
{
    char text[96], number[24];

    (void)snprintf(number, sizeof(number), "%lld", (long long)seconds);
    (void)snprintf(text, sizeof(text), "Request was throttled. Expected available in %s second%s.",
                   number, seconds == 1 ? "" : "s");
    (void)api_reply_header(req, "Retry-After", str_of(number));
    return refusal(req, 429, "throttled", text);
}

void fake_reply_api(parley_api *api)
{
    api->req_method = api_method;
    api->req_path = api_path;
    api->req_route = api_route_path;
    api->req_route_flags = api_route_flags;
    api->req_endpoint = api_endpoint;
    api->req_param = api_param;
    api->req_query = api_query;
    api->req_header = api_header;
    api->req_id = api_id;
    api->req_url = api_url;
    api->req_body = api_body;
    api->req_json = api_json;
    api->req_object = api_object;
    api->req_wants = api_wants;
    api->req_peer = api_peer;
    api->req_direct = api_direct;
    api->req_from_site = api_from_site;
    api->req_form = api_form;
    api->req_conn = api_conn;
    api->user = api_user;
    api->user_label = api_user_label;
    api->set_user = api_set_user;
    api->req_alloc = api_alloc;
    api->req_set = api_set;
    api->req_get = api_slot;
    api->reply_header = api_reply_header;
    api->reply = api_reply;
    api->reply_json = api_reply_json;
    api->deny = api_deny;
    api->deny_fields = api_deny_fields;
    api->deny_throttled = api_deny_throttled;
}
