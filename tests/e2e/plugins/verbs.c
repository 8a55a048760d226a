/* verbs.c -- a plugin with one verb for every thing that a verb can do; tests/e2e/test_cli.py builds
 * and runs it. */
#include <parley/verb.h>
#include <stdlib.h>
#include <unistd.h>

static int64_t started;

/* ---- say: options and operands of every type ---- */

static const parley_option say_options[] = {
    { "times", "1", NULL, "how often", PARLEY_T_INT, 0, 1, 5 },
    { "loud", NULL, NULL, "in capitals", PARLEY_T_BOOL, 0, 0, 0 },
    { "after", "0s", NULL, "wait first", PARLEY_T_MS, 0, 0, 60000 },
    { "colour", "red", "red|green", "of the text", PARLEY_T_ENUM, 0, 0, 0 },
    { "key", NULL, NULL, "a secret", PARLEY_T_STR, PARLEY_O_SECRET, 4, 64 },
    { "to_file", NULL, NULL, "a path", PARLEY_T_STR, PARLEY_O_PATH, 0, 0 },
    { "tag", NULL, NULL, "a tag", PARLEY_T_STR, PARLEY_O_MANY, 1, 16 },
};
static const parley_option say_operands[] = {
    { "what", NULL, NULL, "what to say", PARLEY_T_STR, PARLEY_O_REQUIRED, 1, 100 },
    { "more", NULL, NULL, "and what else", PARLEY_T_STR, PARLEY_O_MANY, 0, 0 },
};

static void say_out(parley_run run)
{
    const parley_run_api *api = parley->run;
    parley_str what = api->text(run, "what"), file = api->text(run, "to_file");
    parley_str key = api->text(run, "key");

    for (int64_t i = 0; i < api->num(run, "times"); i++)
        (void)parley_run_printf(run, "%.*s%s\n", (int)what.n, what.p,
                                api->num(run, "loud") ? "!" : "");
    (void)parley_run_printf(run, "pid=%d started=%d colour=%d key=%d file=%.*s\n", (int)getpid(),
                            (int)started, (int)api->num(run, "colour"), (int)key.n, (int)file.n,
                            file.p ? file.p : "");
    for (size_t i = 0; i < api->count(run, "tag"); i++)
        (void)parley_run_printf(run, "tag=%.*s\n", (int)api->text_at(run, "tag", i).n,
                                api->text_at(run, "tag", i).p);
    for (size_t i = 0; i < api->count(run, "more"); i++)
        (void)parley_run_printf(run, "more=%.*s\n", (int)api->text_at(run, "more", i).n,
                                api->text_at(run, "more", i).p);
    (void)api->say(run, PARLEY_S("said"));
}

typedef struct later {
    parley_run run;
    parley_timer timer;
    int64_t n;
} later;

static void say_later(parley_ctx *ctx, int status, void *ud)
{
    later *l = ud;

    (void)ctx;
    (void)status;
    say_out(l->run);
    (void)parley->run->end(l->run, 0);
    free(l);
}

static int say(parley_ctx *ctx, parley_run run, void *ud)
{
    int64_t after = parley->run->num(run, "after");

    (void)ud;
    if (after == 0) {
        say_out(run);
        return PARLEY_OK;
    }
    later *l = calloc(1, sizeof(*l));
    if (!l)
        return PARLEY_ENOMEM;
    l->run = run;
    (void)parley->timer(ctx, after, 0, say_later, l);
    return PARLEY_PENDING;
}

/* ---- ends: every way to end ---- */

static const parley_option end_operands[] = {
    { "how", NULL, "good|status|fail|reason|nothing|wrong", "how it ends", PARLEY_T_ENUM,
      PARLEY_O_REQUIRED, 0, 0 },
};

static int end(parley_ctx *ctx, parley_run run, void *ud)
{
    (void)ud;
    switch (parley->run->num(run, "how")) {
    case 0:
        return PARLEY_OK;
    case 1:
        return parley->run->end(run, 78);
    case 2:
        return parley_run_failf(run, 1, "room %d: there is no such room", 7);
    case 3:
        return parley->fail(ctx, "the reason");
    case 4:
        return PARLEY_EIO;
    default:
        return PARLEY_DONE;
    }
}

/* ---- ask: a name, then a password ---- */

static parley_run asked;

static void ask_done(parley_ctx *ctx, int status, parley_str answer, void *ud)
{
    (void)ctx;
    (void)ud;
    if (status < 0) {
        (void)parley->run->fail(asked, 1, "no answer");
        return;
    }
    (void)parley_run_printf(asked, "password of %d bytes\n", (int)answer.n);
    (void)parley->run->end(asked, 0);
}

static void ask_name(parley_ctx *ctx, int status, parley_str answer, void *ud)
{
    if (status < 0) {
        (void)parley->run->fail(asked, 1, "no answer");
        return;
    }
    (void)parley_run_printf(asked, "hello %.*s\n", (int)answer.n, answer.p);
    (void)parley->run->ask(ctx, asked, PARLEY_S("Password: "), 1, ask_done, ud);
}

static int ask(parley_ctx *ctx, parley_run run, void *ud)
{
    asked = run;
    if (parley->run->ask(ctx, run, PARLEY_S("Name: "), 0, ask_name, ud) == PARLEY_ENOENT)
        return parley->run->fail(run, 2, "there is no terminal to ask for a name; give --name");
    return PARLEY_PENDING;
}

