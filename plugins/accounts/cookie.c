/* cookie.c -- reading the request header Cookie. */
#include "plugins/accounts/cookie.h"
#include <string.h>

static parley_str trimmed(const char *p, size_t n)
{
    while (n > 0 && (*p == ' ' || *p == '\t')) {
        p++;
        n--;
    }
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
        n--;
    return (parley_str){ p, n };
}

/* RFC 6265, cookie-octet. */
static int is_value(parley_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\",;\\", s.p[i]))
            return 0;
    return s.n > 0;
}

static int is_name(parley_str s, const char *name)
{
    return s.n == strlen(name) && memcmp(s.p, name, s.n) == 0;
}

parley_str cookie_find(parley_str header, const char *name)
{
    parley_str found = { NULL, 0 };

    for (size_t at = 0; at < header.n;) {
        const char *p = header.p + at;
        const char *end = memchr(p, ';', header.n - at);
        size_t n = end ? (size_t)(end - p) : header.n - at;
        const char *equals = memchr(p, '=', n);

        at += n + 1;
        if (!equals || !is_name(trimmed(p, (size_t)(equals - p)), name))
            continue;
        parley_str value = trimmed(equals + 1, n - (size_t)(equals + 1 - p));
        if (!is_value(value))
            continue;
        if (found.p && (found.n != value.n || memcmp(found.p, value.p, value.n) != 0))
            return (parley_str){ NULL, 0 };
        found = value;
    }
    return found;
}
