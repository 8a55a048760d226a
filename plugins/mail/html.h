/* html.h -- text into HTML.  Pure. */
#ifndef MAIL_HTML_H
#define MAIL_HTML_H
#include "plugins/mail/text_out.h"

void html_escape(text_out *out, parley_str s);
/* As html_escape(), with http:// and https:// addresses as links. */
void html_escape_with_links(text_out *out, parley_str s);
#endif
