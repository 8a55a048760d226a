/* layout.c -- where the original app keeps what: which table is which, and which column.
 *
 * What no option names is found in the catalog: the users' table by its columns, the messages' by its
 * foreign keys and its text, the rooms' by the messages, the participants' by its two foreign keys. */
#include <stdlib.h>
#include <string.h>

#include "plugins/import/import.h"

const char *const kind_names[KIND_COUNT] = { "users", "rooms", "participants", "messages" };

enum { NO_KIND = -1 };

/* clang-format off */
static const struct {
    const char *name;
    int kind;           /* whose column it is */
    const char *usual;  /* its names, the likeliest first */
    int refers;         /* a foreign key to that table: found by it, whatever its name */
    int is_needed;
    const char *absent; /* what stands in a statement for a column that is not there */
} roles[ROLE_COUNT] = {
    [USER_ID]       = { "user_id",      KIND_USERS, "id", NO_KIND, 1, "" },
    [USER_NAME]     = { "username",     KIND_USERS, "username", NO_KIND, 1, "" },
    [USER_EMAIL]    = { "email",        KIND_USERS, "email", NO_KIND, 1, "" },
    [USER_FIRST]    = { "first_name",   KIND_USERS, "first_name", NO_KIND, 0, "''" },
    [USER_LAST]     = { "last_name",    KIND_USERS, "last_name", NO_KIND, 0, "''" },
    [USER_PASSWORD] = { "password",     KIND_USERS, "password", NO_KIND, 1, "" },
    [USER_VERIFIED] = { "is_verified",  KIND_USERS, "is_verified|email_verified|is_email_verified|verified", NO_KIND, 0, "1" },
    [USER_ACTIVE]   = { "is_active",    KIND_USERS, "is_active", NO_KIND, 0, "1" },
    [USER_STAFF]    = { "is_staff",     KIND_USERS, "is_staff", NO_KIND, 0, "0" },
    [USER_SUPER]    = { "is_superuser", KIND_USERS, "is_superuser", NO_KIND, 0, "0" },
    [USER_JOINED]   = { "date_joined",  KIND_USERS, "date_joined|created_at|joined_at|created", NO_KIND, 1, "" },
    [ROOM_ID]       = { "room_id",      KIND_ROOMS, "id", NO_KIND, 1, "" },
    [ROOM_NAME]     = { "room_name",    KIND_ROOMS, "name|title|room_name", NO_KIND, 0, "''" },
    [ROOM_CREATOR]  = { "creator",      KIND_ROOMS, "creator_id|created_by_id|owner_id|admin_id|host_id", KIND_USERS, 0, "NULL" },
    [ROOM_CREATED]  = { "room_created", KIND_ROOMS, "created_at|created|created_on|date_created|timestamp", NO_KIND, 1, "" },
    [ROOM_UPDATED]  = { "room_updated", KIND_ROOMS, "updated_at|modified_at|updated|modified|created_at|created|created_on|date_created|timestamp", NO_KIND, 1, "" },
    [PART_ROOM]     = { "participant_room", KIND_PARTICIPANTS, "room_id|chatroom_id|chat_room_id|conversation_id", KIND_ROOMS, 1, "" },
    [PART_USER]     = { "participant_user", KIND_PARTICIPANTS, "user_id|customuser_id|participant_id|member_id", KIND_USERS, 1, "" },
    [MSG_ID]        = { "message_id",   KIND_MESSAGES, "id", NO_KIND, 1, "" },
    [MSG_ROOM]      = { "message_room", KIND_MESSAGES, "room_id|chat_room_id|chatroom_id|chat_id|conversation_id|channel_id", KIND_ROOMS, 1, "" },
    [MSG_SENDER]    = { "sender",       KIND_MESSAGES, "sender_id|user_id|author_id|from_user_id|created_by_id", KIND_USERS, 1, "" },
    [MSG_CONTENT]   = { "content",      KIND_MESSAGES, "content|text|body|message", NO_KIND, 1, "" },
    [MSG_CREATED]   = { "message_created", KIND_MESSAGES, "created_at|timestamp|sent_at|created|created_on|date_created|date_sent", NO_KIND, 1, "" },
    [MSG_DELETED]   = { "is_deleted",   KIND_MESSAGES, "is_deleted|deleted|deleted_at", NO_KIND, 0, "" },
};

/* How the rows are read; [form alias role] and {table} are filled in.  The columns are those
 * of import.h: the key of a row is followed by its time, which its public id is made of.  A room of nobody is that of its first participant. */
