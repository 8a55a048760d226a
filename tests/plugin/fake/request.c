/* request.c -- requests and events on their way through the chain. */
#include "internal.h"

#include <stdio.h>

/* clang-format off */
static const int stages[] = { PARLEY_EARLY, PARLEY_AUTH, PARLEY_REPLAY, PARLEY_LIMIT,
                              PARLEY_APP };
/* clang-format on */
enum { STAGES = sizeof(stages) / sizeof(stages[0]), REQUEST_MEMORY = 1 << 22 };

static void chain_run(fake_request *r);

static bool route_answers(const parley_route *def, const char *method)
{
    bool head = strcmp(method, "HEAD") == 0 && strcmp(def->method, "GET") == 0;

    return head || strcmp(def->method, method) == 0;
}

/* Of all routes of the path the one with the method; else any, for the flags and the 405. */
static void request_route(fake_request *r)
{
    bool websocket = strcmp(r->method, "WS") == 0;

    for (size_t i = 0; i < fake.routes.n; i++) {
        const fake_route_item *item = fake.routes.p[i];
        bool same_world = (strcmp(item->def.method, "WS") == 0) == websocket;

        if (strcmp(item->def.method, "EVENT") == 0 || !same_world ||
            !fake_path_match(item->def.path, r->path, NULL))
            continue;
        r->path_known = true;
        if (!r->route || route_answers(&item->def, r->method))
            r->route = item;
    }
    if (r->route)
        (void)fake_path_match(r->route->def.path, r->path, &r->params);
}

static void event_route(fake_request *r, const fake_socket *s)
{
    for (size_t i = 0; i < fake.routes.n; i++) {
        const fake_route_item *item = fake.routes.p[i];

        if (strcmp(item->def.method, "EVENT") != 0 || strcmp(item->def.path, r->path) != 0)
            continue;
        /* The endpoint is the path of the WS route; the socket has the path that was asked for. */
        if (!item->def.endpoint || fake_path_match(item->def.endpoint, s->path, NULL))
            r->route = item;
    }
    r->path_known = r->route != NULL;
}

/* ---- making them ---- */

static fake_request *request_new(const char *method, const char *path)
{
    fake_request *r = calloc(1, sizeof(*r));
    str whole = str_of(path), head, query;

    if (!r)
        abort();
    (void)str_cut(whole, '?', &head, &query);
    r->method = fake_dup(str_of(method));
    r->path = fake_dup(head);
    r->query = fake_dup(query);
    r->peer = fake_dup(STR("192.0.2.1"));
    r->took_us = -1;
    arena_init(&r->mem, REQUEST_MEMORY);
    buf_init(&r->reply, FAKE_TEXT);
    fake_vec_push(&fake.requests, r);
    r->id = fake.requests.n;
    return r;
}

fake_request *fake_request_any(parley_req req)
{
    if (req.id == 0 || req.id > fake.requests.n)
        fail_msg("there is no request %llu", (unsigned long long)req.id);
    return fake.requests.p[req.id - 1];
}

fake_request *fake_request_of(parley_req req)
{
    if (req.id == 0 || req.id > fake.requests.n)
        return NULL;
    fake_request *r = fake.requests.p[req.id - 1];
    return r->state == REQUEST_ENDED ? NULL : r;
}

parley_req fake_req(const char *method, const char *path)
{
    return (parley_req){ request_new(method, path)->id };
}

void fake_req_header(parley_req req, const char *name, const char *value)
{
    fake_named_set(&fake_request_any(req)->headers, name, value);
}

static void set_text(char **at, const char *text)
{
    free(*at);
    *at = text ? fake_dup(str_of(text)) : NULL;
}

void fake_req_body(parley_req req, const char *text)
{
    fake_request *r = fake_request_any(req);

    set_text(&r->body, text);
    if (!fake_named_find(&r->headers, "Content-Type"))
        fake_named_set(&r->headers, "Content-Type", "application/json");
}

void fake_req_user(parley_req req, const char *id, const char *label)
{
    fake_request *r = fake_request_any(req);

    set_text(&r->user, id);
    set_text(&r->label, label);
}

void fake_req_peer(parley_req req, const char *peer)
{
    set_text(&fake_request_any(req)->peer, peer);
}

void fake_req_took(parley_req req, int64_t micros)
{
    fake_request_any(req)->took_us = micros;
}

static void request_begin(fake_request *r)
{
    r->state = REQUEST_RUNNING;
    r->began_us = fake.mono_ns / 1000;
    chain_run(r);
    fake_run();
}

