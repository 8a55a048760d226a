/* pg_address.c -- the URL taken apart, and what else libpq is told.
 *
 * Names are kept from libpq, which would wait for DNS; link.c resolves them in the pool.  To another
 * machine the default is sslmode=verify-full, with the system's certificates. */
#include "plugins/common/pg_address.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#define SYSTEM_CERTIFICATES "/etc/ssl/certs/ca-certificates.crt"
#define IS(a, b)            (strcmp(a, b) == 0)

static int host_is_numeric(const char *host)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static int host_is_local(const char *host)
{
    return host[0] == '\0' || host[0] == '/' || host[0] == '@' || IS(host, "localhost") ||
           IS(host, "::1") || (host_is_numeric(host) && strncmp(host, "127.", 4) == 0);
}

static int host_is_name(const char *host)
{
    return host[0] != '\0' && host[0] != '/' && host[0] != '@' && !host_is_numeric(host);
}

static const char *find(const PQconninfoOption *list, const char *key)
{
    for (const PQconninfoOption *o = list; o && o->keyword; o++)
        if (IS(o->keyword, key))
            return o->val && o->val[0] ? o->val : NULL;
    return NULL;
}

static void add(pgaddress *a, const char *key, const char *value)
{
    if (a->param_n + 4 >= ADDRESS_PARAMS_MAX) /* the places of host, hostaddr, port and the end */
        return;
    a->keys[a->param_n] = key;
    a->values[a->param_n++] = value;
}

static void add_default(pgaddress *a, const PQconninfoOption *given, const char *key,
                        const char *value)
{
    if (!find(given, key))
        add(a, key, value);
}

/* The next of a list a,b,c, which is cut up. */
static char *list_next(char **rest)
{
    char *item = *rest;
    char *comma = item ? strchr(item, ',') : NULL;

    if (comma)
        *comma = '\0';
    *rest = comma ? comma + 1 : NULL;
    return item;
}

/* One port for all hosts, or one for each. */
static int places_read(pgaddress *a, const char *hosts, const char *ports)
{
    a->hosts = strdup(hosts ? hosts : "");
    a->ports = strdup(ports ? ports : "");
    if (!a->hosts || !a->ports)
        return -1;
    int is_one_port = !strchr(a->ports, ',');
    char *more_hosts = a->hosts;
    char *more_ports = a->ports;
    const char *port = "";
    while (more_hosts) {
        if (a->place_n == ADDRESS_PLACES_MAX)
            return -1;
        const char *host = list_next(&more_hosts);
        if (more_ports)
            port = list_next(&more_ports);
        else if (!is_one_port)
            return -1;
        a->places[a->place_n++] = (pgplace){ .host = host,
                                             .port = port,
                                             .is_name = host_is_name(host),
                                             .is_numeric = host_is_numeric(host) };
    }
    return 0;
}

static int places_are_local(const pgaddress *a)
{
    for (uint32_t i = 0; i < a->place_n; i++)
        if (!host_is_local(a->places[i].host))
            return 0;
    return 1;
}

/* What the URL says wins; the rest is ours. */
static void params_add(pgaddress *a, const PQconninfoOption *given, int use,
                       const char *application)
{
    static const char *const ours[] = { "host",       "hostaddr",        "port", "client_encoding",
                                        "gssencmode", "connect_timeout", NULL };
    const char *mode = find(given, "sslmode");
    int is_local = places_are_local(a) && !find(given, "hostaddr");

    for (const PQconninfoOption *o = given; o->keyword; o++) {
        int is_ours = 0;

        for (size_t i = 0; ours[i]; i++)
            is_ours |= IS(o->keyword, ours[i]);
        if (!is_ours && o->val && o->val[0])
            add(a, o->keyword, o->val);
    }
    add(a, "client_encoding", "UTF8");
    add(a, "gssencmode", "disable"); /* its negotiation would wait */
    add_default(a, given, "application_name", application);
    add_default(a, given, "target_session_attrs", /* one host must do; of several the right one */
                a->place_n == 1          ? "any"
                : use == ADDRESS_REPLICA ? "prefer-standby"
                                         : "read-write");
    add_default(a, given, "keepalives_idle", "10");
    add_default(a, given, "keepalives_interval", "5");
    add_default(a, given, "keepalives_count", "3");
    add_default(a, given, "tcp_user_timeout", a->timeout_text);
    if (!mode)
        add(a, "sslmode", is_local ? "prefer" : "verify-full");
    if (!is_local)
        add_default(a, given, "sslrootcert", SYSTEM_CERTIFICATES);
    a->is_weak = !is_local && mode && !IS(mode, "verify-full") && !IS(mode, "verify-ca");
}

static int address_take(pgaddress *a, const PQconninfoOption *given, int use,
                        const char *application)
{
    PQconninfoOption *environment = PQconndefaults();
    const char *host = find(given, "host") ? find(given, "host") : find(environment, "host");
    const char *port = find(given, "port") ? find(given, "port") : find(environment, "port");
    const char *database = find(given, "dbname");
    int err = places_read(a, host, port);

    PQconninfoFree(environment);
    if (err < 0)
        return -1;
    if (find(given, "hostaddr")) /* said by numbers: as it stands */
        for (uint32_t i = 0; i < a->place_n; i++)
            a->places[i].is_name = a->places[i].is_numeric = 0;
    params_add(a, given, use, application);
    if (find(given, "hostaddr"))
        add(a, "hostaddr", find(given, "hostaddr"));
    (void)snprintf(a->label, sizeof(a->label), "%.48s on %.64s", database ? database : "(default)",
                   a->places[0].host[0] ? a->places[0].host : "the local socket");
    return 0;
}

int address_read(pgaddress *ret, const char *url, int use, int64_t timeout_ms,
                 const char *application, char why[ADDRESS_WHY])
{
    char *ignored = NULL;

    memset(ret, 0, sizeof(*ret));
    (void)snprintf(ret->timeout_text, sizeof(ret->timeout_text), "%lld", (long long)timeout_ms);
    if (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0)
        ret->parsed = PQconninfoParse(url, &ignored);
    PQfreemem(ignored);
    if (!ret->parsed) {
        (void)snprintf(why, ADDRESS_WHY,
                       "not like postgresql://user:password@host:5432/database (special characters "
                       "of the password as %%XX)");
        return -1;
    }
    if (address_take(ret, ret->parsed, use, application) == 0)
        return 0;
    (void)snprintf(why, ADDRESS_WHY, "at most %d hosts, with one port or one for each",
                   ADDRESS_PLACES_MAX);
    address_done(ret);
    return -1;
}

void address_done(pgaddress *address)
{
    PQconninfoFree(address->parsed);
    free(address->hosts);
    free(address->ports);
    memset(address, 0, sizeof(*address));
}
