/* presence.c -- the frame {"type":"presence","status":...}, and who of this worker takes part.
 *
 *   presence_event    the socket takes part from now on, as online or away
 *   presence_closed   it is gone
 *   presence_tick     ends the pauses of those who were told of
 *   presence_renew    each user's part of parley.kv three times in its time to live, so that those
 *                     of a worker that died run out */
#include "plugins/chat/presence.h"
#include "plugins/chat/fields.h"
#include "plugins/chat/place.h"
#include <stdlib.h>

enum { BUCKETS = 1024, TICK_MS = 1000, RENEWALS = 3, REST_TICKS = 2 };

const char *const presence_names[PRESENCE_STATUSES] = { "offline", "away", "online" };

struct voice { /* a socket that takes part */
    struct voice *next;
    uint64_t conn;
    struct presence *of;
    enum presence_status status;
};

static struct {
    struct voice *voices[BUCKETS];
    struct presence *users[BUCKETS];
    struct ring ring; /* the oldest is the one whose turn it is */
    uint32_t n;       /* users */
    struct presence *due, **due_last;
    uint32_t due_n;
    struct ring resting; /* the oldest is the first whose pause is over */
    int64_t ticks;
    int64_t ttl_ms, owed_ms; /* a renewal is due for each time to live in owed_ms */
    parley_timer timer;      /* id 0: nobody takes part */
} all = { .ring = RING_EMPTY(all.ring), .resting = RING_EMPTY(all.resting), .due_last = &all.due };

static void rests_end(void);

/* ---- users ---- */

static struct presence **users_of(int64_t key)
{
    return &all.users[((uint64_t)key * 0x9e3779b97f4a7c15u >> 40) % BUCKETS];
}

static struct presence *user_find(int64_t key)
{
    struct presence *one = *users_of(key);

    while (one && one->key != key)
        one = one->next;
    return one;
}

/* parley.kv holds what was told, until a change is: or there would be none to tell. */
static void presence_renew(void)
{
    for (all.owed_ms += (int64_t)all.n * TICK_MS * RENEWALS; all.owed_ms >= all.ttl_ms;
         all.owed_ms -= all.ttl_ms) {
        struct presence *one = RING_OF(all.ring.newer, struct presence, ring);

        ring_remove(&one->ring);
        ring_add(&all.ring, &one->ring);
        if (!one->is_due && !one->has_changed)
            presence_put(one->uid, presence_here(one));
    }
}

static void presence_tick(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    if (status < 0)
        return;
    all.ticks++;
    presence_renew();
    rests_end();
}

static struct presence *user_get(const parley_person *person)
{
    struct presence **at = users_of(person->key);
    struct presence *one = user_find(person->key);

    if (one)
        return one;
    one = calloc(1, sizeof(*one));
    if (!one)
        return NULL;
    *one = (struct presence){ .next = *at, .link = at, .key = person->key };
    uid_copy(one->uid, person->uid);
    if (one->next)
        one->next->link = &one->next;
    *at = one;
    ring_add(&all.ring, &one->ring);
    all.n++;
    if (!all.timer.id)
        all.timer = parley->timer(chat.ctx, TICK_MS, TICK_MS, presence_tick, NULL);
    return one;
}

static void user_forget(struct presence *one)
{
    if (one->resting.older)
        ring_remove(&one->resting);
    *one->link = one->next;
    if (one->next)
        one->next->link = one->link;
    ring_remove(&one->ring);
    free(one);
    if (--all.n > 0)
        return;
    parley->timer_stop(all.timer);
    all.timer = (parley_timer){ 0 };
    all.owed_ms = 0;
}

enum presence_status presence_here(const struct presence *one)
{
    enum presence_status status = PRESENCE_ONLINE;

    while (status > PRESENCE_OFFLINE && one->sockets[status] == 0)
        status--;
    return status;
}

/* ---- whose change is to be told ---- */

