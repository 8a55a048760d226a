/* figures.c -- what is told beside the judgement: counts, throughput, latencies.  All was measured by
 * the clients, while they were cut. */
#include "plugins/verify/report.h"
#include "plugins/verify/run.h"

#include <stdlib.h>

static int sample_compare(const void *a, const void *b)
{
    uint32_t x = ((const sample *)a)->us, y = ((const sample *)b)->us;

    return x < y ? -1 : x > y;
}

/* Of sorted samples, in milliseconds. */
static double quantile(const sample *all, size_t n, size_t hundredths)
{
    if (n == 0)
        return 0;
    size_t i = n * hundredths / 100;

    return all[i < n ? i : n - 1].us / 1e3;
}

static size_t frames_of(const verify *v)
{
    size_t n = 0;

    for (size_t i = 0; i < v->h.sockets.n; i++)
        n += v->h.sockets.all[i].frames.n;
    return n;
}

size_t figures_of(verify *v, figure ret[FIGURES_MOST])
{
    double seconds = (double)(v->silent_ns - v->begun_ns) / 1e9;
    sample *ack = v->ack_us.all, *back = v->back_us.all;
    size_t acks = v->ack_us.n, backs = v->back_us.n, n = 0;

    if (acks)
        qsort(ack, acks, sizeof(*ack), sample_compare);
    if (backs)
        qsort(back, backs, sizeof(*back), sample_compare);
    const figure all[] = {
        { "messages", "messages acknowledged", (double)v->acked, 0 },
        { "tries", "tries to send them", (double)v->tries, 0 },
        { "repeats", "of these repeats, with the same client_msg_id", (double)v->repeats, 0 },
        { "refused", "messages given up, because they were refused", (double)v->given_up, 0 },
        { "edits", "edits acknowledged", (double)v->edits, 0 },
        { "reactions", "reactions put and taken back, acknowledged", (double)v->reactions, 0 },
        { "changes_refused", "edits and reactions given up, because refused",
          (double)v->changes_given_up, 0 },
        { "sockets", "sockets opened", (double)v->sockets, 0 },
        { "shared_sockets", "of these for several rooms at once", (double)v->shared_sockets, 0 },
        { "frames", "frames shown to them", (double)frames_of(v), 0 },
        { "cuts", "cuts", (double)v->cuts, 0 },
        { "slow", "slow readers", (double)v->slowed, 0 },
        { "resumes_live", "resumes on a live socket", (double)v->asked_again, 0 },
        { "restarts", "restarts", (double)v->restarts, 0 },
        { "seconds", "seconds, until all was acknowledged", seconds, 1 },
        { "messages_per_second", "messages a second", seconds > 0 ? (double)v->acked / seconds : 0,
          0 },
        { "ack_p50_ms", "ms until acknowledged: half of them", quantile(ack, acks, 50), 1 },
        { "ack_p99_ms", "ms until acknowledged: 99 of 100", quantile(ack, acks, 99), 1 },
        { "ack_max_ms", "ms until acknowledged: at most", quantile(ack, acks, 100), 1 },
        { "back_p50_ms", "ms from a cut to all caught up: half", quantile(back, backs, 50), 1 },
        { "back_max_ms", "ms from a cut to all caught up: at most", quantile(back, backs, 100), 1 },
        { "seed", "--seed, for the same faults again", (double)v->opt.seed, 0 },
    };

    for (; n < sizeof(all) / sizeof(all[0]) && n < FIGURES_MOST; n++)
        ret[n] = all[n];
    return n;
}
