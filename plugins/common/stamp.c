/* stamp.c -- times as the API writes them: ISO 8601, UTC, microseconds, Z. */
#include "plugins/common/stamp.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

static void put_number(char *at, int number, int digits)
{
    for (; digits > 0; number /= 10)
        at[--digits] = (char)('0' + number % 10);
}

void stamp_format(int64_t micros, char ret[STAMP_SIZE])
{
    static const char form[] = "0000-00-00T00:00:00.000000Z";
    int rest = (int)(micros % 1000000);
    time_t seconds = (time_t)(micros / 1000000);
    struct tm tm;

    if (rest < 0) {
        rest += 1000000;
        seconds--;
    }
    if (!gmtime_r(&seconds, &tm))
        tm = (struct tm){ .tm_year = 70, .tm_mday = 1 };
    if (tm.tm_year < -1900 || tm.tm_year > 9999 - 1900) {
        (void)snprintf(ret, STAMP_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, rest);
        return;
    }
    /* Twice in every message: snprintf() took a twentieth of all that a message costs. */
    memcpy(ret, form, sizeof(form));
    put_number(ret, tm.tm_year + 1900, 4);
    put_number(ret + 5, tm.tm_mon + 1, 2);
    put_number(ret + 8, tm.tm_mday, 2);
    put_number(ret + 11, tm.tm_hour, 2);
    put_number(ret + 14, tm.tm_min, 2);
    put_number(ret + 17, tm.tm_sec, 2);
    put_number(ret + 20, rest, 6);
}
