/* config_node.c -- finding one's way in the tree of the YAML file, and saying where something is
 * wrong. */
#include "core/host/config_node.h"

#include <stdarg.h>
#include <stdio.h>

node *node_find(const node *map, str key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    for (node *it = map->first; it; it = it->next)
        if (str_eq(it->key, key))
            return it;
    return NULL;
}

static const node *node_at(const node *list, int64_t index)
{
    if (list->kind != NODE_LIST || index < 0)
        return NULL;
    const node *it = list->first;
    while (it && index-- > 0)
        it = it->next;
    return it;
}

/* Takes one step ("name" or "[2]") off `path`. */
static const node *node_step(const node *from, str *path)
{
    size_t n = 0;

    if (path->p[0] == '[') {
        int64_t index = -1;
        while (n < path->n && path->p[n] != ']')
            n++;
        if (!str_int((str){ path->p + 1, n - 1 }, &index))
            index = -1;
        *path = str_tail(*path, n + 1);
        return node_at(from, index);
    }
    while (n < path->n && path->p[n] != '.' && path->p[n] != '[')
        n++;
    str key = { path->p, n };
    *path = str_tail(*path, n);
    return node_find(from, key);
}

const node *node_walk(const node *from, str path)
{
    while (path.n > 0) {
        if (path.p[0] == '.') {
            path = str_tail(path, 1);
            continue;
        }
        const node *next = node_step(from, &path);
        if (!next)
            break;
        from = next;
    }
    return from;
}

static size_t node_index(const node *of)
{
    size_t index = 0;

    for (const node *it = of->parent->first; it && it != of; it = it->next)
        index++;
    return index;
}

/* An entry of `plugins:` that is a map is known by its key, which stands for the number. */
static bool node_is_entry(const node *of)
{
    const node *list = of->parent;

    return of->kind == NODE_MAP && list->parent && !list->parent->parent &&
           str_eq(list->key, STR("plugins"));
}

void node_path(const node *of, buf *ret)
{
    if (!of->parent)
        return;
    node_path(of->parent, ret);
    if (of->parent->kind == NODE_MAP)
        (void)buf_addf(ret, "%s" STR_FMT, ret->n ? "." : "", STR_ARG(of->key));
    else if (!node_is_entry(of))
        (void)buf_addf(ret, "[%zu]", node_index(of));
}

const char *node_kind_name(int kind)
{
    static const char *const names[] = {
        [NODE_SCALAR] = "text", [NODE_LIST] = "a list", [NODE_MAP] = "a map"
    };

    return names[kind];
}

int node_fail(const char *file, const node *at, failure *f, const char *fmt, ...)
{
    char what[400];
    va_list args;
    buf path;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    buf_init(&path, CONFIG_MAX_PATH);
    node_path(at, &path);
    (void)failure_set(f, EXIT_CONFIG, "%s:%d: " STR_FMT "%s%s", file, at->line,
                      STR_ARG(buf_str(&path)), path.n ? ": " : "", what);
    buf_done(&path);
    return -1;
}
