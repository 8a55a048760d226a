/* target.c -- what a row of the original app becomes here: the statements.
 *
 * Each can be run again: what is there already, by its public id, is left alone.  A message takes the
 * next number of its room, as a new one does, so the order in which they are read is their order. */
#include <stdlib.h>
#include <string.h>

#include "plugins/common/address.h"
#include "plugins/common/name.h"
#include "plugins/common/pbkdf2.h"
#include "plugins/import/import.h"

const parley_db *target;

#define NOBODY   "(deleted)" /* no username: those have no brackets */
#define NAMELESS "(no name)"

enum sql_id {
    SQL_USER_ADD,
    SQL_USER_LIKE,
    SQL_ROOM_ADD,
    SQL_OWNER_ADD,
    SQL_MEMBER_ADD,
    SQL_MESSAGE_SEQ,
    SQL_MESSAGE_ADD,
    SQL_MESSAGE_EVENT,
    SQL_PLACES,
    SQL_SIZES,
    SQL_COUNT
};

/* clang-format off */
static const char *const texts[SQL_COUNT] = {
    [SQL_USER_ADD] =
        "INSERT INTO users (uid, username, username_key, email, email_key, first_name, last_name,"
        " password_hash, is_verified, is_active, is_staff, is_superuser, joined_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        " ON CONFLICT (uid) DO NOTHING",
    [SQL_USER_LIKE] =
        "SELECT uid, username, email FROM users WHERE uid = $1 OR username_key = $2 OR email_key = $3",
    [SQL_ROOM_ADD] =
        "INSERT INTO rooms (uid, name, creator_id, epoch, created_at, updated_at)"
        " SELECT $1, $2, u.id, $3, $4, $5 FROM users u WHERE u.uid = $6"
        " ON CONFLICT (uid) DO NOTHING",
    [SQL_OWNER_ADD] =
        "INSERT INTO room_members (room_id, user_id, role, joined_at)"
        " SELECT id, creator_id, 'owner', created_at FROM rooms WHERE uid = $1"
        " ON CONFLICT (room_id, user_id) DO NOTHING",
    [SQL_MEMBER_ADD] =
        "INSERT INTO room_members (room_id, user_id, joined_at)"
        " SELECT r.id, u.id, r.created_at FROM rooms r CROSS JOIN users u"
        " WHERE r.uid = $1 AND u.uid = $2 ON CONFLICT (room_id, user_id) DO NOTHING",
    [SQL_MESSAGE_SEQ] =
        "UPDATE rooms SET last_seq = last_seq + 1, message_count = message_count + 1"
        " WHERE uid = $1 AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.uid = $2)",
    /* A sender who is gone has no account: the names then are those of the parameters. */
    [SQL_MESSAGE_ADD] =
        "INSERT INTO messages (uid, room_id, seq, sender_id, sender_uid, sender_username,"
        " sender_first_name, sender_last_name, content, created_at)"
        " SELECT $1, r.id, r.last_seq, COALESCE(u.id, 0), COALESCE(u.uid, $2),"
        " COALESCE(u.username, '" NOBODY "'), COALESCE(u.first_name, ''),"
        " COALESCE(u.last_name, ''), $3, $4 FROM rooms r LEFT JOIN users u ON u.uid = $2"
        " WHERE r.uid = $5 ON CONFLICT (uid) DO NOTHING",
    [SQL_MESSAGE_EVENT] =
        "INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at)"
        " SELECT m.room_id, m.seq, 1, m.id, m.sender_id, m.created_at FROM messages m"
        " WHERE m.uid = $1 ON CONFLICT (room_id, seq) DO NOTHING",
    /* Only of who has never read here: a second run takes nobody's place from him. */
    [SQL_PLACES] =
        "UPDATE room_members SET"
        " read_seq = (SELECT r.last_seq FROM rooms r WHERE r.id = room_members.room_id),"
        " delivered_seq = (SELECT r.last_seq FROM rooms r WHERE r.id = room_members.room_id)"
        " WHERE room_id = (SELECT r.id FROM rooms r WHERE r.uid = $1)"
        " AND read_seq = 0 AND delivered_seq = 0",
    [SQL_SIZES] =
        "SELECT (SELECT CAST(COUNT(*) AS BIGINT) FROM users), (SELECT CAST(COUNT(*) AS BIGINT)"
        " FROM rooms), (SELECT CAST(COUNT(*) AS BIGINT) FROM room_members),"
        " (SELECT CAST(COUNT(*) AS BIGINT) FROM messages)",
};
/* clang-format on */

enum { STATEMENTS_MAX = 3, PARAMS_MAX = 13, EPOCH_SIZE = 17 };

/* The texts of a row that are not the source's own.  Parameters are copied by run(). */
typedef struct made {
    char uid[UID_SIZE], other[UID_SIZE], room[UID_SIZE], epoch[EPOCH_SIZE], email[ADDRESS_MAX + 1];
    char *name; /* owned */
} made;

static parley_stmt stmts[SQL_COUNT];

