/* test_room.c -- rooms and sending: who gets what in which order, how many writes it takes, slow
 * readers, users. */
#include "net_rig.h"

#include "core/net/room.h"

#define CLIENTS 4

static rig *r;
static rig_client *k[CLIENTS];

static void open_clients(int type)
{
    for (size_t i = 0; i < CLIENTS; i++)
        k[i] = rig_client_open(r, type);
}

static int room_setup(void **state)
{
    (void)state;
    r = rig_open();
    rig_start(r);
    open_clients(SOCK_SEQPACKET);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLIENTS; i++)
        rig_client_close(k[i]);
    rig_turn(r);
    assert_null(r->net->rooms);
    assert_null(r->net->users);
    assert_int_equal(net_count(r->net), 0);
    rig_close(r);
    return 0;
}

/* ---- order, as scripts ---- */

static void say(const char *room_name, const char *text, const conn *except)
{
    frame *f = frame_create(str_of(text), 0);

    (void)room_send(r->net, str_of(room_name), f, except);
    frame_unref(f);
}

static void tell(size_t who, const char *text)
{
    frame *f = frame_create(str_of(text), 0);

    (void)conn_send(k[who]->conn, f);
    frame_unref(f);
}

/* One word an action: "+0r" client 0 joins room r, "-0r" leaves, "ra" room r gets "a" (lower-case
 * letters), "!0ra" the same without client 0, "=0a" client 0 gets "a", "x0" client 0 is closed with
 * 4000, "d0" it is destroyed. */
static void run(const char *script)
{
    for (const char *p = script; *p; p += strcspn(p, " "), p += *p == ' ') {
        char room_name[2] = { 0 }, text[2] = { 0 };
        size_t who = (size_t)(p[1] - '0');
        switch (p[0]) {
        case '+':
            room_name[0] = p[2];
            assert_int_equal(room_join(k[who]->conn, str_of(room_name)), 0);
            break;
        case '-':
            room_name[0] = p[2];
            assert_int_equal(room_leave(k[who]->conn, str_of(room_name)), 0);
            break;
        case '!':
            room_name[0] = p[2];
            text[0] = p[3];
            say(room_name, text, k[who]->conn);
            break;
        case '=':
            text[0] = p[2];
            tell(who, text);
            break;
        case 'x':
            conn_close(k[who]->conn, 4000, STR(""));
            break;
        case 'd':
            conn_destroy(k[who]->conn);
            break;
        default:
            room_name[0] = p[0];
            text[0] = p[1];
            say(room_name, text, NULL);
        }
    }
}

