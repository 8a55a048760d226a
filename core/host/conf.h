/* conf.h -- checked values of one part of the YAML: `server:` or one plugin's entry.  Internal to
 * core/host. */
#ifndef CORE_HOST_CONF_H
#define CORE_HOST_CONF_H
#include "core/host/config_node.h"

/* Rows at any stride: a plugin built against a later header may have longer ones. */
typedef struct option_table {
    const parley_option *rows;
    uint32_t n, stride;
} option_table;

/* Where the values come from. */
typedef struct conf_source {
    const char *file;
    const char *where; /* "server", "plugins.chat" */
    int line;          /* of the part */
    const node *part;  /* a map; NULL: nothing is written, all defaults */
    /* keys of the part that are the server's; ends with NULL; NULL: none */
    const char *const *reserved;
} conf_source;

const parley_option *option_row(const option_table *table, uint32_t i);
/* "file:line: where.key: why"; key may be empty.  Returns -1. */
int conf_fail_at(const conf_source *from, int line, const char *key, const char *why, failure *f);
/* 0, or -1 with `f` filled.  *ret: new, conf_free(). */
int conf_create(const conf_source *from, const option_table *table, parley_conf **ret, failure *f);
#endif
