/* map.c -- the keyed hash behind all tables. */
#include "core/base/map.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

static unsigned char seed[crypto_shorthash_KEYBYTES];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_make(void)
{
    crypto_shorthash_keygen(seed);
}

uint32_t map_hash(const void *key, size_t n)
{
    unsigned char out[crypto_shorthash_BYTES];
    uint32_t low, high;

    (void)pthread_once(&seed_once, seed_make);
    (void)crypto_shorthash(out, key, n, seed);
    memcpy(&low, out, sizeof(low));
    memcpy(&high, out + sizeof(low), sizeof(high));
    return low ^ high;
}
