/* login.c -- POST /api/auth/login/ (open)
 *
 *   parse    address and password                            400 fields
 *   ask      SQL: the user of that address
 *   verify   the hash in the pool; for nobody the same work  503 when too many wait
 *   open     SQL: a session                                  400 wrong, unknown or disabled;
 *                                                            403 not verified
 *   reply    200 {"token", "user", "expires_at"}, and both cookies
 *
 * Unknown, disabled and wrong look the same, in text and in time.  Good and bad ones are in the
 * audit log; not the address that was typed, because people type passwords there. */
#include "plugins/accounts/account.h"
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/audit.h"
#include "plugins/accounts/browser.h"
#include "plugins/accounts/decoy.h"
#include "plugins/accounts/hash.h"
#include "plugins/accounts/key.h"
#include "plugins/accounts/password.h"
#include "plugins/common/address.h"
#include <sodium.h>

enum { STEP_ASK = 1, TRIES_MAX = 2 };

typedef struct login {
    char email[ADDRESS_MAX + 1];
    parley_str email_key;
    parley_str password; /* view into the body */
    account shown;       /* views into own memory of the request */
    int64_t user_key;
    int is_there, is_active;
    hash_job hash;
    char stored[HASH_TEXT_MAX]; /* the hash that was checked */
    char key[KEY_CHARS + 1];
    key_hash session; /* of the key */
    int64_t expires_us;
    int tries;
} login;

static int login_parse(parley_flow *flow)
{
    login *l = flow->state;
    const parley_json *in = parley->req_json(flow->req);
    parley_json *errors = parley->json_obj();
    parley_str text;

    if (parley_text_field(errors, in, "email", ADDRESS_MAX, PARLEY_TEXT_ADDRESS, &text)) {
        int n = address_key(text, l->email, sizeof(l->email));

        if (n < 0)
            parley_text_fault(errors, "email", "Enter a valid email address.");
        else
            l->email_key = parley_text_view(l->email, (size_t)n);
    }
    (void)parley_text_field(errors, in, "password", STRENGTH_MAX_POINTS, PARLEY_TEXT_RAW,
                            &l->password);
    if (parley->json_len(errors) > 0) {
        (void)parley->deny_fields(flow->req, errors);
        return PARLEY_FLOW_DONE;
    }
    parley->json_free(errors);
    return PARLEY_FLOW_NEXT;
}

static int login_ask(parley_flow *flow)
{
    login *l = flow->state;
    parley_param params[] = { PARLEY_TEXT(l->email_key) };
    parley_sql sql = SQL(SQL_LOGIN_FIND, params);

    return parley_flow_sql(flow, &sql, 1, PARLEY_DB_READ);
}

/* The rows are gone after this step, so what the answer shows is copied. */
static int login_keep(parley_flow *flow, login *l)
{
    const parley_rows *rows = flow->result->rows[0];
    parley_str stored = accounts.db->get(rows, 0, 9);

    l->is_there = accounts.db->rows_n(rows) > 0 && stored.n < sizeof(l->stored);
    if (!l->is_there)
        return 0;
    l->shown = account_from_row(rows);
    l->user_key = accounts.db->get_int(rows, 0, 7, 0);
    l->is_active = accounts.db->get_int(rows, 0, 8, 0) != 0;
    memcpy(l->stored, stored.p, stored.n);
    l->stored[stored.n] = '\0';
    parley_str *texts[] = { &l->shown.uid, &l->shown.username, &l->shown.email,
                            &l->shown.first_name, &l->shown.last_name };
    for (size_t i = 0; i < COUNT(texts); i++)
        if (text_keep(flow->req, texts[i]) < 0)
            return PARLEY_ENOMEM;
    return 0;
}

static void login_hashed(hash_job *job)
{
    parley_flow_run(job->ud);
}

static int login_verify(parley_flow *flow)
{
    login *l = flow->state;
    int err = login_keep(flow, l);
    const char *decoy = decoy_hash(l->email_key);

    if (err < 0)
        return err;
    hash_job_init(&l->hash, HASH_VERIFY, l->password,
                  l->is_there ? hash_or(l->stored, decoy) : decoy);
    l->hash.done = login_hashed;
    l->hash.ud = flow;
    if (hash_submit(&l->hash) == 0)
        return PARLEY_FLOW_WAIT;
    parley_flow_unavailable(flow->req);
    return PARLEY_FLOW_DONE;
}

/* Nobody waits for it: known and unknown addresses cost the same. */
static void audit_failure(parley_flow *flow)
{
    const login *l = flow->state;
    audit_row row;
    parley_sql sql = audit_user(&row, flow->req, "login_failed", 0, l->is_there ? l->user_key : 0);

    (void)sql_run_quietly(&sql, 1);
}

static int login_refuse(parley_flow *flow)
{
    parley_json *errors = parley->json_obj();

    audit_failure(flow);
    parley->metric_add(accounts.login_failed, 1);
    parley_text_fault(errors, "non_field_errors", "Unable to log in with provided credentials.");
    (void)parley->deny_fields(flow->req, errors);
    return PARLEY_FLOW_DONE;
}

