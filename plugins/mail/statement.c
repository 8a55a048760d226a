/* statement.c -- the SQL that queues a mail (the template is filled in, the result sealed), and the
 * one that has it tried again. */
#include "plugins/mail/mail.h"
#include "plugins/mail/mime.h"
#include "plugins/mail/seal.h"
#include "plugins/mail/template.h"
#include <stdlib.h>
#include <string.h>

/* What the caller's statement points to, until the running callback has returned. */
typedef struct queued {
    parley_param params[4];
    char uid[MAIL_UID_CHARS + 1];
    text_out sealed;
} queued;

static void queued_free(parley_ctx *ctx, int status, void *ud)
{
    queued *q = ud;

    (void)ctx;
    (void)status;
    text_out_done(&q->sealed);
    free(q);
}

static int seal_content(parley_str to, const template_mail *m, text_out *out)
{
    unsigned char nonce[24];
    parley_json *content = parley->json_obj();

    parley->json_set(content, "to", parley->json_s(to));
    parley->json_set(content, "subject", parley->json_s(text_out_view(&m->subject)));
    parley->json_set(content, "text", parley->json_s(text_out_view(&m->text)));
    if (m->html.n > 0)
        parley->json_set(content, "html", parley->json_s(text_out_view(&m->html)));
    parley->random(nonce, sizeof(nonce));
    int err = seal_close(mail.key, nonce, parley->json_text(mail.ctx, content), out);
    parley->json_free(content);
    return err;
}

static int fill(parley_ctx *ctx, const parley_mail_msg *msg, text_out *sealed)
{
    template_mail m = { { .limit = MAIL_BYTES_MAX / 8 },
                        { .limit = MAIL_BYTES_MAX / 8 },
                        { .limit = MAIL_BYTES_MAX / 8 } };
    int err = template_render(msg->template_name, msg->vars, &m);

    if (err < 0)
        parley_logf(ctx, PARLEY_ERROR, "the mail template \"%.*s\" %s", (int)msg->template_name.n,
                    msg->template_name.p,
                    err == PARLEY_ENOENT   ? "does not exist"
                    : err == PARLEY_EINVAL ? "has a variable without a value"
                                           : "cannot be filled in");
    else
        err = seal_content(msg->to, &m, sealed);
    text_out_done(&m.subject);
    text_out_done(&m.text);
    text_out_done(&m.html);
    return err;
}

int mail_statement(parley_ctx *ctx, const parley_mail_msg *msg, parley_sql *ret)
{
    if (!mime_is_address(msg->to))
        return PARLEY_EINVAL;
    queued *q = calloc(1, sizeof(*q));
    if (!q)
        return PARLEY_ENOMEM;
    q->sealed.limit = MAIL_BYTES_MAX;
    int err = fill(ctx, msg, &q->sealed);
    if (err >= 0)
        err = parley->defer(mail.ctx, queued_free, q);
    if (err < 0) {
        queued_free(ctx, 0, q);
        return err;
    }
    parley->uuid7(q->uid);
    q->params[0] = (parley_param)PARLEY_TEXT(((parley_str){ q->uid, MAIL_UID_CHARS }));
    q->params[1] = (parley_param)PARLEY_TEXT(text_out_view(&q->sealed));
    q->params[2] = (parley_param)PARLEY_INT(parley->now_us());
    q->params[3] =
        msg->expires_us > 0 ? (parley_param)PARLEY_INT(msg->expires_us) : (parley_param)PARLEY_NULL;
    *ret = SQL(SQL_ADD, q->params);
    return 0;
}

typedef struct again {
    parley_param params[2];
    char uid[MAIL_UID_CHARS + 1];
} again;

static void again_free(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)status;
    free(ud);
}

int mail_again(parley_ctx *ctx, parley_str uid, parley_sql *ret)
{
    again *a = calloc(1, sizeof(*a));

    (void)ctx;
    if (!a)
        return PARLEY_ENOMEM;
    int err = parley->defer(mail.ctx, again_free, a);
    if (err < 0) {
        free(a);
        return PARLEY_ENOMEM;
    }
    (void)snprintf(a->uid, sizeof(a->uid), "%.*s", (int)uid.n, uid.p);
    a->params[0] = (parley_param)PARLEY_INT(parley->now_us());
    a->params[1] = (parley_param)PARLEY_TEXT(((parley_str){ a->uid, strlen(a->uid) }));
    *ret = SQL(SQL_AGAIN, a->params);
    return 0;
}