/* clang-format off */
static const struct {
    const char *label, *script;
    const char *got[3];
} orders[] = {
    { "one frame",            "+0r +1r ra",               { "Ta", "Ta", "" } },
    { "merged",               "+0r +1r ra rb rc",         { "Ta Tb Tc", "Ta Tb Tc", "" } },
    { "own one behind",       "+0r +1r ra =0b",           { "Ta Tb", "Ta", "" } },
    { "own one before",       "+0r +1r =0a rb",           { "Ta Tb", "Tb", "" } },
    { "own one between",      "+0r +1r ra =0b rc",        { "Ta Tb Tc", "Ta Tc", "" } },
    { "own ones between",     "+0r +1r ra =0b rc =0d re =0f", { "Ta Tb Tc Td Te Tf", "Ta Tc Te", "" } },
    { "joins in between",     "+0r ra +1r rb",            { "Ta Tb", "Tb", "" } },
    { "joins at the end",     "+0r ra +1r",               { "Ta", "", "" } },
    { "leaves in between",    "+0r +1r ra -1r rb",        { "Ta Tb", "Ta", "" } },
    { "leaves at the end",    "+0r +1r ra -1r",           { "Ta", "Ta", "" } },
    { "last one leaves",      "+0r ra -0r",               { "Ta", "", "" } },
    { "leaves and joins",     "+0r +1r ra -1r rb +1r rc", { "Ta Tb Tc", "Ta Tc", "" } },
    { "all leave, one joins", "+0r ra -0r +1r rb",        { "Ta", "Tb", "" } },
    { "first of three leaves", "+0r +1r +2r ra -0r rb",   { "Ta", "Ta Tb", "Ta Tb" } },
    { "joins, own one, leaves", "+0r ra +1r rb =1c rd -1r re", { "Ta Tb Td Te", "Tb Tc Td", "" } },
    { "closes in between",    "+0r +1r ra x1 rb",         { "Ta Tb", "Ta C4000", "" } },
    { "closes at the end",    "+0r +1r ra x1",            { "Ta", "Ta C4000", "" } },
    { "own one, then closes", "+0r ra =0b x0 =0c",        { "Ta Tb C4000", "", "" } },
    { "is destroyed",         "+0r +1r +2r ra d1 rb",     { "Ta Tb", "EOF", "Ta Tb" } },
    { "without one",          "+0r +1r +2r !1ra",         { "Ta", "", "Ta" } },
    { "without one, then all", "+0r +1r !1ra rb",         { "Ta Tb", "Tb", "" } },
    { "all, then without one", "+0r +1r ra !1rb rc",      { "Ta Tb Tc", "Ta Tc", "" } },
    { "without several",      "+0r +1r +2r !0ra !1rb !2rc", { "Tb Tc", "Ta Tc", "Ta Tb" } },
    { "without one, own one", "+0r +1r !1ra =1b rc",      { "Ta Tc", "Tb Tc", "" } },
    { "own one, without it",  "+0r +1r ra =1b !1rc rd",   { "Ta Tc Td", "Ta Tb Td", "" } },
    { "without one, it leaves", "+0r +1r ra !1rb -1r",    { "Ta Tb", "Ta", "" } },
    { "without a stranger",   "+0r +1r !2ra",             { "Ta", "Ta", "" } },
    { "without the only one", "+0r !0ra",                 { "", "", "" } },
    { "two rooms",            "+0r +0s +1s ra sb",        { "Ta Tb", "Tb", "" } },
    { "two rooms, own one",   "+0r +0s +1s ra sb =0c",    { "Ta Tb Tc", "Tb", "" } },
    { "two rooms, closes",    "+0s +0r +1s ra sb x0",     { "Tb Ta C4000", "Tb", "" } },
    { "leaves one of three",  "+0r +0s +0t ra -0s sb tc", { "Ta Tc", "", "" } },
    { "nobody there",         "ra",                       { "", "", "" } },
};
/* clang-format on */

static void test_orders(void **state)
{
    for (size_t i = 0; i < COUNT(orders); i++) {
        assert_int_equal(room_setup(state), 0);
        run(orders[i].script);
        rig_turn(r);
        for (size_t c = 0; c < 3; c++) {
            const char *got = rig_show(k[c]);
            if (strcmp(got, orders[i].got[c]) != 0)
                fail_msg("case \"%s\": client %zu got \"%s\"", orders[i].label, c, got);
            /* A second turn brings nothing more. */
            rig_turn(r);
            assert_shows(k[c], k[c]->eof ? "EOF" : "");
        }
        (void)teardown(state);
    }
}

/* ---- writes ---- */

static void test_writes(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        size_t frames, bytes; /* of a payload */
        size_t writes;
    } cases[] = {
        { "one frame",                 1,   100,   1 },
        { "64 frames are one",         64,  100,   1 },
        { "65 frames are two",         65,  100,   2 },
        { "130 frames are three",      130, 100,   3 },
        { "65532 bytes fit",           16,  4091,  1 },
        { "over 64 KiB does not",      17,  4091,  2 },
        { "big ones go alone",         3,   66000, 3 },
    };
    /* clang-format on */
    (void)state;
    for (size_t c = 0; c < 2; c++)
        assert_int_equal(room_join(k[c]->conn, STR("r")), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = calloc(1, cases[i].bytes);
        size_t total = 0;
        assert_non_null(text);
        for (size_t n = 0; n < cases[i].frames; n++) {
            frame *f = frame_create((str){ text, cases[i].bytes }, 0);
            total += f->n;
            assert_int_equal(room_send(r->net, STR("r"), f, NULL), 2);
            frame_unref(f);
        }
        free(text);
        for (size_t c = 0; c < 2; c++)
            assert_int_equal(recv(k[c]->fd, k[c]->in, 1, MSG_DONTWAIT), -1);
        net_flush(r->net);
        for (size_t c = 0; c < 2; c++) {
            k[c]->n = k[c]->records = 0;
            rig_read(k[c]);
            if (k[c]->records != cases[i].writes || k[c]->n != total)
                fail_msg("case \"%s\": %zu writes, %zu of %zu bytes", cases[i].label, k[c]->records,
                         k[c]->n, total);
            k[c]->n = 0;
        }
        assert_null(k[0]->conn->out);
        assert_true(list_empty(&r->net->dirty_rooms));
    }
}

