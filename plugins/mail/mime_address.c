/* mime_address.c -- which addresses may stand in a mail.
 *
 * ASCII only, and no character that could end one or begin another: what accounts take, and what
 * every mail server takes, with or without SMTPUTF8. */
#include "plugins/mail/mime_parts.h"
#include <string.h>

int mime_is_printable(parley_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~') /* bytes over 127 are negative or big: out either way */
            return 0;
    return 1;
}

int mime_is_address(parley_str to)
{
    size_t at = 0;

    if (to.n < 3 || to.n > 320 || !mime_is_printable(to) || to.p[0] == '@' || to.p[to.n - 1] == '@')
        return 0;
    for (size_t i = 0; i < to.n; i++) {
        if (strchr(" ,;:<>()[]\\\"", to.p[i]))
            return 0;
        at += to.p[i] == '@';
    }
    return at == 1;
}

/* "Name <address>": the two parts.  An address alone has no name. */
void mime_split_from(parley_str from, parley_str *name, parley_str *address)
{
    const char *open = from.n > 0 ? memrchr(from.p, '<', from.n) : NULL;

    *name = (parley_str){ from.p, 0 };
    *address = from;
    if (!open || from.p[from.n - 1] != '>')
        return;
    *address = (parley_str){ open + 1, (size_t)(from.p + from.n - 1 - (open + 1)) };
    name->n = (size_t)(open - from.p);
    while (name->n > 0 && name->p[name->n - 1] == ' ')
        name->n--;
}

int mime_is_from(parley_str from)
{
    parley_str name, address;

    mime_split_from(from, &name, &address);
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f)
            return 0;
    return mime_is_address(address);
}

parley_str mime_from_address(parley_str from)
{
    parley_str name, address;

    mime_split_from(from, &name, &address);
    return address;
}
