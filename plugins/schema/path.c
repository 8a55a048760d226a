/* path.c -- the paths of routes in the spelling of documents. */
#include "plugins/schema/path.h"
#include <ctype.h>
#include <string.h>

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* ":name" or ":name(uuid)" begins at `at`: where its name ends. */
static size_t name_end(parley_str path, size_t at)
{
    size_t end = at + 1;

    while (end < path.n && is_word(path.p[end]))
        end++;
    return end;
}

static size_t kind_end(parley_str path, size_t at)
{
    if (at < path.n && path.p[at] == '(')
        while (at < path.n && path.p[at++] != ')')
            ;
    return at;
}

void path_write(parley_str path, char ret[PATH_MAX_BYTES])
{
    size_t n = 0;

    for (size_t at = 0; at < path.n && n + 3 < PATH_MAX_BYTES;) {
        if (path.p[at] != ':') {
            ret[n++] = path.p[at++];
            continue;
        }
        size_t end = name_end(path, at);
        ret[n++] = '{';
        for (at++; at < end && n + 2 < PATH_MAX_BYTES; at++)
            ret[n++] = path.p[at];
        ret[n++] = '}';
        at = kind_end(path, end);
    }
    ret[n] = '\0';
}

parley_str path_param(parley_str path, size_t *at, bool *ret_is_uuid)
{
    while (*at < path.n && path.p[*at] != ':')
        ++*at;
    if (*at >= path.n)
        return (parley_str){ NULL, 0 };
    size_t from = *at + 1, end = name_end(path, *at);

    *at = kind_end(path, end);
    *ret_is_uuid = *at > end;
    return (parley_str){ path.p + from, end - from };
}

void path_name(parley_str method, parley_str path, char ret[PATH_MAX_BYTES])
{
    char shown[PATH_MAX_BYTES];
    size_t n = 0;
    bool is_apart = true; /* nothing but one underscore between two words */

    path_write(path, shown);
    for (size_t i = 0; i < method.n && n + 1 < PATH_MAX_BYTES; i++)
        ret[n++] = (char)tolower((unsigned char)method.p[i]);
    for (const char *c = shown; *c && n + 2 < PATH_MAX_BYTES; c++) {
        is_apart |= !isalnum((unsigned char)*c);
        if (!isalnum((unsigned char)*c))
            continue;
        if (is_apart)
            ret[n++] = '_';
        is_apart = false;
        ret[n++] = *c;
    }
    ret[n] = '\0';
}
