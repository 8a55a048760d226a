/* test_plugin_open.c -- what a file must be to be loaded as a plugin, and the words of every
 * refusal.
 *
 * The plugins are a few lines each, compiled here with cc: each case is one macro or one body. */
#include "core/host/config_ref.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/parley-test-plugin-XXXXXX";
static char folder[64]; /* of the running case: below root, and the working directory */

static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *fmt, ...)
{
    char command[2048];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(command, sizeof(command), fmt, args);
    va_end(args);
    if (system(command) != 0)
        fail_msg("%s", command);
}

/* What was mapped once is found again under its name, whatever the file holds now: no name is used
 * twice. */
static void fresh_folder(void)
{
    static int count;

    (void)snprintf(folder, sizeof(folder), "%s/%d", root, count++);
    assert_int_equal(mkdir(folder, 0755), 0);
    assert_int_equal(chdir(folder), 0);
}

static int test_setup(void **state)
{
    (void)state;
    fresh_folder();
    return 0;
}

/* The folder include/ of this tree, from the name of this file:
 * <root>/tests/unit/test_plugin_open.c */
static void include_folder(char ret[1024])
{
    static const char tail[] = "tests/unit/test_plugin_open.c";
    const char *here = __FILE__;
    size_t n = strlen(here) - (sizeof(tail) - 1);

    (void)snprintf(ret, 1024, "%.*sinclude", (int)n, here);
    assert_non_null(realpath(n ? ret : "include", ret + 512));
    memmove(ret, ret + 512, strlen(ret + 512) + 1);
}

static char include[1024];

static void build(const char *file, const char *body)
{
    FILE *source = fopen("x.c", "w");

    assert_non_null(source);
    (void)fprintf(
        source,
        "#include <parley/plugin.h>\n"
        "static int load(parley_ctx *c, const parley_conf *o) { return (void)c, (void)o, 0; }\n"
        "%s\n",
        body);
    assert_int_equal(fclose(source), 0);
    run("cc -shared -fPIC -w -I '%s' -o '%s' x.c", include, file);
}

#define HEAD                                                                                       \
    "extern PARLEY_EXPORT const parley_plugin parley_plugin_0; const parley_api *parley; const "   \
    "parley_plugin parley_plugin_0 = { "
#define BASE                                                                                       \
    ".magic = PARLEY_MAGIC, .minor = PARLEY_ABI_MINOR, .size = sizeof(parley_plugin), .host = "    \
    "&parley, .version = \"1.0.0\", .load = load"
#define HELLO "PARLEY_PLUGIN(.name = \"hello\", .version = \"1.0.0\", .load = load)"

