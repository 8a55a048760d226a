/* doc.c -- what each route of the administrator's pages is for, and what it answers.  The rows of lists,
 * and what they can be asked for, are taken from the tables of lists.c. */
#include "plugins/admin/doc.h"
#include "plugins/admin/admin.h"
#include "plugins/admin/listing.h"
#include "plugins/common/list.h"

/* clang-format off */
#define LIST(what, id, text, kind) \
    const parley_doc what = PARLEY_DOC(.name = (id), .summary = (text), .query = kind "Query", .answers = "200 " kind "Page, 403, 404")
/* What is only done: 404 there is no such thing, or the caller's address is not allowed. */
#define ACT(what, id, text, ...) const parley_doc what = PARLEY_DOC(.name = (id), .summary = (text), .answers = "204, 403, 404, 415", __VA_ARGS__)

const parley_doc doc_me = PARLEY_DOC(.name = "admin_get_me", .summary = "Shows who the pages are shown to", .answers = "200 AdminMe, 403, 404");
const parley_doc doc_server = PARLEY_DOC(.name = "admin_get_server", .summary = "Shows what this worker runs", .answers = "200 ServerInfo, 403, 404");
LIST(doc_users, "admin_list_users", "Lists accounts, newest first", "AdminUser");
const parley_doc doc_user = PARLEY_DOC(.name = "admin_get_user", .summary = "Shows an account", .answers = "200 AdminUser, 403");
ACT(doc_verify, "admin_verify_user", "Takes an address for verified", .about = NULL);
ACT(doc_disable, "admin_disable_user", "Disables an account", .about = "Its sessions end, its sockets close.");
ACT(doc_enable, "admin_enable_user", "Enables an account", .about = NULL);
ACT(doc_end_sessions, "admin_end_sessions", "Ends all sessions of an account", .about = NULL);
ACT(doc_role, "admin_set_role", "Makes a user, staff or a superuser of an account", .about = "Only superusers may.", .body = "RoleBody");
ACT(doc_end_session, "admin_end_session", "Ends a session of an account", .about = NULL);
LIST(doc_rooms, "admin_list_rooms", "Lists rooms, newest first", "AdminRoom");
const parley_doc doc_room = PARLEY_DOC(.name = "admin_get_room", .summary = "Shows a room", .answers = "200 AdminRoom, 403");
ACT(doc_room_delete, "admin_delete_room", "Deletes a room", .about = NULL);
LIST(doc_members, "admin_list_members", "Lists the members of a room", "AdminMember");
ACT(doc_member_remove, "admin_remove_member", "Removes a member from a room", .about = NULL);
LIST(doc_said, "admin_list_room_messages", "Lists the messages of a room, newest first", "AdminRoomMessage");
LIST(doc_messages, "admin_list_messages", "Lists the messages of all rooms, newest first", "AdminMessage");
ACT(doc_message_delete, "admin_delete_message", "Deletes a message", .about = NULL);
LIST(doc_mails, "admin_list_mails", "Lists mails that wait or have failed", "QueuedMail");
ACT(doc_mail_retry, "admin_retry_mail", "Sends a mail again, now", .about = NULL);
LIST(doc_sessions, "admin_list_sessions", "Lists the sessions of all accounts", "AdminSession");
LIST(doc_audit, "admin_list_audit", "Lists who has changed what", "AuditEntry");
const parley_doc doc_figures = PARLEY_DOC(.name = "admin_figures", .summary = "Live figures of this node, once a second", .answers = "FiguresFrame");

#define FIELD  PARLEY_FIELD
#define SCHEMA PARLEY_SCHEMA

