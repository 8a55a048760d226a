/* db.c -- a scripted parley.db: keeps what was asked, answers what the test said. */
#include "internal.h"

#include <stdio.h>

struct parley_rows {
    char **cells; /* row after row */
    size_t cols, rows;
    int64_t n; /* rows, or rows affected */
};

typedef struct db_param {
    char *text; /* NULL: SQL NULL */
} db_param;
typedef struct db_statement {
    uint32_t id;
    db_param *params;
    size_t n;
} db_statement;
typedef struct db_run {
    db_statement *statements;
    size_t n;
    uint32_t flags;
    parley_db_fn fn;
    void *ud;
    bool answered;
} db_run;
typedef struct db_answer {
    int status;
    uint32_t failed;
    const char *constraint;
    fake_vec results; /* parley_rows */
} db_answer;

static struct {
    const char *dialect;
    fake_vec texts;   /* const char *, by statement id */
    fake_vec runs;    /* db_run */
    fake_vec answers; /* db_answer, the used ones too */
    size_t answered;
    bool is_scheduled;
    int refuse;
} db;

/* ---- the service ---- */

static const char *db_dialect(void)
{
    return db.dialect;
}

static int db_prepare(parley_ctx *ctx, const char *text, parley_stmt *ret)
{
    (void)ctx;
    fake_vec_push(&db.texts, (void *)(uintptr_t)text);
    ret->id = (uint32_t)db.texts.n;
    return PARLEY_OK;
}

static uint32_t text_params(const char *text)
{
    uint32_t most = 0;

    for (const char *at = strchr(text, '$'); at; at = strchr(at + 1, '$')) {
        uint32_t n = (uint32_t)strtoul(at + 1, NULL, 10);

        most = n > most ? n : most;
    }
    return most;
}

static char *param_text(const parley_param *p)
{
    char number[24];

    if (p->type == PARLEY_P_NULL || (p->type == PARLEY_P_TEXT && !p->text.p))
        return NULL;
    if (p->type == PARLEY_P_TEXT)
        return fake_dup(p->text);
    (void)snprintf(number, sizeof(number), "%lld", (long long)p->number);
    return fake_dup(str_of(number));
}

static void statement_copy(db_statement *to, const parley_sql *from)
{
    to->id = from->stmt.id;
    to->n = from->n;
    to->params = calloc(from->n + 1, sizeof(*to->params));
    if (!to->params)
        abort();
    for (uint32_t i = 0; i < from->n; i++)
        to->params[i].text = param_text(&from->params[i]);
}

static void schedule(void);

static int db_run_sql(parley_ctx *ctx, const parley_sql *sql, uint32_t n, uint32_t flags,
                      parley_db_fn fn, void *ud)
{
    (void)ctx;
    if (db.refuse)
        return db.refuse;
    if (n == 0)
        return PARLEY_EINVAL;
    for (uint32_t i = 0; i < n; i++) {
        if (sql[i].stmt.id == 0 || sql[i].stmt.id > db.texts.n)
            fail_msg("run() with a statement that was never prepared");
        const char *text = db.texts.p[sql[i].stmt.id - 1];
        if (text_params(text) != sql[i].n)
            fail_msg("run() with %u parameters for: %s", sql[i].n, text);
    }
    db_run *run = calloc(1, sizeof(*run));
    if (!run)
        abort();
    *run = (db_run){ calloc(n, sizeof(db_statement)), n, flags, fn, ud, false };
    for (uint32_t i = 0; i < n; i++)
        statement_copy(&run->statements[i], &sql[i]);
    fake_vec_push(&db.runs, run);
    schedule();
    return PARLEY_OK;
}

/* ---- answers ---- */

/* What a statement without a scripted result gives. */
static const parley_rows *rows_default(const char *text)
{
    static const parley_rows none = { 0 }, one = { .n = 1 };
    bool returns = strncmp(text, "SELECT", 6) == 0 || strncmp(text, "WITH", 4) == 0 ||
                   strstr(text, "RETURNING");

    return returns ? &none : &one;
}

static void run_answer(db_run *run, const db_answer *a)
{
    const parley_rows **rows = calloc(run->n, sizeof(void *));
    parley_db_result result = {
        PARLEY_SIZED(parley_db_result),
        .count = a->status < 0 ? 0 : (uint32_t)run->n,
        .rows = rows,
        .failed = a->failed,
        .constraint = str_of(a->constraint),
        .message = a->status < 0 ? STR("as the test wanted") : STR_NONE,
    };

    if (!rows)
        abort();
    for (size_t i = 0; i < run->n; i++)
        rows[i] = i < a->results.n ? a->results.p[i]
                                   : rows_default(db.texts.p[run->statements[i].id - 1]);
    run->answered = true;
    run->fn(fake_ctx(), a->status, &result, run->ud);
    free(rows);
}

static void job_answer(fake_job *job)
{
    (void)job;
    db.is_scheduled = false;
    while (db.answered < db.runs.n && db.answered < db.answers.n) {
        size_t at = db.answered++;

        run_answer(db.runs.p[at], db.answers.p[at]);
    }
}

