/* verb.h -- the commands of this plugin: what their files share.
 *
 *   verb.c          the table of all of them; which room and which user are meant
 *   verb_show.c     room list, room show, room members
 *   verb_change.c   room add, remove, delete
 *   verb_export.c   export
 *   verb_retention.c   retention plan */
#ifndef CHAT_VERB_H
#define CHAT_VERB_H
#include "plugins/chat/sql.h"
#include "plugins/common/show.h"

/* load() only.  returns 0 or < 0 */
int verbs_load(parley_ctx *ctx);

/* What the operands ROOM and USER name. */
typedef struct target {
    char uid[UID_SIZE], user_uid[UID_SIZE];
    int64_t key;        /* rooms.id */
    char name[256 * 4]; /* of the room, as it is */
    char shown[128];    /* the same, for a terminal */
    char email[320];
} target;

/* Starts the question for the operand "room" and, if has_user, "user". */
int target_ask(task *t, bool has_user);
/* Fills `ret` from the answer; TASK_NEXT, or the verb has ended: none, or more than one. */
int target_read(task *t, bool has_user, target *ret);

int verb_room_list(parley_ctx *ctx, parley_run run, void *ud);
int verb_room_show(parley_ctx *ctx, parley_run run, void *ud);
int verb_room_members(parley_ctx *ctx, parley_run run, void *ud);
int verb_room_add(parley_ctx *ctx, parley_run run, void *ud);
int verb_room_remove(parley_ctx *ctx, parley_run run, void *ud);
int verb_room_delete(parley_ctx *ctx, parley_run run, void *ud);
int verb_retention_plan(parley_ctx *ctx, parley_run run, void *ud);
int verb_export(parley_ctx *ctx, parley_run run, void *ud);

#define TASK_START(steps, size)                                                                    \
    task_start(&(task_of){ ctx, run, chat.db, ud, steps, COUNT(steps), size, NULL })
#endif
