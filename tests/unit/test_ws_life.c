/* test_ws_life.c -- WebSockets over time: events held back, the peer that leaves, floods or is
 * silent, closing from our side. */
#include "net_rig.h"

#include "core/net/ws.h"

/* ---- holding back ---- */

static void send_texts(rig *r, const rig_client *k, int from, int to)
{
    char bytes[8192], text[16];
    size_t n = 0;

    for (int i = from; i <= to; i++)
        n += rig_frame(bytes + n, 0x81,
                       (str){ text, (size_t)snprintf(text, sizeof(text), "%d", i) });
    rig_write(r, k, (str){ bytes, n });
    rig_turn(r);
}

static void test_max_events(void **state)
{
    rig *r = rig_open();

    (void)state;
    r->limits.max_events = 2;
    r->keep_events = true;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    send_texts(r, k, 1, 5);
    assert_string_equal(r->log, " event(1) event(2)");
    assert_int_equal(k->conn->flags & CONN_READING, 0);
    rig_end_events(r, 1);
    assert_string_equal(r->log, " event(1) event(2)"); /* never inside event_end() */
    rig_turn(r);
    assert_string_equal(r->log, " event(1) event(2) event(3)");
    rig_end_events(r, 2);
    rig_turn(r);
    send_texts(r, k, 6, 6);
    rig_end_events(r, 2);
    rig_turn(r);
    assert_string_equal(r->log, " event(1) event(2) event(3) event(4) event(5) event(6)");
    rig_end_events(r, 1);
    rig_turn(r);
    assert_int_not_equal(k->conn->flags & CONN_READING, 0);
    assert_null(k->conn->ws);
    rig_client_close(k);
    rig_close(r);
}

static void test_hold(void **state)
{
    rig *r = rig_open();

    (void)state;
    r->hold_every = 1;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    send_texts(r, k, 1, 3);
    assert_string_equal(r->log, " event(1)");
    send_texts(r, k, 4, 4);
    conn_hold(k->conn, false);
    assert_string_equal(r->log, " event(1)");
    rig_turn(r);
    assert_string_equal(r->log, " event(1) event(2)");
    r->hold_every = 0;
    conn_hold(k->conn, false);
    rig_turn(r);
    assert_string_equal(r->log, " event(1) event(2) event(3) event(4)");
    rig_client_close(k);
    rig_close(r);
}

/* Whatever the client sends, what is kept is one read (and what came with it before): the rest
 * stays in the kernel. */
