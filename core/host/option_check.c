/* option_check.c -- a value of the YAML against its row of the option table: type, unit, range,
 * choices.
 *
 * The same code reads the defaults in the tables, so that a default is checked too. */
#include "core/host/option.h"

#include "core/base/log.h"
#include "core/host/suggest.h"

#include <limits.h>
#include <stdio.h>

typedef struct unit {
    str name;
    int64_t factor;
} unit;

/* clang-format off */
static const unit units_ms[] = { /* largest last: option_number() looks from the end */
    { STR_LIT("ms"), 1 },
    { STR_LIT("s"),  1000 },
    { STR_LIT("m"),  60000 },
    { STR_LIT("h"),  3600000 },
    { STR_LIT("d"),  86400000 },
};
static const unit units_bytes[] = {
    { STR_LIT("KiB"), 1024 },
    { STR_LIT("MiB"), 1L << 20 },
    { STR_LIT("GiB"), 1L << 30 },
};
static const struct {
    str name;
    int64_t value;
} bools[] = {
    { STR_LIT("true"), 1 }, { STR_LIT("false"), 0 }, { STR_LIT("yes"), 1 },
    { STR_LIT("no"), 0 },   { STR_LIT("on"), 1 },    { STR_LIT("off"), 0 },
};
/* clang-format on */

enum { SHOWN = 48 }; /* bytes of a value in an error */

/* `"value" ` in front of what is wrong with it; a secret is not shown. */
static int value_fail(const parley_option *o, str text, const char *what, char why[OPTION_WHY])
{
    char shown[SHOWN];
    size_t n = log_escape(text, shown, sizeof(shown));

    if (o->flags & PARLEY_O_SECRET)
        (void)snprintf(why, OPTION_WHY, "the value %s", what);
    else
        (void)snprintf(why, OPTION_WHY, "\"%.*s%s\" %s", (int)n, shown, n < text.n ? "..." : "",
                       what);
    return -1;
}

/* Digits, with a sign in front, and what follows them.  false: there are none.  Too large: the
 * largest number. */
static bool number_cut(str text, int64_t *ret, str *ret_rest)
{
    bool negative = text.n > 0 && text.p[0] == '-';
    size_t i = negative ? 1 : 0, first = i;
    int64_t value = 0;

    for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.p[i] - '0', &value))
            value = INT64_MAX; /* stays: every further digit overflows again */
    if (i == first)
        return false;
    *ret = negative ? -value : value;
    *ret_rest = str_tail(text, i);
    return true;
}

static int check_range(const parley_option *o, str text, int64_t value, char why[OPTION_WHY])
{
    char shown[SHOWN];
    buf range;

    if (o->min >= o->max && value < INT64_MAX && value > -INT64_MAX)
        return 0;
    if (o->min < o->max && value >= o->min && value <= o->max)
        return 0;
    if (o->min >= o->max)
        return value_fail(o, text, "is too large", why);
    buf_init(&range, OPTION_WHY);
    option_number(o, o->min, &range);
    (void)buf_add(&range, STR(".."));
    option_number(o, o->max, &range);
    int n = (int)log_escape(text, shown, sizeof(shown));
    bool secret = (o->flags & PARLEY_O_SECRET) != 0;
    (void)snprintf(why, OPTION_WHY, "%.*s is outside " STR_FMT, secret ? 9 : n,
                   secret ? "the value" : shown, STR_ARG(buf_str(&range)));
    buf_done(&range);
    return -1;
}

static int read_str(const parley_option *o, str text, option_value *ret, char why[OPTION_WHY])
{
    int64_t n = (int64_t)text.n;

    ret->num = 0;
    if (o->min >= o->max || (n >= o->min && n <= o->max))
        return 0;
    if (n == 0)
        (void)snprintf(why, OPTION_WHY, "is empty; %lld to %lld bytes are allowed",
                       (long long)o->min, (long long)o->max);
    else
        (void)snprintf(why, OPTION_WHY, "is %lld bytes long; %lld to %lld are allowed",
                       (long long)n, (long long)o->min, (long long)o->max);
    return -1;
}

static int read_int(const parley_option *o, str text, option_value *ret, char why[OPTION_WHY])
{
    str rest = STR_NONE;

    if (!number_cut(text, &ret->num, &rest) || rest.n > 0)
        return value_fail(o, text, "is not a whole number", why);
    return check_range(o, text, ret->num, why);
}

static int read_bool(const parley_option *o, str text, option_value *ret, char why[OPTION_WHY])
{
    for (size_t i = 0; i < COUNT(bools); i++) {
        if (!str_ieq(text, bools[i].name))
            continue;
        ret->num = bools[i].value;
        return 0;
    }
    return value_fail(o, text, "is not true or false (nor yes, no, on, off)", why);
}

static int read_scaled(const parley_option *o, str text, const unit *units, size_t n,
                       option_value *ret)
{
    str rest = STR_NONE;
    int64_t count = 0;

    (void)o;
    if (!number_cut(text, &count, &rest))
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (!str_ieq(rest, units[i].name))
            continue;
        if (__builtin_mul_overflow(count, units[i].factor, &ret->num))
            ret->num = count < 0 ? -INT64_MAX : INT64_MAX;
        return 0;
    }
    ret->num = count;
    return rest.n == 0 ? 1 : -1; /* 1: a bare number */
}