void fake_send(parley_req req)
{
    fake_request *r = fake_request_any(req);

    if (r->state != REQUEST_NEW)
        fail_msg("request %llu was sent already", (unsigned long long)r->id);
    request_route(r);
    request_begin(r);
}

parley_req fake_call(const char *method, const char *path, const char *body)
{
    parley_req req = fake_req(method, path);

    if (body)
        fake_req_body(req, body);
    fake_send(req);
    return req;
}

parley_req fake_event(parley_conn conn, const char *json)
{
    fake_socket *s = fake_socket_of(conn);
    char why[160];

    if (!s)
        fail_msg("the socket is gone");
    parley_json *object = json_read(str_of(json), why, sizeof(why));
    str type = fake.api.json_str(fake.api.json_get(object, "type"));
    if (!type.p)
        fail_msg("a frame without \"type\" is answered by the server itself: %s", json);
    char *name = fake_dup(type);
    fake_request *r = request_new("EVENT", name);
    free(name);
    r->is_event = true;
    r->json = object;
    r->json_read = true;
    r->conn = conn;
    set_text(&r->body, json);
    set_text(&r->peer, s->peer);
    set_text(&r->user, s->user);
    set_text(&r->label, s->user);
    event_route(r, s);
    request_begin(r);
    return (parley_req){ r->id };
}

/* ---- the chain ---- */

/* Looks at what a middleware or handler said; true: go on with the next one. */
static bool verdict_take(fake_request *r, int verdict)
{
    parley_req req = { r->id };

    if (r->answered) {
        fake_request_finish(r);
        return false;
    }
    if (verdict == PARLEY_PENDING) {
        r->state = REQUEST_PENDING;
        return false;
    }
    if (verdict == PARLEY_NEXT && !r->on_handler)
        return true;
    if (verdict == PARLEY_DENY)
        (void)fake.api.deny(req, 403, "forbidden", "Forbidden.");
    else if (verdict == PARLEY_DONE && r->is_event)
        r->handled = true;
    else if (verdict == PARLEY_DONE && strcmp(r->method, "WS") == 0)
        (void)fake.api.ws_open(req, NULL);
    else
        (void)fake.api.deny(req, 500, "internal", "Internal server error.");
    fake_request_finish(r);
    return false;
}

static void refuse(fake_request *r, int status, const char *code, const char *text)
{
    (void)fake.api.deny((parley_req){ r->id }, status, code, text);
    fake_request_finish(r);
}

/* The server's own answers between the stages; false: it gave one. */
static bool stage_after(fake_request *r, int stage)
{
    uint32_t flags = fake.api.req_route_flags((parley_req){ r->id });
    char text[64];

    if (stage == PARLEY_EARLY && !r->path_known) {
        refuse(r, 404, "not_found", "Not found.");
        return false;
    }
    if (stage == PARLEY_AUTH && (flags & PARLEY_R_USER) && !r->user) {
        (void)fake.api.reply_header((parley_req){ r->id }, "WWW-Authenticate", STR("Token"));
        refuse(r, 401, "not_authenticated", "Authentication credentials were not provided.");
        return false;
    }
    if (stage == PARLEY_LIMIT && !r->is_event && !route_answers(&r->route->def, r->method)) {
        (void)snprintf(text, sizeof(text), "Method \"%s\" not allowed.", r->method);
        refuse(r, 405, "method_not_allowed", text);
        return false;
    }
    return true;
}

static void chain_run(fake_request *r)
{
    parley_req req = { r->id };

    r->state = REQUEST_RUNNING;
    for (; r->stage < STAGES; r->stage++, r->use = 0) {
        while (r->use < fake.uses.n) {
            const fake_use_item *item = fake.uses.p[r->use++];

            if (item->stage != stages[r->stage] ||
                !str_starts(str_of(r->path), str_of(item->prefix)))
                continue;
            if (!verdict_take(r, item->fn(fake_ctx(), req, item->ud)))
                return;
        }
        if (!stage_after(r, stages[r->stage]))
            return;
    }
    r->on_handler = true;
    (void)verdict_take(r, r->route->def.fn(fake_ctx(), req, r->route->def.ud));
}

static void late_run(fake_request *r)
{
    for (size_t i = 0; i < fake.uses.n; i++) {
        const fake_use_item *item = fake.uses.p[i];

        if (item->stage == PARLEY_LATE && str_starts(str_of(r->path), str_of(item->prefix)))
            (void)item->fn(fake_ctx(), (parley_req){ r->id }, item->ud);
    }
}

