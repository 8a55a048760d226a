/* option_describe.c -- one row of an option table in words. */
#include "core/host/config.h"
#include "core/host/option.h"

static void describe_range(const parley_option *o, buf *ret)
{
    if (o->type == PARLEY_T_STR && o->min < o->max) {
        if (o->min > 0)
            (void)buf_addf(ret, ", %lld to %lld bytes", (long long)o->min, (long long)o->max);
        else
            (void)buf_addf(ret, ", at most %lld bytes", (long long)o->max);
        return;
    }
    if (o->type == PARLEY_T_TREE || o->min >= o->max)
        return;
    (void)buf_add(ret, STR(", "));
    option_number(o, o->min, ret);
    (void)buf_add(ret, STR(".."));
    option_number(o, o->max, ret);
}

static void describe_type(const parley_option *o, buf *ret)
{
    str choice = STR_NONE;

    if (o->flags & PARLEY_O_SECRET)
        (void)buf_add(ret, STR("secret "));
    if (o->type != PARLEY_T_ENUM) {
        (void)buf_addf(ret, "%s", option_type_name(o->type));
        return;
    }
    for (size_t i = 0; option_choice(o, i, &choice); i++)
        (void)buf_addf(ret, "%s" STR_FMT, i ? "|" : "", STR_ARG(choice));
}

void option_describe_value(const parley_option *o, buf *ret)
{
    describe_type(o, ret);
    describe_range(o, ret);
}

void option_describe(const parley_option *o, buf *ret)
{
    (void)buf_addf(ret, "%s  ", o->name);
    option_describe_value(o, ret);
    if (o->flags & PARLEY_O_REQUIRED)
        (void)buf_add(ret, STR(", required"));
    else if (o->def && o->def[0])
        (void)buf_addf(ret, ", default %s", o->def);
    else if (o->def)
        (void)buf_add(ret, STR(", default empty"));
}
