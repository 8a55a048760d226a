/* take.c -- the script that takes passes, its arguments and its answer.
 *
 * It is plugins/common/limit.c in Lua, on lists of microseconds by the server's clock: atomic, so
 * exact however many workers race.  Redis 5 or later. */
#include "plugins/redis/take.h"

#include <errno.h>
#include <string.h>

/* Lua's numbers are exact up to 2^53. */
#define WINDOW_MOST_US INT64_C(4000000000000000)

/* A clock that was set back stands still until it has caught up with the newest pass.  The key
 * outlives its newest pass by a moment only. */
const char take_script[] =
    "local time = redis.call('TIME')\n"
    "local clock = time[1] * 1000000 + time[2]\n"
    "local out = {}\n"
    "for i, key in ipairs(KEYS) do\n"
    "  local limit, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])\n"
    "  local n, now, oldest = redis.call('LLEN', key), clock, clock\n"
    "  if n > 0 then\n"
    "    now = math.max(now, tonumber(redis.call('LINDEX', key, -1)))\n"
    "    oldest = tonumber(redis.call('LINDEX', key, 0))\n"
    "  end\n"
    "  while n > 0 and oldest <= now - window do\n"
    "    redis.call('LPOP', key)\n"
    "    n = n - 1\n"
    "    oldest = n > 0 and tonumber(redis.call('LINDEX', key, 0)) or now\n"
    "  end\n"
    "  local refused, wait, left = 0, 0, 0\n"
    "  if n >= limit then\n"
    "    refused = 1\n"
    "    wait = tonumber(redis.call('LINDEX', key, n - limit)) + window - now\n"
    "  else\n"
    "    redis.call('RPUSH', key, string.format('%.0f', now))\n"
    "    redis.call('PEXPIRE', key, string.format('%.0f', math.ceil(window / 1000) + 1))\n"
    "    left = limit - n - 1\n"
    "  end\n"
    "  for _, number in ipairs({ refused, wait, left, oldest + window - now }) do\n"
    "    out[#out + 1] = number\n"
    "  end\n"
    "end\n"
    "return out\n";

static void args_add(take_args *args, const char *text, size_t n)
{
    args->argv[args->argc] = text;
    args->argv_n[args->argc++] = n;
}

static void args_add_number(take_args *args, char text[24], int64_t number)
{
    int n = snprintf(text, 24, "%lld", (long long)number);

    args_add(args, text, (size_t)n);
}

void take_args_init(take_args *args, const char *sha, uint32_t key_n)
{
    args->argc = 0;
    args->key_n = 0;
    if (sha[0]) {
        args_add(args, "EVALSHA", 7);
        args_add(args, sha, strlen(sha));
    } else {
        args_add(args, "EVAL", 4);
        args_add(args, take_script, strlen(take_script));
    }
    args_add_number(args, args->numbers[2 * LIMITS_MOST], key_n);
}

void take_args_key(take_args *args, parley_str key)
{
    args_add(args, key.p, key.n);
}

void take_args_limit(take_args *args, const parley_kv_limit *limit)
{
    int64_t window_us = limit->window_us < WINDOW_MOST_US ? limit->window_us : WINDOW_MOST_US;

    args_add_number(args, args->numbers[2 * args->key_n], limit->limit);
    args_add_number(args, args->numbers[2 * args->key_n + 1], window_us);
    args->key_n++;
}

static int number_of(const redisReply *reply, size_t i, int64_t *ret)
{
    if (reply->element[i]->type != REDIS_REPLY_INTEGER || reply->element[i]->integer < 0)
        return -EINVAL;
    *ret = reply->element[i]->integer;
    return 0;
}

int take_parse(const redisReply *reply, uint32_t n, limit_answer *ret)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != (size_t)n * 4)
        return -EINVAL;
    for (uint32_t i = 0; i < n; i++) {
        int64_t refused;

        if (number_of(reply, i * 4, &refused) < 0 ||
            number_of(reply, i * 4 + 1, &ret[i].wait_us) < 0 ||
            number_of(reply, i * 4 + 2, &ret[i].left) < 0 ||
            number_of(reply, i * 4 + 3, &ret[i].reset_us) < 0)
            return -EINVAL;
        ret[i].is_refused = refused != 0;
    }
    return 0;
}

int take_is_noscript(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOSCRIPT", 8) == 0;
}
