/* run.c -- a verb at work: the ABI's parley->run.
 *
 *   AT WORK --end(), fail(), what fn returns--> over: the outlet is told, the handle is stale
 *
 * Cancelling only tells the verb; it ends itself.  Callbacks of the plugin come as a job behind the
 * callback that caused them, in this order: cancelled, answered, drained. */
#include "core/host/verb.h"

#include "core/host/inside.h"

#include "core/base/log.h"

#include <sodium.h>
#include <stdlib.h>

#define RUNS_MAX 64 /* at once in one worker: people at terminals, and their scripts */

/* Owner: host.runs, from run_start() to its end. */
struct run {
    job job; /* its callbacks that are due */
    host *host;
    plugin *owner;
    const char *label;
    verb_args *args;          /* owned */
    const run_outlet *outlet; /* NULL: nobody listens any more */
    void *ud;
    int terminal;
    bool is_cancelled, cancel_due, answer_due, drain_due;
    bool is_given; /* the answer that is due */
    char *answer;  /* owned, wiped */
    size_t answer_n;
    parley_done_fn on_cancel, on_drain;
    parley_answer_fn on_answer;
    void *cancel_ud, *drain_ud, *answer_ud;
};

static run *run_find(parley_run id)
{
    const host *h = host_here();

    return h ? slab_find(h->runs, id.id) : NULL;
}

/* One that somebody still listens to. */
static run *run_heard(parley_run id)
{
    run *r = run_find(id);

    return r && r->outlet && !r->is_cancelled ? r : NULL;
}

static void answer_drop(run *r)
{
    if (r->answer)
        sodium_memzero(r->answer, r->answer_n);
    free(r->answer);
    r->answer = NULL;
    r->answer_n = 0;
}

static void run_over(run *r, int exit_status, str text)
{
    plugin *owner = r->owner;

    if (r->outlet)
        r->outlet->ended(r->ud, exit_status, text); /* the text may be one of its values */
    job_cancel(&r->job);
    answer_drop(r);
    verb_args_free(r->args);
    slab_put(r->host->runs, r);
    promise_kept(owner);
}

/* ---- callbacks that are due ---- */

static void due_cancel(run *r)
{
    parley_done_fn fn = r->on_cancel;

    r->cancel_due = false;
    r->on_cancel = NULL;
    if (fn)
        fn(r->owner, PARLEY_ECANCELED, r->cancel_ud);
}

static void due_answer(run *r)
{
    parley_answer_fn fn = r->on_answer;
    char *answer = r->answer;
    size_t n = r->answer_n;
    bool is_given = r->is_given && !r->is_cancelled;

    r->answer_due = false;
    r->on_answer = NULL;
    r->answer = NULL; /* the callback may end the verb, or ask again */
    r->answer_n = 0;
    if (fn)
        fn(r->owner, is_given ? PARLEY_OK : PARLEY_ECANCELED,
           is_given ? (str){ answer ? answer : "", n } : STR_NONE, r->answer_ud);
    if (answer)
        sodium_memzero(answer, n);
    free(answer);
}

static void due_drain(run *r)
{
    parley_done_fn fn = r->on_drain;

    r->drain_due = false;
    r->on_drain = NULL;
    if (fn)
        fn(r->owner, r->is_cancelled ? PARLEY_ECANCELED : PARLEY_OK, r->drain_ud);
}

static void run_job(host *h, job *j)
{
    run *r = LIST_ITEM(j, run, job);
    uint64_t id = slab_handle(h->runs, r);
    plugin *owner = r->owner;
    plugin_frame saved;

    plugin_enter(&saved, owner, r->label, STR_NONE);
    if (r->cancel_due)
        due_cancel(r);
    if (slab_find(h->runs, id) && r->answer_due)
        due_answer(r);
    if (slab_find(h->runs, id) && r->drain_due)
        due_drain(r);
    plugin_leave(&saved);
}

/* ---- the caller's side ---- */

