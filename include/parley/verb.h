/* parley/verb.h -- commands that a plugin adds to the command line: `parley mail list --limit 5`.
 *
 *     static int list(parley_ctx *ctx, parley_run run, void *ud)
 *     {
 *         int64_t limit = parley->run->num(run, "limit");
 *         ... start an operation; its callback prints and calls parley->run->end(run, 0) ...
 *         return PARLEY_PENDING;
 *     }
 *     static const parley_option list_options[] = {
 *         { "limit", "20", NULL, "mails at the most", PARLEY_T_INT, 0, 1, 1000 },
 *     };
 *     static const parley_verb verb_list = { PARLEY_SIZED(parley_verb), .name = "mail list",
 *         .about = "list mails that wait", PARLEY_LIST(option, list_options), .fn = list };
 *     ... in load(): parley->verb(ctx, &verb_list)
 *
 * WHERE    While a server runs, `parley` hands the verb to one of its workers (over
 *          <data_dir>/parley.sock) and shows what it prints; fn runs on that worker's loop, beside
 *          its requests, and must not block it.  When none runs, `parley` itself loads the plugins,
 *          start()s this one and what it cannot do without, runs fn on a loop of its own, and stops
 *          them; no server can start meanwhile.  A verb does not see the difference.
 *          PARLEY_V_OFFLINE and PARLEY_V_BARE change this.
 * VALUES   Options and operands are rows of parley_option, checked as those of the YAML are (type,
 *          unit, bounds, choices, default) before fn runs, and read by name.  max_age is written
 *          --max-age VALUE or --max-age=VALUE, a T_BOOL --name or --no-name.  Operands stand in the
 *          order of their table; the required ones come first.  T_TREE is not for verbs; config, env_file and
 *          help are the server's names.  A secret written as "-" is one line of the caller's
 *          standard input, so that it need not stand in the list of processes.
 * END      A verb ends once: by what fn returns, or after PARLEY_PENDING by end() or fail().  It is
 *          a promise like others: the plugin is not stopped before.  None of its callbacks comes
 *          after the end.
 * CANCEL   Ctrl-C, a caller that has gone, a server that stops: on_cancel()'s function is told, the
 *          calls below answer PARLEY_EGONE (values can still be read), and the verb ends itself
 *          soon.  A verb without on_cancel() ends by itself, too; its caller does not wait for it.
 *
 * All calls: loop thread. */
#ifndef PARLEY_VERB_H
#define PARLEY_VERB_H
#include <parley/plugin.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct parley_run {
    uint64_t id; /* one verb at work, from fn() until it has ended; 0: none */
} parley_run;

enum parley_verbflag {
    /* Only while no server uses the data folder, and none can start before the verb has ended.  With
     * a running server `parley` refuses it and says so. */
    PARLEY_V_OFFLINE = 1,
    /* No plugin is start()ed, not even this one, so there are no services; it always runs in
     * `parley` itself, and beside a running server unless OFFLINE is set as well.  For what must
     * not open what it works on: restoring a database, copying one. */
    PARLEY_V_BARE = 2
};
/* Further flags of an option or operand of a verb, beside PARLEY_O_REQUIRED and PARLEY_O_SECRET. */
enum parley_verb_optflag {
    /* A path: relative to where the command was typed; num() and text() see it absolute. */
    PARLEY_O_PATH = 16,
    /* An option that may stand several times; the last operand, which takes all that is left. */
    PARLEY_O_MANY = 32
};
/* What the caller's streams are. */
enum parley_terminal { PARLEY_TTY_IN = 1, PARLEY_TTY_OUT = 2, PARLEY_TTY_ERR = 4 };

/* Returns 0: done, exit status 0.  PARLEY_PENDING: end() or fail() comes later.  PARLEY_DONE: end()
 * or fail() was called.  < 0: failed, exit status 1, with the text of parley->fail(ctx, ...). */
