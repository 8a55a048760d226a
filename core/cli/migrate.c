/* migrate.c -- `parley migrate`: what a start of the server does to the database, by itself; what it
 * would do (--plan); and the way back (--back).
 *
 * A plan only reads, so it may run beside a server, also of an older version: that is when it is
 * wanted.  What changes tables holds the data folder, as a server does.  Several nodes on one
 * PostgreSQL take turns by its advisory lock; that none of them runs while tables are taken back,
 * nobody but the operator can know. */
#include "core/base/log.h"
#include "core/cli/cli.h"
#include "core/cli/verb_run.h"

#include <parley/db.h>
#include <stdio.h>
#include <unistd.h>

#define STOP_MS 10000

typedef struct migration {
    verb_place place;
    host_migration what;
    net *net;
    size_t lines; /* files told of */
    failure failure;
} migration;

/* ---- what is asked for ---- */

/* "accounts" (its newest migration) or "accounts:3" (all above 3). */
static int back_read(migration *m, const char *text)
{
    str version = STR_NONE;

    m->what.way = PARLEY_DB_BACK;
    m->what.version = -1;
    bool has_version = str_cut(str_of(text), ':', &m->what.plugin, &version);
    if (m->what.plugin.n > 0 &&
        (!has_version || (str_int(version, &m->what.version) && m->what.version >= 0)))
        return 0;
    return failure_set(&m->failure, EXIT_USAGE,
                       "parley migrate: --back %s: must be PLUGIN (its newest migration) or "
                       "PLUGIN:VERSION (all above that number)",
                       text);
}

static int back_check_plugin(migration *m)
{
    for (size_t i = 0; i < host_plugin_n(m->place.host); i++) {
        const plugin *p = host_plugin(m->place.host, i);
        if (str_eq(p->name, m->what.plugin) && p->def->migrations)
            return 0;
    }
    return failure_set(&m->failure, EXIT_USAGE,
                       "parley migrate: --back: %s configures no plugin \"" STR_FMT
                       "\" with migrations",
                       m->place.config_file, STR_ARG(m->what.plugin));
}

static int back_confirm(migration *m, const cli_args *args)
{
    char answer[8] = "";

    if (args->yes)
        return 0;
    if (!isatty(STDIN_FILENO))
        return failure_set(&m->failure, EXIT_USAGE,
                           "parley migrate: --back drops tables with all they hold; confirm it "
                           "with --yes");
    fprintf(stderr,
            "Migrations of \"" STR_FMT "\" will be undone. What is in their tables is lost, for "
            "every node that uses this database.\nType yes to go on: ",
            STR_ARG(m->what.plugin));
    if (fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0)
        return 0;
    return failure_set(&m->failure, EXIT_SYSTEM, "nothing was changed");
}

/* ---- what is done ---- */

static void migrate_report(void *ud, str name, str text)
{
    migration *m = ud;
    str line = STR_NONE;

    while (str_cut(text, '\n', &line, &text)) {
        m->lines++;
        printf(STR_FMT ": " STR_FMT "\n", STR_ARG(name), STR_ARG(line));
    }
    (void)fflush(stdout);
}

/* PLAN for --back PLUGIN: the newest applied one is what will be undone. */
static void back_find(void *ud, str name, str text)
{
    migration *m = ud;
    str line = STR_NONE, word = STR_NONE, rest = STR_NONE;
    int64_t version = 0, newest = 0;

    (void)name;
    m->what.version = 0;
    while (str_cut(text, '\n', &line, &text)) {
        if (!str_cut(line, ' ', &word, &rest) || !str_eq(word, STR("applied")) ||
            !str_cut(rest, ' ', &word, &rest) || !str_int(word, &version))
            continue;
        m->what.version = newest;
        newest = version;
    }
}

static void migrate_stopped(void *ud)
{
    migration *m = ud;

    if (host_stopped_late(m->place.host))
        _exit(EXIT_SYSTEM); /* under the threads that still run nothing may be torn down */
    net_free(m->net);
    m->net = NULL;
    uv_stop(m->place.loop);
}

static void migrate_done(void *ud, const failure *f)
{
    static host_migration back;
    migration *m = ud;

    if (f)
        (void)failure_set(&m->failure, f->status, "%s", f->text);
    if (!f && m->what.report == back_find) {
        m->what.report = migrate_report;
        back = m->what;
        host_migrate(m->place.host, &back, migrate_done, m);
        return;
    }
    host_stop(m->place.host, STOP_MS, migrate_stopped, m);
}

static int migrate_run(migration *m)
{
    static host_migration first;
    int err = net_create(m->place.loop, &m->place.settings->limits, host_up(m->place.host),
                         m->place.host, &m->net);

    if (err < 0)
        return failure_set(&m->failure, EXIT_SYSTEM, "cannot start: %s", uv_strerror(err));
    host_net_set(m->place.host, m->net);
    m->what.report = migrate_report;
    first = m->what;
    if (m->what.way == PARLEY_DB_BACK && m->what.version < 0) {
        m->what.report = first.report = back_find;
        first.way = PARLEY_DB_PLAN;
    }
    host_migrate(m->place.host, &first, migrate_done, m);
    uv_run(m->place.loop, UV_RUN_DEFAULT);
    return m->failure.status == 0 ? 0 : -1;
}

static void migrate_say(const migration *m)
{
    if (m->lines == 0)
        printf("%s\n", m->what.way == PARLEY_DB_BACK ? "nothing to undo" : "nothing to do");
}

/* ---- where ---- */

static int migrate_take_folder(migration *m)
{
    int fd = -1;

    if (place_prepare(&m->place, &m->failure) < 0)
        return -1;
    if (m->what.way == PARLEY_DB_PLAN)
        return 0;
    if (place_find(&m->place, &fd, &m->failure) < 0)
        return -1;
    if (fd < 0)
        return 0;
    close(fd);
    return failure_set(&m->failure, EXIT_SYSTEM,
                       "a server uses " STR_FMT
                       "; it migrates when it starts or gets SIGHUP. Stop it to migrate by hand",
                       STR_ARG(m->place.settings->data_dir));
}

int cli_migrate(const cli_args *args)
{
    migration m = { .what = { .way = args->plan ? PARLEY_DB_PLAN : PARLEY_DB_UP } };
    int err = 0;

    if (args->plan && args->back)
        err = failure_set(&m.failure, EXIT_USAGE,
                          "parley migrate: --plan tells what is missing, --back undoes; give one");
    if (err == 0 && args->back)
        err = back_read(&m, args->back);
    m.place.lock_fd = -1;
    if (err == 0)
        err = place_open(&m.place, args->config, NULL, &m.failure);
    if (err == 0 && args->back)
        err = back_check_plugin(&m);
    if (err == 0)
        err = migrate_take_folder(&m);
    if (err == 0 && args->back)
        err = back_confirm(&m, args);
    if (err == 0)
        err = place_secret(&m.place, &m.failure);
    if (err == 0)
        err = migrate_run(&m);
    if (err == 0)
        migrate_say(&m);
    else
        log_error("%s", m.failure.text);
    place_close(&m.place);
    return err == 0 ? EXIT_STOPPED : m.failure.status;
}
