/* test_ws_upgrade.c -- handshakes: which are refused with what, and the 101. */
#include "net_rig.h"

#define START      "GET /ws HTTP/1.1\r\nHost: x\r\n"
#define UPGRADE    "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define VERSION    "Sec-WebSocket-Version: 13\r\n"
#define KEY        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* clang-format off */
static const struct {
    const char *label, *head;
    int status; /* of ws_check() */
    const char *log;
} cases[] = {
    { "good",               START UPGRADE CONNECTION VERSION KEY "\r\n", 0, "" },
    { "any case",           START "UPGRADE: WebSocket\r\nconnection: upgrade\r\n" VERSION KEY "\r\n", 0, "" },
    { "among others",       START "Upgrade: foo, websocket\r\nConnection: keep-alive, Upgrade\r\n" VERSION KEY "\r\n", 0, "" },
    { "two lines",          START UPGRADE "Connection: keep-alive\r\nConnection: upgrade\r\n" VERSION KEY "\r\n", 0, "" },
    { "extensions offered", START UPGRADE CONNECTION VERSION KEY "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 0, "" },
    { "empty body told",    START UPGRADE CONNECTION VERSION KEY "Content-Length: 0\r\n\r\n", 0, "" },
    { "no upgrade",         START CONNECTION VERSION KEY "\r\n", 426, " refused(426 no_upgrade)" },
    { "another upgrade",    START "Upgrade: h2c\r\n" CONNECTION VERSION KEY "\r\n", 426, " refused(426 no_upgrade)" },
    { "no version",         START UPGRADE CONNECTION KEY "\r\n", 426, " refused(426 ws_version)" },
    { "version 8",          START UPGRADE CONNECTION "Sec-WebSocket-Version: 8\r\n" KEY "\r\n", 426, " refused(426 ws_version)" },
    { "version 013",        START UPGRADE CONNECTION "Sec-WebSocket-Version: 013\r\n" KEY "\r\n", 426, " refused(426 ws_version)" },
    { "versions 13, 8",     START UPGRADE CONNECTION "Sec-WebSocket-Version: 13, 8\r\n" KEY "\r\n", 426, " refused(426 ws_version)" },
    { "HTTP/1.0",           "GET /ws HTTP/1.0\r\nHost: x\r\n" UPGRADE CONNECTION VERSION KEY "\r\n", 400, " refused(400 http_version)" },
    { "POST",               "POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n" UPGRADE CONNECTION VERSION KEY "\r\n", 400,
      " refused(400 method)" },
    { "no connection",      START UPGRADE VERSION KEY "\r\n", 400, " refused(400 connection)" },
    { "connection of others", START UPGRADE "Connection: keep-alive, upgrades\r\n" VERSION KEY "\r\n", 400, " refused(400 connection)" },
    { "no key",             START UPGRADE CONNECTION VERSION "\r\n", 400, " refused(400 ws_key)" },
    { "empty key",          START UPGRADE CONNECTION VERSION "Sec-WebSocket-Key:\r\n\r\n", 400, " refused(400 ws_key)" },
    { "two keys",           START UPGRADE CONNECTION VERSION KEY KEY "\r\n", 400, " refused(400 ws_key)" },
    { "15 bytes",           START UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n\r\n", 400, " refused(400 ws_key)" },
    { "17 bytes",           START UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n", 400, " refused(400 ws_key)" },
    { "no padding",         START UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n\r\n", 400, " refused(400 ws_key)" },
    { "no base64",          START UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBs*SBub25jZQ==\r\n\r\n", 400, " refused(400 ws_key)" },
    { "text behind",        START UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ== x\r\n\r\n", 400, " refused(400 ws_key)" },
    { "a body",             START UPGRADE CONNECTION VERSION KEY "Content-Length: 2\r\n\r\nhi", 400, " refused(400 body)" },
};
/* clang-format on */

static void test_cases(void **state)
{
    rig *r = rig_open();

    (void)state;
    rig_start(r);
    for (size_t i = 0; i < COUNT(cases); i++) {
        rig_client *k = rig_connect(r, SOCK_STREAM);
        rig_log_clear(r);
        r->accepted = -1;
        rig_write(r, k, str_of(cases[i].head));
        rig_turn(r);
        if (r->accepted != cases[i].status || strcmp(r->log, cases[i].log) != 0)
            fail_msg("case \"%s\": %d, \"%s\"", cases[i].label, r->accepted, r->log);
        rig_client_close(k);
        rig_turn(r);
    }
    rig_close(r);
}

/* RFC 6455, section 1.3, to the letter; nothing of the offered extension. */
static void test_answer(void **state)
{
    static const char expected[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        "Sec-WebSocket-Protocol: chat\r\n\r\n";
    rig *r = rig_open();

    (void)state;
    rig_start(r);
    rig_client *k = rig_connect(r, SOCK_STREAM);
    rig_write(r, k,
              STR(START UPGRADE CONNECTION VERSION KEY
                  "Sec-WebSocket-Protocol: chat\r\n"
                  "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"));
    rig_turn(r);
    rig_read(k);
    assert_true(str_eq((str){ k->in, k->n }, str_of(expected)));
    assert_true(conn_is_ws(r->last));
    assert_int_equal(slab_count(r->net->requests), 0);
    rig_client_close(k);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases),
                                        cmocka_unit_test(test_answer) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
