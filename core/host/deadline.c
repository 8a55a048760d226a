/* deadline.c -- the deadlines of held calls: one ordered list, one timer.
 *
 * Most deadlines are equally long, so that a new one belongs at the list's end.  A call whose
 * deadline has come is answered with 503 (an event with the error "unavailable"); its holder still
 * has to finish it.  If that takes a minute more, it is logged once. */
#include "core/host/call.h"

#include "core/base/log.h"

enum { DEADLINE_COARSE_MS = 50, DEADLINE_REPORT_MS = 60000 };

static void deadline_come(call *c)
{
    if (c->is_expired || c->is_gone) {
        if (!c->is_late_told)
            log_msg(PARLEY_WARN,
                    "plugin \"" STR_FMT "\" still holds " STR_FMT " " STR_FMT
                    ", which ended long ago",
                    STR_ARG(c->holder->name), STR_ARG(c->method), STR_ARG(c->where));
        c->is_late_told = true;
        return;
    }
    (void)call_deny(c, 503, "unavailable",
                    STR("Service temporarily unavailable, try again later."));
    c->is_expired = true;
    c->is_cancel_due = true;
    chain_let_go(c);
    if (c->is_event)
        c->is_over_due = true;
    job_add(c->host, &c->job);
    deadline_set(c, DEADLINE_REPORT_MS);
}

static void deadlines_look(uv_timer_t *timer);

static void deadline_arm(host *h, int64_t now_ms)
{
    if (list_empty(&h->deadlines)) {
        uv_timer_stop(&h->deadline_timer);
        return;
    }
    int64_t left = LIST_ITEM(h->deadlines.next, call, deadline)->due_ms - now_ms;
    uint64_t wait = (left > 0 ? (uint64_t)left : 0) + DEADLINE_COARSE_MS;
    uv_timer_start(&h->deadline_timer, deadlines_look, wait, 0);
}

static void deadlines_look(uv_timer_t *timer)
{
    host *h = timer->data;
    int64_t now_ms = (int64_t)uv_now(h->loop);

    host_enter(h);
    while (!list_empty(&h->deadlines)) {
        call *c = LIST_ITEM(h->deadlines.next, call, deadline);
        if (c->due_ms > now_ms)
            break;
        list_remove(&c->deadline);
        deadline_come(c);
    }
    host_leave(h);
    deadline_arm(h, now_ms);
}

int deadlines_open(host *h)
{
    list_init(&h->deadlines);
    int err = uv_timer_init(h->loop, &h->deadline_timer);
    if (err < 0)
        return err;
    h->deadline_timer.data = h;
    uv_unref((uv_handle_t *)&h->deadline_timer);
    h->handles++;
    return 0;
}

static void deadlines_closed(uv_handle_t *handle)
{
    host *h = handle->data;

    handle_closed(h);
}

void deadlines_close(host *h)
{
    if (h->deadline_timer.data)
        uv_close((uv_handle_t *)&h->deadline_timer, deadlines_closed);
}

void deadline_set(call *c, int64_t ms)
{
    host *h = c->host;

    list_remove(&c->deadline);
    list *after = h->deadlines.prev;
    c->due_ms = (int64_t)uv_now(h->loop) + ms;
    while (after != &h->deadlines && LIST_ITEM(after, call, deadline)->due_ms > c->due_ms)
        after = after->prev;
    list_push(after->next, &c->deadline);
    if (h->deadlines.next == &c->deadline)
        deadline_arm(h, (int64_t)uv_now(h->loop));
}

/* The timer stays armed: it finds nothing due and sets itself anew. */
void deadline_clear(call *c)
{
    list_remove(&c->deadline);
}
