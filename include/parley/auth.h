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
 *   is_verified, is_active, is_staff, is_superuser (0 or 1), joined_at (microseconds)
 *
 * Pages and commands of operators may also read, not write, where a person has been let in and what
 * was done:
 *
 *   sessions      id (rising), uid (public), user_id, created_at, last_used_at, expires_at,
 *                 user_agent, ip; nothing in it opens a session
 *   audit_log     id (rising), at, actor_id (users.id; NULL: nobody, or the command line), action,
 *                 subject_id (users.id or NULL), ip, user_agent, detail
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
 * PARLEY_AUTH_AUDIT, in the transaction that does what they tell.  Users themselves are changed by
 * change() alone.
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

/* A row of the audit log, in the transaction that does what it tells.
 *
 *     PARLEY_AUTH_AUDIT "<now, microseconds>, '<action>', <users.id who>, <users.id whom or NULL>,"
 *                       " <ip>, <detail>, <user_agent> FROM ... WHERE <guards>"
 *
 * action: a word of the plugin ("room_delete").  ip: TEXT, parley->req_peer().  detail: TEXT, an id or
 * a word; nothing secret and nothing that a stranger typed.  user_agent: TEXT, empty if unknown.  On the
 * command line (a verb, parley/verb.h) nobody did it, NULL, from '', with PARLEY_AUTH_COMMAND_LINE. */
#define PARLEY_AUTH_AUDIT                                                                          \
    "INSERT INTO audit_log (at, action, actor_id, subject_id, ip, detail, user_agent)"             \
    " SELECT "
#define PARLEY_AUTH_COMMAND_LINE "command line" /* as user_agent */

typedef struct parley_auth_revoked { /* the hook "auth.revoked"; its verdict is ignored */
    uint32_t size;
    int64_t user;       /* users.id */
    parley_str subject; /* as it was written */
    int64_t at_us;
} parley_auth_revoked;

/* What can be done to a user. */
enum parley_auth_what {
    PARLEY_AUTH_VERIFY = 1, /* as if the link of the mail had been used */
    PARLEY_AUTH_DISABLE,    /* no way in, and all sessions end */
    PARLEY_AUTH_ENABLE,
    PARLEY_AUTH_END_SESSIONS, /* all; with .session, that one */
    PARLEY_AUTH_MAKE_USER,    /* neither staff nor superuser; all sessions end */
    PARLEY_AUTH_MAKE_STAFF,   /* staff, no superuser */
    PARLEY_AUTH_MAKE_SUPERUSER,
    PARLEY_AUTH_DELETE /* gone for ever; what he wrote keeps his name */
};
/* What became of it; < 0: enum parley_db_status. */
enum parley_auth_changed {
    PARLEY_AUTH_CHANGED = 0, /* also if it was so already */
    PARLEY_AUTH_NOBODY,      /* no such user, or no such session of that user */
    /* The actor may not: staff that is no superuser may change neither staff nor superusers, and
     * nobody's role; who is neither, or disabled, may nothing. */
    PARLEY_AUTH_FORBIDDEN,
    PARLEY_AUTH_LAST, /* no superuser would be left that can log in; not told the command line */
    PARLEY_AUTH_HELD  /* DELETE: other tables refer to him: he is in a room, or has made one */
};
typedef struct parley_auth_change {
    uint32_t size, what;  /* enum parley_auth_what */
    parley_str user;      /* users.uid, well-formed */
    parley_str session;   /* sessions.uid, well-formed, or absent */
    int64_t actor;        /* users.id; 0: the command line, which may all */
    parley_str ip, agent; /* for the audit log; absent: none, or the command line */
} parley_auth_change;
typedef void (*parley_auth_changed_fn)(parley_ctx *, int outcome, void *ud);

typedef struct parley_auth {
    parley_service head;
    /* Who made this request or event.  NULL: anonymous.  A view until the request's req.done
     * hooks have returned. */
    const parley_person *(*person)(parley_req);
    /* The form in which addresses are compared (trimmed of white space, NFKC, case-folded).  ret:
     * at least 1024 bytes.  Returns its length, or PARLEY_EINVAL if `address` is no address
     * (contract.md, section 2). */
    int (*email_key)(parley_str address, char *ret, size_t size);
    /* Changes a user, and writes it into audit_log, in one transaction.  Sessions that end by it are
     * closed with 4401 on every node within a second.  `change` is copied before it returns.  fn comes
     * once, with enum parley_auth_changed or < 0, when it is durable; PARLEY_EAGAIN: nothing
     * happened, fn is not called (answer 503). */
    int (*change)(parley_ctx *, const parley_auth_change *change, parley_auth_changed_fn fn,
                  void *ud);
} parley_auth;
#endif
