/* plugin.c -- the plugin "chat": rooms, participants, messages, live sockets.
 *
 * The tables below are its index: what it answers, what can be set, what it needs. */
#include "plugins/chat/change.h"
#include "plugins/chat/chat.h"
#include "plugins/chat/doc.h"
#include "plugins/chat/feed.h"
#include "plugins/chat/meters.h"
#include "plugins/chat/once.h"
#include "plugins/chat/presence.h"
#include "plugins/chat/reads.h"
#include "plugins/chat/resume.h"
#include "plugins/chat/retention.h"
#include "plugins/chat/revoked.h"
#include "plugins/chat/room.h"
#include "plugins/chat/sql.h"
#include "plugins/chat/tail.h"
#include "plugins/chat/typing_gate.h"
#include "plugins/chat/verb.h"

static const parley_option options[] = {
    { .name = "max_text",
      .type = PARLEY_T_INT,
      .def = "5000",
      .min = 1,
      .max = 16000,
      .help = "Longest message, in characters." },
    { .name = "max_participants",
      .type = PARLEY_T_INT,
      .def = "1000",
      .min = 1,
      .max = 1000,
      .help = "Most addresses in one request that makes a room." },
    { .name = "max_reactions",
      .type = PARLEY_T_INT,
      .def = "20",
      .min = 1,
      .max = 100,
      .help = "Most different reactions to one message." },
    { .name = "show_emails",
      .type = PARLEY_T_ENUM,
      .choices = "members|self",
      .def = "members",
      .help = "Who sees the address of a participant: all members of the room, or only the "
              "participant." },
    { .name = "presence_ttl",
      .type = PARLEY_T_MS,
      .def = "90s",
      .min = 1000,
      .max = 86400000,
      .help = "How long somebody is taken to be there (presence) after his worker died." },
    { .name = "retention",
      .type = PARLEY_T_TREE,
      .help = "Rooms that are kept for a time only: a list of {rooms: \"Alerts *\", keep: 30d}. "
              "The first "
              "rule that fits a room's name counts; * is any text. What no rule names is kept." },
    { .name = "retention_every",
      .type = PARLEY_T_MS,
      .def = "1h",
      .min = 100,
      .max = 86400000,
      .help = "How often what is too old is removed." },
    { .name = "send_timeout",
      .type = PARLEY_T_MS,
      .def = "5s",
      .min = 100,
      .max = 600000,
      .help = "Time for the answer to a message; then 503 (unavailable), and whether it was stored "
              "is open." },
};

static const parley_need needs[] = {
    { .service = "parley.db", .major = 0, .minor = 1 },
    { .service = "parley.auth", .major = 0, .minor = 1 },
    { .service = "parley.bus", .major = 0, .minor = 1, .optional = 1 },
    { .service = "parley.kv", .major = 0, .minor = 1, .optional = 1 },
};

#define ROOM   CHAT_ROOM_PATH
#define SOCKET "/ws/chat/:room(uuid)/"
#define FEED   "/ws/"

