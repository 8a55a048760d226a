/* smtp_settings.c -- where the mail server is and how to speak with it.
 *
 * The environment variables that the texts name are those of config/parley.yaml. */
#include "plugins/mail/smtp_settings.h"
#include "plugins/mail/mime.h"
#include <arpa/inet.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

static const char *const ports[] = {
    [SMTP_PLAIN] = "25", [SMTP_STARTTLS] = "587", [SMTP_TLS] = "465"
};

/* 0, or -1: too long, or a control character in it. */
static int copy(char *ret, size_t size, parley_str s)
{
    if (s.n >= size)
        return -1;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return -1;
    if (s.n > 0)
        memcpy(ret, s.p, s.n);
    ret[s.n] = '\0';
    return 0;
}

/* A name or an address, without a port. */
static int is_host(const char *host)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    unsigned char address[16];

    if (strchr(host, ':'))
        return inet_pton(AF_INET6, host, address) == 1;
    return host[0] != '\0' && strspn(host, letters) == strlen(host);
}

/* How we name ourselves: SITE_URL's host if it is a full name, else libcurl's choice (the machine's
 * name). */
static parley_str name_in_ehlo(void)
{
    parley_str url = parley->server("site_url");
    const char *begin = url.n > 3 ? memmem(url.p, url.n, "://", 3) : NULL;

    if (!begin)
        return PARLEY_S("");
    begin += 3;
    size_t rest = (size_t)(url.p + url.n - begin), n = 0, letters = 0, dots = 0;
    for (; n < rest && begin[n] != ':' && begin[n] != '/'; n++) {
        letters += (begin[n] >= 'a' && begin[n] <= 'z') || (begin[n] >= 'A' && begin[n] <= 'Z');
        dots += begin[n] == '.';
    }
    return letters > 0 && dots > 0 && begin[0] != '[' ? (parley_str){ begin, n } : PARLEY_S("");
}

static int security_read(parley_ctx *ctx, const parley_conf *conf, smtp_settings *ret)
{
    int tls = parley->conf_int(conf, "use_tls") != 0, ssl = parley->conf_int(conf, "use_ssl") != 0;

    if (tls && ssl)
        return parley->conf_fail(ctx, "use_ssl",
                                 "use_tls and use_ssl (EMAIL_USE_TLS, EMAIL_USE_SSL) exclude each"
                                 " other: STARTTLS, usually port 587, or TLS from the first byte,"
                                 " usually port 465");
    ret->security = ssl ? SMTP_TLS : tls ? SMTP_STARTTLS : SMTP_PLAIN;
    ret->is_verified = parley->conf_int(conf, "verify") != 0;
    parley_str ca_file = parley->conf_str(conf, "ca_file");
    if (copy(ret->ca_file, sizeof(ret->ca_file), ca_file) < 0)
        return parley->conf_fail(ctx, "ca_file", "is no name of a file");
    if (ca_file.n > 0 && ret->security == SMTP_PLAIN)
        return parley->conf_fail(ctx, "ca_file",
                                 "is of no use without use_tls or use_ssl (EMAIL_USE_TLS or"
                                 " EMAIL_USE_SSL): set one, or remove EMAIL_CA_FILE");
    if (ca_file.n > 0 && access(ret->ca_file, R_OK) < 0)
        return parley->conf_fail(ctx, "ca_file", "cannot be read: name a PEM file of certificates");
    return 0;
}

static int login_read(parley_ctx *ctx, const parley_conf *conf, smtp_settings *ret)
{
    parley_str user = parley->conf_str(conf, "user"), password = parley->conf_str(conf, "password");

    if (copy(ret->user, sizeof(ret->user), user) < 0)
        return parley->conf_fail(ctx, "user", "is too long, or has control characters");
    if (copy(ret->password, sizeof(ret->password), password) < 0)
        return parley->conf_fail(ctx, "password", "is too long, or has control characters");
    if ((user.n > 0) == (password.n > 0))
        return 0;
    return user.n > 0
               ? parley->conf_fail(ctx, "user",
                                   "is set without a password: set EMAIL_HOST_PASSWORD (option"
                                   " password) too, or neither")
               : parley->conf_fail(ctx, "password",
                                   "is set without a user: set EMAIL_HOST_USER (option user)"
                                   " too, or neither");
}

