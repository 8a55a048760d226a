/* completion.c -- `parley completion bash|zsh|fish`, from the tables of commands and verbs.
 *
 * What a shell needs is the same for all three: which words may follow which ("" -> user, room, ...;
 * "user" -> list, show, ...), and which options a command has.  Each writes it in its own language. */
#include "core/base/log.h"
#include "core/cli/cli.h"
#include "core/cli/verb_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MOST = 256, TEXT_MOST = 1 << 16 };

typedef struct entry { /* a command, or words that only begin some ("user") */
    buf name;          /* "user list", NUL-ended */
    const char *about; /* NULL: no command by itself */
    buf options;       /* " --json --limit", NUL-ended */
} entry;

typedef struct completion {
    entry entries[ENTRIES_MOST];
    size_t n;
    buf valued; /* options that take a value: " --config --limit" */
} completion;

static const char *text_of(const buf *b)
{
    return buf_str(b).p;
}

/* " list" has no place in " list-all". */
static bool has_word(const buf *words, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = words->n ? strstr(text_of(words), word) : NULL; at;
         at = strstr(at + 1, word))
        if ((at[n] == ' ' || at[n] == '\0') && (at == text_of(words) || at[-1] == ' '))
            return true;
    return false;
}

static void words_add(buf *words, const char *word)
{
    if (has_word(words, word))
        return;
    if (words->n > 0)
        words->n--; /* its NUL */
    (void)buf_addf(words, " %s", word);
    (void)buf_byte(words, '\0');
}

static entry *entry_add(completion *c, str name, const char *about)
{
    static entry spare; /* more commands than anybody has: they are left out */

    for (size_t i = 0; i < c->n; i++)
        if (str_eq(str_of(text_of(&c->entries[i].name)), name))
            return &c->entries[i];
    if (c->n == ENTRIES_MOST)
        return &spare;
    entry *e = &c->entries[c->n++];
    buf_init(&e->name, TEXT_MOST);
    buf_init(&e->options, TEXT_MOST);
    (void)buf_addf(&e->name, STR_FMT, STR_ARG(name));
    (void)buf_byte(&e->name, '\0');
    e->about = about;
    return e;
}

static void option_add(completion *c, entry *e, const char *words, bool has_value)
{
    words_add(&e->options, words);
    if (has_value)
        words_add(&c->valued, words);
}

/* The words that begin it come first: "user" before "user list". */
static entry *command_add(completion *c, const char *name, const char *about)
{
    for (const char *at = strchr(name, ' '); at; at = strchr(at + 1, ' '))
        (void)entry_add(c, (str){ name, (size_t)(at - name) }, NULL);
    entry *e = entry_add(c, str_of(name), about);
    option_add(c, e, "--env-file", true);
    option_add(c, e, "--help", false);
    return e;
}

static void collect_commands(completion *c)
{
    cli_shown shown;

    for (size_t i = 0; cli_command_nth(i, &shown); i++) {
        if (!shown.about)
            continue;
        entry *e = command_add(c, shown.name, shown.about);
        for (size_t k = 0; k < shown.option_n; k++) {
            char words[64];
            (void)snprintf(words, sizeof(words), "--%s", shown.options[k].name);
            option_add(c, e, words, shown.options[k].has_value);
        }
    }
}

/* What is true unless one says --no-... is completed so. */
static void verb_option_add(completion *c, entry *e, const parley_option *o)
{
    bool is_bool = o->type == PARLEY_T_BOOL;
    buf words;

    buf_init(&words, 256);
    verb_option_words(o, &words);
    (void)buf_byte(&words, '\0');
    if (is_bool && o->def && strcmp(o->def, "true") == 0) {
        char no[256];
        (void)snprintf(no, sizeof(no), "--no-%s", text_of(&words) + 2);
        option_add(c, e, no, false);
    } else {
        option_add(c, e, text_of(&words), !is_bool);
    }
    buf_done(&words);
}

static void collect_verbs(completion *c, const host *h)
{
    for (size_t i = 0; i < host_verb_n(h); i++) {
        const verb *v = host_verb(h, i);
        entry *e = command_add(c, v->is.name, v->is.about);
        option_add(c, e, "--config", true);
        for (uint32_t k = 0; k < v->is.option_n; k++)
            verb_option_add(c, e, verb_option(v, k));
    }
}

/* ---- what follows what ---- */

/* The last word of its name if the words before it are `before`; else NULL. */
static const char *entry_follows(const entry *e, const char *before)
{
    const char *name = text_of(&e->name), *last = strrchr(name, ' ');
    size_t n = strlen(before);

    if (n == 0)
        return last ? NULL : name;
    return last && (size_t)(last - name) == n && memcmp(name, before, n) == 0 ? last + 1 : NULL;
}

/* " list show", of the words that may follow; empty: none */
static void print_following(const completion *c, const char *before)
{
    for (size_t i = 0; i < c->n; i++) {
        const char *word = entry_follows(&c->entries[i], before);
        if (word)
            printf(" %s", word);
    }
}

static bool is_followed(const completion *c, const char *before)
{
    for (size_t i = 0; i < c->n; i++)
        if (entry_follows(&c->entries[i], before))
            return true;
    return false;
}

/* ---- bash and zsh: two tables and a walk ---- */

