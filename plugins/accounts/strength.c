/* strength.c -- is a password strong enough?
 *
 * Similar means: of the lower-case texts a and b, 2 M / T >= 0.7, M the characters both have (as
 * multisets), T the length of both together; asked for the whole value and for each of its parts
 * between non-word characters. */
#include "plugins/accounts/strength.h"
#include "plugins/common/name.h"
#include <parley/text.h>
#include <sodium.h>
#include <stdlib.h>
#include <utf8proc.h>

/* The longest value is an address; one character more does not fit and is not needed. */
enum { VALUE_MAX = 256 };

typedef struct points { /* lower-case code points */
    uint32_t at[VALUE_MAX];
    size_t n;
} points;

static const char *const common_list[] = {
#include "plugins/accounts/common_passwords.inc"
};

static void points_read(parley_str s, points *ret)
{
    ret->n = 0;
    for (size_t at = 0; at < s.n && ret->n < VALUE_MAX;)
        ret->at[ret->n++] = (uint32_t)utf8proc_tolower((utf8proc_int32_t)parley_text_next(s, &at));
}

/* Both have at most 256 characters, so pairing them off one by one is quick enough. */
static int is_similar_part(const points *password, const uint32_t *part, size_t n)
{
    unsigned char used[VALUE_MAX] = { 0 };
    size_t both = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < password->n; k++) {
            if (used[k] || password->at[k] != part[i])
                continue;
            used[k] = 1;
            both++;
            break;
        }
    }
    return n > 0 && 20 * both >= 7 * (password->n + n);
}

static int is_similar(const points *password, parley_str text)
{
    points value;
    size_t begin = 0;

    points_read(text, &value);
    if (is_similar_part(password, value.at, value.n))
        return 1;
    for (size_t i = 0; i <= value.n; i++) {
        if (i < value.n && name_is_word(value.at[i]))
            continue;
        if (is_similar_part(password, value.at + begin, i - begin))
            return 1;
        begin = i + 1;
    }
    return 0;
}

/* The first that is too similar gives the text, or NULL. */
static const char *similar_text(const points *password, const strength_of *of)
{
    const struct {
        parley_str value;
        const char *text;
    } rows[] = {
        { of->username, "The password is too similar to the username." },
        { of->first_name, "The password is too similar to the first name." },
        { of->last_name, "The password is too similar to the last name." },
        { of->email, "The password is too similar to the email address." },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (is_similar(password, rows[i].value))
            return rows[i].text;
    return NULL;
}

static int is_numeric(const points *password)
{
    for (size_t i = 0; i < password->n; i++)
        if (utf8proc_category((utf8proc_int32_t)password->at[i]) != UTF8PROC_CATEGORY_ND)
            return 0;
    return password->n > 0;
}

static int common_compare(const void *key, const void *row)
{
    return strcmp(key, *(const char *const *)row);
}

int strength_is_common(parley_str password)
{
    char text[64];

    password = parley_text_trim(password);
    if (password.n >= sizeof(text)) /* longer than any of the list */
        return 0;
    for (size_t i = 0; i < password.n; i++) {
        char c = password.p[i];

        text[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    text[password.n] = '\0';
    int found = bsearch(text, common_list, sizeof(common_list) / sizeof(common_list[0]),
                        sizeof(common_list[0]), common_compare) != NULL;
    sodium_memzero(text, sizeof(text));
    return found;
}

int strength_list_is_sorted(void)
{
    for (size_t i = 1; i < sizeof(common_list) / sizeof(common_list[0]); i++)
        if (strcmp(common_list[i - 1], common_list[i]) >= 0)
            return 0;
    return 1;
}

size_t strength_faults(parley_str password, const strength_of *of, const char *ret[STRENGTH_FAULTS])
{
    points lower;
    size_t n = 0;

    points_read(password, &lower);
    const char *similar = similar_text(&lower, of);
    if (similar)
        ret[n++] = similar;
    if (lower.n < STRENGTH_MIN_POINTS)
        ret[n++] = "This password is too short. It must contain at least 8 characters.";
    if (strength_is_common(password))
        ret[n++] = "This password is too common.";
    if (is_numeric(&lower))
        ret[n++] = "This password is entirely numeric.";
    sodium_memzero(&lower, sizeof(lower));
    return n;
}
