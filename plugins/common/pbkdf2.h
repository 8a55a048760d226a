/* pbkdf2.h -- passwords as Django hashed them: pbkdf2_sha256$ITERATIONS$SALT$HASH. */
#ifndef COMMON_PBKDF2_H
#define COMMON_PBKDF2_H
#include <stddef.h>

enum {
    PBKDF2_TEXT_MAX = 127,           /* of the whole text */
    PBKDF2_ITERATIONS_MAX = 4000000, /* a second or so; four times what Django 5 takes */
    PBKDF2_HASH_SIZE = 32
};
#define PBKDF2_PREFIX "pbkdf2_sha256$"

/* One text taken apart; `salt` is a view into it. */
typedef struct pbkdf2 {
    int iterations;
    const char *salt;
    size_t salt_n;
    unsigned char hash[PBKDF2_HASH_SIZE];
} pbkdf2;

/* returns 0, or -1: not of this form, or out of bounds */
int pbkdf2_read(pbkdf2 *ret, const char *text);
/* Slow on purpose: not for the loop.  Compares in constant time.
 *
 * returns 1: the password fits; 0: it does not; -1: no memory, or no such hash in the library */
int pbkdf2_verify(const pbkdf2 *stored, const char *password, size_t n);
#endif
