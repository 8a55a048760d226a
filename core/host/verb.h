/* verb.h -- commands of plugins: what load() registered, what a command line says for it, and one at
 * work.
 *
 *   verbs.c       registration, finding, the list and the help
 *   verb_args.c   words of a command line -> checked values, and back
 *   run.c         a verb at work: the ABI's parley->run; its caller is a `run_outlet` */
#ifndef CORE_HOST_VERB_H
#define CORE_HOST_VERB_H
#include "core/base/arena.h"
#include "core/host/host.h"
#include "core/host/option.h"

#include <parley/verb.h>

typedef struct verb {
    plugin *owner;
    parley_verb is; /* its tables and texts are the plugin's */
    char *label;    /* "verb mail list", for who is charged; owned */
} verb;

/* ---- verbs.c ---- */
#define VERB_WORDS_MAX 3
size_t host_verb_n(const host *h);
const verb *host_verb(const host *h, size_t i); /* in order of registration */
/* The verb that the first words name (the longest name wins) and how many words that took; NULL:
 * none. */
const verb *verb_find(const host *h, const str *words, size_t n, size_t *ret_words);
/* the nearest name to a mistyped one; absent: none is near */
str verb_suggest(const host *h, const str *words, size_t n);
void verb_usage(const verb *v, buf *ret);                    /* what `parley NAME --help` prints */
const parley_option *verb_option(const verb *v, uint32_t i); /* by stride */
const parley_option *verb_operand(const verb *v, uint32_t i);
void verb_option_words(const parley_option *o, buf *ret); /* "--max-age" */

/* ---- verb_args.c ---- */
#define VERB_ARGS_MAX   (1u << 20) /* bytes of all words of a command line */
#define VERB_SECRET_MAX 1024       /* bytes of a secret read from standard input */

/* One row of a verb's tables and what was written for it. */
typedef struct verb_value {
    const parley_option *row;
    option_value is; /* the last one written, else the default; absent text: neither */
    str *all;        /* as written */
    size_t n;
} verb_value;

/* Owner: whoever called verb_args_read(), until run_start() took it; verb_args_free(). */
typedef struct verb_args {
    arena memory;       /* wiped when it is freed: secrets stand in it */
    verb_value *values; /* options, then operands */
    size_t n, option_n;
} verb_args;

/* What only the process of the command line knows; NULL in a worker, which gets words that are
 * already complete. */
typedef struct verb_context {
    const char *folder; /* absolute: what a relative path is relative to */
    /* one line of standard input for the secret written as "-", into `line`; -1: there is none */
    int (*secret_line)(char line[VERB_SECRET_MAX], str *ret);
} verb_context;

/* The words behind the verb's name.  -1: f filled (EXIT_USAGE). */
int verb_args_read(const verb *v, const str *words, size_t n, const verb_context *context,
                   verb_args **ret, failure *f);
void verb_args_free(verb_args *a);
/* The words that read to the same values, each ended by a NUL: for another process. */
void verb_args_write(const verb_args *a, buf *ret);
const verb_value *verb_args_find(const verb_args *a,
                                 const char *name); /* NULL: not in the tables */

/* ---- run.c ---- */
#define RUN_DRAINED (1u << 20) /* bytes: on_drain() comes below this */
enum run_kind { RUN_PRINT = 'o', RUN_SAY = 'e', RUN_PROGRESS = 'p' };

/* Who called: the terminal of this process, or a socket.  Functions must not call the run back. */
typedef struct run_outlet {
    int (*write)(void *ud, enum run_kind kind, str text); /* 0, or PARLEY_EAGAIN */
    size_t (*queued)(void *ud);
    int (*ask)(void *ud, str question, bool is_secret); /* then run_answered() */
    /* over; text: of fail(), else absent.  The last call. */
    void (*ended)(void *ud, int exit_status, str text);
} run_outlet;

typedef struct run run;
/* Calls the verb, perhaps to its end.  args: taken.  terminal: enum parley_terminal. */
void run_start(host *h, const verb *v, verb_args *args, int terminal, const run_outlet *outlet,
               void *ud, parley_run *ret);
/* Stale handles are harmless. */
void run_answered(host *h, parley_run id, bool is_given, str answer);
void run_drained(host *h, parley_run id); /* less than a MiB waits */
/* The caller wants it to end, or has gone.  false: the verb does not listen to that. */
bool run_cancel(host *h, parley_run id);
/* The caller is no more: nothing is told to the outlet from here on. */
void run_detach(host *h, parley_run id);
size_t host_run_n(const host *h); /* at work */
#endif
