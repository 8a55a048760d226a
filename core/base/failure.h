/* failure.h -- an error that a person must read: what, where, and the remedy, on one line. */
#ifndef CORE_BASE_FAILURE_H
#define CORE_BASE_FAILURE_H
#include "core/base/str.h"

/* What the process ends with (README.md, "When something is wrong"). */
enum exit_status {
    EXIT_STOPPED = 0,
    EXIT_SYSTEM = 1, /* port in use, folder not writable */
    EXIT_USAGE = 2,
    EXIT_CONFIG = 78 /* wrong config, missing or refused plugin */
};
typedef struct failure {
    int status; /* enum exit_status */
    char text[640];
} failure;

/* Returns -1, so that `return failure_set(f, ...)` reads well.  The first failure is kept. */
int failure_set(failure *f, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#endif
