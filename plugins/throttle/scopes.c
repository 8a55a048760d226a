/* scopes.c -- reading and asking scopes. */
#include "plugins/throttle/scopes.h"

#include <stdlib.h>
#include <string.h>

/* Where in the configuration an error is. */
typedef struct place {
    parley_ctx *ctx;
    parley_str scope;
} place;

static int place_fail(const place *at, const char *key, const char *why)
{
    char path[160];

    (void)snprintf(path, sizeof(path), "scopes.%.*s%s%s", (int)at->scope.n, at->scope.p,
                   key ? "." : "", key ? key : "");
    return parley->conf_fail(at->ctx, path, why);
}

static bool is(parley_str s, const char *text)
{
    return s.n == strlen(text) && (s.n == 0 || memcmp(s.p, text, s.n) == 0);
}

static bool is_name(parley_str s)
{
    if (s.n == 0 || s.n > SCOPE_NAME)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* ---- one function per key ---- */

static int read_rate(const place *at, const parley_json *value, scope *s)
{
    const char *why = NULL;
    parley_str text = parley->json_str(value);

    if (parley->json_type(value) != PARLEY_J_NULL) /* `rate:` and nothing behind it is empty too */
        why = text.p ? rate_parse(text, &s->rate) : "must be a text, like 100/hour";
    if (!why)
        return 0;
    if (!text.p)
        return place_fail(at, "rate", why);
    char named[256];
    (void)snprintf(named, sizeof(named), "\"%.*s\": %s", text.n > 40 ? 40 : (int)text.n, text.p,
                   why);
    return place_fail(at, "rate", named);
}

static int read_by(const place *at, const parley_json *value, scope *s)
{
    static const char prefix[] = "field:";
    parley_str text = parley->json_str(value);
    const size_t skip = sizeof(prefix) - 1;

    if (is(text, "user") || is(text, "peer")) {
        s->by = is(text, "user") ? BY_USER : BY_PEER;
        return 0;
    }
    if (text.n <= skip || memcmp(text.p, prefix, skip) != 0)
        return place_fail(at, "by", "must be user, peer or field:<name>");
    s->by = BY_FIELD;
    s->field = strndup(text.p + skip, text.n - skip);
    return s->field ? 0 : PARLEY_ENOMEM;
}

static int read_when(const place *at, const parley_json *value, scope *s)
{
    static const char *const names[] = { [WHEN_ALWAYS] = "always",
                                         [WHEN_ANONYMOUS] = "anonymous",
                                         [WHEN_AUTHENTICATED] = "authenticated" };

    for (int i = 0; i < 3; i++)
        if (is(parley->json_str(value), names[i])) {
            s->when = i;
            return 0;
        }
    return place_fail(at, "when", "must be anonymous, authenticated or always");
}

static int read_each(const place *at, const parley_json *value, scope *s)
{
    parley_str text = parley->json_str(value);

    if (!is(text, "true") && !is(text, "false"))
        return place_fail(at, "each", "must be true or false");
    s->each = is(text, "true");
    return 0;
}

/* One pattern, or a list of them. */
static int read_patterns(const place *at, const char *key, const parley_json *value, pattern **ret,
                         size_t *ret_n)
{
    bool is_list = parley->json_type(value) == PARLEY_J_ARR;
    size_t n = is_list ? parley->json_len(value) : 1;

    *ret = calloc(n ? n : 1, sizeof(**ret));
    if (!*ret)
        return PARLEY_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        parley_str text = parley->json_str(is_list ? parley->json_at(value, i) : value);
        char path[32];

        (void)snprintf(path, sizeof(path), is_list ? "%s[%zu]" : "%s", key, i);
        if (text.n > SCOPE_PATH)
            return place_fail(at, path, "is longer than 200 bytes");
        const char *why = pattern_parse(text, &(*ret)[i]);
        if (why)
            return place_fail(at, path, why);
    }
    *ret_n = n;
    return 0;
}