/* clang-format off */
static const struct {
    const char *label, *body, *want; /* %s: nothing; the file is ./x.so, the name "hello" */
} refused[] = {
    { "no symbol", "int other;",
      "plugin \"hello\": ./x.so is not a parley plugin: it has no symbol parley_plugin_0 (is PARLEY_PLUGIN(...) in one of its files?)" },
    { "another major", "PARLEY_EXPORT const int parley_plugin_2 = 1;",
      "plugin \"hello\": ./x.so was built for plugin ABI 2; this server has ABI 0. Rebuild it against this server's "
      "<parley/plugin.h>, or run a newer server." },
    { "the highest major that is looked for", "PARLEY_EXPORT const int parley_plugin_9 = 1;",
      "plugin \"hello\": ./x.so was built for plugin ABI 9; this server has ABI 0. Rebuild it against this server's "
      "<parley/plugin.h>, or run a newer server." },
    { "another major inside", HEAD BASE ", .major = 3, .name = \"hello\" };",
      "plugin \"hello\": ./x.so was built for plugin ABI 3; this server has ABI 0. Rebuild it against this server's "
      "<parley/plugin.h>, or run a newer server." },
    { "newer minor", "#undef PARLEY_ABI_REQUIRE\n#define PARLEY_ABI_REQUIRE 5\n" HELLO,
      "plugin \"hello\": ./x.so needs plugin ABI 0.5; this server has 0.2. Use a newer server, or build the plugin with "
      "-DPARLEY_ABI_TARGET=2." },
    { "older minor", "#undef PARLEY_ABI_REQUIRE\n#define PARLEY_ABI_REQUIRE 0\n" HELLO,
      "plugin \"hello\": ./x.so was built for plugin ABI 0.0; this server has 0.2. Rebuild it against this server's <parley/plugin.h>." },
    { "undefined symbol", "void nope(void); PARLEY_EXPORT void f(void) { nope(); }\n" HELLO,
      "plugin \"hello\": cannot load: ./x.so: undefined symbol: nope" },
    { "magic", "extern PARLEY_EXPORT const parley_plugin parley_plugin_0; const parley_plugin parley_plugin_0 = { .magic = 0x1234 };",
      "plugin \"hello\": ./x.so is not a parley plugin: parley_plugin_0 starts with 0x00001234, not 0x59454c50 "
      "(is PARLEY_PLUGIN(...) in one of its files?)" },
    { "feature", "PARLEY_PLUGIN(.name = \"hello\", .version = \"1\", .load = load, .features = PARLEY_SINGLE_WORKER | 4)",
      "plugin \"hello\": ./x.so needs the feature 0x4, which this server (plugin ABI 0.2) does not know. Use a newer server." },
    { "size", HEAD ".magic = PARLEY_MAGIC, .minor = PARLEY_ABI_MINOR, .size = 40 };",
      "plugin \"hello\": ./x.so is damaged: its descriptor has 40 bytes, plugin ABI 0.2 has 120. Rebuild it with PARLEY_PLUGIN(...)." },
    { "no host", HEAD ".magic = PARLEY_MAGIC, .minor = PARLEY_ABI_MINOR, .size = sizeof(parley_plugin) };",
      "plugin \"hello\": ./x.so is wrong: host is NULL (PARLEY_PLUGIN(...) sets it)" },
    { "no name", HEAD BASE " };", "plugin \"hello\": ./x.so is wrong: name must be a-z, then also 0-9, - and _" },
    { "bad name", HEAD BASE ", .name = \"../hello\" };", "plugin \"hello\": ./x.so is wrong: name must be a-z, then also 0-9, - and _" },
    { "no version", "PARLEY_PLUGIN(.name = \"hello\", .load = load)", "plugin \"hello\": ./x.so is wrong: version is missing" },
    { "no load", "PARLEY_PLUGIN(.name = \"hello\", .version = \"1\")", "plugin \"hello\": ./x.so is wrong: load is missing" },
    { "no stride", HEAD BASE ", .name = \"hello\", .options = (const parley_option *)load, .option_n = 1 };",
      "plugin \"hello\": ./x.so is wrong: options: use PARLEY_LIST(option, table)" },
    { "no needs", HEAD BASE ", .name = \"hello\", .need_n = 1, .need_stride = sizeof(parley_need) };",
      "plugin \"hello\": ./x.so is wrong: needs: use PARLEY_LIST(need, table)" },
    { "option without type", "static const parley_option o[] = { { .name = \"a\", .type = PARLEY_T_STR }, { .name = \"b\" } };\n"
      "PARLEY_PLUGIN(.name = \"hello\", .version = \"1\", .load = load, PARLEY_LIST(option, o))",
      "plugin \"hello\": ./x.so is wrong: option 2 (b): its type is unknown" },
    { "option of the server", "static const parley_option o[] = { { .name = \"path\", .type = PARLEY_T_STR } };\n"
      "PARLEY_PLUGIN(.name = \"hello\", .version = \"1\", .load = load, PARLEY_LIST(option, o))",
      "plugin \"hello\": ./x.so is wrong: option 1 (path): this name is the server's (path, optional)" },
    { "another name", "PARLEY_PLUGIN(.name = \"other\", .version = \"1\", .load = load)",
      "plugin \"hello\": ./x.so calls itself \"other\"; the configuration says \"hello\"." },
};
/* clang-format on */

static config *config_of(const char *text)
{
    failure f = { 0 };
    config *c = NULL;
    FILE *file = fopen("t.yaml", "w");

    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
    if (config_open("t.yaml", &c, &f) < 0)
        fail_msg("%s", f.text);
    return c;
}

static void open_refused(const char *label, const char *yaml, const char *want)
{
    failure f = { 0 };
    plugin *p = NULL;
    config *c = config_of(yaml);

    if (plugin_open(c, 0, &p, &f) == 0)
        fail_msg("case \"%s\": accepted", label);
    if (strcmp(f.text, want) != 0)
        fail_msg("case \"%s\":\n got: %s\nwant: %s", label, f.text, want);
    assert_int_equal(f.status, EXIT_CONFIG);
    config_free(c);
}

