/* rest.h -- questions over REST, one after the other on a connection that is kept. */
#ifndef VERIFY_REST_H
#define VERIFY_REST_H
#include "plugins/verify/cable.h"

#include <llhttp.h>

enum { REST_PATH_MAX = 300, REST_WHY_MAX = 96, REST_FIELD_MAX = 64 };

/* What was answered; lives until the callback returns. */
typedef struct reply {
    int status;            /* 0: nothing, see why */
    int64_t retry_after_s; /* 0: it does not say */
    bool is_replayed;      /* Idempotent-Replayed */
    parley_str body;
    const char *why;
} reply;
typedef void (*rest_fn)(void *ud, const reply *a);

typedef struct rest {
    cable cable;
    llhttp_t parser;
    const char *token; /* "": anonymous.  Borrowed for as long as this is used */
    char *body;
    size_t body_n, body_cap;
    char field[REST_FIELD_MAX], value[REST_FIELD_MAX];
    reply answer;
    rest_fn done; /* NULL: no question is under way */
    void *ud;
    int64_t asked_ns;
} rest;

void rest_init(rest *r, parley_ctx *ctx, const target *to, const char *token);
void rest_done(rest *r);
bool rest_is_busy(const rest *r);
/* body: JSON, NULL: none.  `done` is called once, never before this returns, unless it returns < 0
 * or rest_cut() comes first. */
int rest_ask(rest *r, const char *method, const char *path, const char *body, rest_fn done,
             void *ud);
/* Cuts the connection; a question that is under way is answered with status 0. */
void rest_cut(rest *r, enum cable_cut how, const char *why);
/* As rest_cut(), when the answer has been waited for longer than this. */
void rest_look(rest *r, int64_t now_ns, int64_t most_ns);
#endif
