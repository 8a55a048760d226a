/* test_chain.c -- the life of a request through the chain, with plugins that answer at once, later,
 * wrongly or never. */
#include "host_bench.h"

#define ID "019a1b2c-0000-7000-8000-0000000000c3"

PARLEY_HIDDEN const parley_api *parley;
static char trace[256]; /* what ran, in order */
static int ended_n, last_status, cancelled_n, finish_result;
static parley_req kept;

static void trace_add(const char *word)
{
    size_t n = strlen(trace);

    (void)snprintf(trace + n, sizeof(trace) - n, "%s ", word);
}

/* ---- handlers ---- */

static int handle_ok(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_json *out = parley->json_obj();

    (void)ctx;
    trace_add("handler");
    (void)parley->json_set(out, "route", parley->json_s(parley->req_route(req)));
    (void)parley->json_set(out, "id", parley->json_s(parley->req_param(req, "id")));
    (void)parley->json_set(out, "q", parley->json_s(parley->req_query(req, "q")));
    (void)parley->json_set(out, "user", parley->json_s(parley->user(req)));
    (void)parley->json_set(out, "peer", parley->json_s(parley->req_peer(req)));
    (void)parley->json_set(out, "url", parley->json_s(parley->req_url(req)));
    (void)parley->json_set(out, "direct", parley->json_b(parley->req_direct(req)));
    (void)parley->json_set(out, "site", parley->json_b(parley->req_from_site(req)));
    (void)parley->json_set(out, "field", parley->json_s(parley->req_form(req, "a")));
    (void)parley->reply_json(req, ud ? 204 : 200, out);
    return PARLEY_DONE;
}

static int handle_verdict(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)req;
    return *(const int *)ud;
}

static int handle_object(parley_ctx *ctx, parley_req req, void *ud)
{
    const parley_json *in;

    (void)ud;
    if (parley->req_object(req, &in) != PARLEY_OK)
        return PARLEY_DENY;
    (void)parley->reply(req, 200, "application/json", parley->json_text(ctx, in));
    return PARLEY_DONE;
}

static void finish(parley_ctx *ctx, int status, void *ud)
{
    const parley_req req = { (uintptr_t)ud };

    (void)ctx;
    (void)status;
    finish_result = parley->reply(req, 200, "text/plain", PARLEY_S("late"));
}

static void cancelled(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)ud;
    cancelled_n += status == PARLEY_ECANCELED;
}

static int handle_later(parley_ctx *ctx, parley_req req, void *ud)
{
    kept = req;
    finish_result = 1;
    (void)parley->on_cancel(ctx, req, cancelled, NULL);
    (void)parley->timer(ctx, *(const int *)ud, 0, finish, (void *)(uintptr_t)req.id);
    return PARLEY_PENDING;
}

static int handle_answered_pending(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)ud;
    (void)parley->reply(req, 200, NULL, PARLEY_S("now"));
    finish_result = parley->reply(req, 200, NULL, PARLEY_S("twice"));
    return PARLEY_PENDING;
}

static int handle_headers(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)ud;
    assert_int_equal(parley->reply_header(req, "X-Bad", PARLEY_S("a\r\nX-Injected: 1")),
                     PARLEY_EINVAL);
    assert_int_equal(parley->reply_header(req, "X Bad", PARLEY_S("a")), PARLEY_EINVAL);
    assert_int_equal(parley->reply_header(req, "Content-Length", PARLEY_S("0")), PARLEY_EINVAL);
    assert_int_equal(parley->reply_header(req, "Cache-Control", PARLEY_S("private")), PARLEY_OK);
    assert_int_equal(parley->reply(req, 200, "text/plain\r\nX: 1", PARLEY_S("")), PARLEY_EINVAL);
    (void)parley->reply(req, 200, "text/html", PARLEY_S("<p>"));
    return PARLEY_DONE;
}

static int handle_throttled(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)ud;
    (void)parley->deny_throttled(req, 42);
    return PARLEY_DENY;
}

/* ---- middleware, hooks ---- */

static int seen(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)req;
    trace_add(ud);
    return PARLEY_NEXT;
}

