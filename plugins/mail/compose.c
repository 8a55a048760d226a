/* compose.c -- a claimed row becomes a mail: unsealed, then written as MIME. */
#include "plugins/mail/mail.h"
#include "plugins/mail/mime.h"
#include "plugins/mail/seal.h"
#include <string.h>

static int compose_fail(delivery *d, outcome how, const char *why)
{
    d->outcome = how;
    (void)snprintf(d->why, sizeof(d->why), "%s", why);
    return PARLEY_EINVAL;
}

static int compose_content(delivery *d, const parley_json *content, int64_t created_us)
{
    mime_mail m = { .from = mail.from,
                    .to = parley->json_str(parley->json_get(content, "to")),
                    .subject = parley->json_str(parley->json_get(content, "subject")),
                    .text = parley->json_str(parley->json_get(content, "text")),
                    .html = parley->json_str(parley->json_get(content, "html")),
                    .id = { d->uid, MAIL_UID_CHARS },
                    .at_us = created_us };
    int err = mime_write(&m, &d->eml);

    if (err == PARLEY_ENOMEM && d->eml.n < MAIL_BYTES_MAX / 2)
        return compose_fail(d, OUTCOME_LATER, "no memory");
    if (err < 0)
        return compose_fail(d, OUTCOME_REFUSED, "it cannot be written as a mail");
    (void)snprintf(d->to, sizeof(d->to), "%.*s", (int)m.to.n, m.to.p);
    return 0;
}

int compose(delivery *d, parley_str sealed, int64_t created_us)
{
    text_out text = { .limit = MAIL_BYTES_MAX };
    const char *why;
    int err = seal_open(mail.key, sealed, &text);

    d->eml = (text_out){ .limit = MAIL_BYTES_MAX };
    if (err < 0) {
        text_out_done(&text);
        return compose_fail(d, OUTCOME_LATER, "it was sealed with another SECRET_KEY");
    }
    parley_json *content = parley->json_parse(text_out_view(&text), &why);
    err = compose_content(d, content, created_us);
    parley->json_free(content);
    text_out_done(&text);
    return err;
}

void compose_address(parley_str sealed, char *ret)
{
    text_out text = { .limit = MAIL_BYTES_MAX };
    const char *why;

    ret[0] = '\0';
    if (seal_open(mail.key, sealed, &text) >= 0) {
        parley_json *content = parley->json_parse(text_out_view(&text), &why);
        parley_str to = parley->json_str(parley->json_get(content, "to"));

        (void)snprintf(ret, MAIL_ADDRESS_MAX + 1, "%.*s", (int)to.n, to.p ? to.p : "");
        parley->json_free(content);
    }
    text_out_done(&text);
}
