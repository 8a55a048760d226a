/* talk_plugin.h -- the plugin of test_events.c: endpoints and events that answer at once, later,
 * wrongly or never, and counts of what was called. */
#ifndef TESTS_TALK_PLUGIN_H
#define TESTS_TALK_PLUGIN_H
#include "host_bench.h"

PARLEY_HIDDEN const parley_api *parley;
static int opened_n, closed_n, freed_n, events_n, last_event_status, drained_n;
static int closed_code;

/* ---- the endpoint ---- */

static void slot_free(void *value)
{
    freed_n++;
    free(value);
}

static int ws_handler(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_str name = parley->req_param(req, "room");
    parley_conn opened;

    (void)ud;
    if (str_eq(parley->user(req), STR("stranger"))) {
        (void)parley->deny(req, 404, "not_found", "Not found.");
        return PARLEY_DENY;
    }
    if (parley->ws_open(req, &opened) < 0)
        return PARLEY_DONE;
    assert_int_equal(opened.id, parley->req_conn(req).id);
    assert_int_equal(parley->conn_set(ctx, opened, malloc(16), slot_free), PARLEY_OK);
    assert_int_equal(parley->join(opened, name), PARLEY_OK);
    parley_frame *hello = parley->frame("hello", NULL, 0);
    assert_int_equal(parley->send(opened, hello), PARLEY_OK);
    parley->frame_unref(hello);
    return PARLEY_DONE;
}

static int ws_silent(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)req;
    (void)ud;
    return PARLEY_DONE; /* opens */
}

static void open_later(parley_ctx *ctx, int status, void *ud)
{
    const parley_req req = { (uintptr_t)ud };
    parley_conn opened;

    (void)ctx;
    (void)status;
    assert_int_equal(parley->ws_open(req, &opened), PARLEY_OK);
}

static int ws_later(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ud;
    (void)parley->timer(ctx, 10, 0, open_later, (void *)(uintptr_t)req.id);
    return PARLEY_PENDING;
}

/* ---- events ---- */

static void say(parley_req req, const char *type)
{
    parley_json *data = parley->json_obj();

    (void)parley->json_set(data, "room", parley->json_s(parley->req_param(req, "room")));
    (void)parley->json_set(data, "user", parley->json_s(parley->user(req)));
    (void)parley->json_set(data, "at", parley->json_s(parley->req_endpoint(req)));
    (void)parley->json_set(data, "n",
                           parley->json_copy(parley->json_get(parley->req_json(req), "n")));
    parley_frame *f = parley->frame(type, data, 0);
    parley->json_free(data);
    (void)parley->send(parley->req_conn(req), f);
    parley->frame_unref(f);
}

static int on_echo(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)ud;
    assert_non_null(parley->conn_get(ctx, parley->req_conn(req)));
    say(req, "echo");
    return PARLEY_DONE;
}

static int on_room(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_frame *f = parley->frame_text(PARLEY_S("{\"type\":\"to_all\"}"), 0);

    (void)ctx;
    (void)ud;
    assert_int_equal(parley->room_size(parley->req_param(req, "room")), 1);
    assert_int_equal(parley->room_send(parley->req_param(req, "room"), f, parley->req_conn(req)),
                     0);
    assert_int_equal(parley->room_send(parley->req_param(req, "room"), f, (parley_conn){ 0 }), 1);
    assert_int_equal(parley->user_send(parley->user(req), f), 1);
    parley->frame_unref(f);
    return PARLEY_DONE;
}

static void echo_later(parley_ctx *ctx, int status, void *ud)
{
    const parley_req req = { (uintptr_t)ud };

    (void)ctx;
    (void)status;
    say(req, "slow");
    (void)parley->go_on(req);
}

static int on_slow(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ud;
    (void)parley->timer(ctx, 30, 0, echo_later, (void *)(uintptr_t)req.id);
    return PARLEY_PENDING;
}

static int on_fields(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_json *errors = parley->json_obj();

    (void)ctx;
    (void)ud;
    (void)parley->json_set(errors, "content", parley->json_s(PARLEY_S("bad")));
    (void)parley->deny_fields(req, errors);
    return PARLEY_DENY;
}

static int on_throttled(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)ud;
    (void)parley->deny_throttled(req, 42);
    return PARLEY_DENY;
}

static int on_verdict(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)req;
    return *(const int *)ud;
}

static void drained(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)ud;
    drained_n += status == PARLEY_OK;
}

static int on_close(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ud;
    assert_int_equal(parley->on_drain(ctx, parley->req_conn(req), drained, NULL), PARLEY_OK);
    assert_int_equal(parley->user_close(parley->user(req), 4403, PARLEY_S("removed")), 1);
    assert_int_equal(closed_n, 0); /* no call calls back before it returns */
    return PARLEY_DONE;
}

