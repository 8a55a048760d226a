/* plugin.c -- mail: a queue in the database, and two ways out: "smtp" to a mail server, and "outbox"
 * for people without one.
 *
 * Routes, options and needs are the tables of this file. */
#include "plugins/mail/mail.h"
#include "plugins/mail/mime.h"
#include "plugins/mail/template.h"
#include <sodium.h>

mail_state mail;

enum transport_choice { TRANSPORT_AUTO, TRANSPORT_OUTBOX, TRANSPORT_SMTP };

/* clang-format off */
static const parley_option options[] = {
    { "transport", "auto", "auto|outbox|smtp",
      "how mails leave: smtp sends them to a mail server; outbox writes them to DATA_DIR/outbox/, shown at /outbox/; auto: "
      "smtp if host is set, else outbox", PARLEY_T_ENUM, 0, 0, 0 },
    { "host", NULL, NULL, "mail server (EMAIL_HOST)", PARLEY_T_STR, 0, 0, 255 },
    { "port", "0", NULL, "its port (EMAIL_PORT); 0: 587 with use_tls, 465 with use_ssl, else 25", PARLEY_T_INT, 0, 0, 65535 },
    { "use_tls", "false", NULL, "STARTTLS, and no mail without it (EMAIL_USE_TLS)", PARLEY_T_BOOL, 0, 0, 0 },
    { "use_ssl", "false", NULL, "TLS from the first byte (EMAIL_USE_SSL)", PARLEY_T_BOOL, 0, 0, 0 },
    { "user", NULL, NULL, "login (EMAIL_HOST_USER); empty: none", PARLEY_T_STR, 0, 0, 500 },
    { "password", NULL, NULL, "its password (EMAIL_HOST_PASSWORD)", PARLEY_T_STR, PARLEY_O_SECRET, 0, 4000 },
    { "from", "Parley <noreply@localhost>", NULL, "sender (EMAIL_FROM): an address, or Name <address>", PARLEY_T_STR, 0, 3, 320 },
    { "ca_file", NULL, NULL, "PEM file of the certificates that vouch for the mail server's (EMAIL_CA_FILE); empty: those the system trusts",
      PARLEY_T_STR, 0, 0, 4000 },
    { "verify", "true", NULL, "with TLS: look at the mail server's certificate", PARLEY_T_BOOL, 0, 0, 0 },
    { "timeout", "60s", NULL, "most time for one mail; also for the answer to each command", PARLEY_T_MS, 0, 1000, 600000 },
    { "connections", "4", NULL, "to the mail server at a time, of each worker", PARLEY_T_INT, 0, 1, 64 },
    { "per_domain", "2", NULL, "of them with mails to one domain", PARLEY_T_INT, 0, 1, 64 },
    { "templates", NULL, NULL, "folder of texts of your own, NAME.txt and NAME.html: each takes the place of the one that came with the server",
      PARLEY_T_STR, 0, 0, 0 },
    { "poll", "5s", NULL, "how often to look for mails that nobody told us of", PARLEY_T_MS, 0, 100, 3600000 },
};

static const parley_need needs[] = {
    { "parley.db", 0, 1, 0 },
};
/* clang-format on */

static void service_hasten(parley_ctx *ctx)
{
    (void)ctx;
    queue_hasten();
}

static const parley_mail service = {
    .head = PARLEY_SERVICE(parley_mail, 0, 1),
    .statement = mail_statement,
    .wake = queue_wake,
    .address = compose_address,
    .again = mail_again,
    .hasten = service_hasten,
};

/* 0, or -1 if the text does not fit. */
static int join(char ret[PATH_MAX], parley_str folder, const char *rest)
{
    int n = snprintf(ret, PATH_MAX, "%.*s%s", (int)folder.n, folder.p ? folder.p : "", rest);

    return n < 0 || n >= PATH_MAX ? -1 : 0;
}

static const parley_schema schemas[] = {
    PARLEY_SCHEMA("OutboxMail", "A mail that was written to the outbox.",
                  PARLEY_FIELD("to", "string", NULL), PARLEY_FIELD("subject", "string", NULL),
                  PARLEY_FIELD("date", "string", "as the mail has it"),
                  PARLEY_FIELD("text", "string", NULL)),
    PARLEY_SCHEMA("Outbox", "The newest mails.", PARLEY_FIELD("results", "[OutboxMail]", NULL)),
};
static const parley_doc outbox_doc =
    PARLEY_DOC(.name = "list_outbox",
               .summary = "Lists the mails of a server that has no mail server",
               .about = "A page in a browser. Only from this machine, while no listener is public: "
                        "404 otherwise.",
               .answers = "200 Outbox, 404");

