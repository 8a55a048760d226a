/* plugin.c -- the verb `parley verify`: its options, and who its clients are.
 *
 *   options   what the command line says
 *   target    --url, looked up; without it a server of our own
 *   people    --token, --email and a password; on a server of our own they are made */
#include "plugins/verify/offline.h"
#include "plugins/verify/run.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD_VARIABLE "PARLEY_PASSWORD"

enum { PASSWORD_BYTES = 24, RESTARTS_OF_OURS = 2 };

/* Ends what was not begun: the verb has been told why. */
static int verify_refuse(verify *v, int verdict)
{
    run_free(v);
    return verdict;
}

/* ---- options ---- */

static int64_t number(const verify *v, const char *name)
{
    return parley->run->num(v->run, name);
}

static char *text_new(parley_str s)
{
    return s.n > 0 ? strndup(s.p, s.n) : NULL;
}

static void options_read(verify *v)
{
    options *o = &v->opt;
    uint64_t random = 0;

    parley->random(&random, sizeof(random));
    o->clients = number(v, "clients");
    o->rooms = number(v, "rooms");
    o->messages = number(v, "messages");
    o->cuts = number(v, "cuts");
    o->duration_ms = number(v, "duration");
    o->patience_ms = number(v, "patience");
    o->is_json = number(v, "json") != 0;
    o->is_scratch = number(v, "scratch") != 0;
    o->seed = parley->run->count(v->run, "seed") ? (uint64_t)number(v, "seed") : random >> 32;
    o->restart_command = text_new(parley->run->text(v->run, "restart_command"));
    bool is_ours = !parley->run->text(v->run, "url").p;
    o->restarts = parley->run->count(v->run, "restarts") ? number(v, "restarts")
                  : is_ours || o->restart_command        ? RESTARTS_OF_OURS
                                                         : 0;
}

/* What contradicts; NULL: nothing. */
static const char *options_fault(const verify *v)
{
    bool is_ours = !parley->run->text(v->run, "url").p;
    size_t names = parley->run->count(v->run, "token") + parley->run->count(v->run, "email");

    if (v->opt.rooms > v->opt.clients)
        return "--rooms: more rooms than --clients, so nobody would be in some of them";
    if (!is_ours && v->opt.is_scratch)
        return "--scratch is about the stores of a server that is started for this, not of --url";
    if (is_ours && (names > 0 || v->opt.restart_command))
        return "--token, --email and --restart-command are for a server of --url; without it, "
               "one is started that needs none of them";
    if (!is_ours && v->opt.restarts > 0 && !v->opt.restart_command)
        return "--restarts with --url needs --restart-command: how that server is restarted";
    if (!is_ours && names == 0)
        return "--url needs --token, or --email and a password (asked for, or in the "
               "variable " PASSWORD_VARIABLE "): as whom the clients log in";
    return NULL;
}

static int record_open(verify *v)
{
    char *path = text_new(parley->run->text(v->run, "record"));

    if (!path)
        return 0;
    v->record = fopen(path, "we");
    int ended = v->record ? 0
                          : parley_run_failf(v->run, 2, "cannot write --record %s: %s", path,
                                             strerrordesc_np(errno));
    free(path);
    return ended;
}

/* ---- people ---- */

static bool people_room(verify *v, size_t n)
{
    v->people = calloc(n, sizeof(*v->people));
    v->people_n = v->people ? n : 0;
    return v->people != NULL;
}

