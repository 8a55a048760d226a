/* decoy.c -- what a login costs that names nobody: as much as one of an account does, so that the
 * time of an answer does not tell which addresses are known.
 *
 * Usually that is one argon2id.  While accounts of the original app wait for their first login, whose
 * PBKDF2 takes longer, a share of the unknown addresses costs PBKDF2, too: the same share as of the
 * accounts.  Which ones, a keyed hash of the address decides, so that asking twice tells no more. */
#include "plugins/accounts/decoy.h"

#include <sodium.h>

#include "plugins/accounts/accounts.h"
#include "plugins/common/pbkdf2.h"

enum { EVERY_MS = 3600000, SHARE_BITS = 32 };

static struct {
    unsigned char key[32]; /* crypto_shorthash takes the first 16 */
    uint64_t share;        /* of all addresses, in 1/2^32 */
    char text[PBKDF2_TEXT_MAX + 1];
} decoy;

const char *decoy_hash(parley_str email_key)
{
    unsigned char bytes[crypto_shorthash_BYTES];
    uint32_t at;

    if (decoy.share == 0)
        return NULL;
    (void)crypto_shorthash(bytes, (const unsigned char *)email_key.p, email_key.n, decoy.key);
    memcpy(&at, bytes, sizeof(at));
    return at < decoy.share ? decoy.text : NULL;
}

/* As slow as the accounts' own; no password is known to give this hash. */
static int decoy_make(parley_str example)
{
    char stored[PBKDF2_TEXT_MAX + 1];
    pbkdf2 like;

    if (!example.p || example.n >= sizeof(stored))
        return 0;
    memcpy(stored, example.p, example.n);
    stored[example.n] = '\0';
    if (pbkdf2_read(&like, stored) < 0)
        return 0;
    (void)snprintf(decoy.text, sizeof(decoy.text),
                   PBKDF2_PREFIX "%d$parley-dummy$bm8gcGFzc3dvcmQgaGFzaGVzIHRvIHRoaXMgdGV4dCE=",
                   like.iterations);
    return 1;
}

static void decoy_counted(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx;
    (void)ud;
    if (status < 0)
        return; /* the next hour tries again */
    uint64_t all = (uint64_t)accounts.db->get_int(result->rows[0], 0, 0, 0);
    uint64_t old = (uint64_t)accounts.db->get_int(result->rows[0], 0, 1, 0);

    decoy.share = 0;
    if (old > 0 && decoy_make(accounts.db->get(result->rows[0], 0, 2)))
        decoy.share = (old << SHARE_BITS) / all;
}

static void decoy_count(parley_ctx *ctx, int status, void *ud)
{
    const parley_sql sql = sql_make(SQL_OLD_HASHES, NULL, 0);

    (void)ud;
    if (status >= 0)
        (void)accounts.db->run(ctx, &sql, 1, PARLEY_DB_READ | PARLEY_DB_STALE_OK, decoy_counted,
                               NULL);
}

int decoy_start(void)
{
    if (parley->secret("decoy", decoy.key) < 0)
        return parley->fail(accounts.ctx, "no key for the cost of unknown addresses");
    parley_timer timer = parley->timer(accounts.ctx, EVERY_MS, EVERY_MS, decoy_count, NULL);
    if (timer.id == 0)
        return parley->fail(accounts.ctx, "no timer");
    decoy_count(accounts.ctx, 0, NULL);
    return 0;
}