/* ---- count: until it is cancelled ---- */

static void count_cancelled(parley_ctx *ctx, int status, void *ud)
{
    later *l = ud;

    (void)ctx;
    (void)status;
    (void)parley->timer_stop(l->timer);
    parley_logf(ctx, PARLEY_INFO, "count cancelled");
    (void)parley->run->end(l->run, 1);
    free(l);
}

static void count_on(parley_ctx *ctx, int status, void *ud)
{
    later *l = ud;
    char line[64];

    (void)ctx;
    (void)status;
    int n = snprintf(line, sizeof(line), "%lld counted", (long long)++l->n);
    (void)parley->run->progress(l->run, (parley_str){ line, (size_t)n });
    if (l->n == 1)
        (void)parley->run->print(l->run, PARLEY_S("counting\n"));
}

static const parley_option count_options[] = {
    { "deaf", NULL, NULL, "do not listen to Ctrl-C", PARLEY_T_BOOL, 0, 0, 0 },
};

static int count(parley_ctx *ctx, parley_run run, void *ud)
{
    later *l = calloc(1, sizeof(*l));

    (void)ud;
    if (!l)
        return PARLEY_ENOMEM;
    l->run = run;
    l->timer = parley->timer(ctx, 0, 10, count_on, l);
    if (!parley->run->num(run, "deaf"))
        (void)parley->run->on_cancel(ctx, run, count_cancelled, l);
    return PARLEY_PENDING;
}

/* ---- flood: more than a caller takes at once ---- */

static const parley_option flood_options[] = {
    { "lines", "400000", NULL, "lines of 64 bytes", PARLEY_T_INT, 0, 1, 10000000 },
};

static void flood_on(parley_ctx *ctx, int status, void *ud)
{
    later *l = ud;
    char line[65];
    int err = status;

    while (err == PARLEY_OK && l->n < parley->run->num(l->run, "lines")) {
        (void)snprintf(line, sizeof(line), "%063lld\n", (long long)l->n);
        err = parley->run->print(l->run, (parley_str){ line, 64 });
        if (err == PARLEY_OK)
            l->n++;
    }
    if (err == PARLEY_EAGAIN && parley->run->on_drain(ctx, l->run, flood_on, l) == PARLEY_OK)
        return;
    (void)parley->run->end(l->run, err == PARLEY_OK ? 0 : 1);
    free(l);
}

static int flood(parley_ctx *ctx, parley_run run, void *ud)
{
    later *l = calloc(1, sizeof(*l));

    (void)ud;
    if (!l)
        return PARLEY_ENOMEM;
    l->run = run;
    flood_on(ctx, PARLEY_OK, l);
    return PARLEY_PENDING;
}

/* ---- where: flags ---- */

static int where(parley_ctx *ctx, parley_run run, void *ud)
{
    (void)ctx;
    (void)parley_run_printf(run, "%s pid=%d started=%d\n", (const char *)ud, (int)getpid(),
                            (int)started);
    return PARLEY_OK;
}

static int crash(parley_ctx *ctx, parley_run run, void *ud)
{
    (void)ctx;
    (void)run;
    (void)ud;
    _exit(9);
}

static int load(parley_ctx *ctx, const parley_conf *conf)
{
    static char offline[] = "offline", bare[] = "bare", both[] = "offline bare";
    static const parley_verb verbs[] = {
        { PARLEY_SIZED(parley_verb), .name = "try say", .about = "say something",
          .details = "Twice, if it must be.\n", PARLEY_LIST(option, say_options),
          PARLEY_LIST(operand, say_operands), .fn = say },
        { PARLEY_SIZED(parley_verb), .name = "try end", .about = "end somehow",
          PARLEY_LIST(operand, end_operands), .fn = end },
        { PARLEY_SIZED(parley_verb), .name = "try ask", .about = "ask for a name and a password",
          .fn = ask },
        { PARLEY_SIZED(parley_verb), .name = "try count", .about = "count until Ctrl-C",
          PARLEY_LIST(option, count_options), .fn = count },
        { PARLEY_SIZED(parley_verb), .name = "try flood", .about = "write much",
          PARLEY_LIST(option, flood_options), .fn = flood },
        { PARLEY_SIZED(parley_verb), .name = "try crash", .about = "end the process", .fn = crash },
        { PARLEY_SIZED(parley_verb), .name = "try offline", .about = "run without a server",
          .flags = PARLEY_V_OFFLINE, .fn = where, .ud = offline },
        { PARLEY_SIZED(parley_verb), .name = "try bare", .about = "run beside a server",
          .flags = PARLEY_V_BARE, .fn = where, .ud = bare },
        { PARLEY_SIZED(parley_verb), .name = "try both", .about = "run without anything",
          .flags = PARLEY_V_BARE | PARLEY_V_OFFLINE, .fn = where, .ud = both },
    };

    (void)conf;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (parley->verb(ctx, &verbs[i]) < 0)
            return PARLEY_EINVAL;
    return PARLEY_OK;
}

static int start(parley_ctx *ctx)
{
    (void)ctx;
    started = 1;
    return PARLEY_OK;
}

PARLEY_PLUGIN(.name = "verbs", .version = "1.0.0", .about = "verbs to try", .load = load,
              .start = start)