/* clang-format off */
static const parley_route routes[] = {
#define ROUTE(verb, where, who, handler, what) \
    { PARLEY_SIZED(parley_route), .method = (verb), .path = (where), .flags = (who), .fn = (handler), .doc = &(what) }
#define EVENT(on, type, handler, what) \
    { PARLEY_SIZED(parley_route), .method = "EVENT", .path = (type), .endpoint = (on), .fn = (handler), .doc = &(what) }
    /*     method    path                                 who            handler             doc.c */
    ROUTE("GET",    "/api/",                              0,             api_root,           doc_api_root),
    ROUTE("GET",    "/api/chat/rooms/",                   PARLEY_R_USER, rooms_list,         doc_rooms_list),
    ROUTE("POST",   "/api/chat/rooms/",                   PARLEY_R_USER, room_create,        doc_room_create),
    ROUTE("GET",    ROOM,                                 PARLEY_R_USER, room_show,          doc_room_show),
    ROUTE("PUT",    ROOM,                                 PARLEY_R_USER, room_update,        doc_room_update),
    ROUTE("DELETE", ROOM,                                 PARLEY_R_USER, room_delete,        doc_room_delete),
    ROUTE("POST",   ROOM "participants/",                 PARLEY_R_USER, participant_add,    doc_participant_add),
    ROUTE("DELETE", ROOM "participants/:user(uuid)/",     PARLEY_R_USER, participant_remove, doc_participant_remove),
    ROUTE("GET",    ROOM "messages/",                     PARLEY_R_USER, history,            doc_messages_list),
    ROUTE("GET",    ROOM "events/",                       PARLEY_R_USER, events_list,        doc_events_list),
    ROUTE("GET",    ROOM "read/",                         PARLEY_R_USER, reads_list,         doc_reads_list),
    ROUTE("POST",   ROOM "read/",                         PARLEY_R_USER, read_request,       doc_read_say),
    ROUTE("GET",    ROOM "presence/",                     PARLEY_R_USER, presence_list,      doc_presence_list),
    ROUTE("POST",   CHAT_SEND_PATH,                       PARLEY_R_USER, send_request,       doc_message_send),
    ROUTE("GET",    CHAT_MESSAGE_PATH,                    PARLEY_R_USER, message_show,       doc_message_show),
    ROUTE("PATCH",  CHAT_MESSAGE_PATH,                    PARLEY_R_USER, message_edit,       doc_message_edit),
    ROUTE("DELETE", CHAT_MESSAGE_PATH,                    PARLEY_R_USER, message_delete,     doc_message_delete),
    ROUTE("GET",    CHAT_MESSAGE_PATH "history/",         PARLEY_R_USER, message_past,       doc_message_past),
    ROUTE("PUT",    CHAT_MESSAGE_PATH "reactions/:emoji/", PARLEY_R_USER, reaction,           doc_reaction_add),
    ROUTE("DELETE", CHAT_MESSAGE_PATH "reactions/:emoji/", PARLEY_R_USER, reaction,           doc_reaction_remove),
    ROUTE("WS",     SOCKET,                               PARLEY_R_USER, socket_open,        doc_room_socket),
    EVENT(SOCKET, "chat_message", send_event,        doc_say),
    EVENT(SOCKET, "typing",       typing_event,      doc_typing),
    EVENT(SOCKET, "read",         read_event,        doc_read),
    EVENT(SOCKET, "presence",     presence_event,    doc_presence),
    EVENT(SOCKET, "ping",         ping_event,        doc_ping),
    EVENT(SOCKET, "resume",       resume_event,      doc_resume),
    ROUTE("WS",     FEED,                                 PARLEY_R_USER, feed_open,          doc_feed),
    EVENT(FEED,   "chat_message", send_event,        doc_say_to),
    EVENT(FEED,   "typing",       typing_event,      doc_typing_to),
    EVENT(FEED,   "read",         read_event,        doc_read_to),
    EVENT(FEED,   "presence",     presence_event,    doc_presence),
    EVENT(FEED,   "ping",         ping_event,        doc_ping),
    EVENT(FEED,   "subscribe",    subscribe_event,   doc_subscribe),
    EVENT(FEED,   "unsubscribe",  unsubscribe_event, doc_unsubscribe),
};
/* clang-format on */

struct chat chat;

/* While the database is away and comes back, finding out what became of a message can take several
 * of its time limits; who sent it is told before that. */
static int route_add(parley_ctx *ctx, const parley_route *route, uint32_t send_timeout_ms)
{
    parley_route timed = *route;

    if (route->fn == send_request || route->fn == send_event)
        timed.timeout_ms = send_timeout_ms;
    return parley->route(ctx, &timed);
}

