/* mail.h -- what the files of this plugin share.
 *
 *   plugin.c          descriptor, options, needs, routes
 *   statement.c       the SQL that queues a mail (service parley.mail)
 *   queue.c           looks, claims, hands to the transport
 *   mark.c            stores how each attempt ended
 *   compose.c         a claimed row becomes a mail
 *   delivery.h        one mail on its way; what a transport is
 *   outbox.c          the transport "outbox": one file per mail
 *   outbox_page.c     GET /outbox/
 *   smtp.c            the transport "smtp": threads that speak with the mail server
 *   smtp_session.c    one conversation
 *   smtp_settings.c   where the server is
 *   list.c            `parley mail list` and `retry`
 *   doctor.c          `parley mail doctor`
 *   meters.c          what is counted
 *   sql.c             every statement
 *   template.c        the texts of mails
 *   mime*.c, seal.c, html.c, text_out.c, pace.h, smtp_stage.c
 *                     pure
 */
#ifndef MAIL_MAIL_H
#define MAIL_MAIL_H
#include "plugins/mail/delivery.h"
#include "plugins/mail/smtp_settings.h"
#include <limits.h>
#include <parley/db.h>
#include <parley/mail.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { MAIL_BYTES_MAX = 1 << 20 };

enum sql_id {
    SQL_ADD,
    SQL_DUE,
    SQL_EXPIRE,
    SQL_CLAIM,
    SQL_CLAIMED,
    SQL_SENT,
    SQL_RETRY,
    SQL_BACK,
    SQL_GIVE_UP,
    SQL_TIDY,
    SQL_LIST,
    SQL_AGAIN,
    SQL_AGAIN_ALL,
    SQL_WAITING,
    SQL_COUNT
};

/* The plugin's state.  A process has one instance.  Life: load() to the end of the process. */
typedef struct mail_state {
    parley_ctx *ctx;
    const parley_db *db;
    parley_stmt stmts[SQL_COUNT];
    parley_str from;
    int64_t poll_ms;
    unsigned char key[32];                      /* of the seal */
    parley_meter attempts[OUTCOME_STOPPED + 1]; /* by how they ended; none for STOPPED */
    const transport *transport;
    smtp_settings smtp;                                /* of the transport "smtp" */
    char folder[PATH_MAX];                             /* of the outbox */
    char templates[PATH_MAX], own_templates[PATH_MAX]; /* folders; the second may be "" */
} mail_state;
extern mail_state mail;

/* sql.c */
int sql_prepare_all(void);
parley_sql sql_make(enum sql_id id, const parley_param *params, size_t n);
#define SQL(id, params) sql_make((id), (params), sizeof(params) / sizeof((params)[0]))

/* statement.c: see parley/mail.h */
int mail_statement(parley_ctx *ctx, const parley_mail_msg *msg, parley_sql *ret);
int mail_again(parley_ctx *ctx, parley_str uid, parley_sql *ret);

/* queue.c */
int queue_start(void);
void queue_wake(parley_ctx *ctx);
/* Claims nothing more, ends what is on its way; `done` follows, perhaps at once. */
void queue_stop(void (*done)(void));
/* mark.c is through with it: its slot is free. */
void queue_marked(delivery *d);

/* The way out may be open again: no pause is waited for. */
void queue_hasten(void);

/* list.c, doctor.c: the commands `parley mail ...` */
int mail_verbs(parley_ctx *ctx);
extern const struct parley_verb mail_verb_doctor;

/* compose.c: who a sealed mail goes to; PARLEY_MAIL_ADDRESS bytes, "" if it cannot be opened. */
void compose_address(parley_str sealed, char *ret);

/* mark.c: stores d->outcome, again and again until the database has it, then queue_marked().
 *
 * next_us  LATER, AWAY: no attempt before */
void mark(delivery *d, int64_t next_us);
/* mark.c: a slot being marked that has no timer of its own is tried again; any other is left alone. */
void mark_poll(delivery *d);

/* compose.c: fills in eml and to, or outcome and why.
 *
 * returns  0, or < 0 */
int compose(delivery *d, parley_str sealed, int64_t created_us);

/* meters.c */
int meters_load(parley_ctx *ctx); /* load() only; 0 or < 0 */
void meters_look(void);           /* SQL: what waits in the queue? */

/* outbox_page.c */
int outbox_page_handle(parley_ctx *ctx, parley_req req, void *ud);
#endif
