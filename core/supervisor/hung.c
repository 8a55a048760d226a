/* hung.c -- workers that are alive, and do nothing any more: a plugin that never comes back from a
 * callback, a deadlock, a process that somebody has stopped.
 *
 * A worker says "alive" every second from its loop (ipc.h).  One that says nothing for
 * server.hang_timeout is told to die: by SIGABRT, so that its last words name the plugin and the
 * callback (crash.c), and then by SIGKILL.  It is started again as after any other crash. */
#include "core/supervisor/inside.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/supervisor/ipc.h"

#include <signal.h>

#define LAST_NS   2000000000 /* for last words, between the two signals */
#define ABSENT_NS 3000000000 /* so late a look means that we did not run either */

static void hung_end(process *p, int64_t silent_ns, int64_t most_ns)
{
    if (silent_ns <= most_ns)
        return;
    if (silent_ns > most_ns + LAST_NS) {
        process_signal(p, SIGKILL);
        return;
    }
    log_msg(PARLEY_ERROR, "worker %d (pid %d) has said nothing for %lld s (hang_timeout): ended",
            process_slot(p), process_pid(p), (long long)(silent_ns / 1000000000));
    process_signal(p, SIGABRT);
}

/* Where the whole machine stood still, nobody has hung. */
static void hung_absence(supervisor *sv, int64_t now)
{
    if (now - sv->hung_looked_ns > ABSENT_NS)
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
        for (size_t k = 0; k < COUNT(all); k++) {
            int64_t heard = all[k] ? process_heard_ns(all[k]) : INT64_MAX;
            if (heard < sv->hung_grace_ns)
                heard = sv->hung_grace_ns;
            if (heard != INT64_MAX)
                hung_end(all[k], now - heard, sv->settings->hang_ms * 1000000);
        }
    }
}

void hung_open(supervisor *sv)
{
    uv_timer_init(&sv->loop, &sv->hung);
    sv->hung.data = sv;
}

void hung_watch(supervisor *sv)
{
    uint64_t pause_ms = ipc_alive_ms(sv->settings->hang_ms);

    sv->hung_looked_ns = clock_mono_ns();
    if (sv->settings->hang_ms > 0)
        uv_timer_start(&sv->hung, hung_look, pause_ms, pause_ms);
}
