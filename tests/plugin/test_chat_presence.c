/* test_chat_presence.c -- who is there: what parley.kv is told and asked, and who is told of whom. */
#include <parley/kv.h>

#include "chat_host.h"

#define FRAME(uid, name, status)                                                                   \
    "{\"type\":\"presence\",\"room\":\"" ROOM_UID "\",\"user\":{\"id\":\"" uid                     \
    "\",\"username\":\"" name "\"},\"status\":\"" status "\"}"
#define SAY(status) "{\"type\":\"presence\",\"status\":\"" status "\"}"
#define LIST_PATH   "/api/chat/rooms/" ROOM_UID "/presence/"

/* A parley.kv of ada's set and bob's: what this worker joined, and what another one has. */
static struct {
    bool here[2][2], elsewhere[2]; /* away, online; elsewhere: of bob */
    size_t joins;
    int64_t ttl_ms;
    int status; /* < 0: it is away */
} kv;
static const char *const names[] = { "away", "online" };

enum { ADA, BOB };
/* A change is told after SOON; who was told of has a pause, over which TOLD is. */
enum { SOON_MS = 1000, TOLD_MS = 3000 };

static size_t user_of(parley_str key)
{
    return memcmp(key.p + key.n - 36, BOB_UID, 36) == 0 ? BOB : ADA;
}

static size_t name_of(parley_str member)
{
    return member.n == strlen(names[1]);
}

static int kv_join(parley_ctx *ctx, parley_str key, parley_str member, int64_t ttl_ms)
{
    (void)ctx;
    kv.joins++;
    kv.ttl_ms = ttl_ms;
    kv.here[user_of(key)][name_of(member)] = true;
    return PARLEY_DONE;
}

static int kv_leave(parley_ctx *ctx, parley_str key, parley_str member)
{
    (void)ctx;
    kv.here[user_of(key)][name_of(member)] = false;
    return PARLEY_DONE;
}

static int kv_list(parley_ctx *ctx, parley_str key, parley_kv_members *ret, parley_kv_members_fn fn,
                   void *ud)
{
    static parley_str members[2];

    (void)ctx, (void)fn, (void)ud;
    if (kv.status < 0)
        return kv.status;
    ret->members = members;
    for (size_t i = 0; i < 2; i++)
        if (kv.here[user_of(key)][i] || (user_of(key) == BOB && kv.elsewhere[i]))
            members[ret->n++] = (parley_str){ names[i], strlen(names[i]) };
    return PARLEY_DONE;
}

static const parley_kv service = { .head = PARLEY_SERVICE(parley_kv, 0, 1),
                                   .presence_join = kv_join,
                                   .presence_leave = kv_leave,
                                   .presence_list = kv_list };

static int setup(const char *workers)
{
    memset(&kv, 0, sizeof(kv));
    fake_service("parley.kv", &service);
    return chat_setup(workers);
}

static int setup_one(void **state)
{
    (void)state;
    return setup("1");
}

static int setup_many(void **state)
{
    (void)state;
    return setup("4");
}

/* The question for the rooms of him who has changed. */
static void answer_rooms(const char *uid, const char *name)
{
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(3, ROOM_UID, uid, name);
    fake_run();
}

static void become(parley_conn conn, const char *frame)
{
    fake_event(conn, frame);
    fake_advance(TOLD_MS);
    answer_rooms(BOB_UID, "bob");
}

static void test_who_is_told(void **state)
{
    parley_conn first = socket_of(&ada, "0");
    parley_conn second = socket_of(&bob, "0");
    parley_conn silent = socket_of(&bob, "0");

    (void)state;
    fake_event(first, SAY("online"));
    fake_advance(SOON_MS);
    answer_rooms(ADA_UID, "ada");
    assert_string_equal(fake_frame_last(first), FRAME(ADA_UID, "ada", "online"));
    assert_int_equal(fake_frames(second), 0);
    become(second, SAY("online"));
    assert_string_equal(fake_frame_last(first), FRAME(BOB_UID, "bob", "online"));
    become(second, SAY("away"));
    assert_string_equal(fake_frame_last(first), FRAME(BOB_UID, "bob", "away"));
    fake_hang_up(second, 1000);
    fake_advance(TOLD_MS);
    answer_rooms(BOB_UID, "bob");
    assert_string_equal(fake_frame_last(first), FRAME(BOB_UID, "bob", "offline"));
    assert_int_equal(fake_frames(silent), 0);
    assert_int_equal(fake_db_waiting(), 0);
}

