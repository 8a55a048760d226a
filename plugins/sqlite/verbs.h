/* verbs.h -- `parley backup FILE` and `parley restore FILE`. */
#ifndef SQLITE_VERBS_H
#define SQLITE_VERBS_H
#include <parley/plugin.h>

int verbs_register(parley_ctx *ctx); /* load() only */
#endif
