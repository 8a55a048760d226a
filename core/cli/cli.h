/* cli.h -- the command line: `parley COMMAND [options]`. */
#ifndef CORE_CLI_CLI_H
#define CORE_CLI_CLI_H
#include <stdbool.h>

/* What the options of a command said. */
typedef struct cli_args {
    const char *config; /* --config, default config/parley.yaml, else the installed one */
    const char *plugin; /* operand of `describe` */
    int slot;           /* --slot of `worker` */
    bool migrate;       /* --migrate of `worker` */
    bool chain;         /* --chain of `check` */
} cli_args;

int cli_run(int argc, char **argv); /* the exit status (core/base/failure.h) */
int cli_check(const cli_args *args);
int cli_describe(const cli_args *args);
#endif
