/* pg_address.h -- where the database is: the URL taken apart, and what else libpq is told. */
#ifndef COMMON_PG_ADDRESS_H
#define COMMON_PG_ADDRESS_H
#include <parley/plugin.h>

enum { ADDRESS_PLACES_MAX = 16, ADDRESS_PARAMS_MAX = 64, ADDRESS_WHY = 160 };

typedef struct pgplace { /* one host of the URL */
    const char *host;    /* a name, a numeric address or the folder of a socket; "": libpq's own */
    const char *port;
    int is_name;    /* must be resolved before each attempt */
    int is_numeric; /* is an address itself */
} pgplace;

/* Everything lives as long as the plugin. */
typedef struct pgaddress {
    pgplace places[ADDRESS_PLACES_MAX];
    uint32_t place_n;
    uint32_t first; /* the place that is tried first; another one after an attempt that hung */
    const char *keys[ADDRESS_PARAMS_MAX], *values[ADDRESS_PARAMS_MAX]; /* without host and port */
    uint32_t param_n;
    char *hosts, *ports; /* the lists that the places point into */
    void *parsed;        /* libpq's */
    char timeout_text[16];
    char label[128]; /* for the log: "parley on db.example.org" */
    int is_weak;     /* another machine, and its certificate is not checked */
} pgaddress;

/* What the session is for. */
enum address_use { ADDRESS_PRIMARY, ADDRESS_REPLICA };

/* Reads the URL.  timeout_ms: how long sent bytes may stay unacknowledged; application: our name,
 * borrowed as long as the address.
 *
 * returns 0, or -1 with `why` set, in which nothing of the URL is repeated (it has a password) */
int address_read(pgaddress *ret, const char *url, int use, int64_t timeout_ms,
                 const char *application, char why[ADDRESS_WHY]);
void address_done(pgaddress *address);
#endif