static void schedule(void)
{
    if (!db.is_scheduled)
        fake_job_push(job_answer, NULL, NULL, 0);
    db.is_scheduled = true;
}

void fake_db_answer(int status)
{
    db_answer *a = calloc(1, sizeof(*a));

    if (!a)
        abort();
    a->status = status;
    fake_vec_push(&db.answers, a);
    schedule();
}

static db_answer *answer_last(void)
{
    if (db.answers.n == 0)
        fail_msg("fake_db_answer() comes first");
    return db.answers.p[db.answers.n - 1];
}

void fake_db_rows(size_t cols, const char *const *cells, size_t cell_n)
{
    parley_rows *rows = calloc(1, sizeof(*rows));

    if (!rows || cols == 0 || cell_n % cols)
        fail_msg("%zu cells make no rows of %zu", cell_n, cols);
    *rows = (parley_rows){ calloc(cell_n + 1, sizeof(char *)), cols, cell_n / cols,
                           (int64_t)(cell_n / cols) };
    for (size_t i = 0; i < cell_n; i++)
        rows->cells[i] = cells[i] ? fake_dup(str_of(cells[i])) : NULL;
    fake_vec_push(&answer_last()->results, rows);
}

void fake_db_affected(int64_t n)
{
    parley_rows *rows = calloc(1, sizeof(*rows));

    if (!rows)
        abort();
    rows->n = n;
    fake_vec_push(&answer_last()->results, rows);
}

void fake_db_failure(uint32_t failed, const char *constraint)
{
    answer_last()->failed = failed;
    answer_last()->constraint = constraint;
}

void fake_db_refuse(int err)
{
    db.refuse = err;
}

/* ---- rows ---- */

static int64_t db_rows_n(const parley_rows *rows)
{
    return rows->n;
}

static parley_str db_get(const parley_rows *rows, int64_t row, uint32_t col)
{
    if (row < 0 || (size_t)row >= rows->rows || col >= rows->cols)
        return STR_NONE;
    return str_of(rows->cells[(size_t)row * rows->cols + col]);
}

static int64_t db_get_int(const parley_rows *rows, int64_t row, uint32_t col, int64_t otherwise)
{
    int64_t value;

    return str_int(db_get(rows, row, col), &value) ? value : otherwise;
}

static int db_migrate(parley_ctx *ctx, const parley_db_migration *what, parley_db_fn done, void *ud)
{
    (void)ctx;
    (void)what;
    (void)done;
    (void)ud;
    return PARLEY_EINVAL; /* the server calls it, never a plugin */
}

static const parley_db table = {
    .head = PARLEY_SERVICE(parley_db, 0, 1),
    .dialect = db_dialect,
    .prepare = db_prepare,
    .run = db_run_sql,
    .migrate = db_migrate,
    .rows_n = db_rows_n,
    .get = db_get,
    .get_int = db_get_int,
};

void fake_db_use(const char *dialect)
{
    db.dialect = dialect;
    fake_service("parley.db", &table);
}

/* ---- what was asked ---- */

size_t fake_db_runs(void)
{
    return db.runs.n;
}

size_t fake_db_waiting(void)
{
    return db.runs.n - db.answered;
}

static const db_run *run_at(size_t run)
{
    if (run >= db.runs.n)
        fail_msg("there were only %zu runs", db.runs.n);
    return db.runs.p[run];
}

static const db_statement *statement_at(size_t run, size_t statement)
{
    const db_run *r = run_at(run);

    if (statement >= r->n)
        fail_msg("run %zu has only %zu statements", run, r->n);
    return &r->statements[statement];
}

size_t fake_db_statements(size_t run)
{
    return run_at(run)->n;
}

const char *fake_db_text(size_t run, size_t statement)
{
    return db.texts.p[statement_at(run, statement)->id - 1];
}

const char *fake_db_param(size_t run, size_t statement, size_t param)
{
    const db_statement *s = statement_at(run, statement);

    if (param >= s->n)
        fail_msg("the statement has only %zu parameters", s->n);
    return s->params[param].text;
}

uint32_t fake_db_flags(size_t run)
{
    return run_at(run)->flags;
}

static void run_free(db_run *run)
{
    for (size_t i = 0; i < run->n; i++) {
        for (size_t k = 0; k < run->statements[i].n; k++)
            free(run->statements[i].params[k].text);
        free(run->statements[i].params);
    }
    free(run->statements);
    free(run);
}

static void answer_free(db_answer *a)
{
    for (size_t i = 0; i < a->results.n; i++) {
        parley_rows *rows = a->results.p[i];

        for (size_t k = 0; k < rows->rows * rows->cols; k++)
            free(rows->cells[k]);
        free(rows->cells);
        free(rows);
    }
    free(a->results.p);
    free(a);
}

void fake_db_forget(void)
{
    for (size_t i = 0; i < db.runs.n; i++)
        run_free(db.runs.p[i]);
    for (size_t i = 0; i < db.answers.n; i++)
        answer_free(db.answers.p[i]);
    db.runs.n = db.answers.n = db.answered = 0;
}

void fake_db_done(void)
{
    fake_db_forget();
    free(db.runs.p);
    free(db.answers.p);
    free(db.texts.p);
    memset(&db, 0, sizeof(db));
}