typedef int (*parley_verb_fn)(parley_ctx *, parley_run, void *ud);
/* status: PARLEY_OK, or PARLEY_ECANCELED: no answer (cancelled, end of input).  The bytes live until
 * the callback returns, and are wiped then. */
typedef void (*parley_answer_fn)(parley_ctx *, int status, parley_str answer, void *ud);

/* Static: it must live as long as the plugin. */
typedef struct parley_verb {
    uint32_t size, flags; /* PARLEY_V_* */
    /* one to three words of [a-z][a-z0-9-]*, unique: "backup", "mail list" */
    const char *name;
    const char *about;   /* one line, for the list of `parley --help` */
    const char *details; /* further sentences for `parley NAME --help`, in lines; NULL: none */
    const parley_option *options;
    uint32_t option_n, option_stride;
    const parley_option *operands;
    uint32_t operand_n, operand_stride;
    parley_verb_fn fn;
    void *ud;
} parley_verb;

/* parley->run: what a verb at work can do. */
typedef struct parley_run_api {
    uint32_t size;
    /* the value of an option or operand, else its default; absent: neither.  Lives until the end */
    parley_str (*text)(parley_run, const char *name);
    /* int, bool 0/1, ms, bytes, index of an enum; 0: neither value nor default */
    int64_t (*num)(parley_run, const char *name);
    /* how many values were written (a default does not count), and the i-th of them */
    size_t (*count)(parley_run, const char *name);
    parley_str (*text_at)(parley_run, const char *name, size_t i);

    /* To the caller's standard output, as it stands: line breaks are the verb's.  EAGAIN: over 8 MiB
     * wait for a slow caller, nothing was taken; go on in on_drain(). */
    int (*print)(parley_run, parley_str text);
    /* one line to the caller's standard error (no line break at its end): a warning, what is next */
    int (*say)(parley_run, parley_str line);
    /* How far it is, in a line: on a terminal it replaces the one before, elsewhere it is written
     * every ten seconds.  May be called often. */
    int (*progress)(parley_run, parley_str line);
    int64_t (*queued)(parley_run); /* bytes that wait for the caller */
    /* once: less than 1 MiB waits (PARLEY_OK), or the caller has gone (PARLEY_ECANCELED) */
    int (*on_drain)(parley_ctx *, parley_run, parley_done_fn, void *ud);

    int (*terminal)(parley_run); /* enum parley_terminal, a set */
    /* Asks the person at the terminal; one question at a time.  is_secret: what is typed is not
     * shown.  Without a terminal on standard input it calls nothing and returns PARLEY_ENOENT: say
     * with fail() which option to use instead. */
    int (*ask)(parley_ctx *, parley_run, parley_str question, int is_secret, parley_answer_fn,
               void *ud);
    /* once, or not at all when the verb ends normally; at once (still after this call) if it is
     * cancelled already */
    int (*on_cancel)(parley_ctx *, parley_run, parley_done_fn, void *ud);

    /* The verb has ended with this exit status: 0 good, 1 it could not be done, 2 wrong command
     * line, 78 wrong configuration.  Returns PARLEY_DONE, so that `return parley->run->end(run, 1)`
     * reads well; the handle is stale afterwards. */
    int (*end)(parley_run, int exit_status);
    /* "error: <text>" on the caller's standard error, and the end.  The text is one line: what is
     * wrong, with the value, and the remedy. */
    int (*fail)(parley_run, int exit_status, const char *text);
} parley_run_api;

__attribute__((format(printf, 3, 4), unused)) static inline int
parley_run_failf(parley_run run, int exit_status, const char *fmt, ...)
{
    char text[640];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return parley->run->fail(run, exit_status, text);
}

__attribute__((format(printf, 2, 3), unused)) static inline int
parley_run_printf(parley_run run, const char *fmt, ...)
{
    char text[2048];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (n < 0)
        return PARLEY_EINVAL;
    parley_str shown = { text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 };
    return parley->run->print(run, shown);
}
#ifdef __cplusplus
}
#endif
#endif
