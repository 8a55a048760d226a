/* trace.c -- "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" */
#include "plugins/logging/trace.h"
#include <stdbool.h>
#include <string.h>

enum { VERSION_N = 2, TRACE_N = 32, SPAN_N = 16, FLAGS_N = 2, ALL_N = 55 };

/* n digits and what ends them; moves *at behind both.  is_zero: they are all 0. */
static bool digits(parley_str s, size_t *at, size_t n, bool *is_zero)
{
    *is_zero = true;
    for (size_t end = *at + n; *at < end; (*at)++) {
        char c = s.p[*at];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        *is_zero = *is_zero && c == '0';
    }
    return *at == s.n || s.p[(*at)++] == '-';
}

parley_str trace_id(parley_str header)
{
    static const size_t parts[] = { VERSION_N, TRACE_N, SPAN_N, FLAGS_N };
    const parley_str none = { NULL, 0 };
    bool is_zero[4];
    size_t at = 0;

    if (header.n < ALL_N)
        return none;
    for (size_t i = 0; i < 4; i++)
        if (!digits(header, &at, parts[i], &is_zero[i]))
            return none;
    /* Later versions may have more behind; ff is none. */
    if (is_zero[1] || is_zero[2] || memcmp(header.p, "ff", 2) == 0 ||
        (is_zero[0] && header.n != ALL_N))
        return none;
    return (parley_str){ header.p + VERSION_N + 1, TRACE_N };
}
