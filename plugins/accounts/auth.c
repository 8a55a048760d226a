/* auth.c -- who is it?
 *
 *   header    Authorization: Token <key> or Bearer <key>; 401 with one of five texts if it is bad
 *             and the route wants a user
 *   cached    a session that this worker knows needs no database
 *   lookup    SQL: the session and its user
 *   attach    a copy of the facts to the request, the principal to the host; a handshake hands
 *             the shared person over to its socket (auth_conn_open)
 *
 * Routes that want nobody: a good header counts, a bad one is ignored.  The routes that give access
 * in the first place ignore any header and are anonymous. */
#include "plugins/accounts/auth.h"
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/address.h"
#include "plugins/accounts/key.h"
#include "plugins/accounts/person.h"
#include "plugins/accounts/revocation.h"

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
    key_hash hash;
    uint32_t epoch;
    int asked_head; /* the first statement was SQL_REVOKED_HEAD */
} lookup;

static const char *const anonymous_routes[] = {
    "/api/",
    "/api/auth/register/",
    "/api/auth/login/",
    "/api/auth/verify-email/:token/",
    "/api/auth/resend-verification/",
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

/* Moves the end of the session on, now and then. */
static void touch(person_facts *facts, int64_t now_us)
{
    int64_t after_us =
        accounts.session_ttl_us / 4 < TOUCH_US ? accounts.session_ttl_us / 4 : TOUCH_US;

    if (now_us - facts->last_used_us < after_us)
        return;
    parley_param params[] = { PARLEY_INT(now_us), PARLEY_INT(now_us + accounts.session_ttl_us),
                              PARLEY_INT(facts->session_key) };
    parley_sql sql = SQL(SQL_SESSION_TOUCH, params);

    facts->last_used_us = now_us; /* also when the write fails: the next try is due in a while */
    if (sql_run_quietly(&sql, 1) >= 0)
        facts->expires_us = now_us + accounts.session_ttl_us;
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

/* A good key: into the cache, onto the request. */
static void lookup_found(lookup *l, const parley_db_result *result)
{
    int64_t now_us = parley->now_us();
    person_facts facts = facts_from_row(result->rows[result->count - 1], &l->hash, now_us);

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
    touch(p ? &p->facts : &facts, now_us);
    int err = attach(l->req, p ? &p->facts : &facts);
    if (err == PARLEY_ENOMEM)
        parley_flow_unavailable(l->req);
    else
        (void)parley->go_on(l->req);
}

static void lookup_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    lookup *l = ud;

    (void)ctx;
    if (status >= 0 && accounts.db->rows_n(result->rows[result->count - 1]) > 0)
        lookup_found(l, result);
    else if (!is_user_wanted(l->req))
        (void)parley->go_on(l->req);
    else if (status < 0)
        parley_flow_unavailable(l->req);
    else
        (void)refuse(l->req, KEY_OK);
}

/* The head of the revocations is read before the session, so that the watch misses none. */
static int lookup_ask(lookup *l)
{
    parley_param params[] = {
        PARLEY_TEXT(parley_text_view(l->hash.hex, KEY_HASH_CHARS)),
        PARLEY_INT(parley->now_us()),
    };
    parley_sql sql[] = { sql_make(SQL_REVOKED_HEAD, NULL, 0), SQL(SQL_SESSION_FIND, params) };

    l->asked_head = !revocation_is_watched() || person_alive() == 0;
    l->epoch = revocation_epoch();
    return accounts.db->run(accounts.ctx, l->asked_head ? sql : sql + 1, l->asked_head ? 2 : 1,
                            PARLEY_DB_READ, lookup_done, l);
}

/* A session of the cache, if it may be believed; NULL: ask the database. */
static person *cached(const key_hash *hash, int64_t now_us)
{
    person *p = revocation_is_watched() ? person_find(hash->bytes) : NULL;

    if (!p || p->facts.expires_us > now_us)
        return p;
    person_forget(p);
    return NULL;
}

static int auth_check_key(parley_req req, parley_str key)
{
    int64_t now_us = parley->now_us();
    key_hash hash;

    if (!key_is_well_formed(key))
        return is_user_wanted(req) ? refuse(req, KEY_OK) : PARLEY_NEXT;
    key_hash_make(key, &hash);
    person *p = cached(&hash, now_us);
    if (p) {
        touch(&p->facts, now_us);
        int err = attach(req, &p->facts);
        return err < 0 ? err : PARLEY_NEXT;
    }
    lookup *l = parley->req_alloc(req, sizeof(*l));
    if (!l)
        return PARLEY_ENOMEM;
    l->req = req;
    l->hash = hash;
    if (lookup_ask(l) >= 0)
        return PARLEY_PENDING;
    if (!is_user_wanted(req))
        return PARLEY_NEXT;
    parley_flow_unavailable(req);
    return PARLEY_DENY;
}

/* Registered for paths ("/..."), so events do not come here: theirs is the socket's person. */
static int auth_check(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_str key;

    (void)ctx;
    (void)ud;
    if (is_anonymous_route(req))
        return PARLEY_NEXT;
    enum key_header what = key_read_header(parley->req_header(req, "authorization"), &key);
    if (what == KEY_OK)
        return auth_check_key(req, key);
    return is_user_wanted(req) ? refuse(req, what) : PARLEY_NEXT;
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

static const parley_auth service = {
    .head = PARLEY_SERVICE(parley_auth, 0, 1),
    .person = auth_person,
    .email_key = address_key,
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
