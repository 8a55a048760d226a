/* lists.c -- the lists of the pages: /api/admin/users/, rooms/, ..., with ?limit=&offset=. */
#include "plugins/admin/listing.h"

/* clang-format off */
#define USER_FIELDS { \
    { "id", FIELD_ID }, { "username", FIELD_TEXT }, { "email", FIELD_TEXT }, { "first_name", FIELD_TEXT }, \
    { "last_name", FIELD_TEXT }, { "is_verified", FIELD_BOOL }, { "is_active", FIELD_BOOL }, \
    { "is_staff", FIELD_BOOL }, { "is_superuser", FIELD_BOOL }, { "date_joined", FIELD_TIME }, { NULL, FIELD_END } }
#define ROOM_FIELDS { \
    { "id", FIELD_ID }, { "name", FIELD_TEXT }, { "creator_id", FIELD_ID }, { "creator", FIELD_TEXT }, \
    { "members", FIELD_INT }, { "messages", FIELD_INT }, { "created_at", FIELD_TIME }, { "updated_at", FIELD_TIME }, \
    { NULL, FIELD_END } }
#define MESSAGE_FIELDS { \
    { "id", FIELD_ID }, { "room_id", FIELD_ID }, { "room", FIELD_TEXT }, { "sender_id", FIELD_ID }, \
    { "sender", FIELD_TEXT }, { "content", FIELD_TEXT }, { "created_at", FIELD_TIME }, { NULL, FIELD_END } }

/* ?q= username, address or name; state=staff|disabled|unverified */
const list_kind list_users = { "AdminUser", SQL_USERS_COUNT, SQL_USERS, PARLEY_DB_READ, 2,
    { { LIST_SEARCH, NULL }, { LIST_FILTER, "state" } }, USER_FIELDS };
const list_kind list_user = { "AdminUser", SQL_USER, SQL_USER, PARLEY_DB_READ, 1, { { LIST_PATH, NULL } }, USER_FIELDS };

/* ?q= name; user=<id of a member> */
const list_kind list_rooms = { "AdminRoom", SQL_ROOMS_COUNT, SQL_ROOMS, PARLEY_DB_READ, 2,
    { { LIST_SEARCH, NULL }, { LIST_FILTER, "user" } }, ROOM_FIELDS };
const list_kind list_room = { "AdminRoom", SQL_ROOM, SQL_ROOM, PARLEY_DB_READ, 1, { { LIST_PATH, NULL } }, ROOM_FIELDS };
const list_kind list_members = { "AdminMember", SQL_MEMBERS_COUNT, SQL_MEMBERS, PARLEY_DB_READ, 1, { { LIST_PATH, NULL } },
    { { "id", FIELD_ID }, { "username", FIELD_TEXT }, { "email", FIELD_TEXT }, { "role", FIELD_TEXT },
      { "joined_at", FIELD_TIME }, { NULL, FIELD_END } } };

/* ?q= content; sender=<id>; among the newest 100000 of all rooms */
const list_kind list_messages = { "AdminMessage", SQL_MESSAGES_COUNT, SQL_MESSAGES, PARLEY_DB_READ | PARLEY_DB_STALE_OK, 2,
    { { LIST_SEARCH, NULL }, { LIST_FILTER, "sender" } }, MESSAGE_FIELDS };
/* of one room; ?q= content */
const list_kind list_said = { "AdminRoomMessage", SQL_SAID_COUNT, SQL_SAID, PARLEY_DB_READ | PARLEY_DB_STALE_OK, 2,
    { { LIST_PATH, NULL }, { LIST_SEARCH, NULL } }, MESSAGE_FIELDS };

/* ?q= username, address of mail or network; user=<id> */
const list_kind list_sessions = { "AdminSession", SQL_SESSIONS_COUNT, SQL_SESSIONS, PARLEY_DB_READ, 3,
    { { LIST_NOW, NULL }, { LIST_SEARCH, NULL }, { LIST_FILTER, "user" } },
    { { "id", FIELD_ID }, { "user_id", FIELD_ID }, { "username", FIELD_TEXT }, { "email", FIELD_TEXT },
      { "created_at", FIELD_TIME }, { "last_used_at", FIELD_TIME }, { "ip", FIELD_TEXT }, { "user_agent", FIELD_TEXT },
      { NULL, FIELD_END } } };

/* ?q= action, username or address; user=<id of who did it, or whom it was done to> */
const list_kind list_audit = { "AuditEntry", SQL_AUDIT_COUNT, SQL_AUDIT, PARLEY_DB_READ | PARLEY_DB_STALE_OK, 2,
    { { LIST_SEARCH, NULL }, { LIST_FILTER, "user" } },
    { { "at", FIELD_TIME }, { "action", FIELD_TEXT }, { "actor_id", FIELD_ID | FIELD_MAYBE }, { "actor", FIELD_TEXT | FIELD_MAYBE },
      { "subject_id", FIELD_ID | FIELD_MAYBE }, { "subject", FIELD_TEXT | FIELD_MAYBE }, { "ip", FIELD_TEXT | FIELD_MAYBE }, { "user_agent", FIELD_TEXT | FIELD_MAYBE },
      { "detail", FIELD_TEXT | FIELD_MAYBE }, { NULL, FIELD_END } } };

/* ?state=waiting|sending|failed|expired|sent */
const list_kind list_mails = { "QueuedMail", SQL_MAILS_COUNT, SQL_MAILS, PARLEY_DB_READ, 2,
    { { LIST_NOW, NULL }, { LIST_FILTER, "state" } },
    { { "id", FIELD_ID }, { "state", FIELD_TEXT }, { "to", FIELD_ADDRESS | FIELD_MAYBE }, { "attempts", FIELD_INT },
      { "created_at", FIELD_TIME }, { "next_at", FIELD_TIME | FIELD_MAYBE }, { "sent_at", FIELD_TIME | FIELD_MAYBE }, { "last_error", FIELD_TEXT | FIELD_MAYBE },
      { NULL, FIELD_END } } };
/* clang-format on */
