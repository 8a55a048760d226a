/* person.c -- the sessions that this worker knows. */
#include "plugins/accounts/person.h"
#include <stdlib.h>
#include <string.h>

/* The keys are hashes of secrets that we made ourselves, so four of their bytes are a good hash for
 * anybody. */
static struct {
    person **buckets;
    size_t mask;
    size_t n, max; /* cached */
    person *newest, *oldest;
    person *alive;
    size_t alive_n;
} cache;

int person_cache_create(size_t max)
{
    size_t buckets = 64;

    while (buckets < max)
        buckets *= 2;
    cache.buckets = calloc(buckets, sizeof(person *));
    if (!cache.buckets)
        return PARLEY_ENOMEM;
    cache.mask = buckets - 1;
    cache.max = max;
    return 0;
}

void person_cache_free(void)
{
    while (cache.oldest)
        person_forget(cache.oldest);
    free(cache.buckets);
    cache.buckets = NULL;
}

static person **bucket_of(const unsigned char hash[32])
{
    uint32_t number;

    memcpy(&number, hash, sizeof(number));
    return &cache.buckets[number & cache.mask];
}

static void order_remove(person *p)
{
    *(p->newer ? &p->newer->older : &cache.newest) = p->older;
    *(p->older ? &p->older->newer : &cache.oldest) = p->newer;
    p->newer = p->older = NULL;
}

static void order_put_first(person *p)
{
    p->older = cache.newest;
    *(cache.newest ? &cache.newest->newer : &cache.oldest) = p;
    cache.newest = p;
}

person *person_find(const unsigned char hash[32])
{
    person *p = *bucket_of(hash);

    while (p && memcmp(p->facts.hash, hash, sizeof(p->facts.hash)) != 0) /* hashes, not secrets */
        p = p->chain;
    if (!p)
        return NULL;
    order_remove(p);
    order_put_first(p);
    return p;
}

static parley_str *const *texts_of(parley_person *shown, parley_str *ret[6])
{
    ret[0] = &shown->uid;
    ret[1] = &shown->username;
    ret[2] = &shown->email;
    ret[3] = &shown->first_name;
    ret[4] = &shown->last_name;
    ret[5] = &shown->session;
    return ret;
}

size_t person_text_size(const person_facts *from)
{
    parley_person shown = from->shown;
    parley_str *texts[6];
    size_t n = 0;

    texts_of(&shown, texts);
    for (size_t i = 0; i < 6; i++)
        n += texts[i]->n;
    return n;
}

void person_facts_copy(const person_facts *from, person_facts *ret, char *text)
{
    parley_str *texts[6];

    *ret = *from;
    ret->shown.size = (uint32_t)sizeof(ret->shown);
    texts_of(&ret->shown, texts);
    for (size_t i = 0; i < 6; i++) {
        if (texts[i]->n > 0)
            memcpy(text, texts[i]->p, texts[i]->n);
        texts[i]->p = text;
        text += texts[i]->n;
    }
}

person *person_add(const person_facts *facts)
{
    person *p = person_find(facts->hash);

    if (p)
        return p;
    p = calloc(1, sizeof(*p) + person_text_size(facts) + 1);
    if (!p)
        return NULL;
    person_facts_copy(facts, &p->facts, p->text);
    if (cache.n >= cache.max)
        person_forget(cache.oldest);
    person **bucket = bucket_of(facts->hash);
    p->chain = *bucket;
    *bucket = p;
    order_put_first(p);
    p->is_cached = 1;
    p->refs = 1;
    cache.n++;
    p->behind = cache.alive;
    if (cache.alive)
        cache.alive->before = p;
    cache.alive = p;
    cache.alive_n++;
    return p;
}

void person_forget(person *p)
{
    if (!p || !p->is_cached)
        return;
    person **at = bucket_of(p->facts.hash);
    while (*at != p)
        at = &(*at)->chain;
    *at = p->chain;
    order_remove(p);
    p->is_cached = 0;
    cache.n--;
    person_unref(p);
}

void person_unref(void *ud)
{
    person *p = ud;

    if (!p || --p->refs > 0)
        return;
    *(p->before ? &p->before->behind : &cache.alive) = p->behind;
    if (p->behind)
        p->behind->before = p->before;
    cache.alive_n--;
    free(p->conns);
    free(p);
}

int person_conn_add(person *p, parley_conn conn)
{
    if (p->conn_n == p->conn_max) {
        size_t max = p->conn_max + p->conn_max / 2 + 1;
        uint64_t *conns = realloc(p->conns, max * sizeof(conns[0]));

        if (!conns)
            return PARLEY_ENOMEM;
        p->conns = conns;
        p->conn_max = max;
    }
    p->conns[p->conn_n++] = conn.id;
    p->refs++;
    return 0;
}

/* The reference goes with the socket's slot (conn_set), not here. */
void person_conn_remove(person *p, parley_conn conn)
{
    for (size_t i = p->conn_n; i-- > 0;) {
        if (p->conns[i] != conn.id)
            continue;
        p->conns[i] = p->conns[--p->conn_n];
        return;
    }
}

/* Closing does not call back before it returns, but dropping the cache's reference may free the
 * person. */
void person_revoke(person *p)
{
    p->is_revoked = 1;
    for (size_t i = 0; i < p->conn_n; i++)
        (void)parley->conn_close((parley_conn){ p->conns[i] }, 4401, PARLEY_S("session revoked"));
    person_forget(p);
}

size_t person_alive(void)
{
    return cache.alive_n;
}

person *person_next(const person *p)
{
    return p ? p->behind : cache.alive;
}
