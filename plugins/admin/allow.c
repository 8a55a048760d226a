/* allow.c -- a list of networks, and whether an address is in one of them. */
#include "plugins/admin/allow.h"
#include <arpa/inet.h>
#include <string.h>

enum { TEXT_MAX = 64, MAPPED_BITS = 96, ALL_BITS = 128 };

/* ret: 16 bytes.  *ret_first: the bits before those that the address itself has. */
static int address_parse(const char *text, unsigned char *ret, unsigned *ret_first)
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

    *ret_first = 0;
    if (inet_pton(AF_INET6, text, ret) == 1)
        return 0;
    memcpy(ret, mapped, sizeof(mapped));
    *ret_first = MAPPED_BITS;
    return inet_pton(AF_INET, text, ret + sizeof(mapped)) == 1 ? 0 : PARLEY_EINVAL;
}

/* 0..most, decimal digits alone */
static int bits_parse(const char *text, unsigned most, unsigned *ret)
{
    unsigned value = 0;

    if (*text == '\0' || strlen(text) > 3)
        return PARLEY_EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return PARLEY_EINVAL;
        value = value * 10 + (unsigned)(*text - '0');
    }
    *ret = value;
    return value <= most ? 0 : PARLEY_EINVAL;
}

static int net_parse(parley_str entry, struct allow_net *ret)
{
    char text[TEXT_MAX];
    unsigned first, bits;

    if (entry.n >= sizeof(text) || memchr(entry.p, '\0', entry.n))
        return PARLEY_EINVAL;
    memcpy(text, entry.p, entry.n);
    text[entry.n] = '\0';
    char *slash = strchr(text, '/');
    if (slash)
        *slash = '\0';
    if (address_parse(text, ret->address, &first) < 0)
        return PARLEY_EINVAL;
    bits = ALL_BITS - first;
    if (slash && bits_parse(slash + 1, bits, &bits) < 0)
        return PARLEY_EINVAL;
    ret->bits = first + bits;
    return 0;
}

static int is_between(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\n';
}

int allow_parse(parley_str text, allow_list *ret, parley_str *ret_bad)
{
    size_t at = 0;

    ret->n = 0;
    while (at < text.n) {
        size_t begin = at;

        while (at < text.n && !is_between(text.p[at]))
            at++;
        if (at > begin) {
            *ret_bad = (parley_str){ text.p + begin, at - begin };
            if (ret->n == ALLOW_MOST)
                return PARLEY_ETOOBIG;
            if (net_parse(*ret_bad, &ret->nets[ret->n]) < 0)
                return PARLEY_EINVAL;
            ret->n++;
        }
        at++;
    }
    return 0;
}

static int net_has(const struct allow_net *net, const unsigned char *address)
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;

    if (memcmp(net->address, address, whole) != 0)
        return 0;
    return rest == 0 || (net->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

int allow_has(const allow_list *list, parley_str address)
{
    struct allow_net own;

    if (list->n == 0)
        return 1;
    if (!address.p || net_parse(address, &own) < 0)
        return 0;
    for (size_t i = 0; i < list->n; i++)
        if (net_has(&list->nets[i], own.address))
            return 1;
    return 0;
}
