/* session.h -- what comes before the first run of a connection. */
#ifndef POSTGRES_SESSION_H
#define POSTGRES_SESSION_H
#include "plugins/postgres/conn.h"

void session_setup(pgconn *conn); /* sends ITEM_SETUP */
/* What the server said about itself; a refusal becomes the error of the session. */
void session_take_setup(pgconn *conn, const PGresult *result);
void session_prepare(pgconn *conn); /* on the one that leads, after that: all the rest */
#endif
