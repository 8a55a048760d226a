/* chain.c -- stages and their order, built once; walking a chain, and what a verdict means.
 *
 *   a path       EARLY .. preflight origin 404 301 406 handshake | AUTH .. 401 | REPLAY .. |
 *                LIMIT .. 405 | APP .. handler
 *   an event     EARLY .. | AUTH .. 401 | REPLAY .. | LIMIT .. |
 *                APP .. handler
 *   an unknown   EARLY .. preflight origin 404
 *
 * ".." is the middleware of plugins, the rest are the server's own checks (checks.c).  LATE
 * middleware runs when the answer has left. */
#include "core/host/chain.h"

#include "core/base/log.h"

#include <stdlib.h>

static int step_middleware(call *c, const step *s)
{
    return call_plugin(c, s->owner, s->fn, s->ud, "middleware", c->where);
}

static int step_by_prefix(call *c, const step *s)
{
    return str_starts(c->where, s->prefix) ? step_middleware(c, s) : PARLEY_NEXT;
}

/* ---- building ---- */

/* clang-format off */
static const step checks_of_path[] = {
    { .stage = PARLEY_EARLY, .name = "preflight", .run = check_preflight },
    { .stage = PARLEY_EARLY, .name = "origin", .run = check_origin },
    { .stage = PARLEY_EARLY, .name = "404", .run = check_known },
    { .stage = PARLEY_EARLY, .name = "301", .run = check_slash },
    { .stage = PARLEY_EARLY, .name = "406", .run = check_accept },
    { .stage = PARLEY_EARLY, .name = "handshake", .run = check_handshake },
    { .stage = PARLEY_AUTH,  .name = "401", .run = check_user },
    { .stage = PARLEY_LIMIT, .name = "405", .run = check_method },
    { .stage = PARLEY_APP,   .name = "handler", .run = check_handler },
};
static const step checks_of_event[] = {
    { .stage = PARLEY_AUTH,  .name = "401", .run = check_user },
    { .stage = PARLEY_APP,   .name = "handler", .run = check_handler },
};
static const step checks_of_unknown[] = {
    { .stage = PARLEY_EARLY, .name = "preflight", .run = check_preflight },
    { .stage = PARLEY_EARLY, .name = "origin", .run = check_origin },
    { .stage = PARLEY_EARLY, .name = "404", .run = check_known },
};
/* clang-format on */

typedef struct chain_plan {
    const step *checks;
    size_t check_n;
    str where; /* the path or event; absent: known at run time */
    int last;  /* stage of middleware that it has at the most, LATE excepted */
} chain_plan;

static bool plan_takes(const chain_plan *plan, const use *u)
{
    return !plan->where.p || str_starts(plan->where, u->prefix);
}

static step use_step(const chain_plan *plan, const use *u)
{
    return (step){
        .run = plan->where.p || u->prefix.n == 0 ? step_middleware : step_by_prefix,
        .owner = u->owner,
        .fn = u->fn,
        .ud = u->ud,
        .prefix = u->prefix,
        .stage = u->stage,
    };
}

static size_t steps_of_stage(const host *h, const chain_plan *plan, int stage, step *to)
{
    size_t n = 0;

    for (size_t i = 0; i < h->use_n; i++)
        if (h->uses[i].stage == stage && plan_takes(plan, &h->uses[i]))
            to[n++] = use_step(plan, &h->uses[i]);
    return n;
}

/* h->uses stand in the order of load(), which is the order of the YAML. */
static int chain_build(const host *h, const chain_plan *plan, chain *ret)
{
    static const int stages[] = { PARLEY_EARLY, PARLEY_AUTH, PARLEY_REPLAY, PARLEY_LIMIT,
                                  PARLEY_APP };

    ret->steps = calloc(h->use_n + plan->check_n, sizeof(step));
    ret->late = calloc(h->use_n + 1, sizeof(step));
    if (!ret->steps || !ret->late)
        return -ENOMEM;
    for (size_t s = 0; s < COUNT(stages); s++) {
        if (stages[s] <= plan->last)
            ret->n += steps_of_stage(h, plan, stages[s], ret->steps + ret->n);
        for (size_t i = 0; i < plan->check_n; i++)
            if (plan->checks[i].stage == stages[s])
                ret->steps[ret->n++] = plan->checks[i];
    }
    ret->late_n = steps_of_stage(h, plan, PARLEY_LATE, ret->late);
    return 0;
}

static int chain_build_event(const host *h, event *e)
{
    const chain_plan plan = { checks_of_event, COUNT(checks_of_event), e->route->path, PARLEY_APP };

    return chain_build(h, &plan, &e->chain);
}

