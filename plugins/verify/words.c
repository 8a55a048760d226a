/* words.c -- texts that are kept once. */
#include "plugins/verify/words.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16, SLOTS_FIRST = 1 << 12 };

struct words_chunk {
    struct words_chunk *next;
    size_t used, size;
    char bytes[];
};

void words_init(wordbook *w)
{
    *w = (wordbook){ 0 };
    randombytes_buf(w->key, sizeof(w->key));
}

void words_done(wordbook *w)
{
    struct words_chunk *next;

    for (struct words_chunk *chunk = w->chunks; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(w->slots);
    *w = (wordbook){ 0 };
}

static size_t words_hash(const wordbook *w, const char *p, size_t n)
{
    uint64_t hash;

    crypto_shorthash((unsigned char *)&hash, (const unsigned char *)p, n, w->key);
    return (size_t)hash;
}

/* The slot that holds it, or the free one where it belongs. */
static size_t words_slot(const wordbook *w, const char *p, size_t n)
{
    size_t at = words_hash(w, p, n) & (w->cap - 1);

    while (w->slots[at] && (strncmp(w->slots[at], p, n) != 0 || w->slots[at][n] != '\0'))
        at = (at + 1) & (w->cap - 1);
    return at;
}

static bool words_grow(wordbook *w)
{
    size_t cap = w->cap ? w->cap * 2 : SLOTS_FIRST;
    wordbook bigger = *w;

    if (w->n * 2 < w->cap)
        return true;
    bigger.slots = calloc(cap, sizeof(*bigger.slots));
    if (!bigger.slots)
        return false;
    bigger.cap = cap;
    for (size_t i = 0; i < w->cap; i++)
        if (w->slots[i])
            bigger.slots[words_slot(&bigger, w->slots[i], strlen(w->slots[i]))] = w->slots[i];
    free(w->slots);
    *w = bigger;
    return true;
}

static char *words_space(wordbook *w, size_t n)
{
    struct words_chunk *chunk = w->chunks;

    if (!chunk || chunk->size - chunk->used < n) {
        size_t size = n > CHUNK ? n : CHUNK;

        chunk = malloc(sizeof(*chunk) + size);
        if (!chunk)
            return NULL;
        *chunk = (struct words_chunk){ .next = w->chunks, .size = size };
        w->chunks = chunk;
    }
    chunk->used += n;
    return chunk->bytes + chunk->used - n;
}

const char *word(wordbook *w, const char *p, size_t n)
{
    n = p ? strnlen(p, n) : 0;
    if (n == 0)
        return "";
    if (!words_grow(w)) {
        w->failed = true;
        return "";
    }
    size_t at = words_slot(w, p, n);

    if (w->slots[at])
        return w->slots[at];
    char *kept = words_space(w, n + 1);

    if (!kept) {
        w->failed = true;
        return "";
    }
    memcpy(kept, p, n);
    kept[n] = '\0';
    w->slots[at] = kept;
    w->n++;
    return kept;
}
