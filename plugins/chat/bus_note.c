/* bus_note.c -- what workers tell each other about a room:
 * "<kind> <number> <epoch or -> <user or ->\n<frame>". */
#include "plugins/chat/bus_note.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_MOST = 128, EPOCH_MOST = 39, USER_MOST = 36 };

/* "-" for what is absent, or too long to be one. */
static parley_str word_of(parley_str word, size_t most)
{
    return word.n > 0 && word.n <= most ? word : (parley_str){ "-", 1 };
}

char *bus_note_write(const struct bus_note *note, size_t *ret_n)
{
    char head[HEAD_MOST];
    parley_str epoch = word_of(note->epoch, EPOCH_MOST);
    parley_str user = word_of(note->user, USER_MOST);
    int n = snprintf(head, sizeof(head), "%" PRIu32 " %" PRId64 " %.*s %.*s\n", note->kind,
                     note->number, (int)epoch.n, epoch.p, (int)user.n, user.p);
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

/* A word up to the byte `end`; moves `at` behind it. */
static bool word_take(parley_str bytes, char end, size_t most, size_t *at, parley_str *ret)
{
    const char *from = bytes.p + *at;
    const char *to = memchr(from, end, bytes.n - *at);

    if (!to || to == from || (size_t)(to - from) > most)
        return false;
    *ret = (parley_str){ from, (size_t)(to - from) };
    if (ret->n == 1 && *from == '-')
        ret->n = 0;
    *at = (size_t)(to + 1 - bytes.p);
    return true;
}

bool bus_note_parse(parley_str bytes, struct bus_note *ret)
{
    size_t at = 0;
    int64_t kind;
    int64_t number;
    parley_str epoch;
    parley_str user;

    if (!number_take(bytes, &at, &kind) || !number_take(bytes, &at, &number) || kind > UINT32_MAX)
        return false;
    if (!word_take(bytes, ' ', EPOCH_MOST, &at, &epoch) ||
        !word_take(bytes, '\n', USER_MOST, &at, &user))
        return false;
    *ret = (struct bus_note){ .kind = (uint32_t)kind,
                              .number = number,
                              .epoch = epoch,
                              .user = user,
                              .frame = { bytes.p + at, bytes.n - at } };
    return true;
}
