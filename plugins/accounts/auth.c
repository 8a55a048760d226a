/* auth.c -- who is it?
 *
 *   credential   how the caller says it (credential.c); 401 with one of five texts if it is bad and
 *                the route wants a user
 *   cached       a session that this worker knows needs no database
 *   lookup       SQL: the session and its user; a ticket is used up by it
 *   accept       403 if a browser's cookie alone asks for a change, and no page of the site did
 *   attach       a copy of the facts to the request, the principal to the host; a handshake hands
 *                the shared person over to its socket (auth_conn_open)
 *
 * Routes that want nobody: a good credential counts, a bad one is ignored.  The routes that give
 * access in the first place ignore any and are anonymous. */
#include "plugins/accounts/auth.h"
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/browser.h"
#include "plugins/accounts/change.h"
#include "plugins/accounts/credential.h"
#include "plugins/accounts/key.h"
#include "plugins/accounts/person.h"
#include "plugins/accounts/revocation.h"
#include "plugins/common/address.h"
#include <sodium.h>

#define TOUCH_US INT64_C(300000000) /* last_used_at is written at most so often */

/* What a request carries in this plugin's slot. */
typedef struct attached {
    person_facts facts;
    uint32_t epoch; /* of revocations, when the facts were believed */
    char text[];
} attached;

/* A request that waits for the database. */
typedef struct lookup {
    parley_req req;
    credential by;
    key_hash hash; /* of the key; until a ticket has been used: of that */
    uint32_t epoch;
    int asked_head; /* the first statement was SQL_REVOKED_HEAD */
    int is_ticket;  /* not used yet */
} lookup;

static const char *const anonymous_routes[] = {
    "/api/",
    "/api/auth/register/",
    "/api/auth/login/",
    "/api/auth/verify-email/:token/",
    "/api/auth/resend-verification/",
    "/api/auth/reset-password/",
    "/api/auth/reset-password/:token/",
};

static int is_anonymous_route(parley_req req)
{
    parley_str route = parley->req_route(req);

    for (size_t i = 0; i < COUNT(anonymous_routes); i++)
        if (strlen(anonymous_routes[i]) == route.n &&
            memcmp(anonymous_routes[i], route.p, route.n) == 0)
            return 1;
    return 0;
}

static int is_user_wanted(parley_req req)
{
    return (parley->req_route_flags(req) & PARLEY_R_USER) != 0;
}

static int refuse(parley_req req, enum key_header what)
{
    static const struct {
        const char *code, *text;
    } rows[] = {
        [KEY_OK] = { "authentication_failed", "Invalid token." },
        [KEY_NONE] = { "not_authenticated", "Authentication credentials were not provided." },
        [KEY_EMPTY] = { "authentication_failed", "Invalid token header. No credentials provided." },
        [KEY_SPACES] = { "authentication_failed",
                         "Invalid token header. Token string should not contain spaces." },
        [KEY_CHARACTERS] = { "authentication_failed",
                             "Invalid token header. Token string should not contain invalid"
                             " characters." },
    };

    (void)parley->reply_header(req, "WWW-Authenticate", PARLEY_S("Token"));
    (void)parley->deny(req, 401, rows[what].code, rows[what].text);
    return PARLEY_DENY;
}

/* Moves the end of the session on, now and then.  returns 1 if it did */
static int touch(person_facts *facts, int64_t now_us)
{
    int64_t after_us =
        accounts.session_ttl_us / 4 < TOUCH_US ? accounts.session_ttl_us / 4 : TOUCH_US;

    if (now_us - facts->last_used_us < after_us)
        return 0;
    parley_param params[] = { PARLEY_INT(now_us), PARLEY_INT(now_us + accounts.session_ttl_us),
                              PARLEY_INT(facts->session_key) };
    parley_sql sql = SQL(SQL_SESSION_TOUCH, params);

    facts->last_used_us = now_us; /* also when the write fails: the next try is due in a while */
    if (sql_run_quietly(&sql, 1) < 0)
        return 0;
    facts->expires_us = now_us + accounts.session_ttl_us;
    return 1;
}

/* Everything the request needs, in its own memory: nothing to release. */
static int attach(parley_req req, const person_facts *facts)
{
    attached *a = parley->req_alloc(req, sizeof(*a) + person_text_size(facts));

    if (!a)
        return PARLEY_ENOMEM;
    person_facts_copy(facts, &a->facts, a->text);
    a->epoch = revocation_epoch();
    int err = parley->req_set(accounts.ctx, req, a);
    if (err < 0)
        return err;
    return parley->set_user(req, facts->shown.uid, facts->shown.email);
}

/* A page of another site may not act through a browser that is logged in here. */
static int deny_forged(parley_req req)
{
    (void)parley->deny(req, 403, "permission_denied",
                       "CSRF Failed: CSRF token missing or incorrect.");
    return PARLEY_DENY;
}

