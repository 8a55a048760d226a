/* run.h -- one run of `parley verify`: clients against a server, faults, then the judgement.
 *
 *   run.c        the order of it all, and what is due at each tick
 *   prepare.c    log-in, rooms
 *   client.c     a client: a socket that comes back after each cut and goes on where it was
 *   seat.c       its place in each of the rooms that its socket follows
 *   letter.c     what clients send, again and again until it is acknowledged
 *   revise.c     how they edit and react
 *   fault.c      what is done to them
 *   server.c     a server of our own, and the command that restarts a foreign one
 *   final.c      everything read over REST at the end
 *   figures.c    what is told beside the judgement
 *
 * All of it on the loop; only the judgement runs in the pool. */
#ifndef VERIFY_RUN_H
#define VERIFY_RUN_H
#include "plugins/verify/report.h"
#include "plugins/verify/rest.h"
#include "plugins/verify/target.h"
#include "plugins/verify/ws.h"

#include <parley/verb.h>
#include <stdio.h>

enum {
    LETTERS_MOST = 4, /* of one client under way */
    SEATS_MOST = 8,   /* rooms that one socket follows */
    TEXT_MAX = 128,
    ID_SIZE = 37,
    CLIENTS_MOST = 1000,
    ROOMS_MOST = 1000,
    PEOPLE_MOST = 8 /* accounts that are made on a server of our own */
};
#define SECOND_NS INT64_C(1000000000)
#define ANSWER_NS (20 * SECOND_NS) /* a client waits so long for an answer, then it tries again */

typedef struct verify verify;

typedef struct person {
    char *token, *email, *password; /* owned; wiped */
    const char *id;                 /* a word of the history */
} person;

/* ---- a message that a client wants to have stored ---- */

enum way { WAY_SOCKET, WAY_REST, WAYS };
enum { NO_TRY = -1 };

/* Owner: its client; the place is free again when it is acknowledged and no try is under way. */
typedef struct letter {
    const char *key, *content; /* words; key NULL: the place is free */
    size_t seat;               /* of its client: the room it is for */
    int64_t tries[WAYS];       /* number in the history of the one under way; NO_TRY: none */
    int64_t again_ns;          /* not before */
    int64_t begun_ns, tried_ns;
    bool is_acked, is_repeat_due;
    uint32_t tries_n;
} letter;

/* ---- how a client changes messages ---- */

enum { OWN_MOST = 8 };

/* A message that it has stored, and how often it has edited it since. */
typedef struct own {
    const char *id, *room, *content; /* words; id NULL: the place is free */
    uint32_t edits;
} own;

/* One edit or reaction, tried until it is acknowledged. */
typedef struct job {
    const char *id, *room, *text; /* as in a revision; id NULL: nothing is to be done */
    enum revision_kind kind;
    uint32_t emoji;
    int64_t again_ns;
    ptrdiff_t under_way; /* index in the history's revisions; -1: no try is */
} job;

/* ---- a client ---- */

enum client_state { CLIENT_AWAY, CLIENT_OPENING, CLIENT_CATCHING_UP, CLIENT_LIVE };

/* A room that a client follows, and where it is in its log. */
typedef struct seat {
    const char *room;
    const char *epoch; /* with `last`: its place in the log; "": it has none yet */
    int64_t last;      /* seq */
    ptrdiff_t log;     /* index in the history's sockets; -1: none open */
    bool is_live;      /* caught up on the socket that is open */
} seat;

typedef struct client {
    verify *v;
    const person *who;
    const char *name; /* a word */
    bool is_shared;   /* one socket for all of its rooms, /ws/; else it has one room */
    seat seats[SEATS_MOST];
    size_t seat_n;
    ws ws;
    rest rest;
    enum client_state state;
    int64_t since_ns, again_ns; /* of the state; not before */
    int64_t cut_ns;             /* when it was cut; 0: it is served */
    uint32_t failures, sockets;
    int64_t paused_until_ns; /* reads nothing until then; 0: it reads */
    bool is_reset_due;       /* at the end of the pause it is cut */
    bool is_struck_again;    /* the next frame that is replayed ends in a cut */
    letter letters[LETTERS_MOST];
    letter *by_rest;    /* what its REST connection is busy with */
    own owns[OWN_MOST]; /* its last ones, in turn */
    size_t own_n;
    const char *seen, *seen_room; /* the message it was shown last; words, NULL: none yet */
    job job;
} client;

/* ---- the run ---- */

typedef struct options {
    int64_t clients, rooms, messages, cuts, restarts, duration_ms, patience_ms;
    uint64_t seed;
    char *restart_command; /* owned */
    bool is_json;
    bool is_scratch; /* the stores of the configuration are for this alone */
} options;

typedef struct sample {
    uint32_t us;
} sample;

enum phase { PHASE_PREPARE, PHASE_WORK, PHASE_SETTLE, PHASE_READ, PHASE_JUDGE, PHASE_CLEAN };

