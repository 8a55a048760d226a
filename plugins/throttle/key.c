/* key.c -- the forms in which limits compare addresses and names. */
#include "plugins/throttle/key.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum {
    NAME_LONGEST = 4096, /* bytes; longer ones name no account and are compared as they are */
    HASH = 20            /* bytes, shown as hexadecimal */
};

size_t key_peer(parley_str peer, char ret[KEY_WHO])
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    unsigned char address[16];

    size_t n = peer.n < KEY_WHO - 1 ? peer.n : KEY_WHO - 1;
    if (n)
        memcpy(ret, peer.p, n);
    ret[n] = '\0';
    if (inet_pton(AF_INET6, ret, address) != 1)
        return n;
    if (memcmp(address, mapped, sizeof(mapped)) == 0)
        return inet_ntop(AF_INET, address + 12, ret, KEY_WHO) ? strlen(ret) : 0;
    memset(address + 8, 0, 8);
    if (!inet_ntop(AF_INET6, address, ret, KEY_WHO - 3))
        return 0;
    memcpy(ret + strlen(ret), "/64", 4);
    return strlen(ret);
}

/* White space as the contract has it, section 1.2. */
static bool is_space(utf8proc_int32_t c)
{
    /* clang-format off */
    static const struct {
        utf8proc_int32_t first, last;
    } spaces[] = {
        { 0x09, 0x0d }, { 0x1c, 0x20 }, { 0x85, 0x85 }, { 0xa0, 0xa0 }, { 0x1680, 0x1680 },
        { 0x2000, 0x200a }, { 0x2028, 0x2029 }, { 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 },
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
        if (c >= spaces[i].first && c <= spaces[i].last)
            return true;
    return false;
}

static parley_str name_trim(parley_str s)
{
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)s.p;
    size_t start = 0, end = 0;

    for (size_t i = 0; i < s.n;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t used = utf8proc_iterate(p + i, (utf8proc_ssize_t)(s.n - i), &c);

        if (used <= 0)
            return s;
        i += (size_t)used;
        if (!is_space(c))
            end = i;
        else if (end == 0)
            start = i;
    }
    return (parley_str){ s.p + start, end > start ? end - start : 0 };
}

size_t key_name(parley_str name, char ret[KEY_WHO])
{
    static const utf8proc_option_t folding =
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    unsigned char hash[HASH];
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t n = -1;

    name = name_trim(name);
    if (name.n > 0 && name.n <= NAME_LONGEST)
        n = utf8proc_map((const utf8proc_uint8_t *)name.p, (utf8proc_ssize_t)name.n, &folded,
                         folding);
    if (n >= 0)
        name = name_trim((parley_str){ (const char *)folded, (size_t)n });
    if (name.n == 0) {
        free(folded);
        return 0;
    }
    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)name.p, name.n, NULL, 0);
    free(folded);
    (void)sodium_bin2hex(ret, KEY_WHO, hash, sizeof(hash));
    return (size_t)2 * HASH;
}
