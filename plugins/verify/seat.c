/* seat.c -- a client's place in each room that its socket follows.
 *
 * A socket of one room has one seat.  One for several (/ws/) subscribes to all of them in one frame, each
 * from its place; the client is live when it has caught up in all.  In the history each seat is a
 * socket of its own: what is promised is promised per room. */
#include "plugins/verify/record.h"
#include "plugins/verify/run.h"

#include <inttypes.h>
#include <string.h>

enum { SHARED_EVERY = 4, SUBSCRIBE_SIZE = 128 + SEATS_MOST * 192 };

void seats_init(client *c, size_t number)
{
    verify *v = c->v;

    c->is_shared = number % SHARED_EVERY == SHARED_EVERY - 1;
    c->seat_n = !c->is_shared ? 1 : v->hall_n < SEATS_MOST ? v->hall_n : SEATS_MOST;
    for (size_t i = 0; i < c->seat_n; i++)
        c->seats[i] = (seat){ .room = v->halls[(number + i) % v->hall_n],
                              .epoch = word(&v->h.words, NULL, 0),
                              .log = -1 };
}

seat *seat_of(client *c, const char *id)
{
    if (!c->is_shared)
        return &c->seats[0];
    for (size_t i = 0; i < c->seat_n; i++)
        if (c->seats[i].room == id)
            return &c->seats[i];
    return NULL;
}

/* ---- in the history ---- */

sight *seat_shown(client *c, const seat *s, enum shown_kind kind, int64_t seq, const char *epoch)
{
    verify *v = c->v;
    sight *f = s->log < 0 ? NULL : LIST_ADD(v->h.sockets.all[s->log].frames, &v->h.failed);
    const char *none = word(&v->h.words, NULL, 0);

    if (f)
        *f = (sight){ .at = run_now(v),
                      .kind = kind,
                      .seq = seq,
                      .epoch = epoch,
                      .type = none,
                      .id = none,
                      .content = none,
                      .sender = none,
                      .count = -1 };
    return f;
}

void seat_write(client *c, const seat *s, const sight *f)
{
    if (f)
        record_shown(c->v->record, &c->v->h.sockets.all[s->log], f);
}

void seat_open(client *c, seat *s, int64_t after)
{
    verify *v = c->v;
    char name[64];
    int n = snprintf(name, sizeof(name), "%s.%u", c->name, ++c->sockets);
    socket_log *log = LIST_ADD(v->h.sockets, &v->h.failed);

    if (!log)
        return;
    *log = (socket_log){ .name = word(&v->h.words, name, (size_t)n),
                         .client = c->name,
                         .user = c->who->id,
                         .room = s->room,
                         .epoch = s->epoch,
                         .after = after,
                         .floor = -1,
                         .opened = run_now(v),
                         .closed = INFINITY };
    s->log = (ptrdiff_t)v->h.sockets.n - 1;
    record_opened(v->record, log);
}

void seats_lost(client *c, int code)
{
    verify *v = c->v;

    for (size_t i = 0; i < c->seat_n; i++) {
        seat *s = &c->seats[i];

        s->is_live = false;
        if (s->log < 0)
            continue;
        socket_log *log = &v->h.sockets.all[s->log];
        log->closed = run_now(v);
        log->code = code;
        record_closed(v->record, log);
        s->log = -1;
    }
}

/* ---- catching up ---- */

static int place_write(const seat *s, int64_t after, char *into, size_t size)
{
    return *s->epoch
               ? snprintf(into, size, "\"after\":%" PRId64 ",\"epoch\":\"%.64s\"", after, s->epoch)
               : 0;
}

void seats_subscribe(client *c)
{
    char frame[SUBSCRIBE_SIZE];
    size_t n = (size_t)snprintf(frame, sizeof(frame), "{\"type\":\"subscribe\",\"rooms\":{");

    for (size_t i = 0; i < c->seat_n; i++) {
        seat *s = &c->seats[i];
        char place[120] = "";

        (void)place_write(s, s->last, place, sizeof(place));
        n += (size_t)snprintf(frame + n, sizeof(frame) - n, "%s\"%.36s\":{%s}", i ? "," : "",
                              s->room, place);
        if (*s->epoch)
            seat_open(c, s, s->last);
    }
    n += (size_t)snprintf(frame + n, sizeof(frame) - n, "}}");
    ws_text(&c->ws, frame, n);
}

void seat_again(client *c, seat *s, int64_t back)
{
    char frame[256], place[120] = "";
    int64_t after = s->last > back ? s->last - back : 0;
    int n;

    (void)place_write(s, after, place, sizeof(place));
    if (c->is_shared)
        n = snprintf(frame, sizeof(frame), "{\"type\":\"subscribe\",\"rooms\":{\"%.36s\":{%s}}}",
                     s->room, place);
    else
        n = snprintf(frame, sizeof(frame), "{\"type\":\"resume\",%s}", place);
    seat_write(c, s, seat_shown(c, s, SHOWN_ASKED, after, s->epoch));
    s->last = after;
    s->is_live = false;
    client_become(c, CLIENT_CATCHING_UP);
    ws_text(&c->ws, frame, (size_t)n);
}

void seat_served(client *c, seat *s)
{
    int64_t now = parley->mono_ns();

    s->is_live = true;
    for (size_t i = 0; i < c->seat_n; i++)
        if (!c->seats[i].is_live)
            return;
    client_become(c, CLIENT_LIVE);
    if (c->cut_ns) {
        sample *one = LIST_ADD(c->v->back_us, &c->v->failed);
        if (one)
            one->us = (uint32_t)((now - c->cut_ns) / 1000);
    }
    c->cut_ns = 0;
    letters_look(c, now);
}
