/* plugin.c -- the verb `parley import django`: its options, and what it begins with. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/import/import.h"

/* "content=body" of --column. */
static int column_given(layout *l, parley_run run, parley_str text)
{
    const char *equal = memchr(text.p, '=', text.n);
    int role = equal ? layout_role((parley_str){ text.p, (size_t)(equal - text.p) }) : -1;

    if (role < 0 || equal + 1 == text.p + text.n)
        return parley_run_failf(run, 2,
                                "--column %.*s: must be WHAT=NAME; what there is, stands in "
                                "docs/from-the-original-app.md",
                                (int)(text.n < 100 ? text.n : 100), text.p);
    (void)snprintf(l->columns[role], NAME_SIZE, "%.*s", (int)(text.p + text.n - equal - 1),
                   equal + 1);
    return 0;
}

static int layout_given(layout *l, parley_run run)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        parley_str table = parley->run->text(run, kind_names[kind]);

        (void)snprintf(l->tables[kind], NAME_SIZE, "%.*s", (int)table.n, table.p ? table.p : "");
    }
    for (size_t i = 0; i < parley->run->count(run, "column"); i++) {
        int ended = column_given(l, run, parley->run->text_at(run, "column", i));

        if (ended)
            return ended;
    }
    return 0;
}

static int import_run(parley_ctx *ctx, parley_run run, void *ud)
{
    parley_str from = parley->run->text(run, "from");
    import_job *job = calloc(1, sizeof(*job));

    (void)ud;
    if (!job)
        return PARLEY_ENOMEM;
    job->run = run;
    job->ctx = ctx;
    job->is_plan = (int)parley->run->num(run, "plan");
    int ended = layout_given(&job->layout, run);
    job->url = ended ? NULL : strndup(from.p, from.n);
    if (job->url)
        return job_start(job);
    free(job);
    return ended ? ended : PARLEY_ENOMEM;
}

/* clang-format off */
static const parley_option options[] = {
    { "from", NULL, NULL, "postgresql://USER:PASSWORD@HOST:PORT/DATABASE of the original app; \"-\": a line of standard input",
      PARLEY_T_STR, PARLEY_O_REQUIRED | PARLEY_O_SECRET, 1, 4000 },
    { "plan", "false", NULL, "only show how much there is, and what stands against it", PARLEY_T_BOOL, 0, 0, 0 },
    { "users", NULL, NULL, "the table of the users; default: found", PARLEY_T_STR, 0, 1, NAME_SIZE - 1 },
    { "rooms", NULL, NULL, "of the rooms; default: found", PARLEY_T_STR, 0, 1, NAME_SIZE - 1 },
    { "participants", NULL, NULL, "of who is in which room; default: found", PARLEY_T_STR, 0, 1, NAME_SIZE - 1 },
    { "messages", NULL, NULL, "of the messages; default: found", PARLEY_T_STR, 0, 1, NAME_SIZE - 1 },
    { "column", NULL, NULL, "WHAT=NAME: a column whose name is not found, as content=body", PARLEY_T_STR, PARLEY_O_MANY, 1, 120 },
};
/* clang-format on */

static const parley_need needs[] = { { "parley.db", 0, 1, 0 } };

static int import_load(parley_ctx *ctx, const parley_conf *conf)
{
    static const parley_verb verb = {
        PARLEY_SIZED(parley_verb),
        .flags = PARLEY_V_OFFLINE,
        .name = "import django",
        .about = "take over users, rooms and messages of the original app",
        .details =
            "Users keep their passwords, rooms and messages their times and their order. The\n"
            "original is only read. Accounts that are here already are left alone; if two would "
            "be\n"
            "one here, they are reported and nothing is imported. Run again it adds what is new\n"
            "there, and a run that was broken off goes on. First: parley migrate, on a database\n"
            "that no server has used. docs/from-the-original-app.md tells the way.\n",
        PARLEY_LIST(option, options),
        .fn = import_run,
    };

    (void)conf;
    if (sodium_init() < 0)
        return parley->fail(ctx, "libsodium does not start");
    return parley->verb(ctx, &verb);
}

PARLEY_PLUGIN(.name = "import", .version = "0.1.0",
              .about = "takes over the data of the original app (for `parley import django`)",
              .license = "MIT", PARLEY_LIST(need, needs), .load = import_load,
              .start = target_prepare)