static int read_on(const place *at, const parley_json *value, scope *s)
{
    return read_patterns(at, "on", value, &s->on, &s->on_n);
}

static int read_except(const place *at, const parley_json *value, scope *s)
{
    return read_patterns(at, "except", value, &s->except, &s->except_n);
}

/* clang-format off */
static const struct {
    const char *key;
    int (*read)(const place *at, const parley_json *value, scope *s);
    bool required;
} keys[] = {
    { "rate",   read_rate,   true  },
    { "by",     read_by,     true  },
    { "on",     read_on,     true  },
    { "when",   read_when,   false },
    { "except", read_except, false },
    { "each",   read_each,   false },
};
/* clang-format on */
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static int scope_check_keys(const place *at, const parley_json *tree)
{
    for (size_t i = 0; i < parley->json_len(tree); i++) {
        parley_str name = parley->json_key(tree, i);
        size_t k = 0;
        char shown[64];

        while (k < KEYS && !is(name, keys[k].key))
            k++;
        (void)snprintf(shown, sizeof(shown), "%.*s", (int)(name.n < 60 ? name.n : 60), name.p);
        if (k == KEYS)
            return place_fail(at, shown, "unknown key; it may be rate, by, on, when, except, each");
    }
    return 0;
}

static int scope_read(parley_ctx *ctx, const parley_json *tree, scope *s)
{
    place at = { ctx, s->name };
    int err = 0;

    if (!is_name(s->name))
        return place_fail(&at, NULL, "a name has 1 to 32 of the characters a-z 0-9 _ -");
    if (parley->json_type(tree) != PARLEY_J_OBJ)
        return place_fail(&at, NULL, "must be a map with rate, by and on");
    err = scope_check_keys(&at, tree);
    s->when = -1;
    for (size_t k = 0; k < KEYS && err == 0; k++) {
        const parley_json *value = parley->json_get(tree, keys[k].key);

        if (!value && keys[k].required)
            return place_fail(&at, NULL, "needs rate, by and on");
        if (value)
            err = keys[k].read(&at, value, s);
    }
    if (err < 0)
        return err;
    if (s->by == BY_USER && s->when >= 0 && s->when != WHEN_AUTHENTICATED)
        return place_fail(&at, "when", "a scope by user counts authenticated requests only");
    if (s->when < 0)
        s->when = s->by == BY_USER ? WHEN_AUTHENTICATED : WHEN_ALWAYS;
    return 0;
}

int scopes_read(parley_ctx *ctx, const parley_json *tree, scopes *ret)
{
    size_t n = parley->json_len(tree);

    if (parley->json_type(tree) != PARLEY_J_OBJ)
        return parley->conf_fail(ctx, "scopes", "must be a map of scopes");
    if (n > SCOPES_MAX)
        return parley->conf_fail(ctx, "scopes", "more than 32 scopes");
    for (size_t i = 0; i < n; i++) {
        scope *s = &ret->list[ret->n++];

        s->name = parley->json_key(tree, i);
        int err = scope_read(ctx, parley->json_at(tree, i), s);
        if (err < 0)
            return err;
    }
    return 0;
}

void scopes_done(scopes *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->list[i].field);
        free(s->list[i].on);
        free(s->list[i].except);
    }
    memset(s, 0, sizeof(*s));
}

bool scope_wants(const scope *s, const asked *what, bool has_user, const pattern **ret)
{
    if (s->rate.limit == 0 || (s->when == WHEN_ANONYMOUS && has_user) ||
        (s->when == WHEN_AUTHENTICATED && !has_user))
        return false;
    for (size_t i = 0; i < s->except_n; i++)
        if (pattern_matches(&s->except[i], what))
            return false;
    for (size_t i = 0; i < s->on_n; i++)
        if (pattern_matches(&s->on[i], what)) {
            *ret = &s->on[i];
            return true;
        }
    return false;
}
