/* mail.h -- what the files of this plugin share.
 *
 *   plugin.c        descriptor, options, needs, routes
 *   statement.c     the SQL that queues a mail (service parley.mail)
 *   queue.c         claims, sends, marks
 *   outbox.c        the transport: one file per mail
 *   outbox_page.c   GET /outbox/
 *   sql.c           every statement
 *   template.c      the texts of mails
 *   mime.c, mime_read.c, seal.c, html.c, text_out.c
 *                   pure
 */
#ifndef MAIL_MAIL_H
#define MAIL_MAIL_H
#include "plugins/mail/text_out.h"
#include <limits.h>
#include <parley/db.h>
#include <parley/mail.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { MAIL_BYTES_MAX = 1 << 20, MAIL_UID_CHARS = 36, MAIL_WHY_MAX = 160 };

enum sql_id {
    SQL_ADD,
    SQL_DUE,
    SQL_EXPIRE,
    SQL_CLAIM,
    SQL_CLAIMED,
    SQL_SENT,
    SQL_RETRY,
    SQL_GIVE_UP,
    SQL_TIDY,
    SQL_COUNT
};

/* The plugin's state.  A process has one instance.  Life: load() to the end of the process. */
typedef struct mail_state {
    parley_ctx *ctx;
    const parley_db *db;
    parley_stmt stmts[SQL_COUNT];
    parley_str from;
    int64_t poll_ms;
    unsigned char key[32]; /* of the seal */
    char folder[PATH_MAX]; /* of the outbox */
    char templates[PATH_MAX];
} mail_state;
extern mail_state mail;

/* sql.c */
int sql_prepare_all(void);
parley_sql sql_make(enum sql_id id, const parley_param *params, size_t n);
#define SQL(id, params) sql_make((id), (params), sizeof(params) / sizeof((params)[0]))

/* statement.c: see parley/mail.h */
int mail_statement(parley_ctx *ctx, const parley_mail_msg *msg, parley_sql *ret);

/* queue.c */
int queue_start(void);
void queue_wake(parley_ctx *ctx);

/* outbox.c: writes a mail into the folder.  Any thread.
 *
 * why      MAIL_WHY_MAX bytes for the log
 * returns  0 or a negative errno */
int outbox_write(const char *uid, parley_str eml, char *why);

/* outbox_page.c */
int outbox_page_handle(parley_ctx *ctx, parley_req req, void *ud);
#endif