static const parley_chat service = {
    .head = PARLEY_SERVICE(parley_chat, 0, 1),
    .change = change_room,
};

static int chat_load(parley_ctx *ctx, const parley_conf *conf)
{
    chat.ctx = ctx;
    chat.max_text = (size_t)parley->conf_int(conf, "max_text");
    chat.max_participants = (size_t)parley->conf_int(conf, "max_participants");
    chat.max_reactions = parley->conf_int(conf, "max_reactions");
    chat.show_emails =
        parley->conf_int(conf, "show_emails") == SHOW_SELF ? SHOW_SELF : SHOW_MEMBERS;
    chat.retention_every_ms = parley->conf_int(conf, "retention_every");
    uint32_t send_timeout_ms = (uint32_t)parley->conf_int(conf, "send_timeout");

    for (size_t i = 0; i < COUNT(routes); i++) {
        int err = route_add(ctx, &routes[i], send_timeout_ms);

        if (err < 0)
            return err;
    }
    int err = docs_load(ctx);
    if (err == 0)
        err = parley->use(ctx, PARLEY_REPLAY, "/api/chat/rooms/", repeat_request, NULL);
    if (err == 0)
        err = parley->use(ctx, PARLEY_REPLAY, "chat_message", repeat_event, NULL);
    if (err == 0)
        err = parley->use(ctx, PARLEY_APP, "/api/chat/rooms/", refer_request, NULL);
    if (err == 0)
        err = parley->use(ctx, PARLEY_APP, "chat_message", refer_event, NULL);
    if (err == 0)
        err = retention_load(ctx, conf);
    if (err == 0)
        err = meters_load(ctx);
    if (err == 0)
        err = revoked_load(ctx);
    if (err == 0)
        err = feeds_load(ctx);
    if (err == 0)
        err = presence_load(ctx, conf);
    if (err == 0)
        err = verbs_load(ctx);
    if (err == 0)
        err = parley->provide(ctx, "parley.chat", &service.head);

    return err < 0 ? err : poll_load(ctx);
}

/* A database that others reach may have other servers, of which a bus for one worker does not know. */
static bool others_write(void)
{
    if (!chat.is_sqlite)
        return true;
    return chat.bus ? chat.bus->state(chat.ctx) != PARLEY_BUS_ALONE
                    : !str_equal(parley->server("workers"), PARLEY_S("1"));
}

static int chat_start(parley_ctx *ctx)
{
    chat.db = parley->service(ctx, "parley.db");
    chat.auth = parley->service(ctx, "parley.auth");
    if (!chat.db || !chat.auth)
        return parley->fail(ctx, "chat needs the services parley.db and parley.auth");
    chat.is_sqlite = strcmp(chat.db->dialect(), "sqlite") == 0;
    chat.bus = parley->service(ctx, "parley.bus");
    chat.kv = parley->service(ctx, "parley.kv");
    chat.many_workers = others_write();
    int err = sql_prepare_all();

    if (err == 0)
        err = once_start();
    if (err < 0)
        return err;
    room_remember(true);
    resume_start();
    sweep_start();
    err = retention_start();
    if (err == 0)
        err = feeds_start();
    return err < 0 ? err : poll_start();
}

static void chat_stopped(void)
{
    room_remember(false);
    parley->stopped(chat.ctx);
}

static int chat_stop(parley_ctx *ctx)
{
    (void)ctx;
    sweep_stop();
    retention_stop();
    poll_stop();
    feeds_stop();
    notice_stop();
    presence_stop();
    tail_stop();
    typing_gate_clear();
    reads_stop(chat_stopped);
    return PARLEY_PENDING;
}

PARLEY_PLUGIN(.name = "chat", .version = "0.1.0", .about = "rooms, participants, messages, sockets",
              PARLEY_LIST(option, options), PARLEY_LIST(need, needs), .migrations = "chat",
              .load = chat_load, .start = chat_start, .stop = chat_stop)
