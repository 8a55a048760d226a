/* config_yaml.c -- YAML text -> tree of nodes, with bounds.
 *
 * Works on libyaml's events rather than on its documents: anchors, depth and count are refused
 * where they stand, before anything is built from them, so that a hostile file costs no more than
 * its own size.  Refused besides: aliases, tags, keys that are no plain names, equal keys in one
 * map, NUL characters, a second document. */
#include "core/host/config_node.h"

#include <stdlib.h>
#include <yaml.h>

typedef struct reader {
    yaml_parser_t parser;
    const char *file;
    str text;
    arena *memory;
    failure *f;
    node *root, *open; /* open: the innermost list or map that is not closed */
    str key;           /* read, its value not yet; absent: none */
    yaml_mark_t key_mark;
    size_t nodes;
    int depth;
} reader;

static int yaml_fail(const reader *r, const yaml_mark_t *at, const char *what)
{
    return failure_set(r->f, EXIT_CONFIG, "%s:%zu: %s (column %zu)", r->file, at->line + 1, what,
                       at->column + 1);
}

static int yaml_no_memory(const reader *r)
{
    return failure_set(r->f, EXIT_CONFIG, "%s: not enough memory to read it", r->file);
}

/* What libyaml itself refuses.  Its reader (bad UTF-8, control characters) knows the byte only, not
 * the line. */
static int yaml_fail_syntax(const reader *r)
{
    const yaml_parser_t *p = &r->parser;
    yaml_mark_t at = p->problem_mark;

    if (p->error == YAML_MEMORY_ERROR)
        return yaml_no_memory(r);
    if (p->error == YAML_READER_ERROR) {
        at = (yaml_mark_t){ 0, 0, 0 };
        for (size_t i = 0; i < p->problem_offset && i < r->text.n; i++) {
            at.column = r->text.p[i] == '\n' ? 0 : at.column + 1;
            at.line += r->text.p[i] == '\n';
        }
    }
    return failure_set(r->f, EXIT_CONFIG, "%s:%zu: not valid YAML: %s (column %zu)", r->file,
                       at.line + 1, p->problem ? p->problem : "it ends too early", at.column + 1);
}

static bool yaml_has_control(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

static int yaml_key(reader *r, const yaml_event_t *e)
{
    str key = { (const char *)e->data.scalar.value, e->data.scalar.length };

    if (key.n == 0 || key.n > CONFIG_MAX_KEY || yaml_has_control(key))
        return yaml_fail(r, &e->start_mark,
                         "a key must have 1 to 128 bytes, without control characters");
    r->key = arena_str(r->memory, key);
    if (!r->key.p)
        return yaml_no_memory(r);
    r->key_mark = e->start_mark;
    return 0;
}

/* A new node under the open one, with the key that waits for it. */
static int yaml_add(reader *r, int kind, const yaml_event_t *e, node **ret)
{
    if (++r->nodes > CONFIG_MAX_NODES)
        return yaml_fail(r, &e->start_mark, "more than 100000 values in one file");
    node *added = arena_alloc(r->memory, sizeof(*added));
    if (!added)
        return yaml_no_memory(r);
    const yaml_mark_t *at = r->key.p ? &r->key_mark : &e->start_mark;
    added->kind = kind;
    added->line = (int)at->line + 1;
    added->column = (int)at->column + 1;
    added->key = r->key;
    added->parent = r->open;
    r->key = STR_NONE;
    if (!r->open) {
        r->root = added;
    } else {
        if (r->open->last)
            r->open->last->next = added;
        else
            r->open->first = added;
        r->open->last = added;
        r->open->n++;
    }
    *ret = added;
    return 0;
}

static bool yaml_wants_key(const reader *r)
{
    return r->open && r->open->kind == NODE_MAP && !r->key.p;
}

static bool yaml_is_null(const yaml_event_t *e, str text)
{
    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text.n == 0 || str_eq(text, STR("~")) || str_ieq(text, STR("null")));
}

static int yaml_scalar(reader *r, const yaml_event_t *e)
{
    str text = { (const char *)e->data.scalar.value, e->data.scalar.length };
    node *added = NULL;

    if (memchr(text.p, '\0', text.n))
        return yaml_fail(r, &e->start_mark, "a NUL character is not allowed");
    if (yaml_wants_key(r))
        return yaml_key(r, e);
    if (yaml_add(r, NODE_SCALAR, e, &added) < 0)
        return -1;
    added->is_null = yaml_is_null(e, text);
    added->text = arena_str(r->memory, added->is_null ? STR("") : text);
    return added->text.p ? 0 : yaml_no_memory(r);
}

