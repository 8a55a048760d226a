/* text.h -- text as the contract measures it: white space, length.  Pure logic, no server calls. */
#ifndef CHAT_TEXT_H
#define CHAT_TEXT_H
#include <parley/plugin.h>
#include <stdbool.h>

/* `text` (UTF-8) without the Unicode white space at both ends.  Borrowed from it. */
parley_str text_trim(parley_str text);
/* Code points of well-formed UTF-8. */
size_t text_length(parley_str text);
bool text_has_nul(parley_str text);
#endif
