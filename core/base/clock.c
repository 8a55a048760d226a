/* clock.c -- the system's clocks, and how records write a time. */
#include "core/base/clock.h"

#include <string.h>
#include <time.h>

static const int64_t us_per_s = 1000000;

int64_t clock_wall_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * us_per_s + now.tv_nsec / 1000;
}

int64_t clock_mono_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static char *put_number(char *at, int64_t number, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + digits;
}

/* "2025-01-31<between>12:00:00"; gives the microseconds that are left and the place behind.  Years
 * outside 0..9999 do not fit and are shown as the nearest that does. */
static char *put_time(char *at, int64_t wall_us, char between, int64_t *ret_us)
{
    static const int64_t first = -62167219200, last = 253402300799; /* years 0000 and 9999 */
    int64_t second = wall_us / us_per_s, us = wall_us % us_per_s;
    struct tm tm;

    if (us < 0) {
        us += us_per_s;
        second--;
    }
    second = second < first ? first : second > last ? last : second;
    time_t when = (time_t)second;
    if (!gmtime_r(&when, &tm))
        memset(&tm, 0, sizeof(tm));
    at = put_number(at, tm.tm_year + 1900, 4);
    *at++ = '-';
    at = put_number(at, tm.tm_mon + 1, 2);
    *at++ = '-';
    at = put_number(at, tm.tm_mday, 2);
    *at++ = between;
    at = put_number(at, tm.tm_hour, 2);
    *at++ = ':';
    at = put_number(at, tm.tm_min, 2);
    *at++ = ':';
    at = put_number(at, tm.tm_sec, 2);
    *ret_us = us;
    return at;
}

void clock_iso(int64_t wall_us, char ret[28])
{
    int64_t us;
    char *at = put_time(ret, wall_us, 'T', &us);

    *at++ = '.';
    at = put_number(at, us, 6);
    *at++ = 'Z';
    *at = '\0';
}

void clock_log(int64_t wall_us, char ret[24])
{
    int64_t us;
    char *at = put_time(ret, wall_us, ' ', &us);

    *at++ = ',';
    at = put_number(at, us / 1000, 3);
    *at = '\0';
}
