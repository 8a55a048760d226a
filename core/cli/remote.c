/* remote.c -- a verb in a worker of the running server: the request goes over <data_dir>/parley.sock,
 * what comes back is shown (core/wire.h). */
#include "core/cli/verb_run.h"
#include "core/supervisor/supervisor.h"
#include "core/wire.h"

#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#define SILENT_MS 2000 /* then the person is told that the server is waited for */

enum { READ_BYTES = 65536 };

typedef struct remote {
    front front;
    uv_pipe_t pipe;
    uv_timer_t silent;
    buf in;
    bool is_closing;
    int exit_status;
    char input[READ_BYTES];
} remote;

static void remote_close(remote *r, int exit_status)
{
    if (r->is_closing)
        return;
    r->is_closing = true;
    r->exit_status = exit_status;
    uv_close((uv_handle_t *)&r->pipe, NULL);
    uv_close((uv_handle_t *)&r->silent, NULL);
    front_close(&r->front);
}

static void remote_fail(remote *r, const char *text)
{
    if (r->is_closing)
        return;
    front_ended(&r->front, str_of(text));
    remote_close(r, EXIT_SYSTEM);
}

/* ---- to the worker ---- */

typedef struct sending {
    uv_write_t req;
    remote *remote;
    size_t n;
    char bytes[]; /* wiped: a password may be among them */
} sending;

static void remote_sent(uv_write_t *req, int status)
{
    sending *s = (sending *)(void *)req;
    remote *r = s->remote;

    sodium_memzero(s->bytes, s->n);
    free(s);
    if (status < 0 && status != UV_ECANCELED)
        remote_fail(r, "the server went away before the command had ended; its log tells why");
}

static void remote_send(remote *r, char letter, str text)
{
    sending *s = r->is_closing ? NULL : malloc(sizeof(*s) + WIRE_HEAD + text.n);

    if (!s) {
        remote_fail(r, "out of memory");
        return;
    }
    s->remote = r;
    s->n = WIRE_HEAD + text.n;
    wire_head(s->bytes, letter, text.n);
    if (text.n > 0)
        memcpy(s->bytes + WIRE_HEAD, text.p, text.n);
    const uv_buf_t out = uv_buf_init(s->bytes, (unsigned)s->n);
    int err = uv_write(&s->req, (uv_stream_t *)&r->pipe, &out, 1, remote_sent);
    if (err < 0)
        remote_sent(&s->req, err);
}

static void remote_request(remote *r, const verb *v, const verb_args *args)
{
    buf words;

    buf_init(&words, WIRE_IN_MAX);
    (void)buf_addf(&words, "%s", PARLEY_VERSION);
    (void)buf_byte(&words, '\0');
    (void)buf_addf(&words, "%d", r->front.terminal);
    (void)buf_byte(&words, '\0');
    (void)buf_addf(&words, "%s", v->is.name);
    (void)buf_byte(&words, '\0');
    verb_args_write(args, &words);
    if (words.failed)
        remote_fail(r, "the command line is too long");
    else
        remote_send(r, 'r', buf_str(&words));
    if (words.p)
        sodium_memzero(words.p, words.n);
    buf_done(&words);
}

static void remote_answered(void *ud, bool is_given, str answer)
{
    remote_send(ud, is_given ? 'a' : 'n', answer);
}

static void remote_interrupted(void *ud)
{
    remote_send(ud, 'c', STR_NONE);
}

static void remote_broken(void *ud)
{
    remote_close(ud, EXIT_SYSTEM);
}

/* ---- from the worker ---- */

static void remote_over(remote *r, str message)
{
    if (message.n == 0) {
        remote_fail(r, "the server's answer is damaged");
        return;
    }
    front_ended(&r->front, message.n > 1 ? str_tail(message, 1) : STR_NONE);
    remote_close(r, (unsigned char)message.p[0]);
}

static void remote_hear(remote *r, int letter, str message)
{
    uv_timer_stop(&r->silent);
    switch (letter) {
    case 'k':
        return;
    case RUN_PRINT:
    case RUN_SAY:
    case RUN_PROGRESS:
        front_write(&r->front, (enum run_kind)letter, message);
        return;
    case 'q':
    case 's':
        front_ask(&r->front, message, letter == 's');
        return;
    case 'x':
        remote_over(r, message);
        return;
    default:
        remote_fail(r, "the server speaks another language; restart it");
    }
}

static void remote_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    remote *r = handle->data;

    (void)suggested;
    *ret = uv_buf_init(r->input, sizeof(r->input));
}

static void remote_read(uv_stream_t *pipe, ssize_t n, const uv_buf_t *input)
{
    remote *r = pipe->data;
    str message = STR_NONE;
    int letter = 0;
    size_t at = 0;

    if (n < 0) {
        remote_fail(r, "the server went away before the command had ended; its log tells why");
        return;
    }
    if (buf_add(&r->in, (str){ input->base, (size_t)n }) < 0) {
        remote_fail(r, "out of memory");
        return;
    }
    while (!r->is_closing && (letter = wire_next(&r->in, &at, WIRE_QUEUE_MAX, &message)) > 0)
        remote_hear(r, letter, message);
    buf_drop(&r->in, at);
    if (letter < 0)
        remote_fail(r, "the server's answer is damaged");
}

static void remote_silent(uv_timer_t *timer)
{
    remote *r = timer->data;

    front_write(&r->front, RUN_PROGRESS, STR("waiting for a worker of the server"));
}

int verb_run_remote(const verb_place *place, int fd, const verb *v, verb_args *args)
{
    static const front_up up = { remote_answered, remote_interrupted, remote_broken };
    static remote r;

    (void)signal(SIGPIPE, SIG_IGN);
    buf_init(&r.in, WIRE_QUEUE_MAX + WIRE_HEAD + READ_BYTES);
    (void)uv_pipe_init(place->loop, &r.pipe, 0);
    (void)uv_timer_init(place->loop, &r.silent);
    r.pipe.data = r.silent.data = &r;
    front_open(&r.front, place->loop, &up, &r);
    if (uv_pipe_open(&r.pipe, fd) < 0 ||
        uv_read_start((uv_stream_t *)&r.pipe, remote_room, remote_read) < 0) {
        close(fd);
        remote_fail(&r, "cannot listen to the server");
    } else {
        (void)uv_timer_start(&r.silent, remote_silent, SILENT_MS, 0);
        remote_request(&r, v, args);
    }
    verb_args_free(args);
    while (!r.is_closing)
        (void)uv_run(place->loop, UV_RUN_ONCE);
    buf_done(&r.in);
    return r.exit_status;
}
