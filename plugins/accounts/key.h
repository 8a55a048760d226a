/* key.h -- secrets that we give away and keep only the hash of: keys of sessions, tokens of mails.
 * Pure but for random. */
#ifndef ACCOUNTS_KEY_H
#define ACCOUNTS_KEY_H
#include <parley/plugin.h>

#define KEY_PREFIX       "ply_"
#define KEY_SECRET_CHARS 43 /* base64url of 32 bytes, unpadded */
#define KEY_CHARS        (sizeof(KEY_PREFIX) - 1 + KEY_SECRET_CHARS) /* of a session's key */
#define KEY_HASH_CHARS   64                                          /* lower-case hexadecimal */

typedef struct key_hash {
    unsigned char bytes[32];
    char hex[KEY_HASH_CHARS + 1];
} key_hash;

enum key_header {
    KEY_OK,
    KEY_NONE,      /* no header, or another scheme */
    KEY_EMPTY,     /* the scheme alone */
    KEY_SPACES,    /* more than one word after it */
    KEY_CHARACTERS /* bytes outside ASCII */
};

/* Reads the value of an Authorization header.  ret: the key, a view; set when KEY_OK. */
enum key_header key_read_header(parley_str value, parley_str *ret);
/* 1 if it has the form of what key_encode() makes. */
int key_is_secret(parley_str secret);
/* 1 if it has the form of a session's key; anything else need not be looked up. */
int key_is_well_formed(parley_str key);
/* BLAKE2b-256 of any bytes. */
void key_hash_make(parley_str key, key_hash *ret);
/* `random`: 32 bytes; ret: KEY_SECRET_CHARS and a NUL. */
void key_encode(const unsigned char random[32], char ret[KEY_SECRET_CHARS + 1]);
#endif
