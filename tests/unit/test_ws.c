/* test_ws.c -- what a client sends on a WebSocket and what it gets: frames, close codes, events;
 * every case whole, split at every byte, and byte by byte. */
#include "net_rig.h"

#include "core/net/ws.h"

/* ---- client frames as short scripts ---- */

typedef struct piece {
    uint8_t first; /* FIN, RSV, opcode */
    str payload;   /* absent: no more pieces */
    bool raw;      /* the payload as it stands, without a header */
} piece;

#define F(first, text)                                                                             \
    {                                                                                              \
        first, STR_LIT(text), false                                                                \
    }
#define RAW(text)                                                                                  \
    {                                                                                              \
        0, STR_LIT(text), true                                                                     \
    }
#define TEXT(text) F(0x81, text)
#define PIECES_MAX 8

/* clang-format off */
static const struct {
    const char *label;
    piece pieces[PIECES_MAX];
    const char *up;    /* logged by the layer above, which echoes */
    const char *down;  /* what the client got */
} cases[] = {
    { "text",              { TEXT("hello") }, " event(hello)", "Thello" },
    { "empty text",        { TEXT("") }, " event()", "T" },
    { "binary",            { F(0x82, "\x01\x02") }, " binary(\x01\x02)", "T\x01\x02" },
    { "two in one read",   { TEXT("a"), TEXT("b") }, " event(a) event(b)", "Ta Tb" },
    { "fragments",         { F(0x01, "Hel"), F(0x00, "l"), F(0x80, "o") }, " event(Hello)", "THello" },
    { "empty fragments",   { F(0x01, ""), F(0x00, ""), F(0x80, "") }, " event()", "T" },
    { "last one empty",    { F(0x01, "abc"), F(0x80, "") }, " event(abc)", "Tabc" },
    { "character split",   { F(0x01, "\xe2\x82"), F(0x80, "\xac") }, " event(\xe2\x82\xac)", "T\xe2\x82\xac" },
    { "binary fragments",  { F(0x02, "\xff"), F(0x80, "\xfe") }, " binary(\xff\xfe)", "T\xff\xfe" },
    { "binary is no text", { F(0x82, "\xff\xfe") }, " binary(\xff\xfe)", "T\xff\xfe" },
    { "ping",              { F(0x89, "hi") }, "", "Ohi" },
    { "empty ping",        { F(0x89, "") }, "", "O" },
    { "ping in between",   { F(0x01, "a"), F(0x89, "p"), F(0x80, "b") }, " event(ab)", "Op Tab" },
    { "pong unasked",      { F(0x8a, "x"), TEXT("a") }, " event(a)", "Ta" },
    { "126 bytes",         { TEXT("123456789.123456789.123456789.123456789.123456789.123456789.123456789."
                                  "123456789.123456789.123456789.123456789.123456789.123456") },
      " event(126 bytes)", "T#126" },

    { "close 1000",        { F(0x88, "\x03\xe8") }, " closed(1000)", "C1000 EOF" },
    { "close with reason", { F(0x88, "\x03\xe9" "bye") }, " closed(1001 bye)", "C1001 EOF" },
    { "close empty",       { F(0x88, "") }, " closed(1005)", "C EOF" },
    { "close 3000",        { F(0x88, "\x0b\xb8") }, " closed(3000)", "C3000 EOF" },
    { "close 4999",        { F(0x88, "\x13\x87") }, " closed(4999)", "C4999 EOF" },
    { "close 1014",        { F(0x88, "\x03\xf6") }, " closed(1014)", "C1014 EOF" },
    { "after close",       { F(0x88, "\x03\xe8"), TEXT("no"), F(0x89, "no") }, " closed(1000)", "C1000 EOF" },
    { "text, then close",  { TEXT("a"), F(0x88, "\x03\xe8") }, " event(a) closed(1000)", "Ta C1000 EOF" },
    { "close in between",  { F(0x01, "a"), F(0x88, "\x03\xe8") }, " closed(1000)", "C1000 EOF" },
    { "close, one byte",   { F(0x88, "\x03") }, " closed(1002)", "C1002 EOF" },
    { "close 999",         { F(0x88, "\x03\xe7") }, " closed(1002)", "C1002 EOF" },
    { "close 0",           { F(0x88, "\0\0") }, " closed(1002)", "C1002 EOF" },
    { "close 1004",        { F(0x88, "\x03\xec") }, " closed(1002)", "C1002 EOF" },
    { "close 1005",        { F(0x88, "\x03\xed") }, " closed(1002)", "C1002 EOF" },
    { "close 1006",        { F(0x88, "\x03\xee") }, " closed(1002)", "C1002 EOF" },
    { "close 1015",        { F(0x88, "\x03\xf7") }, " closed(1002)", "C1002 EOF" },
    { "close 1016",        { F(0x88, "\x03\xf8") }, " closed(1002)", "C1002 EOF" },
    { "close 2999",        { F(0x88, "\x0b\xb7") }, " closed(1002)", "C1002 EOF" },
    { "close 5000",        { F(0x88, "\x13\x88") }, " closed(1002)", "C1002 EOF" },
    { "close 65535",       { F(0x88, "\xff\xff") }, " closed(1002)", "C1002 EOF" },
    { "close, bad reason", { F(0x88, "\x03\xe8\xff") }, " closed(1007)", "C1007 EOF" },

    { "not masked",        { RAW("\x81\x01" "a") }, " closed(1002)", "C1002 EOF" },
    { "not masked, empty", { RAW("\x81\x00") }, " closed(1002)", "C1002 EOF" },
    { "RSV1",              { F(0xc1, "a") }, " closed(1002)", "C1002 EOF" },
    { "RSV2",              { F(0xa1, "a") }, " closed(1002)", "C1002 EOF" },
    { "RSV3 on ping",      { F(0x99, "a") }, " closed(1002)", "C1002 EOF" },
    { "opcode 3",          { F(0x83, "a") }, " closed(1002)", "C1002 EOF" },
    { "opcode 7",          { F(0x87, "") }, " closed(1002)", "C1002 EOF" },
    { "opcode B",          { F(0x8b, "") }, " closed(1002)", "C1002 EOF" },
    { "opcode F",          { F(0x8f, "a") }, " closed(1002)", "C1002 EOF" },
    { "ping in fragments", { F(0x09, "a") }, " closed(1002)", "C1002 EOF" },
    { "ping of 126 bytes", { RAW("\x89\xfe\x00\x7e\x01\x02\x03\x04") }, " closed(1002)", "C1002 EOF" },
    { "long form of 125",  { RAW("\x81\xfe\x00\x7d\x01\x02\x03\x04") }, " closed(1002)", "C1002 EOF" },
    { "longer of 65535",   { RAW("\x81\xff\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04") }, " closed(1002)", "C1002 EOF" },
    { "top bit of 64",     { RAW("\x81\xff\x80\0\0\0\0\0\0\0\x01\x02\x03\x04") }, " closed(1002)", "C1002 EOF" },
    { "continues nothing", { F(0x80, "a") }, " closed(1002)", "C1002 EOF" },
    { "continues nothing, open", { F(0x00, "a") }, " closed(1002)", "C1002 EOF" },
    { "text in a message", { F(0x01, "a"), TEXT("b") }, " closed(1002)", "C1002 EOF" },
    { "continues after the end", { F(0x01, "a"), F(0x80, "b"), F(0x80, "c") }, " event(ab) closed(1002)", "Tab C1002 EOF" },
    { "answers before the error", { TEXT("a"), F(0x89, "p"), F(0x8f, "") }, " event(a) closed(1002)", "Ta Op C1002 EOF" },

    { "ill-formed text",   { TEXT("a\xff") }, " closed(1007)", "C1007 EOF" },
    { "ends in a character", { TEXT("\xe2\x82") }, " closed(1007)", "C1007 EOF" },
    { "fails at once",     { F(0x01, "\xf4\x90") }, " closed(1007)", "C1007 EOF" },
    { "fails over fragments", { F(0x01, "\xe2"), F(0x00, "\x28") }, " closed(1007)", "C1007 EOF" },
    { "fails inside the payload", { RAW("\x81\x85\0\0\0\0" "a\xff") }, " closed(1007)", "C1007 EOF" },

    { "65537 bytes",       { RAW("\x81\xff\0\0\0\0\0\x01\0\x01\x01\x02\x03\x04") }, " closed(1009)", "C1009 EOF" },
    { "2^62 bytes",        { RAW("\x81\xff\x40\0\0\0\0\0\0\0\x01\x02\x03\x04") }, " closed(1009)", "C1009 EOF" },
    { "sum of fragments",  { F(0x01, "ab"), RAW("\x80\xfe\xff\xff\x01\x02\x03\x04") }, " closed(1009)", "C1009 EOF" },
    { "ping, then too big", { F(0x89, "p"), RAW("\x82\xff\0\0\0\0\0\x01\0\x01\x01\x02\x03\x04") },
      " closed(1009)", "Op C1009 EOF" },
};
/* clang-format on */

