/* chat.h -- what all files of the plugin share: its services, its options, the kinds of a room's
 * events, refusals.
 *
 * Where to look: plugin.c has the table of routes, sql.c and message_sql.c every statement; one
 * endpoint per file; room_log.c stores messages, live.c sends them to sockets in order
 * (sequencer.c), room.c remembers rooms per worker.  verb*.c are the commands `parley room ...` and
 * `parley export`. */
#ifndef CHAT_H
#define CHAT_H
#include <parley/auth.h>
#include <parley/bus.h>
#include <parley/db.h>
#include <parley/flow.h>
#include <parley/kv.h>
#include <parley/plugin.h>
#include <stdbool.h>
#include <string.h>

#define COUNT(a)          (sizeof(a) / sizeof((a)[0]))
#define UID_SIZE          37 /* a public id and its NUL */
#define CHAT_ROOM_PATH    "/api/chat/rooms/:id(uuid)/"
#define CHAT_SEND_PATH    CHAT_ROOM_PATH "send/"
#define CHAT_MESSAGE_PATH "/api/chat/messages/:id(uuid)/"

enum chat_show { SHOW_MEMBERS, SHOW_SELF }; /* the choices of show_emails, in order */

struct chat {
    parley_ctx *ctx;
    const parley_db *db;
    const parley_auth *auth;
    const parley_bus *bus; /* NULL: nobody offers it */
    const parley_kv *kv;   /* likewise */
    bool is_sqlite;        /* the database; else PostgreSQL */
    bool many_workers;     /* others, here or on other machines, may write to our rooms */
    enum chat_show show_emails;
    size_t max_text;         /* code points of a message */
    size_t max_participants; /* addresses in one request */
    int64_t retention_every_ms;
    int64_t max_reactions; /* different ones to a message */
};
extern PARLEY_HIDDEN struct chat chat;

/* room_events.kind; the numbers are stored and go over the bus. */
enum event_kind {
    EVENT_MESSAGE = 1,
    EVENT_MESSAGE_DELETED = 2,
    EVENT_MEMBER_ADDED = 3,
    EVENT_MEMBER_REMOVED = 4,
    EVENT_ROOM_UPDATED = 5,
    EVENT_MESSAGE_SINCE_DELETED = 6, /* a creation whose message is gone */
    EVENT_ROOM_DELETED = 7,          /* bus only: there is no log any more */
    EVENT_TYPING = 8,                /* bus only: ephemeral, without seq */
    EVENT_MESSAGE_EDITED = 9,
    EVENT_REACTION_ADDED = 10,
    EVENT_REACTION_REMOVED = 11,
    EVENT_READ = 100, /* like typing, as are all from here on */
    EVENT_PRESENCE = 101
};

enum close_code {
    CLOSE_RATE_LIMITED = 4003,
    CLOSE_RESYNC = 4004,
    CLOSE_REMOVED = 4403,
    CLOSE_ROOM_GONE = 4404
};

/* Not in the log: shown to those who are there, or lost. */
static inline bool event_is_ephemeral(uint32_t kind)
{
    return kind == EVENT_TYPING || kind >= EVENT_READ;
}

static inline parley_str str_of(const char *text)
{
    return (parley_str){ text, strlen(text) };
}

static inline bool str_equal(parley_str a, parley_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* A public id that outlives its request, NUL-ended; "" if `uid` is none. */
static inline void uid_copy(char ret[UID_SIZE], parley_str uid)
{
    size_t n = uid.n < UID_SIZE ? uid.n : 0;

    if (n > 0)
        memcpy(ret, uid.p, n);
    ret[n] = '\0';
}

/* Handlers and steps, one file each; plugin.c's table says which is which. */
int api_root(parley_ctx *ctx, parley_req req, void *ud);
int rooms_list(parley_ctx *ctx, parley_req req, void *ud);
int room_create(parley_ctx *ctx, parley_req req, void *ud);
int room_show(parley_ctx *ctx, parley_req req, void *ud);
int room_update(parley_ctx *ctx, parley_req req, void *ud);
int room_delete(parley_ctx *ctx, parley_req req, void *ud);
int participant_add(parley_ctx *ctx, parley_req req, void *ud);
int participant_remove(parley_ctx *ctx, parley_req req, void *ud);
int events_list(parley_ctx *ctx, parley_req req, void *ud);
int history(parley_ctx *ctx, parley_req req, void *ud);
int send_request(parley_ctx *ctx, parley_req req, void *ud);
int send_event(parley_ctx *ctx, parley_req req, void *ud);
int repeat_request(parley_ctx *ctx, parley_req req, void *ud);
int repeat_event(parley_ctx *ctx, parley_req req, void *ud);
int refer_request(parley_ctx *ctx, parley_req req, void *ud);
int refer_event(parley_ctx *ctx, parley_req req, void *ud);
int message_show(parley_ctx *ctx, parley_req req, void *ud);
int message_edit(parley_ctx *ctx, parley_req req, void *ud);
int message_delete(parley_ctx *ctx, parley_req req, void *ud);
int message_past(parley_ctx *ctx, parley_req req, void *ud);
int reaction(parley_ctx *ctx, parley_req req, void *ud);
int socket_open(parley_ctx *ctx, parley_req req, void *ud);
int ping_event(parley_ctx *ctx, parley_req req, void *ud);
int resume_event(parley_ctx *ctx, parley_req req, void *ud);
int read_request(parley_ctx *ctx, parley_req req, void *ud);
int reads_list(parley_ctx *ctx, parley_req req, void *ud);
int read_event(parley_ctx *ctx, parley_req req, void *ud);
int typing_event(parley_ctx *ctx, parley_req req, void *ud);
int presence_event(parley_ctx *ctx, parley_req req, void *ud);
int presence_list(parley_ctx *ctx, parley_req req, void *ud);
int feed_open(parley_ctx *ctx, parley_req req, void *ud);
int subscribe_event(parley_ctx *ctx, parley_req req, void *ud);
int unsubscribe_event(parley_ctx *ctx, parley_req req, void *ud);

/* sweep.c: removes what deleted rooms left, piece by piece; harmless to call at any time. */
void sweep_start(void);
void sweep_stop(void);

/* poll.c: finds the events that the bus lost, when there are other workers. */
int poll_load(parley_ctx *ctx);
int poll_start(void);
void poll_stop(void);
#endif
