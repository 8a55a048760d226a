/* smtp_stage.h -- how far a conversation with a mail server came, and what its end means for the
 * mail.  Pure; any thread.
 *
 * Fed with what libcurl shows of the conversation; of what we say it keeps the command only, never
 * the arguments: they hold the password. */
#ifndef MAIL_SMTP_STAGE_H
#define MAIL_SMTP_STAGE_H
#include "plugins/mail/delivery.h"

enum smtp_stage {
    STAGE_CONNECT, /* until the greeting */
    STAGE_EHLO,
    STAGE_STARTTLS,
    STAGE_AUTH,
    STAGE_NOOP, /* `parley mail doctor`: logged in */
    STAGE_MAIL, /* from here on it is about one mail */
    STAGE_RCPT,
    STAGE_DATA,
    STAGE_BODY, /* all of the text is out */
    STAGE_QUIT
};

typedef struct smtp_trace { /* zeroed: nothing was said yet */
    enum smtp_stage stage;
    int code;          /* of the last whole answer in this stage; 0: none */
    int is_unfinished; /* an answer of several lines goes on */
    char reply[160];   /* its first line, printable */
    int has_reply;     /* the server has said anything in this conversation */
    int has_login;     /* we have begun to log in */
    int has_greeted;   /* this conversation began with a connection of its own */
} smtp_trace;

/* `line` as it goes out. */
void smtp_trace_said(smtp_trace *t, parley_str line);
void smtp_trace_heard(smtp_trace *t, parley_str line);
/* The text has left, but for its end. */
void smtp_trace_body(smtp_trace *t);

/* is_good: the server took the mail.  trouble: libcurl's text, used where the server said nothing.
 * why gets MAIL_WHY_MAX bytes, "RCPT TO: 550 5.1.1 no such user". */
outcome smtp_trace_end(const smtp_trace *t, int is_good, const char *trouble, char *why);
const char *smtp_stage_name(enum smtp_stage stage);
#endif
