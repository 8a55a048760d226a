/* settings.h -- the `server:` part.  Internal to core/host. */
#ifndef CORE_HOST_SETTINGS_H
#define CORE_HOST_SETTINGS_H
#include "core/host/conf.h"
#include "core/host/config.h"

extern const option_table settings_table;

/* Checks `server:` and fills `ret`; `conf` keeps the texts alive.  part: the map, NULL: all
 * defaults.  dir: absolute folder of the file. */
int settings_read(const conf_source *from, const char *dir, arena *memory, parley_conf **ret_conf,
                  settings *ret, failure *f);

/* Steps of settings_read() that stand in settings_net.c.  Each returns 0, or -1 with `f` filled. */
int settings_check_host(const conf_source *from, settings *s, failure *f); /* and is_public */
int settings_check_ops(const conf_source *from, settings *s, failure *f);
int settings_check_site_url(const conf_source *from, arena *memory, settings *s, failure *f);
int settings_check_proxies(const conf_source *from, const settings *s, failure *f);
int settings_fill_hosts(const conf_source *from, str configured, arena *memory, settings *s,
                        failure *f);
int settings_fill_origins(const conf_source *from, str configured, arena *memory, settings *s,
                          failure *f);
/* An error at one key of the part. */
int settings_fail(const conf_source *from, const char *key, failure *f, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
#endif
