/* call.c -- a request on its way: from the head to the end, and whoever holds it meanwhile. */
#include "core/host/call.h"

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/host/chain.h"
#include "core/host/socket.h"

static void call_turn(host *h, job *j);

call *call_find(parley_req id)
{
    host *h = host_here();
    request *req = h && h->net ? request_find(h->net, id.id) : NULL;

    return req ? req->up : NULL;
}

call *call_create(host *h, request *req)
{
    call *c = arena_alloc(&req->memory, sizeof(*c));

    if (!c)
        return NULL;
    c->host = h;
    c->req = req;
    job_init(&c->job, call_turn);
    list_init(&c->deadline);
    req->up = c;
    return c;
}

/* ---- its identity ---- */

static bool id_is_good(str id)
{
    if (id.n == 0 || id.n > 64)
        return false;
    for (size_t i = 0; i < id.n; i++) {
        char ch = id.p[i];
        bool alnum =
            (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
        if (!alnum && ch != '.' && ch != '_' && ch != '-')
            return false;
    }
    return true;
}

str call_id(call *c)
{
    char made[37];

    if (c->id.p)
        return c->id;
    str given = c->is_event ? STR_NONE : request_header(c->req, "x-request-id");
    if (id_is_good(given)) {
        c->id = given;
        return given;
    }
    random_uuid7(made);
    c->id = arena_str(&c->req->memory, str_of(made));
    return c->id.p ? c->id : STR("-");
}

/* ---- callbacks ---- */

int call_plugin(call *c, plugin *who, parley_req_fn fn, void *ud, const char *what, str detail)
{
    plugin_frame saved;

    c->is_running = true;
    plugin_enter(&saved, who, what, detail);
    int verdict = fn(who, (parley_req){ c->req->handle }, ud);
    plugin_leave(&saved);
    c->is_running = false;
    return verdict;
}

void call_begin(call *c)
{
    c->is_begun = true;
    chain_go(c);
}

void call_unhold(call *c)
{
    c->is_finished = true;
    if (!c->holder)
        return;
    deadline_clear(c);
    promise_kept(c->holder);
    c->holder = NULL;
    job_add(c->host, &c->job);
}

/* ---- the end ---- */

static void call_release(call *c)
{
    request *req = c->req;

    deadline_clear(c);
    json_release(c->json_owned);
    c->json = c->json_owned = NULL;
    job_cancel(&c->job);
    if (c->endpoint)
        endpoint_unref(c->host, c->endpoint);
    if (c->is_event)
        event_end(req);
    else
        request_release(req);
}

static void call_tell_done(call *c)
{
    const hook_point *point = c->host->on_done;
    int64_t micros = (clock_mono_ns() - c->req->arrived_ns) / 1000;
    parley_req_info info = {
        .size = sizeof(info),
        .status = c->status,
        .req = { c->req->handle },
        .bytes_in = c->req->bytes_in,
        .bytes_out = c->req->bytes_out,
        .micros = micros,
        .is_event = c->is_event,
        .route_flags = c->path || c->route ? call_route_flags(c) : 0,
    };

    meter_call(c, micros);
    if (point)
        (void)hook_run(c->host, point, &info);
}

void call_over(call *c)
{
    if (c->is_over)
        return;
    c->is_over = true;
    if (!c->is_begun && !c->is_answered)
        return; /* the client left before its request was whole */
    chain_late(c);
    call_tell_done(c);
}

static void call_tell_cancels(call *c)
{
    cancel *next = c->cancels;

    c->is_cancel_due = false;
    c->cancels = NULL;
    for (cancel *it = next; it; it = next) {
        plugin_frame saved;

        next = it->next;
        plugin_enter(&saved, it->who, "on_cancel", c->where);
        it->fn(it->who, PARLEY_ECANCELED, it->ud);
        plugin_leave(&saved);
    }
}

/* A held middleware or handler said NEXT. */
static void call_go_on(call *c)
{
    c->is_going_on = false;
    c->is_finished = false;
    if (c->at == c->chain->n && !c->is_event && !c->is_answered)
        (void)call_deny(c, 404, "not_found", STR("Not found."));
    chain_go(c);
}

/* What is due for this call, outside of any plugin's callback. */
static void call_turn(host *h, job *j)
{
    call *c = LIST_ITEM(j, call, job);

    (void)h;
    if (c->is_cancel_due && c->holder)
        call_tell_cancels(c);
    if (c->is_going_on && !c->holder && !c->is_gone && !c->is_expired)
        call_go_on(c);
    else if (c->is_event && !c->holder && !c->is_over_due)
        chain_go(c); /* refused or handled by its holder: ends the chain */
    if (c->is_over_due)
        call_over(c);
    if (c->is_over && !c->holder)
        call_release(c);
}

/* The client has left. */
void call_gone(call *c)
{
    if (c->is_gone)
        return;
    c->is_gone = true;
    c->is_holding_socket = false;
    c->is_cancel_due = true;
    if (!c->is_answered)
        c->status = 499;
    c->is_over_due = true;
    job_add(c->host, &c->job);
}
