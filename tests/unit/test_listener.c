/* test_listener.c -- no room for one more: max_connections, no descriptor; and room again. */
#include "http_fixture.h"

#include <sys/resource.h>

#define GET "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"

static client k;

static bool answered(void)
{
    client_read(&k);
    return strstr(k.got, "HTTP/1.1 200 OK\r\n") != NULL;
}

enum { CROWD = 40 };
static client crowd[CROWD];

static void crowd_open(int n)
{
    for (int i = 0; i < n; i++) {
        client *one = &crowd[i];
        one->fd = socket(AF_INET, SOCK_STREAM, 0);
        one->ended = one->reset = false;
        one->n = 0;
        assert_int_equal(connect(one->fd, (struct sockaddr *)&at, at_n), 0);
    }
}

static int crowd_refused(int n)
{
    int refused = 0;

    for (int i = 0; i < n; i++)
        refused += client_over(&crowd[i]);
    return refused;
}

static void crowd_close(int n)
{
    for (int i = 0; i < n; i++)
        close(crowd[i].fd);
}

static void test_max_connections(void **state)
{
    net_limits l = usual_limits;

    (void)state;
    l.max_connections = 8;
    net_up_with(&l);
    crowd_open(12);
    WAIT_FOR(crowd_refused(12) == 4);
    assert_int_equal(crowd_refused(12), 4);
    assert_int_equal(net_count(the_net), 8);
    crowd_close(12);
    WAIT_FOR(net_count(the_net) == 0);
    run_ms(300); /* the listener has rested */
    client_open(&k);
    client_send(&k, STR(GET));
    WAIT_FOR(answered());
    assert_true(answered());
    client_close(&k);
    net_down();
}

static int64_t cpu_ms(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
           (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* The log goes into a file, so that its lines can be counted. */
static int log_lines(FILE *log)
{
    int lines = 0;

    rewind(log);
    for (int c; (c = fgetc(log)) != EOF;)
        lines += c == '\n';
    return lines;
}

static void test_no_descriptors(void **state)
{
    struct rlimit before, tight;
    FILE *log = tmpfile();
    int old_stderr = dup(STDERR_FILENO);

    (void)state;
    assert_non_null(log);
    crowd_open(CROWD);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)crowd[CROWD - 1].fd + 5;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    dup2(fileno(log), STDERR_FILENO);
    int64_t busy_ms = cpu_ms();
    run_ms(1000);
    busy_ms = cpu_ms() - busy_ms;
    dup2(old_stderr, STDERR_FILENO);
    int refused = crowd_refused(CROWD);
    assert_int_equal(net_count(the_net), 3); /* libuv keeps one of the four for itself */
    assert_int_equal(refused, CROWD - 3);
    assert_int_equal(log_lines(log), 1);
    assert_in_range(busy_ms, 0, 100);
    crowd_close(CROWD);
    int64_t from_ns = clock_mono_ns();
    client_open(&k);
    client_send(&k, STR(GET));
    WAIT_FOR(answered());
    assert_true(answered());
    assert_in_range((clock_mono_ns() - from_ns) / 1000000, 0, 1000);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    fclose(log);
    close(old_stderr);
    client_close(&k);
}

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
        cmocka_unit_test(test_max_connections),
        cmocka_unit_test_setup_teardown(test_no_descriptors, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
