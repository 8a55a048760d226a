/* verbs.c -- verbs that plugins register in load(); finding one by the words of a command line, and
 * its help. */
#include "core/host/verb.h"

#include "core/host/inside.h"
#include "core/host/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_MAX_BYTES = 64, USAGE_COLUMN = 26 };

/* ---- registration ---- */

static const parley_option *row_at(const parley_option *rows, uint32_t i, uint32_t stride)
{
    return (const parley_option *)(const void *)((const char *)rows + (size_t)i * stride);
}

const parley_option *verb_option(const verb *v, uint32_t i)
{
    return row_at(v->is.options, i, v->is.option_stride);
}

const parley_option *verb_operand(const verb *v, uint32_t i)
{
    return row_at(v->is.operands, i, v->is.operand_stride);
}

/* One to three words of [a-z][a-z0-9-]*, single spaces between them. */
static bool name_is_good(const char *name)
{
    size_t words = 0;

    for (const char *at = name;; at++, words++) {
        size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-");
        if (n == 0 || !islower((unsigned char)at[0]))
            return false;
        at += n;
        if (*at == '\0')
            return words < VERB_WORDS_MAX && (size_t)(at - name) <= NAME_MAX_BYTES;
        if (*at != ' ')
            return false;
    }
}

/* A mistake in a row of a verb's table, NULL: none. */
static const char *row_mistake(const parley_option *o, bool is_operand)
{
    const char *mistake = option_mistake(o);

    if (mistake)
        return mistake;
    if (o->type == PARLEY_T_TREE)
        return "a tree is not for verbs";
    if (strcmp(o->name, "config") == 0 || strcmp(o->name, "env_file") == 0 ||
        strcmp(o->name, "help") == 0)
        return "this name is the server's (config, env_file, help)";
    if (is_operand && o->type == PARLEY_T_BOOL)
        return "an operand that is a bool says nothing";
    if ((o->flags & PARLEY_O_PATH) && o->type != PARLEY_T_STR)
        return "a path is a text";
    return NULL;
}

static const parley_option *row_of(const verb *v, uint32_t i)
{
    return i < v->is.option_n ? verb_option(v, i) : verb_operand(v, i - v->is.option_n);
}

/* Names are unique in both tables; required operands come first, one that takes many last. */
static const char *tables_mistake(const verb *v, const char **ret_name)
{
    uint32_t n = v->is.option_n + v->is.operand_n;

    for (uint32_t i = 0; i < n; i++) {
        const parley_option *o = row_of(v, i);
        bool is_operand = i >= v->is.option_n;
        const parley_option *before = i > v->is.option_n ? row_of(v, i - 1) : NULL;
        const char *mistake = row_mistake(o, is_operand);
        *ret_name = o->name ? o->name : "";
        if (mistake)
            return mistake;
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(row_of(v, j)->name, o->name) == 0)
                return "the name stands twice";
        if (before && (o->flags & PARLEY_O_REQUIRED) && !(before->flags & PARLEY_O_REQUIRED))
            return "required operands come first";
        if (before && (before->flags & PARLEY_O_MANY))
            return "only the last operand takes many";
    }
    return NULL;
}

static int verb_refuse(plugin *p, const verb *v)
{
    const char *row = "";
    const char *mistake = tables_mistake(v, &row);

    if (!mistake)
        return 0;
    return register_refuse(p, PARLEY_EINVAL, "the verb \"%s\" has a wrong option \"%.64s\": %s.",
                           v->is.name, row, mistake);
}

