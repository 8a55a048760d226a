/* url.h -- what an operator writes: "redis://user:password@host:6379/0", one or several. */
#ifndef REDIS_URL_H
#define REDIS_URL_H
#include <parley/plugin.h>

enum {
    URL_SERVERS_MOST = 64,
    URL_HOST_MOST = 255,
    URL_SECRET_MOST = 511, /* of a user name or a password */
    URL_WHY_SIZE = 160
};

typedef struct redis_url {
    char host[URL_HOST_MOST + 1]; /* a name or an address, without brackets */
    char user[URL_SECRET_MOST + 1], password[URL_SECRET_MOST + 1]; /* "": none */
    int port, db;
} redis_url;

/* redis://[[user]:password@]host[:port][/db]; user and password are percent-decoded.
 *
 * ret      set on success only.
 * why      says what is wrong, and never repeats a password.
 * returns  0, or -EINVAL. */
int url_parse(parley_str text, redis_url *ret, char why[URL_WHY_SIZE]);

/* Several, separated by commas or spaces.  returns how many, or -EINVAL */
int urls_parse(parley_str text, redis_url ret[URL_SERVERS_MOST], char why[URL_WHY_SIZE]);

/* "host:port/0": for logs, and the server's place in the ring. */
void url_name(const redis_url *url, char *ret, size_t size);
#endif
