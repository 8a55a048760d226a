/* test_schema_types.c -- types of fields, and whole schemas, as JSON Schema. */
#include "fake/fake.h"
#include "plugins/schema/path.h"
#include "plugins/schema/type.h"

static const size_t limit = 5000;

static const parley_schema room =
    PARLEY_SCHEMA("Room", "A room.", PARLEY_FIELD("id", "uuid", NULL),
                  PARLEY_FIELD_IN("name", "string", "what it is called", 1, 255),
                  PARLEY_FIELD("topic?", "string?", NULL));
static const parley_schema event = PARLEY_SCHEMA(
    "Event", NULL, PARLEY_FIELD("type", "'renamed'", NULL), PARLEY_FIELD("...", "Room", NULL));
static const parley_schema errors =
    PARLEY_SCHEMA("Errors", NULL, PARLEY_FIELD("*", "[string]", "by field"));
static const parley_schema faulty = PARLEY_SCHEMA("Faulty", NULL, PARLEY_FIELD("a", "strng", NULL),
                                                  PARLEY_FIELD("...", "Nobody", NULL));
static const parley_schema ring =
    PARLEY_SCHEMA("Ring", NULL, PARLEY_FIELD("...", "Ring", NULL), PARLEY_FIELD("a", "int", NULL));

