/* front.c -- standard streams, questions and Ctrl-C of a verb.
 *
 * Output is written as it comes, by write(2): a slow reader of the pipe holds this process alone.  To
 * a terminal no control characters go but line break and tab: what a verb prints may come from
 * strangers (a name, a subject), and must not command the terminal. */
#include "core/cli/front.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#define PROGRESS_EVERY_NS 10000000000 /* where standard error is not a terminal */
#define EXIT_INTERRUPTED  130

enum { LINE_MAX_BYTES = 2048 };

static const int signal_numbers[] = { SIGINT, SIGTERM, SIGHUP };

/* How the terminal was before a secret was asked for; put back also by a second Ctrl-C. */
static struct termios echo_before;
static bool echo_is_off;

static void echo_restore(void)
{
    if (echo_is_off)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &echo_before);
    echo_is_off = false;
}

static void echo_off(void)
{
    struct termios silent;

    if (tcgetattr(STDIN_FILENO, &echo_before) != 0)
        return;
    silent = echo_before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ICANON;
    echo_is_off = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
}

int front_terminal(void)
{
    return (isatty(STDIN_FILENO) ? PARLEY_TTY_IN : 0) |
           (isatty(STDOUT_FILENO) ? PARLEY_TTY_OUT : 0) |
           (isatty(STDERR_FILENO) ? PARLEY_TTY_ERR : 0);
}

/* ---- output ---- */

/* The streams may be non-blocking by the doing of whoever shares them. */
static int write_all(int fd, str text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EAGAIN) {
            (void)usleep(1000);
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        text = str_tail(text, (size_t)n);
    }
    return 0;
}

/* How much of the text goes to a terminal as it stands; the character behind it is not fit. */
static size_t harmless(str text)
{
    size_t i = 0;

    while (i < text.n) {
        uint32_t code = 0;
        size_t n = utf8_next(str_tail(text, i), &code);
        bool fit = n > 0 &&
                   (code == '\n' || code == '\t' || (code >= 0x20 && code < 0x7f) || code >= 0xa0);
        if (!fit)
            return i;
        i += n;
    }
    return i;
}

static int write_harmless(int fd, str text)
{
    while (text.n > 0) {
        size_t n = harmless(text);
        char escaped[8];
        int err = write_all(fd, (str){ text.p, n });
        text = str_tail(text, n);
        if (err < 0 || text.n == 0)
            return err;
        n = log_escape((str){ text.p, 1 }, escaped, sizeof(escaped));
        err = write_all(fd, (str){ escaped, n });
        text = str_tail(text, 1);
        if (err < 0)
            return err;
    }
    return 0;
}

static void line_clear(front *f)
{
    if (f->line_is_open)
        (void)write_all(STDERR_FILENO, STR("\r\x1b[K"));
    f->line_is_open = false;
}

static void write_line(str line)
{
    char text[LINE_MAX_BYTES];
    size_t n = log_escape(line, text, sizeof(text) - 1);

    text[n++] = '\n';
    (void)write_all(STDERR_FILENO, (str){ text, n });
}

static void write_progress(front *f, str line)
{
    char text[LINE_MAX_BYTES];

    if (f->terminal & PARLEY_TTY_ERR) {
        line_clear(f);
        (void)write_all(STDERR_FILENO, (str){ text, log_escape(line, text, sizeof(text)) });
        f->line_is_open = true;
        return;
    }
    int64_t now = clock_mono_ns();
    if (f->progress_ns != 0 && now - f->progress_ns < PROGRESS_EVERY_NS)
        return;
    f->progress_ns = now;
    write_line(line);
}

void front_write(front *f, enum run_kind kind, str text)
{
    if (kind == RUN_PROGRESS) {
        write_progress(f, text);
        return;
    }
    line_clear(f);
    if (kind == RUN_SAY) {
        write_line(text);
        return;
    }
    int err = f->is_broken                   ? 0
              : f->terminal & PARLEY_TTY_OUT ? write_harmless(STDOUT_FILENO, text)
                                             : write_all(STDOUT_FILENO, text);
    if (err == 0)
        return;
    f->is_broken = true;
    f->up->broken(f->ud);
}

