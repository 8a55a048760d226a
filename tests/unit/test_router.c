/* test_router.c -- paths taken apart and found, queries, and a Location that stays here. */
#include "core/host/router.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka.h needs the three above. */
#include <cmocka.h>

#define ID "019a1b2c-0000-7000-8000-0000000000c3"

static route routes[] = {
    { .method = STR_LIT("GET"), .path = STR_LIT("/") },
    { .method = STR_LIT("GET"), .path = STR_LIT("/healthz") },
    { .method = STR_LIT("GET"), .path = STR_LIT("/api/rooms/") },
    { .method = STR_LIT("POST"), .path = STR_LIT("/api/rooms/"), .flags = PARLEY_R_USER },
    { .method = STR_LIT("GET"), .path = STR_LIT("/api/rooms/:id(uuid)/") },
    { .method = STR_LIT("PUT"), .path = STR_LIT("/api/rooms/:room(uuid)/") },
    { .method = STR_LIT("GET"), .path = STR_LIT("/api/rooms/new/") },
    { .method = STR_LIT("GET"), .path = STR_LIT("/api/rooms/:any/about/") },
    { .method = STR_LIT("POST"), .path = STR_LIT("/api/rooms/:id(uuid)/send/") },
    { .method = STR_LIT("POST"), .path = STR_LIT("/verify/:token/") },
    { .method = STR_LIT("WS"), .path = STR_LIT("/ws/:room(uuid)/") },
};

static router *tree;

static int tree_build(void **state)
{
    (void)state;
    tree = router_create();
    for (size_t i = 0; i < COUNT(routes); i++)
        if (pattern_parse(routes[i].path.p, &routes[i].pattern) < 0 ||
            router_add(tree, &routes[i]) < 0)
            return -1;
    return 0;
}

static int tree_free(void **state)
{
    (void)state;
    router_free(tree);
    for (size_t i = 0; i < COUNT(routes); i++)
        pattern_done(&routes[i].pattern);
    arena_trim();
    return 0;
}

/* clang-format off */
static const struct {
    const char *label, *path, *found; /* found: the path as registered; NULL: unknown */
    const char *first, *second;       /* values of parameters; NULL: not looked at */
    bool missing_slash;
} lookups[] = {
    { "root",                  "/",                              "/",                          NULL, NULL, false },
    { "no slash wanted",       "/healthz",                       "/healthz",                   NULL, NULL, false },
    { "a slash too many",      "/healthz/",                      NULL,                         NULL, NULL, false },
    { "with slash",            "/api/rooms/",                    "/api/rooms/",                NULL, NULL, false },
    { "slash missing",         "/api/rooms",                     "/api/rooms/",                NULL, NULL, true  },
    { "uuid",                  "/api/rooms/" ID "/",             "/api/rooms/:id(uuid)/",      ID,   NULL, false },
    { "uuid, slash missing",   "/api/rooms/" ID,                 "/api/rooms/:id(uuid)/",      ID,   NULL, true  },
    { "upper case is no uuid", "/api/rooms/019A1B2C-0000-7000-8000-0000000000C3/", NULL,       NULL, NULL, false },
    { "uuid too long",         "/api/rooms/" ID "0/",            NULL,                         NULL, NULL, false },
    { "literal first",         "/api/rooms/new/",                "/api/rooms/new/",            NULL, NULL, false },
    { "literal taken back",    "/api/rooms/new/about/",          "/api/rooms/:any/about/",     "new", NULL, false },
    { "uuid taken back",       "/api/rooms/" ID "/about/",       "/api/rooms/:any/about/",     ID,   NULL, false },
    { "below a uuid",          "/api/rooms/" ID "/send/",        "/api/rooms/:id(uuid)/send/", ID,   NULL, false },
    { "empty segment",         "/verify//",                      NULL,                         NULL, NULL, false },
    { "double slash",          "//api/rooms/",                   NULL,                         NULL, NULL, false },
    { "decoded",               "/verify/a%20b/",                 "/verify/:token/",            "a b", NULL, false },
    { "escaped literal",       "/%61pi/rooms/",                  "/api/rooms/",                NULL, NULL, false },
    { "%2F does not split",    "/verify/a%2Fb/",                 "/verify/:token/",            "a/b", NULL, false },
    { "%2F is no separator",   "/api%2Frooms/",                  NULL,                         NULL, NULL, false },
    { "NUL",                   "/verify/a%00b/",                 "/verify/:token/",            "a%00b", NULL, false },
    { "broken escape",         "/verify/a%2/",                   "/verify/:token/",            "a%2", NULL, false },
    { "no hexadecimal",        "/verify/a%zz/",                  "/verify/:token/",            "a%zz", NULL, false },
    { "ill-formed UTF-8",      "/verify/%ff/",                   "/verify/:token/",            "%ff", NULL, false },
    { "no UTF-8 at all",       "/verify/\xff/",                 NULL,                         NULL, NULL, false },
    { "NUL is no literal",     "/api%00/rooms/",                 NULL,                         NULL, NULL, false },
    { "NUL in a uuid",         "/api/rooms/" ID "%00/send/",     NULL,                         NULL, NULL, false },
    { "double escape",         "/verify/%2561/",                 "/verify/:token/",            "%61", NULL, false },
    { "dots are plain names",  "/api/../api/rooms/",             NULL,                         NULL, NULL, false },
    { "not a path",            "*",                              NULL,                         NULL, NULL, false },
    { "empty",                 "",                               NULL,                         NULL, NULL, false },
};
/* clang-format on */

