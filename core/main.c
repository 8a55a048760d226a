/* main.c -- the parley binary: one program, one command a run.  The commands are a table in
 * core/cli/cli.c. */
#include "core/cli/cli.h"

int main(int argc, char **argv)
{
    return cli_run(argc, argv);
}
