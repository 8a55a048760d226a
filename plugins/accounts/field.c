/* field.c -- the fields that describe a person. */
#include "plugins/accounts/field.h"

static const char *check_email(parley_str text)
{
    char key[ADDRESS_MAX + 1];

    return address_key(text, key, sizeof(key)) < 0 ? "Enter a valid email address." : NULL;
}

static const char *check_username(parley_str text)
{
    return name_is_valid(text) ? NULL
                               : "Enter a valid username. This value may contain only letters,"
                                 " numbers, and @/./+/-/_ characters.";
}

/* clang-format off */
static const struct {
    const char *name;
    size_t max; /* code points */
    uint32_t flags;
    const char *(*check)(parley_str text); /* NULL: anything goes */
    const char *taken;
} rules[] = {
    [FIELD_EMAIL]      = { "email", ADDRESS_MAX, PARLEY_TEXT_ADDRESS, check_email, "A user with that email already exists." },
    [FIELD_USERNAME]   = { "username", NAME_MAX_POINTS, 0, check_username, "A user with that username already exists." },
    [FIELD_FIRST_NAME] = { "first_name", FIRST_NAME_MAX, 0, NULL, NULL },
    [FIELD_LAST_NAME]  = { "last_name", FIRST_NAME_MAX, 0, NULL, NULL },
};
/* clang-format on */

const char *field_name(enum field f)
{
    return rules[f].name;
}

const char *field_taken(enum field f)
{
    return rules[f].taken;
}

const char *field_check(enum field f, const parley_json *value, parley_str *ret,
                        char why[PARLEY_TEXT_WHY_MAX])
{
    parley_str text = { NULL, 0 };
    const char *fault = parley_text_check(value, rules[f].max, rules[f].flags, &text, why);

    if (!fault && rules[f].check)
        fault = rules[f].check(text);
    *ret = fault ? parley_text_view(NULL, 0) : text;
    return fault;
}