static void go_on_later(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)status;
    (void)ud;
    assert_int_equal(parley->go_on(kept), PARLEY_OK);
    trace_add("go_on");
}

/* X-User: who it is; "bad" is refused, "slow" is known later. */
static int auth(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_str name = parley->req_header(req, "X-USER");

    (void)ud;
    trace_add("auth");
    if (str_eq(name, STR("bad"))) {
        (void)parley->deny(req, 401, "authentication_failed", "Invalid token.");
        return PARLEY_DENY;
    }
    if (name.p)
        (void)parley->set_user(req, name, name);
    if (!str_eq(name, STR("slow")))
        return PARLEY_NEXT;
    kept = req;
    (void)parley->timer(ctx, 10, 0, go_on_later, NULL);
    return PARLEY_PENDING;
}

static int done_hook(parley_ctx *ctx, void *info, void *ud)
{
    const parley_req_info *done = info;

    (void)ctx;
    (void)ud;
    ended_n++;
    last_status = done->status;
    assert_true(parley->req_path(done->req).p != NULL); /* views live */
    return PARLEY_NEXT;
}

static int add(parley_ctx *ctx, const char *method, const char *path, parley_req_fn fn,
               const void *ud, uint32_t flags)
{
    const parley_route r = {
        PARLEY_SIZED(parley_route),
        .method = method,
        .path = path,
        .fn = fn,
        .ud = (void *)(uintptr_t)ud,
        .flags = flags,
        .timeout_ms = strcmp(path, "/never/") == 0 ? 60 : 0,
        .max_body = strcmp(path, "/small/") == 0 ? 8 : 0,
    };

    return parley->route(ctx, &r);
}

static void trace_at(parley_ctx *ctx, int stage, const char *prefix, const char *word)
{
    assert_int_equal(parley->use(ctx, stage, prefix, seen, (void *)(uintptr_t)word), PARLEY_OK);
}

static int shop_load(parley_ctx *ctx, const parley_conf *conf)
{
    static const int negative = -1, done = PARLEY_DONE, deny = PARLEY_DENY, next = PARLEY_NEXT,
                     strange = 9;
    static const int soon = 20, late = 150, very_late = 1000;

    (void)conf;
    trace_at(ctx, PARLEY_LATE, "/traced", "LATE");
    trace_at(ctx, PARLEY_APP, NULL, "APP");
    trace_at(ctx, PARLEY_LIMIT, "", "LIMIT");
    parley->use(ctx, PARLEY_AUTH, "/", auth, NULL);
    trace_at(ctx, PARLEY_EARLY, "/elsewhere", "never");
    trace_at(ctx, PARLEY_EARLY, "", "EARLY");
    parley->hook(ctx, "req.done", PARLEY_LATE, done_hook, NULL);
    add(ctx, "GET", "/traced/", handle_ok, NULL, 0);
    add(ctx, "POST", "/traced/", handle_ok, NULL, 0);
    add(ctx, "GET", "/things/:id(uuid)/", handle_ok, NULL, 0);
    add(ctx, "GET", "/mine/", handle_ok, NULL, PARLEY_R_USER);
    add(ctx, "DELETE", "/mine/", handle_ok, "204", PARLEY_R_USER);
    add(ctx, "GET", "/page/", handle_headers, NULL, PARLEY_R_PAGE);
    add(ctx, "GET", "/any/", handle_ok, NULL, PARLEY_R_ANYTYPE | PARLEY_R_ANYHOST);
    add(ctx, "POST", "/object/", handle_object, NULL, 0);
    add(ctx, "POST", "/small/", handle_object, NULL, 0);
    add(ctx, "GET", "/later/", handle_later, &soon, 0);
    add(ctx, "GET", "/never/", handle_later, &late, 0);
    add(ctx, "GET", "/long/", handle_later, &very_late, 0);
    add(ctx, "GET", "/twice/", handle_answered_pending, NULL, 0);
    add(ctx, "GET", "/throttled/", handle_throttled, NULL, 0);
    add(ctx, "GET", "/negative/", handle_verdict, &negative, 0);
    add(ctx, "GET", "/silent/", handle_verdict, &done, 0);
    add(ctx, "GET", "/deny/", handle_verdict, &deny, 0);
    add(ctx, "GET", "/next/", handle_verdict, &next, 0);
    add(ctx, "GET", "/strange/", handle_verdict, &strange, 0);
    return PARLEY_OK;
}

