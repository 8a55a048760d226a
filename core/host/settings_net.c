/* settings_net.c -- the addresses in `server:`: host, ops, site_url, trusted_proxies, allowed_hosts,
 * cors_origins. */
#include "core/host/settings.h"

#include <arpa/inet.h>
#include <ctype.h>

/* One address or name of a list; 253 bytes is the longest host name. */
enum { WORD_MAX = 256 };

/* The next word of a list separated by commas and spaces; false: no more. */
static bool list_next(str *rest, str *ret)
{
    static const char separators[] = ", \t\r\n";
    size_t from = 0, to = 0;

    while (from < rest->n && strchr(separators, rest->p[from]))
        from++;
    for (to = from; to < rest->n && !strchr(separators, rest->p[to]);)
        to++;
    *ret = (str){ rest->p + from, to - from };
    *rest = str_tail(*rest, to);
    return ret->n > 0;
}

/* A numeric address in network order; returns its bits (32, 128), 0: it is none. */
static int address_read(str text, unsigned char ret[16])
{
    char word[WORD_MAX];

    if (text.n == 0 || text.n >= sizeof(word))
        return 0;
    memcpy(word, text.p, text.n);
    word[text.n] = '\0';
    if (inet_pton(AF_INET, word, ret) == 1)
        return 32;
    return inet_pton(AF_INET6, word, ret) == 1 ? 128 : 0;
}

static bool address_is_loopback(const unsigned char *a, int bits)
{
    static const unsigned char loopback6[16] = { [15] = 1 };
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

    if (bits == 32)
        return a[0] == 127;
    if (memcmp(a, loopback6, 16) == 0)
        return true;
    return memcmp(a, mapped, 12) == 0 && a[12] == 127;
}

int settings_check_host(const conf_source *from, settings *s, failure *f)
{
    unsigned char address[16];
    str rest = s->host, word = STR_NONE;
    size_t n = 0;

    for (; list_next(&rest, &word); n++) {
        int bits = address_read(word, address);
        if (bits == 0)
            return settings_fail(from, "host", f,
                                 "\"" STR_FMT "\" is not a numeric address; write for example "
                                 "127.0.0.1, 0.0.0.0 or ::",
                                 STR_ARG(word));
        if (!address_is_loopback(address, bits))
            s->is_public = true;
    }
    return n > 0 ? 0 : settings_fail(from, "host", f, "is empty; the default is 127.0.0.1");
}

int settings_check_proxies(const conf_source *from, const settings *s, failure *f)
{
    unsigned char address[16];
    str rest = s->trusted_proxies, word = STR_NONE;

    while (list_next(&rest, &word)) {
        str head = STR_NONE, tail = STR_NONE;
        bool has_prefix = str_cut(word, '/', &head, &tail);
        int64_t prefix = 0;
        int bits = address_read(head, address);
        if (bits == 0 || (has_prefix && (!str_int(tail, &prefix) || prefix < 0 || prefix > bits)))
            return settings_fail(from, "trusted_proxies", f,
                                 "\"" STR_FMT "\" is neither an address nor a network such as "
                                 "10.0.0.0/8 or fd00::/8",
                                 STR_ARG(word));
    }
    return 0;
}

/* ---- site_url ---- */

static str site_url_scheme(str url)
{
    if (str_istarts(url, STR("https://")))
        return STR("https://");
    return str_istarts(url, STR("http://")) ? STR("http://") : STR("");
}

/* "example.org:8000" of "https://example.org:8000/chat" */
static str site_url_authority(str url)
{
    str rest = str_tail(url, site_url_scheme(url).n);
    str head = rest, tail = STR_NONE;

    (void)str_cut(rest, '/', &head, &tail);
    return head;
}

/* Without the port; an IPv6 address keeps its brackets. */
static str authority_host(str authority)
{
    int64_t end = authority.n && authority.p[0] == '[' ? str_find(authority, ']') + 1
                                                       : str_find(authority, ':');

    return end <= 0 ? authority : (str){ authority.p, (size_t)end };
}

static bool host_is_good(str host)
{
    unsigned char address[16];

    if (host.n == 0 || host.n >= WORD_MAX)
        return false;
    if (host.p[0] == '[')
        return host.p[host.n - 1] == ']' &&
               address_read((str){ host.p + 1, host.n - 2 }, address) == 128;
    for (size_t i = 0; i < host.n; i++)
        if (!isalnum((unsigned char)host.p[i]) && !strchr("-._", host.p[i]))
            return false;
    return host.p[host.n - 1] != '.';
}

static bool authority_is_good(str authority)
{
    str host = authority_host(authority);
    str port = str_tail(authority, host.n);
    int64_t number = 0;

    if (!host_is_good(host))
        return false;
    if (port.n == 0)
        return true;
    return port.p[0] == ':' && str_int(str_tail(port, 1), &number) && number >= 1 &&
           number <= 65535;
}

/* What would need quoting in a mail or a Location header. */
static bool url_is_plain(str url)
{
    for (size_t i = 0; i < url.n; i++)
        if (!isgraph((unsigned char)url.p[i]) || strchr("\"<>\\^`{|}?#", url.p[i]))
            return false;
    return true;
}

int settings_check_site_url(const conf_source *from, arena *memory, settings *s, failure *f)
{
    char text[64];

    while (s->site_url.n > 0 && s->site_url.p[s->site_url.n - 1] == '/')
        s->site_url.n--;
    if (s->site_url.n == 0) {
        int n = snprintf(text, sizeof(text), "http://localhost:%d", s->port);
        s->site_url = arena_str(memory, (str){ text, (size_t)n });
        return s->site_url.p ? 0 : settings_fail(from, "site_url", f, "not enough memory");
    }
    if (site_url_scheme(s->site_url).n > 0 && url_is_plain(s->site_url) &&
        authority_is_good(site_url_authority(s->site_url)))
        return 0;
    return settings_fail(from, "site_url", f,
                         "is not an address such as https://chat.example.org (http or https, a "
                         "host, no ? and no #)");
}

