/* conn.c -- sockets, rooms and frames. */
#include "internal.h"

#include <stdio.h>

enum { QUEUE_MAX = 1 << 20 /* bytes at which a socket is slow */ };

static fake_socket *socket_any(parley_conn conn)
{
    if (conn.id == 0 || conn.id > fake.sockets.n)
        fail_msg("there is no socket %llu", (unsigned long long)conn.id);
    return fake.sockets.p[conn.id - 1];
}

fake_socket *fake_socket_of(parley_conn conn)
{
    if (conn.id == 0 || conn.id > fake.sockets.n)
        return NULL;
    fake_socket *s = fake.sockets.p[conn.id - 1];
    return s->gone ? NULL : s;
}

parley_conn fake_conn(const char *path, const char *user)
{
    fake_socket *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->path = fake_dup(str_of(path));
    s->user = user ? fake_dup(str_of(user)) : NULL;
    s->peer = fake_dup(STR("192.0.2.1"));
    for (size_t i = 0; i < fake.routes.n; i++) {
        const fake_route_item *item = fake.routes.p[i];

        if (strcmp(item->def.method, "WS") == 0 && fake_path_match(item->def.path, path, NULL))
            (void)fake_path_match(item->def.path, path, &s->params);
    }
    fake_vec_push(&fake.sockets, s);
    s->id = fake.sockets.n;
    return (parley_conn){ s->id };
}

static int api_ws_open(parley_req req, parley_conn *ret)
{
    fake_request *r = fake_request_of(req);

    if (!r || r->gone || r->answered || strcmp(r->method, "WS") != 0) {
        if (r && r->state == REQUEST_PENDING)
            (void)fake.api.go_on(req);
        return PARLEY_EGONE;
    }
    parley_conn conn = fake_conn(r->path, r->user);
    fake_socket *s = socket_any(conn);
    free(s->peer);
    s->peer = fake_dup(str_of(r->peer));
    parley_conn_info info = { PARLEY_SIZED(parley_conn_info), .conn = conn, .req = req };
    if (fake_hooks_run("conn.open", &info) != PARLEY_NEXT) {
        s->gone = true;
        (void)fake.api.deny(req, 403, "forbidden", "Forbidden.");
        return PARLEY_EGONE;
    }
    r->opened = conn;
    (void)fake.api.reply(req, 101, NULL, STR_NONE);
    if (ret)
        *ret = conn;
    return PARLEY_OK;
}

/* ---- frames ---- */

static parley_frame *frame_new(str text, uint32_t flags)
{
    parley_frame *f = calloc(1, sizeof(*f) + text.n + 1);

    if (!f)
        abort();
    f->refs = 1;
    f->flags = flags;
    f->n = text.n;
    if (text.n)
        memcpy(f->text, text.p, text.n);
    fake.live_frames++;
    return f;
}

static parley_frame *api_frame(const char *type, const parley_json *data, uint32_t flags)
{
    parley_json *whole = fake.api.json_obj();
    buf text;

    buf_init(&text, FAKE_TEXT);
    if (type) {
        (void)fake.api.json_set(whole, "type", fake.api.json_s(str_of(type)));
        for (size_t i = 0; i < fake.api.json_len(data); i++)
            (void)fake.api.json_set(whole, fake.api.json_key(data, i).p,
                                    fake.api.json_copy(fake.api.json_at(data, i)));
    }
    (void)json_write(type ? whole : data, &text);
    parley_frame *f = frame_new(buf_str(&text), flags);
    buf_done(&text);
    json_release(whole);
    return f;
}

static parley_frame *api_frame_text(parley_str json, uint32_t flags)
{
    return frame_new(json, flags);
}

static void api_frame_unref(parley_frame *f)
{
    if (f && --f->refs == 0) {
        fake.live_frames--;
        free(f);
    }
}

static int api_send(parley_conn conn, parley_frame *f)
{
    fake_socket *s = fake_socket_of(conn);

    if (!s || s->close_code)
        return PARLEY_EGONE;
    if (s->queued >= QUEUE_MAX && (f->flags & PARLEY_F_EPHEMERAL))
        return PARLEY_EAGAIN;
    fake_vec_push(&s->frames, fake_dup((str){ f->text, f->n }));
    return PARLEY_OK;
}

/* ---- rooms ---- */

static char **room_slot(const fake_socket *s, str room)
{
    for (size_t i = 0; i < s->rooms.n; i++)
        if (s->rooms.p[i] && str_eq(str_of(s->rooms.p[i]), room))
            return (char **)&s->rooms.p[i];
    return NULL;
}

