/* test_config.c -- the YAML file: what is refused, with which words, and how fast; variables; the
 * list of plugins. */
#include "core/base/json.h"
#include "core/host/config.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/parley-test-config-XXXXXX";

static int group_setup(void **state)
{
    (void)state;
    (void)unsetenv("DATABASE_URL");
    (void)unsetenv("REDIS_URL");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    (void)unlink("t.yaml");
    return rmdir(folder);
}

static void file_write(str text)
{
    FILE *file = fopen("t.yaml", "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text.p, 1, text.n, file), text.n);
    assert_int_equal(fclose(file), 0);
}

static config *open_good(const char *label, str text)
{
    failure f = { 0 };
    config *c = NULL;

    file_write(text);
    if (config_open("t.yaml", &c, &f) < 0)
        fail_msg("case \"%s\": refused: %s", label, f.text);
    return c;
}

static void open_refused(const char *label, str text, const char *want)
{
    failure f = { 0 };
    config *c = NULL;

    file_write(text);
    if (config_open("t.yaml", &c, &f) == 0)
        fail_msg("case \"%s\": accepted", label);
    if (strcmp(f.text, want) != 0)
        fail_msg("case \"%s\":\n got: %s\nwant: %s", label, f.text, want);
    assert_int_equal(f.status, EXIT_CONFIG);
}

#define P "plugins: []\n"
/* clang-format off */
static const struct {
    const char *label;
    str text;
    const char *want;
} refused[] = {
    /* YAML */
    { "empty", STR_LIT(""), "t.yaml:1: the file is empty; it needs plugins:" },
    { "comment only", STR_LIT("# x\n"), "t.yaml:1: the file is empty; it needs plugins:" },
    { "a list", STR_LIT("- a\n"), "t.yaml:1: the file must hold the keys server: and plugins:" },
    { "text", STR_LIT("hello\n"), "t.yaml:1: the file must hold the keys server: and plugins:" },
    { "bad syntax", STR_LIT("plugins: [\n"), "t.yaml:2: not valid YAML: did not find expected node content (column 1)" },
    { "tab", STR_LIT("server:\n\tport: 1\n"),
      "t.yaml:2: not valid YAML: found character that cannot start any token (column 1)" },
    { "bad UTF-8", STR_LIT(P "# \xff\n"), "t.yaml:2: not valid YAML: invalid leading UTF-8 octet (column 3)" },
    { "control character", STR_LIT(P "\n#\x01\n"), "t.yaml:3: not valid YAML: control characters are not allowed (column 2)" },
    { "NUL", STR_LIT("server:\n  user: \"a\\0b\"\n"), "t.yaml:2: a NUL character is not allowed (column 9)" },
    { "two documents", STR_LIT(P "---\n" P), "t.yaml:2: a second document starts here; the file holds one only (column 1)" },
    { "anchor", STR_LIT("server: &a\n  port: 1\n"),
      "t.yaml:1: anchors (&name) are not allowed; write the value out (column 9)" },
    { "alias", STR_LIT("server:\n  user: *a\n"),
      "t.yaml:2: aliases (*name) are not allowed; write the value out, or quote the star (column 9)" },
    { "tag", STR_LIT("server:\n  user: !!python/object x\n"),
      "t.yaml:2: tags (!name) are not allowed; quote the value (column 9)" },
    { "key twice", STR_LIT("server:\n  port: 1\n  user: x\n  port: 2\n"),
      "t.yaml:4: server.port: this key is there twice, first in line 2" },
    { "part twice", STR_LIT("server:\n  port: 1\n" P "server:\n  port: 1\n"),
      "t.yaml:4: server: this key is there twice, first in line 1" },
    { "key is a list", STR_LIT("? [a]\n: b\n"), "t.yaml:1: a key must be a plain name (column 3)" },
    { "key is empty", STR_LIT("\"\": b\n"), "t.yaml:1: a key must have 1 to 128 bytes, without control characters (column 1)" },
    { "key with a line break", STR_LIT("\"a\\nb\": b\n"),
      "t.yaml:1: a key must have 1 to 128 bytes, without control characters (column 1)" },
    /* the top */
    { "unknown part", STR_LIT(P "plugin: []\n"), "t.yaml:2: plugin: unknown key; did you mean plugins?" },
    { "unknown part, no idea", STR_LIT(P "databases: []\n"), "t.yaml:2: databases: unknown key; there are server: and plugins:" },
    { "no plugins", STR_LIT("server:\n  port: 1\n"), "t.yaml:1: plugins: is missing; list the plugins to load" },
    { "server is a list", STR_LIT("server: [a]\n" P), "t.yaml:1: server: a map is wanted here, not a list" },
    { "server is text", STR_LIT("server: a\n" P), "t.yaml:1: server: a map is wanted here, not text" },
    { "plugins is a map", STR_LIT("plugins:\n  chat:\n"),
      "t.yaml:1: plugins: a list is wanted here, one line \"- name\" for each plugin" },
    /* entries */
    { "name with a slash", STR_LIT("plugins:\n  - chat\n  - x/y\n"),
      "t.yaml:3: plugins: \"x/y\" is not a plugin's name; names are a-z, 0-9, - and _, and a file is given as path:" },
    { "absolute name", STR_LIT("plugins:\n  - /x\n"),
      "t.yaml:2: plugins: \"/x\" is not a plugin's name; names are a-z, 0-9, - and _, and a file is given as path:" },
    { "name that climbs", STR_LIT("plugins:\n  - ../x:\n      path: a.so\n"),
      "t.yaml:2: plugins: \"../x\" is not a plugin's name; names are a-z, 0-9, - and _, and a file is given as path:" },
    { "name with NUL", STR_LIT("plugins:\n  - \"a\\0\"\n"), "t.yaml:2: a NUL character is not allowed (column 5)" },
    { "name with a line break", STR_LIT("plugins:\n  - \"a\\nb\"\n"),
      "t.yaml:2: plugins: \"a\\x0ab\" is not a plugin's name; names are a-z, 0-9, - and _, and a file is given as path:" },
    { "empty name", STR_LIT("plugins:\n  -\n"),
      "t.yaml:2: plugins: \"\" is not a plugin's name; names are a-z, 0-9, - and _, and a file is given as path:" },
    { "listed twice", STR_LIT("plugins:\n  - chat\n  - mail\n  - chat:\n"), "t.yaml:4: plugins.chat: listed twice, first in line 2" },
    { "entry is a list", STR_LIT("plugins:\n  - [chat]\n"), "t.yaml:2: plugins[0]: a plugin's name is wanted here, not a list" },
    { "part not indented", STR_LIT("plugins:\n  - chat:\n    max_text: 5\n"),
      "t.yaml:3: plugins.max_text: one entry of plugins: is one plugin; indent what belongs to it further than its name" },
    { "part is text", STR_LIT("plugins:\n  - chat: yes\n"), "t.yaml:2: plugins.chat: a map of options is wanted here, not text" },
    { "empty path", STR_LIT("plugins:\n  - chat:\n      path:\n"),
      "t.yaml:3: plugins.chat.path: the file of the plugin is wanted here" },
    { "optional maybe", STR_LIT("plugins:\n  - chat:\n      optional: maybe\n"),
      "t.yaml:3: plugins.chat.optional: \"maybe\" is not true or false (nor yes, no, on, off)" },
    /* variables */
    { "unset", STR_LIT("server:\n  user: x\n  secret_key: ${PT_UNSET}\n" P),
      "t.yaml:3: server.secret_key: the variable PT_UNSET is not set; set it, or write ${PT_UNSET:-...} to give a default" },
    { "unset in an entry", STR_LIT("plugins:\n  - mail:\n      a:\n        - x: 1\n        - [b, \"${PT_UNSET}\"]\n"),
      "t.yaml:5: plugins.mail.a[1][1]: the variable PT_UNSET is not set; set it, or write ${PT_UNSET:-...} to give a default" },
    { "not closed", STR_LIT("server:\n  user: ${PT_A\n" P), "t.yaml:2: server.user: ${PT_A has no closing }" },
    { "unknown form", STR_LIT("server:\n  user: ${PT_A:?no}\n" P),
      "t.yaml:2: server.user: ${PT_A...}: write ${NAME}, ${NAME-text} or ${NAME:-text}" },
    { "lone dollar", STR_LIT("server:\n  user: a$b\n" P),
      "t.yaml:2: server.user: a $ starts a variable, ${NAME}; write $$ for a dollar sign" },
    { "no name", STR_LIT("server:\n  user: ${}\n" P),
      "t.yaml:2: server.user: a $ starts a variable, ${NAME}; write $$ for a dollar sign" },
    { "digit first", STR_LIT("server:\n  user: ${1A}\n" P),
      "t.yaml:2: server.user: a $ starts a variable, ${NAME}; write $$ for a dollar sign" },
    { "dollar in a default", STR_LIT("server:\n  user: ${PT_UNSET:-${PT_A}}\n" P),
      "t.yaml:2: server.user: the default of ${PT_UNSET} cannot hold a $" },
    { "not UTF-8", STR_LIT("server:\n  user: ${PT_BAD}\n" P), "t.yaml:2: server.user: the variable PT_BAD is not valid UTF-8" },
};
/* clang-format on */

static void test_refused(void **state)
{
    (void)state;
    (void)setenv("PT_BAD", "\xff", 1);
    for (size_t i = 0; i < COUNT(refused); i++)
        open_refused(refused[i].label, refused[i].text, refused[i].want);
}

static void test_unreadable(void **state)
{
    failure f = { 0 };
    config *c = NULL;

    (void)state;
    assert_int_equal(config_open("absent.yaml", &c, &f), -1);
    assert_string_equal(f.text, "cannot read absent.yaml: No such file or directory");
    assert_int_equal(f.status, EXIT_CONFIG);
    failure g = { 0 };
    assert_int_equal(config_open(".", &c, &g), -1);
    assert_string_equal(g.text, "cannot read .: Is a directory");
}

/* ---- bombs ---- */

static void bomb_fill(buf *ret, const char *piece, size_t times)
{
    for (size_t i = 0; i < times; i++)
        assert_int_equal(buf_add(ret, str_of(piece)), 0);
}

/* clang-format off */
static const struct {
    const char *label, *before, *piece;
    size_t times;
    const char *after, *want;
} bombs[] = {
    { "deep list", "plugins: ", "[", 1000, "", "t.yaml:1: nested deeper than 32 levels (column 41)" },
    { "deep map", "plugins: ", "{a: ", 1000, "", "t.yaml:1: nested deeper than 32 levels (column 134)" },
    { "deep to the limit of size", "", "[", 1024 * 1024 - 1, "", "t.yaml:1: nested deeper than 32 levels (column 33)" },
    { "2 MB", "# ", "0123456789abcdef", 131072, "\n", "t.yaml: larger than 1 MiB" },
    { "many values", "plugins: [", "a,", 500000, "]", "t.yaml:1: more than 100000 values in one file (column 200007)" },
    { "many lines", "plugins:\n", "- a\n", 200000, "", "t.yaml:100000: more than 100000 values in one file (column 3)" },
    { "many plugins", "plugins:\n", "- a\n", 300, "", "t.yaml:1: plugins: more than 256 plugins" },
    { "dear variables", "server:\n  user: \"", "${PT_LONG}", 50, "\"\n",
      "t.yaml:2: server.user: longer than 4 MiB once its variables are in" },
    { "laughs", "a: &a [l,l,l,l,l,l,l,l,l]\n", "b: &b [*a,*a,*a,*a,*a]\n", 20, "",
      "t.yaml:1: anchors (&name) are not allowed; write the value out (column 4)" },
};
/* clang-format on */

static void test_bombs(void **state)
{
    static char longest[100001];

    (void)state;
    memset(longest, 'x', sizeof(longest) - 1);
    (void)setenv("PT_LONG", longest, 1);
    for (size_t i = 0; i < COUNT(bombs); i++) {
        buf text;
        buf_init(&text, 8 * 1024 * 1024);
        bomb_fill(&text, bombs[i].before, 1);
        bomb_fill(&text, bombs[i].piece, bombs[i].times);
        bomb_fill(&text, bombs[i].after, 1);
        clock_t start = clock(); /* of the processor: the machine may be busy */
        open_refused(bombs[i].label, buf_str(&text), bombs[i].want);
        if (clock() - start > CLOCKS_PER_SEC)
            fail_msg("case \"%s\" took more than a second", bombs[i].label);
        buf_done(&text);
    }
    (void)unsetenv("PT_LONG");
}

static void test_many_keys(void **state)
{
    buf text;

    (void)state;
    buf_init(&text, 1024 * 1024);
    for (int i = 0; i < 50000; i++)
        assert_int_equal(buf_addf(&text, "key%05d: 1\n", i), 0);
    assert_int_equal(buf_add(&text, STR("key00007: 1\n")), 0);
    clock_t start = clock();
    open_refused("many keys", buf_str(&text),
                 "t.yaml:50001: key00007: this key is there twice, first in line 8");
    assert_true(clock() - start < CLOCKS_PER_SEC);
    buf_done(&text);
}

/* ---- variables ---- */

/* clang-format off */
static const struct {
    const char *label, *written, *want;
} expanded[] = {
    { "set", "${PT_A}", "aa" },
    { "set, inside", "x${PT_A}y${PT_A}", "xaayaa" },
    { "unset, default", "${PT_UNSET:-d e}", "d e" },
    { "unset, default without colon", "${PT_UNSET-d}", "d" },
    { "unset, empty default", "${PT_UNSET:-}", "" },
    { "set, default unused", "${PT_A:-d}", "aa" },
    { "empty, default", "${PT_EMPTY:-d}", "d" },
    { "empty, default without colon", "${PT_EMPTY-d}", "" },
    { "empty, alone", "${PT_EMPTY}", "" },
    { "default with dashes", "${PT_UNSET:--:-x}", "-:-x" },
    { "dollar", "a$$b$$$$", "a$b$$" },
    { "dollar before a brace", "$${PT_A}", "${PT_A}" },
    { "value is not expanded again", "${PT_DOLLAR}", "${PT_A}" },
    { "value is no structure", "${PT_YAML}", "a: [b, *c]\nd: e" },
    { "quoted", "'${PT_A}'", "aa" },
    { "quoted twice", "\"${PT_A}\\t\"", "aa\t" },
};
/* clang-format on */

static void test_expansion(void **state)
{
    (void)state;
    (void)setenv("PT_A", "aa", 1);
    (void)setenv("PT_EMPTY", "", 1);
    (void)setenv("PT_DOLLAR", "${PT_A}", 1);
    (void)setenv("PT_YAML", "a: [b, *c]\nd: e", 1);
    for (size_t i = 0; i < COUNT(expanded); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), "server:\n  user: %s\n" P, expanded[i].written);
        config *c = open_good(expanded[i].label, str_of(text));
        if (!str_eq(config_settings(c)->user, str_of(expanded[i].want)))
            fail_msg("case \"%s\": got \"" STR_FMT "\"", expanded[i].label,
                     STR_ARG(config_settings(c)->user));
        config_free(c);
    }
}

