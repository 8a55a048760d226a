/* fields.c -- the fields of a body: what is wrong with them, in the contract's words
 * (contract.md, 1.2 and 3). */
#include "plugins/chat/fields.h"
#include <parley/text.h>

enum { EMAIL_KEY_SIZE = 1024 };

void field_error(parley_json *errors, const char *name, const char *text)
{
    if (errors)
        parley_text_fault(errors, name, text);
}

void field_error_unknown(parley_json *errors, const char *name, const struct email *email)
{
    char text[2048];

    (void)snprintf(text, sizeof(text), "No user with the email %.*s.",
                   (int)(email->shown.n < 1024 ? email->shown.n : 1024), email->shown.p);
    field_error(errors, name, text);
}

bool field_text(const parley_json *in, const char *name, size_t most, parley_str *ret,
                parley_json *errors)
{
    char why[PARLEY_TEXT_WHY_MAX];
    const char *fault = parley_text_check(parley->json_get(in, name), most, 0, ret, why);

    if (fault)
        field_error(errors, name, fault);
    return !fault;
}

/* One address, which is errors[name]: a field, or an element of a list under its index. */
static bool email_parse(parley_req req, const parley_json *value, const char *name,
                        struct email *ret, parley_json *errors)
{
    char why[PARLEY_TEXT_WHY_MAX];
    char key[EMAIL_KEY_SIZE];
    parley_str text = { NULL, 0 };
    const char *fault = parley_text_check(value, EMAIL_MOST, PARLEY_TEXT_ADDRESS, &text, why);

    if (fault) {
        field_error(errors, name, fault);
        return false;
    }
    int n = chat.auth->email_key(text, key, sizeof(key));
    char *copy = n > 0 ? parley->req_alloc(req, (size_t)n) : NULL;

    if (!copy) {
        field_error(errors, name, "Enter a valid email address.");
        return false;
    }
    memcpy(copy, key, (size_t)n);
    ret->shown = text;
    ret->key = (parley_str){ copy, (size_t)n };
    return true;
}

bool field_email(parley_req req, const parley_json *in, const char *name, struct email *ret,
                 parley_json *errors)
{
    return email_parse(req, parley->json_get(in, name), name, ret, errors);
}

/* The name such a client knows for a JSON type. */
static const char *type_name(const parley_json *value)
{
    switch (parley->json_type(value)) {
    case PARLEY_J_BOOL:
        return "bool";
    case PARLEY_J_STR:
        return "str";
    case PARLEY_J_OBJ:
        return "dict";
    default:
        /* Only an integer answers the same whatever the alternative. */
        return parley->json_int(value, 0) == parley->json_int(value, 1) ? "int" : "float";
    }
}

static bool emails_refuse_type(const parley_json *value, const char *name, parley_json *errors)
{
    char text[80] = "This field may not be null.";

    if (parley->json_type(value) != PARLEY_J_NULL)
        (void)snprintf(text, sizeof(text), "Expected a list of items but got type \"%s\".",
                       type_name(value));
    field_error(errors, name, text);
    return false;
}

static bool emails_refuse_length(const char *name, parley_json *errors)
{
    char text[80];

    (void)snprintf(text, sizeof(text), "Ensure this field has no more than %zu elements.",
                   chat.max_participants);
    field_error(errors, name, text);
    return false;
}

static bool emails_parse(parley_req req, const parley_json *value, struct email_list *list,
                         parley_json *errors)
{
    bool sound = true;
    char index[24];

    for (size_t i = 0; i < list->n; i++) {
        (void)snprintf(index, sizeof(index), "%zu", i);
        sound &= email_parse(req, parley->json_at(value, i), index, &list->items[i], errors);
    }
    return sound;
}

bool field_emails(parley_req req, const parley_json *in, const char *name, struct email_list *ret,
                  parley_json *errors)
{
    const parley_json *value = parley->json_get(in, name);

    *ret = (struct email_list){ NULL, 0 };
    if (!value)
        return true;
    if (parley->json_type(value) != PARLEY_J_ARR)
        return emails_refuse_type(value, name, errors);
    ret->n = parley->json_len(value);
    if (ret->n > chat.max_participants)
        return emails_refuse_length(name, errors);
    if (ret->n == 0)
        return true;
    ret->items = parley->req_alloc(req, ret->n * sizeof(*ret->items));
    if (!ret->items)
        return emails_refuse_length(name, errors);
    parley_json *elements = errors ? parley->json_obj() : NULL;
    bool sound = emails_parse(req, value, ret, elements);

    if (elements && !sound)
        parley->json_set(errors, name, elements);
    else if (elements)
        parley->json_free(elements);
    return sound;
}
