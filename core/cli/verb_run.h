/* verb_run.h -- `parley VERB` of a plugin: where it runs, and the ways to run it.
 *
 *   verb.c     which verb, with what, and where
 *   local.c    in this process
 *   remote.c   in a worker of the running server
 *   front.c    the person's side of both */
#ifndef CORE_CLI_VERB_RUN_H
#define CORE_CLI_VERB_RUN_H
#include "core/cli/front.h"

#define EXIT_INTERRUPTED 130 /* by Ctrl-C, as shells tell it */

/* The plugins of the configuration, loaded in this process and not started. */
typedef struct verb_place {
    const char *config_file;
    config *config;
    const settings *settings;
    uv_loop_t *loop;
    host *host;
    int lock_fd; /* of the data folder, while a verb runs here; -1: not held */
} verb_place;

/* args: taken.  Each returns the exit status. */
int verb_run_local(const verb_place *place, const verb *v, verb_args *args);
/* fd: connected to the server; taken */
int verb_run_remote(const verb_place *place, int fd, const verb *v, verb_args *args);
#endif
