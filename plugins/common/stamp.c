/* stamp.c -- times as the API writes them: ISO 8601, UTC, microseconds, Z. */
#include "plugins/common/stamp.h"
#include <stdio.h>
#include <time.h>

void stamp_format(int64_t micros, char ret[STAMP_SIZE])
{
    int64_t rest = micros % 1000000;
    time_t seconds = (time_t)(micros / 1000000);
    struct tm tm;

    if (rest < 0) {
        rest += 1000000;
        seconds--;
    }
    if (!gmtime_r(&seconds, &tm))
        tm = (struct tm){ .tm_year = 70, .tm_mday = 1 };
    (void)snprintf(ret, STAMP_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900,
                   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)rest);
}