/* The outbox shows live links. */
static int outbox_load(parley_ctx *ctx, const parley_conf *conf)
{
    parley_route page = {
        PARLEY_SIZED(parley_route), .flags = PARLEY_R_PAGE,   .method = "GET",
        .path = "/outbox/",         .fn = outbox_page_handle, .doc = &outbox_doc
    };
    parley_str is_public = parley->server("public");
    int err = smtp_settings_unused(ctx, conf);

    if (err < 0)
        return err;
    if (is_public.n != 1 || is_public.p[0] != '0')
        return parley->conf_fail(ctx, "transport",
                                 "the outbox shows live links to whoever reaches it, and a listener"
                                 " is public: listen on 127.0.0.1 only, or set EMAIL_HOST (option"
                                 " host) to send mails to a mail server");
    if (join(mail.folder, parley->server("data_dir"), "/outbox") < 0)
        return parley->fail(ctx, "the name of a folder is too long");
    mail.transport = &outbox_transport;
    for (size_t i = 0; err >= 0 && i < COUNT(schemas); i++)
        err = parley->schema(ctx, &schemas[i]);
    return err < 0 ? err : parley->route(ctx, &page);
}

static int smtp_load(parley_ctx *ctx, const parley_conf *conf)
{
    int err = smtp_settings_read(ctx, conf, mail.from, &mail.smtp);

    if (err < 0)
        return err;
    smtp_transport.longest_ms = 3 * mail.smtp.timeout_ms; /* twice, and the farewell */
    smtp_transport.parallel = parley->conf_int(conf, "connections");
    smtp_transport.per_domain = parley->conf_int(conf, "per_domain");
    mail.transport = &smtp_transport;
    return 0;
}

static int transport_load(parley_ctx *ctx, const parley_conf *conf)
{
    int64_t choice = parley->conf_int(conf, "transport");
    int has_host = parley->conf_str(conf, "host").n > 0;

    if (choice == TRANSPORT_SMTP && !has_host)
        return parley->conf_fail(ctx, "transport",
                                 "is smtp, but host is not set: set EMAIL_HOST (option host)");
    return choice == TRANSPORT_SMTP || (choice == TRANSPORT_AUTO && has_host)
               ? smtp_load(ctx, conf)
               : outbox_load(ctx, conf);
}

static int mail_load(parley_ctx *ctx, const parley_conf *conf)
{
    parley_str templates = parley->conf_str(conf, "templates");

    mail.ctx = ctx;
    mail.from = parley->conf_str(conf, "from");
    mail.poll_ms = parley->conf_int(conf, "poll");
    if (sodium_init() < 0)
        return parley->fail(ctx, "libsodium does not start");
    if (!mime_is_from(mail.from))
        return parley->conf_fail(ctx, "from", "must be an address, or Name <address>");
    if (join(mail.templates, parley->server("share_dir"), "/templates/mail") < 0 ||
        join(mail.own_templates, templates, "") < 0)
        return parley->fail(ctx, "the name of a folder is too long");
    int err = meters_load(ctx);
    if (err == 0)
        err = transport_load(ctx, conf);
    if (err >= 0)
        err = mail_verbs(ctx);
    return err < 0 ? err : parley->provide(ctx, "parley.mail", &service.head);
}

static int mail_start(parley_ctx *ctx)
{
    mail.db = parley->service(ctx, "parley.db");
    int err = parley->secret("mail", mail.key);
    if (err >= 0)
        err = templates_load(ctx, mail.templates, mail.own_templates);
    if (err >= 0)
        err = sql_prepare_all();
    if (err >= 0)
        err = mail.transport->start(ctx);
    return err < 0 ? err : queue_start();
}

static void mail_stopped(void)
{
    templates_free();
    smtp_settings_done(&mail.smtp);
    sodium_memzero(mail.key, sizeof(mail.key));
    parley->stopped(mail.ctx);
}

static int mail_stop(parley_ctx *ctx)
{
    (void)ctx;
    queue_stop(mail_stopped);
    return PARLEY_PENDING;
}

PARLEY_PLUGIN(.name = "mail", .version = "0.2.0",
              .about = "mails that are queued exactly when their cause is committed",
              .license = "MIT", PARLEY_LIST(option, options), PARLEY_LIST(need, needs),
              .migrations = "mail", .load = mail_load, .start = mail_start, .stop = mail_stop)