static int api_join(parley_conn conn, parley_str room)
{
    fake_socket *s = fake_socket_of(conn);

    if (!s)
        return PARLEY_EGONE;
    if (!room_slot(s, room))
        fake_vec_push(&s->rooms, fake_dup(room));
    return PARLEY_OK;
}

static int api_leave(parley_conn conn, parley_str room)
{
    fake_socket *s = fake_socket_of(conn);
    char **slot = s ? room_slot(s, room) : NULL;

    if (slot) {
        free(*slot);
        *slot = NULL;
    }
    return s ? PARLEY_OK : PARLEY_EGONE;
}

/* The open sockets of a room (absent: all) and a user (absent: all), one after the other. */
static fake_socket *socket_next(size_t *at, str room, str user)
{
    while (*at < fake.sockets.n) {
        fake_socket *s = fake.sockets.p[(*at)++];
        bool in_room = !room.p || room_slot(s, room);
        bool of_user = !user.p || str_eq(str_of(s->user), user);

        if (!s->gone && in_room && of_user)
            return s;
    }
    return NULL;
}

static int api_room_send(parley_str room, parley_frame *f, parley_conn except)
{
    int sent = 0;

    size_t at = 0;
    for (fake_socket *s = socket_next(&at, room, STR_NONE); s; s = socket_next(&at, room, STR_NONE))
        if (s->id != except.id)
            sent += api_send((parley_conn){ s->id }, f) == PARLEY_OK;
    return sent;
}

static int api_room_size(parley_str room)
{
    size_t at = 0;
    int n = 0;

    while (socket_next(&at, room, STR_NONE))
        n++;
    return n;
}

static int api_user_send(parley_str user, parley_frame *f)
{
    size_t at = 0;
    int sent = 0;

    for (fake_socket *s = socket_next(&at, STR_NONE, user); s; s = socket_next(&at, STR_NONE, user))
        sent += api_send((parley_conn){ s->id }, f) == PARLEY_OK;
    return sent;
}

static int api_conn_close(parley_conn conn, int code, parley_str reason)
{
    fake_socket *s = fake_socket_of(conn);

    if (!s || s->close_code)
        return PARLEY_EGONE;
    if (reason.n > 123)
        fail_msg("a close reason has at most 123 bytes");
    s->close_code = code;
    return PARLEY_OK;
}

static int close_all(str room, str user, int code, str reason)
{
    size_t at = 0;
    int closed = 0;

    for (fake_socket *s = socket_next(&at, room, user); s; s = socket_next(&at, room, user))
        closed += api_conn_close((parley_conn){ s->id }, code, reason) == PARLEY_OK;
    return closed;
}

static int api_room_close(parley_str room, parley_str user, int code, parley_str reason)
{
    return close_all(room, user, code, reason);
}

static int api_user_close(parley_str user, int code, parley_str reason)
{
    return user.p ? close_all(STR_NONE, user, code, reason) : PARLEY_EINVAL;
}

/* ---- one socket ---- */

static parley_str api_conn_user(parley_conn conn)
{
    const fake_socket *s = fake_socket_of(conn);

    return s ? str_of(s->user) : STR_NONE;
}

static parley_str api_conn_peer(parley_conn conn)
{
    const fake_socket *s = fake_socket_of(conn);

    return s ? str_of(s->peer) : STR_NONE;
}

static void slot_free(fake_socket *s)
{
    if (s->slot && s->slot_free)
        s->slot_free(s->slot);
    s->slot = NULL;
}

static int api_conn_set(parley_ctx *ctx, parley_conn conn, void *value, parley_free_fn free_fn)
{
    fake_socket *s = fake_socket_of(conn);

    (void)ctx;
    if (!s)
        return PARLEY_EGONE;
    if (s->slot != value)
        slot_free(s);
    s->slot = value;
    s->slot_free = free_fn;
    return PARLEY_OK;
}

static void *api_conn_get(parley_ctx *ctx, parley_conn conn)
{
    const fake_socket *s = fake_socket_of(conn);

    (void)ctx;
    return s ? s->slot : NULL;
}

static int64_t api_conn_queued(parley_conn conn)
{
    const fake_socket *s = fake_socket_of(conn);

    return s ? s->queued : PARLEY_EGONE;
}