/* The session is good: NEXT, DENY (told), or < 0. */
static int accept(parley_req req, const credential *by, const key_hash *hash, person_facts *facts)
{
    int is_cookie = by->kind == CREDENTIAL_COOKIE;

    if (is_cookie && !browser_may_act(req, hash))
        return is_user_wanted(req) ? deny_forged(req) : PARLEY_NEXT;
    if (touch(facts, parley->now_us()) && is_cookie)
        browser_cookies_set(req, by->secret, hash);
    return attach(req, facts);
}

static person_facts facts_from_row(const parley_rows *rows, const key_hash *hash, int64_t now_us)
{
    const parley_db *db = accounts.db;
    person_facts facts = {
        .session_key = db->get_int(rows, 0, 0, 0),
        .last_used_us = db->get_int(rows, 0, 2, 0),
        .expires_us = db->get_int(rows, 0, 3, 0),
        .loaded_us = now_us,
        .shown = { .key = db->get_int(rows, 0, 4, 0),
                   .uid = db->get(rows, 0, 5),
                   .username = db->get(rows, 0, 6),
                   .email = db->get(rows, 0, 7),
                   .first_name = db->get(rows, 0, 8),
                   .last_name = db->get(rows, 0, 9),
                   .is_staff = db->get_int(rows, 0, 10, 0) != 0,
                   .session = db->get(rows, 0, 1) },
    };

    memcpy(facts.hash, hash->bytes, sizeof(facts.hash));
    return facts;
}

static int lookup_ask(lookup *l);

/* A browser sends old cookies, too, and nobody has asked it to: as if there were none. */
static enum key_header unknown_means(const credential *by)
{
    return by->kind == CREDENTIAL_COOKIE ? KEY_NONE : KEY_OK;
}

/* A good key: into the cache, onto the request. */
static void lookup_found(lookup *l, const parley_db_result *result, const parley_rows *rows)
{
    person_facts facts = facts_from_row(rows, &l->hash, parley->now_us());

    if (l->asked_head)
        revocation_watch(accounts.db->get_int(result->rows[0], 0, 0, 0));
    /* Rows were worked off while this one was read: read it again. */
    if (!revocation_is_watched() ? !l->asked_head : l->epoch != revocation_epoch()) {
        if (lookup_ask(l) < 0)
            parley_flow_unavailable(l->req);
        return;
    }
    /* Without the watch nobody would take it out of the cache again. */
    person *p = revocation_is_watched() ? person_add(&facts) : NULL;
    int verdict = accept(l->req, &l->by, &l->hash, p ? &p->facts : &facts);
    if (verdict == PARLEY_ENOMEM)
        parley_flow_unavailable(l->req);
    else if (verdict != PARLEY_DENY)
        (void)parley->go_on(l->req);
}

/* The row is what SQL_TICKET_FIND gave; from here on the session's key is known. */
static int ticket_used(lookup *l, const parley_db_result *result)
{
    const parley_rows *found = result->rows[result->count - 2];
    parley_str hex = accounts.db->get(found, 0, 11);

    if (accounts.db->rows_n(result->rows[result->count - 1]) != 1 || hex.n != KEY_HASH_CHARS)
        return 0;
    memcpy(l->hash.hex, hex.p, hex.n);
    l->is_ticket = 0;
    return sodium_hex2bin(l->hash.bytes, sizeof(l->hash.bytes), l->hash.hex, KEY_HASH_CHARS, NULL,
                          NULL, NULL) == 0;
}

/* The rows of the session; NULL: there is none. */
static const parley_rows *lookup_rows(lookup *l, const parley_db_result *result)
{
    const parley_rows *rows = result->rows[result->count - (l->is_ticket ? 2 : 1)];

    if (accounts.db->rows_n(rows) == 0 || (l->is_ticket && !ticket_used(l, result)))
        return NULL;
    return rows;
}

static void lookup_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    lookup *l = ud;
    const parley_rows *rows = status >= 0 ? lookup_rows(l, result) : NULL;

    (void)ctx;
    if (rows)
        lookup_found(l, result, rows);
    else if (!is_user_wanted(l->req))
        (void)parley->go_on(l->req);
    else if (status < 0)
        parley_flow_unavailable(l->req);
    else
        (void)refuse(l->req, unknown_means(&l->by));
}

/* The head of the revocations is read before the session, so that the watch misses none. */
static int lookup_ask(lookup *l)
{
    parley_str hex = parley_text_view(l->hash.hex, KEY_HASH_CHARS);
    parley_param find[] = { PARLEY_TEXT(hex), PARLEY_INT(parley->now_us()) };
    parley_param use[] = { PARLEY_TEXT(hex) };
    parley_sql sql[] = {
        sql_make(SQL_REVOKED_HEAD, NULL, 0),
        SQL(l->is_ticket ? SQL_TICKET_FIND : SQL_SESSION_FIND, find),
        SQL(SQL_TICKET_USE, use),
    };

    l->asked_head = !revocation_is_watched() || person_alive() == 0;
    l->epoch = revocation_epoch();
    uint32_t first = l->asked_head ? 0 : 1;
    uint32_t n = (l->is_ticket ? 3 : 2) - first;
    return accounts.db->run(accounts.ctx, sql + first, n, l->is_ticket ? 0 : PARLEY_DB_READ,
                            lookup_done, l);
}

