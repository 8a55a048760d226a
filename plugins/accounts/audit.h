/* audit.h -- who did what, when and from where: rows of audit_log.  Nothing secret, and nothing that a
 * stranger typed but the name of his program. */
#ifndef ACCOUNTS_AUDIT_H
#define ACCOUNTS_AUDIT_H
#include <parley/db.h>

#define AUDIT_AGENT_MAX 255

/* Where a request came from; views into itself and the request. */
typedef struct audit_client {
    parley_str ip, agent;
    char text[AUDIT_AGENT_MAX];
} audit_client;

/* One row; the statement points into it. */
typedef struct audit_row {
    audit_client client;
    parley_param params[6];
} audit_row;

/* The peer's address, and User-Agent in printable ASCII. */
void audit_client_read(audit_client *c, parley_req req);
/* A row about a user.  actor, subject: users.id; 0: nobody known.  action: static. */
parley_sql audit_user(audit_row *row, parley_req req, const char *action, int64_t actor,
                      int64_t subject);
/* A row about a session of a user, by himself: nothing unless it is there when the statement runs.
 * uid: borrowed until run() has returned. */
parley_sql audit_session(audit_row *row, parley_req req, const char *action, parley_str uid,
                         int64_t user_key);
#endif
