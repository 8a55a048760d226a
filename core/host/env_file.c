/* env_file.c -- the lines of an env file become variables. */
#include "core/host/env_file.h"

#include "core/host/config_node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 65536, NAME_SIZE = 128 };

typedef struct line {
    const char *path;
    int number;
    str left; /* what is not read yet */
    char name[NAME_SIZE];
    buf value;
    failure *f;
} line;

static int line_fail(const line *l, const char *why)
{
    return failure_set(l->f, EXIT_CONFIG, "%s:%d: %s%s%s", l->path, l->number, l->name,
                       l->name[0] ? ": " : "", why);
}

static void line_skip(line *l, size_t n)
{
    l->left = str_tail(l->left, n);
}

static void line_blanks(line *l)
{
    while (l->left.n > 0 && (l->left.p[0] == ' ' || l->left.p[0] == '\t'))
        line_skip(l, 1);
}

static bool name_byte(char c, bool is_first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (!is_first && c >= '0' && c <= '9');
}

/* "export NAME =" */
static int line_name(line *l)
{
    size_t n = 0;

    if (str_starts(l->left, STR("export ")) || str_starts(l->left, STR("export\t")))
        line_skip(l, sizeof("export ") - 1);
    line_blanks(l);
    while (n < l->left.n && name_byte(l->left.p[n], n == 0))
        n++;
    if (n == 0 || n >= NAME_SIZE)
        return line_fail(l, "must be NAME=VALUE, with a name of letters, digits and _");
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof(name), "%.*s", (int)n, l->left.p);
    line_skip(l, n);
    line_blanks(l);
    if (l->left.n == 0 || l->left.p[0] != '=')
        return line_fail(l, "must be NAME=VALUE: there is no = behind the name");
    memcpy(l->name, name, n + 1);
    line_skip(l, 1);
    line_blanks(l);
    return 0;
}

/* What \c between double quotes stands for; 0: nothing */
static char escaped(char c)
{
    static const char from[] = "nrt\"\\$", to[] = "\n\r\t\"\\$";
    const char *at = c ? strchr(from, c) : NULL;

    return at ? to[at - from] : '\0';
}

static int line_quoted(line *l, char quote)
{
    line_skip(l, 1);
    while (l->left.n > 0 && l->left.p[0] != quote) {
        char c = l->left.p[0];
        if (c == '\\' && quote == '"' && l->left.n > 1) {
            line_skip(l, 1);
            c = escaped(l->left.p[0]);
            if (c == '\0')
                return line_fail(l, "between double quotes a \\ goes before n, r, t, \", $ or \\; "
                                    "single quotes take everything as it stands");
        }
        (void)buf_byte(&l->value, c);
        line_skip(l, 1);
    }
    if (l->left.n == 0)
        return line_fail(l, "the quote is not closed on its line");
    line_skip(l, 1);
    line_blanks(l);
    if (l->left.n > 0 && l->left.p[0] != '#')
        return line_fail(l, "there is something behind the closing quote");
    return 0;
}

/* To the end, or to a # behind a blank. */
static void line_bare(line *l)
{
    size_t n = 0;

    while (n < l->left.n && !(l->left.p[n] == '#' &&
                              (n == 0 || l->left.p[n - 1] == ' ' || l->left.p[n - 1] == '\t')))
        n++;
    while (n > 0 && (l->left.p[n - 1] == ' ' || l->left.p[n - 1] == '\t'))
        n--;
    (void)buf_add(&l->value, (str){ l->left.p, n });
}

static int line_read(line *l)
{
    if (line_name(l) < 0)
        return -1;
    char first = l->left.n > 0 ? l->left.p[0] : '\0';
    if (first != '"' && first != '\'') {
        line_bare(l);
        return 0;
    }
    return line_quoted(l, first);
}

static str line_cut(str *text)
{
    str one = *text, rest = STR_NONE;

    if (!str_cut(*text, '\n', &one, &rest)) {
        one = *text;
        rest = (str){ text->p + text->n, 0 };
    }
    *text = rest;
    if (one.n > 0 && one.p[one.n - 1] == '\r')
        one.n--;
    return one;
}

int env_file_parse(const char *path, str text, env_file_fn fn, void *ud, failure *f)
{
    line l = { .path = path, .f = f };
    int err = 0;

    if (!utf8_valid(text) || memchr(text.p, '\0', text.n))
        return failure_set(f, EXIT_CONFIG, "%s: is not UTF-8 text", path);
    while (err == 0 && text.n > 0) {
        l.number++;
        l.name[0] = '\0';
        l.left = line_cut(&text);
        line_blanks(&l);
        if (l.left.n == 0 || l.left.p[0] == '#')
            continue;
        buf_init(&l.value, FILE_MOST + 1);
        err = line_read(&l);
        if (err == 0 && buf_byte(&l.value, '\0') < 0)
            err = failure_set(f, EXIT_SYSTEM, "%s: there is no memory left", path);
        if (err == 0)
            fn(ud, l.name, buf_str(&l.value).p);
        buf_done(&l.value);
    }
    return err;
}

static void variable_set(void *ud, const char *name, const char *value)
{
    (void)ud;
    (void)setenv(name, value, 0); /* NOLINT(concurrency-mt-unsafe): one thread yet */
}

int env_file_load(const char *path, failure *f)
{
    buf text;
    int err = config_file_read(path, FILE_MOST, &text);

    if (err == -EFBIG)
        return failure_set(f, EXIT_CONFIG, "--env-file %s: is larger than 64 KiB", path);
    if (err < 0)
        return failure_set(f, EXIT_CONFIG, "--env-file %s: cannot be read: %s", path,
                           strerrordesc_np(-err));
    err = text.n > 0 ? env_file_parse(path, buf_str(&text), variable_set, NULL, f) : 0;
    buf_done(&text);
    return err;
}
