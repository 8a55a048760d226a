/* link.c -- one connection of libpq on the loop.
 *
 *   closed -> resolving   the names among the places, one after the other, in the pool
 *          -> connecting  PQconnectPoll() whenever the socket is ready
 *          -> open        bytes in and out
 *
 * libpq gets every address of every name with its host's name beside it, so that certificates are
 * checked against the name, and tries them in this order. */
#include "plugins/postgres/link.h"

#include <string.h>

#include "plugins/postgres/store.h"

static void link_dial(pglink *link);
static void link_ready(parley_ctx *ctx, int fd, uint32_t ready, void *ud);

static void link_enter(pglink *link, int state)
{
    link->state = state;
    link->since_ns = parley->mono_ns();
}

static void link_watch(pglink *link, uint32_t events)
{
    int fd = PQsocket(link->pg);

    if (fd == link->fd && events == link->watched)
        return;
    if (fd < 0 || parley->watch(store.ctx, fd, events, link_ready, link) < 0)
        return; /* it will be found silent, and closed */
    link->fd = fd;
    link->watched = events;
}

static void link_unwatch(pglink *link)
{
    if (link->fd >= 0)
        (void)parley->watch(store.ctx, link->fd, 0, NULL, NULL);
    link->fd = -1;
    link->watched = 0;
}

void link_close(pglink *link)
{
    if (link->state == LINK_CLOSED)
        return;
    link_unwatch(link);
    PQfinish(link->pg);
    link->pg = NULL;
    link_enter(link, LINK_CLOSED);
}

void link_fail(pglink *link, const char *why)
{
    link_close(link);
    link->events->lost(link, why);
}

void link_reason(const pglink *link, char ret[LINK_WHY])
{
    size_t n = 0;

    for (const char *p = link->pg ? PQerrorMessage(link->pg) : ""; *p && n < LINK_WHY - 1; p++)
        if ((unsigned char)*p > ' ')
            ret[n++] = *p;
        else if (p[1] != '\0' && n > 0 && ret[n - 1] != ' ')
            ret[n++] = ' ';
    ret[n] = '\0';
    if (n == 0)
        (void)snprintf(ret, LINK_WHY, "the connection ended");
}

static void link_fail_here(pglink *link)
{
    char why[LINK_WHY];

    link_reason(link, why);
    link_fail(link, why);
}

int link_is_late(const pglink *link, int64_t now_ns)
{
    return (link->state == LINK_RESOLVING || link->state == LINK_CONNECTING) &&
           now_ns - link->since_ns > store.timeout_ns;
}

/* ---- connecting ---- */

static void link_poll(pglink *link)
{
    link_unwatch(link); /* the call may close the socket and open another */
    PostgresPollingStatusType verdict = PQconnectPoll(link->pg);

    if (verdict == PGRES_POLLING_READING || verdict == PGRES_POLLING_WRITING) {
        link_watch(link, verdict == PGRES_POLLING_READING ? PARLEY_FD_READ : PARLEY_FD_WRITE);
        return;
    }
    if (verdict != PGRES_POLLING_OK || PQsetnonblocking(link->pg, 1) != 0) {
        link_fail_here(link);
        return;
    }
    link_enter(link, LINK_OPEN);
    link->heard_ns = link->since_ns;
    link_watch(link, PARLEY_FD_READ);
    link->events->opened(link);
}

static void notice_ignore(void *ud, const PGresult *result)
{
    (void)ud, (void)result; /* "table exists, skipping": nothing an operator has to do */
}

static void link_connect(pglink *link)
{
    const pgaddress *a = link->address;
    const char *keys[ADDRESS_PARAMS_MAX + 4];
    const char *values[ADDRESS_PARAMS_MAX + 4];
    uint32_t n = a->param_n;

    memcpy(keys, a->keys, n * sizeof(*keys));
    memcpy(values, a->values, n * sizeof(*values));
    keys[n] = "host";
    values[n++] = link->hosts;
    keys[n] = "port";
    values[n++] = link->ports;
    if (link->addresses[strspn(link->addresses, ",")] != '\0') {
        keys[n] = "hostaddr";
        values[n++] = link->addresses;
    }
    keys[n] = values[n] = NULL;
    link->pg = PQconnectStartParams(keys, values, 0);
    link_enter(link, LINK_CONNECTING);
    if (!link->pg || PQstatus(link->pg) == CONNECTION_BAD) {
        link_fail_here(link);
        return;
    }
    (void)PQsetNoticeReceiver(link->pg, notice_ignore, NULL);
    link_watch(link, PARLEY_FD_WRITE);
}

