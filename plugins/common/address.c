/* address.c -- what counts as an e-mail address. */
#include "plugins/common/address.h"
#include <parley/text.h>

enum { LABEL_MAX = 63 };

static int is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static int is_atom(char c)
{
    return is_letter_or_digit(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Atoms with single dots between them. */
static int is_local_part(parley_str s)
{
    char before = '.';

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.' ? before == '.' : !is_atom(s.p[i]))
            return 0;
        before = s.p[i];
    }
    return before != '.';
}

static int is_label(const char *p, size_t n)
{
    if (n == 0 || n > LABEL_MAX || p[0] == '-' || p[n - 1] == '-')
        return 0;
    for (size_t i = 0; i < n; i++)
        if (p[i] != '-' && !is_letter_or_digit(p[i]))
            return 0;
    return 1;
}

static int is_localhost(parley_str s)
{
    static const char name[] = "localhost";

    if (s.n != sizeof(name) - 1)
        return 0;
    for (size_t i = 0; i < s.n; i++)
        if (lower(s.p[i]) != name[i])
            return 0;
    return 1;
}

/* Labels with dots between them, at least two, the last of at least two characters. */
static int is_domain(parley_str s)
{
    size_t begin = 0, labels = 0;

    if (is_localhost(s))
        return 1;
    for (size_t i = 0; i <= s.n; i++) {
        if (i < s.n && s.p[i] != '.')
            continue;
        if (!is_label(s.p + begin, i - begin) || (i == s.n && i - begin < 2))
            return 0;
        labels++;
        begin = i + 1;
    }
    return labels > 1;
}

int address_is_valid(parley_str s)
{
    const char *at = s.n > 0 ? memrchr(s.p, '@', s.n) : NULL;

    if (!at)
        return 0;
    size_t local = (size_t)(at - s.p);
    return is_local_part(parley_text_view(s.p, local)) &&
           is_domain(parley_text_view(at + 1, s.n - local - 1));
}

int address_key(parley_str s, char *ret, size_t size)
{
    s = parley_text_trim(s);
    if (s.n > ADDRESS_MAX || s.n >= size || !address_is_valid(s))
        return PARLEY_EINVAL;
    for (size_t i = 0; i < s.n; i++)
        ret[i] = lower(s.p[i]);
    ret[s.n] = '\0';
    return (int)s.n;
}
