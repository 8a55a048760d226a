/* json_api.c -- the json_* members of the ABI table: getters that take NULL, and builders. */
#include "core/base/json.h"
#include <jansson.h>
#include <math.h>

static const json_t *in(const parley_json *j)
{
    return (const json_t *)(const void *)j;
}

/* jansson's own functions take what the ABI calls const. */
static json_t *own(const parley_json *j)
{
    return (json_t *)(uintptr_t)j;
}

static parley_json *out(json_t *j)
{
    return (parley_json *)(void *)j;
}

static parley_json *api_parse(parley_str text, const char **why)
{
    static _Thread_local char said[192];
    parley_json *j = json_read(text, said, sizeof(said));

    if (!j && why)
        *why = said;
    return j;
}

static int api_type(const parley_json *j)
{
    static const int types[] = {
        [JSON_OBJECT] = PARLEY_J_OBJ,  [JSON_ARRAY] = PARLEY_J_ARR, [JSON_STRING] = PARLEY_J_STR,
        [JSON_INTEGER] = PARLEY_J_NUM, [JSON_REAL] = PARLEY_J_NUM,  [JSON_TRUE] = PARLEY_J_BOOL,
        [JSON_FALSE] = PARLEY_J_BOOL,  [JSON_NULL] = PARLEY_J_NULL,
    };

    return j ? types[json_typeof(in(j))] : PARLEY_EINVAL;
}

static size_t api_len(const parley_json *j)
{
    if (json_is_string(in(j)))
        return json_string_length(in(j));
    return json_is_object(in(j)) ? json_object_size(in(j)) : json_array_size(in(j));
}

static const parley_json *api_get(const parley_json *j, const char *key)
{
    return out(json_object_get(in(j), key));
}

static void *iter_at(const parley_json *j, size_t i)
{
    void *it = json_object_iter(own(j));

    while (it && i-- > 0)
        it = json_object_iter_next(own(j), it);
    return it;
}

static const parley_json *api_at(const parley_json *j, size_t i)
{
    if (json_is_object(in(j)))
        return out(json_object_iter_value(iter_at(j, i)));
    return out(json_array_get(in(j), i));
}

static parley_str api_key(const parley_json *j, size_t i)
{
    void *it = iter_at(j, i);

    return it ? str_of(json_object_iter_key(it)) : STR_NONE;
}

static parley_str api_str(const parley_json *j)
{
    if (!json_is_string(in(j)))
        return STR_NONE;
    return (str){ json_string_value(in(j)), json_string_length(in(j)) };
}

static double api_num(const parley_json *j)
{
    return json_is_true(in(j)) ? 1 : json_number_value(in(j));
}

/* A real counts when it is whole and fits; a boolean is 0 or 1. */
static int64_t api_int(const parley_json *j, int64_t otherwise)
{
    if (json_is_integer(in(j)))
        return json_integer_value(in(j));
    if (json_is_boolean(in(j)))
        return json_is_true(in(j));
    if (!json_is_real(in(j)))
        return otherwise;
    double d = json_real_value(in(j));
    bool fits = d >= -0x1p63 && d < 0x1p63 && trunc(d) - d == 0;
    return fits ? (int64_t)d : otherwise;
}

static parley_json *api_obj(void)
{
    return out(json_object());
}

static parley_json *api_arr(void)
{
    return out(json_array());
}

/* Needs no look at its UTF-8: most texts, and that look is most of what a short one costs. */
static bool is_ascii(str s)
{
    uint64_t high = 0;
    size_t i = 0;

    for (uint64_t eight; i + sizeof(eight) <= s.n; i += sizeof(eight)) {
        memcpy(&eight, s.p + i, sizeof(eight));
        high |= eight;
    }
    for (; i < s.n; i++)
        high |= (unsigned char)s.p[i];
    return (high & 0x8080808080808080u) == 0;
}

static parley_json *api_s(parley_str s)
{
    if (!s.p)
        return out(json_null());
    return out(is_ascii(s) ? json_stringn_nocheck(s.p, s.n) : json_stringn(s.p, s.n));
}

static parley_json *api_i(int64_t i)
{
    return out(json_integer(i));
}

static parley_json *api_b(int b)
{
    return out(json_boolean(b));
}

static parley_json *api_d(double d)
{
    return out(json_real(d)); /* NULL for what JSON cannot say: NaN, infinity */
}

static parley_json *api_null(void)
{
    return out(json_null());
}

static parley_json *api_copy(const parley_json *j)
{
    return out(json_deep_copy(in(j)));
}

static int api_set(parley_json *j, const char *key, parley_json *take)
{
    int err = is_ascii(str_of(key)) ? json_object_set_new_nocheck(own(j), key, own(take))
                                    : json_object_set_new(own(j), key, own(take));

    return err < 0 ? PARLEY_EINVAL : PARLEY_OK;
}

static int api_push(parley_json *j, parley_json *take)
{
    return json_array_append_new(own(j), own(take)) < 0 ? PARLEY_EINVAL : PARLEY_OK;
}

void json_api_fill(parley_api *api)
{
    json_memory();
    api->json_parse = api_parse;
    api->json_free = json_release;
    api->json_type = api_type;
    api->json_len = api_len;
    api->json_get = api_get;
    api->json_at = api_at;
    api->json_key = api_key;
    api->json_str = api_str;
    api->json_num = api_num;
    api->json_int = api_int;
    api->json_obj = api_obj;
    api->json_arr = api_arr;
    api->json_s = api_s;
    api->json_i = api_i;
    api->json_b = api_b;
    api->json_d = api_d;
    api->json_null = api_null;
    api->json_copy = api_copy;
    api->json_set = api_set;
    api->json_push = api_push;
}