static const char *const templates[KIND_COUNT] = {
    [KIND_USERS] =
        "SELECT [text u user_id], [time u date_joined], [text u username], [text u email],"
        " [text u first_name], [text u last_name], [text u password], [flag u is_verified],"
        " [flag u is_active], [flag u is_staff], [flag u is_superuser]"
        " FROM {users} u ORDER BY 2, [name u user_id]",
    [KIND_ROOMS] =
        "SELECT [text r room_id], [time r room_created], [text r room_name],"
        " [time r room_updated], [text u user_id], [time u date_joined] FROM {rooms} r"
        " LEFT JOIN {users} u ON [name u user_id] = COALESCE([name r creator],"
        " (SELECT [name p participant_user] FROM {participants} p"
        " WHERE [name p participant_room] = [name r room_id] ORDER BY 1 LIMIT 1))"
        " ORDER BY 2, [name r room_id]",
    [KIND_PARTICIPANTS] =
        "SELECT [text r room_id], [time r room_created], [text u user_id], [time u date_joined]"
        " FROM {participants} p JOIN {rooms} r ON [name r room_id] = [name p participant_room]"
        " JOIN {users} u ON [name u user_id] = [name p participant_user]"
        " ORDER BY 2, [name r room_id], [name u user_id]",
    [KIND_MESSAGES] =
        "SELECT [text m message_id], [time m message_created], [text m content],"
        " [text r room_id], [time r room_created], [text u user_id], [time u date_joined]"
        " FROM {messages} m JOIN {rooms} r ON [name r room_id] = [name m message_room]"
        " LEFT JOIN {users} u ON [name u user_id] = [name m sender] WHERE [kept m is_deleted]"
        " ORDER BY 2, [name m message_id]",
};
/* clang-format on */

int layout_role(parley_str name)
{
    for (int i = 0; i < ROLE_COUNT; i++)
        if (strlen(roles[i].name) == name.n && strncmp(roles[i].name, name.p, name.n) == 0)
            return i;
    return -1;
}

/* ---- the catalog ---- */

static const char catalog_sql[] =
    "SELECT c.relname, a.attname, format_type(a.atttypid, NULL), COALESCE(t.relname, '')"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f'"
    " AND k.conkey = ARRAY[a.attnum] LEFT JOIN pg_class t ON t.oid = k.confrelid"
    " WHERE c.relkind IN ('r', 'p', 'v') AND pg_table_is_visible(c.oid)"
    " AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY c.relname, a.attnum";

enum { CAT_TABLE, CAT_COLUMN, CAT_TYPE, CAT_REFERS };

typedef struct catalog {
    PGresult *rows;
    int n;
} catalog;

static const char *cat(const catalog *c, int row, int column)
{
    return PQgetvalue(c->rows, row, column);
}

static int cat_has_table(const catalog *c, const char *table)
{
    for (int i = 0; i < c->n; i++)
        if (strcmp(cat(c, i, CAT_TABLE), table) == 0)
            return 1;
    return 0;
}

/* The column `name[0..n-1]`; -1: none.  refers: only a foreign key to that table; NULL: any. */
static int cat_column(const catalog *c, const char *table, parley_str name, const char *refers)
{
    for (int i = 0; i < c->n; i++) {
        const char *column = cat(c, i, CAT_COLUMN);

        if (strcmp(cat(c, i, CAT_TABLE), table) == 0 && strlen(column) == name.n &&
            strncmp(column, name.p, name.n) == 0 &&
            (!refers || strcmp(cat(c, i, CAT_REFERS), refers) == 0))
            return i;
    }
    return -1;
}

/* The first of "a|b|c" that the table has. */
static int cat_usual(const catalog *c, const char *table, const char *usual, const char *refers)
{
    for (const char *at = usual; *at;) {
        size_t n = strcspn(at, "|");
        int row = cat_column(c, table, (parley_str){ at, n }, refers);

        if (row >= 0)
            return row;
        at += n + (at[n] == '|');
    }
    return -1;
}

/* The i-th foreign key of a table to another one; -1: no more. */
static int cat_key(const catalog *c, const char *table, const char *refers, int i)
{
    for (int row = 0; row < c->n; row++)
        if (strcmp(cat(c, row, CAT_TABLE), table) == 0 &&
            strcmp(cat(c, row, CAT_REFERS), refers) == 0 && i-- == 0)
            return row;
    return -1;
}

/* ---- tables ---- */

static void name_keep(char ret[NAME_SIZE], const char *name)
{
    (void)snprintf(ret, NAME_SIZE, "%s", name);
}

