/* url.c -- what an operator writes: "redis://user:password@host:6379/0", one or several. */
#include "plugins/redis/url.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum { PORT_DEFAULT = 6379, DB_MOST = 1000000 };

static int url_refuse(char why[URL_WHY_SIZE], const char *text)
{
    (void)snprintf(why, URL_WHY_SIZE, "%s", text);
    return -EINVAL;
}

/* Cuts `text` behind its first `at`.  returns 1, or 0: there is none and nothing is changed */
static int text_cut(parley_str *text, char at, parley_str *ret_before)
{
    const char *found = text->n ? memchr(text->p, at, text->n) : NULL;

    if (!found)
        return 0;
    size_t n = (size_t)(found - text->p);
    *ret_before = (parley_str){ text->p, n };
    *text = (parley_str){ found + 1, text->n - n - 1 };
    return 1;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int text_decode(parley_str from, char ret[URL_SECRET_MOST + 1])
{
    size_t n = 0;

    for (size_t i = 0; i < from.n; i++) {
        char c = from.p[i];

        if (c == '%') {
            if (from.n - i < 3 || hex_digit(from.p[i + 1]) < 0 || hex_digit(from.p[i + 2]) < 0)
                return -EINVAL;
            c = (char)(hex_digit(from.p[i + 1]) * 16 + hex_digit(from.p[i + 2]));
            i += 2;
        }
        if (c == '\0' || n == URL_SECRET_MOST)
            return -EINVAL;
        ret[n++] = c;
    }
    ret[n] = '\0';
    return 0;
}

static int text_number(parley_str from, int most, int *ret)
{
    int number = 0;

    if (from.n < 1 || from.n > 7)
        return -EINVAL;
    for (size_t i = 0; i < from.n; i++) {
        if (from.p[i] < '0' || from.p[i] > '9')
            return -EINVAL;
        number = number * 10 + (from.p[i] - '0');
    }
    if (number > most)
        return -EINVAL;
    *ret = number;
    return 0;
}

static int url_take_scheme(parley_str *rest, char why[URL_WHY_SIZE])
{
    static const char plain[] = "redis://", tls[] = "rediss://";

    if (rest->n >= sizeof(tls) - 1 && strncasecmp(rest->p, tls, sizeof(tls) - 1) == 0)
        return url_refuse(why, "rediss:// is not possible: hiredis 0.14 of Debian has no TLS; use "
                               "redis:// in a private network, or through a tunnel");
    if (rest->n < sizeof(plain) - 1 || strncasecmp(rest->p, plain, sizeof(plain) - 1) != 0)
        return url_refuse(why, "a server is written redis://[user:password@]host[:port][/db]");
    rest->p += sizeof(plain) - 1;
    rest->n -= sizeof(plain) - 1;
    return 0;
}

/* What is before the last '@', so that a password may hold one. */
static int url_take_login(parley_str *rest, redis_url *url, char why[URL_WHY_SIZE])
{
    const char *at = rest->n ? memrchr(rest->p, '@', rest->n) : NULL;
    parley_str user = { NULL, 0 };

    if (!at)
        return 0;
    parley_str password = { rest->p, (size_t)(at - rest->p) };
    *rest = (parley_str){ at + 1, rest->n - password.n - 1 };
    if (!text_cut(&password, ':', &user))
        return url_refuse(why, "a user needs a password: redis://user:password@host, or "
                               "redis://:password@host");
    if (text_decode(user, url->user) < 0 || text_decode(password, url->password) < 0)
        return url_refuse(why, "the user or the password is too long or not percent-encoded well "
                               "(%25 is a percent sign)");
    if (!url->password[0])
        return url_refuse(why, "the password is empty");
    return 0;
}

static int url_take_host(parley_str host, redis_url *url, char why[URL_WHY_SIZE])
{
    parley_str name = host;
    parley_str port = { NULL, 0 };
    int is_v6 = host.n > 0 && host.p[0] == '[';

    if (is_v6) {
        port = (parley_str){ host.p + 1, host.n - 1 };
        if (!text_cut(&port, ']', &name) || (port.n > 0 && port.p[0] != ':'))
            return url_refuse(why, "an IPv6 address is written [::1]:6379");
        port = port.n > 0 ? (parley_str){ port.p + 1, port.n - 1 } : (parley_str){ NULL, 0 };
    } else {
        port = host;
        if (!text_cut(&port, ':', &name))
            port = (parley_str){ NULL, 0 };
    }
    if (name.n == 0 || name.n > URL_HOST_MOST || memchr(name.p, '\0', name.n))
        return url_refuse(why, "the host is missing or too long");
    memcpy(url->host, name.p, name.n);
    url->host[name.n] = '\0';
    url->port = PORT_DEFAULT;
    if (port.p && (text_number(port, 65535, &url->port) < 0 || url->port == 0))
        return url_refuse(why, "the port is a number from 1 to 65535");
    return 0;
}

int url_parse(parley_str text, redis_url *ret, char why[URL_WHY_SIZE])
{
    redis_url url = { .port = PORT_DEFAULT };
    parley_str rest = text;
    parley_str host = { NULL, 0 };

    if (url_take_scheme(&rest, why) < 0 || url_take_login(&rest, &url, why) < 0)
        return -EINVAL;
    int has_db = text_cut(&rest, '/', &host);
    if (!has_db)
        host = rest;
    if (memchr(host.p ? host.p : "", '?', host.n) || (has_db && memchr(rest.p, '?', rest.n)))
        return url_refuse(why, "nothing may follow the database number: no ?options");
    if (url_take_host(host, &url, why) < 0)
        return -EINVAL;
    if (has_db && rest.n > 0 && text_number(rest, DB_MOST, &url.db) < 0)
        return url_refuse(why, "the database behind the last slash is a number; in a password, "
                               "write %2F for a slash");
    *ret = url;
    return 0;
}

static int is_between(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\n';
}

static int url_is_there(const redis_url *list, int n, const redis_url *url)
{
    for (int i = 0; i < n; i++)
        if (strcmp(list[i].host, url->host) == 0 && list[i].port == url->port &&
            list[i].db == url->db)
            return 1;
    return 0;
}

int urls_parse(parley_str text, redis_url ret[URL_SERVERS_MOST], char why[URL_WHY_SIZE])
{
    int n = 0;

    for (size_t i = 0; i < text.n;) {
        size_t from = i;
        redis_url url;

        while (i < text.n && !is_between(text.p[i]))
            i++;
        if (i == from) {
            i++;
            continue;
        }
        if (url_parse((parley_str){ text.p + from, i - from }, &url, why) < 0)
            return -EINVAL;
        if (n == URL_SERVERS_MOST)
            return url_refuse(why, "too many servers");
        if (url_is_there(ret, n, &url))
            return url_refuse(why, "a server stands there twice");
        ret[n++] = url;
    }
    return n ? n : url_refuse(why, "no server: set REDIS_URL, as in redis://127.0.0.1:6379/0");
}

void url_name(const redis_url *url, char *ret, size_t size)
{
    int is_v6 = strchr(url->host, ':') != NULL;

    (void)snprintf(ret, size, "%s%s%s:%d/%d", is_v6 ? "[" : "", url->host, is_v6 ? "]" : "",
                   url->port, url->db);
}