static int on_raw(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_frame *f = parley->frame_text(parley->req_body(req), 0);

    (void)ctx;
    (void)ud;
    (void)parley->send(parley->req_conn(req), f);
    parley->frame_unref(f);
    return PARLEY_DONE;
}

/* ---- middleware and hooks ---- */

static int auth(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_str name = parley->req_header(req, "x-user");

    (void)ctx;
    (void)ud;
    if (name.p)
        (void)parley->set_user(req, name, name);
    return PARLEY_NEXT;
}

static void go_on_later(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)status;
    assert_int_equal(parley->go_on((parley_req){ (uintptr_t)ud }), PARLEY_OK);
}

/* Holds up "held_*", and with it the frames behind it. */
static int hold(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ud;
    (void)parley->timer(ctx, 30, 0, go_on_later, (void *)(uintptr_t)req.id);
    return PARLEY_PENDING;
}

static int open_hook(parley_ctx *ctx, void *info, void *ud)
{
    const parley_conn_info *open = info;

    (void)ctx;
    (void)ud;
    opened_n++;
    assert_true(open->req.id != 0);
    return str_eq(parley->conn_user(open->conn), STR("banned")) ? PARLEY_DENY : PARLEY_NEXT;
}

static int close_hook(parley_ctx *ctx, void *info, void *ud)
{
    const parley_conn_info *close_info = info;

    (void)ctx;
    (void)ud;
    closed_n++;
    closed_code = close_info->code;
    assert_true(parley->conn_user(close_info->conn).p != NULL);
    return PARLEY_NEXT;
}

static int done_hook(parley_ctx *ctx, void *info, void *ud)
{
    const parley_req_info *done = info;

    (void)ctx;
    (void)ud;
    if (!done->is_event)
        return PARLEY_NEXT;
    events_n++;
    last_event_status = done->status;
    return PARLEY_NEXT;
}

static int add(parley_ctx *ctx, const char *method, const char *path, parley_req_fn fn,
               const void *ud)
{
    const parley_route r = {
        PARLEY_SIZED(parley_route),
        .method = method,
        .path = path,
        .fn = fn,
        .ud = (void *)(uintptr_t)ud,
        .flags = strcmp(method, "WS") == 0 ? PARLEY_R_USER : 0,
        .timeout_ms = strcmp(path, "never") == 0 ? 30 : 0,
        .endpoint = strcmp(path, "*") == 0      ? "/raw/"
                    : strcmp(path, "echo") == 0 ? "/ws/:room(uuid)/"
                                                : NULL,
    };

    return parley->route(ctx, &r);
}

static void go_on_too_late(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)status;
    assert_int_equal(parley->go_on((parley_req){ (uintptr_t)ud }), PARLEY_EGONE);
}

static int never(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ud;
    (void)parley->timer(ctx, 150, 0, go_on_too_late, (void *)(uintptr_t)req.id);
    return PARLEY_PENDING;
}

static int talk_load(parley_ctx *ctx, const parley_conf *conf)
{
    static const int negative = -1, deny = PARLEY_DENY;

    (void)conf;
    parley->use(ctx, PARLEY_AUTH, "/", auth, NULL);
    parley->use(ctx, PARLEY_LIMIT, "held", hold, NULL);
    parley->hook(ctx, "conn.open", PARLEY_APP, open_hook, NULL);
    parley->hook(ctx, "conn.close", PARLEY_APP, close_hook, NULL);
    parley->hook(ctx, "req.done", PARLEY_APP, done_hook, NULL);
    add(ctx, "WS", "/ws/:room(uuid)/", ws_handler, NULL);
    add(ctx, "WS", "/raw/", ws_silent, NULL);
    add(ctx, "WS", "/later/", ws_later, NULL);
    add(ctx, "EVENT", "echo", on_echo, NULL);
    add(ctx, "EVENT", "held_echo", on_echo, NULL);
    add(ctx, "EVENT", "slow", on_slow, NULL);
    add(ctx, "EVENT", "room", on_room, NULL);
    add(ctx, "EVENT", "fields", on_fields, NULL);
    add(ctx, "EVENT", "throttled", on_throttled, NULL);
    add(ctx, "EVENT", "fails", on_verdict, &negative);
    add(ctx, "EVENT", "denies", on_verdict, &deny);
    add(ctx, "EVENT", "close", on_close, NULL);
    add(ctx, "EVENT", "never", never, NULL);
    add(ctx, "EVENT", "*", on_raw, NULL);
    return PARLEY_OK;
}

static const parley_plugin talker = { .magic = PARLEY_MAGIC,
                                      .size = sizeof(parley_plugin),
                                      .host = &parley,
                                      .name = "talk",
                                      .version = "1",
                                      .load = talk_load };
const parley_plugin *const bench_plugins[] = { &talker, NULL };
#endif
