/* listing.h -- what a list shows, as a table: which statements, what they are asked with, and which
 * column is which field. */
#ifndef ADMIN_LISTING_H
#define ADMIN_LISTING_H
#include "plugins/admin/sql.h"

enum list_param {
    LIST_SEARCH, /* ?q=, as a pattern */
    LIST_FILTER, /* another key of the query, as it is; absent: "" */
    LIST_PATH,   /* ":id" of the path */
    LIST_NOW     /* microseconds */
};
enum list_field {
    FIELD_TEXT,
    FIELD_ID, /* a text, too */
    FIELD_INT,
    FIELD_BOOL,
    FIELD_TIME,
    FIELD_ADDRESS, /* whom a sealed mail goes to; null: its content is gone */
    FIELD_END,
    FIELD_MAYBE = 16 /* with one of those above: it may be null */
};
enum { LIST_PARAMS = 3, LIST_FIELDS = 11 };

typedef struct list_kind {
    const char *schema;      /* what a row is called in the documents of the API: "AdminUser" */
    enum sql_id count, page; /* of show_handle(): the same */
    uint32_t flags;          /* of run() */
    uint32_t param_n;
    struct {
        enum list_param kind;
        const char *name; /* LIST_FILTER: the key */
    } params[LIST_PARAMS];
    struct {
        const char *name;
        uint32_t kind;     /* enum list_field */
    } fields[LIST_FIELDS]; /* in the order of the columns, up to FIELD_END */
} list_kind;

extern const list_kind list_users, list_user, list_rooms, list_room, list_members, list_messages,
    list_said, list_sessions, list_audit, list_mails;
#endif