static void presence_due(struct presence *one)
{
    one->has_changed = one->resting.older != NULL;
    if (one->is_due || one->has_changed)
        return;
    one->is_due = true;
    one->due = NULL;
    *all.due_last = one;
    all.due_last = &one->due;
    all.due_n++;
    presence_tell_soon();
}

void presence_rest(struct presence *one)
{
    one->rests_until = all.ticks + REST_TICKS;
    ring_add(&all.resting, &one->resting);
}

/* Those without sockets whose end was told go; the last of them ends the ticks. */
static void rests_end(void)
{
    while (!ring_is_empty(&all.resting)) {
        struct presence *one = RING_OF(all.resting.newer, struct presence, resting);

        if (one->rests_until > all.ticks)
            return;
        ring_remove(&one->resting);
        if (one->has_changed)
            presence_due(one);
        else if (presence_here(one) == PRESENCE_OFFLINE)
            user_forget(one);
    }
}

uint32_t presence_due_n(void)
{
    return all.due_n;
}

struct presence *presence_take(void)
{
    struct presence *one = all.due;

    if (!one)
        return NULL;
    all.due = one->due;
    if (!all.due)
        all.due_last = &all.due;
    one->is_due = false;
    all.due_n--;
    return one;
}

/* ---- sockets ---- */

static struct voice **voice_place(uint64_t conn)
{
    struct voice **at = &all.voices[(conn * 0x9e3779b97f4a7c15u >> 40) % BUCKETS];

    while (*at && (*at)->conn != conn)
        at = &(*at)->next;
    return at;
}

/* NULL: no memory. */
static struct voice *voice_get(uint64_t conn, const parley_person *person)
{
    struct voice **at = voice_place(conn);
    struct voice *voice = *at ? *at : calloc(1, sizeof(*voice));

    if (!voice || *at)
        return voice;
    *voice = (struct voice){ .conn = conn, .of = user_get(person) };
    if (!voice->of) {
        free(voice);
        return NULL;
    }
    *at = voice;
    voice->of->sockets[PRESENCE_OFFLINE]++;
    return voice;
}

static void voice_say(struct voice *voice, enum presence_status status)
{
    struct presence *one = voice->of;
    enum presence_status before = presence_here(one);

    one->sockets[voice->status]--;
    one->sockets[status]++;
    voice->status = status;
    if (presence_here(one) != before)
        presence_due(one);
}

static int presence_closed(parley_ctx *ctx, void *info, void *ud)
{
    struct voice **at = voice_place(((const parley_conn_info *)info)->conn.id);
    struct voice *voice = *at;

    (void)ctx, (void)ud;
    if (!voice)
        return PARLEY_NEXT;
    voice_say(voice, PRESENCE_OFFLINE);
    voice->of->sockets[PRESENCE_OFFLINE]--;
    *at = voice->next;
    free(voice);
    return PARLEY_NEXT;
}

/* ---- the frame ---- */

static enum presence_status status_parse(const parley_json *in)
{
    parley_str text = parley->json_str(parley->json_get(in, "status"));
    enum presence_status status = PRESENCE_ONLINE;

    while (status > PRESENCE_OFFLINE && !str_equal(text, str_of(presence_names[status])))
        status--;
    return status;
}

/* The set of those sockets of a room's own that are told; `to` holds its name. */
static parley_str presence_set(parley_str uid, char to[SET_SIZE])
{
    parley_str set = feed_set(uid, to);

    to[0] = '!';
    return set;
}

static int presence_listen(parley_conn conn)
{
    void *slot = parley->conn_get(chat.ctx, conn);
    char set[SET_SIZE];

    if (!slot)
        return PARLEY_EGONE;
    if (*(enum slot_kind *)slot == SLOT_ROOM)
        return parley->join(conn, presence_set(str_of(((struct room *)slot)->uid), set));
    ((struct feed *)slot)->is_present = true;
    return PARLEY_OK;
}

