/* str.c -- questions about borrowed bytes, and small cuts of them. */
#include "core/base/str.h"

#include <stdlib.h>

static unsigned char ascii_lower(char c)
{
    unsigned char u = (unsigned char)c;

    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

bool str_ieq(str a, str b)
{
    return a.n == b.n && str_istarts(a, b);
}

bool str_starts(str s, str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_istarts(str s, str prefix)
{
    if (s.n < prefix.n)
        return false;
    for (size_t i = 0; i < prefix.n; i++)
        if (ascii_lower(s.p[i]) != ascii_lower(prefix.p[i]))
            return false;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

str str_trim(str s)
{
    while (s.n > 0 && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_cut(str s, char at, str *ret_head, str *ret_tail)
{
    int64_t i = str_find(s, at);

    if (i < 0) {
        *ret_head = s;
        *ret_tail = STR_NONE;
        return false;
    }
    *ret_head = (str){ s.p, (size_t)i };
    *ret_tail = str_tail(s, (size_t)i + 1);
    return true;
}

str str_tail(str s, size_t from)
{
    if (from > s.n)
        from = s.n;
    return (str){ s.p ? s.p + from : NULL, s.n - from };
}

int64_t str_find(str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    return at ? at - s.p : -1;
}

bool str_int(str s, int64_t *ret)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    int64_t value = 0;

    if (negative)
        s = str_tail(s, 1);
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        int digit = s.p[i] - '0';

        if (digit < 0 || digit > 9)
            return false;
        /* Built as a negative number: there is one more of them. */
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *ret = negative ? value : -value;
    return true;
}

int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *str_dup(str s)
{
    char *copy = malloc(s.n + 1);

    if (!copy)
        return NULL;
    if (s.n)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}