static int setup(void **state)
{
    (void)state;
    fake_schema(&room);
    fake_schema(&event);
    fake_schema(&errors);
    fake_schema(&faulty);
    fake_schema(&ring);
    fake_open(&parley_plugin_0, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_end();
    return 0;
}

static void model_open(model *m)
{
    assert_int_equal(model_read(fake_ctx(), m), 0);
}

static void same(parley_json *made, const char *expected)
{
    parley_str text = parley->json_text(fake_ctx(), made);

    assert_non_null(text.p);
    char shown[4096];
    (void)snprintf(shown, sizeof(shown), "%.*s", (int)text.n, text.p);
    parley->json_free(made);
    assert_string_equal(shown, expected);
}

/* ---- types ---- */

#define BOUNDS(min, max) &(const parley_field)PARLEY_FIELD_IN("x", "", NULL, min, max)

/* clang-format off */
static const struct {
    const char *type;
    const parley_field *bounds;
    const char *expected; /* NULL: no type */
} types[] = {
    { "string", NULL, "{\"type\":\"string\"}" },
    { "int", NULL, "{\"type\":\"integer\"}" },
    { "time", NULL, "{\"type\":\"string\",\"format\":\"date-time\"}" },
    { "any", NULL, "{}" },
    { "string?", NULL, "{\"type\":[\"string\",\"null\"]}" },
    { "uuid?", NULL, "{\"type\":[\"string\",\"null\"],\"format\":\"uuid\"}" },
    { "Room", NULL, "{\"$ref\":\"#/components/schemas/Room\"}" },
    { "Room?", NULL, "{\"oneOf\":[{\"$ref\":\"#/components/schemas/Room\"},{\"type\":\"null\"}]}" },
    { "[string]", NULL, "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}" },
    { "[[int]]", NULL, "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}}" },
    { "{int}", NULL, "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}" },
    { "'on'", NULL, "{\"type\":\"string\",\"const\":\"on\"}" },
    { "'on'|'not on'", NULL, "{\"type\":\"string\",\"enum\":[\"on\",\"not on\"]}" },
    { "'on'|'off'?", NULL, "{\"oneOf\":[{\"type\":\"string\",\"enum\":[\"on\",\"off\"]},{\"type\":\"null\"}]}" },
    { "[Room|Event]", NULL, "{\"type\":\"array\",\"items\":{\"oneOf\":[{\"$ref\":\"#/components/schemas/Room\"},"
                            "{\"$ref\":\"#/components/schemas/Event\"}]}}" },
    { "'on'|Room", NULL, "{\"oneOf\":[{\"type\":\"string\",\"const\":\"on\"},{\"$ref\":\"#/components/schemas/Room\"}]}" },
    { "string", BOUNDS(1, 255), "{\"type\":\"string\",\"minLength\":1,\"maxLength\":255}" },
    { "string", BOUNDS(1, INT64_MAX), "{\"type\":\"string\",\"minLength\":1}" },
    { "int", BOUNDS(0, 100), "{\"type\":\"integer\",\"minimum\":0,\"maximum\":100}" },
    { "int", BOUNDS(0, INT64_MAX), "{\"type\":\"integer\",\"minimum\":0}" },
    { "[int]", BOUNDS(0, 9), "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"maxItems\":9}" },
    { "bool", BOUNDS(1, 2), "{\"type\":\"boolean\"}" },
    { "string", &(const parley_field)PARLEY_FIELD_UP_TO("x", "", NULL, 1, &limit),
      "{\"type\":\"string\",\"minLength\":1,\"maxLength\":5000}" },
    { "", NULL, NULL },
    { NULL, NULL, NULL },
    { "strng", NULL, NULL },
    { "Nobody", NULL, NULL },
    { "[string", NULL, NULL },
    { "[string}", NULL, NULL },
    { "'on", NULL, NULL },
    { "'on'|", NULL, NULL },
    { "Room|", NULL, NULL },
    { "string ", NULL, NULL },
    { "string??", NULL, NULL },
    { "?", NULL, NULL },
    { "[[[[[[[[[[int]]]]]]]]]]", NULL, NULL },
};
/* clang-format on */

static void test_types(void **state)
{
    model m;

    (void)state;
    model_open(&m);
    for (size_t i = 0; i < FAKE_COUNT(types); i++) {
        parley_json *made = type_json(&m, types[i].type, types[i].bounds);

        if (types[i].expected)
            same(made, types[i].expected);
        else
            assert_null(made);
    }
    model_done(&m);
}

/* ---- schemas ---- */

/* clang-format off */
static const struct {
    const parley_schema *schema;
    const char *expected;
    bool is_wrong;
} schemas[] = {
    { &room, "{\"type\":\"object\",\"description\":\"A room.\",\"properties\":{\"id\":{\"type\":\"string\",\"format\":\"uuid\"},"
             "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"description\":\"what it is called\"},"
             "\"topic\":{\"type\":[\"string\",\"null\"]}},\"required\":[\"id\",\"name\"]}", false },
    { &event, "{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\",\"const\":\"renamed\"},"
              "\"id\":{\"type\":\"string\",\"format\":\"uuid\"},"
              "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"description\":\"what it is called\"},"
              "\"topic\":{\"type\":[\"string\",\"null\"]}},\"required\":[\"type\",\"id\",\"name\"]}", false },
    { &errors, "{\"type\":\"object\",\"properties\":{},\"required\":[],\"additionalProperties\":"
               "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"description\":\"by field\"}}", false },
    { &faulty, "{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"a\"]}", true },
};
/* clang-format on */

static void test_schemas(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(schemas); i++) {
        model m;

        model_open(&m);
        same(object_json(&m, &(model_schema){ PARLEY_S("test"), schemas[i].schema }),
             schemas[i].expected);
        assert_int_equal(m.is_wrong, schemas[i].is_wrong);
        model_done(&m);
    }
}

/* A schema that lends its fields to itself ends, and is told. */
static void test_ring(void **state)
{
    model m;

    (void)state;
    model_open(&m);
    parley->json_free(object_json(&m, &(model_schema){ PARLEY_S("test"), &ring }));
    assert_true(m.is_wrong);
    model_done(&m);
}

/* ---- paths ---- */

static void test_paths(void **state)
{
    static const struct {
        const char *path, *shown, *name;
    } rows[] = {
        { "/", "/", "get" },
        { "/api/", "/api/", "get_api" },
        { "/api/rooms/:id(uuid)/", "/api/rooms/{id}/", "get_api_rooms_id" },
        { "/a/:id(uuid)/b/:user/", "/a/{id}/b/{user}/", "get_a_id_b_user" },
        { "/a-b/:x", "/a-b/{x}", "get_a_b_x" },
    };
    char text[PATH_MAX_BYTES];

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(rows); i++) {
        path_write(str_of(rows[i].path), text);
        assert_string_equal(text, rows[i].shown);
        path_name(PARLEY_S("GET"), str_of(rows[i].path), text);
        assert_string_equal(text, rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_types, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schemas, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ring, setup, teardown),
        cmocka_unit_test(test_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
