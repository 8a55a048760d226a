/* feed_host.h -- what the tests of sockets for all rooms share: bob's socket, which looks at the room of
 * chat_host.h, or is live there. */
#ifndef TESTS_PLUGIN_FEED_HOST_H
#define TESTS_PLUGIN_FEED_HOST_H
#include "chat_host.h"

#define OTHER_UID "019a1b2c-0000-7000-8000-0000000000c4"
#define FEED_SET  "*" ROOM_UID
#define SUBSCRIBE "{\"type\":\"subscribe\",\"rooms\":{\"" ROOM_UID "\":{}}}"
#define RESUME(after)                                                                              \
    "{\"type\":\"subscribe\",\"rooms\":{\"" ROOM_UID "\":{\"after\":" after ",\"epoch\":\"ep\"}}}"

static inline int setup(void **state)
{
    (void)state;
    return chat_setup("4");
}

/* SQL_ROOMS_MINE: bob is in the room. */
static inline void answer_mine(void)
{
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(5, "10", "6", "ep", ROOM_UID, "Room");
    fake_run();
}

static inline parley_conn opened(parley_req req)
{
    parley_conn conn = fake_opened(req);

    assert_int_not_equal(conn.id, 0);
    assert_non_null(strstr(fake_frame(conn, 0), "{\"type\":\"hello\",\"user\":"));
    fake_frames_clear(conn);
    return conn;
}

/* Bob's socket, which looks at the room. */
static inline parley_conn feed(void)
{
    parley_req req = call_as(&bob, "WS", "/ws/", NULL);

    answer_mine(); /* new */
    answer_mine(); /* known */
    return opened(req);
}

/* One that is live there. */
static inline parley_conn feed_live(void)
{
    parley_conn conn = feed();

    fake_event(conn, SUBSCRIBE);
    answer_seen("6", "0");
    assert_string_equal(fake_frame_last(conn), "{\"type\":\"subscribed\",\"room\":\"" ROOM_UID
                                               "\",\"seq\":6,\"epoch\":\"ep\"}");
    assert_true(fake_in_room(conn, FEED_SET));
    fake_frames_clear(conn);
    return conn;
}

#define ASSERT_LAST(conn, part) assert_non_null(strstr(fake_frame_last(conn), part))

/* SQL_UNREAD */
static inline void answer_unread(const char *count, const char *last_seq)
{
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, count, last_seq);
    fake_run();
}

/* SQL_ROOMS_MINE, twice: he was added to another one. */
static inline void answer_added(void)
{
    for (int i = 0; i < 2; i++) {
        fake_db_answer(PARLEY_OK);
        FAKE_ROWS(5, "11", "4", "ep", OTHER_UID, "Other", "10", "6", "ep", ROOM_UID, "Room");
        fake_run();
    }
}

/* Whatever is still asked gets no answer that matters; a page of the log is empty. */
static inline void answer_what_waits(void)
{
    while (fake_db_waiting() > 0) {
        fake_db_answer(PARLEY_OK);
        if (fake_db_statements(fake_db_runs() - 1) == 2)
            FAKE_ROWS(3, "6", "ep", "Room");
        fake_run();
    }
}
#endif
