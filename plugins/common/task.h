/* task.h -- a verb at work, as a table of steps that is read downwards: what parley/flow.h is to a
 * request.
 *
 *     static const task_step steps[] = { show_ask, show_print };
 *     return task_start(&(task_of){ ctx, run, db, ud, steps, COUNT(steps), sizeof(struct show) });
 *
 * A step returns TASK_NEXT (go on now), TASK_WAIT (it has started one operation; the next step runs
 * when that is over) or TASK_DONE (the verb has ended).  When an operation fails the verb ends with
 * a text that says so and no further step runs, unless the step has allowed that status.
 * Loop thread only. */
#ifndef COMMON_TASK_H
#define COMMON_TASK_H
#include <parley/db.h>
#include <parley/verb.h>

enum { TASK_NEXT, TASK_WAIT, TASK_DONE };

typedef struct task task;
typedef int (*task_step)(task *t);

typedef struct task_of {
    parley_ctx *ctx;
    parley_run run;
    const parley_db *db;
    void *ud;               /* the verb's */
    const task_step *steps; /* static */
    size_t step_n;
    size_t state_size;
    void (*clean)(void *state); /* frees what the state owns; NULL: nothing */
} task_of;

/* Owner: itself, from task_start() until a step has returned TASK_DONE. */
struct task {
    task_of of;
    void *state; /* zeroed at first, wiped at the end */
    size_t at;   /* the next step; a step may set it, to repeat or to skip some */
    int is_over;
    /* of the operation before this step */
    int status;
    int allow; /* a status < 0 that the next step looks at; 0: none */
    const parley_db_result *result;
    parley_str answer; /* wiped when the step returns */
};

/* What the verb's function returns. */
int task_start(const task_of *of);
/* Starts one operation; the step returns what these return. */
int task_sql(task *t, const parley_sql *sql, uint32_t n, uint32_t flags);
/* option: what to use where nobody can be asked */
int task_ask(task *t, const char *question, int is_secret, const char *option);
int task_drain(task *t); /* until a slow caller has read most of what was printed */
/* From a callback of the step's own, after it returned TASK_WAIT. */
void task_go_on(task *t);
/* The same when a service has told what it did: t->status of the next step.  < 0 is an enum
 * parley_db_status, and ends the verb unless the step has allowed it. */
void task_told(task *t, int status);

/* All end the verb and return TASK_DONE. */
int task_end(task *t, int exit_status);
int task_refused(task *t); /* what was to be done could not be started */
int task_fail(task *t, int exit_status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* One line to the caller's standard error. */
void task_say(task *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#endif
