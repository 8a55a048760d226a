/* sql.h -- the statements of the plugin by name, and the columns they answer; their texts are in sql.c,
 * message_sql.c and purge_sql.c, and what differs between the databases in sql_sqlite.c and
 * sql_postgres.c. */
#ifndef CHAT_SQL_H
#define CHAT_SQL_H
#include "plugins/chat/chat.h"

enum sql_id {
    SQL_ROOM_SEEN,
    SQL_ROOM,
    SQL_ROOM_PEOPLE,
    SQL_ROOMS_COUNT,
    SQL_ROOMS_PAGE,
    SQL_ROOMS_PEOPLE,
    SQL_ROOMS_UP,
    SQL_ROOMS_UP_PEOPLE,
    SQL_ROOMS_DOWN,
    SQL_ROOMS_DOWN_PEOPLE,
    SQL_USER_BY_EMAIL,
    SQL_LOCK_UID,
    SQL_CREATE_ROOM,
    SQL_CREATE_OWNER,
    SQL_CREATE_MEMBER,
    SQL_RENAME,
    SQL_RENAME_EVENT,
    SQL_ADD_SEQ,
    SQL_ADD_EVENT,
    SQL_ADD_MEMBER,
    SQL_REMOVE_SEQ,
    SQL_REMOVE_EVENT,
    SQL_REMOVE_RIGHT,
    SQL_REMOVE_MEMBER,
    SQL_REMOVE_STATE,
    SQL_DROP_RIGHT,
    SQL_DROP_AUDIT,
    SQL_DROP_SWEEP,
    SQL_DROP_MEMBERS,
    SQL_DROP_ROOM,
    SQL_LOCK,
    SQL_SENT,
    SQL_ONCE_SENT,
    SQL_REPEAT,
    SQL_HISTORY_COUNT,
    SQL_HISTORY,
    SQL_HISTORY_UP,
    SQL_HISTORY_DOWN,
    SQL_ERASE_LOCK,
    SQL_ERASE_SEQ,
    SQL_ERASE_EVENT,
    SQL_ERASE_AUDIT,
    SQL_ERASE_MESSAGE,
    SQL_ERASE_MARK,
    SQL_ERASE_STATE,
    SQL_OP_ERASE_SEQ,
    SQL_OP_ERASE_EVENT,
    SQL_OP_ERASE_AUDIT,
    SQL_OP_ERASE_MESSAGE,
    SQL_OP_ERASE_STATE,
    SQL_OP_REMOVE_SEQ,
    SQL_OP_REMOVE_EVENT,
    SQL_OP_REMOVE_RIGHT,
    SQL_OP_REMOVE_AUDIT,
    SQL_OP_REMOVE_MEMBER,
    SQL_OP_ADD_SEQ,
    SQL_OP_ADD_EVENT,
    SQL_OP_ADD_AUDIT,
    SQL_OP_ADD_MEMBER,
    SQL_OP_MEMBER_STATE,
    SQL_OP_DROP_RIGHT,
    SQL_OP_DROP_AUDIT,
    SQL_OP_DROP_SWEEP,
    SQL_OP_DROP_MEMBERS,
    SQL_OP_DROP_ROOM,
    SQL_HEAD,
    SQL_HEADS,
    SQL_LOG,
    SQL_LOG_SEEN,
    SQL_SWEEP_NEXT,
    SQL_SWEEP_MESSAGES,
    SQL_SWEEP_EVENTS,
    SQL_SWEEP_DONE,
    SQL_VERB_ROOMS,
    SQL_VERB_ROOM_FIND,
    SQL_VERB_USER_FIND,
    SQL_VERB_MEMBERS,
    SQL_EXPORT,
    SQL_EXPORT_PAST,
    SQL_EXPORT_REACTIONS,
    SQL_READ_MOVE,
    SQL_READ_STATE,
    SQL_READS_COUNT,
    SQL_READS_PAGE,
    SQL_ROOMS_MINE,
    SQL_UNREAD,
    SQL_PRESENCE_ROOMS,
    /* Those of message_sql.c. */
    SQL_MESSAGE_FIRST,
    SQL_SHOW = SQL_MESSAGE_FIRST,
    SQL_REACTIONS,
    SQL_REACTIONS_PAGE,
    SQL_REACTIONS_UP,
    SQL_REACTIONS_DOWN,
    SQL_REFER_REPLY,
    SQL_REFER_NAMES,
    SQL_EDIT_NAMES,
    SQL_EDIT_SEQ,
    SQL_EDIT_EVENT,
    SQL_EDIT_KEEP,
    SQL_EDIT_MESSAGE,
    SQL_PAST_COUNT,
    SQL_PAST,
    SQL_REACT_SEQ,
    SQL_REACT_EVENT,
    SQL_REACT_ADD,
    SQL_REACT_STATE,
    SQL_UNREACT_SEQ,
    SQL_UNREACT_EVENT,
    SQL_UNREACT_REMOVE,
    SQL_ERASE_EDITS,
    SQL_ERASE_REACTIONS,
    SQL_SWEEP_EDITS,
    SQL_SWEEP_REACTIONS,
    /* of retention, in purge_sql.c */
    SQL_PURGE_TURN,
    SQL_PURGE_ROOMS,
    SQL_PURGE_LOOK,
    SQL_PURGE_AUDIT,
    SQL_PURGE_COUNT,
    SQL_PURGE_EDITS,
    SQL_PURGE_REACTIONS,
    SQL_PURGE_MESSAGES,
    SQL_PURGE_TEXTS,
    SQL_PURGE_EVENTS,
    SQL_PURGE_PLAN,
    /* How a message is stored: in pieces, in sql_sqlite.c; */
    SQL_SEND_FIRST,
    SQL_SEND_MESSAGE = SQL_SEND_FIRST,
    SQL_ONCE_MESSAGE,
    SQL_SEND_SEQ,
    SQL_SEND_EVENT,
    SQL_SEND_SENT,
    SQL_COUNT,
    /* or under locks, as a whole, in sql_postgres.c. */
    SQL_SEND_LOCK = SQL_SEND_FIRST,
    SQL_SEND_WHOLE,
    SQL_ONCE_WHOLE,
    SQL_SEND_END
};

