/* verb_args.c -- the words behind a verb's name -> values, checked against its tables by the same
 * code as the YAML's (option_check.c), and values -> words, for the process that will run it.
 *
 *   --max-age 7d   --max-age=7d   --dry-run   --no-dry-run   OPERAND   -- OPERAND   */
#include "core/host/verb.h"

#include "core/base/log.h"
#include "core/host/suggest.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHOWN = 64 };

typedef struct reader {
    const verb *verb;
    const verb_context *context;
    verb_args *into;
    size_t operand_at; /* the next operand goes to this row of the operands */
    failure *f;
} reader;

/* ---- what goes wrong ---- */

__attribute__((format(printf, 2, 3))) static int args_fail(const reader *r, const char *fmt, ...)
{
    char text[480];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return failure_set(r->f, EXIT_USAGE, "parley %s: %s", r->verb->is.name, text);
}

static int args_no_memory(const reader *r)
{
    return failure_set(r->f, EXIT_SYSTEM, "parley %s: the command line is too long",
                       r->verb->is.name);
}

/* A word as an error may show it. */
static const char *shown(str word, char ret[SHOWN + 1])
{
    ret[log_escape(word, ret, SHOWN)] = '\0';
    return ret;
}

/* "--max-age", or "ROOM" */
static const char *row_words(const reader *r, const verb_value *value, char ret[SHOWN + 1])
{
    bool is_option = value < r->into->values + r->into->option_n;
    buf words;

    buf_init(&words, SHOWN);
    if (is_option)
        verb_option_words(value->row, &words);
    else
        for (const char *at = value->row->name; *at; at++)
            (void)buf_byte(&words, *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at);
    (void)snprintf(ret, SHOWN + 1, STR_FMT, STR_ARG(buf_str(&words)));
    buf_done(&words);
    return ret;
}

/* ---- one value ---- */

/* A path as the verb gets it: absolute. */
static int value_path(const reader *r, str *text)
{
    if (text->n > 0 && text->p[0] == '/')
        return 0;
    if (!r->context || text->n == 0)
        return args_fail(r, "a path is empty, or not absolute");
    size_t folder_n = strlen(r->context->folder);
    char *joined = arena_alloc(&r->into->memory, folder_n + text->n + 2);
    if (!joined)
        return args_no_memory(r);
    memcpy(joined, r->context->folder, folder_n);
    joined[folder_n] = '/';
    memcpy(joined + folder_n + 1, text->p, text->n);
    *text = (str){ joined, folder_n + 1 + text->n };
    return 0;
}

/* `line` is the place of one read from standard input; the value is a copy. */
static int value_secret(const reader *r, const verb_value *value, char line[VERB_SECRET_MAX],
                        str *text)
{
    char name[SHOWN + 1];

    if (!r->context || !str_eq(*text, STR("-")))
        return 0;
    if (r->context->secret_line(line, text) < 0)
        return args_fail(r, "%s is to be read from standard input, but there is no line",
                         row_words(r, value, name));
    return 0;
}

static int value_keep(const reader *r, verb_value *value, str text)
{
    bool is_full = (value->n & (value->n - 1)) == 0; /* the room is a power of two */
    str copy = arena_str(&r->into->memory, text);

    if (!copy.p)
        return args_no_memory(r);
    if (is_full) {
        str *more = arena_alloc(&r->into->memory, (value->n ? 2 * value->n : 1) * sizeof(*more));
        if (!more)
            return args_no_memory(r);
        if (value->n > 0)
            memcpy(more, value->all, value->n * sizeof(*more));
        value->all = more;
    }
    value->all[value->n++] = copy;
    return 0;
}

