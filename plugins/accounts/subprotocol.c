/* subprotocol.c -- a key in Sec-WebSocket-Protocol. */
#include "plugins/accounts/subprotocol.h"
#include <string.h>

static const char prefix[] = "parley.token.";

/* The next of a list separated by commas; 0: no more.  `rest` moves behind it. */
static int word_next(parley_str *rest, parley_str *ret)
{
    static const char blanks[] = ", \t";
    size_t begin = 0, end;

    while (begin < rest->n && strchr(blanks, rest->p[begin]))
        begin++;
    for (end = begin; end < rest->n && !strchr(blanks, rest->p[end]); end++)
        ;
    *ret = (parley_str){ rest->p + begin, end - begin };
    *rest = (parley_str){ rest->p + end, rest->n - end };
    return ret->n > 0;
}

parley_str subprotocol_key(parley_str offered)
{
    const size_t skip = sizeof(prefix) - 1;
    parley_str word, before = { NULL, 0 };

    while (word_next(&offered, &word)) {
        if (before.n == 5 && memcmp(before.p, "token", 5) == 0)
            return word;
        if (word.n > skip && memcmp(word.p, prefix, skip) == 0)
            return (parley_str){ word.p + skip, word.n - skip };
        before = word;
    }
    return (parley_str){ NULL, 0 };
}
