/* test_http.c -- raw bytes in, status lines out: each case is sent whole, split at every byte, and
 * byte by byte. */
#include "http_fixture.h"

#define HOST "Host: a\r\n"
#define GET  "GET /x HTTP/1.1\r\n" HOST
#define POST "POST /x HTTP/1.1\r\n" HOST

/* clang-format off */
static const struct {
    const char *label;
    str in;
    const char *out;    /* statuses, " closed" at the end when the connection must end */
    const char *bodies; /* NULL: those of the core's own answers are checked by their status */
    const char *reason; /* of refused(); NULL: not called */
} cases[] = {
    /* ---- what is answered ---- */
    { "get",                     STR_LIT(GET "\r\n"),                            "200", "GET /x ", NULL },
    { "query",                   STR_LIT("GET /x?a=%20b HTTP/1.1\r\n" HOST "\r\n"), "200", "GET /x?a=%20b ", NULL },
    { "every method",            STR_LIT("PUT /x HTTP/1.1\r\n" HOST "\r\n" "PATCH /x HTTP/1.1\r\n" HOST "\r\n"
                                         "DELETE /x HTTP/1.1\r\n" HOST "\r\n" "OPTIONS /x HTTP/1.1\r\n" HOST "\r\n"),
                                                                                 "200 200 200 200", "PUT /x |PATCH /x |DELETE /x |OPTIONS /x ", NULL },
    { "options *",               STR_LIT("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"),  "200", "OPTIONS * ", NULL },
    { "close",                   STR_LIT(GET "Connection: close\r\n\r\n"),       "200 closed", "GET /x ", NULL },
    { "close in a list",         STR_LIT(GET "Connection: x, Close\r\n\r\n"),    "200 closed", "GET /x ", NULL },
    { "bytes behind close",      STR_LIT(GET "Connection: close\r\n\r\n" GET "\r\n"), "200 closed", "GET /x ", NULL },
    { "rubbish behind close",    STR_LIT(GET "Connection: close\r\n\r\n\0\0\0"), "200 closed", "GET /x ", NULL },
    { "1.0",                     STR_LIT("GET /x HTTP/1.0\r\n\r\n"),             "200 closed", "GET /x ", NULL },
    { "1.0 keep-alive",          STR_LIT("GET /x HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), "200", "GET /x ", NULL },
    { "pipelined",               STR_LIT(GET "\r\n" GET "\r\n" GET "\r\n"),      "200 200 200", "GET /x |GET /x |GET /x ", NULL },
    { "empty line between",      STR_LIT(GET "\r\n\r\n" GET "\r\n"),             "200 200", "GET /x |GET /x ", NULL },
    { "body",                    STR_LIT(POST "Content-Length: 3\r\n\r\nabc"),   "200", "POST /x abc", NULL },
    { "empty body",              STR_LIT(POST "Content-Length: 0\r\n\r\n"),      "200", "POST /x ", NULL },
    { "get with body",           STR_LIT(GET "Content-Length: 1\r\n\r\na"),      "200", "GET /x a", NULL },
    { "body, then another",      STR_LIT(POST "Content-Length: 3\r\n\r\nabc" GET "\r\n"), "200 200", "POST /x abc|GET /x ", NULL },
    { "length with zeros",       STR_LIT(POST "Content-Length: 0000000003\r\n\r\nabc"), "200", "POST /x abc", NULL },
    { "largest body",            STR_LIT("POST /small HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789"), "200", "POST /small 0123456789", NULL },
    { "chunked",                 STR_LIT(POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), "200", "POST /x abcde", NULL },
    { "chunked, then another",   STR_LIT(POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nT: t\r\n\r\n" GET "\r\n"), "200 200", "POST /x a|GET /x ", NULL },
    { "chunked, empty",          STR_LIT(POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "200", "POST /x ", NULL },
    { "early answer, no body",   STR_LIT("GET /early HTTP/1.1\r\n" HOST "\r\n" GET "\r\n"), "404 200", "early|GET /x ", NULL },
    { "early answer with body",  STR_LIT("POST /early HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc" GET "\r\n"), "404 closed", "early", NULL },
    { "early answer, chunked",   STR_LIT("POST /early HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"), "404 closed", "early", NULL },
    { "unknown expectation",     STR_LIT(POST "Expect: tea\r\nContent-Length: 1\r\n\r\na"), "200", "POST /x a", NULL },
    { "no upgrade known",        STR_LIT(GET "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"), "200", "GET /x ", NULL },
    /* ---- request line ---- */
    { "unknown method",          STR_LIT("BREW /x HTTP/1.1\r\n" HOST "\r\n"),    "501 closed", NULL, "method" },
    { "lower case method",       STR_LIT("get /x HTTP/1.1\r\n" HOST "\r\n"),     "501 closed", NULL, "method" },
    { "trace",                   STR_LIT("TRACE /x HTTP/1.1\r\n" HOST "\r\n"),   "501 closed", NULL, "method" },
    { "connect",                 STR_LIT("CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n"), "501 closed", NULL, "method" },
    { "HTTP/2 preface",          STR_LIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),    "501 closed", NULL, "method" },
    { "2.0",                     STR_LIT("GET /x HTTP/2.0\r\n" HOST "\r\n"),     "505 closed", NULL, "version" },
    { "0.9",                     STR_LIT("GET /x HTTP/0.9\r\n" HOST "\r\n"),     "505 closed", NULL, "version" },
    { "1.2",                     STR_LIT("GET /x HTTP/1.2\r\n" HOST "\r\n"),     "505 closed", NULL, "version" },
    { "no version",              STR_LIT("GET /x\r\n\r\n"),                      "400 closed", NULL, "no_version" },
    { "absolute target",         STR_LIT("GET http://a/x HTTP/1.1\r\n" HOST "\r\n"), "400 closed", NULL, "target_absolute" },
    { "target without slash",    STR_LIT("GET x HTTP/1.1\r\n" HOST "\r\n"),      "400 closed", NULL, "target_form" },
    { "get *",                   STR_LIT("GET * HTTP/1.1\r\n" HOST "\r\n"),      "400 closed", NULL, "target_form" },
    { "options *x",              STR_LIT("OPTIONS *x HTTP/1.1\r\n" HOST "\r\n"), "400 closed", NULL, "target_form" },
    { "fragment",                STR_LIT("GET /x#y HTTP/1.1\r\n" HOST "\r\n"),   "400 closed", NULL, "target_fragment" },
    /* ---- Host ---- */
    { "host with port",          STR_LIT("GET /x HTTP/1.1\r\nHost: a.b-c_d:65535\r\n\r\n"), "200", "GET /x ", NULL },
    { "host with empty port",    STR_LIT("GET /x HTTP/1.1\r\nHost: a:\r\n\r\n"), "200", "GET /x ", NULL },
    { "host IPv6",               STR_LIT("GET /x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), "200", "GET /x ", NULL },
    { "host missing",            STR_LIT("GET /x HTTP/1.1\r\n\r\n"),             "400 closed", NULL, "host_missing" },
    { "host twice",              STR_LIT(GET "host: a\r\n\r\n"),                 "400 closed", NULL, "host_repeated" },
    { "host twice in 1.0",       STR_LIT("GET /x HTTP/1.0\r\n" HOST HOST "\r\n"), "400 closed", NULL, "host_repeated" },
    { "host empty",              STR_LIT("GET /x HTTP/1.1\r\nHost:\r\n\r\n"),    "400 closed", NULL, "host_bad" },
    { "host with slash",         STR_LIT("GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n"), "400 closed", NULL, "host_bad" },
    { "host with user",          STR_LIT("GET /x HTTP/1.1\r\nHost: a@b\r\n\r\n"), "400 closed", NULL, "host_bad" },
    { "host with space",         STR_LIT("GET /x HTTP/1.1\r\nHost: a b\r\n\r\n"), "400 closed", NULL, "host_bad" },
    { "host list",               STR_LIT("GET /x HTTP/1.1\r\nHost: a, b\r\n\r\n"), "400 closed", NULL, "host_bad" },
    { "host port of 6 digits",   STR_LIT("GET /x HTTP/1.1\r\nHost: a:123456\r\n\r\n"), "400 closed", NULL, "host_bad" },
    { "host port of letters",    STR_LIT("GET /x HTTP/1.1\r\nHost: a:b\r\n\r\n"), "400 closed", NULL, "host_bad" },
    { "host port only",          STR_LIT("GET /x HTTP/1.1\r\nHost: :80\r\n\r\n"), "400 closed", NULL, "host_bad" },
    { "host open bracket",       STR_LIT("GET /x HTTP/1.1\r\nHost: [::1\r\n\r\n"), "400 closed", NULL, "host_bad" },
    { "host behind bracket",     STR_LIT("GET /x HTTP/1.1\r\nHost: [::1]a\r\n\r\n"), "400 closed", NULL, "host_bad" },
    { "host 8-bit",              STR_LIT("GET /x HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n"), "400 closed", NULL, "host_bad" },
    /* ---- framing ---- */
    { "length and chunked",      STR_LIT(POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET "\r\n"), "400 closed", NULL, "content_length_and_transfer_encoding" },
    { "chunked and length",      STR_LIT(POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" GET "\r\n"), "400 closed", NULL, "content_length_and_transfer_encoding" },
    { "length 0 and chunked",    STR_LIT(POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400 closed", NULL, "content_length_and_transfer_encoding" },
    { "two lengths",             STR_LIT(POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), "400 closed", NULL, "content_length_repeated" },
    { "two equal lengths",       STR_LIT(POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), "400 closed", NULL, "content_length_repeated" },
    { "length list",             STR_LIT(POST "Content-Length: 3, 3\r\n\r\nabc"), "400 closed", NULL, "parser" },
    { "length empty",            STR_LIT(POST "Content-Length:\r\n\r\nabc"),     "400 closed", NULL, "content_length" },
    { "length +3",               STR_LIT(POST "Content-Length: +3\r\n\r\nabc"),  "400 closed", NULL, "content_length" },
    { "length -3",               STR_LIT(POST "Content-Length: -3\r\n\r\nabc"),  "400 closed", NULL, "content_length" },
    { "length 0x3",              STR_LIT(POST "Content-Length: 0x3\r\n\r\nabc"), "400 closed", NULL, "parser" },
    { "length 3.0",              STR_LIT(POST "Content-Length: 3.0\r\n\r\nabc"), "400 closed", NULL, "parser" },
    { "length 1 2",              STR_LIT(POST "Content-Length: 1 2\r\n\r\nabc"), "400 closed", NULL, "content_length" },
    { "length of 20 digits",     STR_LIT(POST "Content-Length: 00000000000000000003\r\n\r\nabc"), "400 closed", NULL, "content_length" },
    { "length 2^64",             STR_LIT(POST "Content-Length: 18446744073709551616\r\n\r\n"), "400 closed", NULL, "content_length" },
    { "length 2^31",             STR_LIT(POST "Content-Length: 2147483648\r\n\r\n"), "413 closed", NULL, "body_too_large" },
    { "length of 19 nines",      STR_LIT(POST "Content-Length: 9999999999999999999\r\n\r\n"), "413 closed", NULL, "body_too_large" },
    { "one over the limit",      STR_LIT(POST "Content-Length: 101\r\n\r\n"),    "413 closed", NULL, "body_too_large" },
    { "one over the route's",    STR_LIT("POST /small HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n01234567890"), "413 closed", NULL, "body_too_large" },
    { "chunks over the route's", STR_LIT("POST /small HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n01234\r\n0\r\n\r\n"), "413 closed", NULL, "body_too_large" },
    { "chunk of 2^63",           STR_LIT(POST "Transfer-Encoding: chunked\r\n\r\n8000000000000000\r\n"), "413 closed", NULL, "body_too_large" },
    { "chunk of 2^64",           STR_LIT(POST "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n"), "400 closed", NULL, "chunk_size" },
    { "chunk without end",       STR_LIT(POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX0\r\n\r\n"), "400 closed", NULL, "chunk_end" },
    { "chunk size bare LF",      STR_LIT(POST "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n"), "400 closed", NULL, "chunk_size" },
    { "coding in 1.0",           STR_LIT("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400 closed", NULL, "transfer_encoding_1_0" },
    { "coding empty",            STR_LIT(POST "Transfer-Encoding:\r\n\r\n"),     "400 closed", NULL, "transfer_encoding" },
    { "coding twice",            STR_LIT(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400 closed", NULL, "transfer_encoding_repeated" },
    { "coding chunked, chunked", STR_LIT(POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), "400 closed", NULL, "parser" },
    { "coding , chunked",        STR_LIT(POST "Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n"), "400 closed", NULL, "transfer_encoding" },
    { "coding chunked,",         STR_LIT(POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"), "400 closed", NULL, "parser" },
    { "coding chunked, gzip",    STR_LIT(POST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"), "400 closed", NULL, "parser" },
    { "coding CHUNKED",          STR_LIT(POST "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n"), "400 closed", NULL, "transfer_encoding" },
    { "coding \"chunked\"",      STR_LIT(POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"), "400 closed", NULL, "transfer_encoding" },
    { "coding chunked;q=1",      STR_LIT(POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"), "400 closed", NULL, "transfer_encoding" },
    { "coding gzip",             STR_LIT(POST "Transfer-Encoding: gzip\r\n\r\n"), "501 closed", NULL, "transfer_encoding_unknown" },
    { "coding xchunked",         STR_LIT(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), "501 closed", NULL, "transfer_encoding_unknown" },
    { "coding gzip, chunked",    STR_LIT(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "501 closed", NULL, "transfer_encoding_unknown" },
    { "coding identity",         STR_LIT(POST "Transfer-Encoding: identity\r\n\r\n"), "501 closed", NULL, "transfer_encoding_unknown" },
    { "coding, space, colon",    STR_LIT(POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"), "400 closed", NULL, "space_before_colon" },
    { "coding folded",           STR_LIT(POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"), "400 closed", NULL, "folded_line" },
    { "coding behind lone CR",   STR_LIT(POST "X-Abc:\rxTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\n"), "400 closed", NULL, "bare_cr" },
    { "coding behind lone LF",   STR_LIT(POST "X-Abc: x\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400 closed", NULL, "bare_lf" },
    /* ---- one bad among good ones ---- */
    { "good, bad, good",         STR_LIT(GET "\r\n" "GET /x HTTP/1.1\n" HOST "\r\n" GET "\r\n"), "200 400 closed", NULL, "bare_lf" },
    { "body, then rubbish",      STR_LIT(POST "Content-Length: 1\r\n\r\nabc\0"), "200 400 closed", NULL, "nul" },
};
/* clang-format on */

static bool client_is(client *k, const char *want, char *got, size_t size, char *bodies)
{
    bool over = client_over(k);

    client_summary(k, got, size, bodies, 4096);
    return over || strcmp(got, want) == 0;
}

/* Sends `in` in pieces of `piece` bytes, the first one of `first`; reads until the wanted answers
 * are there. */
static void exchange(client *k, str in, size_t first, size_t piece, const char *want, char *got,
                     size_t size, char *bodies)
{
    client_open(k);
    client_send(k, (str){ in.p, first });
    for (size_t i = first; i < in.n; i += piece)
        client_send(k, (str){ in.p + i, piece < in.n - i ? piece : in.n - i });
    WAIT_FOR(client_is(k, want, got, size, bodies));
    client_close(k);
}

static void check(size_t i, size_t first, size_t piece)
{
    static client k;
    static char got[1024], bodies[4096];

    memset(&up, 0, sizeof(up));
    exchange(&k, cases[i].in, first, piece, cases[i].out, got, sizeof(got), bodies);
    if (strcmp(got, cases[i].out) != 0 || (cases[i].bodies && strcmp(bodies, cases[i].bodies) != 0))
        fail_msg("case \"%s\", first piece %zu, others %zu: \"%s\" with \"%s\"\n%s", cases[i].label,
                 first, piece, got, bodies, k.got);
    if (strcmp(up.reason, cases[i].reason ? cases[i].reason : "") != 0)
        fail_msg("case \"%s\", first piece %zu: reason \"%s\"", cases[i].label, first, up.reason);
    /* Every request that the layer above has seen is over, and nothing is left of it. */
    if (up.heads != up.dones + up.gones || net_count(the_net) != 0 ||
        slab_count(the_net->requests) != 0)
        fail_msg("case \"%s\", first piece %zu: %d heads, %d dones, %d gones, %u sockets",
                 cases[i].label, first, up.heads, up.dones, up.gones, net_count(the_net));
}

static void test_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(i, cases[i].in.n, 1);
}

static void test_bytewise(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(i, 0, 1);
}

static void test_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t at_byte = 1; at_byte < cases[i].in.n; at_byte++)
            check(i, at_byte, cases[i].in.n);
}

/* clang-format off */
static const struct {
    str in;
    const char *line, *body;
} own[] = {
    { STR_LIT("GET /\n"), "HTTP/1.1 400 Bad Request\r\n", "{\"detail\":\"Bad request.\"}" },
    { STR_LIT(POST "Content-Length: 101\r\n\r\n"), "HTTP/1.1 413 Content Too Large\r\n", "{\"detail\":\"Request body too large.\"}" },
    { STR_LIT("BREW / HTTP/1.1\r\n\r\n"), "HTTP/1.1 501 Not Implemented\r\n", "{\"detail\":\"Not implemented.\"}" },
    { STR_LIT("GET / HTTP/3.0\r\n\r\n"), "HTTP/1.1 505 HTTP Version Not Supported\r\n", "{\"detail\":\"HTTP version not supported.\"}" },
};
/* clang-format on */

static void test_own_answers(void **state)
{
    static client k;
    char got[256], bodies[4096];

    (void)state;
    for (size_t i = 0; i < COUNT(own); i++) {
        exchange(&k, own[i].in, own[i].in.n, 1, "-", got, sizeof(got), bodies);
        assert_true(k.ended);
        assert_int_equal(strncmp(k.got, own[i].line, strlen(own[i].line)), 0);
        assert_string_equal(bodies, own[i].body);
        assert_non_null(strstr(k.got, "\r\nContent-Type: application/json\r\n"));
        assert_non_null(strstr(k.got, "\r\nX-Content-Type-Options: nosniff\r\n"));
        assert_non_null(strstr(k.got, "\r\nVary: Origin\r\n"));
        assert_non_null(strstr(k.got, "\r\nX-More: yes\r\n")); /* of the layer above */
        assert_non_null(strstr(k.got, "\r\nConnection: close\r\n"));
        assert_non_null(strstr(k.got, "\r\nDate: "));
    }
}

/* clang-format off */
static const struct {
    const char *label;
    const char *before, *unit; /* `n` times */
    int n;
    const char *line, *body;
} long_heads[] = {
    { "target",  "GET /", "a", 8192, "HTTP/1.1 414 URI Too Long\r\n", "{\"detail\":\"URI too long.\"}" },
    { "headers", GET, "A: b\r\n", 100, "HTTP/1.1 431 Request Header Fields Too Large\r\n", "{\"detail\":\"Request header fields too large.\"}" },
    { "bytes",   GET "A:", "b", 16384, "HTTP/1.1 431 Request Header Fields Too Large\r\n", "{\"detail\":\"Request header fields too large.\"}" },
};
/* clang-format on */

/* Refused as soon as the limit is passed: the end of the head has not been sent. */
static void test_long_heads(void **state)
{
    static client k;
    char got[256], bodies[4096];

    (void)state;
    for (size_t i = 0; i < COUNT(long_heads); i++) {
        client_open(&k);
        client_send(&k, str_of(long_heads[i].before));
        for (int n = 0; n < long_heads[i].n; n += 64) {
            buf many;
            buf_init(&many, 1024);
            for (int u = 0; u < 64; u++)
                assert_int_equal(buf_add(&many, str_of(long_heads[i].unit)), 0);
            client_send(&k, buf_str(&many));
            buf_done(&many);
        }
        WAIT_FOR(client_is(&k, "-", got, sizeof(got), bodies));
        if (strncmp(k.got, long_heads[i].line, strlen(long_heads[i].line)) != 0 ||
            strcmp(bodies, long_heads[i].body) != 0 || !k.ended)
            fail_msg("case \"%s\": %s", long_heads[i].label, k.got);
        client_close(&k);
    }
}

static void test_head_answer(void **state)
{
    static client k;

    (void)state;
    client_open(&k);
    client_send(&k, STR("HEAD /x HTTP/1.1\r\n" HOST "\r\n"));
    WAIT_FOR(client_got(&k, "\r\n\r\n"));
    assert_non_null(strstr(k.got, "Content-Length: 8\r\n"));
    assert_non_null(strstr(k.got, "\r\nX-Test: yes\r\n"));
    assert_string_equal(k.got + k.n - 4, "\r\n\r\n");
    assert_null(strstr(k.got, "Connection:"));
    client_close(&k);
}

static void test_keep_alive_1_0(void **state)
{
    static client k;

    (void)state;
    client_open(&k);
    client_send(&k, STR("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    WAIT_FOR(client_got(&k, "GET /x"));
    assert_non_null(strstr(k.got, "\r\nConnection: keep-alive\r\n"));
    client_close(&k);
}

/* clang-format off */
static const struct {
    str in;
    const char *out; /* of what came since the step before */
} continues[] = {
    { STR_LIT(POST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"),    "100" },
    { STR_LIT("abc"),                                                           "200" },
    { STR_LIT(POST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"), "200" }, /* the body is here */
    { STR_LIT(POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n"),    "200" },
    { STR_LIT(POST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"), "100" },
    { STR_LIT("1\r\na\r\n0\r\n\r\n"),                                         "200" },
    { STR_LIT(POST "Expect: 100-continue\r\nContent-Length: 300\r\n\r\n"),  "413 closed" }, /* not wanted */
};
/* clang-format on */

static void test_continue(void **state)
{
    static client k;
    char got[256], bodies[4096];

    (void)state;
    client_open(&k);
    for (size_t i = 0; i < COUNT(continues); i++) {
        k.n = 0;
        client_send(&k, continues[i].in);
        WAIT_FOR(client_is(&k, continues[i].out, got, sizeof(got), bodies));
        if (strcmp(got, continues[i].out) != 0)
            fail_msg("step %zu: \"%s\"", i, got);
    }
    client_close(&k);
}

/* clang-format off */
static const struct {
    const char *name;
    const char *value; /* NULL: absent */
} header_cases[] = {
    { "x-one", "1" }, { "x-two", "a, b" }, { "x-empty", "" }, { "x-none", NULL }, { "x-three", "a, , c" },
};
/* clang-format on */

static void test_headers(void **state)
{
    static client k;

    (void)state;
    client_open(&k);
    client_send(&k, STR("GET /later HTTP/1.1\r\n" HOST
                        "X-One: \t1 \r\nX-TWO:a\r\nX-Empty:\r\nx-two: b\r\n"
                        "X-Three: a\r\nX-Three:\r\nX-Three: c\r\n\r\n"));
    WAIT_FOR(up.later);
    assert_non_null(up.later);
    for (size_t i = 0; i < COUNT(header_cases); i++) {
        str value = request_header(up.later, header_cases[i].name);
        if (!str_eq(value, str_of(header_cases[i].value)) ||
            (value.p == NULL) != (header_cases[i].value == NULL))
            fail_msg("header %s: \"" STR_FMT "\"", header_cases[i].name, STR_ARG(value));
    }
    client_reset(&k);
    assert_null(up.later);
    assert_int_equal(up.gones, 1);
}

static int setup(void **state)
{
    (void)state;
    net_up_with(&usual_limits);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_down();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bytewise, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_split, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_heads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keep_alive_1_0, setup, teardown),
        cmocka_unit_test_setup_teardown(test_continue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
