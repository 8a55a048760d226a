/* reply_api.c -- reply*(), deny*(), go_on(), on_cancel(), ws_open(): how a plugin ends its part of
 * a request.
 *
 * Each of them finishes the holder's part even when nobody can be answered any more. */
#include "core/host/call.h"

#include "core/base/json.h"

#include <stdio.h>

/* ---- checks ---- */

static bool name_is_token(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return name.n > 0;
}

static bool value_is_clean(str value)
{
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] == '\r' || value.p[i] == '\n' || value.p[i] == '\0')
            return false;
    return true;
}

/* What the connection itself says. */
static bool name_is_ours(str name)
{
    static const str ours[] = {
        STR_LIT("content-length"), STR_LIT("transfer-encoding"), STR_LIT("connection"),
        STR_LIT("date"),           STR_LIT("x-request-id"),
    };

    for (size_t i = 0; i < COUNT(ours); i++)
        if (str_ieq(name, ours[i]))
            return true;
    return false;
}

static int api_reply_header(parley_req req, const char *name, str value)
{
    call *c = call_find(req);
    str header = str_of(name);

    if (!c)
        return PARLEY_EGONE;
    if (!name_is_token(header) || name_is_ours(header) || !value_is_clean(value))
        return PARLEY_EINVAL;
    int err = call_answerable(c);
    return err < 0 ? err : call_add_header(c, header, value);
}

/* ---- answers ---- */

static bool status_is_good(int status)
{
    return status >= 200 && status <= 599;
}

static int api_reply(parley_req req, int status, const char *type, str body)
{
    call *c = call_find(req);

    if (!c)
        return PARLEY_EGONE;
    if (!status_is_good(status) || !value_is_clean(str_of(type)))
        return PARLEY_EINVAL;
    int err = call_reply(c, status, type, body);
    call_unhold(c);
    return err;
}

/* The text of `take` in the host's scratch buffer, which keeps its memory for the next one unless
 * it was large. */
static int reply_tree(call *c, int status, const parley_json *tree)
{
    buf *scratch = &c->host->scratch;

    buf_reset(scratch);
    int err = json_write(tree, scratch);
    if (err == 0)
        err = call_reply(c, status, "application/json", buf_str(scratch));
    else
        err = err == -EFBIG ? PARLEY_ETOOBIG : PARLEY_ENOMEM;
    if (scratch->failed || scratch->room > (256u << 10))
        buf_done(scratch);
    return err;
}

static int api_reply_json(parley_req req, int status, parley_json *take)
{
    call *c = call_find(req);
    int err = PARLEY_EGONE;

    if (c && (!take || !status_is_good(status))) {
        json_release(take);
        return PARLEY_EINVAL;
    }
    if (c) {
        err = reply_tree(c, status, take);
        if (err == PARLEY_ENOMEM || err == PARLEY_ETOOBIG)
            (void)call_deny(c, 500, "internal", STR("Internal server error."));
        call_unhold(c);
    }
    json_release(take);
    return err;
}

static int api_deny(parley_req req, int status, const char *code, const char *text)
{
    call *c = call_find(req);

    if (!c)
        return PARLEY_EGONE;
    if (status < 400 || status > 599 || !text)
        return PARLEY_EINVAL;
    int err = call_deny(c, status, code, str_of(text));
    call_unhold(c);
    return err;
}

/* ,"code":"invalid","detail":"Invalid message.","errors":{...} */
static int event_deny_fields(call *c, const parley_json *fields)
{
    buf *scratch = &c->host->scratch;
    int err = call_answerable(c);

    if (err < 0)
        return err;
    buf_reset(scratch);
    (void)buf_add(scratch,
                  STR(",\"code\":\"invalid\",\"detail\":\"Invalid message.\",\"errors\":"));
    if (json_write(fields, scratch) < 0)
        return PARLEY_ENOMEM;
    call_answered(c, 400);
    return event_send_error(c, buf_str(scratch));
}

