/* test_http_life.c -- a socket's life while it speaks HTTP: waiting answers, deadlines, the end
 * without loss, full listeners. */
#include "http_fixture.h"

#define HOST  "Host: a\r\n"
#define GET   "GET /x HTTP/1.1\r\n" HOST
#define LATER "GET /later HTTP/1.1\r\n" HOST "\r\n"
#define POST  "POST /x HTTP/1.1\r\n" HOST

static client k;

static const char *summary(void)
{
    static char got[8192], bodies[65536];

    client_read(&k);
    client_summary(&k, got, sizeof(got), bodies, sizeof(bodies));
    return got;
}

static bool summary_is(const char *want)
{
    return strcmp(summary(), want) == 0;
}

static void later_reply(void)
{
    request *req = up.later;

    assert_non_null(req);
    up.later = NULL;
    reply_echo(req);
}

/* ---- waiting answers ---- */

static void test_later(void **state)
{
    (void)state;
    client_open(&k);
    client_send(&k, STR(LATER GET "\r\n"));
    WAIT_FOR(up.later);
    steps(20);
    assert_string_equal(summary(), ""); /* the second one waits for the first */
    assert_int_equal(up.heads, 1);
    later_reply();
    assert_int_equal(up.dones, 0); /* nothing comes up inside a call */
    assert_int_equal(up.heads, 1);
    WAIT_FOR(summary_is("200 200"));
    assert_string_equal(summary(), "200 200");
    assert_int_equal(up.dones, 2);
    assert_int_equal(up.last_status, 200);
    client_close(&k);
    assert_int_equal(up.gones, 0);
}

/* A client that ends its direction still gets what it asked for. */
static void test_half_closed(void **state)
{
    (void)state;
    client_open(&k);
    client_send(&k, STR(LATER GET "\r\n"
                                  "GET /part"));
    shutdown(k.fd, SHUT_WR);
    WAIT_FOR(up.later);
    steps(20);
    later_reply();
    WAIT_FOR(client_over(&k));
    assert_string_equal(summary(), "200 200 closed");
    client_close(&k);
}

static void test_half_closed_inside_body(void **state)
{
    (void)state;
    client_open(&k);
    client_send(&k, STR(LATER POST "Content-Length: 5\r\n\r\nab"));
    shutdown(k.fd, SHUT_WR);
    WAIT_FOR(up.later);
    steps(20);
    later_reply();
    WAIT_FOR(client_over(&k));
    assert_string_equal(summary(), "200 closed");
    client_close(&k);
    assert_int_equal(up.gones, 1);
}

static void test_gone(void **state)
{
    (void)state;
    client_open(&k);
    client_send(&k, STR(LATER));
    WAIT_FOR(up.later);
    uint64_t handle = up.later->handle;
    client_reset(&k);
    assert_int_equal(up.gones, 1);
    assert_null(request_find(the_net, handle));
}

/* Between the socket's end and gone(), an answer is refused and the request can be given back. */
static void test_answer_too_late(void **state)
{
    (void)state;
    client_open(&k);
    client_send(&k, STR(LATER));
    WAIT_FOR(up.later);
    request *req = up.later;
    conn_destroy(req->conn);
    assert_null(conn_find(the_net, conn_handle(req->conn)));
    assert_int_equal(request_reply(req, 200, STR_NONE, STR_NONE, false), -ESHUTDOWN);
    up.later = NULL;
    request_release(req);
    client_close(&k);
    assert_int_equal(up.gones, 0);
    assert_int_equal(up.dones, 0);
}

/* An answered request that somebody still holds (its deadline answered for him) outlives its
 * socket. */
static void test_released_after_the_socket(void **state)
{
    (void)state;
    up.keeps = true;
    client_open(&k);
    client_send(&k, STR(GET "\r\n"));
    WAIT_FOR(up.kept);
    client_close(&k);
    assert_null(up.kept->conn);
    request_release(up.kept);
    up.keeps = false;
    assert_int_equal(up.dones, 1);
    assert_int_equal(up.gones, 0);
}

static void test_left_inside_body(void **state)
{
    (void)state;
    client_open(&k);
    client_send(&k, STR(POST "Content-Length: 5\r\n\r\nab"));
    WAIT_FOR(up.heads == 1);
    client_close(&k);
    assert_int_equal(up.gones, 1);
    assert_int_equal(up.readies, 0);
}

/* What a client sends behind a request that is being handled is kept up to a bound; the rest stays
 * in the kernel. */
