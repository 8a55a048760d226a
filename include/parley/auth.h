/* parley/auth.h -- service "parley.auth" 0.1: who a request or a socket is.
 *
 * Offered by the plugin accounts.  Its table `users` may be read (never written) in the SQL of
 * plugins that need this service; these columns are part of the promise:
 *
 *   id            BIGINT, the key that other tables refer to
 *   uid           the public id
 *   username, email, first_name, last_name
 *   email_key     the address in the form that email_key() makes
 *   username_key  the username, NFKC and case-folded
 *   is_verified, is_active, is_staff
 *
 * TAKING A RIGHT AWAY: a plugin that gave users a right (a place in a room), and lets sockets stay
 * open because of it, tells all workers of all machines that it is gone with a statement of its
 * own, in the transaction that takes it:
 *
 *     PARLEY_AUTH_REVOKE_RIGHT "<users.id>, <subject>, <now, microseconds> FROM ... WHERE <guards>"
 *
 * The subject is TEXT, up to the plugin, and starts with its name ("chat.room.<id>").  Every worker
 * with a known session fires the hook "auth.revoked" for the row within half a second, also
 * when the bus is away; the plugin's handler then looks for itself.  What it tells may be
 * known already.
 *
 * AUDIT LOG: who did what; `parley audit list` shows it.  Other plugins add rows with
 * PARLEY_AUTH_AUDIT and PARLEY_AUTH_AUDIT_COMMAND.
 *
 * Loop thread only. */
#ifndef PARLEY_AUTH_H
#define PARLEY_AUTH_H
#include <parley/plugin.h>

typedef struct parley_person { /* as of the login; shared, read-only */
    uint32_t size;
    int64_t key;    /* users.id */
    parley_str uid; /* UUID: the principal, parley->user(req) */
    parley_str username, email, first_name, last_name;
    uint32_t is_staff;
    parley_str session; /* public id of the session */
} parley_person;

#define PARLEY_AUTH_REVOKE_RIGHT                                                                   \
    "INSERT INTO revocations (kind, user_id, subject, at) SELECT 'right', "

/* A row of the audit log, in the transaction that does what it tells: by a user over the network, or
 * on the command line (a verb, parley/verb.h).
 *
 *     PARLEY_AUTH_AUDIT "<now, microseconds>, '<action>', <users.id who>, <users.id whom or NULL>,"
 *                       " <ip>, <detail> FROM ... WHERE <guards>"
 *     PARLEY_AUTH_AUDIT_COMMAND "<now>, '<action>', <users.id whom or NULL>, <detail> FROM ..."
 *
 * ip: TEXT, parley->req_peer().  detail: TEXT, an id or a word; nothing secret and nothing that a
 * stranger typed. */
#define PARLEY_AUTH_AUDIT                                                                          \
    "INSERT INTO audit_log (at, action, actor_id, subject_id, ip, detail) SELECT "
#define PARLEY_AUTH_AUDIT_COMMAND                                                                  \
    "INSERT INTO audit_log (user_agent, at, action, subject_id, detail) SELECT 'command line', "

typedef struct parley_auth_revoked { /* the hook "auth.revoked"; its verdict is ignored */
    uint32_t size;
    int64_t user;       /* users.id */
    parley_str subject; /* as it was written */
    int64_t at_us;
} parley_auth_revoked;

typedef struct parley_auth {
    parley_service head;
    /* Who made this request or event.  NULL: anonymous.  A view until the request's req.done
     * hooks have returned. */
    const parley_person *(*person)(parley_req);
    /* The form in which addresses are compared (trimmed of white space, NFKC, case-folded).  ret:
     * at least 1024 bytes.  Returns its length, or PARLEY_EINVAL if `address` is no address
     * (contract.md, section 2). */
    int (*email_key)(parley_str address, char *ret, size_t size);
} parley_auth;
#endif
