/* bus_note.h -- what workers tell each other about a room, as bytes.  Pure
 * logic, no server calls. */
#ifndef CHAT_BUS_NOTE_H
#define CHAT_BUS_NOTE_H
#include <parley/plugin.h>
#include <stdbool.h>

struct bus_note {
    uint32_t kind;    /* enum event_kind */
    int64_t number;   /* seq; for typing the key of the user */
    parley_str epoch; /* of the log that has it, at most 39 bytes; empty: not known, or no event */
    parley_str user;  /* who was removed, at most 36 bytes; or empty */
    parley_str frame; /* the text of the frame; empty: nothing to show */
};

/* New (free() it), and its length; NULL: no memory. */
char *bus_note_write(const struct bus_note *note, size_t *ret_n);
/* Views into `bytes`.  false: not such a note (another version's); ret is not set. */
bool bus_note_parse(parley_str bytes, struct bus_note *ret);
#endif