static void run_begin(run *r, const verb *v, parley_run id)
{
    plugin_frame saved;
    plugin *owner = r->owner;

    owner->why[0] = '\0';
    plugin_enter(&saved, owner, v->label, STR_NONE);
    int said = v->is.fn(owner, id, v->is.ud);
    plugin_leave(&saved);
    if (said == PARLEY_PENDING || !run_find(id))
        return;
    if (said == PARLEY_OK)
        run_over(r, EXIT_STOPPED, STR_NONE);
    else if (said < 0)
        run_over(r, EXIT_SYSTEM,
                 owner->why[0] ? str_of(owner->why) : STR("the plugin gave no reason"));
    else
        run_over(r, EXIT_SYSTEM, STR("the plugin's verb returned without an end"));
}

void run_start(host *h, const verb *v, verb_args *args, int terminal, const run_outlet *outlet,
               void *ud, parley_run *ret)
{
    run *r = slab_take(h->runs, &ret->id);

    if (!r) {
        verb_args_free(args);
        ret->id = 0;
        outlet->ended(ud, EXIT_SYSTEM, STR("too many commands run at once; try again"));
        return;
    }
    job_init(&r->job, run_job);
    r->host = h;
    r->owner = v->owner;
    r->label = v->label;
    r->args = args;
    r->outlet = outlet;
    r->ud = ud;
    r->terminal = terminal;
    promise_made(v->owner);
    host_enter(h);
    run_begin(r, v, *ret);
    host_leave(h);
}

/* A callback is due: it comes when the running entry ends, or at once if none runs. */
static void run_due(run *r)
{
    host *h = r->host;

    host_enter(h);
    job_add(h, &r->job);
    host_leave(h);
}

void run_answered(host *h, parley_run id, bool is_given, str answer)
{
    run *r = slab_find(h->runs, id.id);

    if (!r || !r->on_answer || r->answer_due)
        return;
    r->answer = is_given ? malloc(answer.n + 1) : NULL;
    r->is_given = r->answer != NULL;
    if (r->answer) {
        memcpy(r->answer, answer.p, answer.n);
        r->answer[answer.n] = '\0';
        r->answer_n = answer.n;
    }
    r->answer_due = true;
    run_due(r);
}

void run_drained(host *h, parley_run id)
{
    run *r = slab_find(h->runs, id.id);

    if (!r || !r->on_drain)
        return;
    r->drain_due = true;
    run_due(r);
}

bool run_cancel(host *h, parley_run id)
{
    run *r = slab_find(h->runs, id.id);

    if (!r)
        return true;
    bool listens = r->on_cancel || r->is_cancelled;
    r->is_cancelled = true;
    r->cancel_due = r->on_cancel != NULL;
    r->answer_due = r->on_answer != NULL;
    r->drain_due = r->on_drain != NULL;
    run_due(r);
    return listens;
}

void run_detach(host *h, parley_run id)
{
    run *r = slab_find(h->runs, id.id);

    if (!r)
        return;
    r->outlet = NULL;
    (void)run_cancel(h, id);
}

size_t host_run_n(const host *h)
{
    return slab_count(h->runs);
}

/* Callbacks may end runs: each step starts from the handle. */
void runs_cancel(host *h)
{
    uint64_t ids[RUNS_MAX];
    size_t n = 0;

    for (run *r = slab_next(h->runs, NULL); r && n < RUNS_MAX; r = slab_next(h->runs, r))
        ids[n++] = slab_handle(h->runs, r);
    while (n > 0)
        (void)run_cancel(h, (parley_run){ ids[--n] });
}

int runs_open(host *h)
{
    h->runs = slab_create(sizeof(run), RUNS_MAX);
    return h->runs ? 0 : -ENOMEM;
}

/* ---- the ABI ---- */

static const verb_value *value_of(parley_run id, const char *name)
{
    const run *r = name ? run_find(id) : NULL;

    return r ? verb_args_find(r->args, name) : NULL;
}

static str api_text(parley_run id, const char *name)
{
    const verb_value *value = value_of(id, name);

    return value ? value->is.text : STR_NONE;
}

