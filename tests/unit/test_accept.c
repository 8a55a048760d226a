/* test_accept.c -- which answers the header Accept takes, and which it prefers. */
#include "core/host/accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka.h needs the three above. */
#include <cmocka.h>

#define BROWSER "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"

/* clang-format off */
static const struct {
    const char *label, *header;
    bool takes_json, wants_html;
} cases[] = {
    { "absent",                     NULL,                                  true,  false },
    { "empty",                      "",                                    true,  false },
    { "only commas",                " , ,",                                true,  false },
    { "everything",                 "*/*",                                 true,  false },
    { "a star alone",               "*",                                   true,  false },
    { "its family",                 "application/*",                       true,  false },
    { "itself",                     "application/json",                    true,  false },
    { "any case",                   "Application/JSON",                    true,  false },
    { "with parameters",            "application/json; charset=utf-8",     true,  false },
    { "html only",                  "text/html",                           false, true  },
    { "browser",                    BROWSER,                               true,  true  },
    { "excluded",                   "application/json;q=0",                false, false },
    { "excluded with zeros",        "application/json;q=0.000, */*",       false, false },
    { "excluded beside all",        "*/*, application/json;q=0",           false, false },
    { "family excluded",            "application/*;q=0, */*",              false, false },
    { "named beats family",         "application/*;q=0, application/json", true,  false },
    { "all excluded",               "*/*;q=0",                             false, false },
    { "html first among equals",    "text/html, application/json",         true,  true  },
    { "json first among equals",    "application/json, text/html",         true,  false },
    { "json better",                "text/html;q=0.5, application/json",   true,  false },
    { "html better",                "application/json;q=0.5, text/html",   true,  true  },
    { "html refused",               "text/html;q=0, application/json",     true,  false },
    { "html by wildcard only",      "text/*",                              false, false },
    { "near miss",                  "application/jsonp",                   false, false },
    { "malformed q counts as 1",    "application/json;q=high",             true,  false },
    { "q with spaces",              "application/json ; q=0 , text/plain", false, false },
    { "q over one",                 "application/json;q=1.5",              true,  false },
};
/* clang-format on */

static void test_accept(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        str header = str_of(cases[i].header);
        if (accept_takes(header, STR("application/json")) != cases[i].takes_json)
            fail_msg("case \"%s\": takes json", cases[i].label);
        if (accept_wants(header, STR("text/html")) != cases[i].wants_html)
            fail_msg("case \"%s\": wants html", cases[i].label);
    }
}

static void test_quality(void **state)
{
    int q;
    size_t at;

    (void)state;
    assert_int_equal(accept_find(STR("a/b;q=0.25, application/json;x=1;q=0.125"),
                                 STR("application/json"), &q, &at),
                     ACCEPT_NAMED);
    assert_int_equal(q, 125);
    assert_int_equal(at, 11);
    assert_int_equal(
        accept_find(STR("application/*;q=0.3,*/*;q=0.9"), STR("application/json"), &q, &at),
        ACCEPT_FAMILY);
    assert_int_equal(q, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_accept),
                                        cmocka_unit_test(test_quality) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
