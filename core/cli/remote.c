/* remote.c -- a verb in a worker of the running server. */
#include "core/base/log.h"
#include "core/cli/verb_run.h"

int verb_run_remote(const verb_place *place, const verb *v, verb_args *args)
{
    verb_args_free(args);
    log_error("a server uses " STR_FMT "; stop it to run parley %s",
              STR_ARG(place->settings->data_dir), v->is.name);
    return EXIT_SYSTEM;
}