static const parley_plugin shop = { .magic = PARLEY_MAGIC,
                                    .size = sizeof(parley_plugin),
                                    .host = &parley,
                                    .name = "shop",
                                    .version = "1",
                                    .load = shop_load };
const parley_plugin *const bench_plugins[] = { &shop, NULL };

/* ---- one request, one answer ---- */

#define HOST          "Host: localhost\r\n"
#define END           HOST "Connection: close\r\n\r\n"
#define JSON          "Content-Type: application/json\r\n"
#define BODY(n, text) "Content-Length: " #n "\r\n" END text
#define DENIED(status, detail, code)                                                               \
    "HTTP/1.1 " status, "{\"detail\":\"" detail "\",\"code\":\"" code "\"}"

/* clang-format off */
static const struct {
    const char *label, *request, *first, *body; /* parts that the answer has */
    const char *other;                          /* one more part; "!x": has not; NULL: nothing */
} cases[] = {
    { "plain", "GET /traced/ HTTP/1.1\r\n" END, "HTTP/1.1 200", "\"route\":\"/traced/\"", "X-Content-Type-Options: nosniff\r\n" },
    { "vary", "GET /traced/ HTTP/1.1\r\n" END, "HTTP/1.1 200", "Cache-Control: no-store\r\n", "Vary: Origin\r\n" },
    { "its request id", "GET /traced/ HTTP/1.1\r\nX-Request-ID: a.B-9_\r\n" END, "HTTP/1.1 200", "X-Request-ID: a.B-9_\r\n", NULL },
    { "bad request id", "GET /traced/ HTTP/1.1\r\nX-Request-ID: a<b\r\n" END, "HTTP/1.1 200", "X-Request-ID: 0", "!a<b" },
    { "parameter", "GET /things/" ID "/?q=a%20b HTTP/1.1\r\n" END, "HTTP/1.1 200", "\"id\":\"" ID "\",\"q\":\"a b\"", NULL },
    { "malformed id", "GET /things/7/ HTTP/1.1\r\n" END, DENIED("404", "Not found.", "not_found"), NULL },
    { "unknown", "GET /nowhere HTTP/1.1\r\n" END, DENIED("404", "Not found.", "not_found"), "X-Request-ID: " },
    { "404 before 406", "GET /nowhere HTTP/1.1\r\nAccept: text/html\r\n" END, "HTTP/1.1 404", "", NULL },
    { "no slash", "GET /mine?q=1 HTTP/1.1\r\n" END, "HTTP/1.1 301", "Location: /mine/?q=1\r\n", NULL },
    { "no slash, HEAD", "HEAD /mine HTTP/1.1\r\n" END, "HTTP/1.1 301", "Location: /mine/\r\n", NULL },
    { "no slash, others are served", "POST /object HTTP/1.1\r\n" JSON BODY(2, "{}"), "HTTP/1.1 200", "{}", NULL },
    { "406", "GET /mine/ HTTP/1.1\r\nAccept: text/html\r\n" END, DENIED("406", "Could not satisfy the request Accept header.", "not_acceptable"), NULL },
    { "a page", "GET /page/ HTTP/1.1\r\nAccept: text/html\r\n" END, "HTTP/1.1 200", "Content-Type: text/html\r\n", "!X-Injected" },
    { "own Cache-Control", "GET /page/ HTTP/1.1\r\n" END, "HTTP/1.1 200", "Cache-Control: private\r\n", "!no-store" },
    { "any type", "GET /any/ HTTP/1.1\r\nAccept: image/png\r\n" END, "HTTP/1.1 200", "", NULL },
    { "401", "GET /mine/ HTTP/1.1\r\n" END, DENIED("401", "Authentication credentials were not provided.", "not_authenticated"), "WWW-Authenticate: Token\r\n" },
    { "401 by a plugin", "GET /mine/ HTTP/1.1\r\nX-User: bad\r\n" END, DENIED("401", "Invalid token.", "authentication_failed"), "WWW-Authenticate: Token\r\n" },
    { "401 before 405", "PUT /mine/ HTTP/1.1\r\n" END, "HTTP/1.1 401", "", NULL },
    { "405", "PUT /mine/ HTTP/1.1\r\nX-User: ada\r\n" END, "HTTP/1.1 405", "{\"detail\":\"Method \\\"PUT\\\" not allowed.\"", "Allow: GET, DELETE, HEAD, OPTIONS\r\n" },
    { "OPTIONS", "OPTIONS /traced/ HTTP/1.1\r\n" END, "HTTP/1.1 200", "{\"name\":\"/traced/\",\"methods\":[\"GET\",\"POST\",\"HEAD\",\"OPTIONS\"]}", "Allow: GET, POST, HEAD, OPTIONS\r\n" },
    { "OPTIONS wants a user", "OPTIONS /mine/ HTTP/1.1\r\n" END, "HTTP/1.1 401", "", NULL },
    { "user", "GET /mine/ HTTP/1.1\r\nX-User: ada\r\n" END, "HTTP/1.1 200", "\"user\":\"ada\"", NULL },
    { "user known later", "GET /mine/ HTTP/1.1\r\nX-User: slow\r\n" END, "HTTP/1.1 200", "\"user\":\"slow\"", NULL },
    { "204", "DELETE /mine/ HTTP/1.1\r\nX-User: ada\r\n" END, "HTTP/1.1 204", "", "!\nContent-Type" },
    { "HEAD", "HEAD /traced/ HTTP/1.1\r\n" END, "HTTP/1.1 200", "Content-Type: application/json\r\n", "!\"route\"" },
    { "foreign host", "GET /traced/ HTTP/1.1\r\nHost: evil.org\r\nConnection: close\r\n\r\n", "HTTP/1.1 400", "{\"detail\":\"Bad request.\"}", NULL },
    { "host and port", "GET /traced/ HTTP/1.1\r\nHost: LOCALHOST:99\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", "\"url\":\"http://LOCALHOST:99\"", NULL },
    { "below a domain", "GET /traced/ HTTP/1.1\r\nHost: a.example.org\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", "\"direct\":false", NULL },
    { "beside the domain", "GET /traced/ HTTP/1.1\r\nHost: badexample.org\r\nConnection: close\r\n\r\n", "HTTP/1.1 400", "", NULL },
    { "any host", "GET /any/ HTTP/1.1\r\nHost: evil.org\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", "", NULL },
    { "direct", "GET /any/ HTTP/1.1\r\n" END, "HTTP/1.1 200", "\"peer\":\"127.0.0.1\"", "\"direct\":true" },
    { "behind a proxy", "GET /any/ HTTP/1.1\r\nX-Forwarded-For: 1.1.1.1, 203.0.113.9\r\nX-Forwarded-Proto: https\r\n" END, "\"peer\":\"203.0.113.9\"", "\"url\":\"https://localhost\"", "\"direct\":false" },
    { "object", "POST /object/ HTTP/1.1\r\n" JSON BODY(7, "{\"a\":1}"), "HTTP/1.1 200", "{\"a\":1}", NULL },
    { "no body", "POST /object/ HTTP/1.1\r\n" END, "HTTP/1.1 200", "\r\n\r\n{}", NULL },
    { "charset", "POST /object/ HTTP/1.1\r\nContent-Type: Application/JSON ; charset=UTF-8\r\n" BODY(2, "{}"), "HTTP/1.1 200", "{}", NULL },
    { "415", "POST /object/ HTTP/1.1\r\nContent-Type: text/plain\r\n" BODY(2, "{}"), DENIED("415", "Unsupported media type \\\"text/plain\\\" in request.", "unsupported_media_type"), NULL },
    { "415 without a type", "POST /object/ HTTP/1.1\r\n" BODY(2, "{}"), "HTTP/1.1 415", "Unsupported media type \\\"\\\" in request.", NULL },
    { "malformed", "POST /object/ HTTP/1.1\r\n" JSON BODY(2, "{]"), "HTTP/1.1 400", "{\"detail\":\"JSON parse error - ", "\"code\":\"parse_error\"" },
    { "a list", "POST /object/ HTTP/1.1\r\n" JSON BODY(2, "[]"), "HTTP/1.1 400", "{\"non_field_errors\":[\"Invalid data. Expected a dictionary, but got list.\"]}", NULL },
    { "a float", "POST /object/ HTTP/1.1\r\n" JSON BODY(3, "1e5"), "HTTP/1.1 400", "but got float.", NULL },
    { "an int", "POST /object/ HTTP/1.1\r\n" JSON BODY(3, "155"), "HTTP/1.1 400", "but got int.", NULL },
    { "null", "POST /object/ HTTP/1.1\r\n" JSON BODY(4, "null"), "HTTP/1.1 400", "but got NoneType.", NULL },
    { "route's own limit", "POST /small/ HTTP/1.1\r\n" JSON BODY(9, "{\"a\":\"b\"}"), "HTTP/1.1 413", "Request body too large.", NULL },
    { "within it", "POST /small/ HTTP/1.1\r\n" JSON BODY(7, "{\"a\":1}"), "HTTP/1.1 200", "", NULL },
    { "later", "GET /later/ HTTP/1.1\r\n" END, "HTTP/1.1 200", "late", NULL },
    { "answered, then PENDING", "GET /twice/ HTTP/1.1\r\n" END, "HTTP/1.1 200", "now", "!twice" },
    { "too late", "GET /never/ HTTP/1.1\r\n" END, DENIED("503", "Service temporarily unavailable, try again later.", "unavailable"), "Retry-After: 5\r\n" },
    { "throttled", "GET /throttled/ HTTP/1.1\r\n" END, DENIED("429", "Request was throttled. Expected available in 42 seconds.", "throttled"), "Retry-After: 42\r\n" },
    { "failed", "GET /negative/ HTTP/1.1\r\n" END, DENIED("500", "Internal server error.", "internal"), NULL },
    { "silent", "GET /silent/ HTTP/1.1\r\n" END, "HTTP/1.1 500", "", NULL },
    { "unknown verdict", "GET /strange/ HTTP/1.1\r\n" END, "HTTP/1.1 500", "", NULL },
    { "denied without words", "GET /deny/ HTTP/1.1\r\n" END, "HTTP/1.1 403", "\"code\":\"forbidden\"", NULL },
    { "not mine", "GET /next/ HTTP/1.1\r\n" END, "HTTP/1.1 404", "", NULL },
    { "from the site, by Host", "GET /any/ HTTP/1.1\r\nOrigin: http://localhost\r\n" END, "HTTP/1.1 200", "\"site\":true", "!Access-Control" },
    { "from the site, by site_url", "GET /any/ HTTP/1.1\r\nOrigin: https://chat.example.org\r\n" END, "HTTP/1.1 200", "\"site\":true", NULL },
    { "from the site, by Referer", "GET /any/ HTTP/1.1\r\nReferer: http://localhost/a?b\r\n" END, "HTTP/1.1 200", "\"site\":true", NULL },
    { "the Referer of a neighbour", "GET /any/ HTTP/1.1\r\nReferer: http://localhost.evil.org/\r\n" END, "HTTP/1.1 200", "\"site\":false", NULL },
    { "the Referer does not mend the Origin", "GET /any/ HTTP/1.1\r\nOrigin: null\r\nReferer: http://localhost/\r\n" END, "HTTP/1.1 200", "\"site\":false", NULL },
    { "from nowhere", "GET /any/ HTTP/1.1\r\n" END, "HTTP/1.1 200", "\"site\":false", NULL },
    { "an allowed origin is not the site", "GET /any/ HTTP/1.1\r\nOrigin: https://app.test\r\n" END, "\"site\":false", "Access-Control-Allow-Origin: https://app.test\r\n", "Access-Control-Expose-Headers: Retry-After, " },
    { "of refusals too", "GET /mine/ HTTP/1.1\r\nOrigin: https://app.test\r\n" END, "HTTP/1.1 401", "Access-Control-Allow-Origin: https://app.test\r\n", "Vary: Origin\r\n" },
    { "of 413 too", "POST /small/ HTTP/1.1\r\nOrigin: https://app.test\r\n" JSON BODY(9, "{\"a\":\"b\"}"), "HTTP/1.1 413", "Access-Control-Allow-Origin: https://app.test\r\n", "Vary: Origin\r\n" },
    { "of a foreign host too", "GET /any HTTP/1.1\r\nOrigin: https://app.test\r\nHost: evil.org\r\nConnection: close\r\n\r\n", "HTTP/1.1 301", "Access-Control-Allow-Origin: https://app.test\r\n", NULL },
    { "another case", "GET /any/ HTTP/1.1\r\nOrigin: https://App.test\r\n" END, "HTTP/1.1 200", "\"site\":false", "!Access-Control" },
    { "another port", "GET /any/ HTTP/1.1\r\nOrigin: https://app.test:444\r\n" END, "HTTP/1.1 200", "\"site\":false", "!Access-Control" },
    { "preflight", "OPTIONS /mine/ HTTP/1.1\r\nOrigin: https://app.test\r\nAccess-Control-Request-Method: PUT\r\n" END, "HTTP/1.1 204", "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n", "Access-Control-Max-Age: 600\r\n" },
    { "preflight of another", "OPTIONS /mine/ HTTP/1.1\r\nOrigin: https://evil.test\r\nAccess-Control-Request-Method: PUT\r\n" END, "HTTP/1.1 204", "Vary: Origin\r\n", "!Access-Control" },
    { "preflight of nothing", "OPTIONS /nowhere HTTP/1.1\r\nOrigin: https://app.test\r\nAccess-Control-Request-Method: PUT\r\n" END, "HTTP/1.1 204", "Access-Control-Allow-Headers: authorization, content-type, accept, x-csrftoken, idempotency-key, if-match, if-none-match\r\n", NULL },
    { "OPTIONS of an origin is no preflight", "OPTIONS /mine/ HTTP/1.1\r\nOrigin: https://app.test\r\n" END, "HTTP/1.1 401", "Access-Control-Allow-Origin: https://app.test\r\n", NULL },
    { "a form", "POST /traced/ HTTP/1.1\r\nContent-Type: Application/x-www-form-urlencoded;charset=utf-8\r\n" BODY(12, "a=b+%26c&b=d"), "HTTP/1.1 200", "\"field\":\"b &c\"", NULL },
    { "a form's field", "GET /any/ HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n" BODY(10, "a=b+%26c&b"), "HTTP/1.1 200", "\"field\":\"b &c\"", NULL },
    { "no form", "GET /any/ HTTP/1.1\r\nContent-Type: text/plain\r\n" BODY(3, "a=b"), "HTTP/1.1 200", "\"field\":null", NULL },
    { "healthz", "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", "{\"status\":\"ok\"}", NULL },
    { "readyz", "GET /readyz HTTP/1.1\r\n" END, "HTTP/1.1 200", "{\"status\":\"ready\",\"plugins\":{\"shop\":{\"ready\":true}}}", NULL },
};
/* clang-format on */