static int64_t api_num(parley_run id, const char *name)
{
    const verb_value *value = value_of(id, name);

    return value ? value->is.num : 0;
}

static size_t api_count(parley_run id, const char *name)
{
    const verb_value *value = value_of(id, name);

    return value ? value->n : 0;
}

static str api_text_at(parley_run id, const char *name, size_t i)
{
    const verb_value *value = value_of(id, name);

    return value && i < value->n ? value->all[i] : STR_NONE;
}

static int run_write(parley_run id, enum run_kind kind, str text)
{
    const run *r = run_heard(id);

    if (!r)
        return PARLEY_EGONE;
    return r->outlet->write(r->ud, kind, text);
}

static int api_print(parley_run id, str text)
{
    return run_write(id, RUN_PRINT, text);
}

static int api_say(parley_run id, str line)
{
    return run_write(id, RUN_SAY, line);
}

static int api_progress(parley_run id, str line)
{
    return run_write(id, RUN_PROGRESS, line);
}

static int64_t api_queued(parley_run id)
{
    const run *r = run_heard(id);

    return r ? (int64_t)r->outlet->queued(r->ud) : PARLEY_EGONE;
}

static int api_on_drain(parley_ctx *p, parley_run id, parley_done_fn fn, void *ud)
{
    run *r = run_heard(id);

    if (!r)
        return PARLEY_EGONE;
    if (!fn || r->owner != p || r->on_drain)
        return PARLEY_EINVAL;
    r->on_drain = fn;
    r->drain_ud = ud;
    if (r->outlet->queued(r->ud) < RUN_DRAINED) {
        r->drain_due = true;
        job_add(r->host, &r->job);
    }
    return PARLEY_OK;
}

static int api_terminal(parley_run id)
{
    const run *r = run_find(id);

    return r ? r->terminal : 0;
}

static int api_ask(parley_ctx *p, parley_run id, str question, int is_secret, parley_answer_fn fn,
                   void *ud)
{
    run *r = run_heard(id);

    if (!r)
        return PARLEY_EGONE;
    if (!fn || r->owner != p || r->on_answer)
        return PARLEY_EINVAL;
    if (!(r->terminal & PARLEY_TTY_IN))
        return PARLEY_ENOENT;
    int err = r->outlet->ask(r->ud, question, is_secret != 0);
    if (err < 0)
        return err;
    r->on_answer = fn;
    r->answer_ud = ud;
    return PARLEY_OK;
}

static int api_on_cancel(parley_ctx *p, parley_run id, parley_done_fn fn, void *ud)
{
    run *r = run_find(id);

    if (!r)
        return PARLEY_EGONE;
    if (!fn || r->owner != p)
        return PARLEY_EINVAL;
    r->on_cancel = fn;
    r->cancel_ud = ud;
    if (r->is_cancelled) {
        r->cancel_due = true;
        job_add(r->host, &r->job);
    }
    return PARLEY_OK;
}

static int api_end(parley_run id, int exit_status)
{
    run *r = run_find(id);

    if (!r)
        return PARLEY_EGONE;
    run_over(r, exit_status, STR_NONE);
    return PARLEY_DONE;
}

static int api_run_fail(parley_run id, int exit_status, const char *text)
{
    run *r = run_find(id);

    if (!r)
        return PARLEY_EGONE;
    run_over(r, exit_status, text ? str_of(text) : STR("the plugin gave no reason"));
    return PARLEY_DONE;
}

void api_fill_run(parley_api *api)
{
    static const parley_run_api run_api = {
        .size = sizeof(run_api),
        .text = api_text,
        .num = api_num,
        .count = api_count,
        .text_at = api_text_at,
        .print = api_print,
        .say = api_say,
        .progress = api_progress,
        .queued = api_queued,
        .on_drain = api_on_drain,
        .terminal = api_terminal,
        .ask = api_ask,
        .on_cancel = api_on_cancel,
        .end = api_end,
        .fail = api_run_fail,
    };

    api->run = &run_api;
}
