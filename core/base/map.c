/* map.c -- the keyed hash behind all tables. */
#include "core/base/map.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

static unsigned char key[crypto_shorthash_KEYBYTES];
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void key_make(void)
{
    crypto_shorthash_keygen(key);
}

uint32_t map_hash(const void *bytes, size_t n)
{
    unsigned char out[crypto_shorthash_BYTES];
    uint32_t low, high;

    (void)pthread_once(&key_once, key_make);
    (void)crypto_shorthash(out, bytes, n, key);
    memcpy(&low, out, sizeof(low));
    memcpy(&high, out + sizeof(low), sizeof(high));
    return low ^ high;
}