static void lookup_check(size_t i, arena *memory)
{
    str values[ROUTE_PARAMS] = { { NULL, 0 } };
    bool missing = false;
    url_path at;
    const path *found = NULL;

    if (url_split(memory, str_of(lookups[i].path), &at) == 0)
        found = router_find(tree, &at, values, &missing);
    if (!found != !lookups[i].found)
        fail_msg("case \"%s\"", lookups[i].label);
    if (!found)
        return;
    if (!str_eq(found->routes[0]->path, str_of(lookups[i].found)) ||
        missing != lookups[i].missing_slash)
        fail_msg("case \"%s\": " STR_FMT, lookups[i].label, STR_ARG(found->routes[0]->path));
    if (lookups[i].first && !str_eq(values[0], str_of(lookups[i].first)))
        fail_msg("case \"%s\": parameter " STR_FMT, lookups[i].label, STR_ARG(values[0]));
}

static void test_lookups(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lookups); i++) {
        arena memory;
        arena_init(&memory, 65536);
        lookup_check(i, &memory);
        arena_done(&memory);
    }
}

static path *path_at(const char *text)
{
    static arena memory;
    str values[ROUTE_PARAMS];
    bool missing;
    url_path at;

    arena_init(&memory, 65536);
    assert_int_equal(url_split(&memory, str_of(text), &at), 0);
    path *found = router_find(tree, &at, values, &missing);
    arena_done(&memory);
    return found;
}

static void test_methods(void **state)
{
    (void)state;
    path *rooms = path_at("/api/rooms/");
    assert_string_equal(rooms->allow, "GET, POST, HEAD, OPTIONS");
    assert_ptr_equal(path_route(rooms, STR("HEAD")), &routes[2]);
    assert_ptr_equal(path_route(rooms, STR("POST")), &routes[3]);
    assert_null(path_route(rooms, STR("PATCH")));
    assert_int_equal(rooms->any_flags, PARLEY_R_USER);
    path *one = path_at("/api/rooms/" ID "/");
    assert_string_equal(one->allow, "GET, PUT, HEAD, OPTIONS");
    assert_int_equal(one->n, 2);
    path *ws = path_at("/ws/" ID "/");
    assert_ptr_equal(ws->ws, &routes[10]);
    assert_null(path_route(ws, STR("GET")));
    assert_string_equal(ws->allow, "GET, OPTIONS");
}

static void test_twins(void **state)
{
    route again = { .method = STR("PUT"), .path = STR("/api/rooms/:other(uuid)/") };

    (void)state;
    assert_int_equal(pattern_parse("/api/rooms/:other(uuid)/", &again.pattern), 0);
    assert_true(pattern_same(&again.pattern, &routes[5].pattern));
    assert_false(pattern_same(&again.pattern, &routes[2].pattern));
    assert_int_equal(router_add(tree, &again), -EEXIST);
    pattern_done(&again.pattern);
}

