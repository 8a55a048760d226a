/* redis.h -- what the files of the plugin share: its servers.
 *
 * Where to look: link.c keeps a connection (wire.c: hiredis on the loop), server.c has two of them
 * per server, one for commands and one that listens; kv.c, take.c, tail.c and presence.c are
 * parley.kv, alone.c counts while Redis is away, bus.c is parley.bus; ring.c spreads keys and topics over the servers. */
#ifndef REDIS_REDIS_H
#define REDIS_REDIS_H
#include <parley/bus.h>
#include <parley/kv.h>

#include "plugins/common/limit.h"
#include "plugins/redis/link.h"
#include "plugins/redis/ring.h"

enum { SERVER_NAME_SIZE = URL_HOST_MOST + 32, PREFIX_MOST = 64, WORKER_BYTES = 8 };
enum { KV_NAME_MOST = PREFIX_MOST + 2 + KV_KEY_MAX };
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
    parley_meter up, lost, counted_alone;
} server;

extern PARLEY_HIDDEN struct redis {
    parley_ctx *ctx;
    server *servers;
    uint32_t n;
    ring ring;
    parley_str prefix;
    char worker[WORKER_BYTES]; /* names this one among all; another after every start */
    int64_t timeout_ms;
    int is_stopping;
    parley_meter sent, heard, gaps;
} redis;

/* ---- meters.c ---- */
int meters_load(parley_ctx *ctx); /* when the servers are known */

/* ---- server.c ---- */
void server_start(server *s);
void server_stop(server *s);
server *server_of(parley_str key); /* by the ring */
/* A take was counted by it; or was not, because it said `why` (NULL: it is away). */
void server_counted(server *s);
void server_not_counted(server *s, const char *why);

/* ---- kv.c ---- */
extern PARLEY_HIDDEN const parley_kv redis_kv;
/* <prefix><kind>:<key>, into `to` of KV_NAME_MOST bytes.  Kinds: l limits, v values, t tails,
 * p presence sets. */
parley_str kv_name(char *to, char kind, parley_str key);
/* To the server that has `key`.  < 0: it is away, or too much waits; `fn` does not come. */
int kv_send(parley_str key, const wire_command *command, wire_reply_fn fn, void *ud);
/* A wire_reply_fn for what nobody waits for; ud: text, what Redis was to do. */
void kv_changed(void *ud, const redisReply *reply);

/* ---- tail.c, presence.c: as in parley/kv.h ---- */
int tail_push(parley_ctx *ctx, parley_str key, const parley_kv_entry *entries, uint32_t n,
              uint32_t most, int64_t ttl_ms);
int tail_read(parley_ctx *ctx, parley_str key, uint32_t most, parley_kv_tail *ret,
              parley_kv_tail_fn fn, void *ud);
int presence_join(parley_ctx *ctx, parley_str key, parley_str member, int64_t ttl_ms);
int presence_leave(parley_ctx *ctx, parley_str key, parley_str member);
int presence_list(parley_ctx *ctx, parley_str key, parley_kv_members *ret, parley_kv_members_fn fn,
                  void *ud);

/* ---- bus.c ---- */
extern PARLEY_HIDDEN const parley_bus redis_bus;
void bus_stop(void);
void bus_hello(server *s); /* subscribes to everything; link_ready() when that stands */
void bus_can_send(server *s);
void bus_gap(void); /* messages may have been lost, or the state has changed */
void bus_beat(server *s);
void bus_heard(server *s, const redisReply *reply);
#endif