static void secret_write(const char *name, str text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text.p, 1, text.n, file), text.n);
    assert_int_equal(fclose(file), 0);
}

/* A variable in the environment, in the file that <name>_FILE names, as a credential. */
/* clang-format off */
static const struct {
    const char *label;
    const char *value, *file; /* NULL: not set */
    str content, credential; /* of s.txt, of the credential parley_PT_S; absent: there is none */
    const char *written;
    const char *want; /* the value, or the whole error */
    bool is_refused;
} given[] = {
    { "file", NULL, "s.txt", STR_LIT("sesam"), { NULL, 0 }, "${PT_S}", "sesam", false },
    { "line end", NULL, "s.txt", STR_LIT("sesam\n"), { NULL, 0 }, "${PT_S}", "sesam", false },
    { "line ends", NULL, "s.txt", STR_LIT(" two\nlines \r\n\n"), { NULL, 0 }, "${PT_S}", " two\nlines ", false },
    { "before the default", NULL, "s.txt", STR_LIT("sesam"), { NULL, 0 }, "${PT_S:-x}", "sesam", false },
    { "no variable in it", NULL, "s.txt", STR_LIT("${HOME}"), { NULL, 0 }, "${PT_S}", "${HOME}", false },
    { "empty variable", "", "s.txt", STR_LIT("sesam"), { NULL, 0 }, "${PT_S-x}", "sesam", false },
    { "empty name", "aa", "", { NULL, 0 }, { NULL, 0 }, "${PT_S}", "aa", false },
    { "credential", NULL, NULL, { NULL, 0 }, STR_LIT("hidden\n"), "${PT_S:-x}", "hidden", false },
    { "no credential", NULL, NULL, { NULL, 0 }, { NULL, 0 }, "${PT_S:-x}", "x", false },
    { "both", "aa", "s.txt", STR_LIT("sesam"), { NULL, 0 }, "${PT_S}",
      "t.yaml:2: server.user: PT_S is given twice, by the variable and by the file of PT_S_FILE; keep one of them", true },
    { "variable and credential", "aa", NULL, { NULL, 0 }, STR_LIT("hidden"), "${PT_S}",
      "t.yaml:2: server.user: PT_S is given twice, by the variable and by the credential parley_PT_S; keep one of them", true },
    { "file and credential", NULL, "s.txt", STR_LIT("sesam"), STR_LIT("hidden"), "${PT_S}",
      "t.yaml:2: server.user: PT_S is given twice, by the file of PT_S_FILE and by the credential parley_PT_S; keep one of them", true },
    { "no file", NULL, "none.txt", { NULL, 0 }, { NULL, 0 }, "${PT_S:-x}",
      "t.yaml:2: server.user: PT_S_FILE: cannot read none.txt: No such file or directory", true },
    { "a folder", NULL, ".", { NULL, 0 }, { NULL, 0 }, "${PT_S}",
      "t.yaml:2: server.user: PT_S_FILE: cannot read .: Is a directory", true },
    { "empty file", NULL, "s.txt", STR_LIT("\n"), { NULL, 0 }, "${PT_S:-x}",
      "t.yaml:2: server.user: PT_S_FILE: s.txt is empty", true },
    { "not UTF-8", NULL, "s.txt", STR_LIT("a\xff"), { NULL, 0 }, "${PT_S}",
      "t.yaml:2: server.user: PT_S_FILE: s.txt is not UTF-8 text", true },
    { "NUL", NULL, "s.txt", STR_LIT("a\0b"), { NULL, 0 }, "${PT_S}",
      "t.yaml:2: server.user: PT_S_FILE: s.txt is not UTF-8 text", true },
    { "too long", NULL, "/dev/zero", { NULL, 0 }, { NULL, 0 }, "${PT_S}",
      "t.yaml:2: server.user: PT_S_FILE: /dev/zero is larger than 64 KiB", true },
};
/* clang-format on */

