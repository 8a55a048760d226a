/* log.c -- lines to stderr and to the worker's sink.
 *
 * A line is made, escaped and cut by whoever logs, in memory of its stack; stderr gets it with one
 * write.  Lines of other threads wait for the loop in a bounded queue: what does not fit is
 * counted, and the count is logged. */
#include "core/base/log.h"

#include "core/base/clock.h"
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LOG_LINE = 1024, /* bytes of a line, its end included */
    LOG_QUEUE = 512, /* lines of other threads that wait for the loop */
    LOG_WHO = 64
};

typedef struct log_late {
    struct log_late *next;
    int64_t at_us;
    int level;
    size_t who_n, line_n;
    char text[]; /* who, then line */
} log_late;

static atomic_int level_min = PARLEY_INFO;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all below */
static struct {
    log_sink_fn fn;
    void (*wake)(void *ud);
    void *ud;
    pthread_t loop;
    log_late *first, **end; /* `end` is set with the sink */
    size_t n, dropped;
} sink;
static _Thread_local bool in_sink; /* lines that a sink itself logs go to stderr only */

void log_level_set(int min_level)
{
    atomic_store(&level_min, min_level);
}

void log_sink_set(log_sink_fn fn, void *ud, void (*wake)(void *ud))
{
    (void)pthread_mutex_lock(&lock);
    log_late *late = sink.first;
    sink.fn = fn;
    sink.ud = ud;
    sink.wake = wake;
    sink.loop = pthread_self();
    sink.first = NULL;
    sink.end = &sink.first;
    sink.n = sink.dropped = 0;
    (void)pthread_mutex_unlock(&lock);
    while (late) {
        log_late *next = late->next;

        free(late);
        late = next;
    }
}

/* Neither a control character, nor a line break or what turns the direction of text. */
static bool is_plain(uint32_t code)
{
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool steers = (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);

    return !control && !steers;
}

size_t log_escape(str in, char *ret, size_t room)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;

    while (in.n > 0) {
        uint32_t code = 0;
        size_t used = utf8_next(in, &code);
        bool plain = used > 0 && is_plain(code);
        size_t need = plain ? used : 4;

        if (need > room - n)
            break;
        if (plain) {
            memcpy(ret + n, in.p, used);
        } else {
            unsigned char byte = (unsigned char)in.p[0];

            used =
                1; /* the other bytes of a character we do not want are ill-formed by themselves */
            ret[n] = '\\';
            ret[n + 1] = 'x';
            ret[n + 2] = digits[byte >> 4];
            ret[n + 3] = digits[byte & 15];
        }
        n += need;
        in = str_tail(in, used);
    }
    return n;
}

static void stderr_write(const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, bytes, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return; /* nobody listens, and there is nobody to tell */
        bytes += done;
        n -= (size_t)done;
    }
}

/* Called with the lock held. */
static bool queue_push(int level, int64_t at_us, str who, str line)
{
    log_late *late = sink.n < LOG_QUEUE ? malloc(sizeof(*late) + who.n + line.n) : NULL;

    if (!late) {
        sink.dropped++;
        return false;
    }
    *late = (log_late){ .at_us = at_us, .level = level, .who_n = who.n, .line_n = line.n };
    if (who.n)
        memcpy(late->text, who.p, who.n);
    if (line.n)
        memcpy(late->text + who.n, line.p, line.n);
    *sink.end = late;
    sink.end = &late->next;
    return sink.n++ == 0;
}

static void sink_give(int level, int64_t at_us, str who, str line)
{
    (void)pthread_mutex_lock(&lock);
    log_sink_fn fn = sink.fn;
    void *ud = sink.ud;
    void (*wake)(void *) = NULL;
    bool here = fn && pthread_equal(sink.loop, pthread_self());
    if (fn && !here && queue_push(level, at_us, who, line))
        wake = sink.wake;
    (void)pthread_mutex_unlock(&lock);

    if (here && !in_sink) {
        in_sink = true;
        fn(level, at_us, who, line, ud);
        in_sink = false;
    }
    if (wake)
        wake(ud);
}

void log_drain(void)
{
    (void)pthread_mutex_lock(&lock);
    log_late *late = sink.first;
    size_t dropped = sink.dropped;
    sink.first = NULL;
    sink.end = &sink.first;
    sink.n = sink.dropped = 0;
    (void)pthread_mutex_unlock(&lock);

    while (late) {
        log_late *next = late->next;
        str who = { late->text, late->who_n };

        sink_give(late->level, late->at_us, who, (str){ late->text + late->who_n, late->line_n });
        free(late);
        late = next;
    }
    if (dropped)
        log_msg(PARLEY_WARN, "%zu lines of other threads were dropped", dropped);
}

void log_line(int level, str who, str line)
{
    static const char *const names[] = { "DEBUG", "INFO", "WARNING", "ERROR" };
    char text[LOG_LINE], when[24];
    int64_t at_us = clock_wall_us();

    level = level < PARLEY_DEBUG ? PARLEY_DEBUG : level > PARLEY_ERROR ? PARLEY_ERROR : level;
    if (level < atomic_load(&level_min))
        return;
    if (who.n > LOG_WHO)
        who.n = LOG_WHO;
    clock_log(at_us, when);
    int head = snprintf(text, sizeof(text), "%s %s " STR_FMT " ", when, names[level], STR_ARG(who));
    if (head < 0)
        return;
    size_t n = log_escape(line, text + head, sizeof(text) - (size_t)head - 1);
    text[(size_t)head + n] = '\n';
    stderr_write(text, (size_t)head + n + 1);
    sink_give(level, at_us, who, (str){ text + head, n });
}

void log_msg(int level, const char *fmt, ...)
{
    char text[LOG_LINE];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (n < 0)
        return;
    log_line(level, STR("core"),
             (str){ text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 });
}

void log_error(const char *fmt, ...)
{
    char text[LOG_LINE], line[LOG_LINE + 16] = "error: ";
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (n < 0)
        return;
    size_t used = strlen(line);
    str shown = { text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 };
    used += log_escape(shown, line + used, sizeof(line) - used - 1);
    line[used++] = '\n';
    stderr_write(line, used);
}
