/* test_head_scan.c -- the byte scan of heads and the chunk decoder, each sample also split at every
 * position. */
#include "core/base/str.h"
#include "core/net/chunk.h"
#include "core/net/head_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define REQ "GET / HTTP/1.1\r\n"

/* clang-format off */
static const struct {
    const char *label;
    str in;
    const char *reason; /* NULL: let through */
    int status;
    size_t bytes;       /* let through: length of the head; 0: more is wanted */
} cases[] = {
    { "smallest",                 STR_LIT(REQ "\r\n"),                      NULL, 0, 18 },
    { "one header",               STR_LIT(REQ "Host: a\r\n\r\n"),           NULL, 0, 27 },
    { "bytes behind",             STR_LIT(REQ "\r\nGET"),                   NULL, 0, 18 },
    { "not whole",                STR_LIT(REQ "Host: a\r\n"),               NULL, 0, 0 },
    { "nothing",                  STR_LIT(""),                              NULL, 0, 0 },
    { "empty line before",        STR_LIT("\r\n" REQ "\r\n"),               NULL, 0, 20 },
    { "no space behind colon",    STR_LIT(REQ "A:b\r\n\r\n"),               NULL, 0, 23 },
    { "empty value",              STR_LIT(REQ "A:\r\n\r\n"),                NULL, 0, 22 },
    { "tab in value",             STR_LIT(REQ "A:\tb\tc\r\n\r\n"),          NULL, 0, 26 },
    { "bytes over 0x7f in value", STR_LIT(REQ "A: \xc3\xa4\xff\r\n\r\n"),   NULL, 0, 26 },
    { "marks in name",            STR_LIT(REQ "!#$%&'*+-.^_`|~0: b\r\n\r\n"), NULL, 0, 39 },
    { "other version",            STR_LIT("GET / HTTP/2.0\r\n\r\n"),        NULL, 0, 18 },
    { "any method",               STR_LIT("BREW / HTTP/1.1\r\n\r\n"),       NULL, 0, 19 },
    { "two empty lines before",   STR_LIT("\r\n\r\n" REQ "\r\n"),           "request_line", 400, 0 },
    { "bare LF before",           STR_LIT("\n" REQ "\r\n"),                 "bare_lf", 400, 0 },
    { "bare CR before",           STR_LIT("\rG"),                           "bare_cr", 400, 0 },
    { "space before method",      STR_LIT(" " REQ "\r\n"),                  "request_line", 400, 0 },
    { "TLS hello",                STR_LIT("\x16\x03\x01\x02"),              "control_byte", 400, 0 },
    { "NUL first",                STR_LIT("\0"),                            "nul", 400, 0 },
    { "no target",                STR_LIT("GET\r\n\r\n"),                   "request_line", 400, 0 },
    { "bare LF after method",     STR_LIT("GET\n"),                         "bare_lf", 400, 0 },
    { "colon in method",          STR_LIT("GE:T / HTTP/1.1\r\n\r\n"),       "request_line", 400, 0 },
    { "tab after method",         STR_LIT("GET\t/ HTTP/1.1\r\n\r\n"),       "request_line", 400, 0 },
    { "two spaces after method",  STR_LIT("GET  / HTTP/1.1\r\n\r\n"),       "request_line", 400, 0 },
    { "no version",               STR_LIT("GET /\r\n\r\n"),                 "no_version", 400, 0 },
    { "no version, LF",           STR_LIT("GET /\n"),                       "bare_lf", 400, 0 },
    { "no version, space",        STR_LIT("GET / \r\n\r\n"),                "no_version", 400, 0 },
    { "space in target",          STR_LIT("GET /a b HTTP/1.1\r\n\r\n"),     "version_text", 400, 0 },
    { "two spaces before version", STR_LIT("GET /  HTTP/1.1\r\n\r\n"),      "version_text", 400, 0 },
    { "fragment",                 STR_LIT("GET /#a HTTP/1.1\r\n\r\n"),      "target_fragment", 400, 0 },
    { "0x80 in target",           STR_LIT("GET /\x80 HTTP/1.1\r\n\r\n"),    "target_byte", 400, 0 },
    { "0x7f in target",           STR_LIT("GET /\x7f HTTP/1.1\r\n\r\n"),    "control_byte", 400, 0 },
    { "NUL in target",            STR_LIT("GET /\0 HTTP/1.1\r\n\r\n"),      "nul", 400, 0 },
    { "tab in target",            STR_LIT("GET /\t HTTP/1.1\r\n\r\n"),      "target_byte", 400, 0 },
    { "lower case version",       STR_LIT("GET / http/1.1\r\n\r\n"),        "version_text", 400, 0 },
    { "RTSP",                     STR_LIT("GET / RTSP/1.0\r\n\r\n"),        "version_text", 400, 0 },
    { "version of one digit",     STR_LIT("GET / HTTP/1\r\n\r\n"),          "version_text", 400, 0 },
    { "version of three digits",  STR_LIT("GET / HTTP/1.10\r\n\r\n"),       "version_text", 400, 0 },
    { "space after version",      STR_LIT("GET / HTTP/1.1 \r\n\r\n"),       "version_text", 400, 0 },
    { "bare LF after version",    STR_LIT("GET / HTTP/1.1\n\r\n"),          "bare_lf", 400, 0 },
    { "bare CR after version",    STR_LIT("GET / HTTP/1.1\rA: b\r\n\r\n"),  "bare_cr", 400, 0 },
    { "two CR after version",     STR_LIT("GET / HTTP/1.1\r\r\n\r\n"),      "bare_cr", 400, 0 },
    { "folded first line",        STR_LIT(REQ " A: b\r\n\r\n"),             "folded_line", 400, 0 },
    { "folded with space",        STR_LIT(REQ "A: b\r\n c\r\n\r\n"),        "folded_line", 400, 0 },
    { "folded with tab",          STR_LIT(REQ "A: b\r\n\tc\r\n\r\n"),       "folded_line", 400, 0 },
    { "folded empty line",        STR_LIT(REQ "A: b\r\n \r\n\r\n"),         "folded_line", 400, 0 },
    { "empty name",               STR_LIT(REQ ": b\r\n\r\n"),               "empty_name", 400, 0 },
    { "space before colon",       STR_LIT(REQ "A : b\r\n\r\n"),             "space_before_colon", 400, 0 },
    { "tab before colon",         STR_LIT(REQ "A\t: b\r\n\r\n"),            "space_before_colon", 400, 0 },
    { "space in name",            STR_LIT(REQ "A B: b\r\n\r\n"),            "space_before_colon", 400, 0 },
    { "no colon",                 STR_LIT(REQ "Abc\r\n\r\n"),               "no_colon", 400, 0 },
    { "bracket in name",          STR_LIT(REQ "A(: b\r\n\r\n"),             "name_byte", 400, 0 },
    { "bracket starts name",      STR_LIT(REQ "(A: b\r\n\r\n"),             "name_byte", 400, 0 },
    { "8-bit name",               STR_LIT(REQ "\xc3\xa4: b\r\n\r\n"),       "name_byte", 400, 0 },
    { "NUL in name",              STR_LIT(REQ "A\0: b\r\n\r\n"),            "nul", 400, 0 },
    { "LF in name",               STR_LIT(REQ "A\n: b\r\n\r\n"),            "bare_lf", 400, 0 },
    { "bare LF ends header",      STR_LIT(REQ "A: b\nC: d\r\n\r\n"),        "bare_lf", 400, 0 },
    { "bare CR in value",         STR_LIT(REQ "A: b\rC: d\r\n\r\n"),        "bare_cr", 400, 0 },
    { "CVE-2023-30589",           STR_LIT(REQ "X-Abc:\rxTransfer-Encoding: chunked\r\n\r\n"), "bare_cr", 400, 0 },
    { "CR CR LF",                 STR_LIT(REQ "A: b\r\r\n\r\n"),            "bare_cr", 400, 0 },
    { "NUL in value",             STR_LIT(REQ "A: b\0c\r\n\r\n"),           "nul", 400, 0 },
    { "escape in value",          STR_LIT(REQ "A: b\x1b" "c\r\n\r\n"),      "control_byte", 400, 0 },
    { "vertical tab in value",    STR_LIT(REQ "A: \x0b" "b\r\n\r\n"),       "control_byte", 400, 0 },
    { "0x7f in value",            STR_LIT(REQ "A: \x7f\r\n\r\n"),           "control_byte", 400, 0 },
    { "block ends with LF",       STR_LIT(REQ "A: b\r\n\n"),                "bare_lf", 400, 0 },
    { "block ends with CR",       STR_LIT(REQ "A: b\r\n\rGET"),             "bare_cr", 400, 0 },
    { "long method",              STR_LIT("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n\r\n"), "method_too_long", 501, 0 },
};
/* clang-format on */

