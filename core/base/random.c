/* random.c -- libsodium's random bytes, and what is made of them. */
#include "core/base/random.h"

#include "core/base/clock.h"
#include <pthread.h>
#include <sodium.h>

void random_bytes(void *ret, size_t n)
{
    randombytes_buf(ret, n);
}

enum { UUID_BYTES = 16, UUIDS_AT_ONCE = 32 };

/* The random bytes of the next id, which are asked of the system for many at once: a call for each took
 * as long as all the rest of it.  Returns the 60 bits of its time and counter, above every one given
 * before. */
static uint64_t uuid7_next(uint8_t ret[UUID_BYTES])
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static uint8_t pool[UUIDS_AT_ONCE * UUID_BYTES];
    static size_t left;
    static uint64_t last;

    (void)pthread_mutex_lock(&lock);
    if (left == 0) {
        random_bytes(pool, sizeof(pool));
        left = sizeof(pool);
    }
    left -= UUID_BYTES;
    memcpy(ret, pool + left, UUID_BYTES);
    /* The counter starts in the lower quarter of its range, so that a busy millisecond rarely
     * overflows. */
    uint64_t start = (uint64_t)(ret[6] << 8 | ret[7]) & 0x3ff;
    uint64_t now = (uint64_t)(clock_wall_us() / 1000) << 12 | start;
    /* Same millisecond, or a clock that went back: count on.  An overflowing counter borrows the
     * next millisecond. */
    last = now >> 12 > last >> 12 ? now : last + 1;
    now = last;
    (void)pthread_mutex_unlock(&lock);
    return now;
}

void random_uuid7(char ret[37])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t b[UUID_BYTES];
    uint64_t position = uuid7_next(b);
    size_t at = 0;

    for (int i = 0; i < 6; i++)
        b[i] = (uint8_t)(position >> (52 - 8 * i));
    b[6] = (uint8_t)(0x70 | ((position >> 8) & 0x0f));
    b[7] = (uint8_t)position;
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    for (size_t i = 0; i < sizeof(b); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret[at++] = '-';
        ret[at++] = digits[b[i] >> 4];
        ret[at++] = digits[b[i] & 15];
    }
    ret[at] = '\0';
}

bool uuid_valid(str s)
{
    if (s.n != 36)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}

void random_derive(str secret, const char *purpose, uint8_t ret[32])
{
    uint8_t key[crypto_generichash_KEYBYTES];
    const unsigned char *bytes = (const unsigned char *)(secret.p ? secret.p : "");

    (void)crypto_generichash(key, sizeof(key), bytes, secret.n, NULL, 0);
    (void)crypto_generichash(ret, 32, (const unsigned char *)purpose, strlen(purpose), key,
                             sizeof(key));
    sodium_memzero(key, sizeof(key));
}
