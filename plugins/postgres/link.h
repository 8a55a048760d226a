/* link.h -- one connection of libpq on the loop: names resolved, connected, read and written without
 * ever waiting. */
#ifndef POSTGRES_LINK_H
#define POSTGRES_LINK_H
#include <libpq-fe.h>

#include "plugins/common/pg_address.h"

typedef struct pglink pglink;
typedef struct pglink_events {
    void (*opened)(pglink *);                /* connected, logged in, non-blocking */
    void (*readable)(pglink *);              /* results may be there */
    void (*lost)(pglink *, const char *why); /* is closed; it was open, or could not be opened */
    void (*settled)(void);                   /* last of all: do what has become possible */
} pglink_events;

enum link_state { LINK_CLOSED, LINK_RESOLVING, LINK_CONNECTING, LINK_OPEN };
enum { LINK_LIST = 2048, LINK_WHY = 320 };

/* Owner:  whoever embeds it; must be kept while is_asking, because the resolver will answer. */
struct pglink {
    const pglink_events *events;
    pgaddress *address; /* where to; borrowed */
    int state;
    PGconn *pg;
    int fd;                      /* < 0: none is watched */
    uint32_t watched;            /* PARLEY_FD_* */
    int is_backed_up;            /* the kernel has not taken everything */
    int64_t since_ns;            /* in this state */
    int64_t heard_ns;            /* when bytes came last */
    int is_asking;               /* the resolver, about the place asked_at */
    uint32_t first;              /* of address->places, in this attempt */
    uint32_t asked_at, place_at; /* counted from there */
    char hosts[LINK_LIST], addresses[LINK_LIST], ports[LINK_LIST]; /* what it is told to try */
};

void link_open(pglink *link);                  /* its end is told by an event, never from inside */
void link_close(pglink *link);                 /* without an event */
void link_fail(pglink *link, const char *why); /* closes it and tells `lost` */
void link_give_up(pglink *link, const char *why); /* the same, for an attempt that takes too long */
/* Writes what can be written.  returns 0: all of it is with the kernel, 1: not all, < 0: broken */
int link_flush(pglink *link);
/* Reads what has come.  returns 0, or < 0: broken; results that came before may still be there */
int link_read(pglink *link);
void link_reason(const pglink *link, char ret[LINK_WHY]); /* libpq's words, on one line */
int link_is_late(const pglink *link, int64_t now_ns);     /* the attempt takes too long */
#endif
