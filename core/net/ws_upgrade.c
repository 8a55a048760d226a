/* ws_upgrade.c -- the opening handshake of RFC 6455, section 4.2.
 *
 *   ws_check    may this request become a WebSocket?  If not:
 *                 426   no_upgrade, ws_version
 *                 400   http_version, method, connection, ws_key, body
 *   ws_accept   101, and from here on the socket is one
 *
 * Of the extensions only permessage-deflate is agreed to, and only if the configuration says so. */
#include "core/net/http.h"
#include "core/net/internal.h"
#include "core/net/sha1.h"
#include "core/net/ws.h"
#include "core/net/ws_extension.h"

#include <sodium.h>

#define WS_KEY_BYTES  16
#define WS_ACCEPT_MAX 32 /* SHA-1 in base64: 28 characters and a NUL */

/* ---- the request's rules ---- */

static bool ws_is_upgrade(const request *req)
{
    return req->is_upgrade;
}

static bool ws_is_version_13(const request *req)
{
    return str_eq(request_header(req, "sec-websocket-version"), STR("13"));
}

/* Upgrade means nothing in HTTP/1.0 (RFC 9110, section 7.8). */
static bool ws_is_http_1_1(const request *req)
{
    return req->conn && req->conn->http && req->conn->http->facts.minor == 1;
}

static bool ws_is_get(const request *req)
{
    return str_eq(req->method, STR("GET"));
}

static bool ws_has_connection_upgrade(const request *req)
{
    str rest = request_header(req, "connection"), token = STR_NONE;
    bool more = rest.p != NULL;

    while (more) {
        more = str_cut(rest, ',', &token, &rest);
        if (str_ieq(str_trim(token), STR("upgrade")))
            return true;
    }
    return false;
}

/* Two keys arrive joined by a comma, which is no base64. */
static bool ws_has_key(const request *req)
{
    str key = request_header(req, "sec-websocket-key");
    uint8_t bytes[WS_KEY_BYTES];
    size_t n = 0;
    const char *end = NULL;

    if (!key.p || sodium_base642bin(bytes, sizeof(bytes), key.p, key.n, NULL, &n, &end,
                                    sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    return n == WS_KEY_BYTES && end == key.p + key.n;
}

static bool ws_has_no_body(const request *req)
{
    str length = request_header(req, "content-length");

    return req->body.n == 0 && !request_header(req, "transfer-encoding").p &&
           (!length.p || str_eq(length, STR("0")));
}

/* clang-format off */
static const struct {
    bool (*holds)(const request *req);
    int status;
    const char *reason;
} rules[] = {
    { ws_is_upgrade,             426, "no_upgrade"   },
    { ws_is_version_13,          426, "ws_version"   },
    { ws_is_http_1_1,            400, "http_version" },
    { ws_is_get,                 400, "method"       },
    { ws_has_connection_upgrade, 400, "connection"   },
    { ws_has_key,                400, "ws_key"       },
    { ws_has_no_body,            400, "body"         },
};
/* clang-format on */

int ws_check(const request *req, const char **ret_reason)
{
    for (size_t i = 0; i < COUNT(rules); i++) {
        if (rules[i].holds(req))
            continue;
        *ret_reason = rules[i].reason;
        return rules[i].status;
    }
    return 0;
}

/* ---- the answer ---- */

/* Sec-WebSocket-Accept: proof that a WebSocket server has read the key. */
static bool ws_accept_value(str key, char ret[WS_ACCEPT_MAX])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, section 1.3 */
    char text[64 + sizeof(guid)];
    uint8_t digest[SHA1_BYTES];

    if (key.n > 64)
        return false;
    memcpy(text, key.p, key.n);
    memcpy(text + key.n, guid, sizeof(guid) - 1);
    sha1((str){ text, key.n + sizeof(guid) - 1 }, digest);
    return sodium_bin2base64(ret, WS_ACCEPT_MAX, digest, sizeof(digest),
                             sodium_base64_VARIANT_ORIGINAL) != NULL;
}

static frame *ws_accept_frame(str accept, str protocol, str extension, str extra)
{
    const str parts[] = {
        STR("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: "),
        accept,
        protocol.p ? STR("\r\nSec-WebSocket-Protocol: ") : STR(""),
        protocol,
        extension.n > 0 ? STR("\r\nSec-WebSocket-Extensions: ") : STR(""),
        extension,
        STR("\r\n"),
        extra,
        STR("\r\n"),
    };
    size_t bytes = 0;
    char *p;

    for (size_t i = 0; i < COUNT(parts); i++)
        bytes += parts[i].n;
    frame *f = frame_room(bytes, &p);
    for (size_t i = 0; f && i < COUNT(parts); i++) {
        if (parts[i].n > 0)
            memcpy(p, parts[i].p, parts[i].n);
        p += parts[i].n;
    }
    return f;
}

int ws_accept(request *req, str protocol, str extra)
{
    conn *c = req->conn;
    char accept[WS_ACCEPT_MAX], extension[WS_EXTENSION_MAX] = "";
    uint8_t window = 0;

    if (req->answered)
        return -EALREADY;
    if (!c || c->state != CONN_HTTP || !c->http || c->http->req != req)
        return -ESHUTDOWN;
    str key = request_header(req, "sec-websocket-key");
    if (!key.p || !ws_accept_value(key, accept))
        return -EINVAL;
    if (conn_of_net(c)->limits.compression)
        window = ws_extension_agree(request_header(req, "sec-websocket-extensions"), extension);
    frame *f = ws_accept_frame(str_of(accept), protocol, str_of(extension), extra);
    int err = f ? out_queue(c, f) : -ENOMEM;
    size_t bytes = f ? f->n : 0;
    frame_unref(f);
    if (err < 0)
        return err;
    req->bytes_out += bytes;
    c->state = CONN_WS;
    c->window = window;
    c->flags |= CONN_WAS_WS;
    net_meter(conn_of_net(c), NET_SOCKETS, 1);
    conn_deadline(c, conn_of_net(c)->limits.ping_ms);
    http_upgraded(req);
    return 0;
}