static int is_users(const catalog *c, const layout *l, const char *table)
{
    (void)l;
    return cat_usual(c, table, "password", NULL) >= 0 &&
           cat_usual(c, table, "username", NULL) >= 0 && cat_usual(c, table, "email", NULL) >= 0;
}

/* The table of rooms that these messages refer to; NULL: none, so they are no messages. */
static const char *rooms_of(const catalog *c, const layout *l, const char *table)
{
    int row = cat_usual(c, table, roles[MSG_ROOM].usual, NULL);

    if (row >= 0 && *cat(c, row, CAT_REFERS))
        return cat(c, row, CAT_REFERS);
    for (row = 0; row < c->n; row++) {
        const char *refers = cat(c, row, CAT_REFERS);

        if (strcmp(cat(c, row, CAT_TABLE), table) == 0 && *refers && strcmp(refers, table) != 0 &&
            strcmp(refers, l->tables[KIND_USERS]) != 0)
            return refers;
    }
    return NULL;
}

static int is_messages(const catalog *c, const layout *l, const char *table)
{
    const char *rooms = rooms_of(c, l, table);

    return rooms && (!l->tables[KIND_ROOMS][0] || strcmp(rooms, l->tables[KIND_ROOMS]) == 0) &&
           cat_key(c, table, l->tables[KIND_USERS], 0) >= 0 &&
           cat_usual(c, table, roles[MSG_CONTENT].usual, NULL) >= 0;
}

static int is_participants(const catalog *c, const layout *l, const char *table)
{
    return strcmp(table, l->tables[KIND_MESSAGES]) != 0 &&
           strcmp(table, l->tables[KIND_USERS]) != 0 &&
           cat_key(c, table, l->tables[KIND_ROOMS], 0) >= 0 &&
           cat_key(c, table, l->tables[KIND_USERS], 0) >= 0;
}

typedef int (*is_table)(const catalog *c, const layout *l, const char *table);

/* The one table that fits; several, or none: the option must say. */
static int table_find(layout *l, source *s, const catalog *c, int kind, is_table fits)
{
    char found[200] = "";
    int n = 0;

    if (l->tables[kind][0])
        return cat_has_table(c, l->tables[kind])
                   ? 0
                   : IMPORT_FAIL(s, "%s has no table \"%s\": name the one of the %s with --%s",
                                 s->shown, l->tables[kind], kind_names[kind], kind_names[kind]);
    for (int i = 0; i < c->n; i++) {
        const char *table = cat(c, i, CAT_TABLE);

        if ((i > 0 && strcmp(table, cat(c, i - 1, CAT_TABLE)) == 0) || !fits(c, l, table))
            continue;
        name_keep(l->tables[kind], table);
        size_t used = strlen(found);
        (void)snprintf(found + used, sizeof(found) - used, "%s%s", n++ ? ", " : "", table);
    }
    if (n == 1)
        return 0;
    if (n == 0)
        return IMPORT_FAIL(s, "%s has no table that looks like that of the %s: name it with --%s",
                           s->shown, kind_names[kind], kind_names[kind]);
    return IMPORT_FAIL(s, "several tables may be that of the %s (%s): name it with --%s",
                       kind_names[kind], found, kind_names[kind]);
}

static int tables_find(layout *l, source *s, const catalog *c)
{
    if (table_find(l, s, c, KIND_USERS, is_users) < 0 ||
        table_find(l, s, c, KIND_MESSAGES, is_messages) < 0)
        return -1;
    if (!l->tables[KIND_ROOMS][0]) {
        const char *rooms = rooms_of(c, l, l->tables[KIND_MESSAGES]);

        name_keep(l->tables[KIND_ROOMS], rooms ? rooms : "");
    }
    if (table_find(l, s, c, KIND_ROOMS, is_messages) < 0)
        return -1;
    return table_find(l, s, c, KIND_PARTICIPANTS, is_participants);
}

/* ---- columns ---- */

static int column_row(const layout *l, const catalog *c, int role)
{
    const char *table = l->tables[roles[role].kind];
    const char *refers = roles[role].refers == NO_KIND ? NULL : l->tables[roles[role].refers];
    parley_str given = { l->columns[role], strlen(l->columns[role]) };

    if (given.n > 0)
        return cat_column(c, table, given, NULL);
    int row = cat_usual(c, table, roles[role].usual, refers);
    if (row < 0 && refers)
        row = cat_key(c, table, refers, 0);
    return row >= 0 || !refers ? row : cat_usual(c, table, roles[role].usual, NULL);
}

