/* target.c -- the server that is verified: its URL, its address, and whom its certificate must be
 * from. */
#include "plugins/verify/target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static int target_wrong(char why[WHY_MAX], parley_str url)
{
    (void)snprintf(why, WHY_MAX,
                   "--url %.*s: must be http://HOST[:PORT] or https://HOST[:PORT], without a path",
                   (int)(url.n < 120 ? url.n : 120), url.p);
    return -1;
}

static int target_secure(target *t, char why[WHY_MAX])
{
    t->tls = SSL_CTX_new(TLS_client_method());
    if (t->tls && SSL_CTX_set_default_verify_paths(t->tls) == 1 &&
        SSL_CTX_set_min_proto_version(t->tls, TLS1_2_VERSION) == 1) {
        SSL_CTX_set_verify(t->tls, SSL_VERIFY_PEER, NULL);
        return 0;
    }
    (void)snprintf(why, WHY_MAX, "OpenSSL does not start");
    return -1;
}

/* "host", "host:port", "[v6]:port" */
static bool target_split(target *t, const char *p, size_t n, const char *port)
{
    const char *bracket = n > 0 && p[0] == '[' ? memchr(p, ']', n) : NULL;
    const char *host = bracket ? p + 1 : p;
    const char *rest = bracket ? bracket + 1 : memchr(p, ':', n);
    const char *host_end = bracket ? bracket : rest ? rest : p + n;
    size_t rest_n = rest ? (size_t)(p + n - rest) : 0;

    if (host_end == host || (size_t)(host_end - host) >= HOST_MAX || rest_n > 6 || n >= HOST_MAX)
        return false;
    (void)snprintf(t->host, HOST_MAX, "%.*s", (int)(host_end - host), host);
    (void)snprintf(t->authority, sizeof(t->authority), "%.*s", (int)n, p);
    (void)snprintf(t->port, sizeof(t->port), "%.*s", rest_n > 1 ? (int)rest_n - 1 : 8,
                   rest_n > 1 ? rest + 1 : port);
    t->is_address = inet_pton(AF_INET, t->host, &(struct in_addr){ 0 }) == 1 ||
                    inet_pton(AF_INET6, t->host, &(struct in6_addr){ 0 }) == 1;
    return (rest_n == 0 || rest[0] == ':') && strspn(t->port, "0123456789") == strlen(t->port) &&
           strcspn(t->host, "/?#@ ") == strlen(t->host);
}

int target_parse(target *t, parley_str url, char why[WHY_MAX])
{
    static const parley_str schemes[] = { { "http://", 7 }, { "https://", 8 } };

    *t = (target){ 0 };
    for (size_t i = 0; i < 2; i++) {
        parley_str scheme = schemes[i];
        size_t n = url.n > 0 && url.p[url.n - 1] == '/' ? url.n - 1 : url.n;

        if (n <= scheme.n || strncmp(url.p, scheme.p, scheme.n) != 0)
            continue;
        if (!target_split(t, url.p + scheme.n, n - scheme.n, i ? "443" : "80"))
            return target_wrong(why, url);
        return i ? target_secure(t, why) : 0;
    }
    return target_wrong(why, url);
}

int target_take(target *t, parley_str addresses, char why[WHY_MAX])
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    uint16_t port = htons((uint16_t)strtoul(t->port, NULL, 10));
    char first[INET6_ADDRSTRLEN] = "";
    const char *end = addresses.p ? memchr(addresses.p, '\n', addresses.n) : NULL;

    if (end)
        (void)snprintf(first, sizeof(first), "%.*s", (int)(end - addresses.p), addresses.p);
    v4.sin_port = v6.sin6_port = port;
    if (inet_pton(AF_INET, first, &v4.sin_addr) == 1) {
        memcpy(&t->address, &v4, sizeof(v4));
        t->address_n = sizeof(v4);
    } else if (inet_pton(AF_INET6, first, &v6.sin6_addr) == 1) {
        memcpy(&t->address, &v6, sizeof(v6));
        t->address_n = sizeof(v6);
    } else {
        (void)snprintf(why, WHY_MAX, "there is no address for \"%.200s\"", t->host);
        return -1;
    }
    return 0;
}

void target_done(target *t)
{
    SSL_CTX_free(t->tls);
    *t = (target){ 0 };
}