int presence_event(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_conn conn = parley->req_conn(req);
    const parley_person *person = chat.auth->person(req);
    enum presence_status status = status_parse(parley->req_json(req));

    (void)ctx, (void)ud;
    if (!person)
        return PARLEY_DONE; /* the socket is on its way out */
    if (status == PRESENCE_OFFLINE) {
        parley_json *errors = parley->json_obj();

        field_error(errors, "status", "Must be online or away.");
        parley->deny_fields(req, errors);
        return PARLEY_DENY;
    }
    if (!chat.kv) {
        parley->deny(req, 503, "unavailable", "This server does not keep who is there.");
        return PARLEY_DENY;
    }
    struct voice *voice = voice_get(conn.id, person);
    int err = voice ? presence_listen(conn) : PARLEY_ENOMEM;

    if (voice)
        voice_say(voice, status);
    return err < 0 ? err : PARLEY_DONE;
}

void presence_show(parley_str uid, parley_frame *frame)
{
    const struct room *room = room_find(uid);
    char set[SET_SIZE];

    parley->room_send(presence_set(uid, set), frame, (parley_conn){ 0 });
    for (struct subscription *sub = room ? room->subscriptions : NULL; sub; sub = sub->next)
        if (sub->is_member && sub->feed->is_present && sub->feed->conn.id)
            (void)parley->send(sub->feed->conn, frame);
}

/* ---- parley.kv ---- */

static parley_str kv_key(parley_str uid, char to[64])
{
    int n = snprintf(to, 64, "chat.presence.%.*s", (int)uid.n, uid.p);

    return (parley_str){ to, (size_t)n < 64 ? (size_t)n : 63 };
}

void presence_put(const char *uid, enum presence_status status)
{
    char text[64];
    parley_str key = kv_key(str_of(uid), text);

    for (int s = PRESENCE_AWAY; s < PRESENCE_STATUSES; s++) {
        parley_str member = str_of(presence_names[s]);

        if (s == (int)status)
            (void)chat.kv->presence_join(chat.ctx, key, member, all.ttl_ms);
        else
            (void)chat.kv->presence_leave(chat.ctx, key, member);
    }
}

static enum presence_status members_status(const parley_kv_members *members)
{
    enum presence_status best = PRESENCE_OFFLINE;

    for (uint32_t i = 0; i < members->n; i++)
        for (int s = PRESENCE_AWAY; s < PRESENCE_STATUSES; s++)
            if (s > (int)best && str_equal(members->members[i], str_of(presence_names[s])))
                best = (enum presence_status)s;
    return best;
}

static void presence_got(parley_ctx *ctx, int status, const parley_kv_members *members, void *ud)
{
    struct presence_ask *ask = ud;

    (void)ctx;
    ask->done(ask, status, status < 0 ? PRESENCE_OFFLINE : members_status(members));
}

void presence_get(parley_str uid, struct presence_ask *ask)
{
    parley_kv_members members = { PARLEY_SIZED(parley_kv_members) };
    char text[64];
    int status =
        chat.kv ? chat.kv->presence_list(chat.ctx, kv_key(uid, text), &members, presence_got, ask)
                : PARLEY_ENOENT;

    if (status != PARLEY_PENDING)
        presence_got(chat.ctx, status, &members, ask);
}

/* ---- the server ---- */

int presence_load(parley_ctx *ctx, const parley_conf *conf)
{
    all.ttl_ms = parley->conf_int(conf, "presence_ttl");
    presence_tell_start();
    return parley->hook(ctx, "conn.close", PARLEY_APP, presence_closed, NULL);
}

void presence_stop(void)
{
    presence_tell_stop();
    while (all.due_n > 0)
        (void)presence_take(); /* nothing is told any more */
    while (!ring_is_empty(&all.ring)) {
        struct presence *one = RING_OF(all.ring.newer, struct presence, ring);

        presence_put(one->uid, PRESENCE_OFFLINE);
        user_forget(one);
    }
    for (size_t i = 0; i < BUCKETS; i++)
        while (all.voices[i]) {
            struct voice *voice = all.voices[i];

            all.voices[i] = voice->next;
            free(voice);
        }
}