static void test_back_pressure(void **state)
{
    static char filler[16384];
    size_t sent = 0;
    const size_t each = strlen(GET "\r\n");

    (void)state;
    for (size_t i = 0; i + each <= sizeof(filler); i += each)
        memcpy(filler + i, GET "\r\n", each);
    size_t whole = sizeof(filler) / each * each;
    client_open(&k);
    client_send(&k, STR(LATER));
    WAIT_FOR(up.later);
    for (int i = 0; i < 20; i++) {
        ssize_t n = send(k.fd, filler, whole, MSG_DONTWAIT | MSG_NOSIGNAL);
        assert_int_equal(n, whole);
        sent += whole;
        steps(10);
    }
    const conn *c = up.later->conn;
    WAIT_FOR((c->flags & CONN_READING) == 0);
    assert_int_equal(c->flags & CONN_READING, 0);
    later_reply();
    size_t got = 0;
    while (got < sent / each + 1) {
        k.n = 0;
        WAIT_FOR((client_read(&k), k.n > 0));
        assert_true(k.n > 0);
        for (const char *p = k.got; (p = strstr(p, "X-Test")) != NULL; p++)
            got++;
        assert_false(k.ended || k.reset);
        /* An answer cut by the buffer's end would be missed or seen twice: count what the server
         * has done instead. */
        if ((size_t)up.dones == sent / each + 1)
            break;
    }
    assert_int_equal(up.dones, sent / each + 1);
    client_close(&k);
}

/* ---- the end without loss ---- */

static void test_refusal_is_not_lost(void **state)
{
    static char body[1 << 20];
    size_t sent = 0;

    (void)state;
    client_open(&k);
    client_send(&k, STR(POST "Content-Length: 5000000\r\n\r\n"));
    /* As many clients do: the whole body first, then a look at the answer. */
    for (int i = 0; i < 100000 && sent < 5000000; i++) {
        ssize_t n = send(k.fd, body, sizeof(body) < 5000000 - sent ? sizeof(body) : 5000000 - sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else
            assert_int_equal(errno, EAGAIN); /* no EPIPE, no ECONNRESET */
        steps(1);
    }
    assert_int_equal(sent, 5000000);
    WAIT_FOR(client_over(&k));
    assert_string_equal(summary(), "413 closed");
    client_close(&k);
    assert_int_equal(up.dones, 1);
    assert_int_equal(up.last_status, 413);
}

/* The last part of a long answer leaves by itself, when the reader has made room; what comes behind
 * it does not wait for another event. */
static void test_slow_reader_of_a_long_answer(void **state)
{
    static char body[4 << 20];
    static const str heads[] = {
        STR_LIT("GET /later HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"), STR_LIT(LATER)
    };

    (void)state;
    for (size_t i = 0; i < COUNT(heads); i++) {
        size_t got = 0;
        int dones = up.dones;

        client_open(&k);
        client_send(&k, heads[i]);
        WAIT_FOR(up.later);
        request *req = up.later;
        up.later = NULL;
        assert_int_equal(request_reply(req, 200, STR_NONE, (str){ body, sizeof(body) }, false), 0);
        steps(20);
        assert_int_equal(up.dones, dones);
        while (got < sizeof(body) && !k.ended) {
            k.n = 0;
            WAIT_FOR((client_read(&k), k.n > 0 || k.ended));
            got += k.n;
        }
        WAIT_FOR(up.dones == dones + 1);
        assert_int_equal(up.dones, dones + 1);
        if (i == 0)
            WAIT_FOR(client_over(&k));
        assert_int_equal(k.ended, i == 0);
        client_close(&k);
    }
}

/* ---- deadlines ---- */

static net_limits short_limits(void)
{
    net_limits l = usual_limits;

    l.head_ms = l.body_ms = l.close_ms = 300;
    l.idle_ms = 600;
    return l;
}

static int setup_short(void **state)
{
    net_limits l = short_limits();

    (void)state;
    net_up_with(&l);
    return 0;
}

/* clang-format off */
static const struct {
    const char *label;
    str in;
    const char *out;
    const char *reason;
    int from_ms, to_ms; /* when the end must come */
} deadlines[] = {
    { "nothing sent",       STR_LIT(""),                                         " closed", "", 300, 700 },
    { "part of a head",     STR_LIT("GET /x HTTP/1.1\r\nHo"),                    "408 closed", "head_timeout", 300, 700 },
    { "an empty line",      STR_LIT("\r\n"),                                     "408 closed", "head_timeout", 300, 700 },
    { "part of a body",     STR_LIT(POST "Content-Length: 5\r\n\r\nab"),         "408 closed", "body_timeout", 300, 700 },
    { "part of a chunk",    STR_LIT(POST "Transfer-Encoding: chunked\r\n\r\n5\r\nab"), "408 closed", "body_timeout", 300, 700 },
    { "keep-alive",         STR_LIT(GET "\r\n"),                                 "200 closed", "", 600, 1000 },
    { "part of a second",   STR_LIT(GET "\r\nG"),                                "200 408 closed", "head_timeout", 300, 700 },
};
/* clang-format on */

static void test_deadlines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(deadlines); i++) {
        memset(&up, 0, sizeof(up));
        client_open(&k);
        client_send(&k, deadlines[i].in);
        int64_t from_ns = clock_mono_ns();
        WAIT_FOR((run_ms(5), client_over(&k)));
        int took_ms = (int)((clock_mono_ns() - from_ns) / 1000000);
        if (!summary_is(deadlines[i].out) || strcmp(up.reason, deadlines[i].reason) != 0)
            fail_msg("case \"%s\": \"%s\", reason \"%s\"", deadlines[i].label, summary(),
                     up.reason);
        if (took_ms < deadlines[i].from_ms - 20 || took_ms > deadlines[i].to_ms)
            fail_msg("case \"%s\": after %d ms", deadlines[i].label, took_ms);
        client_close(&k);
    }
}

