/* verb_run.h -- `parley VERB` of a plugin: where it runs, and the ways to run it.
 *
 *   verb.c     which verb, and with what
 *   place.c    where
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

/* ---- place.c ---- */
/* tool: a plugin of ours that only this command needs (place_tool), or all of them; NULL: none.  To
 * be closed in either case. */
#define PLACE_ALL_TOOLS "*"
int place_open(verb_place *place, const char *config_file, const char *tool, failure *f);
const char *
place_tool(str word); /* the plugin behind `parley WORD`; NULL: one of the configuration */
void place_close(verb_place *place);
/* The folder is there, and we are the account whose files lie in it. */
int place_prepare(verb_place *place, failure *f);
/* The folder is ours now (*ret_fd -1), or a server's that listens (*ret_fd connected). */
int place_find(verb_place *place, int *ret_fd, failure *f);
int place_secret(const verb_place *place, failure *f); /* before plugins start */

/* args: taken.  Each returns the exit status. */
int verb_run_local(const verb_place *place, const verb *v, verb_args *args);
/* fd: connected to the server; taken */
int verb_run_remote(const verb_place *place, int fd, const verb *v, verb_args *args);
#endif
