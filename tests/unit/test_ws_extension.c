/* test_ws_extension.c -- which offers of permessage-deflate are agreed to, and what is answered. */
#include "core/net/ws_extension.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define P      "permessage-deflate"
#define YES    P "; server_no_context_takeover; client_no_context_takeover"
#define YES_15 15, YES

/* clang-format off */
static const struct {
    const char *offers;
    uint8_t window;
    const char *answer;
} cases[] = {
    /* ---- agreed to ---- */
    { P,                                                       YES_15 },
    { P "; client_max_window_bits",                            YES_15 }, /* browsers */
    { P ";client_max_window_bits",                             YES_15 },
    { P "\t;  client_max_window_bits \t",                      YES_15 },
    { P "; client_max_window_bits=8",                          YES_15 },
    { P "; client_max_window_bits=15",                         YES_15 },
    { P "; server_no_context_takeover",                        YES_15 },
    { P "; client_no_context_takeover",                        YES_15 },
    { YES,                                                     YES_15 },
    { YES "; client_max_window_bits",                          YES_15 },
    { P "; server_max_window_bits=15",                         15, YES "; server_max_window_bits=15" },
    { P "; server_max_window_bits=8",                          8,  YES "; server_max_window_bits=8" },
    { P "; server_max_window_bits=10; client_max_window_bits=9", 10, YES "; server_max_window_bits=10" },
    { P "; server_max_window_bits=\"12\"",                     12, YES "; server_max_window_bits=12" },
    { P "; server_max_window_bits = 9",                        9,  YES "; server_max_window_bits=9" },
    /* ---- several offers: the first that can be kept to ---- */
    { P ", " P "; server_max_window_bits=9",                   YES_15 },
    { P "; server_max_window_bits=9, " P,                      9,  YES "; server_max_window_bits=9" },
    { P "; server_max_window_bits=7, " P,                      YES_15 },
    { P "; unknown, " P "; server_max_window_bits=11",         11, YES "; server_max_window_bits=11" },
    { "x-webkit-deflate-frame, " P,                            YES_15 },
    { "foo; bar=\"baz\"; " P ", " P,                           YES_15 },
    { ", ," P " ,",                                            YES_15 },
    /* ---- declined ---- */
    { "",                                                      0, "" },
    { ",",                                                     0, "" },
    { " ",                                                     0, "" },
    { "permessage-bzip2",                                      0, "" },
    { "Permessage-Deflate",                                    0, "" },
    { "foo; " P,                                               0, "" },
    { P "; unknown",                                           0, "" },
    { P "; server_max_window_bits",                            0, "" },
    { P "; server_max_window_bits=7",                          0, "" },
    { P "; server_max_window_bits=16",                         0, "" },
    { P "; server_max_window_bits=08",                         0, "" },
    { P "; server_max_window_bits=+9",                         0, "" },
    { P "; server_max_window_bits=-9",                         0, "" },
    { P "; server_max_window_bits=9a",                         0, "" },
    { P "; server_max_window_bits=0x9",                        0, "" },
    { P "; server_max_window_bits=100",                        0, "" },
    { P "; server_max_window_bits=4294967305",                 0, "" },
    { P "; client_max_window_bits=7",                          0, "" },
    { P "; client_max_window_bits=16",                         0, "" },
    { P "; client_max_window_bits=010",                        0, "" },
    { P "; server_no_context_takeover=1",                      0, "" },
    { P "; server_no_context_takeover=15",                     0, "" },
    { P "; client_no_context_takeover=\"true\"",               0, "" },
    { P "; Server_No_Context_Takeover",                        0, "" },
    { P "; client_max_window_bits; client_max_window_bits",    0, "" },
    { P "; client_max_window_bits; client_max_window_bits=9",  0, "" },
    { P "; server_max_window_bits=9; server_max_window_bits=9", 0, "" },
    { P "; server_no_context_takeover; server_no_context_takeover", 0, "" },
    { P "; unknown, " P "; client_max_window_bits=99",         0, "" },
    /* ---- not the grammar: no offer of the list counts ---- */
    { P ";",                                                   0, "" },
    { P "; ;client_max_window_bits",                           0, "" },
    { P "; client_max_window_bits=",                           0, "" },
    { P "; server_max_window_bits=\"\"",                       0, "" },
    { P "; server_max_window_bits=\"9",                        0, "" },
    { P "; server_max_window_bits=\" 9\"",                     0, "" },
    { P "; server_max_window_bits=\"\\9\"",                    0, "" },
    { P "; server_max_window_bits=\"9\"9",                     0, "" },
    { P " " P,                                                 0, "" },
    { P "=1",                                                  0, "" },
    { "\"" P "\"",                                             0, "" },
    { P ", =",                                                 0, "" },
    { P "; a=\"b, " P,                                         0, "" },
    { ";;;,,,=\", " P,                                         0, "" },
    { P ", \x80",                                              0, "" },
};
/* clang-format on */

static void test_offers(void **state)
{
    char answer[WS_EXTENSION_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t window = ws_extension_agree(str_of(cases[i].offers), answer);
        if (window != cases[i].window || strcmp(answer, cases[i].answer) != 0)
            fail_msg("case %zu, \"%s\": %u, \"%s\"", i, cases[i].offers, window, answer);
    }
    assert_int_equal(ws_extension_agree(STR_NONE, answer), 0);
    assert_string_equal(answer, "");
    assert_int_equal(ws_extension_agree(STR(P "\0, " P), answer), 0);
}

/* Every beginning of a long list: nothing is read behind its end. */
static void test_beginnings(void **state)
{
    static const char list[] =
        "foo; a=\"b\", " P "; server_max_window_bits=\"10\"; client_max_window_bits, ," P;
    char answer[WS_EXTENSION_MAX];

    (void)state;
    for (size_t n = 0; n < sizeof(list); n++) {
        char *copy = malloc(n + (n == 0)); /* its own, so that the sanitizer sees its end */
        assert_non_null(copy);
        memcpy(copy, list, n);
        uint8_t window = ws_extension_agree((str){ copy, n }, answer);
        assert_true(window == 0 || window == 10 || window == 15);
        assert_int_equal(window > 0, answer[0] != '\0');
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offers),
        cmocka_unit_test(test_beginnings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
