/* plugin.c -- mail: a queue in the database, and the transport "outbox" for people without a mail
 * server.
 *
 * Routes, options and needs are the tables of this file. */
#include "plugins/mail/mail.h"
#include "plugins/mail/mime.h"
#include "plugins/mail/template.h"
#include <sodium.h>

mail_state mail;

/* clang-format off */
static const parley_option options[] = {
    { "transport", "outbox", "outbox", "how mails leave: outbox writes them to DATA_DIR/outbox/, shown at /outbox/",
      PARLEY_T_ENUM, 0, 0, 0 },
    { "from", "Parley <noreply@localhost>", NULL, "sender: an address, or Name <address>", PARLEY_T_STR, 0, 3, 320 },
    { "templates", NULL, NULL, "folder of the texts; default: the ones that came with the server",
      PARLEY_T_STR, 0, 0, 0 },
    { "poll", "5s", NULL, "how often to look for mails that nobody told us of", PARLEY_T_MS, 0, 100, 3600000 },
};

static const parley_need needs[] = {
    { "parley.db", 0, 1, 0 },
};
/* clang-format on */

static const parley_mail service = {
    .head = PARLEY_SERVICE(parley_mail, 0, 1),
    .statement = mail_statement,
    .wake = queue_wake,
};

/* 0, or -1 if the text does not fit. */
static int join(char ret[PATH_MAX], parley_str folder, const char *rest)
{
    int n = snprintf(ret, PATH_MAX, "%.*s%s", (int)folder.n, folder.p ? folder.p : "", rest);

    return n < 0 || n >= PATH_MAX ? -1 : 0;
}

static int mail_load(parley_ctx *ctx, const parley_conf *conf)
{
    parley_route page = { PARLEY_SIZED(parley_route), .flags = PARLEY_R_PAGE, .method = "GET",
                          .path = "/outbox/", .fn = outbox_page_handle };
    parley_str is_public = parley->server("public");
    parley_str templates = parley->conf_str(conf, "templates");

    mail.ctx = ctx;
    mail.from = parley->conf_str(conf, "from");
    mail.poll_ms = parley->conf_int(conf, "poll");
    if (sodium_init() < 0)
        return parley->fail(ctx, "libsodium does not start");
    if (!mime_is_from(mail.from))
        return parley->conf_fail(ctx, "from", "must be an address, or Name <address>");
    if (is_public.n != 1 || is_public.p[0] != '0')
        return parley->conf_fail(ctx, "transport",
                                 "the outbox shows live links to whoever reaches it, and a listener"
                                 " is public: listen on 127.0.0.1 only, or replace this plugin by"
                                 " one that offers parley.mail and sends to a mail server");
    if (join(mail.folder, parley->server("data_dir"), "/outbox") < 0 ||
        (templates.n > 0
             ? join(mail.templates, templates, "")
             : join(mail.templates, parley->server("share_dir"), "/templates/mail")) < 0)
        return parley->fail(ctx, "the name of a folder is too long");
    int err = parley->route(ctx, &page);
    return err < 0 ? err : parley->provide(ctx, "parley.mail", &service.head);
}

static int mail_start(parley_ctx *ctx)
{
    mail.db = parley->service(ctx, "parley.db");
    int err = parley->secret("mail", mail.key);
    if (err >= 0)
        err = templates_load(ctx, mail.templates);
    if (err >= 0)
        err = sql_prepare_all();
    return err < 0 ? err : queue_start();
}

static int mail_stop(parley_ctx *ctx)
{
    (void)ctx;
    templates_free();
    sodium_memzero(mail.key, sizeof(mail.key));
    return 0;
}

PARLEY_PLUGIN(.name = "mail", .version = "0.1.0",
              .about = "mails that are queued exactly when their cause is committed",
              .license = "MIT", PARLEY_LIST(option, options), PARLEY_LIST(need, needs),
              .migrations = "mail", .load = mail_load, .start = mail_start, .stop = mail_stop)
