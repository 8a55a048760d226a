/* alone.h -- this worker's own counters, for limits that no Redis counts at the moment. */
#ifndef REDIS_ALONE_H
#define REDIS_ALONE_H
#include "plugins/common/limit.h"

void alone_start(parley_ctx *ctx);
void alone_stop(void);
int alone_take(const parley_kv_limit *limit, limit_answer *ret); /* < 0: out of memory */
#endif
