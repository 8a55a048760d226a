/* check.c -- `parley check`: read the configuration, load its plugins in this throw-away process,
 * start nothing. */
#include "core/base/log.h"
#include "core/cli/cli.h"
#include "core/host/host.h"
#include "core/supervisor/ipc.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void check_print(const host *h, const cli_args *args)
{
    buf text;

    buf_init(&text, 4u << 20);
    if (args->chain)
        host_print_chain(h, &text);
    printf("%s: good, %zu plugins\n" STR_FMT, args->config, host_plugin_n(h),
           STR_ARG(buf_str(&text)));
    buf_done(&text);
}

/* The supervisor, if it is he who asks, wants to know this. */
static void check_tell(const host *h)
{
    static const char line[] = IPC_SAYS_SINGLE "\n";
    int64_t fd = 0;

    if (host_is_single(h) && str_int(str_of(getenv(IPC_STATUS)), &fd) &&
        write((int)fd, line, sizeof(line) - 1) < 0)
        log_msg(PARLEY_WARN, "the supervisor does not listen");
}

static int check_host(const config *c, const cli_args *args, failure *f)
{
    uv_loop_t loop;
    host *h = NULL;

    if (uv_loop_init(&loop) < 0)
        return failure_set(f, EXIT_SYSTEM, "cannot make an event loop");
    int err = host_create(c, &loop, &h, f);
    if (err == 0) {
        check_tell(h);
        check_print(h, args);
        host_free(h);
    }
    uv_run(&loop, UV_RUN_NOWAIT);
    (void)uv_loop_close(&loop);
    return err;
}

int cli_check(const cli_args *args)
{
    failure f = { 0 };
    config *c = NULL;

    if (sodium_init() < 0)
        return EXIT_SYSTEM;
    log_level_set(PARLEY_WARN);
    int err = config_open(args->config, &c, &f);
    if (err == 0) {
        err = check_host(c, args, &f);
        config_free(c);
    }
    if (err == 0)
        return EXIT_STOPPED;
    log_error("%s", f.text);
    return f.status;
}
