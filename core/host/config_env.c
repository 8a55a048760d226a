/* config_env.c -- ${NAME}, ${NAME-text}, ${NAME:-text} and $$ inside the scalars of the file.
 * Where a variable stands is told by config_variable.c.
 *
 * Runs after YAML has been parsed, so a variable can never become structure.  The texts of errors
 * name variables, never what is in them. */
#include "core/host/config_node.h"

/* Variables that say "use this": set and never asked for means that the operator believes something
 * else than what the file does. */
#define STORE "remove the variable, or use config/production.yaml"
#define MAIL  "remove the variable, or give it to the plugin mail as config/parley.yaml does"
static const struct {
    const char *name, *remedy;
} must_be_used[] = {
    { "DATABASE_URL", STORE },
    { "REDIS_URL", STORE },
    { "EMAIL_HOST", MAIL },
};

typedef struct expander {
    const char *file;
    arena *memory;
    failure *f;
    const node *at; /* being expanded */
    buf out;
    size_t total; /* bytes of all expanded scalars */
    bool asked[COUNT(must_be_used)];
} expander;

static bool name_char(char c, bool is_first)
{
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';

    return letter || (!is_first && c >= '0' && c <= '9');
}

static size_t name_length(str s)
{
    size_t n = 0;

    while (n < s.n && name_char(s.p[n], n == 0))
        n++;
    return n;
}

/* *ret absent: it is not set. */
static int env_ask(expander *x, str name, buf *room, str *ret)
{
    config_why why;
    char text[CONFIG_MAX_KEY + 1];

    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    for (size_t i = 0; i < COUNT(must_be_used); i++)
        if (str_eq(name, str_of(must_be_used[i].name)))
            x->asked[i] = true;
    if (config_variable(text, room, ret, why) < 0)
        return node_fail(x->file, x->at, x->f, "%s", why);
    return 0;
}

static int env_add(expander *x, str piece)
{
    if (buf_add(&x->out, piece) < 0)
        return node_fail(x->file, x->at, x->f, "longer than 4 MiB once its variables are in");
    return 0;
}

/* `rest` is what follows the name: "}", "-text}" or ":-text}".  Adds the value; *ret_used: bytes of
 * `rest`. */
static int env_value(expander *x, str name, str rest, size_t *ret_used)
{
    bool empty_counts = str_starts(rest, STR(":-"));
    bool has_default = empty_counts || str_starts(rest, STR("-"));
    str otherwise = str_tail(rest, empty_counts ? 2 : 1);
    int64_t end = str_find(rest, '}');

    if (end < 0)
        return node_fail(x->file, x->at, x->f, "${" STR_FMT " has no closing }", STR_ARG(name));
    if (end > 0 && !has_default)
        return node_fail(x->file, x->at, x->f,
                         "${" STR_FMT "...}: write ${NAME}, ${NAME-text} or ${NAME:-text}",
                         STR_ARG(name));
    *ret_used = (size_t)end + 1;
    buf room = { 0 };
    str set = STR_NONE;
    int err = env_ask(x, name, &room, &set);
    bool is_set = set.p && (!empty_counts || set.n > 0);
    if (err == 0 && is_set)
        err = env_add(x, set);
    buf_done(&room);
    if (err < 0 || is_set)
        return err;
    if (!has_default)
        return node_fail(x->file, x->at, x->f,
                         "the variable " STR_FMT " is not set; set it, or write ${" STR_FMT
                         ":-...} to give a default",
                         STR_ARG(name), STR_ARG(name));
    otherwise.n = (size_t)(rest.p + end - otherwise.p);
    if (str_find(otherwise, '$') >= 0)
        return node_fail(x->file, x->at, x->f, "the default of ${" STR_FMT "} cannot hold a $",
                         STR_ARG(name));
    return env_add(x, otherwise);
}

/* `text` starts with a dollar sign. */
static int env_dollar(expander *x, str text, size_t *ret_used)
{
    if (str_starts(text, STR("$$"))) {
        *ret_used = 2;
        return env_add(x, STR("$"));
    }
    str inside = str_tail(text, 2);
    str name = { inside.p, str_starts(text, STR("${")) ? name_length(inside) : 0 };
    if (name.n == 0 || name.n > CONFIG_MAX_KEY)
        return node_fail(x->file, x->at, x->f,
                         "a $ starts a variable, ${NAME}; write $$ for a dollar sign");
    if (env_value(x, name, str_tail(inside, name.n), ret_used) < 0)
        return -1;
    *ret_used += 2 + name.n;
    return 0;
}

static int env_scalar(expander *x, node *at)
{
    str rest = at->text;

    x->at = at;
    buf_reset(&x->out);
    for (;;) {
        int64_t dollar = str_find(rest, '$');
        size_t used = 0;
        if (dollar < 0)
            break;
        if (env_add(x, (str){ rest.p, (size_t)dollar }) < 0 ||
            env_dollar(x, str_tail(rest, (size_t)dollar), &used) < 0)
            return -1;
        rest = str_tail(rest, (size_t)dollar + used);
    }
    if (env_add(x, rest) < 0)
        return -1;
    x->total += x->out.n;
    if (x->total > CONFIG_MAX_EXPANDED)
        return node_fail(x->file, at, x->f, "the variables make the file longer than 4 MiB");
    at->text = arena_str(x->memory, x->out.n ? buf_str(&x->out) : STR(""));
    return at->text.p ? 0 : node_fail(x->file, at, x->f, "not enough memory to read it");
}

/* As deep as the reader allows: 32 levels. */
static int env_node(expander *x, node *at)
{
    if (at->kind == NODE_SCALAR)
        return str_find(at->text, '$') < 0 ? 0 : env_scalar(x, at);
    for (node *it = at->first; it; it = it->next)
        if (env_node(x, it) < 0)
            return -1;
    return 0;
}

static int env_check_used(const expander *x)
{
    for (size_t i = 0; i < COUNT(must_be_used); i++) {
        if (config_variable_given(must_be_used[i].name) && !x->asked[i])
            return failure_set(x->f, EXIT_CONFIG, "%s is set, but no plugin of %s uses it: %s",
                               must_be_used[i].name, x->file, must_be_used[i].remedy);
    }
    return 0;
}

int config_expand(const char *file, node *root, arena *memory, failure *f)
{
    expander x = { .file = file, .memory = memory, .f = f };

    buf_init(&x.out, CONFIG_MAX_EXPANDED);
    int err = env_node(&x, root);
    buf_done(&x.out);
    return err < 0 ? err : env_check_used(&x);
}
