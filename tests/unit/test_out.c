/* test_out.c -- output queues: slow readers, what is dropped and what is not, order over partial
 * writes, drained(). */
#include "net_rig.h"

#define CLIENTS 2
#define QUEUE   262144u /* bytes */

static rig *r;
static rig_client *k[CLIENTS];

/* A queue of 256 KiB and little room in the kernel. */
static int setup(void **state)
{
    int bytes = 4096;

    (void)state;
    r = rig_open();
    r->limits.max_queue = QUEUE;
    r->limits.close_ms = 300;
    rig_start(r);
    for (size_t i = 0; i < CLIENTS; i++)
        k[i] = rig_client_open(r, SOCK_STREAM);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(
            setsockopt(conn_fd(k[i]->conn), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLIENTS; i++)
        rig_client_close(k[i]);
    rig_turn(r);
    assert_null(r->net->rooms);
    assert_int_equal(net_count(r->net), 0);
    rig_close(r);
    return 0;
}

static void join(size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(room_join(k[i]->conn, STR("r")), 0);
}

static frame *numbered(int i, size_t bytes, uint32_t flags)
{
    static char text[4096];

    memset(text, '.', sizeof(text));
    text[snprintf(text, sizeof(text), "%06d", i)] = '.';
    return frame_create((str){ text, bytes }, flags);
}

/* Reads all there is; the number of the next numbered frame if they come without a gap from `from`
 * on. */
static int check_numbers(rig_client *c, int from, size_t bytes, const char **ret_rest)
{
    size_t at = 0, frame_bytes_n = bytes + (bytes < 126 ? 2 : 4);
    static char rest[64];

    while (c->n - at >= frame_bytes_n && (uint8_t)c->in[at] == 0x81) {
        assert_int_equal(strtol(c->in + at + (frame_bytes_n - bytes), NULL, 10), from);
        from++;
        at += frame_bytes_n;
    }
    memmove(c->in, c->in + at, c->n - at);
    c->n -= at;
    (void)snprintf(rest, sizeof(rest), "%s", rig_show(c));
    *ret_rest = rest;
    return from;
}

static void pump(rig_client *c)
{
    for (int i = 0; i < 200; i++) {
        rig_read(c);
        (void)uv_run(&r->loop, UV_RUN_NOWAIT);
    }
}

/* A member that does not read costs the others nothing, and ends with 4001; what it got has no
 * hole. */
static void test_slow_reader(void **state)
{
    const char *rest;
    int sent = 0;

    (void)state;
    join(2);
    while (k[0]->conn->state == CONN_WS && sent < 1000) {
        frame *f = numbered(sent++, 1000, 0);
        assert_int_equal(room_send(r->net, STR("r"), f, NULL), 2);
        rig_turn(r);
        /* The queue holds a reference, no copy. */
        assert_true(f->refs <= 2);
        frame_unref(f);
        rig_read(k[1]);
    }
    assert_true(sent > 250 && sent < 400);
    assert_string_equal(r->log, " slow closed(4001 slow_consumer)");
    assert_int_equal(room_size(r->net, STR("r")), 1);
    assert_int_equal(check_numbers(k[1], 0, 1000, &rest), sent);
    assert_string_equal(rest, "");
    /* What was not being written is gone. */
    assert_true(conn_queued(k[0]->conn) <= OUT_GATHER_BYTES + 2000);
    pump(k[0]);
    int got = check_numbers(k[0], 0, 1000, &rest);
    assert_true(got > 0 && got < 100);
    assert_string_equal(rest, "C4001");
    /* It answers, and the socket ends. */
    rig_write(r, k[0], STR("\x88\x80\x01\x02\x03\x04"));
    rig_turn(r);
    assert_shows(k[0], "EOF");
}

static void test_slow_reader_is_reset(void **state)
{
    (void)state;
    for (int i = 0; i < 400; i++) {
        frame *f = numbered(i, 1000, 0);
        int err = conn_send(k[0]->conn, f);
        frame_unref(f);
        if (err < 0) {
            assert_int_equal(err, -ENOBUFS);
            break;
        }
        rig_turn(r);
    }
    assert_int_equal(k[0]->conn->state, CONN_WS_CLOSING);
    for (int i = 0; i < 4000 && net_count(r->net) == CLIENTS; i++) {
        rig_turn(r);
        usleep(5000);
    }
    assert_int_equal(net_count(r->net), CLIENTS - 1);
}

/* Over half: what may be dropped is, what may not is not; below it all goes again. */
static void test_ephemeral(void **state)
{
    const char *rest;
    int sent = 0, dropped = 0;

    (void)state;
    join(1);
    frame *typing = frame_create(STR("typing"), PARLEY_F_EPHEMERAL);
    while (conn_queued(k[0]->conn) < QUEUE / 2 + 200) {
        frame *f = numbered(sent++, 1000, 0);
        assert_int_equal(conn_send(k[0]->conn, f), 0);
        frame_unref(f);
        rig_turn(r);
    }
    assert_string_equal(r->log, " slow");
    size_t before = conn_queued(k[0]->conn);
    dropped += conn_send(k[0]->conn, typing) == -EAGAIN;
    assert_int_equal(room_send(r->net, STR("r"), typing, NULL), 1);
    rig_turn(r);
    assert_int_equal(dropped, 1);
    assert_int_equal(conn_queued(k[0]->conn), before);
    frame *f = numbered(sent++, 1000, 0);
    assert_int_equal(conn_send(k[0]->conn, f), 0);
    frame_unref(f);
    conn_notify_drain(k[0]->conn);
    rig_turn(r);
    assert_string_equal(r->log, " slow");
    pump(k[0]);
    assert_string_equal(r->log, " slow drained");
    assert_int_equal(check_numbers(k[0], 0, 1000, &rest), sent);
    assert_string_equal(rest, "");
    assert_int_equal(conn_queued(k[0]->conn), 0);
    assert_int_equal(conn_send(k[0]->conn, typing), 0);
    assert_int_equal(room_send(r->net, STR("r"), typing, NULL), 1);
    rig_turn(r);
    assert_shows(k[0], "Ttyping Ttyping");
    frame_unref(typing);
    /* The next crossing is told again. */
    while (conn_queued(k[0]->conn) < QUEUE / 2 + 200) {
        f = numbered(0, 1000, 0);
        assert_int_equal(conn_send(k[0]->conn, f), 0);
        frame_unref(f);
        rig_turn(r);
    }
    assert_string_equal(r->log, " slow drained slow");
}

/* More than half the queue in one turn is no slow reader if the kernel takes it. */
static void test_burst(void **state)
{
    const char *rest;
    int bytes = 1 << 20;

    (void)state;
    assert_int_equal(setsockopt(conn_fd(k[0]->conn), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)),
                     0);
    for (int i = 0; i < 400; i++) {
        frame *f = numbered(i, 1000, i % 2 != 0 ? PARLEY_F_EPHEMERAL : 0);
        assert_int_equal(conn_send(k[0]->conn, f), 0);
        frame_unref(f);
    }
    rig_turn(r);
    assert_string_equal(r->log, "");
    rig_read(k[0]);
    assert_int_equal(check_numbers(k[0], 0, 1000, &rest), 400);
}

