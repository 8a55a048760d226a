/* test_ws_deflate.c -- permessage-deflate on sockets: who gets which form and how often it is made,
 * and what clients may send. */
#include "net_rig.h"

#include "core/net/room.h"
#include "core/net/ws.h"

#define OFFER(parameters) "Sec-WebSocket-Extensions: permessage-deflate" parameters "\r\n"

enum { PLAIN, PACKED, NARROW, CLIENTS };

static rig *r;
static rig_client *k[CLIENTS];

static int setup_with(bool compression, int type)
{
    static const char *const offers[CLIENTS] = { "", OFFER("; client_max_window_bits"),
                                                 OFFER("; server_max_window_bits=9") };
    r = rig_open();
    r->limits.compression = compression;
    rig_start(r);
    for (size_t i = 0; i < CLIENTS; i++) {
        k[i] = rig_client_open_with(r, type, offers[i]);
        assert_int_equal(room_join(k[i]->conn, STR("r")), 0);
    }
    k[NARROW]->window_bits = 9;
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return setup_with(true, SOCK_SEQPACKET);
}

static int setup_stream(void **state)
{
    (void)state;
    return setup_with(true, SOCK_STREAM);
}

static int setup_off(void **state)
{
    (void)state;
    return setup_with(false, SOCK_SEQPACKET);
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLIENTS; i++)
        rig_client_close(k[i]);
    rig_turn(r);
    assert_int_equal(net_count(r->net), 0);
    rig_close(r);
    return 0;
}

/* n bytes that shrink: a letter, and then dots. */
static frame *new_frame(char first, size_t n)
{
    char *text = malloc(n);

    assert_non_null(text);
    memset(text, '.', n);
    text[0] = first;
    frame *f = frame_create((str){ text, n }, 0);
    assert_non_null(f);
    free(text);
    return f;
}

static void say(frame *f)
{
    assert_int_equal(room_send(r->net, STR("r"), f, NULL), CLIENTS);
}

/* More than a socket takes at once. */
static void turn_and_read(void)
{
    for (int i = 0; i < 20; i++) {
        rig_turn(r);
        for (size_t c = 0; c < CLIENTS; c++)
            rig_read(k[c]);
    }
}

static void assert_all_show(const char *plain, const char *packed, const char *narrow)
{
    assert_shows(k[PLAIN], plain);
    assert_shows(k[PACKED], packed);
    assert_shows(k[NARROW], narrow);
}

/* ---- sending ---- */

static void test_off(void **state)
{
    frame *f = new_frame('a', 100);

    (void)state;
    say(f);
    rig_turn(r);
    assert_all_show("T#100", "T#100", "T#100");
    assert_null(f->packed);
    assert_null(r->net->deflater);
    frame_unref(f);
}

static void test_forms(void **state)
{
    /* clang-format off */
    static const struct {
        size_t n;
        const char *plain, *packed, *narrow;
    } cases[] = {
        { 20,     "Ta...................", "Ta...................", "Ta..................." },
        { 63,     "Ta" "..............................................................",
                  "Ta" "..............................................................",
                  "Ta" ".............................................................." },
        { 64,     "Ta" "...............................................................",
                  "Za" "...............................................................",
                  "Za" "..............................................................." },
        { 500,    "T#500",    "Z#500",    "Z#500" },
        { 513,    "T#513",    "Z#513",    "T#513" }, /* further back than its window */
        { 65536,  "T#65536",  "Z#65536",  "T#65536" },
        { 262144, "T#262144", "Z#262144", "T#262144" },
        { 262145, "T#262145", "T#262145", "T#262145" },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        frame *f = new_frame('a', cases[i].n);
        say(f);
        turn_and_read();
        assert_all_show(cases[i].plain, cases[i].packed, cases[i].narrow);
        for (size_t c = 0; c < CLIENTS; c++)
            assert_int_equal(conn_send(k[c]->conn, f), 0);
        turn_and_read();
        assert_all_show(cases[i].plain, cases[i].packed, cases[i].narrow);
        frame_unref(f);
    }
}

