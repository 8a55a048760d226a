/* target.h -- the server that is verified: where it is, and how it is reached. */
#ifndef VERIFY_TARGET_H
#define VERIFY_TARGET_H
#include <openssl/ssl.h>
#include <parley/plugin.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { HOST_MAX = 256, WHY_MAX = 256 };

typedef struct target {
    char host[HOST_MAX];
    char port[8];
    char authority[HOST_MAX + 8]; /* for the Host header */
    struct sockaddr_storage address;
    socklen_t address_n; /* 0: not looked up yet */
    bool is_address;     /* the host is one, and no name */
    SSL_CTX *tls;        /* NULL: http */
} target;

/* http://host[:port] or https://...; nothing behind it but a slash.  -1: `why` says what is wrong. */
int target_parse(target *t, parley_str url, char why[WHY_MAX]);
/* Takes the first of the addresses that parley->resolve() has found. */
int target_take(target *t, parley_str addresses, char why[WHY_MAX]);
void target_done(target *t);
#endif
