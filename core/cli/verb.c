/* verb.c -- `parley VERB`: commands that plugins add.
 *
 *   words      --config and --help are ours, the rest is the verb's
 *   load       the configured plugins, in this throw-away process, as `parley check` does
 *   find       the verb, or "did you mean"
 *   read       its options and operands; a wrong one ends here (2)
 *   place      in this process, or in the server that holds the data folder */
#include "core/base/log.h"
#include "core/cli/cli.h"
#include "core/cli/verb_run.h"
#include "core/host/suggest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WORDS_MAX 1024

/* A command line: what is ours, and what is the verb's. */
typedef struct words {
    const char *config;
    bool help;
    str all[WORDS_MAX];
    size_t n;
} words;

/* "-c FILE", "-cFILE", "--config FILE" or "--config=FILE": how many words it took; 0: none of it. */
static int words_config(words *w, int left, char **at)
{
    static const char long_name[] = "--config";

    if (strcmp(at[0], "-c") == 0 || strcmp(at[0], long_name) == 0) {
        w->config = left > 1 ? at[1] : NULL;
        return left > 1 ? 2 : -1;
    }
    if (strncmp(at[0], "--config=", sizeof(long_name)) == 0)
        w->config = at[0] + sizeof(long_name);
    else if (strncmp(at[0], "-c", 2) == 0)
        w->config = at[0] + 2;
    else
        return 0;
    return 1;
}

static int words_read(words *w, int argc, char **argv)
{
    bool ours = true; /* until "--" */

    for (int i = 0; i < argc; i++) {
        int took = ours ? words_config(w, argc - i, argv + i) : 0;
        if (took < 0) {
            log_error("--config needs a value");
            return -1;
        }
        if (took > 0) {
            i += took - 1;
            continue;
        }
        if (ours && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            w->help = true;
            continue;
        }
        ours = ours && strcmp(argv[i], "--") != 0;
        if (w->n == WORDS_MAX) {
            log_error("more than %d words on one command line", WORDS_MAX);
            return -1;
        }
        w->all[w->n++] = str_of(argv[i]);
    }
    return 0;
}

/* ---- finding ---- */

static int verb_unknown(const host *h, const words *w)
{
    str best = cli_suggest(w->all[0]);
    buf typed;

    if (!best.p)
        best = verb_suggest(h, w->all, w->n);
    buf_init(&typed, 4096);
    for (size_t i = 0; i < w->n && i < VERB_WORDS_MAX && !str_starts(w->all[i], STR("-")); i++)
        (void)buf_addf(&typed, "%s" STR_FMT, i ? " " : "", STR_ARG(w->all[i]));
    if (best.p)
        log_error("parley has no command \"" STR_FMT "\"; did you mean `parley " STR_FMT "`?",
                  STR_ARG(buf_str(&typed)), STR_ARG(best));
    else
        log_error("parley has no command \"" STR_FMT "\"; `parley --help` lists them",
                  STR_ARG(buf_str(&typed)));
    buf_done(&typed);
    return EXIT_USAGE;
}

/* Words that begin names: "parley mail" lists the commands that begin so. */
static bool verb_family(const host *h, str first, FILE *to)
{
    bool found = false;

    for (size_t i = 0; i < host_verb_n(h); i++) {
        const verb *v = host_verb(h, i);
        str name = str_of(v->is.name);
        if (!str_starts(name, first) || name.n <= first.n || name.p[first.n] != ' ')
            continue;
        if (!found)
            fprintf(to, "Commands of \"" STR_FMT "\":\n", STR_ARG(first));
        fprintf(to, "  parley %-20s %s\n", v->is.name, v->is.about);
        found = true;
    }
    return found;
}

static void verb_help(const verb *v)
{
    buf text;

    buf_init(&text, 1u << 20);
    verb_usage(v, &text);
    printf(STR_FMT CLI_COMMON_HELP, STR_ARG(buf_str(&text)));
    buf_done(&text);
}

/* ---- reading ---- */