/* A drip of bytes does not move the deadline. */
static void test_drip(void **state)
{
    (void)state;
    client_open(&k);
    int64_t from_ns = clock_mono_ns();
    client_send(&k, STR("GET /x HTTP/1.1\r\nA: "));
    WAIT_FOR((client_send(&k, STR("x")), run_ms(30), client_over(&k)));
    assert_in_range((clock_mono_ns() - from_ns) / 1000000, 280, 800);
    assert_string_equal(summary(), "408 closed");
    client_close(&k);
}

/* A request being handled has no deadline here, and a lingering peer that never ends is not waited
 * for. */
static void test_no_deadline_and_linger(void **state)
{
    (void)state;
    client_open(&k);
    client_send(&k, STR(LATER));
    WAIT_FOR(up.later);
    run_ms(900);
    assert_int_equal(net_count(the_net), 1);
    up.later->keep_alive = false;
    later_reply();
    WAIT_FOR(client_over(&k));
    assert_string_equal(summary(), "200 closed");
    assert_int_equal(net_count(the_net), 1); /* we have not ended ours */
    run_ms(800);
    assert_int_equal(net_count(the_net), 0);
    /* Nothing to wait for: the timer sleeps. */
    run_ms(300);
    assert_false(uv_is_active((uv_handle_t *)&the_net->timer));
    client_close(&k);
}

/* ---- drain ---- */

static void test_drain(void **state)
{
    static client idle;

    (void)state;
    client_open(&idle);
    client_open(&k);
    client_send(&k, STR(LATER));
    WAIT_FOR(up.later);
    net_stop_listening(the_net);
    net_drain(the_net, NULL);
    WAIT_FOR(client_over(&idle));
    assert_true(idle.ended && idle.n == 0);
    steps(2);
    assert_int_equal(net_count(the_net), 1);
    later_reply();
    WAIT_FOR(client_over(&k));
    assert_string_equal(summary(), "200 closed");
    assert_non_null(strstr(k.got, "\r\nConnection: close\r\n"));
    close(idle.fd);
    client_close(&k);
    assert_int_equal(net_count(the_net), 0);
}

/* Everything at once: sockets open, a request unanswered, a listener. */
static void test_free_at_once(void **state)
{
    static client other;

    (void)state;
    client_open(&other);
    client_open(&k);
    client_send(&k, STR(LATER));
    WAIT_FOR(up.later);
    net_down();
    assert_int_equal(up.gones, 1);
    close(k.fd);
    close(other.fd);
}

/* ---- peers ---- */

static void test_peer(void **state)
{
    (void)state;
    client_open(&k);
    client_send(&k, STR(GET "\r\n"));
    WAIT_FOR(up.heads == 1);
    assert_string_equal(up.peer, "127.0.0.1");
    client_close(&k);
    assert_int_equal(net_listen(the_net, listen_any(AF_INET6), false), 0);
    client_open(&k);
    client_send(&k, STR(GET "\r\n"));
    WAIT_FOR(up.heads == 2);
    assert_string_equal(up.peer, "::1");
    client_close(&k);
    /* The same socket, asked for by IPv4. */
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    v4.sin_port = ((struct sockaddr_in6 *)(void *)&at)->sin6_port;
    memset(&at, 0, sizeof(at));
    memcpy(&at, &v4, sizeof(v4));
    at_n = sizeof(v4);
    client_open(&k);
    client_send(&k, STR(GET "\r\n"));
    WAIT_FOR(up.heads == 3);
    assert_string_equal(up.peer, "127.0.0.1");
    client_close(&k);
}

/* ---- */

static int setup(void **state)
{
    (void)state;
    net_up_with(&usual_limits);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_down();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_later, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_closed_inside_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answer_too_late, setup, teardown),
        cmocka_unit_test_setup_teardown(test_released_after_the_socket, setup, teardown),
        cmocka_unit_test_setup_teardown(test_left_inside_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_back_pressure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusal_is_not_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_reader_of_a_long_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deadlines, setup_short, teardown),
        cmocka_unit_test_setup_teardown(test_drip, setup_short, teardown),
        cmocka_unit_test_setup_teardown(test_no_deadline_and_linger, setup_short, teardown),
        cmocka_unit_test_setup_teardown(test_drain, setup, teardown),
        cmocka_unit_test_setup(test_free_at_once, setup),
        cmocka_unit_test_setup_teardown(test_peer, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