/* One form for everybody, made once, whichever way the frame goes. */
static void test_packed_once(void **state)
{
    frame *f = new_frame('a', 200);

    (void)state;
    assert_int_equal(conn_send(k[PLAIN]->conn, f), 0);
    assert_null(f->packed);
    assert_int_equal(conn_send(k[PACKED]->conn, f), 0);
    const frame *packed = f->packed;
    assert_non_null(packed);
    say(f);
    assert_int_equal(conn_send(k[NARROW]->conn, f), 0);
    rig_turn(r);
    assert_ptr_equal(f->packed, packed);
    assert_int_equal(packed->refs, 1);
    assert_all_show("T#200 T#200", "Z#200 Z#200", "Z#200 Z#200");
    frame_unref(f);
}

static void test_noise_stays_plain(void **state)
{
    char text[64], expected[80];
    uint32_t x = 1;

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++) {
        x = x * 1664525u + 1013904223u;
        text[i] = (char)('!' + (x >> 24) % 90);
    }
    frame *f = frame_create((str){ text, sizeof(text) }, 0);
    say(f);
    rig_turn(r);
    assert_null(f->packed);
    (void)snprintf(expected, sizeof(expected), "T%.64s", text);
    assert_all_show(expected, expected, expected);
    frame_unref(f);
}

/* A turn's frames are one write for each form. */
static void test_merged(void **state)
{
    frame *small = new_frame('a', 10), *middle = new_frame('b', 300), *large = new_frame('c', 900);

    (void)state;
    say(small);
    say(middle);
    say(middle);
    net_flush(r->net);
    for (size_t c = 0; c < CLIENTS; c++) {
        k[c]->records = 0;
        rig_read(k[c]);
        assert_int_equal(k[c]->records, 1);
    }
    assert_all_show("Ta......... T#300 T#300", "Ta......... Z#300 Z#300",
                    "Ta......... Z#300 Z#300");
    say(small);
    say(large);
    say(middle);
    net_flush(r->net);
    for (size_t c = 0; c < CLIENTS; c++) {
        k[c]->records = 0;
        rig_read(k[c]);
        assert_int_equal(k[c]->records, 1);
    }
    /* One of them is too long for the narrow window: it gets the plain buffer. */
    assert_all_show("Ta......... T#900 T#300", "Ta......... Z#900 Z#300",
                    "Ta......... T#900 T#300");
    frame_unref(small);
    frame_unref(middle);
    frame_unref(large);
}

/* Own frames between the room's, and what is caught up on. */
static void test_order(void **state)
{
    frame *a = new_frame('a', 100), *b = new_frame('b', 110);

    (void)state;
    say(a);
    assert_int_equal(conn_send(k[PACKED]->conn, b), 0);
    say(a);
    conn_close(k[PLAIN]->conn, 4000, STR(""));
    rig_turn(r);
    assert_all_show("T#100 T#100 C4000", "Z#100 Z#110 Z#100", "Z#100 Z#100");
    frame_unref(a);
    frame_unref(b);
}

/* Readers that take a little at a time: the rest of a merged buffer is queued as single frames, from
 * the right byte on. */
static void test_partly_taken(void **state)
{
    enum { ROUNDS = 300 };
    char text[4001];
    size_t got[CLIENTS] = { 0 };
    uint32_t x = 5;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        for (size_t n = 0; n < sizeof(text) - 1; n++) {
            x = x * 1664525u + 1013904223u;
            text[n] = "abcdefghijklmnop"[x >> 28];
        }
        frame *f = frame_create((str){ text, 300 + (x >> 8) % 3700 }, 0);
        say(f);
        frame_unref(f);
        if (i % 7 == 0)
            net_flush(r->net);
    }
    for (int turn = 0; turn < 20; turn++) {
        turn_and_read();
        for (size_t c = 0; c < CLIENTS; c++)
            for (const char *p = rig_show(k[c]); *p; p += strcspn(p, " "), p += *p == ' ')
                got[c] += *p == (c == PACKED ? 'Z' : 'T');
    }
    /* The narrow one has got those of up to 512 bytes packed, if they came alone. */
    assert_int_equal(got[PLAIN], ROUNDS);
    assert_int_equal(got[PACKED], ROUNDS);
    assert_true(got[NARROW] > 0 && got[NARROW] <= ROUNDS);
}

/* ---- receiving ---- */

#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00"

static void write_frame(size_t who, uint8_t first, str payload)
{
    static char bytes[80000];

    rig_write(r, k[who], (str){ bytes, rig_frame(bytes, first, payload) });
    rig_turn(r);
}

