/* place.c -- a place in a list as a text that means nothing to anybody else.
 *
 * The nonce is a hash of what is sealed, so that the same place is the same text. */
#include "plugins/common/place.h"
#include <sodium.h>
#include <string.h>

enum {
    PLAIN = 10, /* list, flags, 8 bytes of `at` */
    NONCE = crypto_secretbox_NONCEBYTES,
    SEALED = NONCE + crypto_secretbox_MACBYTES + PLAIN
};

static int place_key(uint8_t ret[crypto_secretbox_KEYBYTES])
{
    _Static_assert(crypto_secretbox_KEYBYTES == 32, "parley->secret() gives 32 bytes");
    return parley->secret("places in lists", ret);
}

int place_seal(const struct place *place, char ret[PLACE_SIZE])
{
    uint8_t key[crypto_secretbox_KEYBYTES];
    uint8_t plain[PLAIN] = { place->list, place->flags };
    uint8_t sealed[SEALED];
    int err = place_key(key);

    if (err < 0)
        return err;
    for (int i = 0; i < 8; i++)
        plain[2 + i] = (uint8_t)((uint64_t)place->at >> (8 * i));
    crypto_generichash(sealed, NONCE, plain, PLAIN, key, sizeof(key));
    crypto_secretbox_easy(sealed + NONCE, plain, PLAIN, sealed, key);
    sodium_memzero(key, sizeof(key));
    (void)sodium_bin2base64(ret, PLACE_SIZE, sealed, SEALED,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return PARLEY_OK;
}

bool place_open(parley_str text, enum place_list list, struct place *ret)
{
    uint8_t key[crypto_secretbox_KEYBYTES];
    uint8_t plain[PLAIN], sealed[SEALED];
    uint64_t at = 0;
    size_t n = 0;

    if (!text.p || sodium_base642bin(sealed, SEALED, text.p, text.n, NULL, &n, NULL,
                                     sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return false;
    if (n != SEALED || place_key(key) < 0)
        return false;
    int err = crypto_secretbox_open_easy(plain, sealed + NONCE, SEALED - NONCE, sealed, key);

    sodium_memzero(key, sizeof(key));
    if (err != 0 || plain[0] != list)
        return false;
    for (int i = 0; i < 8; i++)
        at |= (uint64_t)plain[2 + i] << (8 * i);
    *ret = (struct place){ plain[0], plain[1], (int64_t)at };
    return true;
}
