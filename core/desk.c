/* desk.c -- verbs that come over the socket: read the words, run the verb on this worker's loop, send
 * back what it says.
 *
 *   desk_connected -> caller_read -> caller_run -> run_start (core/host/run.c)
 *                                 run_outlet: caller_write, caller_ask, caller_ended
 *
 * A caller that goes cancels its verb; a verb that ends closes its caller. */
#include "core/desk.h"

#include "core/base/log.h"
#include "core/host/verb.h"
#include "core/wire.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#define DESK_BACKLOG     16
#define EXIT_INTERRUPTED 130

enum { WORDS_MAX = 4096, READ_BYTES = 16384 };

struct desk {
    uv_pipe_t listener;
    uv_pipe_t spare; /* takes a caller for whom there is no memory, and hangs up */
    host *host;
    list callers;
    size_t handles; /* not yet closed */
    bool is_closing;
    bool is_spare_used, is_spare_due; /* until it has closed; another caller waits for it */
    char input[READ_BYTES];
};

/* One connection.  Owner: desk.callers, until its handle has closed. */
typedef struct caller {
    uv_pipe_t pipe;
    list link;
    desk *desk;
    parley_run run;
    bool has_run, is_over, is_closing, is_writing;
    buf in;
    buf out, leaving; /* messages that wait, and those of the write that is on its way */
    uv_write_t write;
} caller;

/* ---- ends ---- */

static void desk_handle_closed(desk *d)
{
    d->handles--;
    if (d->handles == 0 && d->is_closing)
        free(d);
}

static void caller_closed(uv_handle_t *handle)
{
    caller *c = handle->data;
    desk *d = c->desk;

    list_remove(&c->link);
    if (c->in.p)
        sodium_memzero(c->in.p, c->in.n);
    buf_done(&c->in);
    buf_done(&c->out);
    buf_done(&c->leaving);
    free(c);
    desk_handle_closed(d);
}

static void caller_close(caller *c)
{
    if (c->is_closing)
        return;
    c->is_closing = true;
    uv_close((uv_handle_t *)&c->pipe, caller_closed);
    if (c->has_run && !c->is_over)
        run_detach(c->desk->host, c->run);
}

/* ---- out ---- */

static size_t caller_waits(const caller *c)
{
    return c->out.n + c->leaving.n;
}

static void caller_sent(uv_write_t *req, int status);

/* All that waits leaves with one write; what comes meanwhile waits for the next. */
static void caller_flush(caller *c)
{
    if (c->is_closing || c->is_writing || c->out.n == 0)
        return;
    const buf leaving = c->out;
    c->out = c->leaving;
    c->leaving = leaving;
    const uv_buf_t bytes = uv_buf_init(leaving.p, (unsigned)leaving.n);
    c->is_writing = true;
    if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &bytes, 1, caller_sent) < 0)
        caller_close(c);
}

static void caller_sent(uv_write_t *req, int status)
{
    caller *c = req->data;

    c->is_writing = false;
    buf_reset(&c->leaving);
    if (status < 0) {
        caller_close(c);
        return;
    }
    caller_flush(c);
    if (c->is_over && caller_waits(c) == 0)
        caller_close(c);
    else if (c->has_run && !c->is_over && caller_waits(c) < RUN_DRAINED)
        run_drained(c->desk->host, c->run);
}

static int caller_send(caller *c, char letter, str text)
{
    char head[WIRE_HEAD];

    if (c->is_closing)
        return PARLEY_EGONE;
    wire_head(head, letter, text.n);
    (void)buf_add(&c->out, (str){ head, sizeof(head) });
    (void)buf_add(&c->out, text);
    if (c->out.failed) {
        caller_close(c); /* half a message may stand there */
        return PARLEY_ENOMEM;
    }
    caller_flush(c);
    return PARLEY_OK;
}

static int caller_write(void *ud, enum run_kind kind, str text)
{
    caller *c = ud;

    if (text.n > WIRE_QUEUE_MAX || caller_waits(c) + text.n > WIRE_QUEUE_MAX)
        return text.n > WIRE_QUEUE_MAX ? PARLEY_ETOOBIG : PARLEY_EAGAIN;
    /* How far it is must not be queued in front of a caller that does not read. */
    if (kind == RUN_PROGRESS && caller_waits(c) > 0)
        return PARLEY_OK;
    return caller_send(c, (char)kind, text);
}

