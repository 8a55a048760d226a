/* load.h -- the WebSocket load generator: what is asked of it, and its clients.
 *
 *   load.c          phases, who says what when, the report
 *   load_client.c   one client: handshake, frames in and out
 *   load_script.c   how this server is spoken to */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H
#include "bench/tool.h"

/* ---- load_script.c ---- */

enum { STEPS_MOST = 16 };

/* One thing to do after the handshake, before a client counts as there. */
struct step {
    bool is_wait;     /* for a frame that contains the text; else the text is sent */
    const char *text; /* a template */
    size_t n;
};

/* How a server is spoken to; a file of lines "WORD TEXT":
 *
 *   path TEXT     of the handshake            header LINE   of the handshake, any number
 *   room NAME     the name of room 0, 1, ...  send, wait    steps
 *   say TEXT      a message                   mqtt          packets of MQTT over TCP instead
 *
 * In a TEXT or LINE %r is the room, %i the client's number, %n the same in ten digits, %s the
 * message, %% a percent sign, \xHH a byte. */
struct script {
    struct step path, headers, say, steps[STEPS_MOST];
    size_t step_n;
    bool is_mqtt; /* its texts are whole packets; no handshake, no frames */
    char **rooms;
    size_t room_n;
};

void script_read(const char *path, struct script *ret);
/* A template with its values; returns its length. */
size_t script_fill(const struct script *s, const struct step *template, uint32_t room,
                   uint32_t client, const char *message, char *ret, size_t size);

/* ---- load_client.c ---- */

enum { STAMP_CHARS = 29, MESSAGE_MOST = 60000 };

/* What every message begins with: whose it is, which of his it is, when it was (to be) sent. */
struct stamp {
    uint32_t sender, number;
    int64_t at_ns;
};

struct client {
    int fd;
    uint32_t number, room, place; /* the place in its room: the first ones are publishers */
    uint8_t step;                 /* of the script; step_n: it is there */
    bool is_upgraded, is_slow;
    uint32_t kept_n;
    char *kept;             /* half a frame */
    uint32_t *heard;        /* messages of each publisher of its room; NULL: not looked into */
    uint32_t said, waiting; /* publishers: messages so far, and of them not come back */
    int64_t due_ns;         /* publishers: of the next one */
};

/* Of load.c, told by the clients. */
void load_there(struct client *c);
/* A message has come; stamp NULL: it was packed and has not been looked into. */
void load_heard(struct client *c, const struct stamp *stamp);

void client_open(struct client *c, const struct script *s, int port, bool offers_packing);
void client_read(struct client *c, const struct script *s);
void client_say(struct client *c, const struct script *s, const struct stamp *stamp, size_t bytes);
#endif
