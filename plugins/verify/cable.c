/* cable.c -- one connection to the server: a socket of ours, watched by the loop. */
#include "plugins/verify/cable.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 16384, READS_MOST = 2 };

static void cable_ready(parley_ctx *ctx, int fd, uint32_t ready, void *ud);

void cable_init(cable *l, parley_ctx *ctx, const target *to, const cable_up *up, void *ud)
{
    *l = (cable){ .to = to, .up = up, .ud = ud, .ctx = ctx, .fd = -1 };
}

void cable_done(cable *l)
{
    cable_close(l, CABLE_FIN);
    free(l->out);
    l->out = NULL;
    l->out_cap = 0;
}

/* ---- what the loop is to tell ---- */

static void cable_watch(cable *l)
{
    bool writes = l->state == CABLE_CONNECTING || l->wants_write || l->out_n > 0;
    uint32_t events = (l->is_paused && l->state == CABLE_OPEN ? 0 : PARLEY_FD_READ) |
                      (writes ? PARLEY_FD_WRITE : 0);

    (void)parley->watch(l->ctx, l->fd, events, events ? cable_ready : NULL, l);
}

void cable_pause(cable *l, bool is_paused)
{
    l->is_paused = is_paused;
    if (l->state != CABLE_IDLE)
        cable_watch(l);
}

/* ---- the end ---- */

void cable_close(cable *l, enum cable_cut how)
{
    const struct linger at_once = { .l_onoff = 1 };

    if (l->state == CABLE_IDLE)
        return;
    (void)parley->watch(l->ctx, l->fd, 0, NULL, NULL);
    SSL_free(l->ssl);
    l->ssl = NULL;
    if (how == CABLE_RST)
        (void)setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    (void)close(l->fd);
    l->fd = -1;
    l->state = CABLE_IDLE;
    l->out_n = 0;
    l->is_paused = l->wants_write = false;
    l->life++;
}

static void cable_end(cable *l, const char *why)
{
    cable_close(l, CABLE_FIN);
    l->up->end(l->ud, why);
}

void cable_shut(cable *l)
{
    if (l->state == CABLE_OPEN)
        (void)shutdown(l->fd, SHUT_WR);
}

/* ---- the beginning ---- */

int cable_open(cable *l)
{
    const target *to = l->to;
    int on = 1, fd = socket(to->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (const struct sockaddr *)&to->address, to->address_n) != 0 &&
        errno != EINPROGRESS) {
        int err = -errno;
        (void)close(fd);
        return err;
    }
    l->fd = fd;
    l->state = CABLE_CONNECTING;
    l->life++;
    cable_watch(l);
    return 0;
}

static void cable_opened(cable *l)
{
    l->state = CABLE_OPEN;
    cable_watch(l);
    l->up->open(l->ud);
}

/* 1: go on now, 0: later, < 0: it has failed. */
static int cable_secure(cable *l, int result)
{
    int why = SSL_get_error(l->ssl, result);

    ERR_clear_error();
    l->wants_write = why == SSL_ERROR_WANT_WRITE;
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static void cable_shake(cable *l)
{
    int done = SSL_connect(l->ssl);

    if (done == 1) {
        l->wants_write = false;
        cable_opened(l);
    } else if (cable_secure(l, done) < 0) {
        cable_end(l, SSL_get_verify_result(l->ssl) == X509_V_OK ? "no TLS with this server"
                                                                : "its certificate is not trusted");
    } else {
        cable_watch(l);
    }
}

static void cable_connected(cable *l)
{
    int err = 0;
    socklen_t n = sizeof(err);

    if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0 || err != 0) {
        cable_end(l, strerrordesc_np(err ? err : errno));
        return;
    }
    if (!l->to->tls) {
        cable_opened(l);
        return;
    }
    l->state = CABLE_HANDSHAKE;
    l->ssl = SSL_new(l->to->tls);
    if (!l->ssl || SSL_set_fd(l->ssl, l->fd) != 1 || SSL_set1_host(l->ssl, l->to->host) != 1 ||
        (!l->to->is_address && SSL_set_tlsext_host_name(l->ssl, l->to->host) != 1)) {
        cable_end(l, "no memory for TLS");
        return;
    }
    SSL_set_mode(l->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    cable_shake(l);
}

/* ---- writing ---- */

/* Bytes written; 0: later; < 0: it has failed. */
static ssize_t cable_put(cable *l)
{
    if (l->ssl) {
        int n = SSL_write(l->ssl, l->out, l->out_n < INT32_MAX ? (int)l->out_n : INT32_MAX);
        return n > 0 ? n : cable_secure(l, n);
    }
    ssize_t n = send(l->fd, l->out, l->out_n, MSG_NOSIGNAL);

    return n >= 0 || (errno != EAGAIN && errno != EINTR) ? n : 0;
}

static int cable_flush(cable *l)
{
    while (l->out_n > 0) {
        ssize_t n = cable_put(l);

        if (n < 0)
            return -1;
        if (n == 0)
            break;
        l->out_n -= (size_t)n;
        memmove(l->out, l->out + n, l->out_n);
    }
    return 0;
}

void cable_send(cable *l, const char *p, size_t n)
{
    if (l->state == CABLE_IDLE)
        return;
    if (l->out_n + n > l->out_cap) {
        size_t cap = (l->out_n + n) * 2;
        char *bigger = realloc(l->out, cap);

        if (!bigger)
            return; /* what is not sent is not answered, and that is found by its time */
        l->out = bigger;
        l->out_cap = cap;
    }
    memcpy(l->out + l->out_n, p, n);
    l->out_n += n;
    if (l->state == CABLE_OPEN)
        (void)cable_flush(l); /* a failure is met again when it is read */
    cable_watch(l);
}

/* ---- reading ---- */

/* As recv(); -EAGAIN: nothing there. */
static ssize_t cable_get(cable *l, char *into, size_t n)
{
    if (l->ssl) {
        int got = SSL_read(l->ssl, into, (int)n);
        if (got > 0)
            return got;
        if (SSL_get_error(l->ssl, got) == SSL_ERROR_ZERO_RETURN)
            return 0;
        return cable_secure(l, got) < 0 ? -ECONNRESET : -EAGAIN;
    }
    ssize_t got = recv(l->fd, into, n, 0);

    return got >= 0 ? got : errno == EINTR ? -EAGAIN : -errno;
}

static void cable_read(cable *l)
{
    static char in[READ_SIZE]; /* loop thread only */
    uint64_t life = l->life;

    for (int i = 0; i < READS_MOST && l->life == life && !l->is_paused; i++) {
        ssize_t n = cable_get(l, in, sizeof(in));

        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            cable_end(l, n == 0 ? "closed by the server" : strerrordesc_np((int)-n));
            return;
        }
        l->up->bytes(l->ud, in, (size_t)n);
    }
}

static void cable_ready(parley_ctx *ctx, int fd, uint32_t ready, void *ud)
{
    cable *l = ud;

    (void)ctx;
    (void)fd;
    if (l->state == CABLE_CONNECTING) {
        cable_connected(l);
        return;
    }
    if (l->state == CABLE_HANDSHAKE) {
        cable_shake(l);
        return;
    }
    if (l->state == CABLE_OPEN && cable_flush(l) < 0) {
        cable_end(l, "the connection is broken");
        return;
    }
    uint64_t life = l->life;

    if (l->state == CABLE_OPEN && (ready & PARLEY_FD_READ || l->wants_write))
        cable_read(l);
    if (l->life == life && l->state != CABLE_IDLE)
        cable_watch(l);
}
