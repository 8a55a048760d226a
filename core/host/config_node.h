/* config_node.h -- the YAML file as a tree that remembers where each value stands.  Internal to
 * core/host. */
#ifndef CORE_HOST_CONFIG_NODE_H
#define CORE_HOST_CONFIG_NODE_H
#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/failure.h"

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

/* One value.
 *
 * Owner: the arena it was read into; parents and children are in the same one.
 * Text:  of scalars, NUL-ended, without NUL inside; after expansion the expanded one. */
typedef struct node {
    int kind;         /* enum node_kind */
    int line, column; /* 1..; of the key where there is one, because that is where one looks */
    bool is_null;     /* a scalar that is plain and empty, `~` or `null`; its text is "" */
    str key;          /* in a map, else absent */
    str text;
    struct node *parent, *first, *last, *next;
    size_t n; /* children */
} node;

enum {
    CONFIG_MAX_BYTES = 1024 * 1024,
    CONFIG_MAX_DEPTH = 32,
    CONFIG_MAX_NODES = 100000,
    CONFIG_MAX_KEY = 128,                  /* bytes */
    CONFIG_MAX_VARIABLE = 64 * 1024,       /* bytes of a file that holds one variable */
    CONFIG_MAX_EXPANDED = 4 * 1024 * 1024, /* bytes, all expanded scalars together */
    CONFIG_MAX_MEMORY = 32 * 1024 * 1024,  /* bytes of the arena */
    CONFIG_MAX_PATH = 256                  /* bytes of "plugins.chat.max_text" as errors show it */
};

/* `text` as one YAML document.  -1: f filled; `file` is for its text.  *ret NULL: there is no
 * document. */
int config_yaml_read(const char *file, str text, arena *memory, node **ret, failure *f);

/* Replaces ${NAME} in all scalars, and refuses a DATABASE_URL, REDIS_URL or EMAIL_HOST that is set
 * and that nothing asked for. */
int config_expand(const char *file, node *root, arena *memory, failure *f);

/* Reads a whole file.
 *
 * ret      set up and filled on success only: buf_done().
 * returns  0, -EFBIG over `max` bytes, or another negative errno. */
int config_file_read(const char *path, size_t max, buf *ret);

/* A sentence about a variable or its file; never what is in it. */
typedef char config_why[400];
int config_why_set(config_why why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What the variable `name` holds: the environment, the file that <name>_FILE names, or the
 * credential parley_<name> in $CREDENTIALS_DIRECTORY.
 *
 * room     done or zero; what a file held, buf_done() after the last use of *ret.
 * ret      borrowed from the environment or from room; p NULL: it is nowhere.
 * returns  0; -1: why filled. */
int config_variable(const char *name, buf *room, str *ret, config_why why);
bool config_variable_given(const char *name); /* anywhere, and not empty */

node *node_find(const node *map, str key); /* NULL: no such key, or not a map */
/* "a.b[2].c" below `from`: the deepest node on that way that is there; never NULL. */
const node *node_walk(const node *from, str path);
/* "plugins.chat.scopes.login.on[2]"; entries of `plugins:` go by their names. */
void node_path(const node *of, buf *ret);
const char *node_kind_name(int kind); /* "text", "a list", "a map" */

/* "file:line: path: what"; path is left out where it is empty.  Returns -1. */
int node_fail(const char *file, const node *at, failure *f, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
#endif