void front_ended(front *f, str text)
{
    if (text.p)
        line_clear(f);
    else if (f->line_is_open)
        (void)write_all(STDERR_FILENO, STR("\n")); /* the last word on how far it came stays */
    f->line_is_open = false;
    if (text.p)
        log_error(STR_FMT, STR_ARG(text));
}

/* ---- questions ---- */

static void ask_over(front *f, bool is_given)
{
    uv_poll_stop(&f->input);
    if (echo_is_off) {
        echo_restore();
        (void)write_all(STDERR_FILENO, STR("\n"));
    }
    f->is_asking = false;
    size_t n = f->answer_n;
    f->answer_n = 0;
    f->up->answered(f->ud, is_given, is_given ? (str){ f->answer, n } : STR_NONE);
    sodium_memzero(f->answer, sizeof(f->answer));
}

/* The terminal hands over whole lines. */
static void ask_read(uv_poll_t *input, int status, int events)
{
    front *f = input->data;
    char c = '\0';
    ssize_t n = 0;

    (void)events;
    if (status < 0) {
        ask_over(f, false);
        return;
    }
    while ((n = read(f->input_fd, &c, 1)) == 1 && c != '\n' && f->answer_n < sizeof(f->answer))
        f->answer[f->answer_n++] = c;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    ask_over(f, n == 1 && c == '\n');
}

void front_ask(front *f, str question, bool is_secret)
{
    line_clear(f);
    if (is_secret)
        echo_off(); /* before the question: who sees it may type */
    (void)write_harmless(STDERR_FILENO, question);
    f->is_asking = true;
    f->answer_n = 0;
    if (uv_poll_start(&f->input, UV_READABLE, ask_read) < 0)
        ask_over(f, false);
}

/* ---- Ctrl-C ---- */

static void input_closed(uv_handle_t *handle)
{
    const front *f = handle->data;

    close(f->input_fd);
}

static void front_signalled(uv_signal_t *handle, int number)
{
    front *f = handle->data;

    (void)number;
    if (f->is_interrupted) {
        echo_restore();
        _exit(EXIT_INTERRUPTED);
    }
    f->is_interrupted = true;
    if (f->is_asking)
        ask_over(f, false);
    f->up->interrupted(f->ud);
}

/* The terminal once more: polling makes a descriptor non-blocking, and the shell that shares
 * standard input must not notice. */
static int terminal_open(void)
{
    char name[256];

    if (ttyname_r(STDIN_FILENO, name, sizeof(name)) != 0)
        return -1;
    return open(name, O_RDONLY | O_NOCTTY | O_CLOEXEC);
}

void front_open(front *f, uv_loop_t *loop, const front_up *up, void *ud)
{
    *f = (front){ .up = up, .ud = ud, .terminal = front_terminal(), .input_fd = -1 };
    if (f->terminal & PARLEY_TTY_IN)
        f->input_fd = terminal_open();
    if (f->input_fd >= 0 && uv_poll_init(loop, &f->input, f->input_fd) == 0)
        f->input.data = f;
    else
        f->terminal &= ~PARLEY_TTY_IN;
    for (size_t i = 0; i < COUNT(signal_numbers); i++) {
        uv_signal_init(loop, &f->signals[i]);
        f->signals[i].data = f;
        uv_signal_start(&f->signals[i], front_signalled, signal_numbers[i]);
        uv_unref((uv_handle_t *)&f->signals[i]);
    }
}

void front_close(front *f)
{
    echo_restore();
    if (f->input.data)
        uv_close((uv_handle_t *)&f->input, input_closed);
    for (size_t i = 0; i < COUNT(signal_numbers); i++)
        if (f->signals[i].data)
            uv_close((uv_handle_t *)&f->signals[i], NULL);
}