#define YAML_X "plugins:\n  - hello:\n      path: ./x.so\n"

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        fresh_folder();
        build("x.so", refused[i].body);
        open_refused(refused[i].label, YAML_X, refused[i].want);
    }
}

/* ---- the file itself ---- */

static void test_missing(void **state)
{
    char want[256];

    (void)state;
    (void)snprintf(want, sizeof(want),
                   "plugin \"hello\": there is no ./absent.so (looked for %s/./absent.so)", folder);
    open_refused("missing", "plugins:\n  - hello:\n      path: ./absent.so\n", want);
    open_refused("no folder", "plugins:\n  - hello:\n      path: /absent/x.so\n",
                 "plugin \"hello\": cannot load /absent/x.so: there is no folder /absent");
    run("mkdir -p d && touch d/hello.so d/chat.so d/readme");
    (void)snprintf(want, sizeof(want),
                   "plugin \"helo\": there is no %s/d/helo.so; did you mean hello?", folder);
    open_refused("mistyped", "server:\n  plugin_dir: d\nplugins:\n  - helo\n", want);
    (void)snprintf(
        want, sizeof(want),
        "plugin \"readme\": there is no %s/d/readme.so; build it, or give its file as path:",
        folder);
    open_refused("nothing near", "server:\n  plugin_dir: d\nplugins:\n  - readme\n", want);
    (void)snprintf(want, sizeof(want),
                   "plugin \"hello\": cannot load: %s/d/hello.so: file too short", folder);
    open_refused("empty file", "server:\n  plugin_dir: d\nplugins:\n  - hello\n", want);
    open_refused("folder", "plugins:\n  - hello:\n      path: d\n",
                 "plugin \"hello\": d is not a file");
}

static void test_writable(void **state)
{
    char want[512];

    (void)state;
    run("mkdir g");
    build("x.so", HELLO);
    run("chmod 775 x.so");
    open_refused("group", YAML_X,
                 "plugin \"hello\": ./x.so is refused: others may write to the file (mode 775); "
                 "chmod go-w it");
    run("chmod 757 x.so");
    open_refused("others", YAML_X,
                 "plugin \"hello\": ./x.so is refused: others may write to the file (mode 757); "
                 "chmod go-w it");
    run("chmod 755 x.so && cp x.so g/ && chmod 1777 g");
    (void)snprintf(want, sizeof(want),
                   "plugin \"hello\": g/x.so is refused: others may write to its folder %s/g (mode "
                   "1777); chmod go-w it",
                   folder);
    open_refused("folder", "plugins:\n  - hello:\n      path: g/x.so\n", want);
    run("ln -s g/x.so link.so");
    (void)snprintf(want, sizeof(want),
                   "plugin \"hello\": link.so is refused: others may write to its folder %s/g "
                   "(mode 1777); chmod go-w it",
                   folder);
    open_refused("link to such a folder", "plugins:\n  - hello:\n      path: link.so\n", want);
}

static void test_owner(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root can give files away */
    build("x.so", HELLO);
    run("chown 4321 x.so");
    open_refused("owner", YAML_X,
                 "plugin \"hello\": ./x.so is refused: the file belongs to user 4321; only root "
                 "and the user the server "
                 "runs as (0) may own it");
}

/* A name alone is looked for in plugin_dir only: not in the working directory, not in
 * LD_LIBRARY_PATH. */
static void test_search_path(void **state)
{
    char want[512];

    (void)state;
    run("mkdir e");
    build("hello.so", HELLO);
    (void)setenv("LD_LIBRARY_PATH", folder, 1);
    (void)snprintf(
        want, sizeof(want),
        "plugin \"hello\": there is no %s/e/hello.so; build it, or give its file as path:", folder);
    open_refused("search path", "server:\n  plugin_dir: e\nplugins:\n  - hello\n", want);
    (void)unsetenv("LD_LIBRARY_PATH");
}

/* ---- good ones ---- */