/* The kernel takes a part of the merged buffer, ending inside a frame: the rest follows, or whole
 * frames of it are dropped. */
static void test_partial_writes(void **state)
{
    const char *rest;

    (void)state;
    join(2);
    for (int i = 0; i < 150; i++) {
        frame *f = numbered(i, 1000, 0);
        assert_int_equal(room_send(r->net, STR("r"), f, NULL), 2);
        frame_unref(f);
    }
    net_flush(r->net);
    assert_true(k[0]->conn->out->at > 0);
    pump(k[0]);
    assert_int_equal(check_numbers(k[0], 0, 1000, &rest), 150);
    assert_string_equal(rest, "");
    r->net->limits.max_queue = 20000;
    for (int i = 0; i < 100; i++) {
        frame *f = numbered(i, 1000, 0);
        assert_int_equal(room_send(r->net, STR("r"), f, NULL), 2);
        frame_unref(f);
    }
    net_flush(r->net);
    assert_int_equal(k[0]->conn->state, CONN_WS_CLOSING);
    pump(k[0]);
    assert_true(check_numbers(k[0], 0, 1000, &rest) < 20);
    assert_string_equal(rest, "C4001");
}

/* Own frames and room frames keep their order while the queue comes and goes,
 * over partial writes. */
static void test_order_under_pressure(void **state)
{
    const char *rest;
    int sent = 0;

    (void)state;
    join(2);
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < round % 7; i++) {
            frame *f = numbered(sent++, 1000, 0);
            if (i % 3 == 1)
                assert_int_equal(conn_send(k[0]->conn, f), 0);
            else
                assert_int_equal(room_send(r->net, STR("r"), f, NULL), 2);
            frame_unref(f);
        }
        (void)uv_run(&r->loop, UV_RUN_NOWAIT);
        rig_read(k[1]);
        k[1]->n = 0;
        if (round % 3 == 0 || conn_queued(k[0]->conn) > 20000)
            pump(k[0]);
    }
    pump(k[0]);
    assert_int_equal(check_numbers(k[0], 0, 1000, &rest), sent);
    assert_string_equal(rest, "");
    assert_string_equal(r->log, "");
    assert_null(k[0]->conn->out);
}

static void drained_again(rig *rr, conn *c)
{
    (void)rr;
    if (r->log_n < 60)
        conn_notify_drain(c);
}

/* Asked inside drained(): told again without an event of the loop. */
static void test_drain_again(void **state)
{
    (void)state;
    r->on_drained = drained_again;
    conn_notify_drain(k[0]->conn);
    assert_string_equal(r->log, "");
    net_flush(r->net);
    assert_int_equal(r->log_n, 64);
    assert_null(k[0]->conn->out);
}

#define SLOW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SLOW(test_slow_reader), SLOW(test_slow_reader_is_reset), SLOW(test_ephemeral),
        SLOW(test_burst),       SLOW(test_partial_writes),       SLOW(test_order_under_pressure),
        SLOW(test_drain_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
