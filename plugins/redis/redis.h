/* redis.h -- what the files of the plugin share: its servers.
 *
 * Where to look: link.c keeps a connection (wire.c: hiredis on the loop), server.c has two of them
 * per server, one for commands and one that listens; kv.c and take.c are parley.kv, alone.c counts
 * while Redis is away, bus.c is parley.bus; ring.c spreads keys and topics over the servers. */
#ifndef REDIS_REDIS_H
#define REDIS_REDIS_H
#include <parley/bus.h>
#include <parley/kv.h>

#include "plugins/redis/link.h"
#include "plugins/redis/ring.h"

enum { SERVER_NAME_SIZE = URL_HOST_MOST + 32, PREFIX_MOST = 64 };
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

typedef struct server {
    redis_url url;
    char name[SERVER_NAME_SIZE];
    redis_link commands, listener;
    char script[41];  /* SHA-1 of the script, as SCRIPT LOAD told; "": EVAL it */
    int is_known;     /* the log has said whether it is there */
    int is_good;      /* both connections are up */
    int is_refusing;  /* it answers, but will not count */
    int is_listening; /* the topics have been subscribed to on this connection */
    int has_lost;     /* messages that may not have gone out */
    uint64_t alone;   /* takes that were counted without it */
} server;

extern PARLEY_HIDDEN struct redis {
    parley_ctx *ctx;
    server *servers;
    uint32_t n;
    ring ring;
    parley_str prefix;
    int64_t timeout_ms;
    int is_stopping;
} redis;

/* ---- server.c ---- */
void server_start(server *s);
void server_stop(server *s);
server *server_of(parley_str key); /* by the ring */
/* A take was counted by it; or was not, because it said `why` (NULL: it is away). */
void server_counted(server *s);
void server_not_counted(server *s, const char *why);

/* ---- kv.c ---- */
extern PARLEY_HIDDEN const parley_kv redis_kv;

/* ---- bus.c ---- */
extern PARLEY_HIDDEN const parley_bus redis_bus;
void bus_start(void);
void bus_stop(void);
void bus_hello(server *s); /* subscribes to everything; link_ready() when that stands */
void bus_can_send(server *s);
void bus_gap(void); /* messages may have been lost, or the state has changed */
void bus_beat(server *s);
void bus_heard(server *s, const redisReply *reply);
#endif