static void test_patterns(void **state)
{
    static const char *const bad[] = {
        "", "api/", "/a//b", "/:", "/:id(int)/", "/:id(uuid/", "/:a/:b/:c/:d/:e/:f/:g/:h/:i/"
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        pattern p;
        if (pattern_parse(bad[i], &p) == 0)
            fail_msg("case \"%s\"", bad[i]);
        pattern_done(&p);
    }
}

/* clang-format off */
static const struct {
    const char *label, *query, *name, *value;
} queries[] = {
    { "plain",            "a=1&b=2",       "b",   "2"    },
    { "the last counts",  "a=1&a=2",       "a",   "2"    },
    { "absent",           "a=1",           "b",   NULL   },
    { "no value",         "a",             "a",   ""     },
    { "empty value",      "a=",            "a",   ""     },
    { "plus is a space",  "a=x+y",         "a",   "x y"  },
    { "escapes",          "a=%C3%A9%2b",   "a",   "\xc3\xa9+" },
    { "escaped name",     "%61=1",         "a",   "1"    },
    { "broken escape",    "a=%zz%2",       "a",   "%zz%2" },
    { "ill-formed",       "a=%ff",         "a",   NULL   },
    { "equals in value",  "a=b=c",         "a",   "b=c"  },
    { "empty parts",      "&&a=1&",        "a",   "1"    },
};
static const struct {
    const char *label, *path, *query, *location;
} locations[] = {
    { "plain",               "/api/rooms",     NULL,       "/api/rooms/"           },
    { "with query",          "/api/rooms",     "limit=1",  "/api/rooms/?limit=1"   },
    { "empty query",         "/api/rooms",     "",         "/api/rooms/?"          },
    { "escapes stay",        "/verify/a%20b",  NULL,       "/verify/a%20b/"        },
    { "backslash",           "/\\evil.org",    NULL,       "/%5Cevil.org/"         },
    { "bytes over ASCII",    "/\xc3\xa9",      NULL,       "/%C3%A9/"              },
    { "line break",          "/a",             "x\r\ny",   "/a/?x%0D%0Ay"          },
};
static const struct {
    const char *label, *text, *quoted;
} quotes[] = {
    { "plain",      "abc",          "\"abc\""              },
    { "empty",      "",             "\"\""                 },
    { "quotes",     "a\"b\\c",      "\"a\\\"b\\\\c\""      },
    { "control",    "a\nb\x01",     "\"a\\u000ab\\u0001\"" },
    { "UTF-8",      "\xc3\xa9",     "\"\xc3\xa9\""         },
    { "ill-formed", "a\xff" "b",    "\"a\xef\xbf\xbd" "b\"" },
};
/* clang-format on */

static void test_queries(void **state)
{
    arena memory;

    (void)state;
    arena_init(&memory, 65536);
    for (size_t i = 0; i < COUNT(queries); i++) {
        str value = url_query(&memory, str_of(queries[i].query), str_of(queries[i].name));
        if (!value.p != !queries[i].value || !str_eq(value, str_of(queries[i].value)))
            fail_msg("case \"%s\": " STR_FMT, queries[i].label, STR_ARG(value));
    }
    arena_done(&memory);
}

static void test_locations(void **state)
{
    arena memory;

    (void)state;
    arena_init(&memory, 65536);
    for (size_t i = 0; i < COUNT(locations); i++) {
        str to = url_with_slash(&memory, str_of(locations[i].path), str_of(locations[i].query));
        if (!str_eq(to, str_of(locations[i].location)))
            fail_msg("case \"%s\": " STR_FMT, locations[i].label, STR_ARG(to));
    }
    for (size_t i = 0; i < COUNT(quotes); i++) {
        str quoted = json_quote(&memory, str_of(quotes[i].text));
        if (!str_eq(quoted, str_of(quotes[i].quoted)))
            fail_msg("case \"%s\": " STR_FMT, quotes[i].label, STR_ARG(quoted));
    }
    arena_done(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookups), cmocka_unit_test(test_methods),
        cmocka_unit_test(test_twins),   cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_queries), cmocka_unit_test(test_locations),
    };

    return cmocka_run_group_tests(tests, tree_build, tree_free);
}
