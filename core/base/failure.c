/* failure.c -- keeps the first error of a start-up. */
#include "core/base/failure.h"

#include <stdarg.h>
#include <stdio.h>

int failure_set(failure *f, int status, const char *fmt, ...)
{
    va_list args;

    if (!f || f->text[0])
        return -1;
    f->status = status;
    va_start(args, fmt);
    (void)vsnprintf(f->text, sizeof(f->text), fmt, args);
    va_end(args);
    return -1;
}
