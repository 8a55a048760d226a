/* event.c -- a frame of a client as an event: what it is called, who has it,
 * and how it is refused. */
#include "core/host/chain.h"
#include "core/host/socket.h"

#include <stdio.h>
#include <string.h>

#define ECHO_MAX 256 /* bytes of a field that an error echoes */

/* clang-format off */
static const event_fault not_json   = { "invalid_json", "The frame is not valid JSON.", 400 };
static const event_fault not_object = { "invalid_json", "The frame is not a JSON object.", 400 };
static const event_fault no_type    = { "unknown_type", "Unknown message type.", 404 };
static const event_fault is_binary  = { "binary", "Binary frames are not supported.", 415 };
/* clang-format on */

static const event *event_find(const path *p, str type)
{
    for (size_t i = 0; i < p->event_n; i++)
        if (str_eq(p->events[i].route->path, type))
            return &p->events[i];
    return NULL;
}

/* The event that the frame means; NULL: c->fault says what is wrong. */
static const event *event_read(call *c)
{
    const path *p = c->endpoint->path;
    const event *raw = event_find(p, STR("*"));
    const parley_api *api = api_table();

    if (raw)
        return raw;
    if (c->req->is_binary) {
        c->fault = &is_binary;
        return NULL;
    }
    const parley_json *in = call_json(c);
    if (!in || api->json_type(in) != PARLEY_J_OBJ) {
        c->fault = in ? &not_object : &not_json;
        return NULL;
    }
    c->where = api->json_str(api->json_get(in, "type"));
    const event *found = event_find(p, c->where);
    c->fault = found ? NULL : &no_type;
    return found;
}

static int event_fill(call *c, sock *s)
{
    conn *from = c->req->conn;
    arena *memory = &c->req->memory;

    c->is_event = true;
    c->method = STR("EVENT");
    c->endpoint = s->endpoint;
    c->endpoint->refs++;
    memcpy(c->params, c->endpoint->params, sizeof(c->params));
    if (s->peer)
        c->peer = arena_str(memory, (str){ s->peer->text, s->peer->n });
    c->user = arena_str(memory, conn_user(from));
    c->label = arena_str(memory, conn_user_label(from));
    return (c->peer.p || !s->peer) && (c->user.p || !conn_user(from).p) ? 0 : -ENOMEM;
}

void event_arrived(host *h, request *req)
{
    sock *s = req->conn ? socket_of(req->conn) : NULL;
    call *c = s ? call_create(h, req) : NULL;

    if (!c) {
        event_end(req); /* closing, or no memory */
        return;
    }
    c->chain = &h->unknown;
    if (event_fill(c, s) < 0) {
        c->fault = &not_json;
    } else {
        const event *found = event_read(c);
        if (found) {
            c->route = found->route;
            c->chain = &found->chain;
            c->where = found->route->path;
        }
    }
    if (!c->where.p)
        c->where = STR("");
    call_begin(c);
}

/* ---- refusing ---- */

/* A field of the frame, `,"name":"value"`, so that its sender knows which one was refused; or "". */
static str event_echo(call *c, const char *name)
{
    const parley_api *api = api_table();
    str value = api->json_str(api->json_get(c->is_json_read ? c->json : NULL, name));

    if (value.n == 0 || value.n > ECHO_MAX)
        return STR("");
    str quoted = json_quote(&c->req->memory, value);
    size_t size = quoted.n + strlen(name) + 5;
    char *text = quoted.p ? arena_alloc(&c->req->memory, size) : NULL;
    if (!text)
        return STR("");
    int n = snprintf(text, size, ",\"%s\":" STR_FMT, name, STR_ARG(quoted));
    return (str){ text, (size_t)n };
}

/* `body` is what stands behind {"type":"error" and before the closing brace. */
int event_send_error(call *c, str body)
{
    /* Where the address names the room, a field of that name is none of ours. */
    bool is_one_room = api_table()->req_param((parley_req){ c->req->handle }, "room").p != NULL;
    str where = is_one_room ? STR("") : event_echo(c, "room");
    str id = event_echo(c, "client_msg_id");
    size_t size = body.n + where.n + id.n + 64;
    char *text = arena_alloc(&c->req->memory, size);

    if (!text)
        return PARLEY_ENOMEM;
    int n = snprintf(text, size, "{\"type\":\"error\"" STR_FMT STR_FMT STR_FMT "}", STR_ARG(body),
                     STR_ARG(where), STR_ARG(id));
    frame *f = frame_create((str){ text, (size_t)n }, 0);
    if (!f)
        return PARLEY_ENOMEM;
    int err = c->req->conn ? conn_send(c->req->conn, f) : -ESHUTDOWN;
    frame_unref(f);
    return err == 0 ? PARLEY_OK : PARLEY_EGONE;
}

int event_deny(call *c, int status, const char *code, str text)
{
    arena *memory = &c->req->memory;
    str quoted_code = json_quote(memory, str_of(code ? code : "error"));
    str quoted_text = json_quote(memory, text);
    size_t size = quoted_code.n + quoted_text.n + 32;
    char *body = arena_alloc(memory, size);
    int err = call_answerable(c);

    if (err < 0)
        return err;
    call_answered(c, status);
    if (!quoted_code.p || !quoted_text.p || !body)
        return PARLEY_ENOMEM;
    int n = snprintf(body, size, ",\"code\":" STR_FMT ",\"detail\":" STR_FMT, STR_ARG(quoted_code),
                     STR_ARG(quoted_text));
    return event_send_error(c, (str){ body, (size_t)n });
}