static void test_own_frames_in_one_write(void **state)
{
    (void)state;
    run("+0r =0a rb =0c =0d =0e");
    net_flush(r->net);
    rig_read(k[0]);
    assert_int_equal(k[0]->records, 1);
    assert_shows(k[0], "Ta Tb Tc Td Te");
    assert_null(k[0]->conn->out);
}

/* Too much for one turn: what is pending does not grow without bound. */
static void test_pending_is_bounded(void **state)
{
    static char text[60000];

    (void)state;
    run("+0r");
    for (int i = 0; i < 6; i++) {
        frame *f = frame_create((str){ text, sizeof(text) }, 0);
        assert_int_equal(room_send(r->net, STR("r"), f, NULL), 1);
        frame_unref(f);
        rig_read(k[0]);
    }
    assert_true(k[0]->records > 0);
    rig_turn(r);
    assert_shows(k[0], "T#60000 T#60000 T#60000 T#60000 T#60000 T#60000");
}

/* Frames queued by a timer leave before the loop sleeps. */
static void timer_say(uv_timer_t *timer)
{
    (void)timer;
    say("r", "a", NULL);
}

static void timer_look(uv_timer_t *timer)
{
    rig_read(k[0]);
    *(size_t *)timer->data = k[0]->records;
}

static void test_timer_does_not_wait(void **state)
{
    uv_timer_t sender, looker;
    size_t seen = 0;

    (void)state;
    run("+0r");
    rig_turn(r);
    (void)uv_timer_init(&r->loop, &sender);
    (void)uv_timer_init(&r->loop, &looker);
    looker.data = &seen;
    (void)uv_timer_start(&sender, timer_say, 20, 0);
    (void)uv_timer_start(&looker, timer_look, 120, 0);
    while (uv_is_active((uv_handle_t *)&looker))
        (void)uv_run(&r->loop, UV_RUN_ONCE);
    assert_int_equal(seen, 1);
    uv_close((uv_handle_t *)&sender, NULL);
    uv_close((uv_handle_t *)&looker, NULL);
    rig_turn(r);
}

/* ---- membership ---- */

static void test_membership(void **state)
{
    (void)state;
    assert_int_equal(room_leave(k[0]->conn, STR("r")), -ENOENT);
    assert_int_equal(room_size(r->net, STR("r")), 0);
    run("+0r +1r +2r +0r");
    assert_int_equal(room_size(r->net, STR("r")), 3);
    frame *f = frame_create(STR("x"), 0);
    assert_int_equal(room_send(r->net, STR("r"), f, NULL), 3);
    assert_int_equal(room_send(r->net, STR("r"), f, k[1]->conn), 2);
    assert_int_equal(room_send(r->net, STR("r"), f, k[3]->conn), 3);
    assert_int_equal(room_send(r->net, STR("s"), f, NULL), 0);
    frame_unref(f);
    assert_int_equal(room_leave(k[0]->conn, STR("s")), -ENOENT);
    run("-0r -2r -1r");
    assert_null(r->net->rooms);
}

/* Random joins and leaves against a table. */
static void test_membership_random(void **state)
{
    bool in[CLIENTS][10] = { { false } };
    uint32_t x = 12345;

    (void)state;
    for (int step = 0; step < 20000; step++) {
        x = x * 1664525 + 1013904223;
        size_t c = x >> 28 & 3, n = (x >> 20) % 10;
        char name[2] = { (char)('a' + n), '\0' };
        if ((x >> 16 & 1) != 0) {
            assert_int_equal(room_join(k[c]->conn, str_of(name)), 0);
            in[c][n] = true;
        } else {
            assert_int_equal(room_leave(k[c]->conn, str_of(name)), in[c][n] ? 0 : -ENOENT);
            in[c][n] = false;
        }
        size_t size = 0;
        for (size_t i = 0; i < CLIENTS; i++)
            size += in[i][n];
        assert_int_equal(room_size(r->net, str_of(name)), size);
        if (step % 100 != 0)
            continue;
        say(name, "m", NULL);
        rig_turn(r);
        for (size_t i = 0; i < CLIENTS; i++)
            assert_shows(k[i], in[i][n] ? "Tm" : "");
    }
}

