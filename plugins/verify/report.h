/* report.h -- what was found, for people and for programs. */
#ifndef VERIFY_REPORT_H
#define VERIFY_REPORT_H
#include "plugins/verify/check.h"

#include <stdio.h>

/* Figures of the run, for information: they are not judged. */
typedef struct figure {
    const char *name; /* in JSON */
    const char *text; /* for people */
    double value;
    int digits;
} figure;

/* The table of promises, the first violations, the verdict. */
void report_text(FILE *to, const findings *f, const figure *figures, size_t n);
/* One object: "held", "checks", "violations", "figures". */
void report_json(FILE *to, const findings *f, const figure *figures, size_t n);
#endif
