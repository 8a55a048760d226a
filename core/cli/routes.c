/* routes.c -- `parley routes`: what the loaded plugins answer; nothing is started. */
#include "core/base/log.h"
#include "core/cli/cli.h"
#include "core/cli/verb_run.h"

#include <stdio.h>

int cli_routes(const cli_args *args)
{
    verb_place place;
    failure f = { 0 };
    int err = place_open(&place, args->config, NULL, &f);

    if (err == 0) {
        buf text;
        buf_init(&text, 4u << 20);
        host_print_routes(place.host, args->json, &text);
        printf(STR_FMT, STR_ARG(buf_str(&text)));
        buf_done(&text);
    } else {
        log_error("%s", f.text);
    }
    place_close(&place);
    return err == 0 ? EXIT_STOPPED : f.status;
}