static void list_add(char list[LINK_LIST], int is_first, const char *item, size_t item_n)
{
    size_t n = strlen(list);

    (void)snprintf(list + n, LINK_LIST - n, "%s%.*s", is_first ? "" : ",", (int)item_n, item);
}

/* One more address to try; what does not fit is left out. */
static void link_add(pglink *link, const pgplace *place, const char *address, size_t address_n)
{
    int is_first = link->hosts[0] == '\0' && link->ports[0] == '\0';
    size_t n = strlen(link->hosts) + strlen(place->host) + strlen(link->addresses) + address_n;

    if (n + strlen(place->port) + 64 > LINK_LIST || strlen(link->ports) + 64 > LINK_LIST)
        return;
    list_add(link->hosts, is_first, place->host, strlen(place->host));
    list_add(link->addresses, is_first, address, address_n);
    list_add(link->ports, is_first, place->port[0] ? place->port : "5432",
             place->port[0] ? strlen(place->port) : 4);
}

/* ---- names ---- */

/* A host that takes the connection and then says nothing must not keep us from the next one, nor
 * the other connections: each of them would wait as long. */
void link_give_up(pglink *link, const char *why)
{
    if (link->address->first == link->first) /* else: another one has found it out before */
        link->address->first = (link->first + 1) % link->address->place_n;
    link_fail(link, why);
}

static const pgplace *link_place(const pglink *link)
{
    return &link->address->places[(link->first + link->place_at) % link->address->place_n];
}

static void link_resolved(parley_ctx *ctx, parley_str port, parley_str addresses, void *ud)
{
    pglink *link = ud;
    const pgplace *place = link_place(link);

    (void)ctx, (void)port;
    link->is_asking = 0;
    if (link->state != LINK_RESOLVING)
        return;
    if (link->asked_at == link->place_at) { /* else: the answer to an attempt given up */
        while (addresses.n > 0) {
            const char *end = memchr(addresses.p, '\n', addresses.n);
            size_t n = end ? (size_t)(end - addresses.p) : addresses.n;

            link_add(link, place, addresses.p, n);
            n += end ? 1 : 0;
            addresses = (parley_str){ addresses.p + n, addresses.n - n };
        }
        link->place_at++;
    }
    link_dial(link);
    link->events->settled();
}

static void link_dial(pglink *link)
{
    while (link->place_at < link->address->place_n) {
        const pgplace *place = link_place(link);

        if (!place->is_name) {
            link_add(link, place, place->host, place->is_numeric ? strlen(place->host) : 0);
            link->place_at++;
            continue;
        }
        if (link->is_asking)
            return;
        link->is_asking = 1;
        link->asked_at = link->place_at;
        if (parley->resolve(store.ctx, place->host, place->port[0] ? place->port : "5432",
                            link_resolved, link) >= 0)
            return;
        link->is_asking = 0;
        link->place_at++;
    }
    if (link->ports[0] == '\0')
        link_fail(link, "the name of the host cannot be resolved");
    else
        link_connect(link);
}

static void link_started(parley_ctx *ctx, int status, void *ud)
{
    pglink *link = ud;

    (void)ctx, (void)status;
    if (link->state == LINK_RESOLVING)
        link_dial(link);
    link->events->settled();
}

void link_open(pglink *link)
{
    if (link->state != LINK_CLOSED)
        return;
    link_enter(link, LINK_RESOLVING);
    link->fd = -1;
    link->first = link->address->first;
    link->place_at = 0;
    link->hosts[0] = link->addresses[0] = link->ports[0] = '\0';
    if (parley->defer(store.ctx, link_started, link) < 0)
        link_enter(link, LINK_CLOSED);
}

/* ---- open ---- */

int link_flush(pglink *link)
{
    int verdict = PQflush(link->pg);

    if (verdict < 0)
        return verdict;
    link->is_backed_up = verdict > 0;
    link_watch(link, verdict > 0 ? PARLEY_FD_READ | PARLEY_FD_WRITE : PARLEY_FD_READ);
    return verdict;
}

int link_read(pglink *link)
{
    return PQconsumeInput(link->pg) ? 0 : -1;
}

static void link_ready(parley_ctx *ctx, int fd, uint32_t ready, void *ud)
{
    pglink *link = ud;

    (void)ctx, (void)fd;
    if (link->state == LINK_CONNECTING) {
        link_poll(link);
    } else if (link->state == LINK_OPEN) {
        int err = ready & PARLEY_FD_READ ? link_read(link) : 0;

        if (ready & PARLEY_FD_READ)
            link->heard_ns = parley->mono_ns();
        link->events->readable(link);
        if (link->state == LINK_OPEN && (err < 0 || link_flush(link) < 0))
            link_fail_here(link);
    }
    link->events->settled();
}