static const parley_schema schemas[] = {
    SCHEMA("AdminMe", "Who the pages are shown to.",
        FIELD("id", "uuid", NULL), FIELD("username", "string", NULL), FIELD("session", "uuid", NULL),
        FIELD("is_superuser", "bool", NULL)),
    SCHEMA("PluginInfo", "A plugin of this worker.",
        FIELD("name", "string", NULL), FIELD("version", "string", NULL), FIELD("about", "string", NULL),
        FIELD("ready", "bool", NULL), FIELD("reason", "string", "why it is not")),
    SCHEMA("ServerInfo", "What this worker runs.",
        FIELD("version", "string", NULL), FIELD("workers", "string", "how many there are"),
        FIELD("database", "string", NULL), FIELD("plugins", "[PluginInfo]", NULL),
        FIELD("chain", "string", "what runs for each route, as text")),
    SCHEMA("RoleBody", "What the account is to be.", FIELD("role", "'user'|'staff'|'superuser'", NULL)),
    SCHEMA("FiguresFrame", "Figures of this node, as they stand.",
        FIELD("type", "'figures'", NULL), FIELD("at", "time", NULL), FIELD("values", "{int}", "by name")),
    SCHEMA("AdminUserPage", "Accounts.", LIST_FIELDS("AdminUser")),
    SCHEMA("AdminRoomPage", "Rooms.", LIST_FIELDS("AdminRoom")),
    SCHEMA("AdminMemberPage", "Members.", LIST_FIELDS("AdminMember")),
    SCHEMA("AdminMessagePage", "Messages of all rooms.", LIST_FIELDS("AdminMessage")),
    SCHEMA("AdminRoomMessagePage", "Messages of a room.", LIST_FIELDS("AdminRoomMessage")),
    SCHEMA("QueuedMailPage", "Mails.", LIST_FIELDS("QueuedMail")),
    SCHEMA("AdminSessionPage", "Sessions.", LIST_FIELDS("AdminSession")),
    SCHEMA("AuditEntryPage", "Entries of the audit log.", LIST_FIELDS("AuditEntry")),
};

/* As a list has a field: its type. */
static const char *const types[][2] = {
    [FIELD_TEXT] = { "string", "string?" },
    [FIELD_ID] = { "uuid", "uuid?" },
    [FIELD_INT] = { "int", "int?" },
    [FIELD_BOOL] = { "bool", "bool?" },
    [FIELD_TIME] = { "time", "time?" },
    [FIELD_ADDRESS] = { "string", "string?" },
};
/* clang-format on */

/* One list as two schemas: of a row, and of the query. */
static struct listed {
    const list_kind *kind;
    parley_field row[LIST_FIELDS], query[LIST_PARAMS + 2];
    char query_name[40], filter[LIST_PARAMS][16];
    parley_schema schemas[2];
} listed[] = {
    { .kind = &list_users }, { .kind = &list_rooms },    { .kind = &list_members },
    { .kind = &list_said },  { .kind = &list_messages }, { .kind = &list_sessions },
    { .kind = &list_audit }, { .kind = &list_mails },
};

static uint32_t row_fill(struct listed *l)
{
    uint32_t n = 0;

    for (; l->kind->fields[n].name; n++) {
        uint32_t kind = l->kind->fields[n].kind;

        l->row[n] =
            (parley_field){ .name = l->kind->fields[n].name,
                            .type =
                                types[kind & ~(uint32_t)FIELD_MAYBE][(kind & FIELD_MAYBE) != 0] };
    }
    return n;
}

static uint32_t query_fill(struct listed *l)
{
    static const parley_field page[] = { LIST_QUERY };
    uint32_t n = 0;

    for (uint32_t i = 0; i < l->kind->param_n; i++) {
        if (l->kind->params[i].kind == LIST_SEARCH)
            l->query[n++] =
                (parley_field){ .name = "q?", .type = "string", .about = "holds this text" };
        if (l->kind->params[i].kind != LIST_FILTER)
            continue;
        (void)snprintf(l->filter[i], sizeof(l->filter[i]), "%s?", l->kind->params[i].name);
        l->query[n++] =
            (parley_field){ .name = l->filter[i], .type = "string", .about = "only of this one" };
    }
    for (size_t i = 0; i < COUNT(page); i++)
        l->query[n++] = page[i];
    return n;
}

static int listed_load(parley_ctx *ctx, struct listed *l)
{
    (void)snprintf(l->query_name, sizeof(l->query_name), "%sQuery", l->kind->schema);
    l->schemas[0] =
        (parley_schema){ PARLEY_SIZED(parley_schema), .name = l->kind->schema, .fields = l->row,
                         .field_n = row_fill(l), .field_stride = sizeof(parley_field) };
    l->schemas[1] =
        (parley_schema){ PARLEY_SIZED(parley_schema), .name = l->query_name, .fields = l->query,
                         .field_n = query_fill(l), .field_stride = sizeof(parley_field) };
    int err = parley->schema(ctx, &l->schemas[0]);
    return err < 0 ? err : parley->schema(ctx, &l->schemas[1]);
}

int docs_load(parley_ctx *ctx)
{
    int err = 0;

    for (size_t i = 0; err >= 0 && i < COUNT(schemas); i++)
        err = parley->schema(ctx, &schemas[i]);
    for (size_t i = 0; err >= 0 && i < COUNT(listed); i++)
        err = listed_load(ctx, &listed[i]);
    return err;
}
