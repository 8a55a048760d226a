/* upgrade.c -- opening a WebSocket, and refusing one in words that a browser can read: a close
 * code. */
#include "core/host/socket.h"

#include "core/base/log.h"

/* The one of our subprotocols that was offered.  A key offered beside it ("token, <key>",
 * "parley.token.<key>") is never echoed. */
static str upgrade_protocol(call *c)
{
    static const str ours[] = { STR_LIT("parley.v1"), STR_LIT("token") };
    str offered = request_header(c->req, "sec-websocket-protocol");

    for (size_t i = 0; i < COUNT(ours); i++) {
        for (str one = STR_NONE, rest = offered; rest.n > 0;) {
            if (!str_cut(rest, ',', &one, &rest))
                rest = STR_NONE;
            if (str_eq(str_trim(one), ours[i]))
                return ours[i];
        }
    }
    return STR_NONE;
}

static int upgrade_accept(call *c)
{
    bool chosen = call_has_header(c, "Sec-WebSocket-Protocol");
    str head = call_head(c, 101, NULL);

    if (!head.p)
        return -ENOMEM;
    return ws_accept(c->req, chosen ? STR_NONE : upgrade_protocol(c), head);
}

/* ---- refusing ---- */

bool upgrade_is_browser(const call *c)
{
    const char *reason;

    if (c->is_event || !c->req->is_upgrade || (c->path && !c->is_ws) ||
        !str_eq(c->req->method, STR("GET")))
        return false;
    str origin = request_header(c->req, "origin");
    return origin.p && call_origin_allowed(c, origin) && ws_check(c->req, &reason) == 0;
}

static int refusal_code(int status)
{
    if (status == 429)
        return 4003;
    if (status == 503)
        return 1013;
    return status >= 500 ? 1011 : 4000 + status;
}

int upgrade_refuse(call *c, int status, const char *code)
{
    int err = upgrade_accept(c);

    if (err == 0)
        conn_close(c->req->conn, refusal_code(status), str_of(code));
    return err;
}

/* ---- opening ---- */

static bool upgrade_has_room(const call *c)
{
    uint32_t most = c->host->set->max_user_sockets;

    return !c->user.p || most == 0 || user_count(c->host->net, c->user) < most;
}

/* conn.open hooks; false: the socket is closed again. */
static bool upgrade_tell_open(const call *c, conn *opened)
{
    host *h = c->host;
    parley_conn_info info = { .size = sizeof(info),
                              .conn = { conn_handle(opened) },
                              .req = { c->req->handle } };

    if (!h->on_open || hook_run(h, h->on_open, &info) != PARLEY_DENY)
        return true;
    conn_close(opened, 4403, STR("forbidden"));
    return false;
}

static int upgrade_make(call *c, conn **ret)
{
    conn *opened = c->req->conn;
    sock *s = socket_create(c);

    if (!s)
        return -ENOMEM;
    int err = upgrade_accept(c);
    if (err < 0) {
        socket_free(c->host, s);
        return err;
    }
    call_answered(c, 101);
    *ret = opened;
    if (!c->user.p || conn_user_set(opened, c->user, c->label) == 0)
        return 0;
    conn_close(opened, 1011, STR("internal"));
    return -ESHUTDOWN;
}

int upgrade_open(call *c, parley_conn *ret)
{
    conn *opened = NULL;
    int err = call_answerable(c);

    if (err < 0)
        return err;
    if (!c->is_ws || c->handshake_status != 0)
        return PARLEY_EINVAL;
    if (!upgrade_has_room(c)) {
        (void)call_deny(c, 409, "too_many_connections", STR("Too many connections."));
        return PARLEY_EGONE;
    }
    err = upgrade_make(c, &opened);
    if (err == -ENOMEM) {
        (void)call_deny(c, 503, "unavailable",
                        STR("Service temporarily unavailable, try again later."));
        return PARLEY_EGONE;
    }
    if (err < 0 || !upgrade_tell_open(c, opened))
        return PARLEY_EGONE;
    ret->id = conn_handle(opened);
    return PARLEY_OK;
}
