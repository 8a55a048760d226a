/* parley/mail.h -- service "parley.mail" 0.1: a mail that is queued exactly when its cause is
 * committed.
 *
 * statement() gives the SQL that queues the mail; the caller appends it to its own db.run(), and
 * calls wake() after success.  Delivery is at least once (a crash between the transport's yes and
 * our mark repeats it, with the same Message-ID).
 *
 * Pages of operators may read (never write) its table `mail_queue`; these columns are part of the
 * promise (times in microseconds):
 *
 *   id (rising), uid (public), created_at, expires_at (NULL: never), next_at (no attempt before),
 *   attempts, lease_until (later than now: being sent), sent_at, gave_up_at (NULL: neither),
 *   last_error (or NULL), sealed (NULL: over, the content is gone; else for address() alone)
 *
 * Loop thread only. */
#ifndef PARLEY_MAIL_H
#define PARLEY_MAIL_H
#include <parley/db.h>

typedef struct parley_mail_msg {
    uint32_t size;
    /* one address, already checked; CR, LF, NUL or a comma: PARLEY_EINVAL */
    parley_str to;
    /* names <share_dir>/templates/mail/<name>.txt (first line "Subject: ...", then the body) and, if
     * there is one, <name>.html beside it, or the operator's in their place; {{name}} stands for a
     * variable, escaped in HTML */
    parley_str template_name;
    const parley_json *vars; /* object of strings, borrowed */
    int64_t expires_us;      /* not worth sending after this wall clock time; 0: never */
} parley_mail_msg;
enum { PARLEY_MAIL_ADDRESS = 1024 };

typedef struct parley_mail {
    parley_service head;
    /* The statement to append to a run() that is called before the running callback returns: *ret
     * lives no longer.  Nothing of the message is kept.  Returns 0, PARLEY_EINVAL (the address, or
     * a variable of the template has no value), PARLEY_ENOENT (no such template), PARLEY_ENOMEM. */
    int (*statement)(parley_ctx *, const parley_mail_msg *, parley_sql *ret);
    void (*wake)(parley_ctx *); /* there may be mail: look now */
    /* Who the mail of this value of mail_queue.sealed goes to.  ret: PARLEY_MAIL_ADDRESS bytes;
     * "" if it was sealed with another SECRET_KEY. */
    void (*address)(parley_str sealed, char *ret);
    /* The statement that has this mail tried now, also if it was given up; it changes one row, or
     * none if there is no such mail or its content is gone.  uid: well-formed.  *ret as above.
     * Call hasten() after success.  Returns 0 or PARLEY_ENOMEM. */
    int (*again)(parley_ctx *, parley_str uid, parley_sql *ret);
    /* As wake(), and the pause after a mail server that was away is over. */
    void (*hasten)(parley_ctx *);
} parley_mail;
#endif
