/* health.c -- `parley health`: asks the server of this configuration, at its first address, whether
 * it can work.  For the health checks of containers, which need no HTTP client in the image. */
#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/cli/cli.h"
#include "core/host/config.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define HEALTH_WAIT_S 5
#define HEALTH_MAX    (64 * 1024) /* bytes of the answer that are read */

/* Where a server that listens there is reached from here: "any address" is loopback. */
static void health_host(str hosts, char ret[256])
{
    str one = hosts;

    for (size_t i = 0; i < hosts.n; i++)
        if (hosts.p[i] == ',' || hosts.p[i] == ' ') {
            one.n = i;
            break;
        }
    if (str_starts(one, STR("[")) && one.n > 2)
        one = (str){ one.p + 1, one.n - 2 };
    if (str_eq(one, STR("0.0.0.0")))
        one = STR("127.0.0.1");
    else if (str_eq(one, STR("::")))
        one = STR("::1");
    (void)snprintf(ret, 256, STR_FMT, STR_ARG(one));
}

/* A connected socket whose calls end after HEALTH_WAIT_S; -1: f filled. */
static int health_connect(const settings *s, failure *f)
{
    const struct timeval wait = { .tv_sec = HEALTH_WAIT_S };
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
    struct addrinfo *at = NULL;
    char host[256];
    char port[16];

    health_host(s->host, host);
    (void)snprintf(port, sizeof(port), "%d", s->port);
    if (getaddrinfo(host, port, &hints, &at) != 0)
        return failure_set(f, EXIT_SYSTEM, "server.host: %s is no address", host);
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
                 setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0 ||
                 connect(fd, at->ai_addr, at->ai_addrlen) != 0;
    int error = errno;
    freeaddrinfo(at);
    if (!failed)
        return fd;
    if (fd >= 0)
        close(fd);
    return failure_set(f, EXIT_SYSTEM, "no server answers at %s port %s: %s", host, port,
                       strerrordesc_np(error));
}

/* Everything up to the end of the connection. */
static int health_ask(int fd, buf *answer, failure *f)
{
    static const char question[] =
        "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    ssize_t n = send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL);

    while (n > 0 && answer->n < HEALTH_MAX) {
        char *space = buf_space(answer, 4096);
        if (!space)
            break;
        n = recv(fd, space, 4096, 0);
        if (n > 0)
            buf_grew(answer, (size_t)n);
    }
    if (n < 0)
        return failure_set(f, EXIT_SYSTEM, "the server did not answer within %d seconds",
                           HEALTH_WAIT_S);
    return 0;
}

/* Prints the body; 0: it is a 200. */
static int health_judge(str answer, failure *f)
{
    const char *body = memmem(answer.p, answer.n, "\r\n\r\n", 4);

    if (!body)
        return failure_set(f, EXIT_SYSTEM, "the server's answer is not HTTP");
    body += 4;
    printf("%.*s\n", (int)(answer.p + answer.n - body), body);
    return str_starts(answer, STR("HTTP/1.1 200 "))
               ? 0
               : failure_set(f, EXIT_SYSTEM, "the server cannot work yet");
}

static int health_run(const settings *s, failure *f)
{
    buf answer;
    int fd = health_connect(s, f);

    if (fd < 0)
        return -1;
    buf_init(&answer, HEALTH_MAX + 4096);
    int err = health_ask(fd, &answer, f);
    close(fd);
    if (err == 0)
        err = health_judge(buf_str(&answer), f);
    buf_done(&answer);
    return err;
}

int cli_health(const cli_args *args)
{
    failure f = { 0 };
    config *c = NULL;
    int err = config_open(args->config, &c, &f);

    if (err == 0) {
        err = health_run(config_settings(c), &f);
        config_free(c);
    }
    if (err == 0)
        return EXIT_STOPPED;
    log_error("%s", f.text);
    return f.status;
}