static size_t script_bytes(size_t i, char *ret)
{
    size_t n = 0;

    for (size_t k = 0; k < PIECES_MAX && cases[i].pieces[k].payload.p; k++) {
        const piece *p = &cases[i].pieces[k];
        if (p->raw) {
            memcpy(ret + n, p->payload.p, p->payload.n);
            n += p->payload.n;
        } else {
            n += rig_frame(ret + n, p->first, p->payload);
        }
    }
    return n;
}

static rig *echo_rig(void)
{
    rig *r = rig_open();

    r->echo = true;
    rig_start(r);
    return r;
}

/* cut: place of the only cut; SIZE_MAX: after every byte. */
static void run_case(rig *r, size_t i, str bytes, size_t cut)
{
    rig_client *k = rig_client_open(r, SOCK_STREAM);

    rig_log_clear(r);
    for (size_t at = 0; at < bytes.n;) {
        size_t n = cut == SIZE_MAX ? 1 : at < cut ? cut - at : bytes.n - at;
        rig_write(r, k, (str){ bytes.p + at, n });
        rig_turn(r);
        at += n;
    }
    rig_turn(r);
    const char *down = rig_show(k);
    if (strcmp(r->log, cases[i].up) != 0 || strcmp(down, cases[i].down) != 0)
        fail_msg("case \"%s\" cut at %zd: up \"%s\", down \"%s\"", cases[i].label, (ssize_t)cut,
                 r->log, down);
    rig_client_close(k);
    rig_turn(r);
}

