/* template.h -- the texts of mails: files with {{variables}}. */
#ifndef MAIL_TEMPLATE_H
#define MAIL_TEMPLATE_H
#include "plugins/mail/text_out.h"

/* start() only: reads all *.txt of `folder`.  First line "Subject: ...", then an empty line, then
 * the body.
 *
 * returns  0, or < 0 after fail() said why */
int templates_load(parley_ctx *ctx, const char *folder);

void templates_free(void);

/* Fills a template in.  A value is never looked at for variables again.
 *
 * vars     object of strings, borrowed
 * returns  0, PARLEY_ENOENT (no such template), PARLEY_EINVAL (a variable has no value),
 *          PARLEY_ENOMEM */
int template_render(parley_str name, const parley_json *vars, text_out *subject, text_out *text);

/* Replaces the {{variables}} of `pattern`; of the values only the first line, if `is_line`. */
int template_fill(parley_str pattern, const parley_json *vars, int is_line, text_out *out);
#endif
