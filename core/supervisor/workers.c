/* workers.c -- the places of the workers: starting, replacing, and starting again what died.
 *
 * A worker that dies before it was ever ready ends the whole start with its own exit status: there
 * is nothing that a restart would mend.  One that dies later is restarted, at once the first time,
 * then with growing pauses.  Each process writes to a part of the shared area that no other process
 * of its place uses: two of them run side by side while one replaces the other. */
#include "core/supervisor/inside.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define RESTART_FIRST_MS 50
#define RESTART_LAST_MS  10000
#define RESTART_CALM_NS  10000000000 /* one that lived longer than that pause is in no loop */
#define START_LATE       6           /* times start_timeout: then a successor is given up */

static int slot_number(const worker_slot *slot)
{
    return (int)(slot - slot->owner->slots);
}

/* ---- ends ---- */

int workers_count(const supervisor *sv)
{
    int n = 0;

    for (int i = 0; i < sv->slot_n; i++) {
        const worker_slot *slot = &sv->slots[i];
        n += (slot->process != NULL) + (slot->successor != NULL) + (slot->draining != NULL);
    }
    return n;
}

bool workers_are_draining(const supervisor *sv)
{
    for (int i = 0; i < sv->slot_n; i++)
        if (sv->slots[i].draining)
            return true;
    return false;
}

void workers_signal(supervisor *sv, int number)
{
    for (int i = 0; i < sv->slot_n; i++) {
        worker_slot *slot = &sv->slots[i];
        process *const all[] = { slot->process, slot->successor, slot->draining };
        /* One that makes way was told so by SIGTERM, and would take another one for "at once". */
        bool was_told = number == SIGTERM && slot->is_making_way && slot->is_ready;
        for (size_t k = was_told ? 1 : 0; k < COUNT(all); k++)
            if (all[k])
                process_signal(all[k], number);
    }
}

void workers_stop(supervisor *sv)
{
    for (int i = 0; i < sv->slot_n; i++) {
        uv_timer_stop(&sv->slots[i].restart);
        uv_timer_stop(&sv->slots[i].late);
    }
}

/* ---- ready ---- */

static void worker_late(uv_timer_t *timer)
{
    worker_slot *slot = timer->data;
    int number = slot_number(slot);

    if (slot->successor) {
        log_msg(PARLEY_ERROR, "the successor of worker %d is not ready in time: killed", number);
        process_signal(slot->successor, SIGKILL);
    }
    if (slot->draining || slot->is_making_way) {
        log_msg(PARLEY_WARN, "the former worker %d did not end in time: killed", number);
        process_signal(slot->draining ? slot->draining : slot->process, SIGKILL);
    }
}

static void worker_watch_drain(worker_slot *slot)
{
    uint64_t ms = (uint64_t)slot->owner->reload.drain_ms + KILL_AFTER_MS;

    uv_timer_start(&slot->late, worker_late, ms, 0);
}

/* The successor serves; the old one takes leave of its clients. */
static void worker_take_over(worker_slot *slot)
{
    slot->draining = slot->process;
    slot->process = slot->successor;
    slot->successor = NULL;
    uv_timer_stop(&slot->late);
    if (!slot->draining)
        return; /* it died meanwhile */
    process_signal(slot->draining, SIGUSR2);
    worker_watch_drain(slot);
}

static void worker_ready(void *ud, process *p)
{
    supervisor *sv = ud;
    worker_slot *slot = &sv->slots[process_slot(p)];
    bool is_successor = p == slot->successor;

    if (sv->state == SUPERVISOR_STOPPING)
        return;
    if (is_successor)
        worker_take_over(slot);
    slot->is_ready = true;
    if (sv->state == SUPERVISOR_RUNNING)
        log_msg(PARLEY_INFO, "worker %d (pid %d) is ready", process_slot(p), process_pid(p));
    supervisor_ready(sv);
    if (is_successor || slot->is_making_way) {
        slot->is_making_way = false;
        worker_replaced(slot);
    }
}

