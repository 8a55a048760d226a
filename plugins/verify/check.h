/* check.h -- compares what clients lived through with what is stored, and says in words what was
 * promised and not kept (docs/VERIFY.md names the promises).
 *
 *   check.c          the table of promises, violations, what is prepared once per room
 *   check_log.c      the log and the messages by themselves; what REST showed
 *   check_sends.c    what was sent, and what became of it
 *   check_revisions.c  what was edited and reacted to, and what became of it
 *   check_sockets.c  the frames of each socket, in their order
 *   check_time.c     what had to be shown, and when
 *   check_members.c  who is removed is shown nothing more, and can say nothing more
 *
 * Reads nothing but the history: it judges any run, in any thread. */
#ifndef VERIFY_CHECK_H
#define VERIFY_CHECK_H
#include "plugins/verify/history.h"

enum check {
    CHECK_ACKED,
    CHECK_TWICE,
    CHECK_REPEAT,
    CHECK_REFUSED,
    CHECK_DENSE,
    CHECK_LOG,
    CHECK_ORDER,
    CHECK_SKIPPED,
    CHECK_SHOWN_TWICE,
    CHECK_RESUME,
    CHECK_RESYNC,
    CHECK_IN_TIME,
    CHECK_DURABLE,
    CHECK_READ,
    CHECK_CONTENT,
    CHECK_EDITED,
    CHECK_FORMER,
    CHECK_REACTED,
    CHECK_EPOCH,
    CHECK_ANSWER,
    CHECK_AFTER_REMOVAL,
    CHECK_NOT_CLOSED,
    CHECK_OF_REMOVED,
    CHECK_SERVER,
    CHECK_COUNT
};

typedef struct check_name {
    const char *name;    /* of a violation */
    const char *promise; /* that it breaks */
} check_name;
extern const check_name check_names[CHECK_COUNT];

typedef struct violation {
    enum check check;
    char *text; /* owned */
} violation;

/* What was found.  Owner: whoever called check_all(); check_done(). */
typedef struct findings {
    size_t checked[CHECK_COUNT], broken[CHECK_COUNT];
    LIST(violation) first; /* at most FINDINGS_MOST of each check are told */
    bool failed;           /* memory ran out: nothing is judged */
} findings;
enum { FINDINGS_MOST = 100 };

void check_all(const history *h, findings *ret);
void check_done(findings *f);
size_t check_broken(const findings *f); /* of all checks together */

/* ---- between the files of the checker ---- */

/* Sorted by `key`, a pointer. */
typedef struct pair {
    const void *key, *item;
} pair;
typedef LIST(pair) pairs;

typedef struct absence {
    const char *user;
    int64_t gone, back; /* seq of the removal, and of the return; INT64_MAX: none */
} absence;

typedef LIST(int64_t) seqs; /* rising */

/* One room: its log by seq, its messages by id, and what was recorded about it. */
typedef struct room_case {
    findings *f;
    const history *h;
    const room *room;
    LIST(const event *) events; /* by seq */
    pairs by_id, by_content;    /* messages; by content as sent: those that are not deleted */
    pairs said;                 /* acknowledged sends, by the id of the message */
    pairs by_key;               /* sends that have a client_msg_id */
    pairs revised;              /* tries to edit and to react, by the id of the message */
    pairs revisions_logged;     /* their events, by the id of the message */
    pairs reactions;            /* that are stored, by the id of the message */
    LIST(const sent *) sends;
    LIST(const socket_log *) sockets;
    LIST(const reading *) readings;
    LIST(absence) absences;
    seqs shown, created; /* of the events that have a frame; of the messages */
    double *known;       /* like events: when somebody knew that it is stored */
    uint32_t *seen;      /* like events: number of the socket that has shown it */
} room_case;

/* printf-like; `check` is broken once more. */
void case_broken(room_case *c, enum check check, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void case_checked(room_case *c, enum check check);
/* Position in events, -1: no such seq. */
ptrdiff_t case_event(const room_case *c, int64_t seq);
const message *case_message(const room_case *c, const char *id);
/* Items with this key stand together: the first of them and, at ret_n, how many there are. */
const pair *pairs_find(const pairs *p, const void *key, size_t *ret_n);
bool case_is_away(const room_case *c, const char *user, int64_t seq);
bool case_was_away(const room_case *c, const char *user);
/* How many of these lie between two, both excluded; *ret_first: the first. */
size_t seqs_between(const seqs *s, int64_t low, int64_t high, int64_t *ret_first);

void check_log(room_case *c);
void check_readings(room_case *c);
void check_sends(room_case *c);
void check_revisions(room_case *c);
/* Whether the message may have had this content at that time. */
bool check_text_was(const room_case *c, const message *m, const char *content, double at);
/* Whether it may have had it at that time or later, as no other had been acknowledged behind it. */
bool check_text_stood(const room_case *c, const message *m, const char *content, double begun);
/* Frames of an edit and of a reaction, to a message that is not deleted; who: the socket. */
void check_edit_shown(room_case *c, const char *who, const sight *f, const message *m);
void check_reaction_shown(room_case *c, const char *who, const sight *f, const message *m);
void check_sockets(room_case *c);
void check_time(room_case *c, const socket_log *s, int64_t last, bool is_floor);
void check_time_prepare(room_case *c);
void check_standings(room_case *c);
double check_due(const history *h, double at);
void check_after_removal(room_case *c, const socket_log *s);
void check_removals(room_case *c);
#endif