static int read_ms(const parley_option *o, str text, option_value *ret, char why[OPTION_WHY])
{
    int read = read_scaled(o, text, units_ms, COUNT(units_ms), ret);

    if (read < 0)
        return value_fail(o, text, "is not a time such as 500ms, 30s, 15m, 24h or 7d", why);
    if (read > 0 && ret->num != 0)
        return value_fail(o, text, "has no unit; write 500ms, 30s, 15m, 24h or 7d", why);
    return check_range(o, text, ret->num, why);
}

static int read_bytes(const parley_option *o, str text, option_value *ret, char why[OPTION_WHY])
{
    if (read_scaled(o, text, units_bytes, COUNT(units_bytes), ret) < 0)
        return value_fail(o, text, "is not a size such as 100 (bytes), 64KiB, 1MiB or 2GiB", why);
    return check_range(o, text, ret->num, why);
}

bool option_choice(const parley_option *o, size_t i, str *ret)
{
    str rest = str_of(o->choices), head = STR_NONE;

    for (size_t at = 0; rest.p; at++) {
        str tail = STR_NONE;
        (void)str_cut(rest, '|', &head, &tail);
        if (at == i) {
            *ret = head;
            return true;
        }
        rest = tail;
    }
    return false;
}

static int read_enum(const parley_option *o, str text, option_value *ret, char why[OPTION_WHY])
{
    suggest near = suggest_for(text);
    str choice = STR_NONE;
    buf what;

    for (size_t i = 0; option_choice(o, i, &choice); i++) {
        suggest_offer(&near, choice);
        if (!str_ieq(text, choice))
            continue;
        *ret = (option_value){ .text = choice, .num = (int64_t)i };
        return 0;
    }
    buf_init(&what, OPTION_WHY);
    (void)buf_add(&what, STR("is not one of "));
    for (size_t i = 0; option_choice(o, i, &choice); i++)
        (void)buf_addf(&what, "%s" STR_FMT, i ? ", " : "", STR_ARG(choice));
    str best = suggest_best(&near);
    if (best.p)
        (void)buf_addf(&what, "; did you mean " STR_FMT "?", STR_ARG(best));
    (void)buf_byte(&what, '\0');
    (void)value_fail(o, text, what.p, why);
    buf_done(&what);
    return -1;
}

typedef int (*option_reader)(const parley_option *o, str text, option_value *ret,
                             char why[OPTION_WHY]);
/* clang-format off */
static const struct {
    const char *name;
    option_reader read;
    const unit *units;
    size_t unit_n;
} types[] = {
    [PARLEY_T_STR]   = { "text",  read_str,   NULL, 0 },
    [PARLEY_T_INT]   = { "int",   read_int,   NULL, 0 },
    [PARLEY_T_BOOL]  = { "bool",  read_bool,  NULL, 0 },
    [PARLEY_T_MS]    = { "time",  read_ms,    units_ms, COUNT(units_ms) },
    [PARLEY_T_BYTES] = { "bytes", read_bytes, units_bytes, COUNT(units_bytes) },
    [PARLEY_T_ENUM]  = { "enum",  read_enum,  NULL, 0 },
    [PARLEY_T_TREE]  = { "tree",  NULL,       NULL, 0 },
};
/* clang-format on */

int option_read(const parley_option *o, str text, option_value *ret, char why[OPTION_WHY])
{
    *ret = (option_value){ .text = text };
    if (text.n == 0 && o->type != PARLEY_T_STR) {
        (void)snprintf(why, OPTION_WHY, "has no value; remove the line for the default%s%s",
                       o->def ? " " : "", o->def ? o->def : "");
        return -1;
    }
    return types[o->type].read(o, text, ret, why);
}

const char *option_type_name(uint32_t type)
{
    return type < COUNT(types) && types[type].name ? types[type].name : "?";
}

void option_number(const parley_option *o, int64_t value, buf *ret)
{
    for (size_t i = types[o->type].unit_n; i-- > 0;) {
        const unit *u = &types[o->type].units[i];
        if (value == 0 || value % u->factor != 0)
            continue;
        (void)buf_addf(ret, "%lld" STR_FMT, (long long)(value / u->factor), STR_ARG(u->name));
        return;
    }
    (void)buf_addf(ret, "%lld", (long long)value);
}

static bool name_is_good(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return n > 0 && name[n] == '\0' && !(name[0] >= '0' && name[0] <= '9');
}

const char *option_mistake(const parley_option *o)
{
    if (!o->name || !name_is_good(o->name))
        return "it needs a name of [a-z0-9_]";
    if (o->type == 0 || o->type >= COUNT(types))
        return "its type is unknown";
    if (o->type == PARLEY_T_ENUM && (!o->choices || !o->choices[0]))
        return "an enum needs choices";
    if (str_eq(str_of(o->name), STR("path")) || str_eq(str_of(o->name), STR("optional")))
        return "this name is the server's (path, optional)";
    return NULL;
}