static void variable_set(const char *name, const char *value)
{
    if (value)
        (void)setenv(name, value, 1);
    else
        (void)unsetenv(name);
}

static void test_files_of_variables(void **state)
{
    (void)state;
    (void)setenv("CREDENTIALS_DIRECTORY", folder, 1);
    for (size_t i = 0; i < COUNT(given); i++) {
        char text[256];
        variable_set("PT_S", given[i].value);
        variable_set("PT_S_FILE", given[i].file);
        (void)unlink("parley_PT_S");
        if (given[i].credential.p)
            secret_write("parley_PT_S", given[i].credential);
        secret_write("s.txt", given[i].content.p ? given[i].content : STR(""));
        (void)snprintf(text, sizeof(text), "server:\n  user: %s\n" P, given[i].written);
        if (given[i].is_refused) {
            open_refused(given[i].label, str_of(text), given[i].want);
            continue;
        }
        config *c = open_good(given[i].label, str_of(text));
        if (!str_eq(config_settings(c)->user, str_of(given[i].want)))
            fail_msg("case \"%s\": got \"" STR_FMT "\"", given[i].label,
                     STR_ARG(config_settings(c)->user));
        config_free(c);
    }
    variable_set("PT_S_FILE", NULL);
    variable_set("CREDENTIALS_DIRECTORY", NULL);
    (void)unlink("parley_PT_S");
    (void)unlink("s.txt");
}

