/* path.c -- does a path match the pattern of a route? */
#include "internal.h"

#include <stdio.h>

static bool segment_uuid(str s)
{
    if (s.n != 36)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789abcdef-", s.p[i]))
            return false;
    return true;
}

static bool segment_match(str want, str have, fake_vec *params)
{
    char name[64], *value;

    if (want.n == 0 || want.p[0] != ':')
        return str_eq(want, have);
    int64_t open = str_find(want, '(');
    if (have.n == 0 || (open >= 0 && !segment_uuid(have)))
        return false;
    size_t n = open >= 0 ? (size_t)open : want.n;
    (void)snprintf(name, sizeof(name), "%.*s", (int)n - 1, want.p + 1);
    if (!params)
        return true;
    value = fake_dup(have);
    fake_named_set(params, name, value);
    free(value);
    return true;
}

bool fake_path_match(const char *pattern, const char *path, fake_vec *params)
{
    str want = str_of(pattern), have = str_of(path);

    /* A path that ends in a slash is also met without it. */
    if (want.n > 1 && want.p[want.n - 1] == '/' && have.n > 0 && have.p[have.n - 1] != '/')
        want.n--;
    for (;;) {
        str want_one, want_rest, have_one, have_rest;
        bool more = str_cut(want, '/', &want_one, &want_rest);

        if (str_cut(have, '/', &have_one, &have_rest) != more ||
            !segment_match(want_one, have_one, params))
            return false;
        if (!more)
            return true;
        want = want_rest;
        have = have_rest;
    }
}
