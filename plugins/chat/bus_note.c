/* bus_note.c -- what workers tell each other about a room:
 * "<kind> <number> <user or ->\n<frame>". */
#include "plugins/chat/bus_note.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_MOST = 96, USER_MOST = 36 };

char *bus_note_write(const struct bus_note *note, size_t *ret_n)
{
    char head[HEAD_MOST];
    bool has_user = note->user.n > 0 && note->user.n <= USER_MOST;
    int n = snprintf(head, sizeof(head), "%" PRIu32 " %" PRId64 " %.*s\n", note->kind, note->number,
                     has_user ? (int)note->user.n : 1, has_user ? note->user.p : "-");
    size_t head_n = n > 0 ? (size_t)n : 0;
    char *bytes = malloc(head_n + note->frame.n);

    if (!bytes)
        return NULL;
    memcpy(bytes, head, head_n);
    if (note->frame.n > 0)
        memcpy(bytes + head_n, note->frame.p, note->frame.n);
    *ret_n = head_n + note->frame.n;
    return bytes;
}

/* A decimal number up to the byte `end`; moves `at` behind it. */
static bool number_take(parley_str bytes, size_t *at, int64_t *ret)
{
    int64_t value = 0;
    size_t from = *at;

    while (*at < bytes.n && bytes.p[*at] >= '0' && bytes.p[*at] <= '9') {
        if (value > INT64_MAX / 10 - 10)
            return false;
        value = value * 10 + (bytes.p[(*at)++] - '0');
    }
    if (*at == from || *at >= bytes.n || bytes.p[*at] != ' ')
        return false;
    ++*at;
    *ret = value;
    return true;
}

bool bus_note_parse(parley_str bytes, struct bus_note *ret)
{
    size_t at = 0;
    int64_t kind;
    int64_t number;

    if (!number_take(bytes, &at, &kind) || !number_take(bytes, &at, &number) || kind > UINT32_MAX)
        return false;
    const char *end = memchr(bytes.p + at, '\n', bytes.n - at);

    if (!end)
        return false;
    size_t user_n = (size_t)(end - (bytes.p + at));

    if (user_n == 0 || user_n > USER_MOST)
        return false;
    bool is_nobody = user_n == 1 && bytes.p[at] == '-';

    ret->kind = (uint32_t)kind;
    ret->number = number;
    ret->user = (parley_str){ bytes.p + at, is_nobody ? 0 : user_n };
    ret->frame = (parley_str){ end + 1, bytes.n - (size_t)(end + 1 - bytes.p) };
    return true;
}
