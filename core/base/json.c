/* json.c -- reading and writing with jansson, strictly. */
#include "core/base/json.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

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

/* ---- reading ---- */

/* What the library allocates while it reads into an arena is never freed by itself: a message's tree
 * is some fifteen pieces, and hundreds of messages wait for the same commit. */
static _Thread_local arena *reading_into;

static void *memory_take(size_t n)
{
    return reading_into ? arena_raw(reading_into, n) : malloc(n);
}

static void memory_give(void *p)
{
    if (!reading_into)
        free(p);
}

void json_memory(void)
{
    json_set_alloc_funcs(memory_take, memory_give);
}

const parley_json *json_read_into(arena *memory, str text, char *ret_why, size_t why_size)
{
    reading_into = memory;
    const parley_json *j = json_read(text, ret_why, why_size);
    reading_into = NULL;
    return j;
}

parley_json *json_read(str text, char *ret_why, size_t why_size)
{
    json_error_t e;
    json_t *j = json_loadb(text.p ? text.p : "", text.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);

    if (j)
        return (parley_json *)(void *)j;
    text_clean(e.text);
    if (e.text[0] == '\0')
        (void)snprintf(ret_why, why_size, "no memory");
    else if (why_size)
        (void)snprintf(ret_why, why_size, "%s: line %d column %d (char %d)", text_of(&e),
                       e.line > 0 ? e.line : 1, e.column > 0 ? e.column : 1,
                       e.position > 0 ? e.position - 1 : 0);
    return NULL;
}

/* ---- writing ---- */

/* Not jansson's own: it looks for loops in every object and hands out a text in tiny pieces, which
 * is most of what a message costs the loop.  Trees made through the ABI have no loops. */

#define OF_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* Some byte is zero (Mycroft's test, exact for whether there is any). */
static bool has_zero(uint64_t eight)
{
    return ((eight - OF_EACH(1)) & ~eight & OF_EACH(0x80)) != 0;
}

static bool are_plain(const char *p)
{
    uint64_t eight;

    memcpy(&eight, p, sizeof(eight));
    bool has_control = ((eight - OF_EACH(0x20)) & ~eight & OF_EACH(0x80)) != 0;
    return !has_control && !has_zero(eight ^ OF_EACH('"')) && !has_zero(eight ^ OF_EACH('\\'));
}

static void write_escape(buf *to, unsigned char c)
{
    /* clang-format off */
    static const char letters[256] = {
        ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
    };
    /* clang-format on */

    if (letters[c])
        (void)buf_add(to, (str){ (const char[]){ '\\', letters[c] }, 2 });
    else
        (void)buf_addf(to, "\\u%04X", (unsigned)c);
}

static void write_string(buf *to, const char *p, size_t n)
{
    size_t from = 0;

    (void)buf_byte(to, '"');
    for (size_t i = 0; i < n; i++) {
        while (i + sizeof(uint64_t) <= n && are_plain(p + i))
            i += sizeof(uint64_t);
        if (i == n || is_plain((unsigned char)p[i]))
            continue;
        (void)buf_add(to, (str){ p + from, i - from });
        write_escape(to, (unsigned char)p[i]);
        from = i + 1;
    }
    (void)buf_add(to, (str){ p + from, n - from });
    (void)buf_byte(to, '"');
}

static void write_integer(buf *to, int64_t value)
{
    char digits[24];
    char *at = digits + sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0)
        *--at = '-';
    (void)buf_add(to, (str){ at, (size_t)(digits + sizeof(digits) - at) });
}

/* As jansson writes it: 17 digits, always with a point or an exponent. */
static void write_real(buf *to, const json_t *j)
{
    char text[64];
    size_t n = json_dumpb(j, text, sizeof(text), JSON_ENCODE_ANY);

    (void)buf_add(to, (str){ text, n < sizeof(text) ? n : 0 });
}

static void write_value(buf *to, const json_t *j);

static void write_object(buf *to, json_t *j)
{
    bool is_first = true;

    (void)buf_byte(to, '{');
    for (void *it = json_object_iter(j); it; it = json_object_iter_next(j, it)) {
        if (!is_first)
            (void)buf_byte(to, ',');
        is_first = false;
        write_string(to, json_object_iter_key(it), json_object_iter_key_len(it));
        (void)buf_byte(to, ':');
        write_value(to, json_object_iter_value(it));
    }
    (void)buf_byte(to, '}');
}

static void write_array(buf *to, const json_t *j)
{
    size_t n = json_array_size(j);

    (void)buf_byte(to, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            (void)buf_byte(to, ',');
        write_value(to, json_array_get(j, i));
    }
    (void)buf_byte(to, ']');
}

static void write_value(buf *to, const json_t *j)
{
    switch (json_typeof(j)) {
    case JSON_OBJECT:
        write_object(to, (json_t *)(uintptr_t)j); /* its iterators take no const */
        break;
    case JSON_ARRAY:
        write_array(to, j);
        break;
    case JSON_STRING:
        write_string(to, json_string_value(j), json_string_length(j));
        break;
    case JSON_INTEGER:
        write_integer(to, json_integer_value(j));
        break;
    case JSON_REAL:
        write_real(to, j);
        break;
    case JSON_TRUE:
        (void)buf_add(to, STR("true"));
        break;
    case JSON_FALSE:
        (void)buf_add(to, STR("false"));
        break;
    case JSON_NULL:
        (void)buf_add(to, STR("null"));
        break;
    }
}

int json_write(const parley_json *j, buf *ret)
{
    size_t before = ret->n;

    if (j)
        write_value(ret, (const json_t *)(const void *)j);
    if (j && !ret->failed)
        return 0;
    ret->n = before;
    ret->failed = true;
    return j ? -EFBIG : -ENOMEM;
}

int json_join(const parley_jpart *parts, size_t n, buf *ret)
{
    size_t before = ret->n;

    for (size_t i = 0; i < n; i++) {
        const parley_jpart *part = &parts[i];

        if (part->kind == PARLEY_JP_INT)
            write_integer(ret, part->number);
        else if (part->kind == PARLEY_JP_TEXT && part->text.p)
            write_string(ret, part->text.p, part->text.n);
        else
            (void)buf_add(ret, part->kind == PARLEY_JP_TEXT ? STR("null") : part->text);
    }
    if (!ret->failed)
        return 0;
    ret->n = before;
    return -EFBIG;
}

void json_release(parley_json *j)
{
    json_decref((json_t *)(void *)j);
}