static const char yaml[] =
    "server:\n  site_url: https://chat.example.org/x\n  cors_origins: https://app.test\n"
    "  allowed_hosts: .example.org\n  trusted_proxies: 127.0.0.0/8\n  workers: 1\n"
    "plugins:\n  - shop\n";
static bench server;

static int server_open(void **state)
{
    (void)state;
    if (bench_open(&server, yaml) == 0)
        return 0;
    print_error("%s\n", server.failure.text);
    return -1;
}

static int server_close(void **state)
{
    (void)state;
    bench_close(&server);
    return 0;
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const talk_step step = { TALK_RAW, cases[i].request, NULL };
        const char *other = cases[i].other ? cases[i].other : "";
        talk t;
        bench_talk(&server, &step, 1, &t);
        bool good = !t.missed && talk_has(&t, cases[i].first) && talk_has(&t, cases[i].body);
        good = good && (other[0] == '!' ? !talk_has(&t, other + 1) : talk_has(&t, other));
        if (!good)
            fail_msg("case \"%s\":\n" STR_FMT, cases[i].label, STR_ARG(buf_str(&t.got)));
        buf_done(&t.got);
    }
}

static void test_order(void **state)
{
    static const struct {
        const char *request, *trace;
    } orders[] = {
        { "GET /traced/ HTTP/1.1\r\n" END, "EARLY auth LIMIT APP handler LATE " },
        { "GET /mine/ HTTP/1.1\r\nX-User: slow\r\n" END, "EARLY auth go_on LIMIT APP handler " },
        { "GET /mine/ HTTP/1.1\r\n" END, "EARLY auth " },
        { "PUT /mine/ HTTP/1.1\r\nX-User: ada\r\n" END, "EARLY auth LIMIT " },
        { "GET /nowhere HTTP/1.1\r\n" END, "EARLY " },
        { "GET /elsewhere/ HTTP/1.1\r\n" END, "never EARLY " },
        { "GET /traced/ HTTP/1.1\r\nAccept: text/html\r\n" END, "EARLY LATE " },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(orders); i++) {
        const talk_step step = { TALK_RAW, orders[i].request, NULL };
        talk t;
        trace[0] = '\0';
        ended_n = 0;
        bench_talk(&server, &step, 1, &t);
        buf_done(&t.got);
        assert_string_equal(trace, orders[i].trace);
        assert_int_equal(ended_n, 1);
    }
}

