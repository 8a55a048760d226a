/* test_ws_end.c -- WebSockets whose peer ends, breaks a rule or falls silent while something else
 * is under way: events, a stalled loop, reading that is stopped. */
#include "net_rig.h"

#include "core/net/ws.h"

#define TOO_LONG_NS ((uint64_t)20 * 1000 * 1000 * 1000)

static void nap(rig *r)
{
    (void)uv_run(&r->loop, UV_RUN_NOWAIT);
    usleep(2000);
}

static void wait_closed(rig *r)
{
    uint64_t begin = uv_hrtime();

    while (net_count(r->net) > 0 && uv_hrtime() - begin < TOO_LONG_NS)
        nap(r);
    assert_int_equal(net_count(r->net), 0);
}

static void answer(rig *r, const rig_client *k, const char *text)
{
    frame *f = frame_create(str_of(text), 0);

    assert_int_equal(conn_send(k->conn, f), 0);
    frame_unref(f);
    rig_end_events(r, 1);
}

/* ---- the peer's end comes behind events that are being handled ---- */

/* clang-format off */
static const struct {
    const char *label;
    uint8_t first;
    str payload;
    const char *out, *log;
} ends[] = {
    { "close",          0x88, STR_LIT("\x03\xe8" "bye"), "C1000", " closed(1000 bye)" },
    { "empty close",    0x88, STR_LIT(""),               "C",     " closed(1005)" },
    { "close 4999",     0x88, STR_LIT("\x13\x87"),       "C4999", " closed(4999)" },
    { "bad close",      0x88, STR_LIT("x"),              "C1002", " closed(1002)" },
    { "bad close text", 0x88, STR_LIT("\x03\xe8\xff"),   "C1007", " closed(1007)" },
    { "bad text",       0x81, STR_LIT("\xff"),           "C1007", " closed(1007)" },
    { "reserved bit",   0xc1, STR_LIT("x"),              "C1002", " closed(1002)" },
    { "continuation",   0x80, STR_LIT("x"),              "C1002", " closed(1002)" },
};
/* clang-format on */

static size_t write_ends(char *bytes, size_t i)
{
    size_t n = rig_frame(bytes, 0x81, STR("1"));

    n += rig_frame(bytes + n, 0x81, STR("2"));
    n += rig_frame(bytes + n, 0x89, STR("ping"));
    n += rig_frame(bytes + n, ends[i].first, ends[i].payload);
    return n + rig_frame(bytes + n, 0x81, STR("late"));
}

static void test_answers_come_first(void **state)
{
    char bytes[128], out[64];

    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        rig *r = rig_open();
        r->keep_events = true;
        rig_start(r);
        rig_client *k = rig_client_open(r, SOCK_STREAM);
        rig_write(r, k, (str){ bytes, write_ends(bytes, i) });
        assert_string_equal(r->log, " event(1) event(2)");
        assert_shows(k, "Oping");
        rig_log_clear(r);
        answer(r, k, "one");
        rig_turn(r);
        assert_shows(k, "Tone");
        answer(r, k, "two");
        assert_string_equal(r->log, ""); /* nothing inside event_end() */
        rig_turn(r);
        (void)snprintf(out, sizeof(out), "Ttwo %s EOF", ends[i].out);
        if (strcmp(rig_show(k), out) != 0 || strcmp(r->log, ends[i].log) != 0)
            fail_msg("case \"%s\": %s", ends[i].label, r->log);
        rig_client_close(k);
        rig_turn(r);
        rig_close(r);
    }
}

/* The client does not wait for the answer to its close frame. */
static void test_eof_behind_close(void **state)
{
    char bytes[128];
    rig *r = rig_open();

    (void)state;
    r->keep_events = true;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    rig_write(r, k, (str){ bytes, write_ends(bytes, 0) });
    shutdown(k->fd, SHUT_WR);
    rig_turn(r);
    assert_string_equal(r->log, " event(1) event(2)");
    rig_end_events(r, 1);
    answer(r, k, "two");
    rig_turn(r);
    assert_string_equal(r->log, " event(1) event(2) closed(1000 bye)");
    assert_shows(k, "Oping Ttwo C1000 EOF");
    rig_client_close(k);
    assert_int_equal(net_count(r->net), 0);
    rig_close(r);
}

/* Events that last longer than close_ms: the close frame goes, and those events are told. */
static void test_events_take_too_long(void **state)
{
    char bytes[128];
    rig *r = rig_open();

    (void)state;
    r->keep_events = true;
    r->limits.close_ms = 200;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    rig_write(r, k, (str){ bytes, write_ends(bytes, 0) });
    wait_closed(r);
    assert_string_equal(r->log, " event(1) event(2) closed(1000 bye) gone gone");
    assert_shows(k, "Oping C1000 EOF");
    rig_client_close(k);
    rig_close(r);
}