/* Neither a change of mind within the second nor who is at another worker all the while. */
static void test_nothing_to_tell(void **state)
{
    static const struct {
        const char *label, *first, *second;
        bool away_elsewhere, online_elsewhere;
        const char *told; /* NULL: nothing */
    } cases[] = {
        { "away and back", SAY("away"), SAY("online"), false, false, "online" },
        { "online elsewhere", SAY("online"), SAY("online"), false, true, NULL },
        { "away here, online there", SAY("away"), SAY("away"), true, true, NULL },
        { "online here, away there", SAY("away"), SAY("online"), true, false, "online" },
    };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_conn conn = socket_of(&bob, "0");

        kv.elsewhere[0] = cases[i].away_elsewhere;
        kv.elsewhere[1] = cases[i].online_elsewhere;
        fake_event(conn, cases[i].first);
        fake_event(conn, cases[i].second);
        fake_advance(TOLD_MS);
        if ((fake_db_waiting() > 0) != (cases[i].told != NULL))
            fail_msg("case \"%s\": %zu questions", cases[i].label, fake_db_waiting());
        if (cases[i].told) {
            answer_rooms(BOB_UID, "bob");
            assert_int_equal(fake_frames(conn), 1);
            assert_non_null(strstr(fake_frame_last(conn), cases[i].told));
        }
        fake_hang_up(conn, 1000);
        fake_advance(TOLD_MS);
        while (fake_db_waiting() > 0)
            answer_rooms(BOB_UID, "bob");
        assert_false(kv.here[BOB][0] || kv.here[BOB][1]);
    }
}

/* Whoever changes his mind all the time: seldom told of, and as he is in the end. */
static void test_a_pause(void **state)
{
    enum { FLIPS = 40, EACH_MS = 250, LEAST_APART_MS = 2000 };
    parley_conn conn = socket_of(&bob, "0");

    (void)state;
    become(conn, SAY("online"));
    fake_frames_clear(conn);
    for (int i = 0; i < FLIPS; i++) {
        fake_event(conn, i % 2 ? SAY("online") : SAY("away"));
        fake_advance(EACH_MS);
        while (fake_db_waiting() > 0)
            answer_rooms(BOB_UID, "bob");
    }
    fake_event(conn, SAY("away"));
    fake_advance(TOLD_MS);
    while (fake_db_waiting() > 0)
        answer_rooms(BOB_UID, "bob");
    assert_in_range(fake_frames(conn), 1, 1 + (FLIPS * EACH_MS + TOLD_MS) / LEAST_APART_MS);
    assert_string_equal(fake_frame_last(conn), FRAME(BOB_UID, "bob", "away"));
}

/* In and out by new sockets is the same; one who is back as he was has not been away, and the renewal
 * gives away nothing that is still to be told. */
static void test_a_pause_in_and_out(void **state)
{
    parley_conn watch = socket_of(&ada, "0");
    parley_conn conn = socket_of(&bob, "0");

    (void)state;
    fake_event(watch, SAY("online"));
    fake_advance(SOON_MS);
    answer_rooms(ADA_UID, "ada");
    fake_event(conn, SAY("online"));
    fake_advance(SOON_MS);
    answer_rooms(BOB_UID, "bob");
    fake_frames_clear(watch);
    fake_hang_up(conn, 1000);
    conn = socket_of(&bob, "0");
    fake_event(conn, SAY("online"));
    fake_advance(TOLD_MS);
    assert_int_equal(fake_db_waiting(), 0);

    become(conn, SAY("away"));
    fake_hang_up(conn, 1000);
    assert_true(kv.here[BOB][0]); /* as it was told */
    fake_advance(SOON_MS);
    assert_true(kv.here[BOB][0]);
    fake_advance(TOLD_MS);
    assert_false(kv.here[BOB][0]);
    answer_rooms(BOB_UID, "bob");
    assert_int_equal(fake_frames(watch), 2);
    assert_string_equal(fake_frame_last(watch), FRAME(BOB_UID, "bob", "offline"));
    fake_advance(TOLD_MS);
    size_t joins = kv.joins;

    fake_hang_up(watch, 1000);
    fake_advance(90000);
    assert_int_equal(kv.joins, joins); /* he is forgotten */
    assert_int_equal(fake_db_waiting(), 1);
    answer_rooms(ADA_UID, "ada");
}

