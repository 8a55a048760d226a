/* take.h -- the script that takes passes, its arguments and its answer.  Pure logic. */
#ifndef REDIS_TAKE_H
#define REDIS_TAKE_H
#include <hiredis/hiredis.h>

#include "plugins/common/limit.h"

/* KEYS: a list of times for each limit; ARGV: limit and window of each. */
extern PARLEY_HIDDEN const char take_script[];

enum { TAKE_ARGS_MOST = 3 + 3 * LIMITS_MOST };

typedef struct take_args {
    const char *argv[TAKE_ARGS_MOST];
    size_t argv_n[TAKE_ARGS_MOST];
    int argc;
    int key_n;
    char numbers[1 + 2 * LIMITS_MOST][24];
} take_args;

/* EVALSHA when the hash of the script is known, else ("") EVAL. */
void take_args_init(take_args *args, const char *sha, uint32_t key_n);
/* Key first, for all; then the numbers of each. */
void take_args_key(take_args *args, parley_str key);
void take_args_limit(take_args *args, const parley_kv_limit *limit);

/* The answers for `n` limits.  returns 0, or -EINVAL: this is no answer of the script */
int take_parse(const redisReply *reply, uint32_t n, limit_answer *ret);
/* The server has forgotten the script (it was restarted). */
int take_is_noscript(const redisReply *reply);
#endif
