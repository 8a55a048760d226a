/* delivery.h -- one mail on its way, and what carries it: the seam between the queue and the
 * transports. */
#ifndef MAIL_DELIVERY_H
#define MAIL_DELIVERY_H
#include "plugins/mail/text_out.h"
#include <parley/plugin.h>

enum { MAIL_UID_CHARS = 36, MAIL_ADDRESS_MAX = 320, MAIL_WHY_MAX = 256 };

/* How an attempt ended. */
typedef enum outcome {
    OUTCOME_SENT,
    OUTCOME_LATER,   /* this mail was put off, or nobody knows: again, under the same Message-ID */
    OUTCOME_REFUSED, /* this mail, for good */
    OUTCOME_AWAY,    /* the way out is closed: no mail's fault, and no attempt */
    OUTCOME_STOPPED  /* we stop; nothing was handed over */
} outcome;

enum delivery_state { DELIVERY_FREE, DELIVERY_WAITING, DELIVERY_SENDING, DELIVERY_MARKING };

/* Owner: a slot of the queue.  From transport.send() to delivery_over() the transport's: its thread
 * reads what it needs and writes outcome and why. */
typedef struct delivery {
    enum delivery_state state; /* the queue's */
    int64_t key, attempts;
    int64_t lease_until_us; /* wall clock: from then on another node may send it */
    int64_t held_since_us;
    int64_t next_us;     /* no attempt before */
    int64_t mark_failed; /* attempts to store how it ended */
    int is_mark_stuck;   /* the next one could not be put on a timer */
    char uid[MAIL_UID_CHARS + 1], owner[MAIL_UID_CHARS + 1];
    char to[MAIL_ADDRESS_MAX + 1];
    text_out eml;
    outcome outcome;
    char why[MAIL_WHY_MAX]; /* one printable line */
    struct delivery *next;  /* the transport's */
} delivery;

enum hurry {
    HURRY_NOT,
    HURRY_SOON,   /* we stop: ends what is on its way, but what may be in the server's hands */
    HURRY_AT_ONCE /* ends that, too */
};

typedef struct transport {
    /* At start(), after the database is there.  0, or < 0 after fail(). */
    int (*start)(parley_ctx *ctx);
    /* Takes a mail.  0: delivery_over() follows, on the loop, never inside send().  < 0: not now. */
    int (*send)(delivery *d);
    void (*hurry)(enum hurry);
    /* After the last delivery: done() follows, perhaps at once. */
    void (*stop)(void (*done)(void));
    int64_t longest_ms; /* one attempt takes no longer */
    int64_t parallel;   /* mails on their way at a time */
    int64_t per_domain; /* of them to one domain */
} transport;

/* queue.c: the transport is through with it. */
void delivery_over(delivery *d);

extern transport outbox_transport, smtp_transport;
#endif
