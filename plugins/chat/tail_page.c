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

static void message_add(const char *uid, parley_str text, struct tail_page *ret)
{
    ret->uids[ret->n] = uid;
    ret->texts[ret->n++] = text;
    ret->bytes += text.n;
}

/* 8 digits.  < 0: they are none */
static int64_t length_parse(const char *digits)
{
    int64_t value = 0;

    for (int i = 0; i < 8; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return -1;
        value = value * 10 + (digits[i] - '0');
    }
    return value;
}

/* The walk ends with it: all that is older is in it. */
static void page_take(parley_str bytes, const struct gone *gone, int64_t limit,
                      struct tail_page *ret)
{
    size_t at = 2;

    while (at + TAIL_ITEM_N <= bytes.n && ret->n < limit) {
        const char *uid = bytes.p + at;
        int64_t n = length_parse(uid + TAIL_HEAD_N - 1);

        at += TAIL_ITEM_N;
        if (n < 0 || (size_t)n > bytes.n - at)
            return;
        if (!gone_has(gone, uid))
            message_add(uid, (parley_str){ bytes.p + at, (size_t)n }, ret);
        at += (size_t)n;
    }
    ret->is_full = at == bytes.n && bytes.n >= 2 && bytes.p[1] == '1';
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
    } else if (!gone_has(gone, bytes.p + 1)) {
        message_add(bytes.p + 1, (parley_str){ bytes.p + TAIL_HEAD_N, bytes.n - TAIL_HEAD_N }, ret);
    }
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
        parley_str bytes = entries[i].bytes;

        if (i + 1 < n && entries[i].seq != entries[i + 1].seq - 1)
            break;
        if (bytes.n > 0 && bytes.p[0] == TAIL_PAGE) {
            page_take(bytes, &gone, limit, ret);
            break;
        }
        if (!entry_take(bytes, &gone, ret))
            break;
        ret->is_full = entries[i].seq == 1;
    }
    ret->is_full |= ret->n == limit;
    return true;
}
