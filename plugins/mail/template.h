/* template.h -- the texts of mails: files with {{variables}}, a text and, if there is one, its HTML. */
#ifndef MAIL_TEMPLATE_H
#define MAIL_TEMPLATE_H
#include "plugins/mail/text_out.h"

/* start() only: reads all NAME.txt (first line "Subject: ...", then an empty line, then the body)
 * and NAME.html.  A NAME.txt of `own` takes the place of both shipped files of that name, a
 * NAME.html that of the HTML.
 *
 * own      "": no folder
 * returns  0, or < 0 after fail() said why */
int templates_load(parley_ctx *ctx, const char *shipped, const char *own);

void templates_free(void);

typedef struct
    template_mail { /* their limits are set by the caller; html stays empty without one */
    text_out subject, text, html;
} template_mail;

/* Fills a template in.  A value is never looked at for variables again; the subject gets its first
 * line only, and HTML gets it escaped.
 *
 * vars     object of strings, borrowed
 * returns  0, PARLEY_ENOENT (no such template), PARLEY_EINVAL (a variable has no value),
 *          PARLEY_ENOMEM */
int template_render(parley_str name, const parley_json *vars, template_mail *ret);
#endif
