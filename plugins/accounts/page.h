/* page.h -- small pages for people who come from a mail: nothing from elsewhere, no script. */
#ifndef ACCOUNTS_PAGE_H
#define ACCOUNTS_PAGE_H
#include <parley/plugin.h>

/* Answers with a page.  title, text: plain ASCII of ours; button: NULL, or what the button that
 * POSTs to the page's own address says. */
void page_reply(parley_req req, int status, const char *title, const char *text,
                const char *button);
#endif
