/* parley/flow.h -- an asynchronous handler as a table of steps, read downwards like blocking code.
 * A helper over the ABI, compiled into the plugin; the server knows nothing of it.
 *
 *     static int history(parley_ctx *ctx, parley_req req, void *ud)
 *     {
 *         static const parley_step steps[] = { history_parse, history_ask, history_reply };
 *         return parley_flow_start(ctx, req, db, sizeof(struct history), steps, 3);
 *     }
 *
 * A step returns
 *
 *   PARLEY_FLOW_NEXT   go on with the next step now
 *   PARLEY_FLOW_WAIT   exactly one operation was started (parley_flow_sql or parley_flow_work); the
 *                      next step runs when it is over; its result: flow->status, flow->result
 *   PARLEY_FLOW_DONE   answered: reply*() or deny*() was called
 *   anything < 0       failed: 500
 *
 * A database operation that fails is answered here (503 "unavailable"), unless the step allowed
 * that status with flow->allow before it returned WAIT; so steps see success, or what they asked
 * for.  When the client has left, the remaining steps still run: a step after a COMMIT may have
 * duties (wake the mail); its reply is harmless.  flow->state is zeroed memory of the request. */
#ifndef PARLEY_FLOW_H
#define PARLEY_FLOW_H
#include <parley/db.h>

enum parley_flow_verdict { PARLEY_FLOW_NEXT = 0, PARLEY_FLOW_WAIT = 1, PARLEY_FLOW_DONE = 2 };
typedef struct parley_flow parley_flow;
typedef int (*parley_step)(parley_flow *flow);

struct parley_flow {
    parley_ctx *ctx;
    parley_req req;
    const parley_db *db;
    void *state;
    int status;                     /* of the operation that has just ended */
    const parley_db_result *result; /* its rows, until the step returns; NULL after work */
    /* a status < 0 that the next step wants to see itself; reset after it */
    int allow;
    const parley_step *steps;
    uint32_t step_n, at;
};

static inline void parley_flow_run(parley_flow *flow);

static inline void parley_flow_unavailable(parley_req req)
{
    parley->reply_header(req, "Retry-After", PARLEY_S("5"));
    parley->deny(req, 503, "unavailable", "Service temporarily unavailable, try again later.");
}

static inline void parley_flow_db_done(parley_ctx *ctx, int status, const parley_db_result *result,
                                       void *ud)
{
    parley_flow *flow = (parley_flow *)ud;

    (void)ctx;
    if (status < 0 && status != flow->allow) {
        parley_flow_unavailable(flow->req);
        return;
    }
    flow->status = status;
    flow->result = result;
    flow->allow = 0;
    parley_flow_run(flow);
}

static inline void parley_flow_work_done(parley_ctx *ctx, int status, void *ud)
{
    parley_flow *flow = (parley_flow *)ud;

    (void)ctx;
    flow->status = status;
    flow->result = NULL;
    flow->allow = 0;
    parley_flow_run(flow);
}

/* Starts n statements as one transaction; return its result from the step. */
static inline int parley_flow_sql(parley_flow *flow, const parley_sql *sql, uint32_t n,
                                  uint32_t flags)
{
    int err = flow->db->run(flow->ctx, sql, n, flags, parley_flow_db_done, flow);

    if (err >= 0)
        return PARLEY_FLOW_WAIT;
    if (err != PARLEY_EAGAIN && err != PARLEY_DB_DOWN)
        return err;
    parley_flow_unavailable(flow->req);
    return PARLEY_FLOW_DONE;
}

/* Runs fn(ud) in the pool; return its result from the step.  Queue full: 503. */
static inline int parley_flow_work(parley_flow *flow, parley_work_fn fn,
                                   void (*done)(parley_ctx *, int, void *))
{
    int err = parley->work(flow->ctx, fn, done ? done : parley_flow_work_done, flow);

    if (err >= 0)
        return PARLEY_FLOW_WAIT;
    parley_flow_unavailable(flow->req);
    return PARLEY_FLOW_DONE;
}

static inline void parley_flow_run(parley_flow *flow)
{
    while (flow->at < flow->step_n) {
        parley_step step = flow->steps[flow->at++];
        int verdict = step(flow);

        if (verdict == PARLEY_FLOW_NEXT)
            continue;
        if (verdict < 0)
            parley->deny(flow->req, 500, "internal", "Internal server error.");
        return;
    }
}

/* What a route's handler returns. */
static inline int parley_flow_start(parley_ctx *ctx, parley_req req, const parley_db *db,
                                    size_t state_size, const parley_step *steps, uint32_t step_n)
{
    parley_flow *flow = (parley_flow *)parley->req_alloc(req, sizeof(*flow));
    void *state = parley->req_alloc(req, state_size ? state_size : 1);

    if (!flow || !state)
        return PARLEY_ENOMEM;
    flow->ctx = ctx;
    flow->req = req;
    flow->db = db;
    flow->state = state;
    flow->steps = steps;
    flow->step_n = step_n;
    parley_flow_run(flow);
    return PARLEY_PENDING; /* also right when a step has answered already */
}
#endif