static int verb_add(plugin *p, const parley_verb *given)
{
    host *h = p->host;
    size_t label_size = sizeof("verb ") + strlen(given->name);
    verb v = { .owner = p, .is = *given };

    if (verb_refuse(p, &v) < 0)
        return PARLEY_EINVAL;
    for (size_t i = 0; i < h->verb_n; i++)
        if (strcmp(h->verbs[i].is.name, given->name) == 0)
            return register_refuse(p, PARLEY_EEXIST,
                                   "the verb \"%s\" is already registered by plugin \"%s\".",
                                   given->name, h->verbs[i].owner->def->name);
    v.label = malloc(label_size);
    verb *more = v.label ? realloc(h->verbs, (h->verb_n + 1) * sizeof(*more)) : NULL;
    if (!more) {
        free(v.label);
        return PARLEY_ENOMEM;
    }
    (void)snprintf(v.label, label_size, "verb %s", given->name);
    h->verbs = more;
    h->verbs[h->verb_n++] = v;
    return PARLEY_OK;
}

static int api_verb(parley_ctx *p, const parley_verb *given)
{
    parley_verb v = { 0 };
    int err = register_phase(p, "verb()", "verbs");

    if (err < 0)
        return err;
    if (!given || given->size < offsetof(parley_verb, ud))
        return PARLEY_EINVAL;
    memcpy(&v, given, given->size < sizeof(v) ? given->size : sizeof(v));
    if (!v.name || !name_is_good(v.name))
        return register_refuse(
            p, PARLEY_EINVAL,
            "the verb \"%.64s\" is no name: one to three words of [a-z][a-z0-9-]*.",
            v.name ? v.name : "");
    if (!v.fn || !v.about)
        return register_refuse(p, PARLEY_EINVAL, "the verb \"%s\" has no %s.", v.name,
                               v.fn ? "about" : "function");
    if (v.flags & ~(uint32_t)(PARLEY_V_OFFLINE | PARLEY_V_BARE))
        return register_refuse(p, PARLEY_EINVAL, "the verb \"%s\" has an unknown flag.", v.name);
    return verb_add(p, &v);
}

void verbs_drop(host *h, const plugin *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < h->verb_n; i++)
        if (p && h->verbs[i].owner != p)
            h->verbs[kept++] = h->verbs[i];
        else
            free(h->verbs[i].label);
    h->verb_n = kept;
    if (p)
        return;
    free(h->verbs);
    h->verbs = NULL;
}

/* ---- finding ---- */

size_t host_verb_n(const host *h)
{
    return h->verb_n;
}

const verb *host_verb(const host *h, size_t i)
{
    return i < h->verb_n ? &h->verbs[i] : NULL;
}

/* How many words of `words` are this name; 0: they are another one. */
static size_t name_match(const char *name, const str *words, size_t n)
{
    str rest = str_of(name);
    size_t taken = 0;

    while (rest.p) {
        str word = rest, tail = STR_NONE;
        if (!str_cut(rest, ' ', &word, &tail))
            word = rest;
        if (taken == n || !str_eq(word, words[taken]))
            return 0;
        taken++;
        rest = tail;
    }
    return taken;
}

const verb *verb_find(const host *h, const str *words, size_t n, size_t *ret_words)
{
    const verb *best = NULL;

    *ret_words = 0;
    for (size_t i = 0; i < h->verb_n; i++) {
        size_t taken = name_match(h->verbs[i].is.name, words, n);
        if (taken <= *ret_words)
            continue;
        *ret_words = taken;
        best = &h->verbs[i];
    }
    return best;
}

/* Compared with as many of the words as the name has. */
str verb_suggest(const host *h, const str *words, size_t n)
{
    suggest best = { .distance = SIZE_MAX };
    str found = STR_NONE;

    for (size_t i = 0; i < h->verb_n; i++) {
        str name = str_of(h->verbs[i].is.name);
        size_t want = 1;
        buf typed;
        for (size_t at = 0; at < name.n; at++)
            want += name.p[at] == ' ';
        buf_init(&typed, 4096);
        for (size_t w = 0; w < want && w < n; w++)
            (void)buf_addf(&typed, "%s" STR_FMT, w ? " " : "", STR_ARG(words[w]));
        suggest one = suggest_for(buf_str(&typed));
        suggest_offer(&one, name);
        if (suggest_best(&one).p && (!found.p || one.distance < best.distance)) {
            best = one;
            found = name;
        }
        buf_done(&typed);
    }
    return found;
}

