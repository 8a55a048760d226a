/* test_logging_trace.c -- traceparent: what is one, and its trace-id. */
#include "fake/fake.h"
#include "plugins/logging/trace.h"
#include <string.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN  "00f067aa0ba902b7"
#define ZEROS "00000000000000000000000000000000"

/* clang-format off */
static const struct {
    const char *label, *header;
    bool is_good;
} headers[] = {
    { "sampled",              "00-" TRACE "-" SPAN "-01",       true },
    { "not sampled",          "00-" TRACE "-" SPAN "-00",       true },
    { "a later version",      "01-" TRACE "-" SPAN "-01",       true },
    { "with more behind",     "cc-" TRACE "-" SPAN "-01-what",  true },
    { "empty",                "",                               false },
    { "version ff",           "ff-" TRACE "-" SPAN "-01",       false },
    { "more in version 00",   "00-" TRACE "-" SPAN "-01-what",  false },
    { "more without a dash",  "cc-" TRACE "-" SPAN "-01.what",  false },
    { "no trace",             "00-" ZEROS "-" SPAN "-01",       false },
    { "no span",              "00-" TRACE "-0000000000000000-01", false },
    { "capitals",             "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", false },
    { "no digit",             "00-" TRACE "-00f067aa0ba902bx-01", false },
    { "short",                "00-" TRACE "-" SPAN "-0",        false },
    { "other separators",     "00_" TRACE "_" SPAN "_01",       false },
    { "sent twice",           "00-" TRACE "-" SPAN "-01, 00-" TRACE "-" SPAN "-01", false },
    { "later, sent twice",    "01-" TRACE "-" SPAN "-01, 01-" TRACE "-" SPAN "-01", false },
};
/* clang-format on */

static void test_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        parley_str id = trace_id((parley_str){ headers[i].header, strlen(headers[i].header) });
        bool is_good = id.n == 32 && memcmp(id.p, TRACE, 32) == 0;

        if (is_good != headers[i].is_good || (!is_good && id.p))
            fail_msg("%s", headers[i].label);
    }
    assert_null(trace_id((parley_str){ NULL, 0 }).p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_headers) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
