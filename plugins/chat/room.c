/* room.c -- what this worker remembers of a room.
 *
 * A hash table of chains.  The keys are ids that the server made, except for the short life of a
 * handshake to a room that does not exist, so a plain hash will do.  Unused records stay, newest
 * first, up to UNUSED_MOST. */
#include "plugins/chat/room.h"
#include <stdlib.h>

enum { BUCKETS_FIRST = 256, UNUSED_MOST = 1024 };

static struct {
    struct room **buckets;
    size_t bucket_n, n;
    struct ring unused;
    size_t unused_n;
    bool is_off; /* keeps no unused records */
} rooms = { .unused = RING_EMPTY(rooms.unused) };

static size_t hash(parley_str uid)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < uid.n; i++)
        h = (h ^ (unsigned char)uid.p[i]) * 0x100000001b3u;
    return (size_t)(h ^ (h >> 32));
}

static struct room **room_place(parley_str uid)
{
    struct room **at = &rooms.buckets[hash(uid) & (rooms.bucket_n - 1)];

    while (*at && !str_equal(str_of((*at)->uid), uid))
        at = &(*at)->next;
    return at;
}

struct room *room_find(parley_str uid)
{
    return rooms.buckets ? *room_place(uid) : NULL;
}

static int buckets_grow(void)
{
    size_t old_n = rooms.bucket_n;
    struct room **old = rooms.buckets;
    size_t n = old ? old_n * 2 : BUCKETS_FIRST;
    struct room **fresh = calloc(n, sizeof(struct room *));

    if (!fresh)
        return old ? PARLEY_OK : PARLEY_ENOMEM; /* longer chains will do */
    rooms.buckets = fresh;
    rooms.bucket_n = n;
    for (size_t i = 0; i < old_n; i++) {
        while (old[i]) {
            struct room *room = old[i];
            struct room **at = &fresh[hash(str_of(room->uid)) & (n - 1)];

            old[i] = room->next;
            room->next = *at;
            *at = room;
        }
    }
    free(old);
    return PARLEY_OK;
}

static void unused_remove(struct room *room)
{
    if (!room->unused.older)
        return;
    ring_remove(&room->unused);
    rooms.unused_n--;
}

static void room_forget(struct room *room)
{
    struct room **at = room_place(str_of(room->uid));

    unused_remove(room);
    *at = room->next;
    rooms.n--;
    free(room);
}

struct room *room_use(parley_str uid)
{
    struct room *room = room_find(uid);

    if (room) {
        unused_remove(room);
        room->uses++;
        return room;
    }
    if (uid.n != UID_SIZE - 1)
        return NULL;
    if (rooms.n >= rooms.bucket_n && buckets_grow() < 0)
        return NULL;
    room = calloc(1, sizeof(*room));
    if (!room)
        return NULL;
    memcpy(room->uid, uid.p, uid.n);
    room->order = (struct sequencer)SEQUENCER_INIT;
    room->uses = 1;
    *room_place(uid) = room;
    rooms.n++;
    return room;
}

void room_epoch(struct room *room, parley_str epoch)
{
    size_t n = epoch.n < EPOCH_SIZE ? epoch.n : 0;

    if (n > 0)
        memcpy(room->epoch, epoch.p, n);
    room->epoch[n] = '\0';
}

static void room_forget_oldest(void)
{
    room_forget(RING_OF(rooms.unused.newer, struct room, unused));
}

void room_use_again(struct room *room)
{
    room->uses++;
}

void room_unuse(struct room *room)
{
    if (--room->uses > 0)
        return;
    if (room->key == 0 || room->is_gone || rooms.is_off) {
        room_forget(room);
        return;
    }
    ring_add(&rooms.unused, &room->unused);
    if (++rooms.unused_n > UNUSED_MOST)
        room_forget_oldest();
}

void room_remember(bool is_on)
{
    rooms.is_off = !is_on;
    while (rooms.is_off && rooms.unused_n > 0)
        room_forget_oldest();
    if (rooms.n > 0 || is_on)
        return;
    free(rooms.buckets);
    rooms.buckets = NULL;
    rooms.bucket_n = 0;
}

void room_each_watched(void (*fn)(struct room *room, void *ud), void *ud)
{
    for (size_t i = 0; i < rooms.bucket_n; i++)
        for (struct room *room = rooms.buckets[i], *next; room; room = next) {
            next = room->next;
            if (room->watchers > 0)
                fn(room, ud);
        }
}