void fake_request_finish(fake_request *r)
{
    if (r->state == REQUEST_ENDED)
        return;
    if (r->status == 0)
        r->status = r->gone ? 499 : 200; /* 200: an event that was handled without an answer */
    late_run(r);
    parley_req_info info = {
        PARLEY_SIZED(parley_req_info),
        .status = r->status,
        .req = { r->id },
        .bytes_in = r->body ? strlen(r->body) : 0,
        .bytes_out = r->reply.n,
        .micros = r->took_us >= 0 ? r->took_us : fake.mono_ns / 1000 - r->began_us,
        .is_event = r->is_event,
        .route_flags = fake.api.req_route_flags((parley_req){ r->id }),
    };
    (void)fake_hooks_run("req.done", &info);
    r->state = REQUEST_ENDED;
    arena_done(&r->mem);
    json_release(r->json);
    r->json = NULL;
}

static void job_finish(fake_job *job)
{
    fake_request_finish(job->ud);
}

static void job_go_on(fake_job *job)
{
    fake_request *r = job->ud;

    if (r->on_handler) { /* of an event: handled */
        fake_request_finish(r);
        return;
    }
    chain_run(r);
}

/* A PENDING request was answered: it ends after the callback that runs now. */
static int pending_end(fake_request *r, void (*how)(fake_job *))
{
    if (r->state == REQUEST_PENDING) {
        r->state = REQUEST_RUNNING;
        fake_job_push(how, NULL, r, 0);
    }
    return PARLEY_OK;
}

static int api_go_on(parley_req req)
{
    fake_request *r = fake_request_of(req);

    if (!r)
        return PARLEY_EGONE;
    if (r->gone) {
        (void)pending_end(r, job_finish);
        return PARLEY_EGONE;
    }
    if (r->state != REQUEST_PENDING)
        return PARLEY_EPHASE;
    return pending_end(r, job_go_on);
}

static void cancel_run(fake_request *r)
{
    parley_done_fn fn = r->cancel;

    r->gone = true;
    r->cancel = NULL;
    if (fn)
        fn(fake_ctx(), PARLEY_ECANCELED, r->cancel_ud);
    fake_run();
}

void fake_leave(parley_req req)
{
    cancel_run(fake_request_any(req));
}

void fake_timeout(parley_req req)
{
    fake_request *r = fake_request_any(req);

    if (r->status == 0)
        r->status = 503;
    cancel_run(r);
}

static int api_on_cancel(parley_ctx *ctx, parley_req req, parley_done_fn fn, void *ud)
{
    fake_request *r = fake_request_of(req);

    (void)ctx;
    if (!r || r->gone)
        return PARLEY_EGONE;
    r->cancel = fn;
    r->cancel_ud = ud;
    return PARLEY_OK;
}

/* ---- what tests ask ---- */

int fake_status(parley_req req)
{
    return fake_request_any(req)->status;
}

const char *fake_body(parley_req req)
{
    fake_request *r = fake_request_any(req);

    if (r->reply.n == 0 || r->reply.p[r->reply.n - 1] != '\0')
        (void)buf_byte(&r->reply, '\0');
    return r->reply.p;
}

const char *fake_reply_header(parley_req req, const char *name)
{
    const fake_named *item = fake_named_find(&fake_request_any(req)->reply_headers, name);

    return item ? item->value : NULL;
}

const char *fake_user(parley_req req)
{
    return fake_request_any(req)->user;
}

bool fake_pending(parley_req req)
{
    return fake_request_any(req)->state == REQUEST_PENDING;
}

parley_conn fake_opened(parley_req req)
{
    return fake_request_any(req)->opened;
}

static void request_free(fake_request *r)
{
    free(r->method);
    free(r->path);
    free(r->query);
    free(r->body);
    free(r->peer);
    free(r->user);
    free(r->label);
    fake_named_free(&r->headers);
    fake_named_free(&r->params);
    fake_named_free(&r->reply_headers);
    arena_done(&r->mem);
    json_release(r->json);
    buf_done(&r->reply);
    free(r);
}

void fake_requests_done(void)
{
    char open[200] = "";

    fake_run();
    for (size_t i = 0; i < fake.requests.n; i++) {
        fake_request *r = fake.requests.p[i];

        if (r->state == REQUEST_PENDING && fake_db_waiting() == 0 && !open[0])
            (void)snprintf(open, sizeof(open), "%s %s", r->method, r->path);
        request_free(r);
    }
    free(fake.requests.p);
    fake.requests = (fake_vec){ NULL, 0 };
    if (open[0])
        fail_msg("never answered: %s", open);
}

void fake_request_api(parley_api *api)
{
    api->go_on = api_go_on;
    api->on_cancel = api_on_cancel;
}