/* The handler's reply comes after the 503: EGONE, on_cancel once, and the request is released (or
 * the sanitizer says so). */
static void test_expired(void **state)
{
    const talk_step steps[] = { { TALK_RAW, "GET /never/ HTTP/1.1\r\n" END, NULL } };
    talk t;

    (void)state;
    cancelled_n = ended_n = 0;
    finish_result = 1;
    bench_talk(&server, steps, COUNT(steps), &t);
    buf_done(&t.got);
    bench_until(&server, &finish_result, PARLEY_EGONE);
    assert_int_equal(cancelled_n, 1);
    assert_int_equal(ended_n, 1);
    assert_int_equal(last_status, 503);
    assert_int_equal(host_plugin(server.host, 0)->pending, 0);
    assert_int_equal(parley->req_path(kept).n, 0); /* the handle is stale now */
}

static void test_client_leaves(void **state)
{
    const talk_step ask[] = {
        { TALK_RAW, "GET /long/ HTTP/1.1\r\n" HOST "\r\n", "" },
        { TALK_WAIT, NULL, "300" }, /* the server has read it long before the reset */
        { TALK_RESET, NULL, NULL },
    };
    talk t;

    (void)state;
    cancelled_n = ended_n = 0;
    finish_result = 1;
    bench_talk(&server, ask, COUNT(ask), &t);
    buf_done(&t.got);
    bench_until(&server, &finish_result, PARLEY_EGONE);
    assert_int_equal(cancelled_n, 1);
    assert_int_equal(last_status, 499);
    assert_int_equal(host_plugin(server.host, 0)->pending, 0);
}

