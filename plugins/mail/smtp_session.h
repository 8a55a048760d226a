/* smtp_session.h -- one conversation at a time with the mail server, on a thread of its own: libcurl
 * blocks while it waits for the answer to the end of a text and to QUIT, even in its multi
 * interface. */
#ifndef MAIL_SMTP_SESSION_H
#define MAIL_SMTP_SESSION_H
#include "plugins/mail/smtp_settings.h"
#include "plugins/mail/smtp_stage.h"
#include <stdatomic.h>

/* Owner: its thread, from open to close.  The connection stays open between two mails. */
typedef struct smtp_session {
    const smtp_settings *settings;
    void *curl;
    char trouble[256]; /* libcurl's words */
    smtp_trace trace;
    parley_str rest; /* of the text */
    int64_t lease_until_us;
    const atomic_int *hurry; /* enum hurry */
} smtp_session;

/* 0 or PARLEY_ENOMEM. */
int smtp_session_open(smtp_session *s, const smtp_settings *settings, const atomic_int *hurry);
void smtp_session_close(smtp_session *s);

/* Blocks for at most twice the time limit.  addresses: "10.0.0.1,::1", where the server's name
 * points to. */
void smtp_session_send(smtp_session *s, delivery *d, const char *addresses);

/* Connects, greets, encrypts, logs in, and leaves.  returns 0, or < 0: see trace and trouble */
int smtp_session_try(smtp_session *s, const char *addresses);

/* smtp.c: from such a thread to the loop, whatever it costs: what it carries must not be forgotten. */
void sender_post(parley_done_fn fn, void *ud);

/* smtp.c: "a\nb\n", as resolve() gives it, becomes "a,b". */
void smtp_addresses(parley_str lines, char *ret, size_t size);
#endif