static size_t caller_queued(void *ud)
{
    return caller_waits(ud);
}

static int caller_ask(void *ud, str question, bool is_secret)
{
    return caller_send(ud, is_secret ? 's' : 'q', question);
}

/* The connection closes when this has left. */
static void caller_ended(void *ud, int exit_status, str text)
{
    caller *c = ud;
    char bytes[1024];
    size_t n = text.n < sizeof(bytes) - 1 ? text.n : sizeof(bytes) - 1;

    c->is_over = true;
    bytes[0] = (char)exit_status;
    if (n > 0)
        memcpy(bytes + 1, text.p, n);
    if (caller_send(c, 'x', (str){ bytes, n + 1 }) < 0)
        caller_close(c);
}

static void caller_refuse(caller *c, int exit_status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void caller_refuse(caller *c, int exit_status, const char *fmt, ...)
{
    char text[700];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    caller_ended(c, exit_status, str_of(text));
}

/* ---- in ---- */

/* The next text of a request, each ended by a NUL.  false: no more. */
static bool request_cut(str *rest, str *ret)
{
    str head = STR_NONE, tail = STR_NONE;

    if (!rest->p || !str_cut(*rest, '\0', &head, &tail))
        return false;
    *ret = head;
    *rest = tail;
    return true;
}

static void caller_begin(caller *c, const verb *v, str rest, int terminal)
{
    static const run_outlet outlet = { caller_write, caller_queued, caller_ask, caller_ended };
    static str words[WORDS_MAX];
    size_t n = 0;
    failure f = { 0 };
    verb_args *args = NULL;

    while (n < WORDS_MAX && request_cut(&rest, &words[n]))
        n++;
    if (verb_args_read(v, words, n, NULL, &args, &f) < 0) {
        caller_ended(c, f.status, str_of(f.text));
        return;
    }
    log_msg(PARLEY_INFO, "command: parley %s", v->is.name);
    (void)caller_send(c, 'k', STR_NONE);
    c->has_run = true;
    run_start(c->desk->host, v, args, terminal, &outlet, c, &c->run);
}

/* This worker's verb of that name; its tables may be others than the caller's if files were replaced
 * meanwhile, so everything is checked again. */
static const verb *request_verb(const host *h, str name)
{
    for (size_t i = 0; i < host_verb_n(h); i++)
        if (str_eq(name, str_of(host_verb(h, i)->is.name)))
            return host_verb(h, i);
    return NULL;
}

static void caller_run(caller *c, str rest)
{
    str version = STR_NONE, terminal = STR_NONE, name = STR_NONE;
    int64_t terminal_bits = 0;

    if (c->has_run || c->is_over || !request_cut(&rest, &version) ||
        !request_cut(&rest, &terminal) || !str_int(terminal, &terminal_bits) ||
        !request_cut(&rest, &name)) {
        caller_close(c);
        return;
    }
    if (!str_eq(version, STR(PARLEY_VERSION))) {
        caller_refuse(c, EXIT_SYSTEM,
                      "the running server is parley %s, this command is " STR_FMT
                      "; restart the server first",
                      PARLEY_VERSION, STR_ARG(version));
        return;
    }
    const verb *v = request_verb(c->desk->host, name);
    if (!v) {
        caller_refuse(
            c, EXIT_SYSTEM,
            "the running server has no command \"" STR_FMT
            "\": it was started with another configuration; SIGHUP makes it read this one",
            STR_ARG(name));
        return;
    }
    if (v->is.flags & (PARLEY_V_OFFLINE | PARLEY_V_BARE)) {
        caller_refuse(c, EXIT_SYSTEM, "parley %s does not run inside a server", v->is.name);
        return;
    }
    caller_begin(c, v, rest, (int)terminal_bits);
}

static void caller_cancel(caller *c)
{
    if (!c->has_run || c->is_over || run_cancel(c->desk->host, c->run))
        return;
    caller_refuse(c, EXIT_INTERRUPTED, "interrupted");
    run_detach(c->desk->host, c->run);
}

static void caller_hear(caller *c, int letter, str message)
{
    switch (letter) {
    case 'r':
        caller_run(c, message);
        return;
    case 'a':
    case 'n':
        if (c->has_run && !c->is_over)
            run_answered(c->desk->host, c->run, letter == 'a', message);
        return;
    case 'c':
        caller_cancel(c);
        return;
    default:
        caller_close(c);
    }
}

static void caller_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    const caller *c = handle->data;

    (void)suggested;
    *ret = uv_buf_init(c->desk->input, READ_BYTES);
}