static int session_add(parley_flow *flow, login *l)
{
    int64_t now_us = parley->now_us();
    unsigned char random[32];
    char uid[37];
    audit_row row;

    parley->uuid7(uid);
    parley->random(random, sizeof(random));
    memcpy(l->key, KEY_PREFIX, sizeof(KEY_PREFIX));
    key_encode(random, l->key + sizeof(KEY_PREFIX) - 1);
    sodium_memzero(random, sizeof(random));
    key_hash_make(parley_text_view(l->key, KEY_CHARS), &l->session);
    l->expires_us = now_us + accounts.session_ttl_us;

    parley_str session = parley_text_view(uid, 36);
    parley_sql audit = audit_session(&row, flow->req, "login", session, l->user_key);
    parley_param lock[] = { PARLEY_INT(l->user_key) };
    parley_param params[] = {
        PARLEY_TEXT(session),
        PARLEY_TEXT(parley_text_view(l->session.hex, KEY_HASH_CHARS)),
        PARLEY_INT(now_us),
        PARLEY_INT(l->expires_us),
        PARLEY_TEXT(row.client.agent),
        PARLEY_TEXT(row.client.ip),
        PARLEY_INT(l->user_key),
        PARLEY_TEXT(parley_text_view(l->stored, strlen(l->stored))),
    };
    parley_sql sql[] = { SQL(SQL_USER_LOCK, lock), SQL(SQL_SESSION_ADD, params), audit };
    return parley_flow_sql(flow, sql, COUNT(sql), 0);
}

static int login_open(parley_flow *flow)
{
    login *l = flow->state;

    if (l->hash.status < 0) {
        parley_flow_unavailable(flow->req);
        return PARLEY_FLOW_DONE;
    }
    if (!l->hash.is_good || !l->is_there || !l->is_active)
        return login_refuse(flow);
    if (!l->shown.is_verified) {
        audit_failure(flow);
        parley->metric_add(accounts.login_failed, 1);
        (void)parley->deny(flow->req, 403, "email_not_verified", "Email address is not verified.");
        return PARLEY_FLOW_DONE;
    }
    return session_add(flow, l);
}

/* The parameters of hashing have changed since: once the session stands, the hash is made anew, and
 * nobody waits. */
typedef struct rehash {
    hash_job hash;
    int64_t user_key;
    char stored[HASH_TEXT_MAX];
} rehash;

static void rehash_done(hash_job *job)
{
    rehash *h = job->ud;

    if (job->status >= 0) {
        parley_param params[] = {
            PARLEY_TEXT(parley_text_view(job->text, strlen(job->text))),
            PARLEY_INT(h->user_key),
            PARLEY_TEXT(parley_text_view(h->stored, strlen(h->stored))),
        };
        parley_sql sql = SQL(SQL_PASSWORD_SET, params);

        (void)sql_run_quietly(&sql, 1);
    }
    sodium_free(h);
}

static void rehash_start(const login *l)
{
    rehash *h =
        sodium_malloc(sizeof(*h)); /* outlives the request and holds a password: wiped when freed */

    if (!h)
        return;
    hash_job_init(&h->hash, HASH_MAKE, l->password, NULL);
    h->hash.done = rehash_done;
    h->hash.ud = h;
    h->user_key = l->user_key;
    memcpy(h->stored, l->stored, sizeof(h->stored));
    if (hash_submit(&h->hash) < 0)
        sodium_free(h); /* the next login tries again */
}

static int login_reply(parley_flow *flow)
{
    login *l = flow->state;
    char stamp[STAMP_SIZE];

    /* The password or its hash changed meanwhile: look again. */
    if (accounts.db->rows_n(flow->result->rows[1]) == 0) {
        if (++l->tries >= TRIES_MAX)
            return login_refuse(flow);
        flow->at = STEP_ASK;
        return PARLEY_FLOW_NEXT;
    }
    if (l->hash.is_outdated)
        rehash_start(l);
    parley->metric_add(accounts.login_ok, 1);
    parley_json *out = parley->json_obj();
    parley->json_set(out, "token", parley->json_s(parley_text_view(l->key, KEY_CHARS)));
    browser_cookies_set(flow->req, parley_text_view(l->key, KEY_CHARS), &l->session);
    sodium_memzero(l->key, sizeof(l->key));
    parley->json_set(out, "user", account_json(&l->shown));
    parley->json_set(out, "expires_at", parley->json_s(stamp_text(l->expires_us, stamp)));
    (void)parley->reply_header(flow->req, "Cache-Control", PARLEY_S("no-store"));
    (void)parley->reply_json(flow->req, 200, out);
    return PARLEY_FLOW_DONE;
}

int login_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { login_parse, login_ask, login_verify, login_open,
                                         login_reply };
    const parley_json *in;

    (void)ud;
    if (parley->req_object(req, &in) != PARLEY_OK)
        return PARLEY_DENY;
    return parley_flow_start(ctx, req, accounts.db, sizeof(login), steps, COUNT(steps));
}