static int columns_find(layout *l, source *s, const catalog *c)
{
    for (int role = 0; role < ROLE_COUNT; role++) {
        int row = column_row(l, c, role);

        if (row < 0 && (roles[role].is_needed || l->columns[role][0]))
            return IMPORT_FAIL(s,
                               "table %s has no column %s: name the right one with --column "
                               "%s=NAME",
                               l->tables[roles[role].kind],
                               l->columns[role][0] ? l->columns[role] : roles[role].usual,
                               roles[role].name);
        if (row >= 0)
            name_keep(l->columns[role], cat(c, row, CAT_COLUMN));
        if (row >= 0 && role == MSG_DELETED)
            l->is_flag_deleted = strcmp(cat(c, row, CAT_TYPE), "boolean") == 0;
    }
    return 0;
}

static int is_taken(const layout *l, int kind, const char *column)
{
    for (int role = 0; role < ROLE_COUNT; role++)
        if (roles[role].kind == kind && strcmp(l->columns[role], column) == 0)
            return 1;
    return strcmp(column, "id") == 0;
}

static void columns_left(layout *l, const catalog *c)
{
    size_t used = 0;

    for (int i = 0; i < c->n; i++)
        for (int kind = 0; kind < KIND_COUNT; kind++)
            if (strcmp(cat(c, i, CAT_TABLE), l->tables[kind]) == 0 &&
                !is_taken(l, kind, cat(c, i, CAT_COLUMN)) && used + 140 < sizeof(l->left_out))
                used += (size_t)snprintf(l->left_out + used, sizeof(l->left_out) - used, "%s%s.%s",
                                         used ? ", " : "", l->tables[kind], cat(c, i, CAT_COLUMN));
}

int layout_find(layout *l, source *s)
{
    catalog c = { source_ask(s, catalog_sql, NULL), 0 };

    if (!c.rows)
        return -1;
    c.n = PQntuples(c.rows);
    int err = tables_find(l, s, &c);
    if (err == 0)
        err = columns_find(l, s, &c);
    if (err == 0)
        columns_left(l, &c);
    PQclear(c.rows);
    return err;
}

/* ---- statements ---- */

static void put_name(FILE *to, source *s, const char *alias, const char *name)
{
    char *quoted = PQescapeIdentifier(s->db, name, strlen(name));

    fprintf(to, "%s%s%s", alias, *alias ? "." : "", quoted ? quoted : "NULL");
    PQfreemem(quoted);
}

/* What stands around a column. */
static const struct {
    const char *form, *before, *after;
} forms[] = {
    { "text", "COALESCE(", "::text, '')" },
    { "flag", "CASE WHEN ", " THEN 1 ELSE 0 END" },
    /* microseconds since 1970; a time without a zone is UTC */
    { "time", "COALESCE(round(EXTRACT(EPOCH FROM ", ") * 1000000)::bigint, 0)" },
    { "name", "", "" },
    { "kept", "COALESCE(", ", FALSE) = FALSE" },
};

static void put_column(FILE *to, source *s, const layout *l, const char *token)
{
    char form[8], alias[4], name[24];

    if (sscanf(token, "[%7s %3s %23[a-z_]]", form, alias, name) != 3)
        return;
    int role = layout_role((parley_str){ name, strlen(name) });
    const char *column = role < 0 ? "" : l->columns[role];
    int is_kept = strcmp(form, "kept") == 0;
    if (!*column || (is_kept && !l->is_flag_deleted)) {
        if (is_kept && *column)
            put_name(to, s, alias, column);
        fputs(!is_kept ? roles[role].absent : *column ? " IS NULL" : "TRUE", to);
        return;
    }
    for (size_t i = 0; i < COUNT(forms); i++) {
        if (strcmp(forms[i].form, form) != 0)
            continue;
        fputs(forms[i].before, to);
        put_name(to, s, alias, column);
        fputs(forms[i].after, to);
    }
}

static void put_table(FILE *to, source *s, const layout *l, const char *token)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (strncmp(token + 1, kind_names[kind], strlen(kind_names[kind])) == 0)
            put_name(to, s, "", l->tables[kind]);
}

char *layout_query(const layout *l, source *s, int kind)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);

    if (!to)
        return NULL;
    for (const char *at = templates[kind]; *at; at++) {
        if (*at != '[' && *at != '{') {
            fputc(*at, to);
            continue;
        }
        (*at == '[' ? put_column : put_table)(to, s, l, at);
        at += strcspn(at, "]}");
    }
    return fclose(to) == 0 ? text : NULL;
}
