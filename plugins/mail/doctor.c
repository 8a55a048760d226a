/* doctor.c -- `parley mail doctor`: tries the way to the mail server step by step, and says in plain
 * words what is wrong.
 *
 *   resolve   the server's name, in the pool
 *   try       a conversation on a thread of its own, up to NOOP or, with --to, to the end of a mail
 *   tell      what was reached, what was not, and what to do */
#include "plugins/mail/mail.h"
#include "plugins/mail/mime.h"
#include "plugins/mail/smtp_session.h"
#include <parley/verb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* One visit; owned by the verb, from doctor_run() to visit_told(). */
typedef struct visit {
    parley_run run;
    pthread_t thread;
    atomic_int hurry;
    char addresses[512];
    int has_mail, is_good;
    delivery mail;
    smtp_trace trace;
    char trouble[256];
} visit;

/* clang-format off */
static const struct {
    enum smtp_stage stage;
    const char *advice;
} advices[] = {
    { STAGE_CONNECT,  "check EMAIL_HOST and EMAIL_PORT, and that a firewall lets you out; EMAIL_USE_SSL is for ports that speak TLS"
                      " from the first byte (465), and only for those" },
    { STAGE_EHLO,     "the server does not offer what is asked for: with EMAIL_USE_TLS it must offer STARTTLS (usually on port 587)" },
    { STAGE_STARTTLS, "the server's certificate must be valid for EMAIL_HOST and come from somebody the system trusts;"
                      " EMAIL_CA_FILE names somebody else" },
    { STAGE_AUTH,     "check EMAIL_HOST_USER and EMAIL_HOST_PASSWORD; some providers want a password made for programs" },
    { STAGE_MAIL,     "the server does not take mails from EMAIL_FROM: use an address that belongs to the login" },
    { STAGE_RCPT,     "the server does not take mails for this recipient" },
    { STAGE_DATA,     "the server does not take the mail" },
    { STAGE_BODY,     "the server does not take the mail: its answer says why" },
};
/* clang-format on */

static const char *advice_of(enum smtp_stage stage)
{
    for (size_t i = 0; i < COUNT(advices); i++)
        if (advices[i].stage == stage)
            return advices[i].advice;
    return "see the answer of the server";
}

static void tell_reached(const visit *v)
{
    const smtp_trace *t = &v->trace;

    if (t->stage > STAGE_CONNECT || t->code)
        (void)parley_run_printf(v->run, "ok    the server answers on port %s\n", mail.smtp.port);
    if (t->stage > STAGE_STARTTLS && mail.smtp.security != SMTP_PLAIN)
        (void)parley_run_printf(v->run, "ok    TLS%s\n",
                                mail.smtp.is_verified ? ", and the certificate is good"
                                                      : "; the certificate was not looked at");
    if (t->stage > STAGE_AUTH && mail.smtp.user[0])
        (void)parley_run_printf(v->run, "%s\n",
                                t->has_login ? "ok    logged in"
                                             : "note  the server offers no login: user and password"
                                               " are not used");
    if (t->stage > STAGE_EHLO && mail.smtp.security == SMTP_PLAIN)
        (void)parley_run_printf(v->run, "note  nothing is encrypted\n");
}

static void visit_tell(visit *v)
{
    char why[MAIL_WHY_MAX];

    tell_reached(v);
    if (v->is_good && v->has_mail)
        (void)parley_run_printf(
            v->run, "ok    a mail to %s was taken: look whether it has arrived\n", v->mail.to);
    if (v->is_good) {
        (void)parley->run->end(v->run, 0);
        return;
    }
    (void)smtp_trace_end(&v->trace, 0, v->trouble, why);
    (void)parley_run_printf(v->run, "WRONG %s\n", why);
    (void)parley->run->fail(v->run, 1, advice_of(v->trace.stage));
}

static void visit_told(parley_ctx *ctx, int status, void *ud)
{
    visit *v = ud;

    (void)ctx, (void)status;
    (void)pthread_join(v->thread, NULL);
    visit_tell(v);
    text_out_done(&v->mail.eml);
    free(v);
}

