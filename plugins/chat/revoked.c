/* revoked.c -- removals and deletions that are told by the database, not by the bus.
 *
 * Who is removed, and the deletion of a room, are a row of accounts' table `revocations`, written in
 * the transaction that does it.  The row only says where to look: the log is read, and the sockets
 * close at the event's place in the room's order, as if the bus had brought it. */
#include "plugins/chat/revoked.h"
#include "plugins/chat/live.h"

bool revoked_parse(parley_str subject, parley_str *ret_room, int64_t *ret_seq)
{
    const size_t name_n = sizeof(REVOKED_SUBJECT) - 1;
    const size_t room_n = UID_SIZE - 1;
    size_t at = name_n + room_n + 1;
    int64_t seq = 0;

    if (subject.n <= at || subject.n > at + 18 || memcmp(subject.p, REVOKED_SUBJECT, name_n) != 0 ||
        subject.p[at - 1] != '.')
        return false;
    for (; at < subject.n; at++) {
        if (subject.p[at] < '0' || subject.p[at] > '9')
            return false;
        seq = seq * 10 + (subject.p[at] - '0');
    }
    *ret_room = (parley_str){ subject.p + name_n, room_n };
    *ret_seq = seq;
    return true;
}

static int revoked_heard(parley_ctx *ctx, void *info, void *ud)
{
    const parley_auth_revoked *revoked = info;
    parley_str uid;
    int64_t seq;

    (void)ctx, (void)ud;
    if (!revoked_parse(revoked->subject, &uid, &seq))
        return PARLEY_NEXT;
    struct room *room = room_find(uid);

    if (room && room->watchers > 0)
        live_told(room, seq);
    return PARLEY_NEXT;
}

int revoked_load(parley_ctx *ctx)
{
    return parley->hook(ctx, "auth.revoked", PARLEY_APP, revoked_heard, NULL);
}