static int verb_secret_line(char line[VERB_SECRET_MAX], str *ret)
{
    size_t n = 0;
    ssize_t got = 0;

    while (n < VERB_SECRET_MAX && (got = read(STDIN_FILENO, line + n, 1)) == 1 && line[n] != '\n')
        n++;
    if (got < 0 || n == 0 || n == VERB_SECRET_MAX || memchr(line, '\0', n))
        return -1;
    *ret = (str){ line, n };
    return 0;
}

/* ---- where ---- */

static int verb_refused(const verb_place *place, const verb *v)
{
    log_error("parley %s works only while no server uses " STR_FMT ", and one does; stop it first",
              v->is.name, STR_ARG(place->settings->data_dir));
    return EXIT_SYSTEM;
}

static int verb_run(verb_place *place, const verb *v, verb_args *args)
{
    uint32_t flags = v->is.flags;
    bool is_beside = (flags & PARLEY_V_BARE) && !(flags & PARLEY_V_OFFLINE);
    failure f = { 0 };
    int fd = -1;

    if (is_beside)
        return verb_run_local(place, v, args);
    int err = place_prepare(place, &f);
    if (err == 0)
        err = place_find(place, &fd, &f);
    if (err == 0 && fd >= 0 && !(flags & PARLEY_V_OFFLINE))
        return verb_run_remote(place, fd, v, args);
    if (err == 0 && fd < 0)
        err = place_secret(place, &f);
    if (err == 0 && fd < 0)
        return verb_run_local(place, v, args);
    verb_args_free(args);
    if (fd >= 0) {
        close(fd);
        return verb_refused(place, v);
    }
    log_error("%s", f.text);
    return f.status;
}

static int verb_given(verb_place *place, const words *w)
{
    size_t taken = 0;
    char folder[PATH_MAX];
    const verb_context context = { folder, verb_secret_line };
    failure f = { 0 };
    verb_args *args = NULL;
    const verb *v = verb_find(place->host, w->all, w->n, &taken);

    if (!v && w->n == 1 && verb_family(place->host, w->all[0], w->help ? stdout : stderr))
        return w->help ? EXIT_STOPPED : EXIT_USAGE;
    if (!v)
        return verb_unknown(place->host, w);
    if (w->help) {
        verb_help(v);
        return EXIT_STOPPED;
    }
    if (!getcwd(folder, sizeof(folder))) {
        log_error("cannot tell the working directory: %s", strerror(errno));
        return EXIT_SYSTEM;
    }
    if (verb_args_read(v, w->all + taken, w->n - taken, &context, &args, &f) < 0) {
        log_error("%s", f.text);
        return f.status;
    }
    return verb_run(place, v, args);
}

int cli_verb(const char *config_file, int argc, char **argv)
{
    static words w;
    failure f = { 0 };
    verb_place place;

    w.config = config_file;
    if (words_read(&w, argc, argv) < 0)
        return EXIT_USAGE;
    int status = EXIT_USAGE;
    if (w.n == 0) {
        log_error("no command is given; `parley --help` lists them");
        return status;
    }
    if (place_open(&place, w.config, place_tool(w.all[0]), &f) == 0) {
        status = verb_given(&place, &w);
    } else {
        log_error("%s", f.text);
        if (!place_tool(w.all[0]))
            log_error("parley has no command \"" STR_FMT
                      "\" of its own, and those of the plugins are not known without them",
                      STR_ARG(w.all[0]));
        status = f.status;
    }
    place_close(&place);
    return status;
}

void cli_verb_list(const char *config_file, int argc, char **argv)
{
    static words w;
    failure f = { 0 };
    verb_place place = { .lock_fd = -1 };

    w.config = config_file;
    if (words_read(&w, argc, argv) == 0 && place_open(&place, w.config, NULL, &f) == 0 &&
        host_verb_n(place.host) > 0) {
        printf("\nCommands of the plugins in %s:\n", w.config);
        for (size_t i = 0; i < host_verb_n(place.host); i++)
            printf("  %-20s %s\n", host_verb(place.host, i)->is.name,
                   host_verb(place.host, i)->is.about);
    }
    place_close(&place);
}
