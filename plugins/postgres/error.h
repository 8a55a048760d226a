/* error.h -- why something failed, in the words of parley/db.h. */
#ifndef POSTGRES_ERROR_H
#define POSTGRES_ERROR_H
#include <libpq-fe.h>
#include <parley/db.h>

typedef struct pgerror {
    int status;   /* enum parley_db_status; PARLEY_OK: none */
    int is_fatal; /* the server ends the connection, and did nothing of what was to come */
    int is_stale; /* what was prepared on this connection is not valid any more */
    char code[6]; /* SQLSTATE; "": not from a server */
    char constraint[256];
    char message[384];
} pgerror;

void error_read(pgerror *ret, const PGresult *result);
void error_set(pgerror *ret, int status, const char *message);
#endif