/* Feeds `in` in two pieces. */
static enum head_result scan_split(str in, size_t at, size_t *ret_bytes, const refusal **ret_why)
{
    head_scan s;
    size_t used = 0;

    head_scan_init(&s);
    enum head_result result = head_scan_feed(&s, in.p, at, &used, ret_why);
    if (result == HEAD_MORE) {
        assert_int_equal(used, at);
        result = head_scan_feed(&s, in.p + at, in.n - at, &used, ret_why);
    }
    *ret_bytes = s.bytes;
    return result;
}

static void test_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t at = 0; at <= cases[i].in.n; at++) {
            const refusal *why = NULL;
            size_t bytes;
            enum head_result result = scan_split(cases[i].in, at, &bytes, &why);
            enum head_result want = cases[i].reason  ? HEAD_REFUSED
                                    : cases[i].bytes ? HEAD_WHOLE
                                                     : HEAD_MORE;
            if (result != want || (want == HEAD_WHOLE && bytes != cases[i].bytes))
                fail_msg("case \"%s\" split at %zu: result %d (%s), %zu bytes", cases[i].label, at,
                         (int)result, why ? why->reason : "-", bytes);
            if (want == HEAD_REFUSED &&
                (strcmp(why->reason, cases[i].reason) != 0 || why->status != cases[i].status))
                fail_msg("case \"%s\" split at %zu: %d %s", cases[i].label, at, why->status,
                         why->reason);
        }
}