/* What says "use this store" must not be overlooked. */
static void test_unused_store(void **state)
{
    static const char with[] = "plugins:\n  - postgres:\n      url: ${DATABASE_URL:-x}\n";

    (void)state;
    (void)setenv("DATABASE_URL", "postgresql://x", 1);
    open_refused(
        "not asked for", STR(P),
        "DATABASE_URL is set, but no plugin of t.yaml uses it: remove the variable, or use "
        "config/production.yaml");
    config_free(open_good("asked for", str_of(with)));
    (void)setenv("DATABASE_URL", "", 1);
    config_free(open_good("empty", STR(P)));
    (void)unsetenv("DATABASE_URL");
    (void)setenv("REDIS_URL", "redis://x", 1);
    open_refused("in a comment only", STR(P "# ${REDIS_URL}\n"),
                 "REDIS_URL is set, but no plugin of t.yaml uses it: remove the variable, or use "
                 "config/production.yaml");
    (void)unsetenv("REDIS_URL");
    (void)setenv("EMAIL_HOST", "mail.example.org", 1);
    open_refused("no mail server", STR(P),
                 "EMAIL_HOST is set, but no plugin of t.yaml uses it: remove the variable, or give "
                 "it to the plugin mail as config/parley.yaml does");
    (void)unsetenv("EMAIL_HOST");
    (void)setenv("DATABASE_URL_FILE", "/nowhere", 1);
    open_refused(
        "in a file", STR(P),
        "DATABASE_URL is set, but no plugin of t.yaml uses it: remove the variable, or use "
        "config/production.yaml");
    (void)unsetenv("DATABASE_URL_FILE");
}