/* clang-format off */
static const struct {
    const char *label;
    struct { uint8_t first; str payload; } frames[3];
    const char *log; /* of what went up */
    const char *got; /* by the client */
} cases[] = {
    { "text",                     { { 0xc1, STR_LIT(HELLO) } },           " event(Hello)", "" },
    { "binary",                   { { 0xc2, STR_LIT(HELLO) } },           " binary(Hello)", "" },
    { "plain text is allowed",    { { 0x81, STR_LIT("Hello") } },         " event(Hello)", "" },
    { "empty",                    { { 0xc1, STR_LIT("\0") } },            " event()", "" },
    { "one after the other",      { { 0xc1, STR_LIT(HELLO) }, { 0x81, STR_LIT("x") }, { 0xc1, STR_LIT(HELLO) } },
                                  " event(Hello) event(x) event(Hello)", "" },
    { "two fragments",            { { 0x41, STR_LIT("\xf2\x48\xcd") }, { 0x80, STR_LIT("\xc9\xc9\x07\x00") } },
                                  " event(Hello)", "" },
    { "empty fragments",          { { 0x41, STR_LIT("") }, { 0x00, STR_LIT(HELLO) }, { 0x80, STR_LIT("") } },
                                  " event(Hello)", "" },
    { "a ping in between",        { { 0x41, STR_LIT("\xf2\x48\xcd") }, { 0x89, STR_LIT("p") }, { 0x80, STR_LIT("\xc9\xc9\x07\x00") } },
                                  " event(Hello)", "Op" },
    { "plain fragments",          { { 0x01, STR_LIT("He") }, { 0x80, STR_LIT("llo") }, { 0xc1, STR_LIT(HELLO) } },
                                  " event(Hello) event(Hello)", "" },
    { "last block",               { { 0xc1, STR_LIT("\xf3\x48\xcd\xc9\xc9\x07\x00\x00") } }, " event(Hello)", "" },
    /* RFC 7692, section 6 */
    { "RSV1 on a continuation",   { { 0x41, STR_LIT("\xf2\x48\xcd") }, { 0xc0, STR_LIT("\xc9\xc9\x07\x00") } }, NULL, "C1002" },
    { "RSV1 on a later frame",    { { 0x01, STR_LIT("He") }, { 0xc0, STR_LIT("llo") } }, NULL, "C1002" },
    { "RSV1 on a ping",           { { 0xc9, STR_LIT("") } },              NULL, "C1002" },
    { "RSV1 on a pong",           { { 0xca, STR_LIT("") } },              NULL, "C1002" },
    { "RSV1 on a close",          { { 0xc8, STR_LIT("\x03\xe8") } },      NULL, "C1002" },
    { "RSV2",                     { { 0xa1, STR_LIT("x") } },             NULL, "C1002" },
    { "RSV3",                     { { 0x91, STR_LIT("x") } },             NULL, "C1002" },
    { "RSV1 and RSV2",            { { 0xe1, STR_LIT(HELLO) } },           NULL, "C1002" },
    { "RSV1 on opcode 3",         { { 0xc3, STR_LIT(HELLO) } },           NULL, "C1002" },
    { "no DEFLATE",               { { 0xc1, STR_LIT("Hello") } },         NULL, "C1007" },
    { "nothing",                  { { 0xc1, STR_LIT("") } },              NULL, "C1007" },
    { "cut",                      { { 0xc1, STR_LIT("\xf2\x48\xcd\xc9") } }, NULL, "C1007" },
    { "with context takeover",    { { 0xc1, STR_LIT(HELLO) }, { 0xc1, STR_LIT("\xf2\x00\x11\x00\x00") } }, NULL, "C1007" },
    { "no UTF-8",                 { { 0xc1, STR_LIT("\x00\x01\x00\xfe\xff\xff\x00") } }, NULL, "C1007" },
    { "half a character",         { { 0xc1, STR_LIT("\x00\x01\x00\xfe\xff\xc3\x00") } }, NULL, "C1007" },
    { "no UTF-8 in a binary",     { { 0xc2, STR_LIT("\x00\x01\x00\xfe\xff\xff\x00") } }, " binary(\xff)", "" },
};
/* clang-format on */