int target_prepare(parley_ctx *ctx)
{
    target = parley->service(ctx, "parley.db");
    if (parley_db_prepare_all(target, ctx, texts, SQL_COUNT, stmts) == PARLEY_OK)
        return PARLEY_OK;
    return parley->fail(ctx,
                        "this database has not all of Parley's tables: run parley migrate first");
}

/* ---- rows ---- */

static parley_param text(const char *p)
{
    return (parley_param)PARLEY_TEXT(((parley_str){ p, strlen(p) }));
}

static parley_param cell(PGresult *page, int row, int column)
{
    return text(PQgetvalue(page, row, column));
}

static int64_t number(PGresult *page, int row, int column)
{
    return strtoll(PQgetvalue(page, row, column), NULL, 10);
}

/* The public id of the row whose key is in this column, and its time in the next. */
static parley_param uid(char ret[UID_SIZE], int kind, PGresult *page, int row, int column)
{
    identity_make(ret, kind, PQgetvalue(page, row, column), number(page, row, column + 1));
    return text(ret);
}

static int user_put(PGresult *page, int row, made *m, parley_param *p, parley_sql *ret)
{
    parley_str email = { PQgetvalue(page, row, U_EMAIL), strlen(PQgetvalue(page, row, U_EMAIL)) };
    parley_str name = { PQgetvalue(page, row, U_NAME), strlen(PQgetvalue(page, row, U_NAME)) };
    const char *password = PQgetvalue(page, row, U_PASSWORD);
    pbkdf2 unused;

    if (address_key(email, m->email, sizeof(m->email)) < 0 || name_key(name, &m->name) < 0)
        return PARLEY_EINVAL; /* people.c has judged it: it cannot be */
    const parley_param all[] = {
        uid(m->uid, KIND_USERS, page, row, U_ID),
        cell(page, row, U_NAME),
        text(m->name),
        text(m->email),
        text(m->email),
        cell(page, row, U_FIRST),
        cell(page, row, U_LAST),
        text(pbkdf2_read(&unused, password) == 0 ? password : "!"),
        PARLEY_INT(number(page, row, U_VERIFIED)),
        PARLEY_INT(number(page, row, U_ACTIVE)),
        PARLEY_INT(number(page, row, U_STAFF)),
        PARLEY_INT(number(page, row, U_SUPER)),
        PARLEY_INT(number(page, row, U_TIME)),
    };
    memcpy(p, all, sizeof(all));
    ret[0] = (parley_sql){ stmts[SQL_USER_ADD], p, COUNT(all) };
    return PARLEY_OK;
}