static int value_check(const reader *r, verb_value *value, str text)
{
    const parley_option *o = value->row;
    char why[OPTION_WHY];
    char name[SHOWN + 1];

    if (value->n > 0 && !(o->flags & PARLEY_O_MANY))
        return args_fail(r, "%s stands twice", row_words(r, value, name));
    if ((o->flags & PARLEY_O_PATH) && value_path(r, &text) < 0)
        return -1;
    if (!utf8_valid(text))
        return args_fail(r, "%s is not valid UTF-8", row_words(r, value, name));
    if (text.n == 0 && o->type != PARLEY_T_STR)
        return args_fail(r, "%s is empty", row_words(r, value, name));
    if (value_keep(r, value, text) < 0)
        return -1;
    if (option_read(o, value->all[value->n - 1], &value->is, why) < 0)
        return args_fail(r, "%s: %s", row_words(r, value, name), why);
    return 0;
}

static int value_set(const reader *r, verb_value *value, str text)
{
    char line[VERB_SECRET_MAX];

    if (!(value->row->flags & PARLEY_O_SECRET))
        return value_check(r, value, text);
    int err = value_secret(r, value, line, &text);
    if (err == 0)
        err = value_check(r, value, text);
    sodium_memzero(line, sizeof(line));
    return err;
}

/* ---- options ---- */

/* '-' and '_' are one in an option's name. */
static bool name_same(const char *name, str written)
{
    if (strlen(name) != written.n)
        return false;
    for (size_t i = 0; i < written.n; i++)
        if (name[i] != (written.p[i] == '-' ? '_' : written.p[i]))
            return false;
    return true;
}

static verb_value *option_find(const reader *r, str name)
{
    for (size_t i = 0; i < r->into->option_n; i++)
        if (name_same(r->into->values[i].row->name, name))
            return &r->into->values[i];
    return NULL;
}

static int option_unknown(const reader *r, str word)
{
    suggest near = suggest_for(word);
    char text[SHOWN + 1];
    char best_text[SHOWN + 1];
    buf names;

    buf_init(&names, 1u << 16);
    for (size_t i = 0; i < r->into->option_n; i++) {
        verb_option_words(r->into->values[i].row, &names);
        (void)buf_byte(&names, ' ');
    }
    str rest = buf_str(&names), one = STR_NONE;
    while (str_cut(rest, ' ', &one, &rest))
        suggest_offer(&near, one);
    str best = suggest_best(&near);
    if (best.p)
        (void)args_fail(r, "unknown option %s; did you mean %s?", shown(word, text),
                        shown(best, best_text));
    else
        (void)args_fail(r, "unknown option %s; `parley %s --help` lists the known ones",
                        shown(word, text), r->verb->is.name);
    buf_done(&names);
    return -1;
}

/* "--name", "--name=value" or "--no-name"; how many further words it took, -1: f filled. */
static int option_take(const reader *r, str word, const str *next)
{
    char text[SHOWN + 1];
    str name = str_tail(word, 2), given = STR_NONE;
    bool has_value = str_cut(name, '=', &name, &given);
    verb_value *value = option_find(r, name);

    if (!value && str_starts(name, STR("no-")) && !has_value) {
        value = option_find(r, str_tail(name, 3));
        if (value && value->row->type == PARLEY_T_BOOL)
            return value_set(r, value, STR("false"));
        value = NULL;
    }
    if (!value)
        return option_unknown(r, (str){ word.p, name.n + 2 });
    if (has_value)
        return value_set(r, value, given);
    if (value->row->type == PARLEY_T_BOOL)
        return value_set(r, value, STR("true"));
    if (!next)
        return args_fail(r, "%s needs a value", row_words(r, value, text));
    return value_set(r, value, *next) < 0 ? -1 : 1;
}

/* ---- operands ---- */

static int operand_take(reader *r, str word)
{
    size_t i = r->into->option_n + r->operand_at;
    char text[SHOWN + 1];

    if (i >= r->into->n)
        return args_fail(r,
                         "\"%s\" is one operand too many; `parley %s --help` tells what it takes",
                         shown(word, text), r->verb->is.name);
    verb_value *value = &r->into->values[i];
    if (!(value->row->flags & PARLEY_O_MANY))
        r->operand_at++;
    return value_set(r, value, word);
}

