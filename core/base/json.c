/* json.c -- reading and writing with jansson, strictly. */
#include "core/base/json.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

/* jansson's words where a client's programmer knows better ones. */
/* clang-format off */
static const struct {
    const char *theirs, *ours;
} texts[] = {
    { "invalid token",        "Expecting value" },
    { "unexpected token",     "Expecting value" },
    { "end of file expected", "Extra data" },
    { "premature end",        "Unexpected end of input" },
    { "maximum parsing depth", "Nesting too deep" },
};
/* clang-format on */

static const char *text_of(const json_error_t *e)
{
    for (size_t i = 0; i < COUNT(texts); i++)
        if (str_starts(str_of(e->text), str_of(texts[i].theirs)))
            return texts[i].ours;
    return e->text;
}

/* jansson quotes the client's bytes behind "near", and a few of them elsewhere: perhaps half a
 * character. */
static void text_clean(char *text)
{
    char *near = strstr(text, " near '");

    if (near)
        *near = '\0';
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

parley_json *json_read(str text, char *ret_why, size_t why_size)
{
    json_error_t e;
    json_t *j = json_loadb(text.p ? text.p : "", text.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);

    if (j)
        return (parley_json *)(void *)j;
    text_clean(e.text);
    if (why_size)
        (void)snprintf(ret_why, why_size, "%s: line %d column %d (char %d)", text_of(&e),
                       e.line > 0 ? e.line : 1, e.column > 0 ? e.column : 1,
                       e.position > 0 ? e.position - 1 : 0);
    return NULL;
}

typedef struct writing {
    buf *to;
    int err; /* of the append that failed */
} writing;

static int json_written(const char *bytes, size_t n, void *ud)
{
    writing *w = ud;

    w->err = buf_add(w->to, (str){ bytes, n });
    return w->err;
}

int json_write(const parley_json *j, buf *ret)
{
    const json_t *tree = (const json_t *)(const void *)j;
    writing w = { .to = ret };
    size_t before = ret->n;

    if (json_dump_callback(tree, json_written, &w, JSON_COMPACT | JSON_ENCODE_ANY) == 0)
        return 0;
    ret->n = before;
    ret->failed = true;
    return w.err < 0 ? w.err : -ENOMEM;
}

void json_release(parley_json *j)
{
    json_decref((json_t *)(void *)j);
}
