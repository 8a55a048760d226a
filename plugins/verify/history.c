/* history.c -- life of a history, and of the lists in it. */
#include "plugins/verify/history.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_FIRST = 16 };

bool list_grow(void *all, size_t *cap, size_t n, size_t size, bool *failed)
{
    void *old;

    memcpy(&old, all, sizeof(old));
    if (n == *cap) {
        size_t more = *cap ? *cap * 2 : LIST_FIRST;
        void *bigger = realloc(old, more * size);

        if (!bigger) {
            *failed = true;
            return false;
        }
        memcpy(all, &bigger, sizeof(bigger));
        *cap = more;
        old = bigger;
    }
    memset((char *)old + n * size, 0, size);
    return true;
}

void history_init(history *h)
{
    *h = (history){ .stored_by = INFINITY, .repair_s = -1 };
    words_init(&h->words);
}

void history_done(history *h)
{
    for (size_t i = 0; i < h->sockets.n; i++)
        free(h->sockets.all[i].frames.all);
    for (size_t i = 0; i < h->rooms.n; i++) {
        free(h->rooms.all[i].events.all);
        free(h->rooms.all[i].messages.all);
        free(h->rooms.all[i].reactions.all);
    }
    free(h->sends.all);
    free(h->revisions.all);
    free(h->sockets.all);
    free(h->readings.all);
    free(h->changes.all);
    free(h->denials.all);
    free(h->standings.all);
    free(h->disturbances.all);
    free(h->epochs.all);
    free(h->rooms.all);
    free(h->troubles.all);
    words_done(&h->words);
    *h = (history){ 0 };
}

bool history_is_lost(const history *h)
{
    return h->failed || h->words.failed;
}

room *history_room(history *h, const char *id)
{
    for (size_t i = 0; i < h->rooms.n; i++)
        if (h->rooms.all[i].id == id)
            return &h->rooms.all[i];
    room *r = LIST_ADD(h->rooms, &h->failed);

    if (!r)
        return NULL;
    r->id = id;
    r->epoch = word(&h->words, NULL, 0);
    r->count = r->rows = -1;
    return r;
}

const char *history_origin(history *h, const char *content)
{
    const char *edit = strrchr(content, '~');

    if (!edit || !edit[1] || edit[1 + strspn(edit + 1, "0123456789")] != '\0')
        return content;
    return word(&h->words, content, (size_t)(edit - content));
}

socket_log *history_socket(history *h, const char *name)
{
    for (size_t i = h->sockets.n; i > 0; i--)
        if (h->sockets.all[i - 1].name == name)
            return &h->sockets.all[i - 1];
    return NULL;
}
