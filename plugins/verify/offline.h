/* offline.h -- `parley verify --check FILE`: judges a run that was recorded. */
#ifndef VERIFY_OFFLINE_H
#define VERIFY_OFFLINE_H
#include <parley/verb.h>

/* A verb's verdict. */
int offline_start(parley_ctx *ctx, parley_run run);
#endif