extern PARLEY_HIDDEN const char *const sql_message_texts[SQL_PURGE_TURN - SQL_MESSAGE_FIRST];

extern PARLEY_HIDDEN parley_stmt sql_prepared[SQL_COUNT];
extern PARLEY_HIDDEN const char *const sql_purge_texts[SQL_SEND_FIRST - SQL_PURGE_TURN];
extern PARLEY_HIDDEN const char *const sql_sqlite_texts[SQL_COUNT - SQL_SEND_FIRST];
extern PARLEY_HIDDEN const char *const sql_postgres_texts[SQL_SEND_END - SQL_SEND_FIRST];

/* One statement of a run, with its parameters: SQL(SQL_ROOM, params) for an array in scope. */
/* clang-format off */
#define SQL(id, list) { .stmt = sql_prepared[id], .params = (list), .n = (uint32_t)COUNT(list) }
/* clang-format on */

static inline parley_param sql_text_or_null(parley_str text)
{
    return text.p ? (parley_param)PARLEY_TEXT(text) : (parley_param)PARLEY_NULL;
}

/* Columns of SQL_ROOM_SEEN, which is empty unless the caller is a member. */
enum seen_column { SEEN_KEY, SEEN_LAST_SEQ, SEEN_EPOCH, SEEN_CREATOR, SEEN_NAME };
/* Columns of SQL_ROOM, SQL_ROOMS_PAGE, SQL_ROOMS_UP and SQL_ROOMS_DOWN; from ROOM_OWNER on the five columns of a person. */
enum room_column {
    ROOM_KEY,
    ROOM_UID,
    ROOM_NAME,
    ROOM_CREATED,
    ROOM_UPDATED,
    ROOM_LAST_SEQ,
    ROOM_IS_CREATOR,
    ROOM_OWNER,
    ROOM_EPOCH = ROOM_OWNER + 5,
    ROOM_READ,
    ROOM_UNREAD
};
/* Columns of SQL_ROOM_PEOPLE, SQL_ROOMS_PEOPLE, and of those for rooms up and down. */
enum people_column { PEOPLE_ROOM, PEOPLE_PERSON };
/* Columns of SQL_SENT, SQL_SEND_SENT and SQL_SEND_WHOLE; of SQL_ONCE_SENT and SQL_ONCE_WHOLE, which
 * have more; and of SQL_REPEAT, which has them all. */
