/* line.h -- how a line of api.log and parley.log looks.  Pure: no server call, no clock. */
#ifndef PLUGINS_LOGGING_LINE_H
#define PLUGINS_LOGGING_LINE_H
#include <parley/plugin.h>
#include <stdbool.h>

enum line_format { LINE_TEXT, LINE_JSON };
enum { LINE_MAX = 1024 /* bytes of a line, its end included */ };

typedef struct api_call { /* one call, as api.log tells it */
    int64_t at_us;        /* wall clock */
    parley_str method, path, user, peer, agent, request_id;
    parley_str trace; /* trace-id of traceparent; absent: none came */
    int status;
    int64_t micros;
} api_call;

typedef struct app_line { /* what somebody logged; the server has escaped it */
    int64_t at_us;
    int level; /* enum parley_level */
    parley_str who, text;
} app_line;

/* Both give the length, line end included, at most LINE_MAX; long values are cut, the status never
 * is. */
size_t line_api(const api_call *call, int format, char ret[LINE_MAX]);
size_t line_app(const app_line *line, int format, char ret[LINE_MAX]);

/* What api.log may show of a path: without the secrets that links carry.
 *
 * A path with a parameter ":token" is shown as its pattern, with "***" for the token.  In an
 * unknown path (route absent) every segment that could be such a token is hidden, for it may be a
 * mistyped link.  ret: LINE_MAX bytes; `path` itself is returned when there is nothing to hide. */
parley_str line_path(parley_str path, parley_str route, char ret[LINE_MAX]);
#endif
