/* tail.c -- the recent events of rooms, kept beside the database.
 *
 *   tail_add     what a turn of the loop brings is gathered
 *   tail_flush   and pushed at its end, one push for what follows each other in a room, so one for
 *                the group of a COMMIT; nobody waits for it
 *
 * The key is the room and its epoch, so a history that was rewritten begins an empty tail.  A deletion
 * leaves nothing older in it, nor does an edit: the text would stay in a message's event, and in
 * pages, for as long as the room is busy.
 *
 * Reactions are not in it: who asks is told which are his own, so they are read with the count
 * (history.c). */
#include "plugins/chat/tail.h"
#include <stdlib.h>

enum {
    KEPT = 150 /* events: a page and some deletions */,
    KEPT_MS = 1800000,
    GATHER_MOST = 256,
    PAGE_BYTES_MOST = 65536
};

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

/* Nothing older may stay. */
static bool is_cut(const struct gathered *event)
{
    char kind = event->entry.bytes.p[0];

    return kind == TAIL_DELETION || kind == TAIL_EDIT;
}

/* Up to the first cut, which is the last of them. */
static void tail_push(const struct gathered *events, uint32_t n)
{
    uint32_t most = is_cut(&events[n - 1]) ? 1 : KEPT;
    static parley_kv_entry entries[GATHER_MOST];
    char key[80];

    for (uint32_t i = 0; i < n; i++)
        entries[i] = events[i].entry;
    (void)chat.kv->tail_push(chat.ctx, tail_key(key, events[0].uid, events[0].epoch), entries, n,
                             most, KEPT_MS);
}

static void tail_flush(void)
{
    uint32_t from = 0;

    for (uint32_t i = 1; i <= tail.n; i++) {
        if (i < tail.n && is_same_room(&tail.events[from], &tail.events[i]) &&
            !is_cut(&tail.events[i - 1]))
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

static void gathered_free(const struct gathered *events, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        free((void *)(uintptr_t)events[i].entry.bytes.p);
}

void tail_stop(void)
{
    gathered_free(tail.events, tail.n);
    tail.n = 0;
}

/* ---- in ---- */

/* The members of a message inside of its frame: {"type":"chat_message",<members>,"epoch":"...",
 * "at":"..."} (render.c).  false: it is built otherwise. */
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

/* New, of the members of `message`; absent: no memory, or a wrong id. */
static parley_str entry_make(enum tail_kind kind, parley_str uid, parley_str message)
{
    bool is_message = kind == TAIL_MESSAGE;
    bool has_no_uid = kind == TAIL_OTHER || kind == TAIL_EDIT;
    char *bytes = NULL;

    if (has_no_uid || uid.n == TAIL_HEAD_N - 1)
        bytes = malloc(TAIL_HEAD_N + message.n + 2);
    if (!bytes)
        return (parley_str){ NULL, 0 };
    bytes[0] = (char)kind;
    if (has_no_uid)
        return (parley_str){ bytes, 1 };
    memcpy(bytes + 1, uid.p, TAIL_HEAD_N - 1);
    if (!is_message)
        return (parley_str){ bytes, TAIL_HEAD_N };
    bytes[TAIL_HEAD_N] = '{';
    memcpy(bytes + TAIL_HEAD_N + 1, message.p, message.n);
    bytes[TAIL_HEAD_N + 1 + message.n] = '}';
    return (parley_str){ bytes, TAIL_HEAD_N + message.n + 2 };
}

/* As above; absent also for an event of which the tail cannot say what it does to the messages: a
 * hole, so that nothing is told wrongly. */
static parley_str entry_write(const struct announcement *what, parley_str frame, const char *epoch)
{
    bool is_deletion = what->kind == EVENT_MESSAGE_DELETED;
    parley_str uid = is_deletion ? parley->json_str(parley->json_get(what->data, "message_id"))
                                 : what->frame.uid;
    parley_str message = { NULL, 0 };

    switch (what->kind) {
    case EVENT_MEMBER_ADDED:
    case EVENT_MEMBER_REMOVED:
    case EVENT_ROOM_UPDATED:
    case EVENT_REACTION_ADDED:
    case EVENT_REACTION_REMOVED:
        return entry_make(TAIL_OTHER, uid, message);
    case EVENT_MESSAGE_EDITED:
        return entry_make(TAIL_EDIT, uid, message);
    case EVENT_MESSAGE_DELETED:
        return entry_make(TAIL_DELETION, uid, message);
    case EVENT_MESSAGE:
        if (message_of(frame, epoch, &message))
            return entry_make(TAIL_MESSAGE, uid, message);
        break;
    case EVENT_MESSAGE_SINCE_DELETED:
    case EVENT_ROOM_DELETED:
    case EVENT_TYPING:
    case EVENT_READ:
    case EVENT_PRESENCE:
        break;
    }
    return (parley_str){ NULL, 0 };
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

/* ---- from the database ---- */

/* "p<0 or 1>", then of each message its id, the length of its JSON (8 digits), and that. */
static size_t page_write(char *to, const struct tail_fill *from)
{
    size_t at = (size_t)snprintf(to, 3, "%c%d", TAIL_PAGE, from->is_all);

    for (uint32_t i = 0; i < from->n; i++) {
        const struct tail_message *m = &from->messages[i];

        if (m->seq > from->head)
            continue; /* an event of its own will tell, or has */
        at += (size_t)snprintf(to + at, TAIL_ITEM_N + 1, "%.*s%08zu", UID_SIZE - 1, m->uid.p,
                               m->json.n);
        memcpy(to + at, m->json.p, m->json.n);
        at += m->json.n;
    }
    return at;
}

/* The messages as of `head` take the place of the event that has this seq: whoever walks back from
 * the newest event ends here.  So nothing older is mixed with them, whichever of several such pages
 * is written last. */
void tail_refill(const struct tail_fill *from)
{
    size_t size = 3;
    char uid[UID_SIZE], epoch[EPOCH_SIZE] = "", key[80];

    for (uint32_t i = 0; i < from->n; i++) {
        if (from->messages[i].uid.n != UID_SIZE - 1)
            return;
        size += TAIL_ITEM_N + 1 + from->messages[i].json.n;
    }
    if (size > PAGE_BYTES_MOST || from->epoch.n < 1 || from->epoch.n >= EPOCH_SIZE)
        return;
    char *bytes = malloc(size);

    if (!bytes)
        return;
    uid_copy(uid, from->room_uid);
    memcpy(epoch, from->epoch.p, from->epoch.n);
    parley_kv_entry entry = { from->head, { bytes, page_write(bytes, from) } };

    (void)chat.kv->tail_push(chat.ctx, tail_key(key, uid, epoch), &entry, 1, KEPT, KEPT_MS);
    free(bytes);
}
