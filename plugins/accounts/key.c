/* key.c -- secrets that we give away and keep only the hash of. */
#include "plugins/accounts/key.h"
#include <parley/text.h>
#include <sodium.h>
#include <strings.h>

static int is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word of `s`; `s` moves behind it.  Empty: there is none. */
static parley_str word_next(parley_str *s)
{
    size_t begin = 0, end;

    while (begin < s->n && is_blank(s->p[begin]))
        begin++;
    for (end = begin; end < s->n && !is_blank(s->p[end]); end++)
        ;
    parley_str word = parley_text_view(s->p + begin, end - begin);
    *s = parley_text_view(s->p + end, s->n - end);
    return word;
}

static int is_scheme(parley_str word)
{
    return (word.n == 5 && strncasecmp(word.p, "token", 5) == 0) ||
           (word.n == 6 && strncasecmp(word.p, "bearer", 6) == 0);
}

enum key_header key_read_header(parley_str value, parley_str *ret)
{
    if (!value.p || !is_scheme(word_next(&value)))
        return KEY_NONE;
    parley_str key = word_next(&value);
    if (key.n == 0)
        return KEY_EMPTY;
    if (word_next(&value).n > 0)
        return KEY_SPACES;
    for (size_t i = 0; i < key.n; i++)
        if ((unsigned char)key.p[i] >= 0x80)
            return KEY_CHARACTERS;
    *ret = key;
    return KEY_OK;
}

int key_is_secret(parley_str secret)
{
    if (secret.n != KEY_SECRET_CHARS)
        return 0;
    for (size_t i = 0; i < secret.n; i++) {
        char c = secret.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return 0;
    }
    return 1;
}

int key_is_well_formed(parley_str key)
{
    size_t prefix = sizeof(KEY_PREFIX) - 1;

    return key.n == KEY_CHARS && strncmp(key.p, KEY_PREFIX, prefix) == 0 &&
           key_is_secret(parley_text_view(key.p + prefix, key.n - prefix));
}

void key_hash_make(parley_str key, key_hash *ret)
{
    (void)crypto_generichash(ret->bytes, sizeof(ret->bytes), (const unsigned char *)key.p, key.n,
                             NULL, 0);
    (void)sodium_bin2hex(ret->hex, sizeof(ret->hex), ret->bytes, sizeof(ret->bytes));
}

void key_encode(const unsigned char random[32], char ret[KEY_SECRET_CHARS + 1])
{
    (void)sodium_bin2base64(ret, KEY_SECRET_CHARS + 1, random, 32,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}
