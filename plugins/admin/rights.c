/* rights.c -- who may come in: a peer whose address is allowed, then staff and superusers.
 *
 *   EARLY   an address that is not allowed is told what an unknown path is: 404
 *   LIMIT   SQL: is the caller staff, now?  403 if not, before anything else is looked at
 *
 * The database is asked at each request: what a session knew when it was opened may be long past.  It
 * stands behind the throttle in the order of the YAML, and before 405, so that nobody else learns
 * more than 403. */
#include "plugins/admin/admin.h"

static const char *const prefixes[] = { "/admin/", "/api/admin/", "/ws/admin/" };
static const char *const guarded[] = { "/api/admin/", "/ws/admin/" };

static int peer_check(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx, (void)ud;
    if (allow_has(&admin.allow, parley->req_peer(req)))
        return PARLEY_NEXT;
    (void)parley->deny(req, 404, "not_found", "Not found.");
    return PARLEY_DENY;
}

static void deny(parley_req req)
{
    (void)parley->deny(req, 403, "permission_denied",
                       "You do not have permission to perform this action.");
}

/* Waits for the database.  Owner: the request. */
typedef struct waiting {
    parley_req req;
    rights found;
} waiting;

static void staff_answered(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    waiting *w = ud;

    if (status < 0) {
        parley_flow_unavailable(w->req);
        return;
    }
    if (admin.db->rows_n(result->rows[0]) == 0) {
        deny(w->req);
        return;
    }
    w->found.is_superuser = admin.db->get_int(result->rows[0], 0, 0, 0) != 0;
    if (parley->req_set(ctx, w->req, &w->found) >= 0)
        (void)parley->go_on(w->req);
}

static int staff_check(parley_ctx *ctx, parley_req req, void *ud)
{
    const parley_person *person = admin.auth->person(req);
    waiting *w = parley->req_alloc(req, sizeof(*w));

    (void)ud;
    if (!w)
        return PARLEY_ENOMEM;
    if (!person) { /* the session ended a moment ago */
        deny(req);
        return PARLEY_DENY;
    }
    *w = (waiting){ .req = req, .found = { .key = person->key } };
    parley_param params[] = { PARLEY_INT(person->key) };
    parley_sql sql = SQL(SQL_RIGHTS, params);
    if (admin.db->run(ctx, &sql, 1, PARLEY_DB_READ, staff_answered, w) >= 0)
        return PARLEY_PENDING;
    parley_flow_unavailable(req);
    return PARLEY_DENY;
}

const rights *rights_of(parley_req req)
{
    return parley->req_get(admin.ctx, req);
}

int rights_load(parley_ctx *ctx)
{
    int err = 0;

    for (size_t i = 0; err >= 0 && i < COUNT(prefixes); i++)
        err = parley->use(ctx, PARLEY_EARLY, prefixes[i], peer_check, NULL);
    for (size_t i = 0; err >= 0 && i < COUNT(guarded); i++)
        err = parley->use(ctx, PARLEY_LIMIT, guarded[i], staff_check, NULL);
    return err;
}
