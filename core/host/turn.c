/* turn.c -- a turn of the loop: entries, jobs behind them, and what lives only as long as a
 * callback. */
#include "core/host/inside.h"

#include "core/base/log.h"

#include <stdlib.h>

static host *here;

host *host_here(void)
{
    return here;
}

void job_init(job *j, void (*run)(host *h, job *j))
{
    list_init(&j->link);
    j->run = run;
}

void job_add(host *h, job *j)
{
    if (list_empty(&j->link))
        list_push(&h->jobs, &j->link);
}

void job_cancel(job *j)
{
    list_remove(&j->link);
}

static void texts_drop(host *h)
{
    if (h->texts.used > 0)
        arena_done(&h->texts);
}

void host_enter(host *h)
{
    h->depth++;
}

void host_leave(host *h)
{
    list *item;

    if (h->depth > 1) {
        h->depth--;
        return;
    }
    texts_drop(h);
    while ((item = list_shift(&h->jobs))) {
        job *j = LIST_ITEM(item, job, link);

        j->run(h, j);
        texts_drop(h);
    }
    h->depth--;
}

void handle_closed(host *h)
{
    h->handles--;
    if (h->handles == 0 && h->is_freeing)
        host_destroy(h);
}

str host_text(host *h, str s)
{
    return arena_str(&h->texts, s);
}

/* Jobs that came up outside of any entry must not wait for the next event, nor what they send. */
static void turn_before_poll(uv_prepare_t *prepare)
{
    host *h = prepare->data;

    if (list_empty(&h->jobs))
        return;
    host_enter(h);
    host_leave(h);
    if (h->net && !h->life.stopping)
        net_flush(h->net);
}

int turn_open(host *h)
{
    list_init(&h->jobs);
    arena_init(&h->texts, 2 * (size_t)JSON_TEXT_MAX);
    buf_init(&h->scratch, JSON_TEXT_MAX);
    here = h;
    int err = uv_prepare_init(h->loop, &h->prepare);
    if (err < 0)
        return err;
    h->prepare.data = h;
    h->handles++;
    err = uv_prepare_start(&h->prepare, turn_before_poll);
    uv_unref((uv_handle_t *)&h->prepare);
    return err;
}

static void turn_closed(uv_handle_t *handle)
{
    host *h = handle->data;

    handle_closed(h);
}

void turn_close(host *h)
{
    if (h->prepare.data && !uv_is_closing((uv_handle_t *)&h->prepare))
        uv_close((uv_handle_t *)&h->prepare, turn_closed);
    texts_drop(h);
    buf_done(&h->scratch);
    here = NULL;
}

void promise_made(plugin *p)
{
    p->pending++;
}

void promise_kept(plugin *p)
{
    p->pending--;
    if (p->pending == 0 && p->host && p->host->life.stopping)
        job_add(p->host, &p->host->life.step);
}
