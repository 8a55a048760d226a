/* plugin_call.c -- which plugin runs now, and since when: for crash reports, for callbacks that
 * hold up the loop, and for the metrics.
 *
 * The frame is per thread: a job on a pool thread does not disturb what the loop thread notes, and
 * a crash there names the job's own plugin if it was entered, or nobody. */
#include "core/host/plugin.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#include <stdatomic.h>

static _Thread_local plugin_frame current;
static _Thread_local int64_t slow_limit_ns; /* 0: this thread is not watched */

/* A signal handler of this thread must not see half of a frame with the name of another: who is
 * NULL meanwhile. */
static void frame_set(const plugin_frame *to)
{
    current.who = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    current.what = to->what;
    current.detail = to->detail;
    current.since_ns = to->since_ns;
    atomic_signal_fence(memory_order_seq_cst);
    current.who = to->who;
    atomic_signal_fence(memory_order_seq_cst);
}

void plugin_watch_slow(int64_t limit_ms)
{
    slow_limit_ns = limit_ms * 1000000;
}

void plugin_enter(plugin_frame *saved, const plugin *who, const char *what, str detail)
{
    const plugin_frame entered = { who, what, detail, clock_mono_ns() };

    *saved = current;
    frame_set(&entered);
}

static void plugin_count(plugin_time *t, int64_t held_ns)
{
    tally_bump(t->calls, 1);
    tally_bump(t->ns, held_ns);
    if (held_ns > t->longest_now_ns)
        t->longest_now_ns = held_ns;
}

/* The time of a call inside another's is not charged to the outer one again: its start moves on. */
void plugin_leave(const plugin_frame *saved)
{
    const plugin_frame left = current;
    plugin_frame outer = *saved;
    int64_t now_ns = clock_mono_ns();

    outer.since_ns += now_ns - left.since_ns;
    frame_set(&outer);
    int64_t held_ns = now_ns - left.since_ns;
    if (slow_limit_ns == 0 || !left.who)
        return;
    if (left.who->time)
        plugin_count(left.who->time, held_ns);
    if (held_ns < slow_limit_ns)
        return;
    log_msg(PARLEY_WARN,
            "plugin \"" STR_FMT "\" held the loop for %lld ms in %s%s" STR_FMT "; use work()",
            STR_ARG(left.who->name), (long long)(held_ns / 1000000), left.what,
            left.detail.n ? " " : "", STR_ARG(left.detail));
}

/* ---- in a signal handler: no allocation, no stdio ---- */

typedef struct writer {
    char *at;
    size_t room, n;
} writer;

static void write_bytes(writer *w, str s)
{
    for (size_t i = 0; i < s.n && w->n < w->room; i++) {
        unsigned char c = (unsigned char)s.p[i];
        char shown = s.p[i];
        if (c < 0x20 || c == 0x7f)
            shown = '?';
        w->at[w->n++] = shown;
    }
}

size_t plugin_current(char *ret, size_t room_bytes) /* NOLINT(readability-non-const-parameter) */
{
    writer w = { ret, room_bytes, 0 };
    const plugin *who = current.who;

    atomic_signal_fence(memory_order_seq_cst);
    if (!who)
        return 0;
    write_bytes(&w, STR("plugin \""));
    write_bytes(&w, who->name);
    write_bytes(&w, STR("\" "));
    write_bytes(&w, str_of(who->def->version));
    write_bytes(&w, STR(", "));
    write_bytes(&w, str_of(current.what));
    if (current.detail.n > 0)
        write_bytes(&w, STR(" "));
    write_bytes(&w, current.detail);
    return w.n;
}
