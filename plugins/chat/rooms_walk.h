/* rooms_walk.h -- the list of rooms by cursor. */
#ifndef CHAT_ROOMS_WALK_H
#define CHAT_ROOMS_WALK_H
#include "plugins/chat/chat.h"

int rooms_walk(parley_ctx *ctx, parley_req req);
#endif