static void epoch_make(char ret[EPOCH_SIZE])
{
    unsigned char bytes[8];

    parley->random(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

static int room_put(PGresult *page, int row, made *m, parley_param *p, parley_sql *ret)
{
    epoch_make(m->epoch);
    p[0] = uid(m->uid, KIND_ROOMS, page, row, R_ID);
    p[1] = *PQgetvalue(page, row, R_NAME) ? cell(page, row, R_NAME) : text(NAMELESS);
    p[2] = text(m->epoch);
    p[3] = (parley_param)PARLEY_INT(number(page, row, R_TIME));
    p[4] = (parley_param)PARLEY_INT(number(page, row, R_UPDATED));
    p[5] = uid(m->other, KIND_USERS, page, row, R_CREATOR);
    ret[0] = (parley_sql){ stmts[SQL_ROOM_ADD], p, 6 };
    ret[1] = (parley_sql){ stmts[SQL_OWNER_ADD], p, 1 };
    return PARLEY_OK;
}

static int part_put(PGresult *page, int row, made *m, parley_param *p, parley_sql *ret)
{
    p[0] = uid(m->uid, KIND_ROOMS, page, row, P_ROOM);
    p[1] = uid(m->other, KIND_USERS, page, row, P_USER);
    ret[0] = (parley_sql){ stmts[SQL_MEMBER_ADD], p, 2 };
    return PARLEY_OK;
}

static int message_put(PGresult *page, int row, made *m, parley_param *p, parley_sql *ret)
{
    static const char nobody[] = "00000000-0000-0000-0000-000000000000";
    int is_nobody = !*PQgetvalue(page, row, M_SENDER);

    p[0] = uid(m->room, KIND_ROOMS, page, row, M_ROOM);
    p[1] = uid(m->uid, KIND_MESSAGES, page, row, M_ID);
    p[2] = p[1];
    p[3] = is_nobody ? text(nobody) : uid(m->other, KIND_USERS, page, row, M_SENDER);
    p[4] = cell(page, row, M_CONTENT);
    p[5] = (parley_param)PARLEY_INT(number(page, row, M_TIME));
    p[6] = p[0];
    ret[0] = (parley_sql){ stmts[SQL_MESSAGE_SEQ], p, 2 };
    ret[1] = (parley_sql){ stmts[SQL_MESSAGE_ADD], p + 2, 5 };
    ret[2] = (parley_sql){ stmts[SQL_MESSAGE_EVENT], p + 2, 1 };
    return PARLEY_OK;
}

static int places_put(PGresult *page, int row, made *m, parley_param *p, parley_sql *ret)
{
    p[0] = uid(m->uid, KIND_ROOMS, page, row, R_ID);
    ret[0] = (parley_sql){ stmts[SQL_PLACES], p, 1 };
    return PARLEY_OK;
}

/* ---- a page ---- */

static const struct {
    int (*put)(PGresult *page, int row, made *m, parley_param *p, parley_sql *ret);
    uint32_t statements, telling; /* per row; the one that says whether the row is new */
} shapes[PHASE_COUNT] = {
    [KIND_USERS] = { user_put, 1, 0 },        [KIND_ROOMS] = { room_put, 2, 0 },
    [KIND_PARTICIPANTS] = { part_put, 1, 0 }, [KIND_MESSAGES] = { message_put, 3, 1 },
    [PHASE_PLACES] = { places_put, 1, 0 },
};

int target_kind(const import_job *job)
{
    return job->phase == PHASE_PLACES ? KIND_ROOMS : job->phase;
}

int target_store(import_job *job, parley_db_fn stored)
{
    PGresult *page = job->source.page;
    int rows = PQntuples(page), err = PARLEY_OK;
    uint32_t each = shapes[job->phase].statements;
    made *texts_made = calloc((size_t)rows, sizeof(*texts_made));
    parley_param *params = calloc((size_t)rows * PARAMS_MAX, sizeof(*params));
    parley_sql *sql = calloc((size_t)rows * STATEMENTS_MAX, sizeof(*sql));

    for (int row = 0; texts_made && params && sql && row < rows && err >= 0; row++)
        err = shapes[job->phase].put(page, row, &texts_made[row], &params[row * PARAMS_MAX],
                                     &sql[(uint32_t)row * each]);
    if (!texts_made || !params || !sql)
        err = PARLEY_ENOMEM;
    if (err >= 0)
        err = target->run(job->ctx, sql, (uint32_t)rows * each, 0, stored, job);
    for (int row = 0; texts_made && row < rows; row++)
        free(texts_made[row].name);
    free(texts_made);
    free(params);
    free(sql);
    return err;
}

void target_count(import_job *job, const parley_db_result *result)
{
    PGresult *page = job->source.page;
    uint32_t each = shapes[job->phase].statements, telling = shapes[job->phase].telling;

    for (int row = 0; job->phase < KIND_COUNT && row < PQntuples(page); row++) {
        int64_t n = target->rows_n(result->rows[(uint32_t)row * each + telling]);
        int is_nobodys = job->phase == KIND_ROOMS && !*PQgetvalue(page, row, R_CREATOR);

        job->added[job->phase] += n > 0;
        job->left[job->phase] += is_nobodys;
        job->there[job->phase] += n == 0 && !is_nobodys;
        job->nobodys += job->phase == KIND_MESSAGES && !*PQgetvalue(page, row, M_SENDER);
    }
}

/* ---- who has the names here ---- */

int target_look_up(import_job *job, parley_db_fn found)
{
    parley_param params[PAGE_ROWS][3];
    parley_sql sql[PAGE_ROWS];
    uint32_t n = 0;

    for (; n < PAGE_ROWS && job->at + n < job->people.n; n++) {
        const person *who = &job->people.items[job->at + n];

        params[n][0] = text(who->uid);
        params[n][1] = text(who->name_key ? who->name_key : "");
        params[n][2] = text(who->email_key ? who->email_key : "");
        sql[n] = (parley_sql){ stmts[SQL_USER_LIKE], params[n], 3 };
    }
    return target->run(job->ctx, sql, n, PARLEY_DB_READ, found, job);
}

static void row_compare(import_job *job, const person *who, const parley_rows *rows, int64_t row)
{
    parley_str name = target->get(rows, row, 1), email = target->get(rows, row, 2);

    job_problem(job,
                "user %s <%s> (id %s): Parley has %.*s <%.*s> already, another account with this "
                "name or address, where case does not matter: change or remove that one, or UPDATE "
                "%s SET username = '...', email = '...' WHERE id = '%s'",
                who->username, who->email, who->id, (int)name.n, name.p, (int)email.n, email.p,
                job->layout.tables[KIND_USERS], who->id);
}

void target_compare(import_job *job, const parley_db_result *result)
{
    for (uint32_t i = 0; i < result->count; i++) {
        const person *who = &job->people.items[job->at + i];
        const parley_rows *rows = result->rows[i];

        for (int64_t row = 0; row < target->rows_n(rows); row++) {
            parley_str other = target->get(rows, row, 0);

            if (other.n == UID_SIZE - 1 && memcmp(other.p, who->uid, other.n) == 0)
                job->people.there++;
            else
                row_compare(job, who, rows, row);
        }
    }
    job->at += result->count;
}

int target_sizes(import_job *job, parley_db_fn counted)
{
    const parley_sql sql = { stmts[SQL_SIZES], NULL, 0 };

    return target->run(job->ctx, &sql, 1, PARLEY_DB_READ, counted, job);
}
