/* ws.h -- a WebSocket to the server, as a client that can be cut at any moment. */
#ifndef VERIFY_WS_H
#define VERIFY_WS_H
#include "plugins/verify/cable.h"

#include <llhttp.h>
#include <wslay/wslay.h>

/* Why a socket is no more. */
typedef struct ws_end {
    int status; /* the handshake was answered with this; 0: it was not refused */
    int code;   /* of the close frame; 1006: none */
    const char *why;
} ws_end;

typedef struct ws_up {
    void (*open)(void *ud);
    void (*text)(void *ud, parley_str frame);
    void (*end)(void *ud, const ws_end *end); /* not after ws_cut() */
} ws_up;

typedef struct ws {
    cable cable;
    const ws_up *up;
    void *ud;
    llhttp_t parser;
    wslay_event_context_ptr frames; /* NULL: none, or the handshake is not over */
    const char *in;                 /* what wslay is to read next */
    size_t in_n;
    int code, status;
    bool is_reading; /* inside wslay: what it is in the midst of is freed behind it */
    bool is_over;
    char path[512];
    const char *token;
} ws;

void ws_init(ws *w, parley_ctx *ctx, const target *to, const ws_up *up, void *ud);
void ws_done(ws *w);
bool ws_is_open(const ws *w);
/* token: borrowed until it is open.  < 0: it cannot even begin. */
int ws_open(ws *w, const char *path, const char *token);
void ws_text(ws *w, const char *p, size_t n);
/* The first half of a frame with this text, and nothing behind it. */
void ws_half(ws *w, const char *p, size_t n);
/* At once, and without end(). */
void ws_cut(ws *w, enum cable_cut how);
#endif