enum sent_column {
    SENT_SEQ,
    SENT_CREATED,
    SENT_EPOCH,
    SENT_SENDER,
    SENT_UID = SENT_SENDER + 4,
    SENT_CONTENT,
    SENT_HASH,
    SENT_DELETED,
    SENT_EDITED,
    SENT_REPLY_TO,
    SENT_MENTIONS,
    SENT_IS_MEMBER
};
/* Columns of SQL_HISTORY_COUNT. */
enum count_column { COUNT_MESSAGES, COUNT_LAST_SEQ, COUNT_EPOCH, COUNT_KEY };
/* Columns of a message: SQL_HISTORY, SQL_HISTORY_UP, SQL_HISTORY_DOWN, and SQL_SHOW, which has more. */
enum history_column {
    HISTORY_UID,
    HISTORY_SEQ,
    HISTORY_CREATED,
    HISTORY_CONTENT,
    HISTORY_SENDER,
    HISTORY_CLIENT = HISTORY_SENDER + 4,
    HISTORY_EDITED,
    HISTORY_REPLY_TO,
    HISTORY_MENTIONS,
    SHOW_ROOM,
    SHOW_EPOCH,
    SHOW_LAST_SEQ,
    SHOW_DELETED,
    SHOW_IS_SENDER
};
/* Columns of SQL_REACTIONS, SQL_REACTIONS_PAGE, _UP and _DOWN, and of SQL_EXPORT_REACTIONS: messages in
 * the order of their page, each with its reactions in the order in which they came. */
enum reactions_column {
    REACTIONS_MESSAGE,
    REACTIONS_EMOJI,
    REACTIONS_N,
    REACTIONS_OWN /* NULL: nobody asks for himself */
};
/* Columns of SQL_REFER_NAMES and SQL_EDIT_NAMES. */
enum name_column { NAME_KEY, NAME_UID, NAME_USERNAME };
/* Columns of SQL_PAST and SQL_EXPORT_PAST. */
enum past_column { PAST_MESSAGE, PAST_CONTENT, PAST_WRITTEN };
/* Columns of SQL_REACT_STATE. */
enum react_column {
    REACT_ROOM,
    REACT_LAST_SEQ,
    REACT_EPOCH,
    REACT_DELETED,
    REACT_N,   /* of that emoji */
    REACT_HAS, /* the caller's own is among them */
    REACT_OF_CALLER
};
/* Columns of SQL_REMOVE_STATE. */
enum remove_column {
    REMOVE_LAST_SEQ,
    REMOVE_IS_CREATOR,
    REMOVE_IS_MEMBER,
    REMOVE_OF_CREATOR,
    REMOVE_EPOCH,
    REMOVE_USERNAME
};
/* Columns of SQL_USER_BY_EMAIL. */
enum user_column { USER_KEY, USER_UID, USER_USERNAME };
/* The group that deletes a message, in its order: SQL_ERASE_..., or SQL_OP_ERASE_... where an operator's
 * differs. */
