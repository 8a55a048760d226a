/* webpage.h -- small pages for people who come from a mail: nothing from elsewhere, no script. */
#ifndef ACCOUNTS_WEBPAGE_H
#define ACCOUNTS_WEBPAGE_H
#include <parley/plugin.h>

/* All texts are ours and plain HTML: nothing that a request has brought. */
typedef struct webpage {
    const char *title, *text;
    const char *form; /* what stands in a form that POSTs to the page's own address; NULL: none */
    int is_last; /* nothing is left to do here: a link leads on to option home, if that is set */
    const parley_json
        *faults; /* {"field":["text",...]}, shown above the form; NULL: none; borrowed */
} webpage;

#define WEBPAGE_BUTTON(label) "<button type=\"submit\">" label "</button>\n"

void webpage_reply(parley_req req, int status, const webpage *page);
/* The GET of an address that is really POSTed to: the page for people, 405 for programs.  returns a
 * verdict */
int webpage_reply_to_person(parley_req req, const webpage *page, const char *allow);
#endif
