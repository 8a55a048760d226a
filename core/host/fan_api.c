/* fan_api.c -- frames, rooms, users: one text to many sockets. */
#include "core/host/socket.h"

#include "core/base/json.h"

/* ---- frames ---- */

/* {"type":"x", and then what stands in the object `data` behind its brace. */
static int frame_write(buf *to, const char *type, const parley_json *data)
{
    arena quoting;
    buf inner;

    arena_init(&quoting, 4096);
    str name = json_quote(&quoting, str_of(type));
    (void)buf_add(to, STR("{\"type\":"));
    int err = name.p ? buf_add(to, name) : -ENOMEM;
    arena_done(&quoting);
    if (err < 0)
        return err;
    if (!data || api_table()->json_len(data) == 0)
        return buf_add(to, STR("}"));
    buf_init(&inner, JSON_TEXT_MAX);
    err = json_write(data, &inner);
    if (err == 0)
        err = buf_byte(to, ',');
    if (err == 0)
        err = buf_add(to, str_tail(buf_str(&inner), 1));
    buf_done(&inner);
    return err;
}

static parley_frame *api_frame(const char *type, const parley_json *data, uint32_t flags)
{
    host *h = host_here();
    const parley_api *api = api_table();

    if (!h || (type && data && api->json_type(data) != PARLEY_J_OBJ) || (!type && !data))
        return NULL;
    buf text;
    buf_init(&text, JSON_TEXT_MAX);
    int err = type ? frame_write(&text, type, data) : json_write(data, &text);
    frame *made = err == 0 ? frame_create(buf_str(&text), flags) : NULL;
    buf_done(&text);
    return made;
}

static parley_frame *api_frame_text(str json, uint32_t flags)
{
    return frame_create(json, flags);
}

static void api_frame_unref(parley_frame *f)
{
    if (f)
        frame_unref(f);
}

static int send_result(int err)
{
    if (err == 0)
        return PARLEY_OK;
    if (err == -EAGAIN)
        return PARLEY_EAGAIN;
    return err == -ENOMEM ? PARLEY_ENOMEM : PARLEY_EGONE;
}

static int api_send(parley_conn id, parley_frame *f)
{
    host *h = host_here();
    conn *c = h ? socket_find(h, id, NULL) : NULL;

    if (!c || c == h->closing)
        return PARLEY_EGONE;
    return f ? send_result(conn_send(c, f)) : PARLEY_EINVAL;
}

/* ---- rooms ---- */

static int api_join(parley_conn id, str room_name)
{
    host *h = host_here();
    conn *c = h ? socket_find(h, id, NULL) : NULL;

    if (!c || c == h->closing)
        return PARLEY_EGONE;
    return room_name.n == 0 ? PARLEY_EINVAL : send_result(room_join(c, room_name));
}

static int api_leave(parley_conn id, str room_name)
{
    host *h = host_here();
    conn *c = h ? socket_find(h, id, NULL) : NULL;

    if (!c || c == h->closing)
        return PARLEY_EGONE;
    return room_leave(c, room_name) < 0 ? PARLEY_ENOENT : PARLEY_OK;
}

static int api_room_send(str room_name, parley_frame *f, parley_conn except)
{
    host *h = host_here();

    if (!h || !h->net || !f)
        return PARLEY_EINVAL;
    return room_send(h->net, room_name, f, except.id ? conn_find(h->net, except.id) : NULL);
}

static int api_room_size(str room_name)
{
    host *h = host_here();

    return h && h->net ? (int)room_size(h->net, room_name) : 0;
}

typedef struct closing {
    str user; /* absent: everybody */
    int code;
    str reason;
    int n;
} closing;

static void closing_one(conn *c, void *ud)
{
    closing *all = ud;

    if (all->user.p && !str_eq(conn_user(c), all->user))
        return;
    conn_close(c, all->code, all->reason);
    all->n++;
}

static int api_room_close(str room_name, str user, int code, str reason)
{
    host *h = host_here();
    closing all = { user, code, reason, 0 };

    if (!h || !h->net || reason.n > 123)
        return PARLEY_EINVAL;
    room_each(h->net, room_name, closing_one, &all);
    return all.n;
}

/* ---- users ---- */

typedef struct sending {
    frame *frame;
    int n;
} sending;

static void sending_one(conn *c, void *ud)
{
    sending *all = ud;

    if (conn_send(c, all->frame) == 0)
        all->n++;
}

static int api_user_send(str user, parley_frame *f)
{
    host *h = host_here();
    sending all = { f, 0 };

    if (!h || !h->net || !f || user.n == 0)
        return PARLEY_EINVAL;
    user_each(h->net, user, sending_one, &all);
    return all.n;
}

static int api_user_close(str user, int code, str reason)
{
    host *h = host_here();
    closing all = { STR_NONE, code, reason, 0 };

    if (!h || !h->net || user.n == 0 || reason.n > 123)
        return PARLEY_EINVAL;
    user_each(h->net, user, closing_one, &all);
    return all.n;
}

void api_fill_fan(parley_api *api)
{
    api->frame = api_frame;
    api->frame_text = api_frame_text;
    api->frame_unref = api_frame_unref;
    api->send = api_send;
    api->join = api_join;
    api->leave = api_leave;
    api->room_send = api_room_send;
    api->room_close = api_room_close;
    api->room_size = api_room_size;
    api->user_send = api_user_send;
    api->user_close = api_user_close;
}