static int api_deny_fields(parley_req req, parley_json *take)
{
    call *c = call_find(req);
    int err = PARLEY_EGONE;

    if (c && take) {
        err = c->is_event ? event_deny_fields(c, take) : reply_tree(c, 400, take);
        if (err == PARLEY_ENOMEM || err == PARLEY_ETOOBIG)
            (void)call_deny(c, 500, "internal", STR("Internal server error."));
        call_unhold(c);
    }
    json_release(take);
    return c && !take ? PARLEY_EINVAL : err;
}

static int event_deny_throttled(call *c, str text, int64_t seconds)
{
    char body[256];
    int err = call_answerable(c);

    if (err < 0)
        return err;
    call_answered(c, 429);
    int n = snprintf(body, sizeof(body),
                     ",\"code\":\"throttled\",\"detail\":\"" STR_FMT "\",\"retry_after\":%lld",
                     STR_ARG(text), (long long)seconds);
    return event_send_error(c, (str){ body, (size_t)n });
}

static int http_deny_throttled(call *c, str text, int64_t seconds)
{
    char number[24];
    int n = snprintf(number, sizeof(number), "%lld", (long long)seconds);
    int err = call_answerable(c);

    if (err == 0)
        err = call_add_header(c, STR("Retry-After"), (str){ number, (size_t)n });
    return err < 0 ? err : call_deny(c, 429, "throttled", text);
}

static int api_deny_throttled(parley_req req, int64_t seconds)
{
    call *c = call_find(req);
    char text[128];

    if (!c)
        return PARLEY_EGONE;
    if (seconds < 1)
        seconds = 1;
    int n =
        snprintf(text, sizeof(text), "Request was throttled. Expected available in %lld second%s.",
                 (long long)seconds, seconds == 1 ? "" : "s");
    str said = { text, (size_t)n };
    int err = c->is_event ? event_deny_throttled(c, said, seconds)
                          : http_deny_throttled(c, said, seconds);
    call_unhold(c);
    return err;
}

/* ---- going on, opening, being cancelled ---- */

static int api_go_on(parley_req req)
{
    call *c = call_find(req);

    if (!c || c->is_gone || c->is_expired) {
        if (c)
            call_unhold(c);
        return PARLEY_EGONE;
    }
    if (!c->holder && !c->is_running)
        return PARLEY_EINVAL;
    c->is_going_on = true;
    if (c->holder) {
        call_unhold(c);
        c->is_finished = false;
    }
    return PARLEY_OK;
}

static int api_on_cancel(parley_ctx *p, parley_req req, parley_done_fn fn, void *ud)
{
    call *c = call_find(req);

    if (!c || c->is_gone || c->is_expired)
        return PARLEY_EGONE;
    if (!fn)
        return PARLEY_EINVAL;
    cancel *made = arena_alloc(&c->req->memory, sizeof(*made));
    if (!made)
        return PARLEY_ENOMEM;
    *made = (cancel){ c->cancels, p, fn, ud };
    c->cancels = made;
    return PARLEY_OK;
}

static int api_ws_open(parley_req req, parley_conn *ret)
{
    call *c = call_find(req);
    parley_conn opened = { 0 };

    if (!c)
        return PARLEY_EGONE;
    int err = upgrade_open(c, &opened);
    if (err != PARLEY_EINVAL)
        call_unhold(c);
    if (err == PARLEY_OK && ret)
        *ret = opened;
    return err;
}

void api_fill_reply(parley_api *api)
{
    api->reply_header = api_reply_header;
    api->reply = api_reply;
    api->reply_json = api_reply_json;
    api->deny = api_deny;
    api->deny_fields = api_deny_fields;
    api->deny_throttled = api_deny_throttled;
    api->go_on = api_go_on;
    api->on_cancel = api_on_cancel;
    api->ws_open = api_ws_open;
}
