/* emoji.h -- one emoji, whichever way it is written.  Pure logic, no server calls. */
#ifndef CHAT_EMOJI_H
#define CHAT_EMOJI_H
#include <parley/plugin.h>

enum { EMOJI_SIZE = 96 /* bytes; the longest in use has 35 */ };

/* Writes the emoji that `text` (valid UTF-8) is in the form in which emoji are compared: as Unicode
 * recommends it, so that a heart with and without a variation selector is one heart.
 *
 * ret      not NUL-ended.
 * returns  its length, or 0 if `text` is anything else than one emoji. */
size_t emoji_read(parley_str text, char ret[EMOJI_SIZE]);
#endif