static void test_keep_alive(void **state)
{
    const talk_step steps[] = {
        { TALK_RAW, "GET /later/ HTTP/1.1\r\n" HOST "\r\nGET /traced/ HTTP/1.1\r\n" END, NULL },
    };
    talk t;

    (void)state;
    bench_talk(&server, steps, COUNT(steps), &t);
    const char *late = memmem(t.got.p, t.got.n, "late", 4);
    const char *traced = memmem(t.got.p, t.got.n, "/traced/", 8);
    assert_true(late && traced && late < traced);
    buf_done(&t.got);
}

/* Every member of the table is there: a NULL would be a crash in somebody's plugin. */
static void test_table_is_whole(void **state)
{
    void (*const *members)(void) = (void (*const *)(void))(const void *)&parley->log;

    (void)state;
    for (size_t i = 0; i < (sizeof(*parley) - offsetof(parley_api, log)) / sizeof(*members); i++)
        if (!members[i])
            fail_msg("member %zu is missing", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),      cmocka_unit_test(test_order),
        cmocka_unit_test(test_expired),    cmocka_unit_test(test_client_leaves),
        cmocka_unit_test(test_keep_alive), cmocka_unit_test(test_table_is_whole),
    };

    return cmocka_run_group_tests(tests, server_open, server_close);
}
