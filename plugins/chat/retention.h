/* retention.h -- how long rooms are kept: `retention` in the YAML, a list of {rooms: <pattern>, keep: <time>}.
 *
 * The first rule whose pattern fits a room's name counts; a room that none names is kept for ever. */
#ifndef CHAT_RETENTION_H
#define CHAT_RETENTION_H
#include "plugins/chat/chat.h"

struct retention_rule {
    parley_str rooms; /* * is any run of characters; all else is itself */
    parley_str keep;  /* as written */
    int64_t keep_us;
};

/* load() only: reads the option.  0, or < 0 after conf_fail() said why. */
int retention_load(parley_ctx *ctx, const parley_conf *conf);
/* The rule for a room of that name; NULL: none. */
const struct retention_rule *retention_rule_of(parley_str name);
bool retention_has_rules(void);

/* A time as the YAML spells it, in microseconds; false: it is none, or over `most`. */
bool retention_time(parley_str text, int64_t *ret_us);
bool retention_fits(parley_str pattern, parley_str name);

/* retention_sweep.c: removes what is too old, in the background. */
int retention_start(void);
void retention_stop(void);
#endif
