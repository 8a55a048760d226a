/* text.c -- the SQL texts that plugins have prepared: checked here as far as that goes without a
 * server; the server's own check comes when a connection prepares them. */
#include "plugins/postgres/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TYPE_UUID = 2950 };

/* Loop thread only.  The array may move when it grows; the texts do not. */
static struct {
    pgtext **list;
    uint32_t n;
} texts;

typedef struct scan {
    const char *at;
    uint32_t highest;
    char seen[TEXT_PARAMS_MAX + 1];
    char first[16]; /* word */
    int writes;     /* INSERT, UPDATE or DELETE is among the words */
    const char *why;
} scan;

static void scan_quoted(scan *s)
{
    char quote = *s->at++;

    while (*s->at && *s->at != quote)
        s->at++;
    if (*s->at)
        s->at++;
    else
        s->why = "a quote is not closed";
}

static void scan_param(scan *s)
{
    char *end = NULL;
    unsigned long n = strtoul(s->at + 1, &end, 10);

    if (end == s->at + 1 || n == 0 || n > TEXT_PARAMS_MAX) {
        s->why = "parameters must be $1, $2, ... without a gap";
        end = end > s->at ? end : (char *)(uintptr_t)(s->at + 1);
    } else {
        s->seen[n] = 1;
        s->highest = n > s->highest ? (uint32_t)n : s->highest;
    }
    s->at = end;
}

static void scan_word(scan *s)
{
    static const char *const writing[] = { "INSERT", "UPDATE", "DELETE", "MERGE" };
    const char *from = s->at;

    while (isalnum((unsigned char)*s->at) || *s->at == '_')
        s->at++;
    size_t n = (size_t)(s->at - from);
    if (!s->first[0])
        (void)snprintf(s->first, sizeof(s->first), "%.*s", (int)n, from);
    for (size_t i = 0; i < sizeof(writing) / sizeof(writing[0]); i++)
        s->writes |= strlen(writing[i]) == n && strncasecmp(from, writing[i], n) == 0;
}

static void scan_text(scan *s)
{
    while (*s->at && !s->why) {
        if (*s->at == '\'' || *s->at == '"')
            scan_quoted(s);
        else if (*s->at == '$')
            scan_param(s);
        else if (isalpha((unsigned char)*s->at) || *s->at == '_')
            scan_word(s);
        else if (*s->at == ';' && s->at[1 + strspn(s->at + 1, " \t\r\n;")] != '\0')
            s->why = "one statement at a time, please: there is text after the first";
        else
            s->at++;
    }
    for (uint32_t i = 1; i <= s->highest && !s->why; i++)
        if (!s->seen[i])
            s->why = "parameters must be $1, $2, ... without a gap";
}

static const char *scan_verdict(const scan *s)
{
    static const char *const allowed[] = {
        "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES"
    };

    if (s->why)
        return s->why;
    if (!s->first[0])
        return "no statement in it";
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        if (strcasecmp(s->first, allowed[i]) == 0)
            return NULL;
    return "only SELECT, VALUES, INSERT, UPDATE, DELETE and WITH stay inside their transaction";
}

static pgtext *text_keep(const char *sql, const scan *s)
{
    pgtext **bigger = realloc(texts.list, (texts.n + 1) * sizeof(pgtext *));
    pgtext *text = bigger ? calloc(1, sizeof(*text)) : NULL;

    if (bigger)
        texts.list = bigger;
    if (!text)
        return NULL;
    text->types = calloc((size_t)s->highest + 1, sizeof(*text->types));
    if (!text->types) {
        free(text);
        return NULL;
    }
    texts.list[texts.n++] = text;
    text->sql = sql;
    text->id = texts.n;
    text->param_n = s->highest;
    text->is_readonly = !s->writes;
    (void)snprintf(text->name, sizeof(text->name), "p%u", text->id);
    return text;
}

pgtext *text_add(const char *sql, const char **ret_why)
{
    scan s = { .at = sql };

    scan_text(&s);
    *ret_why = scan_verdict(&s);
    if (*ret_why)
        return NULL;
    pgtext *text = text_keep(sql, &s);
    if (!text)
        *ret_why = "out of memory";
    return text;
}

pgtext *text_find(uint32_t id)
{
    return id == 0 || id > texts.n ? NULL : texts.list[id - 1];
}

uint32_t text_count(void)
{
    return texts.n;
}

void text_set_good(pgtext *text, const PGresult *described)
{
    int n = PQnparams(described);

    for (int i = 0; i < n && (uint32_t)i < text->param_n; i++)
        text->types[i] = PQparamtype(described, i);
    text->state = TEXT_GOOD;
}

void text_set_wrong(pgtext *text, const char *why)
{
    text->state = TEXT_WRONG;
    (void)snprintf(text->why, sizeof(text->why), "%s", why);
}

static int is_uuid(const char *p)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t i = 0;

    for (; shape[i]; i++)
        if (shape[i] == '-' ? p[i] != '-' : !isxdigit((unsigned char)p[i]))
            return 0;
    return p[i] == '\0';
}

int text_takes(const pgtext *text, uint32_t param, const char *value)
{
    return text->types[param] != TYPE_UUID || is_uuid(value);
}

void text_free_all(void)
{
    for (uint32_t i = 0; i < texts.n; i++) {
        free(texts.list[i]->types);
        free(texts.list[i]);
    }
    free(texts.list);
    texts.list = NULL;
    texts.n = 0;
}