/* ---- the operations listener ---- */

static const str ops_usual = STR_LIT("127.0.0.1:9464");

int settings_check_ops(const conf_source *from, settings *s, failure *f)
{
    unsigned char address[16];
    int64_t port = 0;

    s->ops_is_auto = str_ieq(s->ops, STR("auto"));
    if (s->ops.n == 0 || str_ieq(s->ops, STR("none")))
        return 0;
    str text = s->ops_is_auto ? ops_usual : s->ops;
    str host = authority_host(text);
    bool has_port = host.n + 1 < text.n && str_int(str_tail(text, host.n + 1), &port);
    bool is_v6 = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    s->ops_host = is_v6 ? (str){ host.p + 1, host.n - 2 } : host;
    s->ops_port = (int)port;
    if (has_port && port >= 1 && port <= 65535 &&
        address_read(s->ops_host, address) == (is_v6 ? 128 : 32))
        return 0;
    return settings_fail(from, "ops", f,
                         "\"" STR_FMT "\" is not a numeric address with a port; write for example "
                         "127.0.0.1:9464 or [::1]:9464, auto, or none",
                         STR_ARG(s->ops));
}

/* ---- allowed hosts ---- */

/* As it stands in a Host header: lower case, an IPv6 address in brackets.  host.n < WORD_MAX. */
static str host_normal(str host, char ret[WORD_MAX + 2])
{
    unsigned char address[16];
    bool bare_ipv6 = address_read(host, address) == 128;
    size_t n = 0;

    if (bare_ipv6)
        ret[n++] = '[';
    for (size_t i = 0; i < host.n; i++)
        ret[n++] = (char)tolower((unsigned char)host.p[i]);
    if (bare_ipv6)
        ret[n++] = ']';
    return (str){ ret, n };
}

static int hosts_add(const conf_source *from, str host, arena *memory, settings *s, failure *f)
{
    char room_for[WORD_MAX + 2];

    if (host.n >= WORD_MAX)
        return settings_fail(from, "allowed_hosts", f, "a name is longer than 255 bytes");
    str name = host_normal(host, room_for);
    for (size_t i = 0; i < s->allowed_host_n; i++)
        if (str_eq(s->allowed_hosts[i], name))
            return 0;
    str kept = arena_str(memory, name);
    if (!kept.p)
        return settings_fail(from, "allowed_hosts", f, "not enough memory");
    s->allowed_hosts[s->allowed_host_n++] = kept;
    return 0;
}

static bool host_pattern_is_good(str word)
{
    unsigned char address[16];

    if (str_eq(word, STR("*")) || address_read(word, address) > 0)
        return true;
    return host_is_good(word.p[0] == '.' ? str_tail(word, 1) : word);
}

int settings_fill_hosts(const conf_source *from, str configured, arena *memory, settings *s,
                        failure *f)
{
    const str always[] = { STR("localhost"), STR("127.0.0.1"), STR("[::1]"),
                           authority_host(site_url_authority(s->site_url)) };
    str rest = configured, word = STR_NONE;

    /* every configured name has at least a letter and a separator, but the last */
    s->allowed_hosts = arena_alloc(memory, (COUNT(always) + configured.n / 2 + 1) * sizeof(str));
    if (!s->allowed_hosts)
        return settings_fail(from, "allowed_hosts", f, "not enough memory");
    for (size_t i = 0; i < COUNT(always); i++)
        if (hosts_add(from, always[i], memory, s, f) < 0)
            return -1;
    while (list_next(&rest, &word)) {
        if (!host_pattern_is_good(word))
            return settings_fail(from, "allowed_hosts", f,
                                 "\"" STR_FMT "\" is not a host name; write example.org, "
                                 ".example.org, an address or *, without http:// and port",
                                 STR_ARG(word));
        if (hosts_add(from, word, memory, s, f) < 0)
            return -1;
    }
    return 0;
}

/* ---- origins ---- */

/* As browsers send it: scheme, lower-case host, a port unless it is the scheme's own.  They are
 * compared byte by byte, so another spelling would never match. */
static bool origin_is_good(str word)
{
    str scheme = site_url_scheme(word);
    str authority = str_tail(word, scheme.n);
    str port = str_tail(authority, authority_host(authority).n);

    for (size_t i = 0; i < word.n; i++)
        if (isupper((unsigned char)word.p[i]))
            return false;
    if (str_eq(port, str_eq(scheme, STR("https://")) ? STR(":443") : STR(":80")))
        return false;
    return scheme.n > 0 && authority_is_good(authority);
}

int settings_fill_origins(const conf_source *from, str configured, arena *memory, settings *s,
                          failure *f)
{
    str rest = configured, word = STR_NONE;

    if (configured.n == 0 && s->debug)
        rest = STR("http://localhost:3000 http://127.0.0.1:3000");
    s->cors_origins = arena_alloc(memory, (rest.n / 8 + 1) * sizeof(str)); /* "http://a," */
    if (!s->cors_origins)
        return settings_fail(from, "cors_origins", f, "not enough memory");
    while (list_next(&rest, &word)) {
        if (!origin_is_good(word))
            return settings_fail(from, "cors_origins", f,
                                 "\"" STR_FMT "\" is not an origin as browsers send it; write "
                                 "http:// or https://, the host in lower case and perhaps a "
                                 "port, such as https://app.example.org",
                                 STR_ARG(word));
        s->cors_origins[s->cors_origin_n++] = word;
    }
    return 0;
}