/* Accounts with passwords that nobody knows, for a server of our own. */
static bool people_invent(verify *v)
{
    size_t n = v->opt.clients < PEOPLE_MOST ? (size_t)v->opt.clients : PEOPLE_MOST;
    uint8_t bytes[PASSWORD_BYTES];
    char text[2 * PASSWORD_BYTES + 1];

    if (!people_room(v, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        parley->random(bytes, sizeof(bytes));
        (void)sodium_bin2hex(text, sizeof(text), bytes, sizeof(bytes));
        v->people[i].password = strdup(text);
        if (asprintf(&v->people[i].email, "verify%zu@example.org", i + 1) < 0 ||
            !v->people[i].password)
            return false;
    }
    sodium_memzero(text, sizeof(text));
    return true;
}

static bool people_given(verify *v)
{
    size_t tokens = parley->run->count(v->run, "token");
    size_t emails = parley->run->count(v->run, "email");

    if (!people_room(v, tokens + emails))
        return false;
    for (size_t i = 0; i < tokens + emails; i++) {
        person *p = &v->people[i];
        bool has_token = i < tokens;
        char *text = text_new(parley->run->text_at(v->run, has_token ? "token" : "email",
                                                   has_token ? i : i - tokens));
        *(has_token ? &p->token : &p->email) = text;
        if (!text || strpbrk(text, "\r\n"))
            return false;
    }
    return true;
}

/* ---- the beginning ---- */

static void verify_begin(verify *v)
{
    if (run_start(v) == PARLEY_PENDING)
        return;
    parley_run run = v->run;
    run_free(v);
    (void)parley->run->fail(run, 2, "out of memory");
}

static void verify_resolved(parley_ctx *ctx, parley_str topic, parley_str bytes, void *ud)
{
    verify *v = ud;
    parley_run run = v->run;
    char why[WHY_MAX];

    (void)ctx;
    (void)topic;
    if (target_take(&v->target, bytes, why) == 0) {
        verify_begin(v);
        return;
    }
    run_free(v);
    (void)parley->run->fail(run, 2, why);
}

static int verify_look_up(verify *v)
{
    if (parley->resolve(v->ctx, v->target.host, v->target.port, verify_resolved, v) >= 0)
        return PARLEY_PENDING;
    (void)parley->run->fail(v->run, 2, "the host of --url cannot be looked up");
    return PARLEY_DONE;
}

static void password_given(parley_ctx *ctx, int status, parley_str answer, void *ud)
{
    verify *v = ud;
    parley_run run = v->run;

    (void)ctx;
    for (size_t i = 0; i < v->people_n && status >= 0; i++)
        if (!v->people[i].token)
            v->people[i].password = text_new(answer);
    if (status < 0 || verify_look_up(v) != PARLEY_PENDING) {
        run_free(v);
        (void)parley->run->fail(run, 2, "interrupted");
    }
}

/* Everybody who has no token has the same password. */
static int password_take(verify *v)
{
    const char *variable = getenv(PASSWORD_VARIABLE);
    size_t emails = parley->run->count(v->run, "email");

    for (size_t i = 0; i < v->people_n && variable; i++)
        if (!v->people[i].token)
            v->people[i].password = strdup(variable);
    if (emails == 0 || variable)
        return verify_look_up(v);
    int asked = parley->run->ask(v->ctx, v->run, PARLEY_S("Password: "), 1, password_given, v);

    if (asked >= 0)
        return PARLEY_PENDING;
    return parley->run->fail(v->run, 2,
                             "--email needs a password: set the variable " PASSWORD_VARIABLE);
}

static int verify_ours(verify *v)
{
    char why[WHY_MAX] = "";

    if (!people_invent(v))
        return PARLEY_ENOMEM;
    if (server_start(v, why) < 0)
        return parley->run->fail(v->run, 2, why);
    return run_start(v);
}

static int verify_theirs(verify *v)
{
    char why[WHY_MAX] = "";

    if (target_parse(&v->target, parley->run->text(v->run, "url"), why) < 0)
        return parley->run->fail(v->run, 2, why);
    if (!people_given(v))
        return parley->run->fail(v->run, 2, "a --token or --email is empty or has a line break");
    return password_take(v);
}

static int verify_run(parley_ctx *ctx, parley_run run, void *ud)
{
    (void)ud;
    if (parley->run->text(run, "check").p)
        return offline_start(ctx, run);
    verify *v = calloc(1, sizeof(*v));

    if (!v)
        return PARLEY_ENOMEM;
    v->ctx = ctx;
    v->run = run;
    history_init(&v->h);
    options_read(v);
    const char *fault = options_fault(v);
    int verdict = fault ? parley->run->fail(run, 2, fault) : record_open(v);

    if (verdict == 0) {
        v->hall_n = (size_t)v->opt.rooms;
        v->halls = calloc(v->hall_n, sizeof(*v->halls));
        verdict = !v->halls                         ? PARLEY_ENOMEM
                  : parley->run->text(run, "url").p ? verify_theirs(v)
                                                    : verify_ours(v);
    }
    return verdict == PARLEY_PENDING ? verdict : verify_refuse(v, verdict);
}

/* clang-format off */
static const parley_option command_options[] = {
    { "url", NULL, NULL, "http(s)://HOST[:PORT] of a server that runs; without it, one is started for this in a folder of its own, with the configuration of --config",
      PARLEY_T_STR, 0, 1, 300 },
    { "scratch", "false", NULL, "without --url: the PostgreSQL or Redis of the configuration is for this alone, accounts and rooms may be made there", PARLEY_T_BOOL, 0, 0, 0 },
    { "token", NULL, NULL, "with --url: of an account that the clients use; \"-\": a line of standard input",
      PARLEY_T_STR, PARLEY_O_SECRET | PARLEY_O_MANY, 1, 1000 },
    { "email", NULL, NULL, "with --url: of such an account; its password is asked for, or stands in the variable " PASSWORD_VARIABLE,
      PARLEY_T_STR, PARLEY_O_MANY, 1, 300 },
    { "clients", "8", NULL, "clients; each has a socket and a connection for REST, every fourth has one socket for several rooms", PARLEY_T_INT, 0, 1, CLIENTS_MOST },
    { "rooms", "2", NULL, "rooms that they are spread over", PARLEY_T_INT, 0, 1, ROOMS_MOST },
    { "messages", "1000", NULL, "messages to be sent in all; some are edited, and reacted to", PARLEY_T_INT, 0, 1, 10000000 },
    { "cuts", "20", NULL, "cuts of the clients' connections, spread over the run", PARLEY_T_INT, 0, 0, 1000000 },
    { "restarts", NULL, NULL, "how often the server or a worker of it is killed or restarted; default 2, with --url without --restart-command 0", PARLEY_T_INT, 0, 0, 1000 },
    { "restart_command", NULL, NULL, "with --url: a shell command that does it, and ends with 0", PARLEY_T_STR, 0, 1, 1000 },
    { "duration", "0ms", NULL, "time that the messages are spread over; 0ms: as fast as they are acknowledged", PARLEY_T_MS, 0, 0, 604800000 },
    { "patience", "30s", NULL, "time that all clients have to catch up when nobody sends any more", PARLEY_T_MS, 0, 1000, 3600000 },
    { "seed", NULL, NULL, "for the choice of faults; default: another one each time", PARLEY_T_INT, 0, 0, 4294967295 },
    { "record", NULL, NULL, "a file for all that was sent, acknowledged and shown, as lines of JSON", PARLEY_T_STR, PARLEY_O_PATH, 1, 4000 },
    { "check", NULL, NULL, "only judge a file that --record wrote", PARLEY_T_STR, PARLEY_O_PATH, 1, 4000 },
    { "json", "false", NULL, "the report as one JSON object", PARLEY_T_BOOL, 0, 0, 0 },
};
/* clang-format on */

static int verify_load(parley_ctx *ctx, const parley_conf *conf)
{
    static const parley_verb verb = {
        PARLEY_SIZED(parley_verb),
        .flags = PARLEY_V_BARE,
        .name = "verify",
        .about = "check that a server keeps what it promises",
        .details =
            "Clients send, edit, react, are cut off, come back, repeat what they do not know the\n"
            "outcome of, and go on where they were, while the server is restarted; in the end\n"
            "all that was acknowledged must be stored once, and all must have seen the same.\n"
            "Without --url a server is started for this, and removed afterwards.\n"
            "Exit status: 0 all was kept, 1 something was violated, 2 it could not be tried.\n"
            "docs/VERIFY.md\n",
        .options = command_options,
        .option_n = sizeof(command_options) / sizeof(command_options[0]),
        .option_stride = sizeof(command_options[0]),
        .fn = verify_run,
    };

    (void)conf;
    if (sodium_init() < 0)
        return parley->fail(ctx, "libsodium does not start");
    return parley->verb(ctx, &verb);
}

PARLEY_PLUGIN(.name = "verify", .version = "0.1.0",
              .about = "checks a server from its clients' side (for `parley verify`)",
              .license = "MIT", .load = verify_load)
