/* reload.c -- SIGHUP: the configuration is taken over without a stop, or not at all.
 *
 *   check     `parley check` in a throw-away process; keys that cannot change here are named
 *   migrate   `parley worker --migrate`
 *   replace   worker after worker: the new one starts, and when it is ready the old one drains
 *             (two that must not run side by side: the old one drains, then the new one starts)
 *
 * Whatever fails leaves the workers that serve in peace. */
#include "core/supervisor/inside.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#include <stdio.h>

static void reload_end(supervisor *sv)
{
    config_free(sv->reload.next);
    sv->reload.next = NULL;
    sv->reload.is_rolling = false;
    sv->reload.is_busy = workers_are_draining(sv);
    if (sv->reload.is_told)
        notify_ready(&sv->notifier);
    sv->reload.is_told = false;
    reload_if_asked(sv);
}

void reload_if_asked(supervisor *sv)
{
    if (!sv->reload.again || sv->reload.is_busy || sv->state != SUPERVISOR_RUNNING)
        return;
    sv->reload.again = false;
    supervisor_reload(sv);
}

void reload_close(supervisor *sv)
{
    config_free(sv->reload.next);
}

/* ---- what only a restart takes over ---- */

typedef struct fixed_key {
    const char *name;
    bool is_number;
    size_t at;
} fixed_key;

/* clang-format off */
static const fixed_key fixed_keys[] = {
    { "host",     false, offsetof(settings, host) },
    { "port",     true,  offsetof(settings, port) },
    { "ops",      false, offsetof(settings, ops) },
    { "workers",  true,  offsetof(settings, workers) },
    { "user",     false, offsetof(settings, user) },
    { "data_dir", false, offsetof(settings, data_dir) },
};
/* clang-format on */

static bool key_same(const fixed_key *key, const settings *a, const settings *b)
{
    const char *x = (const char *)a + key->at, *y = (const char *)b + key->at;

    if (key->is_number)
        return *(const int *)(const void *)x == *(const int *)(const void *)y;
    return str_eq(*(const str *)(const void *)x, *(const str *)(const void *)y);
}

/* Sockets, lock and account are the supervisor's, and a worker must agree with it about them. */
static bool reload_fits(supervisor *sv)
{
    failure f = { 0 };
    char keys[160] = "";
    size_t n = 0;

    if (config_open(sv->config_file, &sv->reload.next, &f) < 0) {
        log_error("%s", f.text);
        log_msg(PARLEY_ERROR, "configuration not taken: the workers go on as they were");
        return false;
    }
    for (size_t i = 0; i < COUNT(fixed_keys); i++)
        if (!key_same(&fixed_keys[i], sv->settings, config_settings(sv->reload.next)))
            n += (size_t)snprintf(keys + n, sizeof(keys) - n, "%sserver.%s", n ? ", " : "",
                                  fixed_keys[i].name);
    if (n == 0)
        return true;
    log_msg(PARLEY_ERROR,
            "configuration not taken: a changed %s needs a restart; the workers go on as they "
            "were",
            keys);
    return false;
}

/* ---- replacing ---- */

static void reload_over(supervisor *sv)
{
    log_msg(PARLEY_INFO, "configuration taken: %d worker%s replaced", sv->slot_n,
            sv->slot_n == 1 ? " was" : "s were");
    reload_end(sv);
}

static void reload_step(supervisor *sv)
{
    reload *r = &sv->reload;

    if (r->at == sv->slot_n) {
        reload_over(sv);
        return;
    }
    if (worker_replace(&sv->slots[r->at], r->is_single) < 0)
        worker_not_replaced(&sv->slots[r->at], "cannot be started");
}

void worker_replaced(worker_slot *slot)
{
    supervisor *sv = slot->owner;

    if (!sv->reload.is_rolling)
        return;
    sv->reload.at++;
    reload_step(sv);
}

void worker_not_replaced(worker_slot *slot, const char *why)
{
    supervisor *sv = slot->owner;
    int number = (int)(slot - sv->slots);

    log_msg(PARLEY_ERROR,
            "the new worker %d %s: %s. Workers with the new configuration: %d of %d. Mend it and "
            "send SIGHUP again",
            number, why,
            slot->process ? "the old one serves on" : "it is started again until it stays",
            sv->reload.at, sv->slot_n);
    reload_end(sv);
}

void worker_drained(supervisor *sv)
{
    if (sv->reload.is_rolling)
        return;
    sv->reload.is_busy = workers_are_draining(sv);
    reload_if_asked(sv);
}

static void reload_replace(supervisor *sv)
{
    int64_t drain_ms = sv->settings->drain_ms;

    config_free(sv->config);
    sv->config = sv->reload.next;
    sv->reload.next = NULL;
    sv->settings = config_settings(sv->config);
    log_level_set(sv->settings->log_level);
    sv->reload.drain_ms = drain_ms > sv->settings->drain_ms ? drain_ms : sv->settings->drain_ms;
    sv->reload.at = 0;
    sv->reload.is_rolling = true;
    for (int i = 0; i < sv->slot_n; i++)
        sv->reload.is_single |= sv->slots[i].process && process_is_single(sv->slots[i].process);
    reload_step(sv);
}

/* ---- the two throw-away processes ---- */

static void reload_migrated(void *ud, process *p, int status, bool was_ready, const char *words)
{
    supervisor *sv = ud;

    (void)p;
    (void)was_ready;
    if (!task_over(sv, "migration", status, words))
        return;
    if (status == 0) {
        reload_replace(sv);
        return;
    }
    log_msg(PARLEY_ERROR,
            "configuration not taken: its migrations failed; the workers go on as they were");
    reload_end(sv);
}

static void reload_checked(void *ud, process *p, int status, bool was_ready, const char *words)
{
    static const process_events events = { task_said, task_said, reload_migrated };
    supervisor *sv = ud;

    (void)was_ready;
    sv->reload.is_single = process_is_single(p);
    if (!task_over(sv, "check", status, words))
        return;
    if (status != 0)
        log_msg(PARLEY_ERROR, "configuration not taken: the workers go on as they were");
    else if (reload_fits(sv) && task_start(sv, PROCESS_MIGRATE, &events) == 0)
        return;
    reload_end(sv);
}

void supervisor_reload(supervisor *sv)
{
    static const process_events events = { task_said, task_said, reload_checked };

    if (sv->state == SUPERVISOR_STOPPING)
        return;
    if (sv->state == SUPERVISOR_STARTING || sv->reload.is_busy) {
        sv->reload.again = true;
        log_msg(PARLEY_INFO, "SIGHUP: the configuration will be read again when the workers are "
                             "all there");
        return;
    }
    sv->reload.is_busy = sv->reload.is_told = true;
    notify_reloading(&sv->notifier, clock_mono_ns());
    if (task_start(sv, PROCESS_CHECK, &events) == 0)
        return;
    log_msg(PARLEY_ERROR, "configuration not taken: cannot start a process");
    reload_end(sv);
}