static void print_tables(const completion *c)
{
    printf("_parley_next=([top]=\"");
    print_following(c, "");
    printf("\"");
    for (size_t i = 0; i < c->n; i++) {
        const char *name = text_of(&c->entries[i].name);
        if (!is_followed(c, name))
            continue;
        printf("\n    [\"top %s\"]=\"", name);
        print_following(c, name);
        printf("\"");
    }
    printf(")\n_parley_options=([top]=\" --help --version\"");
    for (size_t i = 0; i < c->n; i++)
        if (c->entries[i].about)
            printf("\n    [\"top %s\"]=\"%s\"", text_of(&c->entries[i].name),
                   text_of(&c->entries[i].options));
    printf(")\n_parley_valued=\"%s \"\n", text_of(&c->valued));
}

static void print_bash(const completion *c)
{
    printf("# bash completion of parley; made by `parley completion bash`\n"
           "declare -gA _parley_next _parley_options\n");
    print_tables(c);
    printf(
        "_parley() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} at=top i\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        [[ $_parley_valued == *\" ${COMP_WORDS[i-1]} \"* ]] && continue\n"
        "        [[ \" ${_parley_next[$at]-} \" == *\" ${COMP_WORDS[i]} \"* ]] && at+=\" "
        "${COMP_WORDS[i]}\"\n"
        "    done\n"
        "    if [[ $_parley_valued == *\" $before \"* ]]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
        "    elif [[ $word == -* ]]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -W \"${_parley_options[$at]-}\" -- \"$word\")\n"
        "    elif [[ ${_parley_next[$at]-} ]]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -W \"${_parley_next[$at]-}\" -- \"$word\")\n"
        "    else\n"
        "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
        "    fi\n"
        "}\n"
        "complete -o filenames -o nosort -F _parley parley\n");
}

static void print_zsh(const completion *c)
{
    printf("#compdef parley\n# zsh completion of parley; made by `parley completion zsh`\n"
           "typeset -gA _parley_next _parley_options\n");
    print_tables(c);
    printf(
        "_parley() {\n"
        "    local at=top i\n"
        "    for ((i = 2; i < CURRENT; i++)); do\n"
        "        [[ $_parley_valued == *\" ${words[i-1]} \"* ]] && continue\n"
        "        [[ \" ${_parley_next[$at]-} \" == *\" ${words[i]} \"* ]] && at+=\" ${words[i]}\"\n"
        "    done\n"
        "    if [[ $_parley_valued == *\" ${words[CURRENT-1]} \"* ]]; then\n"
        "        _files\n"
        "    elif [[ ${words[CURRENT]} == -* ]]; then\n"
        "        compadd -- ${=_parley_options[$at]}\n"
        "    elif [[ -n ${_parley_next[$at]-} ]]; then\n"
        "        compadd -- ${=_parley_next[$at]}\n"
        "    else\n"
        "        _files\n"
        "    fi\n"
        "}\n"
        "_parley \"$@\"\n");
}

/* ---- fish: a line per word and option ---- */

/* Between single quotes. */
static void print_fish_quoted(const char *text)
{
    printf("'");
    for (; *text; text++)
        printf("%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
    printf("'");
}

static void print_fish_options(const completion *c, const entry *e)
{
    char *options = strdup(text_of(&e->options)), *rest = NULL;

    for (char *o = options ? strtok_r(options, " ", &rest) : NULL; o;
         o = strtok_r(NULL, " ", &rest))
        printf("complete -c parley -n '__parley_in \"%s\"' -l %s%s\n", text_of(&e->name), o + 2,
               has_word(&c->valued, o) ? " -rF" : "");
    free(options);
}

static void print_fish(const completion *c)
{
    printf("# fish completion of parley; made by `parley completion fish`\n"
           "function __parley_words\n"
           "    set -l words (commandline -opc)\n"
           "    string match -v -- '-*' $words[2..-1] | string join ' '\n"
           "end\n"
           "function __parley_at\n"
           "    test (__parley_words | string collect -a) = \"$argv\"\n"
           "end\n"
           "function __parley_in\n"
           "    string match -q -- \"$argv *\" (__parley_words)' '\n"
           "end\n"
           "complete -c parley -n '__parley_at \"\"' -f\n");
    for (size_t i = 0; i < c->n; i++) {
        const entry *e = &c->entries[i];
        const char *name = text_of(&e->name), *last = strrchr(name, ' ');
        printf("complete -c parley -f -n '__parley_at \"%.*s\"' -a %s -d ",
               last ? (int)(last - name) : 0, name, last ? last + 1 : name);
        print_fish_quoted(e->about ? e->about : "more commands");
        printf("\n");
        if (e->about)
            print_fish_options(c, e);
    }
}

static void completion_done(completion *c)
{
    for (size_t i = 0; i < c->n; i++) {
        buf_done(&c->entries[i].name);
        buf_done(&c->entries[i].options);
    }
    buf_done(&c->valued);
}

static const struct {
    const char *name;
    void (*print)(const completion *c);
} shells[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };

int cli_completion(const cli_args *args)
{
    static completion c;
    void (*print)(const completion *) = NULL;
    verb_place place;
    failure f = { 0 };

    for (size_t i = 0; i < COUNT(shells); i++)
        if (strcmp(args->plugin, shells[i].name) == 0)
            print = shells[i].print;
    if (!print) {
        log_error("parley completion: \"%s\" is none of bash, zsh, fish", args->plugin);
        return EXIT_USAGE;
    }
    int err = place_open(&place, args->config, PLACE_ALL_TOOLS, &f);
    if (err == 0) {
        buf_init(&c.valued, TEXT_MOST);
        collect_commands(&c);
        collect_verbs(&c, place.host);
        print(&c);
        completion_done(&c);
    } else {
        log_error("%s", f.text);
    }
    place_close(&place);
    return err == 0 ? EXIT_STOPPED : f.status;
}
