/* import.h -- `parley import django`: users, rooms, participants and messages of the original app.
 *
 *   plugin.c     the verb: its options, its life
 *   layout.c     which table is which, and which column: from the catalog and the options
 *   source.c     the original's database: one session, one state of all tables
 *   people.c     all users, and whether each can be one here
 *   target.c     what a row becomes here: the statements
 *   identity.c   public ids
 *   job.c        the order of it all
 *
 * source.c, layout.c and people.c run in the pool and may block; while they do, the loop leaves the
 * job alone.  target.c and job.c run on the loop.
 *
 * IDS        A UUID is kept.  A number becomes a UUID of version 7 made of the row's own time and a
 *            hash of what it is, so it is the same in every run: a second run finds what the first
 *            one wrote, and a broken one is repeated.  Nothing else is remembered. */
#ifndef IMPORT_IMPORT_H
#define IMPORT_IMPORT_H
#include <libpq-fe.h>
#include <parley/db.h>
#include <parley/verb.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
    WHY_MAX = 500,
    NAME_SIZE = 64, /* of a table or column */
    UID_SIZE = 37,
    PAGE_ROWS = 200,   /* read at a time, and stored in one transaction */
    PROBLEMS_MAX = 200 /* told; the others are counted */
};

/* What is taken over, in this order. */
enum kind { KIND_USERS, KIND_ROOMS, KIND_PARTICIPANTS, KIND_MESSAGES, KIND_COUNT };
/* And last the rooms once more: what has come from there is not unread. */
enum { PHASE_PLACES = KIND_COUNT, PHASE_COUNT };

/* ---- layout.c ---- */

/* What a column is for; its facts are a row of the table in layout.c. */
enum role {
    USER_ID,
    USER_NAME,
    USER_EMAIL,
    USER_FIRST,
    USER_LAST,
    USER_PASSWORD,
    USER_VERIFIED,
    USER_ACTIVE,
    USER_STAFF,
    USER_SUPER,
    USER_JOINED,
    ROOM_ID,
    ROOM_NAME,
    ROOM_CREATOR,
    ROOM_CREATED,
    ROOM_UPDATED,
    PART_ROOM,
    PART_USER,
    MSG_ID,
    MSG_ROOM,
    MSG_SENDER,
    MSG_CONTENT,
    MSG_CREATED,
    MSG_DELETED,
    ROLE_COUNT
};

typedef struct layout {
    char tables[KIND_COUNT][NAME_SIZE];  /* given by an option, or found */
    char columns[ROLE_COUNT][NAME_SIZE]; /* the same; "": there is none */
    int is_flag_deleted;                 /* MSG_DELETED is a boolean, not a time */
    char left_out[1000];                 /* columns that are not taken over */
} layout;

/* Columns of the rows as they are read (layout.c), of each kind. */
enum user_column {
    U_ID,
    U_TIME,
    U_NAME,
    U_EMAIL,
    U_FIRST,
    U_LAST,
    U_PASSWORD,
    U_VERIFIED,
    U_ACTIVE,
    U_STAFF,
    U_SUPER
};
enum room_column { R_ID, R_TIME, R_NAME, R_UPDATED, R_CREATOR /* and its time; empty: nobody */ };
enum part_column { P_ROOM, P_USER = 2 };
enum message_column { M_ID, M_TIME, M_CONTENT, M_ROOM, M_SENDER = 5 /* empty: nobody */ };

/* ---- people.c ---- */

typedef struct person {
    char uid[UID_SIZE];
    char *id, *username, *email; /* as they are there; owned */
    char *name_key, *email_key;  /* as they are compared here; NULL: cannot be one here; owned */
} person;

typedef struct people {
    person *items;
    size_t n, room;
    size_t unverified, disabled, staff;
    size_t reset; /* have no password that can be checked */
    size_t there; /* are here already */
} people;

/* ---- source.c ---- */

typedef struct source {
    PGconn *db;
    char shown[200]; /* for people: without a password */
    char *queries[KIND_COUNT];
    int64_t counts[KIND_COUNT];
    PGresult *page;
    int is_open; /* the cursor */
    char why[WHY_MAX];
} source;

/* ---- the job ---- */

typedef struct import_job {
    parley_run run;
    parley_ctx *ctx;
    char *url; /* owned, wiped */
    int is_plan, is_cancelled;
    source source;
    layout layout;
    people people;
    int phase;  /* enum kind, then PHASE_PLACES */
    int status; /* of the work in the pool */
    size_t at;  /* people.c: looked up so far */
    int64_t read, added[KIND_COUNT], there[KIND_COUNT], left[KIND_COUNT];
    int64_t nobodys;          /* messages whose sender is gone */
    int64_t here[KIND_COUNT]; /* rows of the target before */
    size_t problem_n;
    char **problems; /* PROBLEMS_MAX at the most; owned */
} import_job;

#define IMPORT_FAIL(s, ...) ((void)snprintf((s)->why, WHY_MAX, __VA_ARGS__), -1)

/* Rows that a catalog or a count answers.  NULL: failed, `why` is set.  PQclear() it. */
PGresult *source_ask(source *s, const char *sql, const char *param);
int source_open(source *s, const char *url);
/* The statements for the layout that was found, and how many rows there are. */
int source_prepare(source *s, const layout *l);
/* The next PAGE_ROWS of this kind into s->page; none: it is over. */
int source_fetch(source *s, int kind);
void source_close(source *s);
void source_leave(void); /* at the end of each piece of work in the pool */
void source_why(source *s, const char *doing);

/* Fills what the options have not. */
int layout_find(layout *l, source *s);
/* The statement that reads this kind of rows; new.  NULL: no memory */
char *layout_query(const layout *l, source *s, int kind);
/* "content" -> MSG_CONTENT; -1: no such role */
int layout_role(parley_str name);
extern PARLEY_HIDDEN const char *const kind_names[KIND_COUNT]; /* "users", ... */

int people_read(import_job *job);
void people_free(people *all);

void job_problem(import_job *job, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The verb; takes the job. */
int job_start(import_job *job);

/* ---- identity.c ---- */

/* id: the key of the row there; at_us: the row's own time. */
void identity_make(char ret[UID_SIZE], int kind, const char *id, int64_t at_us);

/* ---- target.c ---- */

extern PARLEY_HIDDEN const parley_db *target;

int target_prepare(parley_ctx *ctx);
/* One transaction with the rows of job->source.page.  Its callback gets the job. */
int target_store(import_job *job, parley_db_fn stored);
/* The kind of rows that the job reads now. */
int target_kind(const import_job *job);
/* What the rows of a finished target_store() were: added, or there already. */
void target_count(import_job *job, const parley_db_result *result);
/* Who has the names of these people here: a read. */
int target_look_up(import_job *job, parley_db_fn found);
void target_compare(import_job *job, const parley_db_result *result);
int target_sizes(import_job *job, parley_db_fn counted);
#endif