static int is_this_machine(const char *host)
{
    return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0;
}

static void warn(parley_ctx *ctx, const smtp_settings *s)
{
    if (s->security == SMTP_PLAIN && s->user[0] && !is_this_machine(s->host))
        parley->log(ctx, PARLEY_WARN,
                    PARLEY_S("the password of the mail server crosses the network unencrypted: set"
                             " EMAIL_USE_TLS or EMAIL_USE_SSL if the server has TLS"));
    if (s->security != SMTP_PLAIN && !s->is_verified)
        parley->log(ctx, PARLEY_WARN,
                    PARLEY_S("the certificate of the mail server is not looked at (verify: false):"
                             " whoever is in between reads the mails and the password"));
}

int smtp_settings_read(parley_ctx *ctx, const parley_conf *conf, parley_str from,
                       smtp_settings *ret)
{
    int64_t port = parley->conf_int(conf, "port");
    parley_str name = name_in_ehlo(), address = mime_from_address(from);

    if (copy(ret->host, sizeof(ret->host), parley->conf_str(conf, "host")) < 0 ||
        !is_host(ret->host))
        return parley->conf_fail(ctx, "host",
                                 "must be a name or an address alone, as in"
                                 " smtp.example.org; the port is EMAIL_PORT");
    int err = security_read(ctx, conf, ret);
    if (err >= 0)
        err = login_read(ctx, conf, ret);
    if (err < 0)
        return err;
    (void)snprintf(ret->port, sizeof(ret->port), "%d", (int)port);
    if (port == 0)
        (void)snprintf(ret->port, sizeof(ret->port), "%s", ports[ret->security]);
    int is_literal = strchr(ret->host, ':') != NULL;
    (void)snprintf(ret->url, sizeof(ret->url), "smtp%s://%s%s%s:%s/%.*s",
                   ret->security == SMTP_TLS ? "s" : "", is_literal ? "[" : "", ret->host,
                   is_literal ? "]" : "", ret->port, (int)(name.n < 254 ? name.n : 0), name.p);
    (void)snprintf(ret->from, sizeof(ret->from), "<%.*s>", (int)address.n, address.p);
    ret->timeout_ms = parley->conf_int(conf, "timeout");
    warn(ctx, ret);
    return 0;
}

int smtp_settings_unused(parley_ctx *ctx, const parley_conf *conf)
{
    /* clang-format off */
    static const struct {
        const char *option, *variable;
        int is_text;
    } rows[] = {
        { "host",     "EMAIL_HOST",          1 },
        { "port",     "EMAIL_PORT",          0 },
        { "use_tls",  "EMAIL_USE_TLS",       0 },
        { "use_ssl",  "EMAIL_USE_SSL",       0 },
        { "user",     "EMAIL_HOST_USER",     1 },
        { "password", "EMAIL_HOST_PASSWORD", 1 },
        { "ca_file",  "EMAIL_CA_FILE",       1 },
    };
    /* clang-format on */
    char why[200];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].is_text ? parley->conf_str(conf, rows[i].option).n == 0
                            : parley->conf_int(conf, rows[i].option) == 0)
            continue;
        (void)snprintf(why, sizeof(why),
                       i == 0 ? "is set (%s), but transport is outbox: remove one of the two"
                              : "is set (%s), but host is not: set EMAIL_HOST too, or remove it;"
                                " without a mail server mails go into the outbox",
                       rows[i].variable);
        return parley->conf_fail(ctx, rows[i].option, why);
    }
    return 0;
}

void smtp_settings_done(smtp_settings *s)
{
    sodium_memzero(s->password, sizeof(s->password));
}
