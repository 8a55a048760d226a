/* chat_host.h -- what chat's tests share: two people, a room, and the answers of a database that
 * knows them. */
#ifndef TESTS_PLUGIN_CHAT_HOST_H
#define TESTS_PLUGIN_CHAT_HOST_H
#include "fake/fake.h"
#include <string.h>

#define ROOM_UID     "019a1b2c-0000-7000-8000-0000000000c3"
#define ADA_UID      "019a1b2c-0000-7000-8000-0000000000a1"
#define BOB_UID      "019a1b2c-0000-7000-8000-0000000000b2"
#define MESSAGE_UID  "019a1b2c-0000-7000-8000-0000000000d4"
#define SEND_PATH    "/api/chat/rooms/" ROOM_UID "/send/"
#define SOCKET_PATH  "/ws/chat/" ROOM_UID "/"
#define CREATED      "1738324800123456"
#define CREATED_TEXT "2025-01-31T12:00:00.123456Z"

#define PERSON(k, id, name)                                                                        \
    {                                                                                              \
        PARLEY_SIZED(parley_person), .key = (k), .uid = { id, 36 }, .username = { name, 3 },       \
                                     .email = { name "@example.org", 15 },                         \
                                     .first_name = { name, 3 }, .last_name = {                     \
                                         "X",                                                      \
                                         1                                                         \
                                     }                                                             \
    }
static const parley_person ada = PERSON(1, ADA_UID, "ada");
static const parley_person bob = PERSON(2, BOB_UID, "bob");

/* A fresh plugin for each test; the sweep that start() begins finds nothing. */
static inline int chat_setup_on(const char *dialect, const char *workers,
                                const fake_option *options)
{
    fake_server("workers", workers);
    fake_db_use(dialect);
    fake_auth_use();
    fake_bus_use(strcmp(workers, "1") == 0 ? PARLEY_BUS_ALONE : PARLEY_BUS_UP);
    fake_auth_person(&ada);
    fake_auth_person(&bob);
    fake_open(&parley_plugin_0, options);
    fake_db_answer(PARLEY_OK);
    fake_advance(25);
    return 0;
}

static inline int chat_setup_with(const char *workers, const fake_option *options)
{
    return chat_setup_on("sqlite", workers, options);
}

static inline int chat_setup(const char *workers)
{
    return chat_setup_with(workers, NULL);
}

static inline int chat_teardown(void **state)
{
    (void)state;
    fake_end();
    return 0;
}

static inline parley_req call_as(const parley_person *who, const char *method, const char *path,
                                 const char *body)
{
    parley_req req = fake_req(method, path);

    fake_req_user(req, who->uid.p, who->email.p);
    if (body)
        fake_req_body(req, body);
    fake_send(req);
    return req;
}

/* SQL_ROOM_SEEN: a member (the creator?) of the room, whose log's head is `last_seq`. */
static inline void answer_seen(const char *last_seq, const char *is_creator)
{
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(4, "10", last_seq, "ep", is_creator);
    fake_run();
}

static inline void answer_nothing(void)
{
    fake_db_answer(PARLEY_OK);
    fake_run();
}

/* A group of the room log: for each seq a message of ada's; NULL: refused. */
static inline void answer_group(const char *const *seqs, size_t n)
{
    fake_db_answer(PARLEY_OK);
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++)
            fake_db_affected(seqs[i] ? 1 : 0);
        if (seqs[i])
            FAKE_ROWS(7, seqs[i], CREATED, "ep", ADA_UID, "ada", "Ada", "X");
        else
            fake_db_rows(7, NULL, 0);
    }
    fake_run();
}
#define ANSWER_GROUP(...)                                                                          \
    answer_group((const char *const[]){ __VA_ARGS__ },                                             \
                 FAKE_COUNT(((const char *const[]){ __VA_ARGS__ })))

/* A socket of that person, open, with the head at `last_seq`. */
static inline parley_conn socket_of(const parley_person *who, const char *last_seq)
{
    parley_req req = call_as(who, "WS", SOCKET_PATH, NULL);

    answer_seen(last_seq, "0");
    parley_conn conn = fake_opened(req);

    assert_int_not_equal(conn.id, 0);
    assert_non_null(strstr(fake_frame(conn, 0), "{\"type\":\"hello\","));
    fake_frames_clear(conn);
    return conn;
}

/* A note of another worker, as plugins/chat/bus_note.c writes it. */
#define TOPIC "room." ROOM_UID

static inline void deliver_of(const char *epoch, int kind, int seq, const char *user,
                              const char *frame)
{
    char bytes[256];

    (void)snprintf(bytes, sizeof(bytes), "%d %d %s %s\n%s", kind, seq, epoch, user, frame);
    fake_deliver(TOPIC, bytes);
    fake_run();
}

static inline void deliver(int kind, int seq, const char *user, const char *frame)
{
    deliver_of("ep", kind, seq, user, frame);
}
#endif