/* It asks again as long as nothing has come of it. */
static void worker_renew(void *ud, process *p)
{
    supervisor *sv = ud;

    if (sv->state == SUPERVISOR_RUNNING && !sv->reload.is_busy &&
        p == sv->slots[process_slot(p)].process)
        supervisor_reload(sv);
}

/* ---- starting again ---- */

static void worker_restart(uv_timer_t *timer);

static void worker_restart_later(worker_slot *slot)
{
    if (slot->pause_ms > RESTART_LAST_MS)
        slot->pause_ms = RESTART_LAST_MS;
    uv_timer_start(&slot->restart, worker_restart, slot->pause_ms, 0);
}

/* No process or memory to be had is no reason to give up. */
static void worker_restart(uv_timer_t *timer)
{
    worker_slot *slot = timer->data;

    if (slot->process || slot->successor || worker_start(slot) >= 0)
        return;
    slot->pause_ms = slot->pause_ms ? slot->pause_ms * 2 : RESTART_FIRST_MS;
    worker_restart_later(slot);
}

/* Says how it ended; plain stops are not worth a line. */
static void worker_report(const supervisor *sv, const process *p, int status, const char *words)
{
    int number = process_slot(p);

    if (status == -SIGTERM && sv->state == SUPERVISOR_STOPPING)
        return; /* it was told so before it could listen */
    if (status < 0)
        log_msg(PARLEY_ERROR, "worker %d (pid %d) died of signal %d (%s)%s%s", number,
                process_pid(p), -status, strsignal(-status), words[0] ? ": " : "", words);
    else if (status != 0)
        log_msg(PARLEY_ERROR, "worker %d (pid %d) ended with status %d%s%s", number, process_pid(p),
                status, words[0] ? ": " : "", words);
}

static void successor_ended(worker_slot *slot, int status)
{
    char why[64];

    slot->successor = NULL;
    uv_timer_stop(&slot->late);
    (void)snprintf(why, sizeof(why), status < 0 ? "died of signal %d" : "ended with status %d",
                   status < 0 ? -status : status);
    worker_not_replaced(slot, why);
    if (!slot->process)
        worker_restart_later(slot); /* the old one has died meanwhile */
}

static void serving_ended(worker_slot *slot, int status, bool was_ready)
{
    supervisor *sv = slot->owner;

    slot->process = NULL;
    slot->is_ready = false;
    if (sv->state == SUPERVISOR_STARTING && !was_ready) {
        supervisor_stop(sv, status > 0 ? status : EXIT_SYSTEM);
        return;
    }
    if (slot->is_making_way && was_ready) { /* as it was told */
        uv_timer_stop(&slot->late);
        slot->pause_ms = 0;
        worker_restart_later(slot);
        return;
    }
    if (slot->is_making_way) {
        slot->is_making_way = false;
        worker_not_replaced(slot, "ended before it was ready");
    }
    bool was_calm = clock_mono_ns() - slot->started_ns > RESTART_CALM_NS;
    slot->pause_ms = was_calm || slot->pause_ms == 0 ? RESTART_FIRST_MS : slot->pause_ms * 2;
    tally_bump(slot->restarts, 1);
    if (!slot->successor)
        worker_restart_later(slot);
}

static void worker_ended(void *ud, process *p, int status, bool was_ready, const char *words)
{
    supervisor *sv = ud;
    worker_slot *slot = &sv->slots[process_slot(p)];

    worker_report(sv, p, status, words);
    area_set_alive(sv->area, process_part(p), false);
    if (sv->state == SUPERVISOR_STOPPING) {
        slot->process = slot->process == p ? NULL : slot->process;
        slot->successor = slot->successor == p ? NULL : slot->successor;
        slot->draining = slot->draining == p ? NULL : slot->draining;
        supervisor_end_if_over(sv);
        return;
    }
    if (p == slot->successor) {
        successor_ended(slot, status);
    } else if (p == slot->draining) {
        slot->draining = NULL;
        uv_timer_stop(&slot->late);
        worker_drained(sv);
    } else {
        serving_ended(slot, status, was_ready);
    }
}

