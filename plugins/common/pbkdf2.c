/* pbkdf2.c -- passwords as Django hashed them: read, and checked with OpenSSL's libcrypto. */
#include "plugins/common/pbkdf2.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static int iterations_read(const char *text, const char **ret_end)
{
    long n = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9' && n <= PBKDF2_ITERATIONS_MAX; at++)
        n = n * 10 + (*at - '0');
    *ret_end = at;
    return at > text && *at == '$' && n >= 1 && n <= PBKDF2_ITERATIONS_MAX ? (int)n : -1;
}

int pbkdf2_read(pbkdf2 *ret, const char *text)
{
    const char *at = text + sizeof(PBKDF2_PREFIX) - 1;
    size_t hash_n = 0;
    pbkdf2 got;

    if (strlen(text) > PBKDF2_TEXT_MAX ||
        strncmp(text, PBKDF2_PREFIX, sizeof(PBKDF2_PREFIX) - 1) != 0)
        return -1;
    got.iterations = iterations_read(at, &got.salt);
    if (got.iterations < 0)
        return -1;
    got.salt++;
    const char *end = strchr(got.salt, '$');
    if (!end || end == got.salt)
        return -1;
    got.salt_n = (size_t)(end - got.salt);
    end++;
    if (sodium_base642bin(got.hash, sizeof(got.hash), end, strlen(end), NULL, &hash_n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        hash_n != sizeof(got.hash))
        return -1;
    *ret = got;
    return 0;
}

int pbkdf2_verify(const pbkdf2 *stored, const char *password, size_t n)
{
    unsigned char made[PBKDF2_HASH_SIZE];

    if (n > INT_MAX || PKCS5_PBKDF2_HMAC(password, (int)n, (const unsigned char *)stored->salt,
                                         (int)stored->salt_n, stored->iterations, EVP_sha256(),
                                         sizeof(made), made) != 1) {
        OPENSSL_thread_stop(); /* what it keeps for a thread of the pool */
        return -1;
    }
    OPENSSL_thread_stop();
    int is_good = sodium_memcmp(made, stored->hash, sizeof(made)) == 0;
    sodium_memzero(made, sizeof(made));
    return is_good;
}
