/* rest.c -- questions over REST. */
#include "plugins/verify/rest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BODY_MOST = 16 << 20, HEAD_MAX = 1024 };

/* ---- the answer ---- */

static void rest_answer(rest *r)
{
    rest_fn done = r->done;
    reply a = r->answer;

    a.body = (parley_str){ r->body, r->body_n };
    r->done = NULL;
    if (done)
        done(r->ud, &a);
}

static int on_begin(llhttp_t *parser)
{
    rest *r = parser->data;

    r->answer = (reply){ 0 };
    r->body_n = 0;
    r->field[0] = r->value[0] = '\0';
    return 0;
}

static void append(char into[REST_FIELD_MAX], const char *p, size_t n)
{
    size_t had = strlen(into);

    n = n < REST_FIELD_MAX - 1 - had ? n : REST_FIELD_MAX - 1 - had;
    memcpy(into + had, p, n);
    into[had + n] = '\0';
}

static int on_field(llhttp_t *parser, const char *p, size_t n)
{
    append(((rest *)parser->data)->field, p, n);
    return 0;
}

static int on_value(llhttp_t *parser, const char *p, size_t n)
{
    append(((rest *)parser->data)->value, p, n);
    return 0;
}

static int on_value_complete(llhttp_t *parser)
{
    rest *r = parser->data;

    if (strcasecmp(r->field, "Retry-After") == 0)
        r->answer.retry_after_s = strtoll(r->value, NULL, 10);
    else if (strcasecmp(r->field, "Idempotent-Replayed") == 0)
        r->answer.is_replayed = strcmp(r->value, "true") == 0;
    r->field[0] = r->value[0] = '\0';
    return 0;
}

static int on_body(llhttp_t *parser, const char *p, size_t n)
{
    rest *r = parser->data;

    if (r->body_n + n > BODY_MOST)
        return -1;
    if (r->body_n + n > r->body_cap) {
        char *bigger = realloc(r->body, (r->body_n + n) * 2);

        if (!bigger)
            return -1;
        r->body = bigger;
        r->body_cap = (r->body_n + n) * 2;
    }
    memcpy(r->body + r->body_n, p, n);
    r->body_n += n;
    return 0;
}

/* Paused, so that nothing of the parser runs while the answer's callback may cut the connection. */
static int on_complete(llhttp_t *parser)
{
    rest *r = parser->data;

    r->answer.status = parser->status_code;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_message_begin = on_begin,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

static void rest_restart(rest *r)
{
    llhttp_init(&r->parser, HTTP_RESPONSE, &settings);
    r->parser.data = r;
}

/* ---- the connection ---- */

void rest_cut(rest *r, enum cable_cut how, const char *why)
{
    cable_close(&r->cable, how);
    r->answer = (reply){ .why = why };
    r->body_n = 0;
    rest_answer(r);
}

static void rest_opened(void *ud)
{
    (void)ud;
}

static void rest_bytes(void *ud, const char *p, size_t n)
{
    rest *r = ud;
    enum llhttp_errno err = r->done ? llhttp_execute(&r->parser, p, n) : HPE_USER;

    if (err == HPE_OK)
        return;
    if (err != HPE_PAUSED) {
        rest_cut(r, CABLE_RST, "what was answered is no HTTP, or nobody asked");
        return;
    }
    if (!llhttp_should_keep_alive(&r->parser))
        cable_close(&r->cable, CABLE_FIN);
    rest_restart(r);
    rest_answer(r);
}

static void rest_ended(void *ud, const char *why)
{
    rest_cut(ud, CABLE_FIN, why);
}

void rest_init(rest *r, parley_ctx *ctx, const target *to, const char *token)
{
    static const cable_up up = { rest_opened, rest_bytes, rest_ended };

    *r = (rest){ .token = token };
    cable_init(&r->cable, ctx, to, &up, r);
    rest_restart(r);
}

void rest_done(rest *r)
{
    cable_done(&r->cable);
    free(r->body);
    r->body = NULL;
    r->done = NULL;
}

bool rest_is_busy(const rest *r)
{
    return r->done != NULL;
}

int rest_ask(rest *r, const char *method, const char *path, const char *body, rest_fn done,
             void *ud)
{
    char head[HEAD_MAX];
    size_t body_n = body ? strlen(body) : 0;
    bool has_token = r->token && *r->token;

    if (r->cable.state == CABLE_IDLE) {
        rest_restart(r);
        if (cable_open(&r->cable) < 0)
            return -1;
    }
    int n = snprintf(head, sizeof(head),
                     "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s%sAccept: application/json\r\n%s", method,
                     path, r->cable.to->authority, has_token ? "Authorization: Token " : "",
                     has_token ? r->token : "", has_token ? "\r\n" : "",
                     body ? "Content-Type: application/json\r\n" : "");

    if (n < 0 || (size_t)n >= sizeof(head) - 64)
        return -1;
    n += snprintf(head + n, sizeof(head) - (size_t)n, "Content-Length: %zu\r\n\r\n", body_n);
    r->done = done;
    r->ud = ud;
    r->asked_ns = parley->mono_ns();
    cable_send(&r->cable, head, (size_t)n);
    if (body)
        cable_send(&r->cable, body, body_n);
    return 0;
}

void rest_look(rest *r, int64_t now_ns, int64_t most_ns)
{
    if (r->done && now_ns - r->asked_ns > most_ns)
        rest_cut(r, CABLE_RST, "no answer in time");
}