/* A session of the cache, if it may be believed; NULL: ask the database. */
static person *cached(const key_hash *hash, int64_t now_us)
{
    person *p = revocation_is_watched() ? person_find(hash->bytes) : NULL;

    if (!p || p->is_doubted)
        return NULL;
    if (p->facts.expires_us > now_us)
        return p;
    person_forget(p);
    return NULL;
}

static int lookup_start(parley_req req, const credential *by, const key_hash *hash)
{
    lookup *l = parley->req_alloc(req, sizeof(*l));

    if (!l)
        return PARLEY_ENOMEM;
    l->req = req;
    l->by = *by;
    l->hash = *hash;
    l->is_ticket = by->kind == CREDENTIAL_TICKET;
    if (lookup_ask(l) >= 0)
        return PARLEY_PENDING;
    if (!is_user_wanted(req))
        return PARLEY_NEXT;
    parley_flow_unavailable(req);
    return PARLEY_DENY;
}

static int auth_check_secret(parley_req req, const credential *by)
{
    int is_ticket = by->kind == CREDENTIAL_TICKET;
    key_hash hash;

    if (is_ticket ? !key_is_secret(by->secret) : !key_is_well_formed(by->secret))
        return is_user_wanted(req) ? refuse(req, unknown_means(by)) : PARLEY_NEXT;
    key_hash_make(by->secret, &hash);
    person *p = is_ticket ? NULL : cached(&hash, parley->now_us());
    return p ? accept(req, by, &hash, &p->facts) : lookup_start(req, by, &hash);
}

/* Registered for paths ("/..."), so events do not come here: theirs is the socket's person. */
static int auth_check(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)ud;
    if (is_anonymous_route(req))
        return PARLEY_NEXT;
    credential by = credential_read(req);
    if (by.what == KEY_OK)
        return auth_check_secret(req, &by);
    return is_user_wanted(req) ? refuse(req, by.what) : PARLEY_NEXT;
}

/* The person goes over from the handshake to the socket. */
static int auth_conn_open(parley_ctx *ctx, void *hook_info, void *ud)
{
    const parley_conn_info *info = hook_info;
    const attached *a = parley->req_get(ctx, info->req);

    (void)ud;
    if (!a)
        return PARLEY_NEXT;
    person *p = person_find(a->facts.hash);
    if (!p && a->epoch != revocation_epoch()) {
        (void)parley->conn_close(info->conn, 4401, PARLEY_S("session revoked"));
        return PARLEY_NEXT;
    }
    if (!p)
        p = person_add(&a->facts);
    if (!p)
        return PARLEY_ENOMEM;
    int err = person_conn_add(p, info->conn);
    if (err < 0)
        return err;
    err = parley->conn_set(ctx, info->conn, p, person_unref);
    if (err < 0) {
        person_conn_remove(p, info->conn);
        person_unref(p);
    }
    return err < 0 ? err : PARLEY_NEXT;
}

static int auth_conn_close(parley_ctx *ctx, void *hook_info, void *ud)
{
    const parley_conn_info *info = hook_info;
    person *p = parley->conn_get(ctx, info->conn);

    (void)ud;
    if (p)
        person_conn_remove(p, info->conn);
    return PARLEY_NEXT;
}

void auth_touch_live(void)
{
    int64_t now_us = parley->now_us();

    for (person *p = person_next(NULL); p; p = person_next(p))
        if (p->conn_n > 0 && !p->is_revoked)
            touch(&p->facts, now_us);
}

const parley_person *auth_person(parley_req req)
{
    const attached *a = parley->req_get(accounts.ctx, req);

    if (a)
        return &a->facts.shown;
    const person *p = parley->conn_get(accounts.ctx, parley->req_conn(req));
    return p && !p->is_revoked ? &p->facts.shown : NULL;
}

int64_t auth_session_key(parley_req req)
{
    const attached *a = parley->req_get(accounts.ctx, req);

    return a ? a->facts.session_key : 0;
}

int auth_deny_ended(parley_req req)
{
    (void)refuse(req, KEY_OK);
    return PARLEY_FLOW_DONE;
}

static const parley_auth service = {
    .head = PARLEY_SERVICE(parley_auth, 0, 1),
    .person = auth_person,
    .email_key = address_key,
    .change = change_user,
};

int auth_register(parley_ctx *ctx)
{
    int err = parley->use(ctx, PARLEY_AUTH, "/", auth_check, NULL);

    if (err >= 0)
        err = parley->hook(ctx, "conn.open", PARLEY_AUTH, auth_conn_open, NULL);
    if (err >= 0)
        err = parley->hook(ctx, "conn.close", PARLEY_LATE, auth_conn_close, NULL);
    if (err >= 0)
        err = parley->provide(ctx, "parley.auth", &service.head);
    return err;
}
