/* load_client.c -- one WebSocket of the load generator, or one connection of MQTT. */
#include "bench/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ZLIB_CONST
#include <zlib.h>

enum { READ_BYTES = 1 << 20, KEPT_MOST = 1 << 20, SLOW_RECEIVE_BYTES = 4096 };

enum { OPCODE_TEXT = 1, OPCODE_BINARY = 2, OPCODE_CLOSE = 8, OPCODE_PING = 9, OPCODE_PONG = 10 };

/* ---- out ---- */

/* The mask is zero, which is one, too. */
static void send_frame(const struct client *c, int opcode, const char *payload, size_t n)
{
    static char frame[MESSAGE_MOST + 2048];
    size_t head = n < 126 ? 6 : 8;

    if (head + n > sizeof(frame))
        tool_fail("a message is too long", "");
    frame[0] = (char)(0x80 | opcode);
    frame[1] = (char)(0x80 | (n < 126 ? n : 126));
    frame[2] = (char)(n >> 8);
    frame[3] = (char)(n & 0xff);
    memset(frame + head - 4, 0, 4);
    memcpy(frame + head, payload, n);
    tool_send(c->fd, frame, head + n);
}

static void send_text(const struct client *c, const struct script *s, const char *text, size_t n)
{
    if (s->is_mqtt)
        tool_send(c->fd, text, n);
    else
        send_frame(c, OPCODE_TEXT, text, n);
}

/* Sends what is to be sent up to the next wait. */
static void go_on(struct client *c, const struct script *s)
{
    static char text[4096];

    for (; c->step < s->step_n && !s->steps[c->step].is_wait; c->step++) {
        size_t n = script_fill(s, &s->steps[c->step], c->room, c->number, "", text, sizeof(text));
        send_text(c, s, text, n);
    }
    if (c->step == s->step_n)
        load_there(c);
}

void client_open(struct client *c, const struct script *s, int port, bool offers_packing)
{
    static char path[1024], headers[2048], head[4096];

    c->fd = tool_connect(port, c->is_slow ? SLOW_RECEIVE_BYTES : 0);
    if (s->is_mqtt) {
        c->is_upgraded = true;
        go_on(c, s);
        return;
    }
    path[script_fill(s, &s->path, c->room, c->number, "", path, sizeof(path))] = '\0';
    headers[script_fill(s, &s->headers, c->room, c->number, "", headers, sizeof(headers))] = '\0';
    int length = snprintf(
        head, sizeof(head),
        "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        "Sec-WebSocket-Version: 13\r\n%s%s\r\n",
        path, offers_packing ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "", headers);
    tool_send(c->fd, head, (size_t)length);
}

void client_say(struct client *c, const struct script *s, const struct stamp *stamp, size_t bytes)
{
    static char message[MESSAGE_MOST + 1], text[MESSAGE_MOST + 1024];

    (void)snprintf(message, sizeof(message), "~%04x%08x%016llx", stamp->sender & 0xffff,
                   stamp->number, (unsigned long long)stamp->at_ns);
    memset(message + STAMP_CHARS, 'x', bytes - STAMP_CHARS);
    message[bytes] = '\0';
    size_t n = script_fill(s, &s->say, c->room, c->number, message, text, sizeof(text));
    send_text(c, s, text, n);
}

/* ---- in ---- */

/* So many hexadecimal digits. */
static uint64_t number_at(const char *p, int digits)
{
    uint64_t n = 0;

    for (; digits > 0; digits--, p++)
        n = n << 4 | (uint64_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);
    return n;
}

static void take_stamps(struct client *c, const char *p, size_t n)
{
    const char *end = p + n;

    while ((p = memchr(p, '~', (size_t)(end - p))) && end - p >= STAMP_CHARS) {
        const struct stamp stamp = { .sender = (uint32_t)number_at(p + 1, 4),
                                     .number = (uint32_t)number_at(p + 5, 8),
                                     .at_ns = (int64_t)number_at(p + 13, 16) };
        load_heard(c, &stamp);
        p += STAMP_CHARS;
    }
}

