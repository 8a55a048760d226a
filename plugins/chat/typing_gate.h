/* typing_gate.h -- how often "is typing" is told, and when a socket sends too many.  The time comes
 * in; no server calls.
 *
 * Memory only for those who typed in the last two seconds. */
#ifndef CHAT_TYPING_GATE_H
#define CHAT_TYPING_GATE_H
#include <stdbool.h>
#include <stdint.h>

enum {
    TYPING_QUIET_MS = 2000,
    TYPING_WINDOW_MS = 1000,
    TYPING_MOST = 20,
    /* For so long the others believe it: two frames of who goes on typing, and a slow way. */
    TYPING_EXPIRES_MS = 5000
};

/* Counts one frame of a socket.  false: over TYPING_MOST in TYPING_WINDOW_MS. */
bool typing_gate_count(uint64_t conn, int64_t now_ms);
/* Whether the room is told that this user types: once in TYPING_QUIET_MS. */
bool typing_gate_tell(int64_t room, int64_t user, int64_t now_ms);
/* Forgets all; how many entries there were. */
unsigned typing_gate_clear(void);
#endif
