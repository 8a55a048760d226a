/* test_web_files.c -- what is served at which address, with which headers, and what a folder of
 * files may look like. */
#include "fake/fake.h"
#include <stdlib.h>
#include <string.h>

static char folder[64]; /* of the test's own files: <folder>/web/ */

/* ---- a folder of files ---- */

static int setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/parley-web-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

/* verb <folder><rest> */
static void command(const char *verb, const char *rest)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "%s %s%s", verb, folder, rest);
    assert_int_equal(system(text), 0); /* NOLINT: our own words */
}

static int teardown(void **state)
{
    (void)state;
    fake_end();
    command("rm -rf", "");
    return 0;
}

static void folder_make(const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "/web/%s", name);
    command("mkdir -p", path);
}

static void file_make(const char *name, const char *text)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/web/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void own_folder(void)
{
    folder_make("js");
    file_make("index.html", "<!DOCTYPE html>");
    fake_server("share_dir", folder);
}

/* ---- what is served ---- */

static parley_req get(const char *path, const char *if_none_match)
{
    parley_req req = fake_req("GET", path);

    if (if_none_match)
        fake_req_header(req, "If-None-Match", if_none_match);
    fake_send(req);
    return req;
}

static void test_kinds(void **state)
{
    static const struct {
        const char *name, *path, *type;
    } cases[] = {
        { "index.html", "/", "text/html; charset=utf-8" },
        { "about.html", "/web/about.html", "text/html; charset=utf-8" },
        { "js/a.js", "/web/js/a.js", "text/javascript; charset=utf-8" },
        { "a.css", "/web/a.css", "text/css; charset=utf-8" },
        { "a.svg", "/web/a.svg", "image/svg+xml" },
        { "a.png", "/web/a.png", "image/png" },
    };

    (void)state;
    own_folder();
    for (size_t i = 0; i < FAKE_COUNT(cases); i++)
        file_make(cases[i].name, cases[i].path);
    fake_open(&parley_plugin_0, NULL);
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_req req = get(cases[i].path, NULL);

        assert_int_equal(fake_status(req), 200);
        assert_string_equal(fake_body(req), cases[i].path);
        assert_string_equal(fake_reply_header(req, "Content-Type"), cases[i].type);
        assert_string_equal(fake_reply_header(req, "Cache-Control"), "no-cache");
    }
}

static void test_nothing_else(void **state)
{
    static const char *const paths[] = {
        "/web/index.html", "/web/",          "/web",           "/web/js/",
        "/web/.hidden.js", "/web/notes.txt", "/web/../secret", "/web//a.js",
    };

    (void)state;
    own_folder();
    file_make(".hidden.js", "x");
    file_make("notes.txt", "x");
    file_make("../secret", "x");
    fake_open(&parley_plugin_0, NULL);
    for (size_t i = 0; i < FAKE_COUNT(paths); i++)
        assert_int_equal(fake_status(get(paths[i], NULL)), 404);
    assert_true(fake_log_has("web/notes.txt is not served"));
    assert_false(fake_log_has("hidden"));
}

static void test_tags(void **state)
{
    char list[128], longer[128];

    (void)state;
    own_folder();
    file_make("js/a.js", "one");
    file_make("js/b.js", "two");
    fake_open(&parley_plugin_0, NULL);
    const char *tag = fake_reply_header(get("/web/js/a.js", NULL), "ETag");
    const char *other = fake_reply_header(get("/web/js/b.js", NULL), "ETag");
    assert_true(strncmp(tag, "W/\"", 3) == 0 && strlen(tag) == 26 && tag[25] == '"');
    assert_string_not_equal(tag, other);
    (void)snprintf(list, sizeof(list), "\"x\", %s", tag);
    (void)snprintf(longer, sizeof(longer), "\"x%.22s\"", tag + 3);
    const char *strong = tag + 2; /* as a cache may send it that unpacked the file */
    const struct {
        const char *known;
        int status;
    } cases[] = { { tag, 304 },    { strong, 304 }, { list, 304 },     { "*", 304 }, { other, 200 },
                  { longer, 200 }, { "", 200 },     { "\"**\"", 200 }, { "\"", 200 } };
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_req req = get("/web/js/a.js", cases[i].known);

        assert_int_equal(fake_status(req), cases[i].status);
        assert_string_equal(fake_body(req), cases[i].status == 304 ? "" : "one");
        assert_string_equal(fake_reply_header(req, "ETag"), tag);
    }
}

/* The files of this tree: what index.html asks for is there, and the policy holds for it. */
static void test_the_page(void **state)
{
    (void)state;
    fake_open(&parley_plugin_0, NULL);
    parley_req req = get("/", NULL);
    const char *page = fake_body(req);
    const char *policy = fake_reply_header(req, "Content-Security-Policy");

    assert_int_equal(fake_status(req), 200);
    assert_non_null(strstr(policy, "default-src 'none'; script-src 'self'; style-src 'self'"));
    assert_non_null(strstr(policy, "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"));
    assert_null(strstr(policy, "unsafe"));
    assert_null(strstr(page, " style="));
    assert_null(strstr(page, "<style"));
    assert_null(strstr(page, "http:"));
    assert_null(strstr(page, "https:"));
    size_t n = 0;
    for (const char *at = page; (at = strstr(at, "\"/web/")) != NULL; n++) {
        char path[128];
        size_t length = strcspn(++at, "\"");

        (void)snprintf(path, sizeof(path), "%.*s", (int)length, at);
        assert_int_equal(fake_status(get(path, NULL)), 200);
    }
    assert_true(n > 3);
}

/* ---- folders that are refused ---- */

static void test_refused(void **state)
{
    (void)state;
    fake_server("share_dir", folder);
    assert_true(fake_load(&parley_plugin_0, NULL) < 0);
    assert_non_null(strstr(fake_why(), "/web: No such file or directory"));
}

static void test_without_index(void **state)
{
    (void)state;
    folder_make("js");
    fake_server("share_dir", folder);
    assert_true(fake_load(&parley_plugin_0, NULL) < 0);
    assert_non_null(strstr(fake_why(), "no index.html"));
}

static void test_too_deep(void **state)
{
    (void)state;
    own_folder();
    folder_make("1/2/3/4");
    fake_open(&parley_plugin_0, NULL);
    fake_end();
    fake_server("share_dir", folder);
    folder_make("1/2/3/4/5");
    assert_true(fake_load(&parley_plugin_0, NULL) < 0);
    assert_non_null(strstr(fake_why(), "too deep"));
}

static void test_too_large(void **state)
{
    (void)state;
    own_folder();
    command("truncate --size 1048577", "/web/a.js");
    assert_true(fake_load(&parley_plugin_0, NULL) < 0);
    assert_non_null(strstr(fake_why(), "a.js: File too large"));
}

static void test_too_many(void **state)
{
    char name[32];

    (void)state;
    own_folder();
    for (int i = 0; i < 128; i++) {
        (void)snprintf(name, sizeof(name), "js/%d.js", i);
        file_make(name, "x");
    }
    assert_true(fake_load(&parley_plugin_0, NULL) < 0);
    assert_non_null(strstr(fake_why(), "more than 128 files"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tags, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_page, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_index, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_deep, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