/* A packed message (RFC 7692, no context takeover). */
static void take_packed(struct client *c, const char *p, size_t n)
{
    static char packed[MESSAGE_MOST], text[MESSAGE_MOST];
    static z_stream z;

    if (!c->heard) {
        load_heard(c, NULL);
        return;
    }
    if (n + 4 > sizeof(packed) || (!z.state ? inflateInit2(&z, -15) : inflateReset(&z)) != Z_OK)
        tool_fail("cannot unpack", "");
    memcpy(packed, p, n);
    memcpy(packed + n, "\0\0\xff\xff", 4);
    z.next_in = (const Bytef *)packed;
    z.avail_in = (uInt)n + 4;
    z.next_out = (Bytef *)text;
    z.avail_out = sizeof(text);
    if (inflate(&z, Z_SYNC_FLUSH) != Z_OK)
        tool_fail("cannot unpack", z.msg ? z.msg : "");
    take_stamps(c, text, sizeof(text) - z.avail_out);
}

static void take_data(struct client *c, const struct script *s, bool is_packed, const char *p,
                      size_t n)
{
    if (c->step < s->step_n) {
        const struct step *step = &s->steps[c->step];
        if (is_packed || memmem(p, n, step->text, step->n)) {
            c->step++;
            go_on(c, s);
        }
        return;
    }
    if (is_packed)
        take_packed(c, p, n);
    else
        take_stamps(c, p, n);
}

/* Bytes of the frame; 0: not all of it has come. */
static size_t take_frame(struct client *c, const struct script *s, const char *in, size_t n)
{
    const unsigned char *head = (const unsigned char *)in;
    size_t at = n < 2 ? 2 : head[1] < 126 ? 2 : head[1] == 126 ? 4 : 10, length = 0;

    if (n < at)
        return 0;
    if (at == 2)
        length = head[1];
    for (size_t i = 2; i < at; i++)
        length = length << 8 | head[i];
    if (n - at < length)
        return 0;
    int opcode = head[0] & 15;
    if (opcode == OPCODE_CLOSE)
        tool_fail("the server closed", length > 2 ? in + at + 2 : "without a reason");
    if (opcode == OPCODE_PING)
        send_frame(c, OPCODE_PONG, in + at, length);
    if (opcode == OPCODE_TEXT || opcode == OPCODE_BINARY)
        take_data(c, s, (head[0] & 0x40) != 0, in + at, length);
    return at + length;
}

/* Bytes of the MQTT packet: its kind, its length in groups of seven bits, the lowest first, and the
 * rest.  0: not all of it has come. */
static size_t take_packet(struct client *c, const struct script *s, const char *in, size_t n)
{
    size_t at = 1, length = 0;

    do {
        if (at == n || at > 4)
            return 0;
        length |= (size_t)(in[at] & 127) << 7 * (at - 1);
    } while (in[at++] & 128);
    if (n - at < length)
        return 0;
    take_data(c, s, false, in, at + length);
    return at + length;
}

/* Bytes of the answer; 0: not all of it has come. */
static size_t take_handshake(struct client *c, const struct script *s, const char *in, size_t n)
{
    const char *end = memmem(in, n, "\r\n\r\n", 4);

    if (!end)
        return 0;
    if (strncmp(in, "HTTP/1.1 101", 12) != 0)
        tool_fail("the server refused", in);
    c->is_upgraded = true;
    go_on(c, s);
    return (size_t)(end + 4 - in);
}

static size_t take_next(struct client *c, const struct script *s, const char *in, size_t n)
{
    if (!c->is_upgraded)
        return take_handshake(c, s, in, n);
    return s->is_mqtt ? take_packet(c, s, in, n) : take_frame(c, s, in, n);
}

void client_read(struct client *c, const struct script *s)
{
    static char in[KEPT_MOST + READ_BYTES + 1];
    size_t at = 0, taken;

    if (c->kept_n > 0)
        memcpy(in, c->kept, c->kept_n);
    ssize_t got = recv(c->fd, in + c->kept_n, READ_BYTES, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        tool_fail("the connection ended", got == 0 ? "by the server" : strerror(errno));
    size_t n = c->kept_n + (size_t)got;
    in[n] = '\0';
    while (at < n && (taken = take_next(c, s, in + at, n - at)) > 0)
        at += taken;
    free(c->kept);
    c->kept = NULL;
    c->kept_n = (uint32_t)(n - at);
    if (c->kept_n == 0)
        return;
    c->kept = c->kept_n <= KEPT_MOST ? malloc(c->kept_n) : NULL;
    if (!c->kept)
        tool_fail("a frame is too long", "");
    memcpy(c->kept, in + at, c->kept_n);
}