static void test_cases(void **state)
{
    char bytes[4096];
    rig *r = echo_rig();

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t n = script_bytes(i, bytes);
        for (size_t cut = 0; cut < n; cut++)
            run_case(r, i, (str){ bytes, n }, cut);
        run_case(r, i, (str){ bytes, n }, SIZE_MAX);
    }
    assert_int_equal(net_count(r->net), 0);
    rig_close(r);
}

/* ---- sizes ---- */

static void send_message(rig *r, const rig_client *k, size_t n, size_t fragment)
{
    char *bytes = malloc(fragment + 16), *text = malloc(fragment);

    assert_true(bytes && text);
    memset(text, 'm', fragment);
    for (size_t at = 0; at < n; at += fragment) {
        size_t part = n - at < fragment ? n - at : fragment;
        uint8_t first = (uint8_t)((at == 0 ? 0x01 : 0x00) | (at + part == n ? 0x80 : 0x00));
        rig_write(r, k, (str){ bytes, rig_frame(bytes, first, (str){ text, part }) });
    }
    rig_turn(r);
    free(bytes);
    free(text);
}

static void test_sizes(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        size_t bytes, fragment;
        const char *up, *down;
    } sizes[] = {
        { "one frame",            65000, 65535, " event(65000 bytes)", "T#65000" },
        { "the limit, two parts", 65536, 65535, " event(65536 bytes)", "T#65536" },
        { "one more",             65537, 65535, " closed(1009)", "C1009 EOF" },
        { "1024 fragments",       2048,  2,     " event(2048 bytes)", "T#2048" },
        { "one fragment more",    2050,  2,     " closed(1008)", "C1008 EOF" },
    };
    /* clang-format on */
    rig *r = echo_rig();

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        rig_client *k = rig_client_open(r, SOCK_STREAM);
        rig_log_clear(r);
        send_message(r, k, sizes[i].bytes, sizes[i].fragment);
        const char *down = rig_show(k);
        if (strcmp(r->log, sizes[i].up) != 0 || strcmp(down, sizes[i].down) != 0)
            fail_msg("case \"%s\": up \"%s\", down \"%s\"", sizes[i].label, r->log, down);
        rig_client_close(k);
        rig_turn(r);
    }
    rig_close(r);
}

/* An idle WebSocket holds nothing but its slab object. */
static void test_nothing_is_kept(void **state)
{
    char bytes[256];
    rig *r = echo_rig();
    rig_client *k = rig_client_open(r, SOCK_STREAM);

    (void)state;
    size_t n = rig_frame(bytes, 0x01, STR("open"));
    rig_write(r, k, (str){ bytes, n });
    assert_non_null(k->conn->ws);
    assert_null(k->conn->ws->reader);
    n = rig_frame(bytes, 0x80, STR("."));
    rig_write(r, k, (str){ bytes, n - 1 });
    assert_non_null(k->conn->ws->reader);
    rig_write(r, k, (str){ bytes + n - 1, 1 });
    rig_turn(r);
    assert_null(k->conn->ws);
    assert_null(k->conn->out);
    assert_shows(k, "Topen.");
    rig_client_close(k);
    rig_close(r);
}

/* The first frames may come in the same write as the handshake. */
static void test_early_frames(void **state)
{
    char bytes[512];
    rig *r = echo_rig();
    rig_client *k = rig_connect(r, SOCK_STREAM);

    (void)state;
    size_t n = sizeof(RIG_HANDSHAKE) - 1;
    memcpy(bytes, RIG_HANDSHAKE, n);
    n += rig_frame(bytes + n, 0x81, STR("early"));
    rig_write(r, k, (str){ bytes, n });
    rig_turn(r);
    rig_read(k);
    const char *end = memmem(k->in, k->n, "\r\n\r\n", 4);
    assert_non_null(end);
    assert_true(str_eq((str){ end + 4, k->n - (size_t)(end + 4 - k->in) }, STR("\x81\x05"
                                                                               "early")));
    rig_client_close(k);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_nothing_is_kept),
        cmocka_unit_test(test_early_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
