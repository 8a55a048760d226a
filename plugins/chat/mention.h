/* mention.h -- "@name" in a text.  Pure logic, no server calls. */
#ifndef CHAT_MENTION_H
#define CHAT_MENTION_H
#include <parley/plugin.h>

enum { MENTION_NAMES_MOST = 32 };

/* What may be meant, in the order of the text.  Names may hold and end in . + - _ @, and so may the
 * sentence around them: of one place there are several, the longest first. */
struct mention_names {
    size_t n;
    parley_str names[MENTION_NAMES_MOST]; /* views into the text */
    uint32_t places[MENTION_NAMES_MOST]; /* rising; equal for names of which one at most is meant */
};

/* The first MENTION_NAMES_MOST of them; `text` is valid UTF-8. */
void mention_find(parley_str text, struct mention_names *ret);
#endif
