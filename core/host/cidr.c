/* cidr.c -- addresses, networks, and the client behind trusted proxies. */
#include "core/host/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

/* The address without brackets and port. */
static str ip_bare(str text)
{
    str head = text;
    str tail = STR_NONE;

    if (text.n > 0 && text.p[0] == '[') {
        if (!str_cut(str_tail(text, 1), ']', &head, &tail))
            return STR_NONE;
        return tail.n == 0 || tail.p[0] == ':' ? head : STR_NONE;
    }
    /* One colon: a port behind IPv4; more: IPv6. */
    if (str_cut(text, ':', &head, &tail) && str_find(tail, ':') < 0)
        return head;
    return text;
}

int ip_parse(str text, ip *ret)
{
    char copy[64];
    struct in_addr v4;
    str bare = ip_bare(str_trim(text));

    if (bare.n == 0 || bare.n >= sizeof(copy) || memchr(bare.p, '\0', bare.n))
        return -EINVAL;
    memcpy(copy, bare.p, bare.n);
    copy[bare.n] = '\0';
    if (inet_pton(AF_INET, copy, &v4) == 1) {
        memcpy(ret->b, mapped, sizeof(mapped));
        memcpy(ret->b + sizeof(mapped), &v4, sizeof(v4));
        return 0;
    }
    return inet_pton(AF_INET6, copy, ret->b) == 1 ? 0 : -EINVAL;
}

static bool ip_is_v4(const ip *a)
{
    return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

size_t ip_text(const ip *a, char ret[IP_TEXT])
{
    const char *done = ip_is_v4(a) ? inet_ntop(AF_INET, a->b + sizeof(mapped), ret, IP_TEXT)
                                   : inet_ntop(AF_INET6, a->b, ret, IP_TEXT);

    return done ? strlen(done) : 0;
}

bool ip_is_loopback(const ip *a)
{
    static const uint8_t v6[16] = { [15] = 1 };

    return ip_is_v4(a) ? a->b[12] == 127 : memcmp(a->b, v6, sizeof(v6)) == 0;
}

int cidr_parse(str text, cidr *ret)
{
    str address = text;
    str length = STR_NONE;
    int64_t bits = 0;
    ip net;

    bool has_length = str_cut(text, '/', &address, &length);
    if (ip_parse(address, &net) < 0)
        return -EINVAL;
    int64_t most = ip_is_v4(&net) && str_find(address, ':') < 0 ? 32 : 128;
    if (!has_length)
        bits = most;
    else if (!str_int(length, &bits) || bits < 0 || bits > most)
        return -EINVAL;
    ret->net = net;
    ret->bits = (unsigned)(bits + 128 - most);
    return 0;
}

bool cidr_has(const cidr *c, const ip *a)
{
    size_t whole = c->bits / 8;
    unsigned rest = c->bits % 8;

    if (memcmp(c->net.b, a->b, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    return (c->net.b[whole] ^ a->b[whole]) >> (8 - rest) == 0;
}

static bool is_separator(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\n';
}

int cidrs_parse(str text, cidrs *ret)
{
    cidrs found = { NULL, 0 };

    for (size_t at = 0; at < text.n;) {
        size_t from = at;
        while (at < text.n && !is_separator(text.p[at]))
            at++;
        str word = { text.p + from, at - from };
        at++;
        if (word.n == 0)
            continue;
        cidr *more = realloc(found.list, (found.n + 1) * sizeof(*more));
        int err = more ? cidr_parse(word, &more[found.n]) : -ENOMEM;
        if (more)
            found.list = more;
        if (err < 0) {
            cidrs_done(&found);
            return err;
        }
        found.n++;
    }
    *ret = found;
    return 0;
}

void cidrs_done(cidrs *c)
{
    free(c->list);
    *c = (cidrs){ NULL, 0 };
}

bool cidrs_have(const cidrs *c, const ip *a)
{
    for (size_t i = 0; i < c->n; i++)
        if (cidr_has(&c->list[i], a))
            return true;
    return false;
}

bool cidrs_client(const cidrs *proxies, str forwarded_for, ip *ret)
{
    bool found = false;
    size_t end = forwarded_for.n;

    for (;;) {
        size_t from = end;
        while (from > 0 && forwarded_for.p[from - 1] != ',')
            from--;
        ip hop;
        if (ip_parse((str){ forwarded_for.p + from, end - from }, &hop) == 0) {
            *ret = hop;
            found = true;
            if (!cidrs_have(proxies, &hop))
                return true;
        }
        if (from == 0)
            return found;
        end = from - 1;
    }
}