/* Meanwhile we close it, or the client is reset: both are told once. */
static void test_other_ends_meanwhile(void **state)
{
    char bytes[128];

    (void)state;
    for (int ours = 0; ours < 2; ours++) {
        rig *r = rig_open();
        r->keep_events = true;
        rig_start(r);
        rig_client *k = rig_client_open(r, SOCK_STREAM);
        rig_write(r, k, (str){ bytes, write_ends(bytes, 0) });
        rig_log_clear(r);
        if (ours)
            conn_close(k->conn, 4403, STR("removed"));
        else
            conn_destroy(k->conn);
        rig_turn(r);
        assert_shows(k, ours ? "Oping C4403 EOF" : "Oping EOF");
        rig_client_close(k);
        rig_turn(r);
        assert_string_equal(r->log,
                            ours ? " closed(4403 removed) gone gone" : " closed(1000) gone gone");
        assert_int_equal(net_count(r->net), 0);
        rig_close(r);
    }
}

/* ---- silence ---- */

/* The pong lies in the kernel while the loop stalls for longer than pong_ms: the peer lives. */
static void test_stalled_loop(void **state)
{
    char bytes[64];
    rig *r = rig_open();

    (void)state;
    r->limits.ping_ms = 300;
    r->limits.pong_ms = 300;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    for (int i = 0; i < 3; i++) {
        uint64_t begin = uv_hrtime();
        while (strcmp(rig_show(k), "P") != 0 && uv_hrtime() - begin < TOO_LONG_NS)
            nap(r);
        size_t n = rig_frame(bytes, 0x8a, STR(""));
        assert_int_equal(send(k->fd, bytes, n, 0), n);
        usleep(1200 * 1000);
        rig_turn(r);
        assert_int_equal(k->conn->state, CONN_WS);
    }
    assert_string_equal(r->log, "");
    rig_client_close(k);
    rig_close(r);
}

/* While nothing is read the client's end is noticed all the same. */
static void test_end_while_not_reading(void **state)
{
    char bytes[64];
    rig *r = rig_open();

    (void)state;
    r->hold_every = 1;
    r->limits.ping_ms = 200;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    size_t n = rig_frame(bytes, 0x81, STR("1"));
    n += rig_frame(bytes + n, 0x81, STR("2"));
    rig_write(r, k, (str){ bytes, n });
    assert_string_equal(r->log, " event(1)");
    assert_int_equal(k->conn->flags & CONN_READING, 0);
    rig_client_close(k);
    wait_closed(r);
    assert_string_equal(r->log, " event(1) closed(1006)");
    rig_close(r);
}

/* Pongs that nobody takes are few: their memory counts, not only their two bytes. */
static void test_small_pongs(void **state)
{
    static char bytes[60000];
    int room_bytes = 4096;
    rig *r = rig_open();

    (void)state;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    assert_int_equal(
        setsockopt(conn_fd(k->conn), SOL_SOCKET, SO_SNDBUF, &room_bytes, sizeof(room_bytes)), 0);
    size_t n = 0;
    while (n + 6 <= sizeof(bytes))
        n += rig_frame(bytes + n, 0x89, STR(""));
    for (int i = 0; i < 20; i++)
        rig_write(r, k, (str){ bytes, n });
    assert_int_equal(k->conn->state, CONN_WS);
    assert_true(k->conn->out && k->conn->out->n > 0 && k->conn->out->n <= 4096);
    rig_client_close(k);
    rig_close(r);
}

/* One who floods is read once in a turn of the loop, so that the others have theirs. */
static void test_one_read_a_turn(void **state)
{
    static char bytes[60000];
    const int most = (int)(NET_READ_BUFFER / 6 + 1);
    size_t sent = 0, n = 0;
    rig *r = rig_open();

    (void)state;
    rig_start(r);
    rig_client *k = rig_client_open(r, SOCK_STREAM);
    while (n + 6 <= sizeof(bytes))
        n += rig_frame(bytes + n, 0x89, STR(""));
    for (ssize_t took; (took = send(k->fd, bytes, n, MSG_DONTWAIT)) == (ssize_t)n;)
        sent += n;
    assert_true(sent > 2 * NET_READ_BUFFER);
    (void)uv_run(&r->loop, UV_RUN_NOWAIT);
    rig_read(k);
    assert_in_range(k->n, 2, 2 * most);
    uint64_t begin = uv_hrtime();
    while (k->n < sent / 3 && uv_hrtime() - begin < TOO_LONG_NS) {
        nap(r);
        rig_read(k);
    }
    assert_true(k->n >= sent / 3);
    assert_int_not_equal(k->conn->flags & CONN_READING, 0);
    rig_client_close(k);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_come_first),   cmocka_unit_test(test_eof_behind_close),
        cmocka_unit_test(test_events_take_too_long), cmocka_unit_test(test_other_ends_meanwhile),
        cmocka_unit_test(test_stalled_loop),         cmocka_unit_test(test_end_while_not_reading),
        cmocka_unit_test(test_small_pongs),          cmocka_unit_test(test_one_read_a_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
