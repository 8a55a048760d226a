/* test_metrics_text.c -- the text of a scrape, in both formats, byte for byte. */
#include "fake/fake.h"
#include "plugins/metrics/text.h"
#include <string.h>

static const int64_t bounds[] = { 500, 1000, 2500000 };
static const int64_t buckets[] = { 1, 0, 2, 3 };

#define AGAIN(...) (&(const parley_metric_value){ PARLEY_SIZED(parley_metric_value), __VA_ARGS__ })
#define V(...)                                                                                     \
    (&(const parley_metric_value){ PARLEY_SIZED(parley_metric_value), .is_first = 1, __VA_ARGS__ })
#define S PARLEY_S

static void check(int format, const parley_metric_value *v, const char *want)
{
    text t = { .format = format };

    text_add(&t, v);
    assert_false(t.failed);
    assert_int_equal(t.n, strlen(want));
    assert_memory_equal(t.p, want, t.n);
    text_done(&t);
}

static void test_counter(void **state)
{
    const parley_metric_value *v = V(.kind = PARLEY_M_COUNTER, .name = S("parley_a_seconds"),
                                     .unit = S("seconds"), .help = S("A \"b\" \\ c\nd"),
                                     .labels = S("k=\"v\""), .per_unit = 1000000, .value = 1500000);

    (void)state;
    check(FORMAT_OPENMETRICS, v,
          "# HELP parley_a_seconds A \\\"b\\\" \\\\ c\\nd\n# TYPE parley_a_seconds counter\n"
          "# UNIT parley_a_seconds seconds\nparley_a_seconds_total{k=\"v\"} 1.5\n");
    check(
        FORMAT_PROMETHEUS, v,
        "# HELP parley_a_seconds_total A \"b\" \\\\ c\\nd\n# TYPE parley_a_seconds_total counter\n"
        "parley_a_seconds_total{k=\"v\"} 1.5\n");
}

static void test_numbers(void **state)
{
    static const struct {
        int64_t value, per_unit;
        const char *want;
    } cases[] = {
        { 0, 1, "0" },
        { -7, 1, "-7" },
        { INT64_MAX, 1, "9223372036854775807" },
        { INT64_MIN, 1, "-9223372036854775808" },
        { 0, 1000, "0.0" },
        { 1, 1000000000, "0.000000001" },
        { -1500, 1000, "-1.5" },
        { 2000, 1000, "2.0" },
        { 120, 1000, "0.12" },
    };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        char want[128];
        parley_metric_value v = { .kind = PARLEY_M_GAUGE,
                                  .name = S("parley_g"),
                                  .per_unit = cases[i].per_unit,
                                  .value = cases[i].value };
        (void)snprintf(want, sizeof(want), "parley_g %s\n", cases[i].want);
        check(FORMAT_OPENMETRICS, &v, want);
    }
}

static void test_histogram(void **state)
{
    (void)state;
    check(FORMAT_OPENMETRICS,
          V(.kind = PARLEY_M_HISTOGRAM, .name = S("parley_h_seconds"), .unit = S("seconds"),
            .help = S("H."), .labels = S("k=\"v\""), .per_unit = 1000000, .bounds = bounds,
            .bound_n = 3, .buckets = buckets, .sum = 12000001),
          "# HELP parley_h_seconds H.\n# TYPE parley_h_seconds histogram\n# UNIT parley_h_seconds "
          "seconds\n"
          "parley_h_seconds_bucket{k=\"v\",le=\"0.0005\"} "
          "1\nparley_h_seconds_bucket{k=\"v\",le=\"0.001\"} 1\n"
          "parley_h_seconds_bucket{k=\"v\",le=\"2.5\"} "
          "3\nparley_h_seconds_bucket{k=\"v\",le=\"+Inf\"} 6\n"
          "parley_h_seconds_count{k=\"v\"} 6\nparley_h_seconds_sum{k=\"v\"} 12.000001\n");
    check(FORMAT_PROMETHEUS,
          AGAIN(.kind = PARLEY_M_HISTOGRAM, .name = S("parley_h"), .per_unit = 1, .bounds = bounds,
                .bound_n = 1, .buckets = buckets, .sum = 7),
          "parley_h_bucket{le=\"500.0\"} 1\nparley_h_bucket{le=\"+Inf\"} 1\nparley_h_count "
          "1\nparley_h_sum 7\n");
}

static void test_the_route(void **state)
{
    (void)state;
    fake_open(&parley_plugin_0, NULL);
    const parley_route *route = fake_route_find("GET", "/metrics");
    assert_non_null(route);
    assert_int_equal(route->flags,
                     PARLEY_R_OPS | PARLEY_R_ANYHOST | PARLEY_R_ANYTYPE | PARLEY_R_NOLOG);
    parley_req req = fake_call("GET", "/metrics", NULL);
    assert_int_equal(fake_status(req), 200);
    assert_string_equal(fake_body(req), "# EOF\n"); /* the plugin counts nothing itself */
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counter),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_the_route),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