/* ---- help ---- */

void verb_option_words(const parley_option *o, buf *ret)
{
    (void)buf_add(ret, STR("--"));
    for (const char *at = o->name; *at; at++)
        (void)buf_byte(ret, *at == '_' ? '-' : *at);
}

static void usage_operand_name(const parley_option *o, buf *ret)
{
    bool is_optional = !(o->flags & PARLEY_O_REQUIRED);

    (void)buf_add(ret, is_optional ? STR(" [") : STR(" "));
    for (const char *at = o->name; *at; at++)
        (void)buf_byte(ret, (char)toupper((unsigned char)*at));
    if (o->flags & PARLEY_O_MANY)
        (void)buf_add(ret, STR("..."));
    if (is_optional)
        (void)buf_add(ret, STR("]"));
}

/* "  --limit VALUE        mails at the most (int, 1..1000, default 20)" */
static void usage_row(const parley_option *o, bool is_operand, buf *ret)
{
    size_t start = ret->n;

    (void)buf_add(ret, STR("  "));
    if (is_operand) {
        for (const char *at = o->name; *at; at++)
            (void)buf_byte(ret, (char)toupper((unsigned char)*at));
    } else {
        verb_option_words(o, ret);
        if (o->type != PARLEY_T_BOOL)
            (void)buf_add(ret, STR(" VALUE"));
    }
    do
        (void)buf_byte(ret, ' ');
    while (ret->n - start < USAGE_COLUMN && !ret->failed);
    (void)buf_addf(ret, "%s", o->help ? o->help : "");
    if (o->type == PARLEY_T_BOOL && !o->def) {
        (void)buf_byte(ret, '\n');
        return;
    }
    (void)buf_add(ret, STR(" ("));
    option_describe_value(o, ret);
    if (!is_operand && (o->flags & PARLEY_O_REQUIRED))
        (void)buf_add(ret, STR(", required"));
    if (o->def && o->def[0])
        (void)buf_addf(ret, ", default %s", o->def);
    if (o->flags & PARLEY_O_MANY)
        (void)buf_add(ret, is_operand ? STR(", one or more") : STR(", may stand several times"));
    (void)buf_add(ret, STR(")\n"));
}

static const char *usage_where(uint32_t flags)
{
    if (flags & PARLEY_V_OFFLINE)
        return "Only while no server uses the data folder.\n";
    return flags & PARLEY_V_BARE
               ? "Runs by itself, beside a running server too.\n"
               : "Runs inside the server if one runs in the data folder, else by itself.\n";
}

void verb_usage(const verb *v, buf *ret)
{
    const char *details = v->is.details ? v->is.details : "";
    size_t n = strlen(details);

    (void)buf_addf(ret, "Usage: parley %s [options]", v->is.name);
    for (uint32_t i = 0; i < v->is.operand_n; i++)
        usage_operand_name(verb_operand(v, i), ret);
    (void)buf_addf(ret, "\n\n%s: %s.\n%s%s%s", v->owner->def->name, v->is.about, details,
                   n > 0 && details[n - 1] != '\n' ? "\n" : "", usage_where(v->is.flags));
    if (v->is.operand_n > 0)
        (void)buf_add(ret, STR("\nOperands:\n"));
    for (uint32_t i = 0; i < v->is.operand_n; i++)
        usage_row(verb_operand(v, i), true, ret);
    (void)buf_add(ret, STR("\nOptions:\n"));
    for (uint32_t i = 0; i < v->is.option_n; i++)
        usage_row(verb_option(v, i), false, ret);
}

void api_fill_verbs(parley_api *api)
{
    api->verb = api_verb;
}