static void test_renewal(void **state)
{
    parley_conn conn = socket_of(&bob, "0");

    (void)state;
    become(conn, SAY("online"));
    assert_int_equal(kv.ttl_ms, 90000);
    size_t joins = kv.joins;

    fake_advance(90000);
    assert_in_range(kv.joins - joins, 2, 4);
    kv.here[BOB][1] = false; /* the store has forgotten */
    fake_advance(30000);
    assert_true(kv.here[BOB][1]);
    fake_hang_up(conn, 1000);
    fake_advance(SOON_MS);
    answer_rooms(BOB_UID, "bob");
    joins = kv.joins;
    fake_advance(90000);
    assert_int_equal(kv.joins, joins);
}

static void test_without_the_store(void **state)
{
    parley_conn conn = socket_of(&bob, "0");

    (void)state;
    kv.status = PARLEY_EIO;
    fake_event(conn, SAY("online"));
    fake_advance(SOON_MS);
    assert_int_equal(fake_db_waiting(), 0);
    assert_int_equal(fake_frames(conn), 0);
    parley_req req = call_as(&bob, "GET", LIST_PATH, NULL);

    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(4, "10", "0", "ep", "0");
    FAKE_ROWS(1, "1");
    FAKE_ROWS(4, BOB_UID, "bob", "0", "0");
    fake_run();
    assert_int_equal(fake_status(req), 503);
}

static void test_the_list(void **state)
{
    parley_req req = call_as(&bob, "GET", LIST_PATH, NULL);

    (void)state;
    kv.elsewhere[0] = true;
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(4, "10", "0", "ep", "0");
    FAKE_ROWS(1, "1");
    FAKE_ROWS(4, BOB_UID, "bob", "0", "0");
    fake_run();
    assert_int_equal(fake_status(req), 200);
    assert_non_null(strstr(fake_body(req), "\"results\":[{\"user\":{\"id\":\"" BOB_UID
                                           "\",\"username\":\"bob\"},\"status\":\"away\"}]"));
}

/* What other workers say reaches only those who take part. */
static void test_from_another_worker(void **state)
{
    parley_conn conn = socket_of(&bob, "0");
    parley_conn silent = socket_of(&ada, "0");

    (void)state;
    fake_event(conn, SAY("online"));
    fake_advance(SOON_MS); /* no longer, or more is asked: for what the bus may have lost */
    answer_rooms(BOB_UID, "bob");
    fake_frames_clear(conn);
    deliver_of("-", 101, 1, "-", FRAME(ADA_UID, "ada", "online"));
    assert_string_equal(fake_frame_last(conn), FRAME(ADA_UID, "ada", "online"));
    assert_int_equal(fake_frames(silent), 0);
}

static void test_leaves_at_the_stop(void **state)
{
    parley_conn conn = socket_of(&bob, "0");

    (void)state;
    become(conn, SAY("away"));
    assert_true(kv.here[BOB][0]);
    assert_int_equal(fake_stop(), 0);
    assert_false(kv.here[BOB][0]);
}

int main(void)
{
#define TEST_ONE(name) cmocka_unit_test_setup_teardown(name, setup_one, chat_teardown)
    const struct CMUnitTest tests[] = {
        TEST_ONE(test_who_is_told),
        TEST_ONE(test_nothing_to_tell),
        TEST_ONE(test_a_pause),
        TEST_ONE(test_a_pause_in_and_out),
        TEST_ONE(test_renewal),
        TEST_ONE(test_without_the_store),
        TEST_ONE(test_the_list),
        TEST_ONE(test_leaves_at_the_stop),
        cmocka_unit_test_setup_teardown(test_from_another_worker, setup_many, chat_teardown),
    };

    return cmocka_run_group_tests_name("chat presence", tests, NULL, NULL);
}