static void *visit_main(void *ud)
{
    visit *v = ud;
    smtp_session session;

    if (smtp_session_open(&session, &mail.smtp, &v->hurry) < 0) {
        (void)snprintf(v->trouble, sizeof(v->trouble), "no memory");
    } else {
        if (v->has_mail) {
            smtp_session_send(&session, &v->mail, v->addresses);
            v->is_good = v->mail.outcome == OUTCOME_SENT;
        } else {
            v->is_good = smtp_session_try(&session, v->addresses) >= 0;
        }
        v->trace = session.trace;
        (void)snprintf(v->trouble, sizeof(v->trouble), "%s", session.trouble);
        smtp_session_close(&session);
    }
    sender_post(visit_told, v);
    return NULL;
}

static void visit_end(visit *v, const char *why)
{
    (void)parley->run->fail(v->run, 1, why);
    text_out_done(&v->mail.eml);
    free(v);
}

static void visit_resolved(parley_ctx *ctx, parley_str port, parley_str lines, void *ud)
{
    visit *v = ud;

    (void)ctx, (void)port;
    if (lines.n == 0) {
        (void)parley_run_printf(v->run, "WRONG the name %s has no address\n", mail.smtp.host);
        visit_end(v, "check EMAIL_HOST, and the name servers of this machine");
        return;
    }
    smtp_addresses(lines, v->addresses, sizeof(v->addresses));
    (void)parley_run_printf(v->run, "ok    %s is %s\n", mail.smtp.host, v->addresses);
    if (pthread_create(&v->thread, NULL, visit_main, v) != 0)
        visit_end(v, "no thread can be made");
}

static void visit_cancel(parley_ctx *ctx, int status, void *ud)
{
    visit *v = ud;

    (void)ctx, (void)status;
    atomic_store(&v->hurry, HURRY_AT_ONCE);
}

static int visit_compose(visit *v, parley_str to)
{
    parley->uuid7(v->mail.uid);
    v->has_mail = 1;
    v->mail.eml.limit = MAIL_BYTES_MAX;
    v->mail.lease_until_us = INT64_MAX;
    (void)snprintf(v->mail.to, sizeof(v->mail.to), "%.*s", (int)to.n, to.p);
    mime_mail m = { .from = mail.from,
                    .to = to,
                    .subject = PARLEY_S("A test of your Parley server"),
                    .text = PARLEY_S("Somebody typed \"parley mail doctor\" to see whether mails"
                                     " arrive.\nThis one has.\n"),
                    .id = { v->mail.uid, MAIL_UID_CHARS },
                    .at_us = parley->now_us() };
    return mime_write(&m, &v->mail.eml);
}

static int doctor_run(parley_ctx *ctx, parley_run run, void *ud)
{
    parley_str to = parley->run->text(run, "to");

    (void)ud;
    if (mail.transport != &smtp_transport) {
        (void)parley_run_printf(run, "note  no mail leaves this machine: they are written to %s\n",
                                mail.folder);
        return to.n == 0 ? parley->run->end(run, 0)
                         : parley->run->fail(run, 1, "there is no mail server: set EMAIL_HOST");
    }
    if (to.n > 0 && !mime_is_address(to))
        return parley->run->fail(run, 2, "--to is no address");
    visit *v = calloc(1, sizeof(*v));
    if (!v)
        return PARLEY_ENOMEM;
    v->run = run;
    if ((to.n > 0 && visit_compose(v, to) < 0) ||
        parley->resolve(ctx, mail.smtp.host, mail.smtp.port, visit_resolved, v) < 0) {
        text_out_done(&v->mail.eml);
        free(v);
        return parley->fail(ctx, "no memory");
    }
    (void)parley->run->on_cancel(ctx, run, visit_cancel, v);
    return PARLEY_PENDING;
}

static const parley_option doctor_options[] = {
    { "to", NULL, NULL, "send a test mail to this address", PARLEY_T_STR, 0, 0, 320 },
};

const parley_verb mail_verb_doctor = { PARLEY_SIZED(parley_verb), .name = "mail doctor",
                                       .about =
                                           "try the way to the mail server, and say what is wrong",
                                       PARLEY_LIST(option, doctor_options), .fn = doctor_run };