#define FULL                                                                                       \
    "static const parley_option o[] = {\n"                                                         \
    "  { .name = \"who\", .type = PARLEY_T_STR, .def = \"world\", .help = \"Whom to greet.\" },\n" \
    "  { .name = \"n\", .type = PARLEY_T_INT, .min = 1, .max = 9, .def = \"3\", .help = \"How "    \
    "often.\" } };\n"                                                                              \
    "static const parley_need n[] = { { \"parley.db\", 1, 2, 0 }, { \"parley.kv\", 1, 0, 1 } };\n" \
    "PARLEY_PLUGIN(.name = \"hello\", .version = \"1.2.3\", .about = \"says hello\", .license = "  \
    "\"MIT\",\n"                                                                                   \
    "  .features = PARLEY_SINGLE_WORKER, .migrations = \"hello\", PARLEY_LIST(option, o), "        \
    "PARLEY_LIST(need, n), .load = load)"

static void test_good(void **state)
{
    failure f = { 0 };
    plugin *p = NULL;

    (void)state;
    build("x.so", FULL);
    config *c = config_of("plugins:\n  - hello:\n      path: ./x.so\n      who: you\n");
    if (plugin_open(c, 0, &p, &f) < 0)
        fail_msg("%s", f.text);
    assert_true(str_eq(p->name, STR("hello")));
    assert_string_equal(p->shown_path, "./x.so");
    assert_int_equal(p->path[0], '/');
    assert_int_equal(p->index, 0);
    assert_int_equal(p->state, PLUGIN_OPENED);
    assert_true(str_eq(conf_str(p->conf, "who"), STR("you")));
    assert_int_equal(conf_int(p->conf, "n"), 3);
    plugin_free(p);
    config_free(c);
    c = config_of("plugins:\n  - hello:\n      path: ./x.so\n      n: 10\n");
    assert_int_equal(plugin_open(c, 0, &p, &f), -1);
    assert_string_equal(f.text, "t.yaml:4: plugins.hello.n: 10 is outside 1..9");
    config_free(c);
}

static void test_describe(void **state)
{
    static const char want[] = "hello 1.2.3: says hello\n"
                               "file        ./x.so\n"
                               "plugin ABI  0.2\n"
                               "license     MIT\n"
                               "needs       parley.db 1.2, parley.kv 1.0 (optional)\n"
                               "migrations  hello\n"
                               "workers     1 only: its state lives in one worker\n"
                               "options\n"
                               "  who  text, default world\n"
                               "      Whom to greet.\n"
                               "  n  int, 1..9, default 3\n"
                               "      How often.\n";
    failure f = { 0 };
    plugin *p = NULL;
    buf text;

    (void)state;
    build("x.so", FULL);
    assert_int_equal(plugin_open_path("./x.so", &p, &f), 0);
    buf_init(&text, 65536);
    plugin_describe(p, &text);
    assert_int_equal(buf_byte(&text, '\0'), 0);
    assert_string_equal(text.p, want);
    buf_reset(&text);
    const plugin *all[] = { p };
    config_reference(all, 1, &text);
    assert_int_equal(buf_byte(&text, '\0'), 0);
    assert_non_null(strstr(text.p, "\n## plugins: hello\n\nsays hello\n\n| Key | Value | Default | "
                                   "Meaning |\n|---|---|---|---|\n"
                                   "| `who` | text | `world` | Whom to greet. |\n"
                                   "| `n` | int, 1..9 | `3` | How often. |\n"));
    buf_done(&text);
    plugin_free(p);
    assert_int_equal(plugin_open_path("absent.so", &p, &f), -1);
    assert_non_null(strstr(f.text, "there is no absent.so (looked for /"));
}

static int group_setup(void **state)
{
    (void)state;
    (void)unsetenv("DATABASE_URL"); /* set and unused, they are an error */
    (void)unsetenv("REDIS_URL");
    (void)umask(022);
    include_folder(include);
    return mkdtemp(root) ? 0 : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    run("rm -r '%s'", root);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_refused, test_setup),
        cmocka_unit_test_setup(test_missing, test_setup),
        cmocka_unit_test_setup(test_writable, test_setup),
        cmocka_unit_test_setup(test_owner, test_setup),
        cmocka_unit_test_setup(test_search_path, test_setup),
        cmocka_unit_test_setup(test_good, test_setup),
        cmocka_unit_test_setup(test_describe, test_setup),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
