/* run.c -- the order of a run, and what is due at each tick.
 *
 *   prepare   until the rooms are there
 *   work      clients send, faults strike
 *   settle    nobody sends: until all clients are at the end of the log, or have had their time
 *   read      everything over REST
 *   judge     in the pool
 *   clean     rooms deleted, the server stopped, the end
 *
 * Each phase ends in a function that begins the next one; run_abandon() goes to "clean" from
 * anywhere. */
#include "plugins/verify/run.h"
#include "plugins/verify/record.h"
#include "plugins/verify/report.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 10, TELL_EVERY = 20 /* ticks */, STALL_MOST_S = 60 };

double run_now(const verify *v)
{
    return (double)(parley->mono_ns() - v->started_ns) / 1e9;
}

/* xorshift64*: the same seed gives the same faults, if not at the same moments. */
uint32_t dice(verify *v, uint32_t n)
{
    v->dice ^= v->dice >> 12;
    v->dice ^= v->dice << 25;
    v->dice ^= v->dice >> 27;
    return (uint32_t)((v->dice * UINT64_C(2685821657736338717)) >> 33) % (n ? n : 1);
}

/* ---- the end ---- */

static void person_free(person *p)
{
    char *all[] = { p->token, p->email, p->password };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i])
            sodium_memzero(all[i], strlen(all[i]));
        free(all[i]);
    }
}

void run_free(verify *v)
{
    for (size_t i = 0; i < v->client_n; i++)
        client_done(&v->clients[i]);
    for (size_t i = 0; i < v->people_n; i++)
        person_free(&v->people[i]);
    prepare_done(v);
    final_done(v);
    rest_done(&v->rest);
    server_done(v);
    target_done(&v->target);
    history_done(&v->h);
    check_done(&v->found);
    if (v->record)
        (void)fclose(v->record);
    free(v->opt.restart_command);
    free(v->clients);
    free(v->people);
    free(v->halls);
    free(v->ack_us.all);
    free(v->back_us.all);
    free(v);
}

static void run_end(verify *v)
{
    parley_run run = v->run;
    int status = v->status;
    char why[sizeof(v->why)];

    (void)parley->timer_stop(v->tick);
    memcpy(why, v->why, sizeof(why));
    run_free(v);
    if (status == 2)
        (void)parley->run->fail(run, 2, why);
    else
        (void)parley->run->end(run, status);
}

static void run_clean(verify *v)
{
    v->phase = PHASE_CLEAN;
    final_done(v);
    for (size_t i = 0; i < v->client_n; i++)
        ws_cut(&v->clients[i].ws, CABLE_FIN);
}

void run_abandon(verify *v, const char *fmt, ...)
{
    va_list args;

    if (v->is_ending)
        return;
    va_start(args, fmt);
    (void)vsnprintf(v->why, sizeof(v->why), fmt, args);
    va_end(args);
    v->is_ending = true;
    v->status = 2;
    if (v->phase != PHASE_JUDGE) /* the pool is at work on it: cleaned when it is done */
        run_clean(v);
}

/* ---- judge ---- */

static void run_tell(verify *v)
{
    figure figures[FIGURES_MOST];
    size_t n = figures_of(v, figures), text_n = 0;
    char *text = NULL;
    FILE *to = open_memstream(&text, &text_n);

    if (!to)
        return;
    (v->opt.is_json ? report_json : report_text)(to, &v->found, figures, n);
    (void)fclose(to);
    (void)parley->run->print(v->run, (parley_str){ text, text_n });
    free(text);
}

static void run_judged(parley_ctx *ctx, int status, void *ud)
{
    verify *v = ud;

    (void)ctx;
    if (v->is_ending) {
        run_clean(v);
        return;
    }
    if (status < 0 || v->found.failed || v->failed) {
        v->phase = PHASE_CLEAN;
        run_abandon(v, "out of memory: nothing could be judged");
        return;
    }
    v->status = check_broken(&v->found) > 0;
    run_tell(v);
    run_clean(v);
    if (v->status == 0 && !v->server)
        final_delete(v);
}

