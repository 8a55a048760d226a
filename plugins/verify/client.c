/* client.c -- a client: it follows a room by socket, is cut, comes back, and goes on where it was.
 *
 *   AWAY -> OPENING -> (CATCHING_UP ->) LIVE -> AWAY
 *
 * It comes back with ?after=&epoch=, or now and then as an older client would: with a socket that is
 * live at once, and the frame "resume".  One with a socket for several rooms subscribes to them, each
 * from its place (seat.c). */
#include "plugins/verify/record.h"
#include "plugins/verify/run.h"

#include <inttypes.h>
#include <string.h>

enum { BY_FRAME = 20 /* of a hundred */, BACK_MS = 20, BACK_MOST_MS = 1000, PATH_SIZE = 300 };

void client_become(client *c, enum client_state state)
{
    c->state = state;
    c->since_ns = parley->mono_ns();
}

bool client_is_live(const client *c)
{
    return c->state == CLIENT_LIVE && ws_is_open(&c->ws) && !c->ws.cable.is_paused;
}

/* ---- the end of a socket ---- */

void client_lost(client *c, int code)
{
    verify *v = c->v;
    uint32_t most = BACK_MS << (c->failures < 6 ? c->failures : 6);
    int64_t now = parley->mono_ns();

    seats_lost(c, code);
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

void client_denied(client *c, const char *where, int status)
{
    verify *v = c->v;
    denial *d = LIST_ADD(v->h.denials, &v->h.failed);

    if (!d)
        return;
    *d = (denial){ c->name, c->who->id, where, run_now(v), status };
    record_denial(v->record, d);
}

static void client_ended(void *ud, const ws_end *end)
{
    client *c = ud;

    if (end->status == 401 || end->status == 403 || end->status == 404)
        client_denied(c, c->seats[0].room, end->status);
    c->failures += c->state == CLIENT_OPENING;
    client_lost(c, end->code);
}

/* ---- its beginning ---- */

static void client_opened(void *ud)
{
    client *c = ud;
    bool is_by_query = strchr(c->ws.path, '?') != NULL;

    c->failures = 0;
    c->v->sockets++;
    c->v->shared_sockets += c->is_shared;
    client_become(c, CLIENT_CATCHING_UP);
    if (!c->is_shared)
        seat_open(c, &c->seats[0], is_by_query ? c->seats[0].last : -1);
}

static void client_path(client *c, char into[PATH_SIZE])
{
    const seat *s = &c->seats[0];
    bool is_by_query = *s->epoch && dice(c->v, 100) >= BY_FRAME;

    if (c->is_shared)
        (void)snprintf(into, PATH_SIZE, "/ws/");
    else if (is_by_query)
        (void)snprintf(into, PATH_SIZE, "/ws/chat/%s/?after=%" PRId64 "&epoch=%.64s", s->room,
                       s->last, s->epoch);
    else
        (void)snprintf(into, PATH_SIZE, "/ws/chat/%s/", s->room);
}

static void client_open(client *c)
{
    char path[PATH_SIZE];

    client_path(c, path);
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
                   .name = word(&v->h.words, name, (size_t)n),
                   .job = { .under_way = -1 } };
    seats_init(c, number);
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