/* Owner: itself, from run_start() until the verb has ended. */
struct verify {
    parley_ctx *ctx;
    parley_run run;
    options opt;
    target target;
    history h;
    findings found;
    FILE *record;          /* NULL: not wanted */
    struct server *server; /* ours; NULL: a foreign one */
    person *people;
    size_t people_n;
    const char **halls; /* ids of the rooms; words */
    size_t hall_n;
    client *clients;
    size_t client_n;
    rest rest; /* of the preparation, and of the reading at the end */
    parley_timer tick;
    enum phase phase;
    uint64_t dice;
    int64_t started_ns, begun_ns, silent_ns, ended_ns;
    size_t letters, acked, given_up, cuts, slowed, asked_again, repeats, restarts, reconnects,
        tries, edits, reactions, changes_given_up, sockets, shared_sockets;
    LIST(sample) ack_us;
    LIST(sample) back_us;
    bool failed;       /* memory */
    size_t heard_acks; /* how many answers there were when one came last, and when */
    int64_t heard_ns;
    uint64_t ticks;
    int restarting;    /* pid of the restart command; 0: none */
    int64_t struck_ns; /* when the server was struck last, or started again after that */
    bool is_cancelled;
    struct prepare *prepare;
    struct final *final;
    bool is_ending;
    int status;
    char why[512]; /* of status 2 */
};

double run_now(const verify *v);                  /* seconds since the start, as in the history */
uint32_t dice(verify *v, uint32_t n);             /* 0..n-1, by the seed */
void run_work(verify *v);                         /* the preparation is over */
void run_read(verify *v);                         /* everything is read */
void run_abandon(verify *v, const char *fmt, ...) /* it could not run: exit status 2 */
    __attribute__((format(printf, 2, 3)));
bool run_is_more(const verify *v, int64_t now_ns); /* whether another message is to be sent */

/* ---- prepare.c ---- */
int prepare_start(verify *v);
void prepare_look(verify *v, int64_t now_ns);
void prepare_done(verify *v);

/* ---- client.c ---- */
void client_init(client *c, verify *v, size_t number);
void client_done(client *c);
void client_look(client *c, int64_t now_ns);
/* Cut by us; it comes back by itself. */
void client_cut(client *c, enum cable_cut how);
void client_become(client *c, enum client_state state);
void client_lost(client *c, int code);                        /* its socket is no more */
void client_denied(client *c, const char *where, int status); /* where: id of a room */
bool client_is_live(const client *c);                         /* in all its rooms */

/* ---- seat.c ---- */
void seats_init(client *c, size_t number);
void seats_lost(client *c, int code);
/* The socket is live for this room, or begins to catch up from `after` (-1: it does not). */
void seat_open(client *c, seat *s, int64_t after);
/* Asks for what came since this many events before its place. */
void seat_again(client *c, seat *s, int64_t back);
void seats_subscribe(client *c);
/* NULL: a frame of no room that this client follows. */
seat *seat_of(client *c, const char *id);
void seat_served(client *c, seat *s); /* caught up, or live for the first time */
sight *seat_shown(client *c, const seat *s, enum shown_kind kind, int64_t seq, const char *epoch);
void seat_write(client *c, const seat *s, const sight *f);

/* ---- frame.c ---- */
void frame_take(client *c, parley_str bytes);

/* ---- letter.c ---- */
void letters_look(client *c, int64_t now_ns);
size_t letters_open(const client *c); /* not acknowledged yet, or with a try under way */
void letters_lost(client *c); /* the socket is gone: its tries have an outcome nobody knows */
void letter_acked(client *c, const char *key, const parley_json *in);
void letter_refused(client *c, const char *key, const parley_json *in);
/* A frame as it would be sent now; for one that is sent by half. */
int letter_frame(const client *c, const letter *l, char into[512]);

/* ---- revise.c ---- */
/* This one is stored: now and then it is changed, or one that was shown. */
void revise_stored(client *c, const letter *l, const char *id);
void revise_look(client *c, int64_t now_ns);
bool revise_is_open(const client *c);

/* ---- fault.c ---- */
void fault_strike(verify *v, int64_t now_ns); /* what is due */
bool fault_is_done(const verify *v);

/* ---- server.c ---- */
int server_start(verify *v, char why[WHY_MAX]);
/* 1: it has ended, or was never ours to look after; the text says how. */
int server_has_ended(verify *v, char why[WHY_MAX]);
int server_person(verify *v, const person *p, char why[WHY_MAX]); /* begins to make the account */
int server_is_made(verify *v, char why[WHY_MAX]);                 /* 1: yes, 0: not yet, < 0: no */
void server_strike(verify *v);                                    /* kills or restarts it */
bool server_is_struck(const verify *v);                           /* and has not come back */
void server_look(verify *v);
void server_troubles(verify *v); /* what its log says that should not be there, into the history */
int server_stop(verify *v);      /* 1: it has ended, 0: not yet */
void server_done(verify *v);

/* ---- final.c ---- */
void final_heads(verify *v); /* asks where the logs end: v->h.rooms[].head */
bool final_has_heads(const verify *v);
void final_start(verify *v);
void final_delete(verify *v); /* the rooms */
bool final_is_over(const verify *v);
void final_look(verify *v, int64_t now_ns);
void final_done(verify *v);

/* ---- figures.c ---- */

enum { FIGURES_MOST = 24 };
size_t figures_of(verify *v, figure ret[FIGURES_MOST]);

/* ---- run.c ---- */
/* The options, the target (or a server) and the people are there.  v: taken, unless it returns < 0,
 * and then run_free() is the caller's. */
int run_start(verify *v);
void run_free(verify *v);
#endif