static void run_judge(void *ud)
{
    verify *v = ud;

    check_all(&v->h, &v->found);
}

/* Nothing is added to the history while it is judged in the pool. */
static void run_part(verify *v)
{
    for (size_t i = 0; i < v->client_n; i++) {
        client *c = &v->clients[i];
        ws_cut(&c->ws, CABLE_FIN);
        if (rest_is_busy(&c->rest))
            rest_cut(&c->rest, CABLE_FIN, "the run is over");
    }
}

void run_read(verify *v)
{
    run_part(v);
    v->h.stored_by = run_now(v);
    if (v->server)
        server_troubles(v);
    record_stored(v->record, &v->h);
    v->phase = PHASE_JUDGE;
    if (parley->work(v->ctx, run_judge, run_judged, v) < 0) {
        v->phase = PHASE_READ;
        run_abandon(v, "out of memory: nothing could be judged");
    }
}

/* ---- settle ---- */

static int64_t head_of(const verify *v, const seat *s)
{
    for (size_t i = 0; i < v->h.rooms.n; i++)
        if (v->h.rooms.all[i].id == s->room)
            return v->h.rooms.all[i].head;
    return 0;
}

static bool client_is_there(const verify *v, const client *c)
{
    bool is_there = client_is_live(c) && letters_open(c) == 0 && !revise_is_open(c);

    for (size_t i = 0; i < c->seat_n && is_there; i++)
        is_there = c->seats[i].last >= head_of(v, &c->seats[i]);
    return is_there;
}

static void client_stands(verify *v, const client *c, size_t number)
{
    standing *s = LIST_ADD(v->h.standings, &v->h.failed);
    const char *id = c->seats[number].room;

    if (!s)
        return;
    *s = (standing){ c->name, c->who->id, id, c->seats[number].last, 0, run_now(v) };
    for (size_t i = 0; i < LETTERS_MOST; i++) {
        const letter *l = &c->letters[i];
        s->unanswered += l->key && !l->is_acked && l->seat == number;
    }
    s->unanswered += revise_is_open(c) && c->job.room == id;
    record_standing(v->record, s);
}

static void run_settled(verify *v)
{
    for (size_t i = 0; i < v->client_n; i++)
        for (size_t k = 0; k < v->clients[i].seat_n; k++)
            client_stands(v, &v->clients[i], k);
    v->phase = PHASE_READ;
    final_start(v);
}

static void settle_look(verify *v, int64_t now_ns)
{
    bool is_late = now_ns - v->silent_ns > v->opt.patience_ms * INT64_C(1000000);
    size_t there = 0;

    final_look(v, now_ns);
    if (!final_has_heads(v))
        return;
    for (size_t i = 0; i < v->client_n; i++)
        there += client_is_there(v, &v->clients[i]);
    if (there == v->client_n || is_late)
        run_settled(v);
}

static void run_settle(verify *v)
{
    v->phase = PHASE_SETTLE;
    v->silent_ns = parley->mono_ns();
    final_heads(v);
}

/* ---- work ---- */

bool run_is_more(const verify *v, int64_t now_ns)
{
    int64_t spread_ns = v->opt.duration_ms * 1000000;
    double part = spread_ns > 0 ? (double)(now_ns - v->begun_ns) / (double)spread_ns : 1;

    return v->phase == PHASE_WORK && v->letters < (size_t)v->opt.messages &&
           (double)v->letters < part * (double)v->opt.messages;
}