/* ---- plugins ---- */

static void test_plugins(void **state)
{
    static const char text[] = "plugins:\n"
                               "  - sqlite\n"
                               "  - mail:\n"
                               "  - hello:\n"
                               "      path: ./hello.so\n"
                               "      optional: yes\n"
                               "  - ${PT_A}\n";
    (void)state;
    (void)setenv("PT_A", "aa", 1);
    config *c = open_good("plugins", str_of(text));
    assert_int_equal(config_plugin_n(c), 4);
    assert_true(str_eq(config_plugin_name(c, 0), STR("sqlite")));
    assert_true(str_eq(config_plugin_name(c, 1), STR("mail")));
    assert_true(str_eq(config_plugin_name(c, 2), STR("hello")));
    assert_true(str_eq(config_plugin_name(c, 3), STR("aa")));
    assert_null(config_plugin_path(c, 1).p);
    assert_true(str_eq(config_plugin_path(c, 2), STR("./hello.so")));
    assert_false(config_plugin_optional(c, 1));
    assert_true(config_plugin_optional(c, 2));
    assert_int_equal(config_plugin_line(c, 2), 4);
    assert_string_equal(config_file(c), "t.yaml");
    assert_string_equal(config_dir(c), folder);
    config_free(c);
}

static void test_plugin_fail(void **state)
{
    static const char text[] =
        "plugins:\n  - throttle:\n      scopes:\n        login:\n"
        "          rate: 1\n          on:\n            - a\n            - b\n  - chat\n";
    /* clang-format off */
    static const struct {
        size_t entry;
        const char *path, *want;
    } cases[] = {
        { 0, "", "t.yaml:2: plugins.throttle: no" },
        { 0, "scopes.login.rate", "t.yaml:5: plugins.throttle.scopes.login.rate: no" },
        { 0, "scopes.login.on[1]", "t.yaml:8: plugins.throttle.scopes.login.on[1]: no" },
        { 0, "scopes.login.on[7]", "t.yaml:6: plugins.throttle.scopes.login.on[7]: no" },
        { 0, "scopes.absent.rate", "t.yaml:3: plugins.throttle.scopes.absent.rate: no" },
        { 0, "scopes[", "t.yaml:3: plugins.throttle.scopes[: no" },
        { 1, "max_text", "t.yaml:9: plugins.chat.max_text: no" },
    };
    /* clang-format on */
    (void)state;
    config *c = open_good("fail", str_of(text));
    for (size_t i = 0; i < COUNT(cases); i++) {
        failure f = { 0 };
        assert_int_equal(config_plugin_fail(c, cases[i].entry, cases[i].path, "no", &f), -1);
        assert_string_equal(f.text, cases[i].want);
        assert_int_equal(f.status, EXIT_CONFIG);
    }
    config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_bombs),        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_expansion),    cmocka_unit_test(test_files_of_variables),
        cmocka_unit_test(test_unused_store), cmocka_unit_test(test_plugins),
        cmocka_unit_test(test_plugin_fail),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