/* A lone CR, LF or NUL anywhere in a good head is refused: no second reading exists. */
static void test_every_byte(void **state)
{
    static const str good =
        STR_LIT("POST /a?b HTTP/1.1\r\nHost: example\r\nContent-Length: 5\r\n\r\n");
    static const char bad[] = { '\r', '\n', '\0' };

    (void)state;
    for (size_t at = 0; at < good.n; at++)
        for (size_t b = 0; b < sizeof(bad); b++) {
            char text[128];
            const refusal *why = NULL;
            size_t bytes;
            if (bad[b] == '\n' && at == good.n - 1)
                continue; /* the same text as one LF behind a whole head */
            memcpy(text, good.p, at);
            text[at] = bad[b];
            memcpy(text + at + 1, good.p + at, good.n - at);
            enum head_result result = scan_split((str){ text, good.n + 1 }, 0, &bytes, &why);
            if (result != HEAD_REFUSED)
                fail_msg("byte %d before byte %zu: result %d, %zu bytes", bad[b], at, (int)result,
                         bytes);
        }
}

/* clang-format off */
static const struct {
    const char *label;
    const char *before;   /* then `n` times `unit`, then `after` */
    const char *unit, *after;
    size_t n;
    const char *reason;
} limits[] = {
    { "target of 8192",      "GET /", "a", " HTTP/1.1\r\n\r\n", 8191, NULL },
    { "target of 8193",      "GET /", "a", " HTTP/1.1\r\n\r\n", 8192, "target_too_long" },
    { "target without end",  "GET /", "a", "",                  60000, "target_too_long" },
    { "100 headers",         REQ, "A: b\r\n", "\r\n",           100, NULL },
    { "101 headers",         REQ, "A: b\r\n", "\r\n",           101, "too_many_headers" },
    { "head of 16384",       REQ "A: ", "b", "\r\n\r\n",        16384 - 16 - 3 - 4, NULL },
    { "head of 16385",       REQ "A: ", "b", "\r\n\r\n",        16385 - 16 - 3 - 4, "head_too_long" },
    { "header without end",  REQ "A: ", "b", "",                60000, "head_too_long" },
    { "name without end",    REQ, "b", "",                      60000, "head_too_long" },
    { "method of 32",        "", "A", " / HTTP/1.1\r\n\r\n",    32, NULL },
    { "method of 33",        "", "A", " / HTTP/1.1\r\n\r\n",    33, "method_too_long" },
};
/* clang-format on */

