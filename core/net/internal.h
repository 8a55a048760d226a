/* internal.h -- the network of one worker, as the files of core/net see it. */
#ifndef CORE_NET_INTERNAL_H
#define CORE_NET_INTERNAL_H
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/net/conn.h"
#include "core/net/deflate.h"
#include "core/net/net.h"
#include "core/net/wheel.h"

#include <errno.h>

#define NET_READ_BUFFER  65536u
#define NET_REQUESTS_MAX (1u << 20) /* requests and events at once */
#define NET_BURST        32u        /* requests and events at once that leave memory to give back */
#define NET_TRIM_MS      500

struct listener;
struct ws_shared;

/* The network of one worker.
 *
 * Owner:  the worker; net_create() .. net_free().
 * Life:   open -> (draining) -> freeing -> freed with the last of its handles and sockets. */
struct net {
    uv_loop_t *loop;
    net_limits limits;
    const net_up *up;
    void *ud;

    slab *conns;       /* struct conn */
    slab *requests;    /* struct request_full (request.c) */
    char *read_buffer; /* NET_READ_BUFFER bytes, shared by all reads of the loop */

    wheel wheel;         /* deadlines of sockets */
    uv_timer_t timer;    /* runs only while the wheel has something to wait for */
    uint32_t timer_tick; /* when it will fire; WHEEL_NEVER: stopped */

    uv_timer_t trim; /* a while after a burst of requests: its memory goes back */
    uint32_t burst;  /* most requests and events at once in this period of it */

    uv_check_t check;     /* after the poll: net_flush() */
    uv_prepare_t prepare; /* before it: what timers and close callbacks queued */

    list listeners;         /* struct listener */
    int reserve_fd;         /* given up for a moment when descriptors run out; -1: none */
    int64_t shed_logged_ms; /* at most one line per 10 s */
    uint32_t shed;          /* since that line */

    char date[32];  /* "Sun, 06 Nov 1994 08:49:37 GMT" */
    int64_t date_s; /* the second it was made for */

    uint32_t handles; /* timers, check, prepare, listeners: net's own that are not closed yet */
    bool draining, freeing;

    tally *meters; /* by enum net_meter: own_meters, or the host's */
    tally own_meters[NET_METERS];

    /* ---- the WebSocket half ---- */
    list dirty_conns; /* struct out_queue: to be written in net_flush() */
    list dirty_rooms; /* rooms with frames to be merged in net_flush() */
    room *rooms;      /* uthash heads */
    struct user *users;
    deflater *deflater;   /* NULL: compression is off */
    struct ws_shared *ws; /* wslay contexts and the like; ws_shared_create() .. ws_shared_free() */
};

/* Loop thread. */
static inline void net_meter(const net *n, enum net_meter which, int64_t by)
{
    tally_bump(&n->meters[which], by);
}

static inline conn *net_conn(const net *n, uint32_t index)
{
    return slab_at(n->conns, index);
}

/* ---- net.c ---- */
void net_wheel_wake(net *n, uint32_t tick); /* look at the wheel at `tick` at the latest */
uint32_t net_tick(const net *n);            /* now, in ticks of the wheel */
str net_date(net *n);                       /* value of the header Date; cached per second */
void net_request_came(net *n);              /* net.requests holds one more */
/* A handle or a socket is gone: frees the net when that was the last. */
void net_unref_done(net *n);

/* ---- listener.c ---- */
void listener_close_all(net *n);

/* ---- written by the WebSocket half: its part of net_create() and net_free() ---- */
int ws_shared_create(net *n); /* lists, pools; 0 or -ENOMEM */
void ws_shared_free(net *n);  /* after the last socket has closed; also after a failed create */
#endif