static void caller_read(uv_stream_t *pipe, ssize_t n, const uv_buf_t *input)
{
    caller *c = pipe->data;
    int letter = 0;
    str message = STR_NONE;
    size_t at = 0;

    if (n < 0 || buf_add(&c->in, (str){ input->base, n > 0 ? (size_t)n : 0 }) < 0) {
        caller_close(c);
        return;
    }
    if (n > 0)
        sodium_memzero(input->base, (size_t)n); /* it may be a password */
    while (!c->is_closing && (letter = wire_next(&c->in, &at, WIRE_IN_MAX, &message)) > 0) {
        caller_hear(c, letter, message);
        sodium_memzero((void *)(uintptr_t)message.p, message.n);
    }
    buf_drop(&c->in, at);
    if (letter < 0)
        caller_close(c);
}

/* ---- the listening socket ---- */

static void desk_hang_up(desk *d);

static void desk_hung_up(uv_handle_t *handle)
{
    desk *d = handle->data;
    bool is_due = d->is_spare_due;

    d->is_spare_used = d->is_spare_due = false;
    if (is_due && !uv_is_closing((uv_handle_t *)&d->listener))
        desk_hang_up(d);
    desk_handle_closed(d);
}

/* Without uv_accept() the loop would listen no more. */
static void desk_hang_up(desk *d)
{
    d->is_spare_due = d->is_spare_used;
    if (d->is_spare_used)
        return;
    d->is_spare_used = true;
    (void)uv_pipe_init(d->listener.loop, &d->spare, 0);
    d->spare.data = d;
    d->handles++;
    (void)uv_accept((uv_stream_t *)&d->listener, (uv_stream_t *)&d->spare);
    uv_close((uv_handle_t *)&d->spare, desk_hung_up);
}

static void desk_connected(uv_stream_t *listener, int status)
{
    desk *d = listener->data;
    caller *c = status == 0 ? calloc(1, sizeof(*c)) : NULL;

    if (!c) {
        if (status == 0)
            desk_hang_up(d);
        return;
    }
    c->desk = d;
    list_push(&d->callers, &c->link);
    buf_init(&c->in, WIRE_IN_MAX + WIRE_HEAD + READ_BYTES);
    buf_init(&c->out, 2 * WIRE_QUEUE_MAX);
    buf_init(&c->leaving, 2 * WIRE_QUEUE_MAX);
    c->write.data = c;
    (void)uv_pipe_init(listener->loop, &c->pipe, 0);
    c->pipe.data = c;
    d->handles++;
    if (uv_accept(listener, (uv_stream_t *)&c->pipe) < 0 ||
        uv_read_start((uv_stream_t *)&c->pipe, caller_room, caller_read) < 0)
        caller_close(c);
}

static void desk_listener_closed(uv_handle_t *handle)
{
    desk_handle_closed(handle->data);
}

int desk_open(uv_loop_t *loop, host *h, int listen_fd, desk **ret)
{
    desk *d = calloc(1, sizeof(*d));

    if (!d)
        return -ENOMEM;
    d->host = h;
    list_init(&d->callers);
    (void)uv_pipe_init(loop, &d->listener, 0);
    d->listener.data = d;
    d->handles = 1;
    *ret = d;
    int err = uv_pipe_open(&d->listener, listen_fd);
    if (err == 0)
        err = uv_listen((uv_stream_t *)&d->listener, DESK_BACKLOG, desk_connected);
    return err;
}

void desk_stop_listening(desk *d)
{
    if (d && !uv_is_closing((uv_handle_t *)&d->listener))
        uv_close((uv_handle_t *)&d->listener, desk_listener_closed);
}

void desk_close(desk *d)
{
    if (!d)
        return;
    d->is_closing = true;
    desk_stop_listening(d);
    LIST_FOR_EACH (it, &d->callers)
        caller_close(LIST_ITEM(it, caller, link));
    if (d->handles == 0)
        free(d);
}
