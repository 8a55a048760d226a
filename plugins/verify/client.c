/* client.c -- a client: it follows a room by socket, is cut, comes back, and goes on where it was.
 *
 *   AWAY -> OPENING -> (CATCHING_UP ->) LIVE -> AWAY
 *
 * It comes back with ?after=&epoch=, or now and then as an older client would: with a socket that is
 * live at once, and the frame "resume". */
#include "plugins/verify/record.h"
#include "plugins/verify/run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BY_FRAME = 20 /* of a hundred */, BACK_MS = 20, BACK_MOST_MS = 1000, PATH_SIZE = 300 };

static void client_become(client *c, enum client_state state)
{
    c->state = state;
    c->since_ns = parley->mono_ns();
}

bool client_is_live(const client *c)
{
    return c->state == CLIENT_LIVE && ws_is_open(&c->ws) && !c->ws.cable.is_paused;
}

sight *client_shown(client *c, enum shown_kind kind, int64_t seq, const char *epoch)
{
    verify *v = c->v;
    sight *f = c->log < 0 ? NULL : LIST_ADD(v->h.sockets.all[c->log].frames, &v->h.failed);
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

/* ---- the end of a socket ---- */

void client_lost(client *c, int code)
{
    verify *v = c->v;
    uint32_t most = BACK_MS << (c->failures < 6 ? c->failures : 6);
    int64_t now = parley->mono_ns();

    if (c->log >= 0) {
        socket_log *s = &v->h.sockets.all[c->log];
        s->closed = run_now(v);
        s->code = code;
        record_closed(v->record, s);
    }
    c->log = -1;
    if (c->state != CLIENT_AWAY && c->cut_ns == 0)
        c->cut_ns = now;
    client_become(c, CLIENT_AWAY);
    c->again_ns = now + (int64_t)dice(v, most < BACK_MOST_MS ? most : BACK_MOST_MS) * 1000000;
    c->paused_until_ns = 0;
    c->is_reset_due = false;
    letters_lost(c);
}

void client_cut(client *c, enum cable_cut how)
{
    ws_cut(&c->ws, how);
    client_lost(c, 1006);
}

static void client_denied(client *c, int status)
{
    verify *v = c->v;
    denial *d = LIST_ADD(v->h.denials, &v->h.failed);

    if (!d)
        return;
    *d = (denial){ c->name, c->who->id, c->room, run_now(v), status };
    record_denial(v->record, d);
}

static void client_ended(void *ud, const ws_end *end)
{
    client *c = ud;

    if (end->status == 401 || end->status == 403 || end->status == 404)
        client_denied(c, end->status);
    c->failures += c->state == CLIENT_OPENING;
    client_lost(c, end->code);
}

/* ---- its beginning ---- */

static void client_ask(client *c, int64_t after)
{
    char frame[160];
    int n = snprintf(frame, sizeof(frame),
                     "{\"type\":\"resume\",\"after\":%" PRId64 ",\"epoch\":\"%.64s\"}", after,
                     c->epoch);
    const sight *f = client_shown(c, SHOWN_ASKED, after, c->epoch);

    if (f)
        record_shown(c->v->record, &c->v->h.sockets.all[c->log], f);
    c->last = after;
    client_become(c, CLIENT_CATCHING_UP);
    ws_text(&c->ws, frame, (size_t)n);
}

static void client_opened(void *ud)
{
    client *c = ud;
    verify *v = c->v;
    char name[64];
    int n = snprintf(name, sizeof(name), "%s.%u", c->name, ++c->sockets);
    socket_log *s = LIST_ADD(v->h.sockets, &v->h.failed);
    bool is_by_query = strchr(c->ws.path, '?') != NULL;

    if (!s)
        return;
    *s = (socket_log){ .name = word(&v->h.words, name, (size_t)n),
                       .client = c->name,
                       .user = c->who->id,
                       .room = c->room,
                       .epoch = c->epoch,
                       .after = is_by_query ? c->last : -1,
                       .floor = -1,
                       .opened = run_now(v),
                       .closed = INFINITY };
    c->log = (ptrdiff_t)v->h.sockets.n - 1;
    c->failures = 0;
    record_opened(v->record, s);
    client_become(c, CLIENT_CATCHING_UP);
}

static void client_open(client *c)
{
    char path[PATH_SIZE];
    bool is_by_query = *c->epoch && dice(c->v, 100) >= BY_FRAME;

    if (is_by_query)
        (void)snprintf(path, sizeof(path), "/ws/chat/%s/?after=%" PRId64 "&epoch=%.64s", c->room,
                       c->last, c->epoch);
    else
        (void)snprintf(path, sizeof(path), "/ws/chat/%s/", c->room);
    client_become(c, CLIENT_OPENING);
    if (ws_open(&c->ws, path, c->who->token) < 0) {
        c->failures++;
        client_lost(c, 1006);
    }
}

/* ---- frames: what frame.c makes of them ---- */

static void client_text(void *ud, parley_str frame)
{
    frame_take(ud, frame);
}

/* ---- life ---- */

void client_init(client *c, verify *v, size_t number)
{
    static const ws_up up = { client_opened, client_text, client_ended };
    char name[24];
    int n = snprintf(name, sizeof(name), "client%zu", number + 1);

    *c = (client){ .v = v,
                   .who = &v->people[number % v->people_n],
                   .hall = number % v->hall_n,
                   .name = word(&v->h.words, name, (size_t)n),
                   .log = -1,
                   .job = { .under_way = -1 } };
    c->room = v->halls[c->hall];
    c->epoch = word(&v->h.words, NULL, 0);
    ws_init(&c->ws, v->ctx, &v->target, &up, c);
    rest_init(&c->rest, v->ctx, &v->target, c->who->token);
}

void client_done(client *c)
{
    ws_done(&c->ws);
    rest_done(&c->rest);
}

void client_look(client *c, int64_t now_ns)
{
    rest_look(&c->rest, now_ns, ANSWER_NS);
    if (c->paused_until_ns && now_ns >= c->paused_until_ns) {
        c->paused_until_ns = 0;
        if (c->is_reset_due)
            client_cut(c, CABLE_RST);
        else
            cable_pause(&c->ws.cable, false);
    }
    if (c->state == CLIENT_AWAY && now_ns >= c->again_ns)
        client_open(c);
    else if (c->state == CLIENT_OPENING && now_ns - c->since_ns > ANSWER_NS)
        client_cut(c, CABLE_RST);
    letters_look(c, now_ns);
}

void client_again(client *c, int64_t back)
{
    client_ask(c, c->last > back ? c->last - back : 0);
}