static int yaml_begin(reader *r, int kind, const yaml_event_t *e)
{
    node *added = NULL;

    if (yaml_wants_key(r))
        return yaml_fail(r, &e->start_mark, "a key must be a plain name");
    if (++r->depth > CONFIG_MAX_DEPTH)
        return yaml_fail(r, &e->start_mark, "nested deeper than 32 levels");
    if (yaml_add(r, kind, e, &added) < 0)
        return -1;
    r->open = added;
    return 0;
}

static int node_by_key(const void *a, const void *b)
{
    const node *x = *(const node *const *)a, *y = *(const node *const *)b;
    size_t shorter = x->key.n < y->key.n ? x->key.n : y->key.n;
    int order = memcmp(x->key.p, y->key.p, shorter);

    if (order != 0)
        return order;
    if (x->key.n != y->key.n)
        return x->key.n < y->key.n ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

/* Sorted, so that a map of 50,000 keys takes no 50,000 squared comparisons. */
static int yaml_check_keys(reader *r, const node *map)
{
    size_t n = 0;

    if (map->n < 2)
        return 0;
    /* NOLINTBEGIN(bugprone-sizeof-expression): pointers are what is sorted */
    const node **sorted = calloc(map->n, sizeof(*sorted));
    if (!sorted)
        return yaml_no_memory(r);
    for (const node *it = map->first; it; it = it->next)
        sorted[n++] = it;
    qsort(sorted, n, sizeof(*sorted), node_by_key);
    /* NOLINTEND(bugprone-sizeof-expression) */
    int err = 0;
    for (size_t i = 1; i < n && err == 0; i++)
        if (str_eq(sorted[i - 1]->key, sorted[i]->key))
            err = node_fail(r->file, sorted[i], r->f, "this key is there twice, first in line %d",
                            sorted[i - 1]->line);
    free(sorted);
    return err;
}

static int yaml_end(reader *r)
{
    if (r->open->kind == NODE_MAP && yaml_check_keys(r, r->open) < 0)
        return -1;
    r->open = r->open->parent;
    r->depth--;
    return 0;
}

/* Anchors and tags can hang on any value. */
static int yaml_check_extras(const reader *r, const yaml_event_t *e, const yaml_char_t *anchor,
                             const yaml_char_t *tag)
{
    if (anchor)
        return yaml_fail(r, &e->start_mark, "anchors (&name) are not allowed; write the value out");
    if (tag)
        return yaml_fail(r, &e->start_mark, "tags (!name) are not allowed; quote the value");
    return 0;
}

static int yaml_event(reader *r, const yaml_event_t *e)
{
    int err = 0;

    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (r->root)
            err = yaml_fail(r, &e->start_mark,
                            "a second document starts here; the file holds one only");
        return err;
    case YAML_ALIAS_EVENT:
        return yaml_fail(r, &e->start_mark,
                         "aliases (*name) are not allowed; write the value out, or quote the star");
    case YAML_SCALAR_EVENT:
        err = yaml_check_extras(r, e, e->data.scalar.anchor, e->data.scalar.tag);
        return err < 0 ? err : yaml_scalar(r, e);
    case YAML_SEQUENCE_START_EVENT:
        err = yaml_check_extras(r, e, e->data.sequence_start.anchor, e->data.sequence_start.tag);
        return err < 0 ? err : yaml_begin(r, NODE_LIST, e);
    case YAML_MAPPING_START_EVENT:
        err = yaml_check_extras(r, e, e->data.mapping_start.anchor, e->data.mapping_start.tag);
        return err < 0 ? err : yaml_begin(r, NODE_MAP, e);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return yaml_end(r);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return 0;
}

static int yaml_read_all(reader *r)
{
    for (bool ended = false; !ended;) {
        yaml_event_t e;
        if (!yaml_parser_parse(&r->parser, &e))
            return yaml_fail_syntax(r);
        ended = e.type == YAML_STREAM_END_EVENT;
        int err = yaml_event(r, &e);
        yaml_event_delete(&e);
        if (err < 0)
            return err;
    }
    return 0;
}

int config_yaml_read(const char *file, str text, arena *memory, node **ret, failure *f)
{
    reader r = { .file = file, .text = text, .memory = memory, .f = f };

    if (text.n > CONFIG_MAX_BYTES)
        return failure_set(f, EXIT_CONFIG, "%s: larger than 1 MiB", file);
    if (!yaml_parser_initialize(&r.parser))
        return yaml_no_memory(&r);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
    int err = yaml_read_all(&r);
    yaml_parser_delete(&r.parser);
    if (err == 0)
        *ret = r.root;
    return err;
}
