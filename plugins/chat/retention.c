/* retention.c -- the rules of how long rooms are kept, from the YAML. */
#include "plugins/chat/retention.h"
#include <stdlib.h>

enum { RULES_MOST = 256 };
#define KEEP_LEAST_US INT64_C(3600000000) /* an hour: less is a slip */
#define DAYS_MOST     INT64_C(36500)

static struct {
    struct retention_rule list[RULES_MOST];
    size_t n;
} rules;

bool retention_time(parley_str text, int64_t *ret_us)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    int64_t value = 0;
    size_t digits = 0;

    while (digits < text.n && digits < 10 && text.p[digits] >= '0' && text.p[digits] <= '9')
        value = value * 10 + (text.p[digits++] - '0');
    if (digits == 0 || digits + 1 != text.n)
        return false;
    for (size_t i = 0; i < COUNT(units); i++) {
        if (text.p[digits] != units[i].unit || value > DAYS_MOST * 86400 / units[i].seconds)
            continue;
        *ret_us = value * units[i].seconds * 1000000;
        return true;
    }
    return false;
}

/* A star that did not fit is tried one character further on; only the last one needs to be. */
bool retention_fits(parley_str pattern, parley_str name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, star_n = 0;

    while (n < name.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            star_n = n;
        } else if (p < pattern.n && pattern.p[p] == name.p[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++star_n;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

const struct retention_rule *retention_rule_of(parley_str name)
{
    for (size_t i = 0; i < rules.n; i++)
        if (retention_fits(rules.list[i].rooms, name))
            return &rules.list[i];
    return NULL;
}

bool retention_has_rules(void)
{
    return rules.n > 0;
}

/* A rule that says anything else than these two was meant otherwise. */
static const char *rule_read(const parley_json *in, struct retention_rule *ret)
{
    ret->rooms = parley->json_str(parley->json_get(in, "rooms"));
    ret->keep = parley->json_str(parley->json_get(in, "keep"));
    if (parley->json_type(in) != PARLEY_J_OBJ || parley->json_len(in) != 2 || !ret->rooms.p ||
        !ret->keep.p)
        return "a rule has two keys, rooms and keep: {rooms: \"Alerts *\", keep: 30d}";
    if (ret->rooms.n == 0)
        return "rooms is empty; \"*\" is all rooms";
    if (!retention_time(ret->keep, &ret->keep_us) || ret->keep_us < KEEP_LEAST_US)
        return "keep must be a time from 1h to 36500d, as 90m, 12h or 30d";
    return NULL;
}

int retention_load(parley_ctx *ctx, const parley_conf *conf)
{
    const parley_json *list = parley->conf_tree(conf, "retention");
    size_t n = list ? parley->json_len(list) : 0;

    rules.n = 0;
    if (!list || parley->json_type(list) == PARLEY_J_NULL)
        return PARLEY_OK;
    if (parley->json_type(list) != PARLEY_J_ARR || n > RULES_MOST)
        return parley->conf_fail(ctx, "retention",
                                 "must be a list of at most 256 rules {rooms: ..., keep: ...}");
    for (size_t i = 0; i < n; i++) {
        char path[32];
        const char *why = rule_read(parley->json_at(list, i), &rules.list[i]);

        (void)snprintf(path, sizeof(path), "retention[%zu]", i);
        if (why)
            return parley->conf_fail(ctx, path, why);
    }
    rules.n = n;
    return PARLEY_OK;
}
