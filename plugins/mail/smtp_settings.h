/* smtp_settings.h -- where the mail server is and how to speak with it: the options host to ca_file,
 * checked against each other. */
#ifndef MAIL_SMTP_SETTINGS_H
#define MAIL_SMTP_SETTINGS_H
#include <limits.h>
#include <parley/plugin.h>

enum smtp_security { SMTP_PLAIN, SMTP_STARTTLS, SMTP_TLS };

/* Written in load(), then read by all threads. */
typedef struct smtp_settings {
    char host[256]; /* NUL-ended, without brackets */
    char port[8];
    char url[600];          /* smtp://host:port/name-in-EHLO */
    char user[512];         /* "": no AUTH */
    char password[4096];    /* wiped by smtp_settings_done() */
    char from[324];         /* "<address>", the envelope's sender */
    char ca_file[PATH_MAX]; /* "": those the system trusts */
    enum smtp_security security;
    int is_verified; /* the certificate */
    int64_t timeout_ms;
} smtp_settings;

/* load() only.  from: as mime_is_from() likes it.
 *
 * returns  0, or < 0 after conf_fail() said why */
int smtp_settings_read(parley_ctx *ctx, const parley_conf *conf, parley_str from,
                       smtp_settings *ret);

/* load() only, for a mail server that is none: the first option that would be ignored is refused.
 *
 * returns  0, or < 0 after conf_fail() */
int smtp_settings_unused(parley_ctx *ctx, const parley_conf *conf);

void smtp_settings_done(smtp_settings *s);
#endif
