/* words.h -- texts that are kept once: two that are equal are the same pointer.
 *
 * A run holds the same ids and contents again and again, once per client; so they cost a pointer
 * each, and comparing them costs nothing. */
#ifndef VERIFY_WORDS_H
#define VERIFY_WORDS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wordbook {
    const char **slots; /* a hash table with open addressing; NULL: free */
    size_t cap, n;
    struct words_chunk *chunks;
    uint8_t key[16]; /* of the hash: texts come from the server */
    bool failed;     /* memory ran out: what was returned since may be "" instead */
} wordbook;

void words_init(wordbook *w);
void words_done(wordbook *w);
/* NUL-ended, lives until words_done(); "" for p == NULL.  A NUL inside ends it. */
const char *word(wordbook *w, const char *p, size_t n);
#endif