/* ---- starting ---- */

/* The part of the area that no other process of this place writes to. */
static int slot_free_part(const worker_slot *slot)
{
    const process *const all[] = { slot->process, slot->successor, slot->draining };
    int part = slot_number(slot) * 2;

    for (size_t i = 0; i < COUNT(all); i++)
        if (all[i] && process_part(all[i]) == part)
            return part + 1;
    return part;
}

static int slot_start(worker_slot *slot, process **ret)
{
    static const process_events events = { worker_ready, worker_renew, worker_ended };
    supervisor *sv = slot->owner;
    const listeners *l = &sv->listeners;
    int number = slot_number(slot);
    const process_plan plan = {
        .config_file = sv->config_file,
        .kind = PROCESS_WORKER,
        .slot = number,
        .fds = &l->fds[number * l->host_n],
        .fd_n = l->host_n,
        .ops_fd = number == 0 ? l->ops_fd : -1,
        .verbs_fd = sv->verbs_fd,
        .area_fd = sv->area_fd,
        .part = slot_free_part(slot),
    };
    int err = process_start(&sv->loop, &plan, &events, sv, ret);

    slot->started_ns = clock_mono_ns();
    if (err < 0)
        log_msg(PARLEY_ERROR, "cannot start worker %d: %s", number, strerror(-err));
    else
        area_set_alive(sv->area, plan.part, true);
    return err;
}

int worker_start(worker_slot *slot)
{
    return slot_start(slot, &slot->process);
}

int worker_replace(worker_slot *slot, bool is_single)
{
    if (!slot->process) { /* it has died, and would be started again a little later */
        uv_timer_stop(&slot->restart);
        slot->is_making_way = true;
        return worker_start(slot);
    }
    if (is_single) {
        slot->is_making_way = true;
        process_signal(slot->process, SIGTERM);
        worker_watch_drain(slot);
        return 0;
    }
    int err = slot_start(slot, &slot->successor);
    if (err < 0)
        return err;
    uv_timer_start(&slot->late, worker_late,
                   (uint64_t)slot->owner->settings->start_timeout_ms * START_LATE, 0);
    return 0;
}

/* ---- life ---- */

static int restarts_open(supervisor *sv)
{
    int part = area_part(sv->area);

    for (int i = 0; i < sv->slot_n; i++) {
        char key[64];
        uint32_t first = 0;
        int n = snprintf(key, sizeof(key), "parley_worker_restarts{worker=\"%d\"}", i);
        int err = area_find(sv->area, (str){ key, (size_t)n }, 1, &first);
        if (err < 0)
            return err;
        sv->slots[i].restarts = area_cells(sv->area, part, first);
    }
    return 0;
}

/* Two parts per place, and one of our own. */
static int area_make(supervisor *sv)
{
    sv->area_fd = area_create(sv->slot_n * 2 + 1);
    if (sv->area_fd < 0)
        return sv->area_fd;
    int err = area_open(sv->area_fd, sv->slot_n * 2, &sv->area);
    return err < 0 ? err : restarts_open(sv);
}

int workers_open(supervisor *sv, failure *f)
{
    sv->slots = calloc((size_t)sv->slot_n, sizeof(*sv->slots));
    if (!sv->slots)
        return failure_set(f, EXIT_SYSTEM, "out of memory");
    int err = area_make(sv);
    if (err < 0)
        return failure_set(f, EXIT_SYSTEM, "cannot make the memory for metrics: %s",
                           strerror(-err));
    return 0;
}

void workers_loop(supervisor *sv)
{
    for (int i = 0; i < sv->slot_n; i++) {
        worker_slot *slot = &sv->slots[i];
        slot->owner = sv;
        uv_timer_init(&sv->loop, &slot->restart);
        uv_timer_init(&sv->loop, &slot->late);
        slot->restart.data = slot->late.data = slot;
    }
}

void workers_close(supervisor *sv)
{
    free(sv->slots);
    area_close(sv->area);
}
