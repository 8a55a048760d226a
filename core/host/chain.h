/* chain.h -- a chain is an array of steps: middleware of plugins, and between them the server's own
 * checks. */
#ifndef CORE_HOST_CHAIN_H
#define CORE_HOST_CHAIN_H
#include "core/host/call.h"

/* One step; run() gives a verdict (enum parley_verdict). */
typedef struct step {
    int (*run)(call *c, const struct step *s);
    plugin *owner; /* NULL: the server's own */
    parley_req_fn fn;
    void *ud;
    str prefix;       /* looked at when the path is known at run time only */
    const char *name; /* of a check: "404" */
    int stage;
} step;

/* ---- cors.c, checks.c ---- */
int check_preflight(call *c, const step *s); /* 204 */
int check_origin(call *c, const step *s);    /* 403 */
int check_known(call *c, const step *s);     /* 404 */
int check_slash(call *c, const step *s);     /* 301 */
int check_accept(call *c, const step *s);    /* 406 */
int check_handshake(call *c, const step *s); /* 400, 426 */
int check_user(call *c, const step *s);      /* 401 */
int check_method(call *c, const step *s);    /* 405, OPTIONS */
int check_handler(call *c, const step *s);   /* the route's own function */
uint32_t call_route_flags(const call *c);
#endif
