/* local.c -- a verb in this process: its plugin and what that needs are started, the verb runs on a
 * loop of ours, and all is stopped.
 *
 *   host_start_one -> run_start -> (the verb) -> host_stop   */
#include "core/base/log.h"
#include "core/cli/verb_run.h"
#include "core/supervisor/supervisor.h"

#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#define STOP_MS 10000 /* for the last commits */

typedef struct local {
    front front;
    uv_loop_t *loop;
    host *host;
    net *net;
    const verb *verb;
    verb_args *args; /* until the verb has them */
    parley_run run;
    int exit_status;
} local;

static void local_stopped(void *ud)
{
    local *l = ud;

    if (host_stopped_late(l->host))
        _exit(l->exit_status); /* under the threads that still run nothing may be torn down */
    front_close(&l->front);
    if (l->net)
        net_free(l->net);
    l->net = NULL;
    uv_stop(l->loop);
}

static void local_stop(local *l)
{
    host_stop(l->host, STOP_MS, local_stopped, l);
}

/* ---- what the verb says ---- */

static int local_write(void *ud, enum run_kind kind, str text)
{
    local *l = ud;

    front_write(&l->front, kind, text);
    return PARLEY_OK;
}

static size_t local_queued(void *ud)
{
    (void)ud;
    return 0;
}

static int local_ask(void *ud, str question, bool is_secret)
{
    local *l = ud;

    front_ask(&l->front, question, is_secret);
    return PARLEY_OK;
}

static void local_ended(void *ud, int exit_status, str text)
{
    local *l = ud;

    front_ended(&l->front, text);
    l->exit_status = exit_status;
    local_stop(l);
}

/* ---- what the person does ---- */

static void local_answered(void *ud, bool is_given, str answer)
{
    local *l = ud;

    run_answered(l->host, l->run, is_given, answer);
}

/* Also before the verb has begun: a store that cannot be reached is waited for.  What a verb that
 * does not listen leaves behind is what a crash would leave: whole transactions. */
static void local_interrupted(void *ud)
{
    local *l = ud;

    if (!l->args && run_cancel(l->host, l->run))
        return;
    front_ended(&l->front, STR("interrupted"));
    _exit(EXIT_INTERRUPTED);
}

static void local_broken(void *ud)
{
    local *l = ud;

    (void)run_cancel(l->host, l->run);
}

/* ---- life ---- */

static void local_started(void *ud, const failure *f)
{
    static const run_outlet outlet = { local_write, local_queued, local_ask, local_ended };
    local *l = ud;

    if (f) {
        verb_args_free(l->args);
        l->args = NULL;
        front_ended(&l->front, str_of(f->text));
        front_write(&l->front, RUN_SAY,
                    STR("a database that is new, or older than this parley, is brought up to date "
                        "by `parley migrate`, and by each start of the server"));
        l->exit_status = f->status;
        local_stop(l);
        return;
    }
    verb_args *args = l->args;
    l->args = NULL;
    run_start(l->host, l->verb, args, l->front.terminal, &outlet, l, &l->run);
}

int verb_run_local(const verb_place *place, const verb *v, verb_args *args)
{
    static const front_up up = { local_answered, local_interrupted, local_broken };
    local l = { .loop = place->loop, .host = place->host, .verb = v, .args = args };
    bool is_bare = (v->is.flags & PARLEY_V_BARE) != 0;
    int err = net_create(place->loop, &place->settings->limits, host_up(l.host), l.host, &l.net);

    if (err < 0) {
        log_error("cannot start: %s", uv_strerror(err));
        verb_args_free(args);
        return EXIT_SYSTEM;
    }
    host_net_set(l.host, l.net);
    (void)signal(SIGPIPE, SIG_IGN);
    front_open(&l.front, place->loop, &up, &l);
    host_start_one(l.host, is_bare ? NULL : v->owner, local_started, &l);
    uv_run(place->loop, UV_RUN_DEFAULT);
    return l.exit_status;
}
