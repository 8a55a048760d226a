/* rate.c -- reading rates: <number>/<unit>. */
#include "plugins/throttle/rate.h"

#include <string.h>

enum { RATE_MAX = 1000000 /* the window keeps the time of every request that passed */ };

static const int64_t us_per_s = 1000000;

/* clang-format off */
static const struct {
    const char *name;
    int64_t seconds;
} units[] = {
    { "s", 1 },     { "sec", 1 },  { "second", 1 },
    { "m", 60 },    { "min", 60 }, { "minute", 60 },
    { "h", 3600 },  { "hour", 3600 },
    { "d", 86400 }, { "day", 86400 },
};
/* clang-format on */

static parley_str trim(parley_str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

static int64_t unit_us(parley_str name)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (name.n == strlen(units[i].name) && memcmp(name.p, units[i].name, name.n) == 0)
            return units[i].seconds * us_per_s;
    return 0;
}

const char *rate_parse(parley_str text, rate *ret)
{
    rate made = { 0, 0 };
    size_t digits = 0;

    text = trim(text);
    if (text.n == 0) {
        *ret = made;
        return NULL;
    }
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9' &&
           made.limit <= RATE_MAX)
        made.limit = made.limit * 10 + (text.p[digits++] - '0');
    if (made.limit > RATE_MAX)
        return "more than 1000000 in a window is not counted; an empty rate lifts the limit";
    if (digits == 0 || digits == text.n || text.p[digits] != '/')
        return "a rate is a number, a slash and a unit, like 100/hour; empty: no limit";
    if (made.limit == 0)
        return "a rate must let something pass; an empty one lifts the limit";
    made.window_us = unit_us((parley_str){ text.p + digits + 1, text.n - digits - 1 });
    if (made.window_us == 0)
        return "the unit of a rate is second, minute, hour or day (s, m, h, d)";
    *ret = made;
    return NULL;
}

int64_t rate_seconds(int64_t us)
{
    if (us <= us_per_s)
        return 1;
    return us / us_per_s + (us % us_per_s != 0);
}
