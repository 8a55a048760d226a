/* hooks.c -- points at which plugins are told or asked; fire(); and the lines of the log as such a
 * point. */
#include "core/host/inside.h"

#include "core/base/log.h"

#include <stdlib.h>

/* ---- the registry ---- */

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
hook_point *hook_find(const host *h, const char *name)
{
    hook_point *found = NULL;

    HASH_FIND_STR(h->hooks, name, found);
    return found;
}

static bool name_is_gate(str name)
{
    str end = STR(".before");

    if (str_eq(name, STR("conn.open")))
        return true;
    return name.n > end.n && str_eq(str_tail(name, name.n - end.n), end);
}

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
static hook_point *hook_point_create(host *h, const char *name)
{
    hook_point *made = calloc(1, sizeof(*made));
    str label = STR("hook ");
    str text = str_of(name);

    if (!made)
        return NULL;
    made->label = calloc(1, label.n + text.n + 1);
    if (!made->label) {
        free(made);
        return NULL;
    }
    memcpy(made->label, label.p, label.n);
    memcpy(made->label + label.n, text.p, text.n);
    made->name = made->label + label.n;
    made->is_gate = name_is_gate(text);
    HASH_ADD_KEYPTR(hh, h->hooks, made->name, text.n, made);
    if (made->hh.tbl)
        return made;
    free(made->label); /* no memory for the table */
    free(made);
    return NULL;
}

int hook_add(host *h, const char *name, const hook *added)
{
    hook_point *point = hook_find(h, name);

    if (!point)
        point = hook_point_create(h, name);
    hook *more = point ? realloc(point->hooks, (point->n + 1) * sizeof(*more)) : NULL;
    if (!more)
        return -ENOMEM;
    point->hooks = more;
    point->hooks[point->n++] = *added;
    return 0;
}

/* Stable: plugins register in the order of the YAML. */
static void hook_point_sort(hook_point *point)
{
    for (size_t i = 1; i < point->n; i++) {
        hook moved = point->hooks[i];
        size_t at = i;
        for (; at > 0 && point->hooks[at - 1].stage > moved.stage; at--)
            point->hooks[at] = point->hooks[at - 1];
        point->hooks[at] = moved;
    }
}

void hooks_sort(host *h)
{
    for (hook_point *it = h->hooks; it; it = it->hh.next)
        hook_point_sort(it);
    h->on_open = hook_find(h, "conn.open");
    h->on_close = hook_find(h, "conn.close");
    h->on_slow = hook_find(h, "conn.slow");
    h->on_done = hook_find(h, "req.done");
    h->on_log = hook_find(h, "log");
    h->on_reopen = hook_find(h, "log.reopen");
}

/* ---- running ---- */

static int hook_call(const hook_point *point, const hook *one, void *info)
{
    plugin_frame saved;

    plugin_enter(&saved, one->owner, point->label, STR_NONE);
    int verdict = one->fn(one->owner, info, one->ud);
    plugin_leave(&saved);
    return verdict;
}

int hook_run(host *h, const hook_point *point, void *info)
{
    if (!point)
        return PARLEY_NEXT;
    for (size_t i = 0; i < point->n; i++) {
        const hook *one = &point->hooks[i];
        int verdict = hook_call(point, one, info);
        if (verdict == PARLEY_NEXT)
            continue;
        if (verdict == PARLEY_DONE || verdict == PARLEY_DENY)
            return verdict;
        if (!h->in_log)
            log_msg(PARLEY_ERROR, "plugin \"" STR_FMT "\" failed (%d) in %s",
                    STR_ARG(one->owner->name), verdict, point->label);
        if (point->is_gate)
            return PARLEY_DENY;
    }
    return PARLEY_NEXT;
}

/* ---- the log ---- */

/* A hook that logs must not be told of its own line. */
static void log_sink(int level, int64_t at_us, str who, str line, void *ud)
{
    host *h = ud;
    parley_log_info info = {
        .size = sizeof(info), .level = level, .at_us = at_us, .plugin = who, .line = line
    };

    if (h->in_log)
        return;
    h->in_log = true;
    host_enter(h);
    (void)hook_run(h, h->on_log, &info);
    host_leave(h);
    h->in_log = false;
}

/* Any thread: the loop comes round, and with it log_drain(). */
static void log_wake(void *ud)
{
    posts_wake(ud);
}

void hooks_log_open(host *h)
{
    if (h->on_log)
        log_sink_set(log_sink, h, log_wake);
}

void hooks_log_close(host *h)
{
    if (h->on_log)
        log_sink_set(NULL, NULL, NULL);
}
