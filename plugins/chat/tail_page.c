/* tail_page.c -- the newest messages of a room, from the tail of its events.
 *
 * From the newest event backwards, without a hole: so every deletion of a message that is met has
 * been met before the message. */
#include "plugins/chat/tail_page.h"
#include <string.h>

struct gone { /* public ids of messages that were deleted */
    const char *uids[TAIL_PAGE_MOST];
    uint32_t n;
};

static bool gone_has(const struct gone *gone, const char *uid)
{
    for (uint32_t i = 0; i < gone->n; i++)
        if (memcmp(gone->uids[i], uid, TAIL_HEAD_N - 1) == 0)
            return true;
    return false;
}

/* false: the walk ends here. */
static bool entry_take(const parley_str bytes, struct gone *gone, struct tail_page *ret)
{
    char kind = bytes.n > 0 ? bytes.p[0] : '\0';

    if (kind == TAIL_OTHER)
        return true;
    if ((kind != TAIL_MESSAGE && kind != TAIL_DELETION) || bytes.n < TAIL_HEAD_N)
        return false;
    if (kind == TAIL_DELETION) {
        if (gone->n == TAIL_PAGE_MOST)
            return false;
        gone->uids[gone->n++] = bytes.p + 1;
        return true;
    }
    if (gone_has(gone, bytes.p + 1))
        return true;
    parley_str text = { bytes.p + TAIL_HEAD_N, bytes.n - TAIL_HEAD_N };

    ret->texts[ret->n++] = text;
    ret->bytes += text.n;
    return true;
}

bool tail_page_make(const parley_kv_entry *entries, uint32_t n, int64_t limit,
                    struct tail_page *ret)
{
    struct gone gone = { .n = 0 };

    if (n == 0 || limit > TAIL_PAGE_MOST)
        return false;
    *ret = (struct tail_page){ .head = entries[n - 1].seq };
    for (uint32_t i = n; i-- > 0 && ret->n < limit;) {
        if (i + 1 < n && entries[i].seq != entries[i + 1].seq - 1)
            break;
        if (!entry_take(entries[i].bytes, &gone, ret))
            break;
    }
    return true;
}
