/* tail.c -- the recent events of rooms, kept beside the database.
 *
 *   tail_add     what a turn of the loop brings is gathered
 *   tail_flush   and pushed at its end, one push for what follows each other in a room, so one for
 *                the group of a COMMIT; nobody waits for it
 *
 * The key is the room and its epoch, so a history that was rewritten begins an empty tail. */
#include "plugins/chat/tail.h"
#include <stdlib.h>

enum { KEPT = 150 /* events: a page and some deletions */, KEPT_MS = 1800000, GATHER_MOST = 256 };

struct gathered {
    char uid[UID_SIZE], epoch[EPOCH_SIZE];
    parley_kv_entry entry; /* bytes: ours */
};

static struct {
    struct gathered events[GATHER_MOST];
    uint32_t n;
    bool is_deferred;
} tail;

static parley_str tail_key(char text[80], const char *uid, const char *epoch)
{
    int n = snprintf(text, 80, "room.%s.%s", uid, epoch);

    return (parley_str){ text, (size_t)n };
}

/* ---- out ---- */

static bool is_same_room(const struct gathered *a, const struct gathered *b)
{
    return strcmp(a->uid, b->uid) == 0 && strcmp(a->epoch, b->epoch) == 0;
}

static void tail_push(const struct gathered *events, uint32_t n)
{
    static parley_kv_entry entries[GATHER_MOST];
    char key[80];

    for (uint32_t i = 0; i < n; i++)
        entries[i] = events[i].entry;
    (void)chat.kv->tail_push(chat.ctx, tail_key(key, events[0].uid, events[0].epoch), entries, n,
                             KEPT, KEPT_MS);
}

static void tail_flush(void)
{
    uint32_t from = 0;

    for (uint32_t i = 1; i <= tail.n; i++) {
        if (i < tail.n && is_same_room(&tail.events[from], &tail.events[i]))
            continue;
        tail_push(&tail.events[from], i - from);
        from = i;
    }
    tail_stop();
}

static void tail_turn(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    tail.is_deferred = false;
    if (status >= 0)
        tail_flush();
}

void tail_stop(void)
{
    for (uint32_t i = 0; i < tail.n; i++)
        free((void *)(uintptr_t)tail.events[i].entry.bytes.p);
    tail.n = 0;
}

/* ---- in ---- */

/* The message inside of its frame: {"type":"chat_message",<message>,"epoch":"...","at":"..."}
 * (render.c).  false: it is built otherwise. */
static bool message_of(parley_str frame, const char *epoch, parley_str *ret)
{
    static const char before[] = "{\"type\":\"chat_message\",";
    const size_t before_n = sizeof(before) - 1;
    char behind[64];
    int n = snprintf(behind, sizeof(behind), ",\"epoch\":\"%s\",\"at\":\"", epoch);
    const size_t behind_n = (size_t)n + sizeof("2025-01-31T12:00:00.123456Z\"}") - 1;

    if (frame.n < before_n + behind_n || memcmp(frame.p, before, before_n) != 0 ||
        memcmp(frame.p + frame.n - behind_n, behind, (size_t)n) != 0)
        return false;
    *ret = (parley_str){ frame.p + before_n, frame.n - before_n - behind_n };
    return true;
}

/* New; absent: no memory, or nothing that a tail can hold. */
static parley_str entry_write(const struct announcement *what, parley_str frame, const char *epoch)
{
    bool is_message = what->kind == EVENT_MESSAGE;
    bool is_deletion = what->kind == EVENT_MESSAGE_DELETED;
    parley_str uid =
        parley->json_str(parley->json_get(what->data, is_deletion ? "message_id" : "id"));
    parley_str message = { NULL, 0 };

    if ((is_message || is_deletion) && uid.n != TAIL_HEAD_N - 1)
        return message;
    if (is_message && !message_of(frame, epoch, &message))
        return message;
    char *bytes = malloc(TAIL_HEAD_N + message.n + 2);

    if (!bytes)
        return (parley_str){ NULL, 0 };
    if (!is_message && !is_deletion) {
        bytes[0] = TAIL_OTHER;
        return (parley_str){ bytes, 1 };
    }
    bytes[0] = is_message ? TAIL_MESSAGE : TAIL_DELETION;
    memcpy(bytes + 1, uid.p, TAIL_HEAD_N - 1);
    if (is_deletion)
        return (parley_str){ bytes, TAIL_HEAD_N };
    bytes[TAIL_HEAD_N] = '{';
    memcpy(bytes + TAIL_HEAD_N + 1, message.p, message.n);
    bytes[TAIL_HEAD_N + 1 + message.n] = '}';
    return (parley_str){ bytes, TAIL_HEAD_N + message.n + 2 };
}

void tail_add(parley_str room_uid, const struct announcement *what, parley_str frame)
{
    const struct room *room = room_find(room_uid);

    if (!chat.kv || !room || !room->epoch[0])
        return;
    if (tail.n == GATHER_MOST)
        tail_flush();
    struct gathered *event = &tail.events[tail.n];

    event->entry.seq = what->seq;
    event->entry.bytes = entry_write(what, frame, room->epoch);
    if (!event->entry.bytes.p)
        return;
    uid_copy(event->uid, room_uid);
    memcpy(event->epoch, room->epoch, EPOCH_SIZE);
    tail.n++;
    if (!tail.is_deferred)
        tail.is_deferred = parley->defer(chat.ctx, tail_turn, NULL) >= 0;
    if (!tail.is_deferred)
        tail_flush();
}

int tail_ask(const char *room_uid, const char *epoch, parley_kv_tail *ret, parley_kv_tail_fn fn,
             void *ud)
{
    char key[80];

    if (!chat.kv)
        return PARLEY_ENOENT;
    return chat.kv->tail_read(chat.ctx, tail_key(key, room_uid, epoch), KEPT, ret, fn, ud);
}