static void test_limits(void **state)
{
    static char text[70000];

    (void)state;
    for (size_t i = 0; i < COUNT(limits); i++) {
        size_t n = strlen(limits[i].before), unit = strlen(limits[i].unit),
               after = strlen(limits[i].after);
        const refusal *why = NULL;
        size_t bytes;
        memcpy(text, limits[i].before, n);
        for (size_t k = 0; k < limits[i].n; k++, n += unit)
            memcpy(text + n, limits[i].unit, unit);
        memcpy(text + n, limits[i].after, after);
        n += after;
        for (size_t at = 0; at <= n; at += 1 + n / 17) {
            enum head_result result = scan_split((str){ text, n }, at, &bytes, &why);
            bool refused = result == HEAD_REFUSED;
            if (refused != (limits[i].reason != NULL) ||
                (refused && strcmp(why->reason, limits[i].reason) != 0) ||
                (!refused && (result != HEAD_WHOLE || bytes != n)))
                fail_msg("case \"%s\" split at %zu: %d %s", limits[i].label, at, (int)result,
                         why ? why->reason : "-");
        }
    }
}

/* ---- chunks ---- */

#define X64  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X252 X64 X64 X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* clang-format off */
static const struct {
    const char *label;
    str in;
    const char *data;   /* whole body; NULL: refused or not whole */
    const char *reason; /* NULL: not refused */
    size_t left;        /* bytes behind the end */
} chunks[] = {
    { "one",                  STR_LIT("3\r\nabc\r\n0\r\n\r\n"),             "abc", NULL, 0 },
    { "two",                  STR_LIT("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),  "abcde", NULL, 0 },
    { "none",                 STR_LIT("0\r\n\r\n"),                         "", NULL, 0 },
    { "bytes behind",         STR_LIT("0\r\n\r\nGET"),                      "", NULL, 3 },
    { "hexadecimal",          STR_LIT("A\r\n0123456789\r\n0\r\n\r\n"),      "0123456789", NULL, 0 },
    { "leading zeros",        STR_LIT("0003\r\nabc\r\n000\r\n\r\n"),        "abc", NULL, 0 },
    { "extension",            STR_LIT("3;a=b;c=\"d e\"\r\nabc\r\n0;x\r\n\r\n"), "abc", NULL, 0 },
    { "trailers",             STR_LIT("1\r\na\r\n0\r\nX: y\r\nZ: w\r\n\r\n"), "a", NULL, 0 },
    { "CR LF inside data",    STR_LIT("4\r\n\r\n\r\n\r\n0\r\n\r\n"),        "\r\n\r\n", NULL, 0 },
    { "limit of the test",    STR_LIT("14\r\n01234567890123456789\r\n0\r\n\r\n"), "01234567890123456789", NULL, 0 },
    { "not whole",            STR_LIT("3\r\nab"),                           NULL, NULL, 0 },
    { "end not whole",        STR_LIT("0\r\n\r"),                           NULL, NULL, 0 },
    { "line of 256",          STR_LIT("0;" X252 "\r\n\r\n"),                "", NULL, 0 },
    { "line of 257",          STR_LIT("0;x" X252 "\r\n\r\n"),               NULL, "chunk_line", 0 },
    { "over the limit",       STR_LIT("15\r\n"),                            NULL, "body_too_large", 0 },
    { "together over it",     STR_LIT("3\r\nabc\r\n12\r\n"),                NULL, "body_too_large", 0 },
    { "2^31",                 STR_LIT("80000000\r\n"),                      NULL, "body_too_large", 0 },
    { "2^64 - 1",             STR_LIT("ffffffffffffffff\r\n"),              NULL, "body_too_large", 0 },
    { "2^64",                 STR_LIT("10000000000000000\r\n"),             NULL, "chunk_size", 0 },
    { "2^64 + 3",             STR_LIT("10000000000000003\r\nabc"),          NULL, "chunk_size", 0 },
    { "no size",              STR_LIT("\r\n"),                              NULL, "chunk_size", 0 },
    { "extension only",       STR_LIT(";a\r\n"),                            NULL, "chunk_size", 0 },
    { "0x",                   STR_LIT("0x3\r\nabc\r\n"),                    NULL, "chunk_size", 0 },
    { "minus",                STR_LIT("-1\r\n"),                            NULL, "chunk_size", 0 },
    { "plus",                 STR_LIT("+3\r\nabc"),                         NULL, "chunk_size", 0 },
    { "space before",         STR_LIT(" 3\r\nabc"),                         NULL, "chunk_size", 0 },
    { "space behind",         STR_LIT("3 \r\nabc"),                         NULL, "chunk_size", 0 },
    { "bare LF",              STR_LIT("3\nabc"),                            NULL, "chunk_size", 0 },
    { "bare CR",              STR_LIT("3\rabc"),                            NULL, "chunk_line", 0 },
    { "LF in extension",      STR_LIT("3;a\nabc"),                          NULL, "chunk_line", 0 },
    { "NUL in extension",     STR_LIT("3;\0\r\nabc"),                       NULL, "chunk_line", 0 },
    { "two bytes for CR LF",  STR_LIT("3\r\nabcXY0\r\n\r\n"),               NULL, "chunk_end", 0 },
    { "LF after data",        STR_LIT("3\r\nabc\n0\r\n\r\n"),               NULL, "chunk_end", 0 },
    { "CR after data",        STR_LIT("3\r\nabc\r0\r\n\r\n"),               NULL, "chunk_end", 0 },
    { "size too small",       STR_LIT("2\r\nabc\r\n0\r\n\r\n"),             NULL, "chunk_end", 0 },
    { "bare LF in the end",   STR_LIT("0\r\n\n"),                           NULL, "bare_lf", 0 },
    { "folded trailer",       STR_LIT("0\r\nA: b\r\n c\r\n\r\n"),           NULL, "folded_line", 0 },
    { "trailer without colon", STR_LIT("0\r\nabc\r\n\r\n"),                 NULL, "no_colon", 0 },
};
/* clang-format on */

typedef struct decoded {
    char data[64];
    size_t n, used;
    enum chunk_result result;
    const refusal *why;
} decoded;

static void decode(decoded *d, chunk *k, str in)
{
    while (d->result == CHUNK_MORE) {
        size_t used;
        str data = STR_NONE;
        d->result = chunk_feed(k, in, 20 - d->n, &used, &data, &d->why);
        d->used += used;
        in = str_tail(in, used);
        if (d->result != CHUNK_DATA)
            return;
        memcpy(d->data + d->n, data.p, data.n);
        d->n += data.n;
        d->result = CHUNK_MORE;
    }
}

static void test_chunks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(chunks); i++)
        for (size_t at = 0; at <= chunks[i].in.n; at++) {
            str in = chunks[i].in;
            chunk k;
            decoded d = { .result = CHUNK_MORE };
            chunk_init(&k);
            decode(&d, &k, (str){ in.p, at });
            decode(&d, &k, str_tail(in, d.result == CHUNK_MORE ? at : in.n));
            enum chunk_result want = chunks[i].reason ? CHUNK_REFUSED
                                     : chunks[i].data ? CHUNK_END
                                                      : CHUNK_MORE;
            if (d.result != want ||
                (chunks[i].reason && strcmp(d.why->reason, chunks[i].reason) != 0))
                fail_msg("case \"%s\" split at %zu: %d %s", chunks[i].label, at, (int)d.result,
                         d.why ? d.why->reason : "-");
            if (chunks[i].data && (!str_eq((str){ d.data, d.n }, str_of(chunks[i].data)) ||
                                   d.used != in.n - chunks[i].left))
                fail_msg("case \"%s\" split at %zu: \"%.*s\", used %zu", chunks[i].label, at,
                         (int)d.n, d.data, d.used);
        }
}

/* The trailers, their empty line included, of `n` bytes. */
static enum chunk_result decode_trailers(int n, const refusal **ret_why)
{
    char text[HEAD_TRAILERS_MAX + 16];
    chunk k;
    size_t used;
    str data;
    int len = snprintf(text, sizeof(text), "0\r\nA:%0*d\r\n\r\n", n - 6, 0);

    chunk_init(&k);
    return chunk_feed(&k, (str){ text, (size_t)len }, 0, &used, &data, ret_why);
}

static void test_trailer_limit(void **state)
{
    const refusal *why = NULL;

    (void)state;
    assert_int_equal(decode_trailers(HEAD_TRAILERS_MAX, &why), CHUNK_END);
    assert_int_equal(decode_trailers(HEAD_TRAILERS_MAX + 1, &why), CHUNK_REFUSED);
    assert_string_equal(why->reason, "head_too_long");
    assert_int_equal(why->status, 431);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_split),   cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_limits),        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_trailer_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
