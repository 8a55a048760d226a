/* fields.c -- the fields of a body: what is wrong with them, in the contract's words (contract.md, 1.2 and 3). */
#include "fields.h"
#include "text.h"

enum { EMAIL_MOST = 254, EMAIL_KEY_SIZE = 1024 };

#define REQUIRED PARLEY_S("This field is required.")
#define NOT_NULL PARLEY_S("This field may not be null.")
#define NOT_BLANK PARLEY_S("This field may not be blank.")
#define NOT_STRING PARLEY_S("Not a valid string.")
#define NO_NUL PARLEY_S("Null characters are not allowed.")
#define NOT_EMAIL PARLEY_S("Enter a valid email address.")

void field_error(parley_json *errors, const char *name, parley_str text)
{
    if (!errors)
        return;
    /* The tree is ours, so its inner lists are ours to change; the getter only speaks of const views. */
    parley_json *list = (parley_json *)(uintptr_t)parley->json_get(errors, name);

    if (!list) {
        parley->json_set(errors, name, parley->json_arr());
        list = (parley_json *)(uintptr_t)parley->json_get(errors, name);
    }
    if (list)
        parley->json_push(list, parley->json_s(text));
}

void field_error_unknown(parley_json *errors, const char *name, const struct email *email)
{
    char text[2048];
    int n = snprintf(text, sizeof(text), "No user with the email %.*s.",
                     (int)(email->shown.n < 1024 ? email->shown.n : 1024), email->shown.p);

    field_error(errors, name, (parley_str){ text, n > 0 ? (size_t)n : 0 });
}

static void field_error_long(parley_json *errors, const char *name, size_t most, const char *unit)
{
    char text[96];
    int n = snprintf(text, sizeof(text), "Ensure this field has no more than %zu %s.", most, unit);

    field_error(errors, name, (parley_str){ text, n > 0 ? (size_t)n : 0 });
}

/* What is wrong with a value whatever the text says: absent, null, of another type, blank.  An absent view: sound. */
static parley_str value_fault(const parley_json *value, parley_str wrong_type)
{
    if (!value)
        return REQUIRED;
    if (parley->json_type(value) == PARLEY_J_NULL)
        return NOT_NULL;
    if (parley->json_type(value) != PARLEY_J_STR)
        return wrong_type;
    if (text_trim(parley->json_str(value)).n == 0)
        return NOT_BLANK;
    return (parley_str){ NULL, 0 };
}

bool field_text(const parley_json *in, const char *name, size_t most, parley_str *ret,
                parley_json *errors)
{
    const parley_json *value = parley->json_get(in, name);
    parley_str fault = value_fault(value, NOT_STRING);

    if (fault.p) {
        field_error(errors, name, fault);
        return false;
    }
    parley_str text = text_trim(parley->json_str(value));
    bool is_long = text_length(text) > most;
    bool has_nul = text_has_nul(text);

    if (is_long)
        field_error_long(errors, name, most, "characters");
    if (has_nul)
        field_error(errors, name, NO_NUL);
    if (is_long || has_nul)
        return false;
    *ret = text;
    return true;
}

/* One address, which is errors[name]: a field, or an element of a list under its index. */
static bool email_parse(parley_req req, const parley_json *value, const char *name,
                        struct email *ret, parley_json *errors)
{
    char key[EMAIL_KEY_SIZE];
    parley_str fault = value_fault(value, NOT_EMAIL);

    if (fault.p) {
        field_error(errors, name, fault);
        return false;
    }
    parley_str text = text_trim(parley->json_str(value));

    if (text_has_nul(text)) {
        field_error(errors, name, NO_NUL);
        return false;
    }
    if (text_length(text) > EMAIL_MOST) {
        field_error_long(errors, name, EMAIL_MOST, "characters");
        return false;
    }
    int n = chat.auth->email_key(text, key, sizeof(key));
    char *copy = n > 0 ? parley->req_alloc(req, (size_t)n) : NULL;

    if (!copy) {
        field_error(errors, name, NOT_EMAIL);
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
    char text[80];

    if (parley->json_type(value) == PARLEY_J_NULL) {
        field_error(errors, name, NOT_NULL);
        return false;
    }
    int n = snprintf(text, sizeof(text), "Expected a list of items but got type \"%s\".",
                     type_name(value));

    field_error(errors, name, (parley_str){ text, n > 0 ? (size_t)n : 0 });
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
    if (ret->n > chat.max_participants) {
        field_error_long(errors, name, chat.max_participants, "elements");
        return false;
    }
    if (ret->n == 0)
        return true;
    ret->items = parley->req_alloc(req, ret->n * sizeof(*ret->items));
    if (!ret->items) {
        field_error_long(errors, name, 0, "elements");
        return false;
    }
    parley_json *elements = errors ? parley->json_obj() : NULL;
    bool sound = emails_parse(req, value, ret, elements);

    if (elements && !sound)
        parley->json_set(errors, name, elements);
    else if (elements)
        parley->json_free(elements);
    return sound;
}
