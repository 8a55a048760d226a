/* parley/auth.h -- service "parley.auth" 0.1: who a request or a socket is.
 *
 * Offered by the plugin accounts.  Its table `users` may be read (never written) in the SQL of
 * plugins that need this service; these columns are part of the promise:
 *
 *   id          BIGINT, the key that other tables refer to
 *   uid         the public id
 *   username, email, first_name, last_name
 *   email_key   the address in the form that email_key() makes
 *   is_verified, is_active, is_staff
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
