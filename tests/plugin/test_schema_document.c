/* test_schema_document.c -- the documents that are made of routes: what a plugin says, what it leaves
 * out, and what is wrong. */
#include "fake/fake.h"
#include <string.h>

static const parley_schema note =
    PARLEY_SCHEMA("Note", "A note.", PARLEY_FIELD("text", "string", NULL));
static const parley_schema gone = PARLEY_SCHEMA("Gone", NULL, PARLEY_FIELD("id", "uuid", NULL));
static const parley_schema unused = PARLEY_SCHEMA("Unused", NULL, PARLEY_FIELD("a", "int", NULL));
static const parley_schema query =
    PARLEY_SCHEMA("NotesQuery", NULL, PARLEY_FIELD_IN("limit?", "int", "most", 1, 9));
static const parley_schema hello =
    PARLEY_SCHEMA("Hello", NULL, PARLEY_FIELD("type", "'hello'", NULL));
static const parley_schema say = PARLEY_SCHEMA("Say", NULL, PARLEY_FIELD("type", "'say'", NULL),
                                               PARLEY_FIELD("text", "string", NULL));
static const parley_schema error =
    PARLEY_SCHEMA("ErrorFrame", NULL, PARLEY_FIELD("type", "'error'", NULL));

static const parley_doc list_doc =
    PARLEY_DOC(.name = "list_notes", .summary = "Lists notes", .query = "NotesQuery",
               .answers = "200 Note +ETag, 304");
static const parley_doc make_doc =
    PARLEY_DOC(.name = "make_note", .body = "Note", .answers = "201 Note|Gone +Location?, 422");
static const parley_doc page_doc = PARLEY_DOC(.answers = "200, 405 +Allow");
static const parley_doc wrong_doc =
    PARLEY_DOC(.query = "Nothing", .body = "Nobody", .answers = "200 Nonsense, +ETag, 20x");
static const parley_doc socket_doc = PARLEY_DOC(.name = "talk", .answers = "Hello");
static const parley_doc say_doc =
    PARLEY_DOC(.summary = "Says it", .body = "Say", .answers = "Hello");

#define ROUTE(verb, where, how, what)                                                              \
    &(const parley_route)                                                                          \
    {                                                                                              \
        PARLEY_SIZED(parley_route), .method = (verb), .path = (where), .flags = (how),             \
                                    .doc = (what)                                                  \
    }

static void common(void)
{
    static const parley_schema *const all[] = {
        &note, &gone, &unused, &query, &hello, &say, &error
    };

    for (size_t i = 0; i < FAKE_COUNT(all); i++)
        fake_schema(all[i]);
}

static int setup(void **state)
{
    (void)state;
    common();
    fake_route_told(ROUTE("GET", "/notes/", PARLEY_R_USER, &list_doc));
    fake_route_told(ROUTE("POST", "/notes/", PARLEY_R_USER, &make_doc));
    fake_route_told(ROUTE("GET", "/notes/:id(uuid)/", 0, NULL));
    fake_route_told(ROUTE("GET", "/page/", PARLEY_R_PAGE, &page_doc));
    fake_route_told(ROUTE("GET", "/style.css", PARLEY_R_ANYTYPE, NULL));
    fake_route_told(ROUTE("GET", "/metrics", PARLEY_R_OPS, &page_doc));
    fake_route_told(ROUTE("WS", "/talk/:room/", PARLEY_R_USER, &socket_doc));
    fake_route_told(&(const parley_route){ PARLEY_SIZED(parley_route), .method = "EVENT",
                                           .path = "say", .endpoint = "/talk/:room/",
                                           .doc = &say_doc });
    fake_route_told(
        &(const parley_route){ PARLEY_SIZED(parley_route), .method = "EVENT", .path = "wave" });
    fake_open(&parley_plugin_0, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_end();
    return 0;
}

/* New: the document at `path`. */
static parley_json *document(const char *path)
{
    const char *why;
    parley_req req = fake_call("GET", path, NULL);

    assert_int_equal(fake_status(req), 200);
    parley_str text = { fake_body(req), strlen(fake_body(req)) };
    parley_json *found = parley->json_parse(text, &why);
    assert_non_null(found);
    return found;
}

/* What stands at "a b c" in the tree; a word that is a number is a place in a list. */
static const parley_json *at(const parley_json *tree, const char *words)
{
    char text[256], *rest = text;

    (void)snprintf(text, sizeof(text), "%s", words);
    for (char *word; tree && (word = strsep(&rest, " "));)
        tree = parley->json_type(tree) == PARLEY_J_ARR
                   ? parley->json_at(tree, (size_t)(word[0] - '0'))
                   : parley->json_get(tree, word);
    return tree;
}

static void holds(const parley_json *tree, const char *words, const char *expected)
{
    parley_str found = parley->json_str(at(tree, words));
    char shown[256];

    (void)snprintf(shown, sizeof(shown), "%.*s", (int)found.n, found.p ? found.p : "");
    assert_string_equal(shown, expected);
}

/* ---- OpenAPI ---- */

static void test_what_is_told(void **state)
{
    parley_json *d = document("/api/schema/");

    (void)state;
    holds(d, "openapi", "3.1.0");
    holds(d, "paths /notes/ get operationId", "list_notes");
    holds(d, "paths /notes/ get summary", "Lists notes");
    holds(d, "paths /notes/ get parameters 0 name", "limit");
    holds(d, "paths /notes/ get parameters 1 name", "If-None-Match");
    holds(d, "paths /notes/ get responses 200 content application/json schema $ref",
          "#/components/schemas/Note");
    assert_int_equal(
        parley->json_int(at(d, "paths /notes/ get responses 200 headers ETag required"), 0), 1);
    holds(d, "paths /notes/ post requestBody content application/json schema $ref",
          "#/components/schemas/Note");
    holds(d, "paths /notes/ post responses 201 content application/json schema oneOf 1 $ref",
          "#/components/schemas/Gone");
    holds(d, "paths /notes/ post responses 201 headers Location $ref",
          "#/components/headers/Location");
    holds(d, "paths /notes/ post responses 422 content application/json schema $ref",
          "#/components/schemas/Error");
    parley->json_free(d);
}

static void test_what_the_server_adds(void **state)
{
    /* clang-format off */
    static const struct {
        const char *where, *ref; /* NULL: not there */
    } rows[] = {
        { "paths /notes/ get responses 401 $ref", "#/components/responses/Unauthenticated" },
        { "paths /notes/ get responses 403 $ref", NULL },
        { "paths /notes/ post responses 403 $ref", "#/components/responses/Forbidden" },
        { "paths /notes/ get responses 415 $ref", NULL },
        { "paths /notes/ post responses 415 $ref", "#/components/responses/UnsupportedType" },
        { "paths /notes/ get responses 404 $ref", NULL },
        { "paths /notes/{id}/ get responses 404 $ref", "#/components/responses/NotFound" },
        { "paths /notes/{id}/ get responses 401 $ref", NULL },
        { "paths /notes/{id}/ get responses 429 $ref", "#/components/responses/Throttled" },
        { "paths /page/ get responses 406 $ref", "#/components/responses/NotAcceptable" },
        { "paths /page/ get responses default $ref", "#/components/responses/Refused" },
    };
    /* clang-format on */
    parley_json *d = document("/api/schema/");

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(rows); i++)
        holds(d, rows[i].where, rows[i].ref ? rows[i].ref : "");
    parley->json_free(d);
}

