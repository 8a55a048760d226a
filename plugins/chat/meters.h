/* meters.h -- what chat counts. */
#ifndef CHAT_METERS_H
#define CHAT_METERS_H
#include <parley/plugin.h>

struct meters {
    parley_meter stored, repeated_tries;  /* messages; groups run again one by one */
    parley_meter group_size, commit_time; /* of a group: messages, microseconds */
    parley_meter queue;                   /* messages that wait for the next group */
    parley_meter delivered;               /* events shown to a room of this worker */
    parley_meter gaps, repaired;          /* holes in seq; events that the log brought */
};
extern PARLEY_HIDDEN struct meters meters;

int meters_load(parley_ctx *ctx); /* 0, or < 0: load() fails */
#endif
