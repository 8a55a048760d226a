/* hung.c -- workers that are alive, and do nothing any more: a plugin that never comes back from a
 * callback, a deadlock, a process that somebody has stopped.
 *
 * A worker says "alive" from its loop again and again (ipc.h), and how long it may be silent:
 * server.hang_timeout of the configuration that it runs with.  One that is silent for longer is told
 * to die: by SIGABRT, so that its last words name the plugin and the callback (crash.c), and then by
 * SIGKILL.  It is started again as after any other crash. */
#include "core/supervisor/inside.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#include <signal.h>

#define LOOK_MS   1000
#define LAST_NS   2000000000 /* for last words, between the two signals */
#define ABSENT_NS 2000000000 /* so late a look means that we did not run either */

static void hung_abort(process *p, process_silence *s, int64_t now)
{
    log_msg(PARLEY_ERROR, "worker %d (pid %d) has said nothing for %lld s (hang_timeout): ended",
            process_slot(p), process_pid(p), (long long)((now - s->heard_ns) / 1000000000));
    s->aborted_ns = now;
    process_signal(p, SIGABRT);
}

/* What it has said may lie unread in its pipe: it is judged by the second look in a row. */
static void hung_judge(process *p, int64_t now, int64_t grace_ns)
{
    process_silence *s = process_silence_of(p);
    int64_t heard_ns = s->heard_ns > grace_ns ? s->heard_ns : grace_ns;

    if (s->aborted_ns > 0) {
        if (now - s->aborted_ns > LAST_NS)
            process_signal(p, SIGKILL);
    } else if (s->most_ns == 0 || now - heard_ns <= s->most_ns) {
        s->suspected_ns = 0;
    } else if (s->suspected_ns != heard_ns) {
        s->suspected_ns = heard_ns;
    } else {
        hung_abort(p, s, now);
    }
}

/* Where the whole machine stood still, nobody has hung. */
static void hung_absence(supervisor *sv, int64_t now)
{
    if (now - sv->hung_looked_ns > LOOK_MS * 1000000LL + ABSENT_NS)
        sv->hung_grace_ns = now;
    sv->hung_looked_ns = now;
}

static void hung_look(uv_timer_t *timer)
{
    supervisor *sv = timer->data;
    int64_t now = clock_mono_ns();

    hung_absence(sv, now);
    for (int i = 0; i < sv->slot_n; i++) {
        process *const all[] = { sv->slots[i].process, sv->slots[i].draining };
        for (size_t k = 0; k < COUNT(all); k++)
            if (all[k])
                hung_judge(all[k], now, sv->hung_grace_ns);
    }
}

void hung_open(supervisor *sv)
{
    uv_timer_init(&sv->loop, &sv->hung);
    sv->hung.data = sv;
}

void hung_watch(supervisor *sv)
{
    sv->hung_looked_ns = clock_mono_ns();
    uv_timer_start(&sv->hung, hung_look, LOOK_MS, LOOK_MS);
}
