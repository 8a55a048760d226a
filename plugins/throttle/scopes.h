/* scopes.h -- the scopes of the configuration: whose requests count where,
 * and how many may pass. */
#ifndef PLUGINS_THROTTLE_SCOPES_H
#define PLUGINS_THROTTLE_SCOPES_H
#include "plugins/throttle/match.h"
#include "plugins/throttle/rate.h"

enum {
    SCOPES_MAX = 32, /* limits of one parley.kv take() */
    SCOPE_NAME = 32, /* bytes of a name */
    SCOPE_PATH = 200 /* bytes of a pattern */
};
enum scope_by { BY_USER, BY_PEER, BY_FIELD };
enum scope_when { WHEN_ALWAYS, WHEN_ANONYMOUS, WHEN_AUTHENTICATED };

/* All texts live as long as the plugin: they are the configuration's, or belong to the scope. */
typedef struct scope {
    parley_str name;
    rate rate;            /* limit 0: lifted */
    int by;               /* enum scope_by */
    char *field;          /* BY_FIELD: a key of the JSON body, NUL-ended; owned */
    int when;             /* enum scope_when */
    bool each;            /* every pattern has a bucket of its own */
    pattern *on, *except; /* owned */
    size_t on_n, except_n;
    parley_meter passed, refused;
} scope;

typedef struct scopes {
    scope list[SCOPES_MAX];
    size_t n;
} scopes;

/* Reads the option `tree`; 0, or < 0 after conf_fail(). */
int scopes_read(parley_ctx *ctx, const parley_json *tree, scopes *ret);
void scopes_done(scopes *s);
/* The pattern by which the request counts in `s` (NULL: "all"), if it counts: */
bool scope_wants(const scope *s, const asked *what, bool has_user, const pattern **ret);
#endif