static void test_without_a_doc(void **state)
{
    parley_json *d = document("/api/schema/");

    (void)state;
    holds(d, "paths /notes/{id}/ get operationId", "get_notes_id");
    holds(d, "paths /notes/{id}/ get parameters 0 name", "id");
    holds(d, "paths /notes/{id}/ get parameters 0 schema format", "uuid");
    assert_null(at(d, "paths /style.css"));
    assert_null(at(d, "paths /metrics"));
    assert_null(at(d, "paths /talk/{room}/"));
    holds(d, "paths /page/ get responses 200 content text/html schema type", "string");
    assert_null(at(d, "components schemas Unused"));
    assert_non_null(at(d, "components schemas Note"));
    parley->json_free(d);
}

/* What is wrong is told in the log and left out; the rest is there. */
static void test_wrong(void **state)
{
    (void)state;
    common();
    fake_route_told(ROUTE("POST", "/wrong/", 0, &wrong_doc));
    fake_open(&parley_plugin_0, NULL);
    parley_json *d = document("/api/schema/");

    assert_null(at(d, "paths /wrong/ post requestBody"));
    assert_int_equal(parley->json_len(at(d, "paths /wrong/ post parameters")), 0);
    assert_non_null(at(d, "paths /wrong/ post responses 200"));
    assert_null(at(d, "paths /wrong/ post responses 20x"));
    static const char *const words[] = { "Nothing", "Nobody", "Nonsense", "+ETag", "20x" };
    for (size_t i = 0; i < FAKE_COUNT(words); i++) {
        char line[128];
        (void)snprintf(line, sizeof(line), "\"%s\" is none (parley/schema.h)", words[i]);
        assert_true(fake_log_has(line));
    }
    parley->json_free(d);
}

/* ---- AsyncAPI ---- */

static void test_sockets(void **state)
{
    parley_json *d = document("/api/schema/sockets/");

    (void)state;
    holds(d, "asyncapi", "3.0.0");
    holds(d, "servers here host", "localhost:8000");
    holds(d, "channels talk address", "/talk/{room}/");
    assert_non_null(at(d, "channels talk parameters room"));
    holds(d, "operations talk_sent action", "send");
    holds(d, "operations talk_sent messages 0 $ref", "#/channels/talk/messages/Hello");
    holds(d, "operations talk_sent messages 1 $ref", "#/channels/talk/messages/ErrorFrame");
    holds(d, "operations talk_say action", "receive");
    holds(d, "operations talk_say messages 0 $ref", "#/channels/talk/messages/Say");
    holds(d, "operations talk_say reply messages 0 $ref", "#/channels/talk/messages/Hello");
    holds(d, "components messages Say name", "say");
    holds(d, "components messages Say payload $ref", "#/components/schemas/Say");
    holds(d, "operations talk_wave messages 0 $ref", "#/channels/talk/messages/wave");
    holds(d, "components messages wave payload properties type const", "wave");
    parley->json_free(d);
}

/* ---- serving ---- */

static void test_known_and_pages(void **state)
{
    parley_req first = fake_call("GET", "/api/schema/", NULL);
    parley_req again = fake_req("GET", "/api/schema/");
    parley_req browser = fake_req("GET", "/api/schema/");

    (void)state;
    fake_req_header(again, "If-None-Match", fake_reply_header(first, "ETag"));
    fake_send(again);
    assert_int_equal(fake_status(again), 304);
    fake_req_header(browser, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    fake_send(browser);
    assert_int_equal(fake_status(browser), 302);
    assert_string_equal(fake_reply_header(browser, "Location"), "/api/docs/");
    assert_int_equal(fake_status(fake_call("GET", "/api/docs/", NULL)), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_the_server_adds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_a_doc, setup, teardown),
        cmocka_unit_test_teardown(test_wrong, teardown),
        cmocka_unit_test_setup_teardown(test_sockets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_known_and_pages, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
