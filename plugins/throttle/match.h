/* match.h -- which requests a pattern of the configuration means.  Pure. */
#ifndef PLUGINS_THROTTLE_MATCH_H
#define PLUGINS_THROTTLE_MATCH_H
#include <parley/plugin.h>
#include <stdbool.h>

typedef struct pattern {
    /* absent: "all", every HTTP request but health pages and files; "*": any method of the path */
    parley_str method;
    parley_str path; /* as the route was registered; EVENT: the value of "type" */
} pattern;

typedef struct asked {        /* what a pattern is held against */
    parley_str method, route; /* route: absent for unknown paths */
    uint32_t route_flags;     /* PARLEY_R_* */
} asked;

/* "all", "POST /api/auth/login/", "EVENT chat_message", "WS /ws/chat/:room/".  The pattern borrows
 * from `text`. NULL, or what is wrong, as a static text. */
const char *pattern_parse(parley_str text, pattern *ret);
bool pattern_matches(const pattern *p, const asked *what);
#endif
