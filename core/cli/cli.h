/* cli.h -- the command line: `parley COMMAND [options]`. */
#ifndef CORE_CLI_CLI_H
#define CORE_CLI_CLI_H
#include "core/base/str.h"

/* What the options of a command said. */
typedef struct cli_args {
    const char *config; /* --config, default config/parley.yaml, else the installed one */
    const char *plugin; /* operand of `describe` */
    int slot;           /* --slot of `worker` */
    const char *back;   /* --back of `migrate` */
    bool migrate;       /* --migrate of `worker` */
    bool chain;         /* --chain of `check` */
    const char *user;   /* --user of `serve`; NULL: not given */
    bool plan, yes;     /* of `migrate` */
} cli_args;

int cli_run(int argc, char **argv); /* the exit status (core/base/failure.h) */
int cli_check(const cli_args *args);
int cli_describe(const cli_args *args);
int cli_migrate(const cli_args *args);
/* `parley VERB ...` of a plugin.  config_file: the default one. */
int cli_verb(const char *config_file, int argc, char **argv);
/* the verbs of the configured plugins, for `parley --help`; nothing if they cannot be loaded */
void cli_verb_list(const char *config_file, int argc, char **argv);
str cli_suggest(str wrong); /* the nearest built-in command; absent: none is near */
#define CLI_COMMON_HELP                                                                            \
    "  -c, --config FILE       the configuration (default config/parley.yaml, else the installed " \
    "one)\n"                                                                                       \
    "  -h, --help              this text\n"
int cli_health(const cli_args *args);
#endif
