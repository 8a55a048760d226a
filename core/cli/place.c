/* place.c -- where a command of plugins works: the configuration, its plugins loaded in this process,
 * and the data folder, ours or a server's. */
#include "core/cli/verb_run.h"
#include "core/supervisor/supervisor.h"

#include "core/base/log.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 5000 /* for a data folder that is in use and silent */
#define LOOK_MS     50

/* Plugins that no server loads: each is named as the first word of its commands. */
static const char *const tools[] = { "copy", "import", "verify" };

const char *place_tool(str word)
{
    for (size_t i = 0; i < COUNT(tools); i++)
        if (str_eq(word, str_of(tools[i])))
            return tools[i];
    return NULL;
}

int place_open(verb_place *place, const char *config_file, const char *tool, failure *f)
{
    *place = (verb_place){ .config_file = config_file, .lock_fd = -1 };
    if (sodium_init() < 0)
        return failure_set(f, EXIT_SYSTEM, "libsodium finds no source of randomness");
    log_level_set(PARLEY_WARN);
    if (config_open(config_file, &place->config, f) < 0)
        return -1;
    place->settings = config_settings(place->config);
    for (size_t i = 0; tool && i < COUNT(tools); i++)
        if (strcmp(tool, PLACE_ALL_TOOLS) == 0 || strcmp(tool, tools[i]) == 0)
            config_plugin_add(place->config, tools[i]);
    place->loop = calloc(1, sizeof(*place->loop));
    if (!place->loop || uv_loop_init(place->loop) < 0) {
        free(place->loop);
        place->loop = NULL;
        return failure_set(f, EXIT_SYSTEM, "cannot make an event loop");
    }
    return host_create(place->config, place->loop, &place->host, f);
}

void place_close(verb_place *place)
{
    if (place->loop) {
        uv_run(place->loop, UV_RUN_NOWAIT); /* close callbacks */
        host_free(place->host);
        uv_run(place->loop, UV_RUN_NOWAIT);
        (void)uv_loop_close(place->loop);
        free(place->loop);
    }
    config_free(place->config);
    if (place->lock_fd >= 0)
        close(place->lock_fd);
}

/* What is written here must be the server's later, and what is reached, too. */
int place_prepare(verb_place *place, failure *f)
{
    const settings *s = place->settings;

    if (folder_make("data_dir", s->data_dir, f) < 0)
        return -1;
    return privileges_follow(s, f);
}

int place_secret(const verb_place *place, failure *f)
{
    str secret = STR_NONE;

    if (secret_read(place->settings, &secret, f) < 0)
        return -1;
    int err = host_secret_set(place->host, secret);
    sodium_memzero((void *)(uintptr_t)secret.p, secret.n);
    free((void *)(uintptr_t)secret.p);
    return err < 0 ? failure_set(f, EXIT_SYSTEM, "cannot use the secret") : 0;
}

/* A folder that is held and silent is another command's, or that of a server that starts or stops:
 * waited for. */
int place_find(verb_place *place, int *ret_fd, failure *f)
{
    str folder = place->settings->data_dir;
    int fd = -1;

    for (int left = PATIENCE_MS / LOOK_MS;; left--) {
        int got = folder_try_lock(folder, &place->lock_fd, f);
        fd = got == 0 ? verbs_socket_connect(folder) : -1;
        if (got < 0)
            return -1;
        if (got == 1 || fd >= 0)
            break;
        if (left == 0 || (fd != -ENOENT && fd != -ECONNREFUSED))
            return failure_set(f, EXIT_SYSTEM,
                               STR_FMT " is in use, but who uses it does not answer on " STR_FMT
                                       "/parley.sock (%s): another command, or a server that "
                                       "starts or stops? Try again",
                               STR_ARG(folder), STR_ARG(folder), strerrordesc_np(-fd));
        (void)usleep(LOOK_MS * 1000);
    }
    *ret_fd = fd;
    return 0;
}