static void test_hold_is_bounded(void **state)
{
    static char bytes[60000];
    size_t n = 0;
    rig *r = rig_open();

    (void)state;
    r->hold_every = 2;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    while (n + 6 <= sizeof(bytes))
        n += rig_frame(bytes + n, 0x81, STR(""));
    for (int i = 0; i < 60; i++) {
        while (send(k->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n)
            rig_turn(r);
        conn_hold(k->conn, false);
        rig_turn(r);
        if (k->conn->ws)
            assert_true(k->conn->ws->kept.n <= 2 * NET_READ_BUFFER);
    }
    assert_true(r->events >= 60);
    rig_client_close(k);
    rig_close(r);
}

/* Pings without end, and nothing is read: the pongs stay under half of the queue. */
static void test_ping_flood(void **state)
{
    char bytes[256], payload[100] = { 0 };
    int room_bytes = 4096;
    rig *r = rig_open();

    (void)state;
    r->limits.max_queue = 65536;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    assert_int_equal(
        setsockopt(conn_fd(k->conn), SOL_SOCKET, SO_SNDBUF, &room_bytes, sizeof(room_bytes)), 0);
    size_t n = rig_frame(bytes, 0x89, (str){ payload, sizeof(payload) });
    for (int i = 0; i < 2000; i++)
        rig_write(r, k, (str){ bytes, n });
    assert_int_equal(k->conn->state, CONN_WS);
    assert_true(conn_queued(k->conn) > 16384 && conn_queued(k->conn) <= 32768);
    rig_client_close(k);
    rig_close(r);
}

/* The client leaves while events are being handled. */
static void test_gone(void **state)
{
    rig *r = rig_open();

    (void)state;
    r->keep_events = true;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    send_texts(r, k, 1, 2);
    rig_log_clear(r);
    rig_client_close(k);
    rig_turn(r);
    assert_string_equal(r->log, " closed(1006) gone gone");
    assert_int_equal(net_count(r->net), 0);
    assert_int_equal(slab_count(r->net->requests), 0);
    rig_close(r);
}

/* ---- closing from our side ---- */

static void test_conn_close(void **state)
{
    char bytes[64];
    rig *r = rig_open();

    (void)state;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    frame *f = frame_create(STR("before"), 0);
    assert_int_equal(conn_send(k->conn, f), 0);
    conn_close(k->conn, 4403, STR("removed"));
    conn_close(k->conn, 4404, STR("again"));
    assert_string_equal(r->log, "");
    assert_int_equal(conn_send(k->conn, f), -ESHUTDOWN);
    assert_int_equal(room_join(k->conn, STR("r")), -ESHUTDOWN);
    frame_unref(f);
    rig_turn(r);
    assert_string_equal(r->log, " closed(4403 removed)");
    assert_shows(k, "Tbefore C4403");
    /* What the peer sends before its own close frame goes nowhere. */
    size_t n = rig_frame(bytes, 0x81, STR("late"));
    n += rig_frame(bytes + n, 0x88, STR("\x11\x33"));
    rig_write(r, k, (str){ bytes, n });
    rig_turn(r);
    assert_shows(k, "EOF");
    assert_string_equal(r->log, " closed(4403 removed)");
    rig_client_close(k);
    rig_turn(r);
    assert_int_equal(net_count(r->net), 0);
    rig_close(r);
}

static void nap(rig *r)
{
    (void)uv_run(&r->loop, UV_RUN_NOWAIT);
    usleep(5000);
}

#define TOO_LONG_NS ((uint64_t)20 * 1000 * 1000 * 1000)

/* The peer does not answer the close frame. */
static void test_close_deadline(void **state)
{
    rig *r = rig_open();

    (void)state;
    r->limits.close_ms = 300;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    uv_update_time(&r->loop);
    uint64_t begin = uv_hrtime();
    conn_close(k->conn, 1001, STR(""));
    while (net_count(r->net) == 1 && uv_hrtime() - begin < TOO_LONG_NS)
        nap(r);
    assert_true(uv_hrtime() - begin >= (uint64_t)300 * 1000 * 1000);
    assert_int_equal(net_count(r->net), 0);
    assert_shows(k, "C1001 EOF");
    rig_client_close(k);
    rig_close(r);
}

/* One answers its pings, the other does not. */
static void test_heartbeat(void **state)
{
    char bytes[64];
    size_t pings = 0;
    rig *r = rig_open();

    (void)state;
    r->limits.ping_ms = 300;
    r->limits.pong_ms = 1000;
    r->limits.close_ms = 100;
    rig_start(r);
    rig_client *dead = rig_client_open(r, SOCK_STREAM), *live = rig_client_open(r, SOCK_STREAM);
    uint64_t begin = uv_hrtime();
    while (net_count(r->net) == 2 && uv_hrtime() - begin < TOO_LONG_NS) {
        nap(r);
        if (strcmp(rig_show(live), "P") != 0)
            continue;
        pings++;
        rig_write(r, live, (str){ bytes, rig_frame(bytes, 0x8a, STR("")) });
    }
    assert_true(uv_hrtime() - begin >= (uint64_t)1300 * 1000 * 1000);
    assert_true(pings >= 2);
    assert_shows(dead, "P C4002 EOF");
    assert_int_equal(live->conn->state, CONN_WS);
    assert_string_equal(r->log, " closed(4002 heartbeat_timeout)");
    rig_client_close(dead);
    rig_client_close(live);
    rig_close(r);
}

/* A reader that is slow, but reads, lives: the ping stands behind all that it has not read yet.  One that
 * has stopped does not. */
static void test_heartbeat_of_a_slow_reader(void **state)
{
    static char text[8000];
    int room_bytes = 4096;
    rig *r = rig_open();

    (void)state;
    memset(text, 'x', sizeof(text));
    r->limits.ping_ms = 200;
    r->limits.pong_ms = 1500;
    r->limits.close_ms = 100;
    r->limits.max_queue = 64 << 20;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    assert_int_equal(
        setsockopt(conn_fd(k->conn), SOL_SOCKET, SO_SNDBUF, &room_bytes, sizeof(room_bytes)), 0);
    frame *f = frame_create((str){ text, sizeof(text) }, 0);
    for (int i = 0; i < 4000; i++)
        assert_int_equal(conn_send(k->conn, f), 0);
    frame_unref(f);
    rig_turn(r);
    uint64_t begin = uv_hrtime();
    while (uv_hrtime() - begin < (uint64_t)4000 * 1000 * 1000) {
        assert_true(recv(k->fd, text, sizeof(text), MSG_DONTWAIT) != 0);
        nap(r);
        assert_int_equal(net_count(r->net), 1);
        assert_int_equal(k->conn->state, CONN_WS);
    }
    assert_true(conn_queued(k->conn) > 100000); /* so it was slow all the time */
    while (net_count(r->net) == 1 && uv_hrtime() - begin < TOO_LONG_NS)
        nap(r);
    assert_string_equal(r->log, " closed(4002 heartbeat_timeout)");
    rig_client_close(k);
    rig_close(r);
}

static void test_drain(void **state)
{
    rig *r = rig_open();

    (void)state;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    frame *f = frame_create(STR("going"), 0);
    net_drain(r->net, f);
    frame_unref(f);
    rig_turn(r);
    assert_shows(k, "Tgoing C1001");
    rig_client_close(k);
    rig_turn(r);
    assert_int_equal(net_count(r->net), 0);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_max_events),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_hold_is_bounded),
        cmocka_unit_test(test_ping_flood),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_conn_close),
        cmocka_unit_test(test_close_deadline),
        cmocka_unit_test(test_heartbeat),
        cmocka_unit_test(test_heartbeat_of_a_slow_reader),
        cmocka_unit_test(test_drain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
