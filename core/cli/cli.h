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
    bool json;          /* of `routes` */
} cli_args;

/* A command of the table, for completion. */
typedef struct cli_shown_option {
    const char *name; /* without its dashes */
    bool has_value;
} cli_shown_option;
typedef struct cli_shown {
    const char *name, *about; /* about NULL: not to be shown */
    cli_shown_option options[8];
    size_t option_n;
} cli_shown;
bool cli_command_nth(size_t i, cli_shown *ret); /* false: there are not so many */

int cli_run(int argc, char **argv); /* the exit status (core/base/failure.h) */
int cli_check(const cli_args *args);
int cli_describe(const cli_args *args);
int cli_migrate(const cli_args *args);
int cli_routes(const cli_args *args);
int cli_completion(const cli_args *args);
/* `parley VERB ...` of a plugin.  config_file: the default one. */
int cli_verb(const char *config_file, int argc, char **argv);
/* the verbs of the configured plugins, for `parley --help`; nothing if they cannot be loaded */
void cli_verb_list(const char *config_file, int argc, char **argv);
str cli_suggest(str wrong); /* the nearest built-in command; absent: none is near */
#define CLI_COMMON_HELP                                                                            \
    "  -c, --config FILE       the configuration (default config/parley.yaml, else the installed " \
    "one)\n"                                                                                       \
    "      --env-file FILE     variables for the configuration, lines of NAME=VALUE\n"             \
    "  -h, --help              this text\n"
int cli_health(const cli_args *args);
#endif
