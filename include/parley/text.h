/* parley/text.h -- the rules of a text field, the same in every plugin (contract.md, section 1.2).
 * A helper over the ABI, compiled into the plugin; the server knows nothing of it.
 *
 *     parley_json *errors = parley->json_obj();
 *     parley_str name;
 *
 *     if (parley_text_field(errors, body, "name", 255, 0, &name))
 *         ... name is sound and trimmed ...
 *     if (parley->json_len(errors) > 0)
 *         return parley->deny_fields(req, errors), PARLEY_DENY;
 *     parley->json_free(errors);
 *
 * Text comes out of the server's JSON reader, so it is valid UTF-8. */
#ifndef PARLEY_TEXT_H
#define PARLEY_TEXT_H
#include <parley/plugin.h>
#include <string.h>

enum parley_textflag {
    PARLEY_TEXT_RAW = 1,     /* a password: white space at the ends belongs to it */
    PARLEY_TEXT_ADDRESS = 2, /* what is no text at all is "Enter a valid email address." */
    PARLEY_TEXT_OPTIONAL = 4 /* a missing field is no fault; *ret is absent then */
};
#define PARLEY_TEXT_WHY_MAX 80 /* bytes of the longest error text, with its NUL */

/* Reads one code point of valid UTF-8 at *at and moves *at behind it.  Ill-formed bytes count as
 * one each. */
static inline uint32_t parley_text_next(parley_str s, size_t *at)
{
    static const uint32_t masks[] = { 0x7f, 0x1f, 0x0f, 0x07 };
    unsigned char first = (unsigned char)s.p[*at];
    size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    uint32_t point = first & masks[more];

    *at += 1;
    for (; more > 0 && *at < s.n && ((unsigned char)s.p[*at] & 0xc0) == 0x80; more--, (*at)++)
        point = point << 6 | ((unsigned char)s.p[*at] & 0x3f);
    return point;
}

/* White space as Unicode has it: zero-width characters are none. */
static inline int parley_text_is_space(uint32_t point)
{
    static const uint32_t others[] = { 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000 };

    if ((point >= 0x09 && point <= 0x0d) || (point >= 0x1c && point <= 0x20) ||
        (point >= 0x2000 && point <= 0x200a))
        return 1;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (point == others[i])
            return 1;
    return 0;
}

static inline parley_str parley_text_view(const char *p, size_t n)
{
    parley_str view = { p, n };

    return view;
}

/* Where the last code point of s.p[0..n) begins; n > 0. */
static inline size_t parley_text_last(parley_str s, size_t n)
{
    size_t at = n - 1;

    while (at > 0 && n - at < 4 && ((unsigned char)s.p[at] & 0xc0) == 0x80)
        at--;
    return at;
}

/* The part of `s` without the white space at both ends: a view into it.  The text between them is
 * not looked at. */
static inline parley_str parley_text_trim(parley_str s)
{
    size_t begin = 0, end = s.n, at = 0;

    while (at < s.n && parley_text_is_space(parley_text_next(s, &at)))
        begin = at;
    while (end > begin) {
        at = parley_text_last(s, end);
        size_t last = at;
        if (!parley_text_is_space(parley_text_next(s, &at)) || at != end)
            break;
        end = last;
    }
    return parley_text_view(s.p + begin, end - begin);
}

/* Code points, not bytes. */
static inline size_t parley_text_count(parley_str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

/* Checks one value.
 *
 * value    NULL: the field is missing; borrowed
 * max      code points; 0: any length
 * flags    enum parley_textflag
 * ret      set when sound: a view into `value`, trimmed unless RAW; absent for a missing OPTIONAL
 *          field
 * why      room for a text that has a number in it
 * returns  NULL when sound, else the text of the fault (static, or in `why`) */
static inline const char *parley_text_check(const parley_json *value, size_t max, uint32_t flags,
                                            parley_str *ret, char why[PARLEY_TEXT_WHY_MAX])
{
    int type = parley->json_type(value);

    if (type < 0) {
        *ret = parley_text_view(NULL, 0);
        return flags & PARLEY_TEXT_OPTIONAL ? NULL : "This field is required.";
    }
    if (type == PARLEY_J_NULL)
        return "This field may not be null.";
    if (type != PARLEY_J_STR)
        return flags & PARLEY_TEXT_ADDRESS ? "Enter a valid email address." : "Not a valid string.";
    parley_str text = parley->json_str(value);
    parley_str trimmed = parley_text_trim(text);
    if (trimmed.n == 0)
        return "This field may not be blank.";
    if (!(flags & PARLEY_TEXT_RAW))
        text = trimmed;
    if (memchr(text.p, '\0', text.n))
        return "Null characters are not allowed.";
    if (max > 0 && parley_text_count(text) > max) {
        (void)snprintf(why, PARLEY_TEXT_WHY_MAX,
                       "Ensure this field has no more than %zu characters.", max);
        return why;
    }
    *ret = text;
    return NULL;
}

/* Adds one text to the list of a field: errors[name].push(text). */
static inline void parley_text_fault(parley_json *errors, const char *name, const char *text)
{
    const parley_json *old = parley->json_get(errors, name);
    parley_json *list = old ? parley->json_copy(old) : parley->json_arr();

    parley->json_push(list, parley->json_s(parley_text_view(text, strlen(text))));
    parley->json_set(errors, name, list);
}

/* Checks the field `name` of `object` and names its fault in `errors`.
 *
 * ret      as parley_text_check(); absent when faulty
 * returns  1: sound (and there); 0: faulty, or an absent OPTIONAL one */
static inline int parley_text_field(parley_json *errors, const parley_json *object,
                                    const char *name, size_t max, uint32_t flags, parley_str *ret)
{
    char why[PARLEY_TEXT_WHY_MAX];
    parley_str text = { NULL, 0 };
    const char *fault = parley_text_check(parley->json_get(object, name), max, flags, &text, why);

    *ret = fault ? parley_text_view(NULL, 0) : text;
    if (fault)
        parley_text_fault(errors, name, fault);
    return ret->p != NULL;
}
#endif
