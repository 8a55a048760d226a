/* change.h -- what operators do in any room: the one way for pages and commands (parley/chat.h). */
#ifndef CHAT_CHANGE_H
#define CHAT_CHANGE_H
#include <parley/chat.h>

/* See change() in parley/chat.h. */
int change_room(parley_ctx *ctx, const parley_chat_change *change, parley_chat_changed_fn fn,
                void *ud);
#endif