static bool is_option_word(str word)
{
    return word.n > 1 && word.p[0] == '-' && !(word.p[1] >= '0' && word.p[1] <= '9');
}

static int words_take(reader *r, const str *words, size_t n)
{
    bool only_operands = false;

    for (size_t i = 0; i < n; i++) {
        int took = 0;
        if (only_operands || !is_option_word(words[i]))
            took = operand_take(r, words[i]);
        else if (str_eq(words[i], STR("--")))
            only_operands = true;
        else if (!str_starts(words[i], STR("--")))
            took = option_unknown(r, words[i]);
        else
            took = option_take(r, words[i], i + 1 < n ? &words[i + 1] : NULL);
        if (took < 0)
            return -1;
        i += (size_t)took;
    }
    return 0;
}

/* ---- what was not written ---- */

static int default_take(const reader *r, verb_value *value)
{
    char why[OPTION_WHY];
    char name[SHOWN + 1];
    const parley_option *o = value->row;

    if (value->n > 0)
        return 0;
    if (o->flags & PARLEY_O_REQUIRED)
        return args_fail(r, "%s is missing%s%s", row_words(r, value, name), o->help ? ": " : "",
                         o->help ? o->help : "");
    if (!o->def)
        return 0;
    if (option_read(o, str_of(o->def), &value->is, why) < 0)
        return args_fail(r, "%s has a wrong default, a mistake in the plugin: %s",
                         row_words(r, value, name), why);
    return 0;
}

static int args_fill(reader *r, const str *words, size_t n)
{
    const verb *v = r->verb;
    verb_args *a = r->into;

    a->option_n = v->is.option_n;
    a->n = v->is.option_n + v->is.operand_n;
    a->values = arena_alloc(&a->memory, (a->n + 1) * sizeof(*a->values));
    if (!a->values)
        return args_no_memory(r);
    for (uint32_t i = 0; i < v->is.option_n; i++)
        a->values[i].row = verb_option(v, i);
    for (uint32_t i = 0; i < v->is.operand_n; i++)
        a->values[a->option_n + i].row = verb_operand(v, i);
    if (words_take(r, words, n) < 0)
        return -1;
    for (size_t i = 0; i < a->n; i++)
        if (default_take(r, &a->values[i]) < 0)
            return -1;
    return 0;
}

int verb_args_read(const verb *v, const str *words, size_t n, const verb_context *context,
                   verb_args **ret, failure *f)
{
    reader r = { .verb = v, .context = context, .f = f };

    r.into = calloc(1, sizeof(*r.into));
    if (!r.into)
        return args_no_memory(&r);
    arena_init(&r.into->memory, 2 * (size_t)VERB_ARGS_MAX);
    if (args_fill(&r, words, n) < 0) {
        verb_args_free(r.into);
        return -1;
    }
    *ret = r.into;
    return 0;
}

void verb_args_free(verb_args *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < a->values[i].n && (a->values[i].row->flags & PARLEY_O_SECRET); j++)
            sodium_memzero((void *)(uintptr_t)a->values[i].all[j].p, a->values[i].all[j].n);
    arena_done(&a->memory);
    free(a);
}

void verb_args_write(const verb_args *a, buf *ret)
{
    for (size_t i = 0; i < a->n; i++) {
        const verb_value *value = &a->values[i];
        if (i == a->option_n)
            (void)buf_add(ret, (str){ "--\0", 3 });
        for (size_t j = 0; j < value->n; j++) {
            if (i < a->option_n) {
                verb_option_words(value->row, ret);
                (void)buf_byte(ret, '=');
            }
            (void)buf_add(ret, value->all[j]);
            (void)buf_byte(ret, '\0');
        }
    }
}

const verb_value *verb_args_find(const verb_args *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->values[i].row->name, name) == 0)
            return &a->values[i];
    log_msg(PARLEY_ERROR, "a verb asks for an option it did not declare: %s", name);
    return NULL;
}