static void each_leaves(conn *c, void *ud)
{
    ++*(size_t *)ud;
    assert_int_equal(room_leave(c, STR("r")), 0);
}

static void each_closes(conn *c, void *ud)
{
    ++*(size_t *)ud;
    conn_close(c, 4403, STR("x"));
}

static void test_each(void **state)
{
    size_t n = 0;

    (void)state;
    run("+0r +1r +2r ra");
    room_each(r->net, STR("r"), each_leaves, &n);
    assert_int_equal(n, 3);
    assert_null(r->net->rooms);
    run("+0r +1r +2r rb");
    room_each(r->net, STR("r"), each_closes, &n);
    assert_int_equal(n, 6);
    assert_null(r->net->rooms);
    room_each(r->net, STR("r"), each_closes, &n);
    assert_int_equal(n, 6);
    rig_turn(r);
    for (size_t c = 0; c < 3; c++)
        assert_shows(k[c], "Ta Tb C4403");
}

/* ---- users ---- */

static void test_users(void **state)
{
    size_t n = 0;

    (void)state;
    assert_null(conn_user(k[0]->conn).p);
    assert_int_equal(conn_user_set(k[0]->conn, STR("u1"), STR("ada@example.org")), 0);
    assert_int_equal(conn_user_set(k[1]->conn, STR("u1"), STR("ada@example.org")), 0);
    assert_int_equal(conn_user_set(k[2]->conn, STR("u2"), STR("bob")), 0);
    assert_ptr_equal(conn_user(k[0]->conn).p, conn_user(k[1]->conn).p);
    assert_true(str_eq(conn_user_label(k[1]->conn), STR("ada@example.org")));
    assert_int_equal(user_count(r->net, STR("u1")), 2);
    assert_int_equal(conn_user_set(k[0]->conn, STR("u1"), STR("ada@new.org")), 0);
    assert_int_equal(user_count(r->net, STR("u1")), 2);
    assert_true(str_eq(conn_user_label(k[1]->conn), STR("ada@new.org")));
    assert_int_equal(conn_user_set(k[1]->conn, STR("u2"), STR("bob")), 0);
    assert_int_equal(user_count(r->net, STR("u1")), 1);
    assert_int_equal(user_count(r->net, STR("u2")), 2);
    user_each(r->net, STR("u2"), each_closes, &n);
    assert_int_equal(n, 2);
    assert_int_equal(conn_user_set(k[0]->conn, STR_NONE, STR_NONE), 0);
    assert_null(conn_user(k[0]->conn).p);
    assert_int_equal(user_count(r->net, STR("u1")), 0);
    rig_turn(r);
    assert_shows(k[1], "C4403");
    assert_shows(k[2], "C4403");
}

static void each_counts(conn *c, void *ud)
{
    assert_non_null(conn_user(c).p);
    ++*(size_t *)ud;
}

/* Who leaves the middle of the array is replaced by the last, which must know its new place. */
static void test_users_leave(void **state)
{
    static const size_t order[] = { 0, 3, 1, 2 };
    size_t n;

    (void)state;
    for (size_t c = 0; c < CLIENTS; c++)
        assert_int_equal(conn_user_set(k[c]->conn, STR("u"), STR("u")), 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        n = 0;
        user_each(r->net, STR("u"), each_counts, &n);
        assert_int_equal(n, CLIENTS - i);
        user_drop(k[order[i]]->conn);
    }
    assert_null(r->net->users);
    user_each(r->net, STR("u"), each_counts, &n);
    assert_int_equal(n, 1);
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, room_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders),
        ROOM(test_writes),
        ROOM(test_own_frames_in_one_write),
        ROOM(test_pending_is_bounded),
        ROOM(test_timer_does_not_wait),
        ROOM(test_membership),
        ROOM(test_membership_random),
        ROOM(test_each),
        ROOM(test_users),
        ROOM(test_users_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
