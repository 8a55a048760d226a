/* etag.c -- entity tags of answers, and what If-None-Match and If-Match say of them. */
#include "plugins/common/etag.h"
#include <sodium.h>
#include <string.h>

enum { HASH_LETTERS = 22 };

static void hash_write(parley_str text, char ret[HASH_LETTERS + 1])
{
    unsigned char hash[crypto_generichash_BYTES_MIN]; /* 16 */

    crypto_generichash(hash, sizeof(hash), (const unsigned char *)text.p, text.n, NULL, 0);
    (void)sodium_bin2base64(ret, HASH_LETTERS + 1, hash, sizeof(hash),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void etag_of(parley_str text, char ret[ETAG_SIZE])
{
    char whole[HASH_LETTERS + 1];

    hash_write(text, whole);
    (void)snprintf(ret, ETAG_SIZE, "W/\"%s\"", whole);
}

void etag_of_both(parley_str kept, parley_str text, char ret[ETAG_SIZE])
{
    char first[HASH_LETTERS + 1], whole[HASH_LETTERS + 1];

    hash_write(kept, first);
    hash_write(text, whole);
    (void)snprintf(ret, ETAG_SIZE, "W/\"%s.%s\"", first, whole);
}

/* What stands behind W/ begins with a quote and holds one at its end only, so that it cannot be
 * found inside another tag. */
static bool is_named(parley_str header, parley_str quoted)
{
    if (!header.p)
        return false;
    if (header.n == 1 && header.p[0] == '*')
        return true;
    return memmem(header.p, header.n, quoted.p, quoted.n) != NULL;
}

bool etag_is_named(parley_str header, const char *tag)
{
    return is_named(header, (parley_str){ tag + 2, strlen(tag + 2) });
}

bool etag_is_kept(parley_str header, const char *tag)
{
    const char *quoted = tag + 2;
    const char *dot = strchr(quoted, '.');

    return is_named(header,
                    (parley_str){ quoted, dot ? (size_t)(dot + 1 - quoted) : strlen(quoted) });
}

void etag_headers(parley_req req, const char *tag)
{
    (void)parley->reply_header(req, "ETag", (parley_str){ tag, strlen(tag) });
    (void)parley->reply_header(req, "Cache-Control", PARLEY_S("private, no-cache"));
}

bool etag_reply_known(parley_req req, const char *tag)
{
    if (!etag_is_named(parley->req_header(req, "If-None-Match"), tag))
        return false;
    etag_headers(req, tag);
    (void)parley->reply(req, 304, NULL, PARLEY_S(""));
    return true;
}

int etag_reply(parley_req req, int status, const char *tag, parley_str text)
{
    parley_str method = parley->req_method(req);
    bool is_read = method.n > 0 && (method.p[0] == 'G' || method.p[0] == 'H');

    if (is_read && etag_reply_known(req, tag))
        return PARLEY_OK;
    etag_headers(req, tag);
    return parley->reply(req, status, "application/json", text);
}

int etag_reply_json(parley_ctx *ctx, parley_req req, int status, parley_json *take)
{
    parley_str text = parley->json_text(ctx, take);
    char tag[ETAG_SIZE];

    if (!text.p) /* no memory: the server refuses it */
        return parley->reply_json(req, status, take);
    etag_of(text, tag);
    int err = etag_reply(req, status, tag, text);

    parley->json_free(take);
    return err;
}