static void test_received(void **state)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(setup_stream(state), 0);
        rig_log_clear(r);
        for (size_t n = 0; n < 3 && cases[i].frames[n].payload.p; n++)
            write_frame(PACKED, cases[i].frames[n].first, cases[i].frames[n].payload);
        const char *got = rig_show(k[PACKED]);
        size_t n = strlen(cases[i].got);
        if (strncmp(got, cases[i].got, n) != 0 || (got[n] != '\0' && got[n] != ' '))
            fail_msg("case \"%s\": got \"%s\"", cases[i].label, got);
        if (cases[i].log && strcmp(r->log, cases[i].log) != 0)
            fail_msg("case \"%s\": log \"%s\"", cases[i].label, r->log);
        (void)teardown(state);
    }
}

/* Who agreed to nothing may not send it, whatever others did. */
static void test_not_agreed(void **state)
{
    (void)state;
    write_frame(PLAIN, 0xc1, STR(HELLO));
    assert_int_equal(strncmp(rig_show(k[PLAIN]), "C1002", 5), 0);
}

static void test_off_takes_none(void **state)
{
    (void)state;
    write_frame(PACKED, 0xc1, STR(HELLO));
    assert_int_equal(strncmp(rig_show(k[PACKED]), "C1002", 5), 0);
}

/* The text's length counts, not that of its packed form. */
static void test_sizes(void **state)
{
    static char text[70000];
    static const struct {
        size_t n;
        char fill;
        bool good;
    } sizes[] = {
        { 65535, '.', true },  { 65536, '.', true },   { 65537, '.', false },
        { 65536, '\0', true }, { 69000, '\0', false },
    };

    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint32_t x = 9;
        z_stream z = { .next_in = (Bytef *)text, .avail_in = (uInt)sizes[i].n };
        static char packed[80000];
        assert_int_equal(setup_stream(state), 0);
        rig_log_clear(r);
        for (size_t n = 0; n < sizes[i].n; n++) {
            x = x * 1664525u + 1013904223u;
            text[n] = sizes[i].fill ? sizes[i].fill : (char)(x >> 24); /* noise: it grows */
        }
        assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, -15, 1, Z_HUFFMAN_ONLY), Z_OK);
        z.next_out = (Bytef *)packed;
        z.avail_out = sizeof(packed);
        assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
        size_t n = sizeof(packed) - z.avail_out - 4;
        (void)deflateEnd(&z);
        assert_int_equal(sizes[i].fill ? 0 : 1, n > sizes[i].n);
        write_frame(PACKED, 0x42, (str){ packed, n / 2 });
        write_frame(PACKED, 0x80, (str){ packed + n / 2, n - n / 2 });
        rig_show(k[PACKED]);
        char expected[64];
        (void)snprintf(expected, sizeof(expected), " binary(%zu bytes)", sizes[i].n);
        if ((strcmp(r->log, expected) == 0) != sizes[i].good)
            fail_msg("case %zu: \"%s\"", i, r->log);
        if (!sizes[i].good)
            assert_string_equal(r->log, " closed(1009)");
        (void)teardown(state);
    }
}

/* An idle socket that agreed has nothing that another has not. */
static void test_idle_costs_nothing(void **state)
{
    (void)state;
    write_frame(PACKED, 0xc1, STR(HELLO));
    frame *f = new_frame('a', 200);
    say(f);
    frame_unref(f);
    rig_turn(r);
    assert_null(k[PACKED]->conn->ws);
    assert_null(k[PACKED]->conn->out);
    assert_null(k[PACKED]->conn->http);
}

#define ON(test)     cmocka_unit_test_setup_teardown(test, setup, teardown)
#define STREAM(test) cmocka_unit_test_setup_teardown(test, setup_stream, teardown)
#define OFF(test)    cmocka_unit_test_setup_teardown(test, setup_off, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OFF(test_off),
        STREAM(test_forms),
        ON(test_packed_once),
        ON(test_noise_stays_plain),
        ON(test_merged),
        ON(test_order),
        STREAM(test_partly_taken),
        cmocka_unit_test(test_received),
        ON(test_not_agreed),
        OFF(test_off_takes_none),
        cmocka_unit_test(test_sizes),
        ON(test_idle_costs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