enum erase_statement {
    ERASE_LOCK,
    ERASE_SEQ,
    ERASE_EVENT,
    ERASE_AUDIT,
    ERASE_MESSAGE,
    ERASE_MARK,
    ERASE_EDITS,
    ERASE_REACTIONS,
    ERASE_STATE
};
/* Columns of SQL_ERASE_STATE. */
enum erase_column { ERASE_ROOM, ERASE_LAST_SEQ, ERASE_EPOCH, ERASE_DELETED };
/* Columns of SQL_OP_ERASE_STATE: those of SQL_ERASE_STATE, and who did it; of SQL_OP_MEMBER_STATE, empty
 * unless there is such a room. */
enum op_erase_column { OP_ERASE_ACTOR = ERASE_DELETED + 1, OP_ERASE_ACTOR_NAME };
enum op_member_column {
    OP_MEMBER_LAST_SEQ,
    OP_MEMBER_IS_CREATOR,
    OP_MEMBER_EPOCH,
    OP_MEMBER_USERNAME,
    OP_MEMBER_ACTOR,
    OP_MEMBER_ACTOR_NAME
};
enum head_column { HEAD_LAST_SEQ, HEAD_EPOCH, HEAD_NAME };
/* Columns of SQL_HEADS, and how many rooms it asks for. */
enum heads_column { HEADS_KEY, HEADS_LAST_SEQ };
enum { HEADS_MOST = 64 };
/* Columns of SQL_LOG and SQL_LOG_SEEN. */
enum log_column {
    LOG_SEQ,
    LOG_KIND,
    LOG_AT,
    LOG_MESSAGE,
    LOG_CREATED,
    LOG_DELETED,
    LOG_CONTENT,
    LOG_SENDER,
    LOG_ACTOR = LOG_SENDER + 4,
    LOG_ACTOR_NAME,
    LOG_USER,
    LOG_CLIENT,
    LOG_USERNAME,
    LOG_EDITED,
    LOG_REPLY_TO,
    LOG_MENTIONS,
    LOG_EMOJI,
    LOG_REACTIONS
};

/* Columns of SQL_VERB_ROOMS and SQL_VERB_ROOM_FIND. */
enum verb_room_column {
    VERB_ROOM_UID,
    VERB_ROOM_NAME,
    VERB_ROOM_CREATOR,
    VERB_ROOM_MEMBERS,
    VERB_ROOM_MESSAGES,
    VERB_ROOM_CREATED,
    VERB_ROOM_UPDATED,
    VERB_ROOM_KEY
};
/* Columns of SQL_VERB_USER_FIND. */
enum verb_user_column { VERB_USER_UID, VERB_USER_EMAIL };
/* Columns of SQL_EXPORT, behind those of SQL_HISTORY. */
enum export_column {
    EXPORT_ROOM_KEY = HISTORY_MENTIONS + 1,
    EXPORT_ROOM,
    EXPORT_ROOM_NAME,
    EXPORT_PAST /* how many earlier contents there are */
};

/* Columns of SQL_READ_STATE and SQL_READS_PAGE.  The last is, of the one, the members, counted to one
 * more than those who are told of each other; of the other, when the member was added. */
enum read_column {
    READ_UID,
    READ_USERNAME,
    READ_READ,
    READ_DELIVERED,
    READ_MEMBERS,
    READ_JOINED = READ_MEMBERS
};
enum { READ_TOLD_MOST = 100 };

/* Columns of SQL_ROOMS_MINE and of SQL_UNREAD. */
enum mine_column { MINE_KEY, MINE_LAST_SEQ, MINE_EPOCH, MINE_UID, MINE_NAME };
enum unread_column { UNREAD_COUNT, UNREAD_LAST };
/* Columns of SQL_PRESENCE_ROOMS: of a user's newest 100 rooms, those of at most 100 members. */
enum presence_column { PRESENCE_ROOM, PRESENCE_UID, PRESENCE_USERNAME };

/* start() only.  Returns 0, or < 0 after fail() named the statement. */
int sql_prepare_all(void);
#endif
