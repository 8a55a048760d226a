/* fault.c -- what is done to the clients, and to the server: spread over the run, so that each cut
 * meets clients at work.
 *
 * A cut ends a connection.  What only hinders (a slow reader, a second resume) comes along with
 * some of them and is not counted as one. */
#include "plugins/verify/run.h"

enum {
    SLOW_SHARE = 15, /* of a hundred cuts, one of which is slow or resumes again as well */
    AGAIN_SHARE = 15,
    AGAIN_MOST = 300, /* events */
    TRIES_MOST = 40,
    PAUSE_MS = 1500,
    SERVED_S = 10
};

static bool client_is_open(const client *c)
{
    return c->state == CLIENT_CATCHING_UP || c->state == CLIENT_LIVE;
}

/* ---- cuts: false: this client is not in a state for it ---- */

static bool cut_reset(client *c)
{
    bool is_fit = client_is_open(c);

    if (is_fit)
        client_cut(c, CABLE_RST);
    return is_fit;
}

static bool cut_end(client *c)
{
    bool is_fit = client_is_open(c);

    if (is_fit)
        client_cut(c, CABLE_FIN);
    return is_fit;
}

static bool cut_half_closed(client *c)
{
    bool is_fit = client_is_live(c);

    if (is_fit)
        cable_shut(&c->ws.cable);
    return is_fit;
}

/* The server has read the head of a message that never ends. */
static bool cut_half_frame(client *c)
{
    char frame[512];
    const letter *l = &c->letters[0];
    int n = l->key ? letter_frame(c, l, frame) : 0;

    if (n <= 0 || !client_is_live(c))
        return false;
    ws_half(&c->ws, frame, (size_t)n);
    client_cut(c, CABLE_FIN);
    return true;
}

/* Reads nothing for a while, then resets: what the server wrote meanwhile is lost on the way. */
static bool cut_unread(client *c)
{
    if (!client_is_live(c))
        return false;
    cable_pause(&c->ws.cable, true);
    c->paused_until_ns = parley->mono_ns() + (int64_t)dice(c->v, PAUSE_MS) * 1000000 + 1;
    c->is_reset_due = true;
    return true;
}

/* Once now, and once more while it catches up. */
static bool cut_twice(client *c)
{
    if (!client_is_open(c))
        return false;
    c->is_struck_again = true;
    client_cut(c, CABLE_RST);
    return true;
}

static bool cut_opening(client *c)
{
    bool is_fit = c->state == CLIENT_OPENING;

    if (is_fit)
        client_cut(c, CABLE_RST);
    return is_fit;
}

/* A message is under way over REST, and nobody hears the answer. */
static bool cut_rest(client *c)
{
    bool is_fit = rest_is_busy(&c->rest);

    if (is_fit)
        rest_cut(&c->rest, dice(c->v, 2) ? CABLE_RST : CABLE_FIN, "cut");
    return is_fit;
}

/* ---- what only hinders ---- */

static bool hinder_slow(client *c)
{
    if (!client_is_live(c))
        return false;
    cable_pause(&c->ws.cable, true);
    c->paused_until_ns = parley->mono_ns() + (int64_t)(500 + dice(c->v, PAUSE_MS)) * 1000000;
    c->v->slowed++;
    return true;
}

static bool hinder_again(client *c)
{
    seat *s = &c->seats[dice(c->v, (uint32_t)c->seat_n)];

    if (!client_is_live(c))
        return false;
    seat_again(c, s, dice(c->v, AGAIN_MOST));
    c->v->asked_again++;
    return true;
}

/* ---- when ---- */

typedef bool (*fault_fn)(client *);
static const fault_fn cuts[] = { cut_reset,  cut_end,   cut_half_closed, cut_half_frame,
                                 cut_unread, cut_twice, cut_opening,     cut_rest,
                                 cut_reset,  cut_reset };

static bool strike_one(verify *v, fault_fn fault)
{
    for (int i = 0; i < TRIES_MOST; i++)
        if (fault(&v->clients[dice(v, (uint32_t)v->client_n)]))
            return true;
    return false;
}

static size_t due_of(const verify *v, int64_t all)
{
    size_t acked = v->acked + v->given_up, n = (size_t)v->opt.messages;

    return acked >= n ? (size_t)all : (size_t)all * acked / n;
}

/* Whether the server has taken somebody in since it was struck: one that is only just starting is not
 * struck again. */
static bool is_served_again(const verify *v, int64_t now_ns)
{
    for (size_t i = 0; i < v->client_n && v->struck_ns; i++)
        if (client_is_live(&v->clients[i]) && v->clients[i].since_ns > v->struck_ns)
            return true;
    return v->struck_ns == 0 || now_ns - v->struck_ns > SERVED_S * SECOND_NS;
}

bool fault_is_done(const verify *v)
{
    return v->cuts >= (size_t)v->opt.cuts && v->restarts >= (size_t)v->opt.restarts;
}

void fault_strike(verify *v, int64_t now_ns)
{
    size_t messages = (size_t)v->opt.messages, n = (size_t)v->opt.restarts;

    for (int i = 0; i < 4 && v->cuts < due_of(v, v->opt.cuts); i++) {
        uint32_t chance = dice(v, 100);

        v->cuts += strike_one(v, cuts[dice(v, sizeof(cuts) / sizeof(cuts[0]))]);
        if (chance < SLOW_SHARE)
            (void)strike_one(v, hinder_slow);
        else if (chance < SLOW_SHARE + AGAIN_SHARE)
            (void)strike_one(v, hinder_again);
    }
    if (v->restarts >= n || server_is_struck(v) || !is_served_again(v, now_ns))
        return;
    if ((v->acked + v->given_up) * (n + 1) < (v->restarts + 1) * messages)
        return;
    v->restarts++;
    v->struck_ns = now_ns;
    server_strike(v);
}