static int api_on_drain(parley_ctx *ctx, parley_conn conn, parley_done_fn fn, void *ud)
{
    fake_socket *s = fake_socket_of(conn);
    fake_drain *d = calloc(1, sizeof(*d));

    (void)ctx;
    if (!s || !d) {
        free(d);
        return PARLEY_EGONE;
    }
    *d = (fake_drain){ fn, ud };
    fake_vec_push(&s->drains, d);
    return PARLEY_OK;
}

static void drains_run(fake_socket *s, int status)
{
    fake_vec waiting = s->drains;

    s->drains = (fake_vec){ NULL, 0 };
    for (size_t i = 0; i < waiting.n; i++) {
        fake_drain *d = waiting.p[i];

        d->fn(fake_ctx(), status, d->ud);
        free(d);
    }
    free(waiting.p);
    fake_run();
}

/* ---- what tests ask and do ---- */

size_t fake_frames(parley_conn conn)
{
    return socket_any(conn)->frames.n;
}

const char *fake_frame(parley_conn conn, size_t i)
{
    const fake_socket *s = socket_any(conn);

    return i < s->frames.n ? s->frames.p[i] : NULL;
}

const char *fake_frame_last(parley_conn conn)
{
    size_t n = fake_frames(conn);

    return n ? fake_frame(conn, n - 1) : "";
}

static void texts_free(fake_vec *v)
{
    for (size_t i = 0; i < v->n; i++)
        free(v->p[i]);
    free(v->p);
    *v = (fake_vec){ NULL, 0 };
}

void fake_frames_clear(parley_conn conn)
{
    texts_free(&socket_any(conn)->frames);
}

int fake_closed(parley_conn conn)
{
    return socket_any(conn)->close_code;
}

bool fake_in_room(parley_conn conn, const char *room)
{
    return room_slot(socket_any(conn), str_of(room)) != NULL;
}

void fake_hang_up(parley_conn conn, int code)
{
    fake_socket *s = socket_any(conn);

    if (s->gone)
        return;
    parley_conn_info info = { PARLEY_SIZED(parley_conn_info), .code = code, .conn = conn };
    (void)fake_hooks_run("conn.close", &info);
    texts_free(&s->rooms);
    slot_free(s);
    s->gone = true;
    drains_run(s, PARLEY_EGONE);
}

void fake_slow(parley_conn conn, int64_t queued)
{
    socket_any(conn)->queued = queued;
}

void fake_drained(parley_conn conn)
{
    fake_slow(conn, 0);
    drains_run(socket_any(conn), PARLEY_OK);
}

/* ---- the table, and the end ---- */

static parley_str api_json_text(parley_ctx *ctx, const parley_json *j)
{
    buf text;

    (void)ctx;
    buf_init(&text, FAKE_TEXT);
    int err = json_write(j, &text);
    str copy = err < 0 ? STR_NONE : arena_str(&fake.views, buf_str(&text));
    buf_done(&text);
    return copy;
}

static parley_str api_json_join(parley_ctx *ctx, const parley_jpart *parts, size_t n)
{
    buf text;

    (void)ctx;
    buf_init(&text, FAKE_TEXT);
    int err = json_join(parts, n, &text);
    str copy = err < 0 ? STR_NONE : arena_str(&fake.views, buf_str(&text));
    buf_done(&text);
    return copy;
}

void fake_conn_api(parley_api *api)
{
    api->ws_open = api_ws_open;
    api->frame = api_frame;
    api->frame_text = api_frame_text;
    api->frame_unref = api_frame_unref;
    api->send = api_send;
    api->join = api_join;
    api->leave = api_leave;
    api->room_send = api_room_send;
    api->room_size = api_room_size;
    api->room_close = api_room_close;
    api->user_send = api_user_send;
    api->user_close = api_user_close;
    api->conn_user = api_conn_user;
    api->conn_peer = api_conn_peer;
    api->conn_set = api_conn_set;
    api->conn_get = api_conn_get;
    api->conn_close = api_conn_close;
    api->conn_queued = api_conn_queued;
    api->on_drain = api_on_drain;
    api->json_text = api_json_text;
    api->json_join = api_json_join;
}

void fake_sockets_done(void)
{
    for (size_t i = 0; i < fake.sockets.n; i++) {
        fake_socket *s = fake.sockets.p[i];

        slot_free(s);
        texts_free(&s->frames);
        texts_free(&s->rooms);
        texts_free(&s->drains);
        fake_named_free(&s->params);
        free(s->path);
        free(s->user);
        free(s->peer);
        free(s);
    }
    free(fake.sockets.p);
    fake.sockets = (fake_vec){ NULL, 0 };
}