static void work_look(verify *v, int64_t now_ns)
{
    size_t open = 0;

    fault_strike(v, now_ns);
    server_look(v);
    for (size_t i = 0; i < v->client_n; i++)
        open += letters_open(&v->clients[i]) + revise_is_open(&v->clients[i]);
    if (v->is_ending)
        return;
    size_t heard = v->acked + v->given_up + v->edits + v->reactions + v->changes_given_up;

    if (v->heard_acks != heard) {
        v->heard_acks = heard;
        v->heard_ns = now_ns;
    }
    bool is_all = v->letters >= (size_t)v->opt.messages && open == 0 && fault_is_done(v) &&
                  !server_is_struck(v);
    int64_t stall_ns = STALL_MOST_S * SECOND_NS + v->opt.patience_ms * 1000000 +
                       v->opt.duration_ms * 1000000 / (v->opt.messages ? v->opt.messages : 1);

    if (is_all || now_ns - v->heard_ns > stall_ns)
        run_settle(v);
}

void run_work(verify *v)
{
    v->clients = calloc((size_t)v->opt.clients, sizeof(*v->clients));
    if (!v->clients) {
        run_abandon(v, "out of memory");
        return;
    }
    v->client_n = (size_t)v->opt.clients;
    for (size_t i = 0; i < v->client_n; i++)
        client_init(&v->clients[i], v, i);
    v->begun_ns = v->heard_ns = parley->mono_ns();
    v->phase = PHASE_WORK;
}

/* ---- ticks ---- */

static void run_progress(verify *v, int64_t now_ns)
{
    static const char *const phases[] = {
        "preparing",          "sending", "waiting for all to catch up",
        "reading everything", "judging", "cleaning up"
    };
    double seconds = (double)(now_ns - v->begun_ns) / 1e9;
    size_t live = 0;
    char line[256];

    for (size_t i = 0; i < v->client_n; i++)
        live += client_is_live(&v->clients[i]);
    int n = snprintf(line, sizeof(line),
                     "%s: %zu of %" PRId64 " messages acknowledged (%.0f/s), %zu of %" PRId64
                     " cuts, %zu of %" PRId64 " restarts, %zu of %zu clients live",
                     phases[v->phase], v->acked, v->opt.messages,
                     v->begun_ns && seconds > 0 ? (double)v->acked / seconds : 0, v->cuts,
                     v->opt.cuts, v->restarts, v->opt.restarts, live, v->client_n);

    (void)parley->run->progress(v->run, (parley_str){ line, (size_t)n });
}

static void run_tick(parley_ctx *ctx, int status, void *ud)
{
    verify *v = ud;
    int64_t now = parley->mono_ns();

    (void)ctx;
    (void)status;
    if (v->ticks++ % TELL_EVERY == 0)
        run_progress(v, now);
    if (v->phase == PHASE_PREPARE)
        prepare_look(v, now);
    if (v->phase == PHASE_WORK || v->phase == PHASE_SETTLE)
        for (size_t i = 0; i < v->client_n; i++)
            client_look(&v->clients[i], now);
    if (v->phase == PHASE_WORK)
        work_look(v, now);
    else if (v->phase == PHASE_SETTLE)
        settle_look(v, now);
    else if (v->phase == PHASE_READ)
        final_look(v, now);
    if (history_is_lost(&v->h))
        run_abandon(v, "out of memory: fewer --messages or --clients");
    if (v->phase != PHASE_CLEAN)
        return;
    final_look(v, now);
    if ((v->is_ending || final_is_over(v)) && server_stop(v))
        run_end(v);
}

static void run_cancel(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)status;
    ((verify *)ud)->is_cancelled = true;
    run_abandon(ud, "interrupted");
}

int run_start(verify *v)
{
    v->started_ns = parley->mono_ns();
    v->dice = v->opt.seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    rest_init(&v->rest, v->ctx, &v->target, NULL);
    if (prepare_start(v) < 0)
        return PARLEY_ENOMEM;
    v->tick = parley->timer(v->ctx, TICK_MS, TICK_MS, run_tick, v);
    if (!v->tick.id)
        return PARLEY_ENOMEM;
    (void)parley->run->on_cancel(v->ctx, v->run, run_cancel, v);
    return PARLEY_PENDING;
}