static int path_build_events(const host *h, path *p)
{
    p->events = calloc(h->route_n + 1, sizeof(event));
    if (!p->events)
        return -ENOMEM;
    for (size_t i = 0; i < h->route_n; i++) {
        const route *r = h->routes[i];
        if (!str_eq(r->method, STR("EVENT")))
            continue;
        if (r->endpoint && !str_eq(str_of(r->endpoint), p->ws->path))
            continue;
        p->events[p->event_n].route = r;
        if (chain_build_event(h, &p->events[p->event_n++]) < 0)
            return -ENOMEM;
    }
    return 0;
}

typedef struct building {
    const host *h;
    int err;
} building;

static int path_build(path *p, void *ud)
{
    building *b = ud;
    const chain_plan plan = { checks_of_path, COUNT(checks_of_path), p->routes[0]->path,
                              PARLEY_APP };

    b->err = chain_build(b->h, &plan, &p->chain);
    if (b->err == 0 && p->ws)
        b->err = path_build_events(b->h, p);
    return b->err;
}

int chains_build(host *h)
{
    const chain_plan unknown = { checks_of_unknown, COUNT(checks_of_unknown), STR_NONE,
                                 PARLEY_EARLY };
    building b = { h, 0 };

    int err = chain_build(h, &unknown, &h->unknown);
    if (err < 0)
        return err;
    router_each(h->router, path_build, &b);
    return b.err;
}

void chain_free(chain *c)
{
    free(c->steps);
    free(c->late);
    *c = (chain){ 0 };
}

/* ---- walking ---- */

/* The holder's part is not over when the callback returns: it waits, with a deadline. */
static void chain_hold(call *c, const step *s)
{
    c->holder = s->run == check_handler ? c->route->owner : s->owner;
    promise_made(c->holder);
    int64_t ms =
        c->route && c->route->timeout_ms ? c->route->timeout_ms : c->host->set->request_timeout_ms;
    deadline_set(c, ms);
    if (c->is_event && s->run != check_handler && c->req->conn && !c->is_holding_socket) {
        c->is_holding_socket = true;
        conn_hold(c->req->conn, true);
    }
}

static void chain_failed(call *c, const step *s, int verdict)
{
    const plugin *who = s->run == check_handler ? c->route->owner : s->owner;

    log_msg(PARLEY_ERROR, "plugin \"" STR_FMT "\" failed (%d) in %s " STR_FMT, STR_ARG(who->name),
            verdict, s->run == check_handler ? c->route->label : "middleware of",
            s->run == check_handler ? 0 : (int)c->where.n, c->where.p);
    (void)call_deny(c, 500, "internal", STR("Internal server error."));
}

/* What the verdict of a callback means; true: go on with the next step. */
static bool chain_verdict(call *c, const step *s, int verdict)
{
    if (verdict < PARLEY_NEXT || verdict > PARLEY_PENDING) {
        if (!c->is_answered)
            chain_failed(c, s, verdict);
        return false;
    }
    if (c->is_answered || verdict == PARLEY_NEXT)
        return true;
    if (verdict == PARLEY_DENY) {
        (void)call_deny(c, 403, "forbidden",
                        STR("You do not have permission to perform this action."));
        return false;
    }
    if (verdict == PARLEY_DONE) {
        if (!c->is_event)
            chain_failed(c, s, verdict);
        return false;
    }
    if (c->is_finished)
        return false;
    if (!c->is_going_on)
        chain_hold(c, s);
    c->is_going_on = false;
    return !c->holder;
}

void chain_let_go(call *c)
{
    if (!c->is_holding_socket)
        return;
    c->is_holding_socket = false;
    if (c->req->conn)
        conn_hold(c->req->conn, false);
}

static void chain_end(call *c)
{
    chain_let_go(c);
    if (!c->is_event)
        return;
    if (c->status == 0)
        c->status = 200;
    c->is_over_due = true;
    job_add(c->host, &c->job);
}

void chain_go(call *c)
{
    while (c->at < c->chain->n && !c->is_answered && !c->is_gone) {
        const step *s = &c->chain->steps[c->at++];
        if (!chain_verdict(c, s, s->run(c, s)))
            break;
    }
    if (!c->holder)
        chain_end(c);
    else if (c->at == c->chain->n)
        chain_let_go(c); /* the handler waits; frames behind this one need not */
}

void chain_late(call *c)
{
    for (size_t i = 0; i < c->chain->late_n; i++) {
        const step *s = &c->chain->late[i];
        (void)s->run(c, s);
    }
}
