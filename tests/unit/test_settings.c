/* test_settings.c -- `server:`: defaults, what follows from other keys, and what is refused. */
#include "core/host/config_ref.h"
#include "core/host/option.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/parley-test-settings-XXXXXX";

static int group_setup(void **state)
{
    (void)state;
    (void)unsetenv("DATABASE_URL"); /* set and unused, they are an error */
    (void)unsetenv("REDIS_URL");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    (void)unlink("t.yaml");
    return rmdir(folder);
}

/* `lines`: below `server:`, each indented; NULL: no `server:` at all. */
static int settings_open(const char *lines, config **ret, failure *f)
{
    FILE *file = fopen("t.yaml", "w");

    assert_non_null(file);
    (void)fprintf(file, "%s%splugins: []\n", lines ? "server:\n" : "", lines ? lines : "");
    assert_int_equal(fclose(file), 0);
    return config_open("t.yaml", ret, f);
}

static config *settings_good(const char *lines)
{
    config *c = NULL;
    failure f = { 0 };

    if (settings_open(lines, &c, &f) < 0)
        fail_msg("%s: %s", lines, f.text);
    return c;
}

static void check_defaults(const settings *s)
{
    assert_true(str_eq(s->host, STR("127.0.0.1")));
    assert_int_equal(s->port, 8000);
    assert_int_equal(s->workers, 1);
    assert_int_equal(s->user.n, 0);
    assert_true(str_eq(s->site_url, STR("http://localhost:8000")));
    assert_int_equal(s->secret_key.n, 0);
    assert_true(str_eq(s->data_dir, STR("var")));
    assert_true(str_eq(s->log_dir, STR("logs")));
    assert_int_equal(s->log_level, PARLEY_INFO);
    assert_false(s->debug);
    assert_false(s->is_public);
    assert_int_equal(s->allowed_host_n, 3);
    assert_int_equal(s->limits.max_body, 1048576);
    assert_int_equal(s->limits.max_message, 65536);
    assert_int_equal(s->limits.max_queue, 1048576);
    assert_int_equal(s->limits.send_buffer, 262144);
    assert_int_equal(s->limits.max_connections, 19000);
    assert_int_equal(s->limits.max_events, 64);
    assert_int_equal(s->limits.head_ms, 10000);
    assert_int_equal(s->limits.body_ms, 30000);
    assert_int_equal(s->limits.idle_ms, 75000);
    assert_int_equal(s->limits.ping_ms, 25000);
    assert_int_equal(s->limits.pong_ms, 10000);
    assert_int_equal(s->limits.close_ms, 5000);
    assert_int_equal(s->request_timeout_ms, 30000);
    assert_int_equal(s->start_timeout_ms, 10000);
    assert_int_equal(s->drain_ms, 10000);
    assert_int_equal(s->slow_callback_ms, 100);
    assert_int_equal(s->work_threads, 4);
    assert_int_equal(s->work_queue, 256);
    assert_int_equal(s->max_user_sockets, 100);
}

static void test_defaults(void **state)
{
    config *c = settings_good(NULL);

    (void)state;
    check_defaults(config_settings(c));
    config_free(c);
    c = settings_good("");
    check_defaults(config_settings(c));
    config_free(c);
}

/* clang-format off */
static const struct {
    const char *label, *lines, *want;
} refused[] = {
    { "unknown key", "  prot: 1\n", "t.yaml:2: server.prot: unknown key; did you mean port?" },
    { "port", "  port: 65536\n", "t.yaml:2: server.port: 65536 is outside 0..65535" },
    { "port name", "  port: http\n", "t.yaml:2: server.port: \"http\" is not a whole number" },
    { "workers", "  user: x\n  workers: 0\n", "t.yaml:3: server.workers: 0 is neither auto nor in 1..256" },
    { "workers above", "  workers: 257\n", "t.yaml:2: server.workers: 257 is neither auto nor in 1..256" },
    { "host name", "  host: localhost\n",
      "t.yaml:2: server.host: \"localhost\" is not a numeric address; write for example 127.0.0.1, 0.0.0.0 or ::" },
    { "second host", "  host: 127.0.0.1, 1.2.3\n",
      "t.yaml:2: server.host: \"1.2.3\" is not a numeric address; write for example 127.0.0.1, 0.0.0.0 or ::" },
    { "no host", "  host: \",\"\n", "t.yaml:2: server.host: is empty; the default is 127.0.0.1" },
    { "secret required", "  secret_required: true\n",
      "t.yaml:1: server.secret_key: is required here, but empty; make one with: openssl rand -hex 32" },
    { "secret short", "  secret_required: true\n  secret_key: hunter2\n",
      "t.yaml:3: server.secret_key: has 7 bytes, at least 16 are required; make one with: openssl rand -hex 32" },
    { "proxy", "  trusted_proxies: 10.0.0.0/8, 10.0.0.0/33\n",
      "t.yaml:2: server.trusted_proxies: \"10.0.0.0/33\" is neither an address nor a network such as 10.0.0.0/8 or fd00::/8" },
    { "proxy name", "  trusted_proxies: nginx\n",
      "t.yaml:2: server.trusted_proxies: \"nginx\" is neither an address nor a network such as 10.0.0.0/8 or fd00::/8" },
    { "proxy, empty prefix", "  trusted_proxies: 10.0.0.0/\n",
      "t.yaml:2: server.trusted_proxies: \"10.0.0.0/\" is neither an address nor a network such as 10.0.0.0/8 or fd00::/8" },
    { "allowed host with scheme", "  allowed_hosts: http://a.b\n",
      "t.yaml:2: server.allowed_hosts: \"http://a.b\" is not a host name; write example.org, .example.org, an address or *, "
      "without http:// and port" },
    { "allowed host with port", "  allowed_hosts: a.b:80\n",
      "t.yaml:2: server.allowed_hosts: \"a.b:80\" is not a host name; write example.org, .example.org, an address or *, "
      "without http:// and port" },
    { "message above queue", "  max_queue: 64KiB\n  max_message: 1MiB\n",
      "t.yaml:3: server.max_message: is larger than max_queue (65536 bytes)" },
    { "level", "  log_level: inof\n",
      "t.yaml:2: server.log_level: \"inof\" is not one of debug, info, warn, error; did you mean info?" },
    { "line break in a value", "  workers: \"1\\n2\"\n", "t.yaml:2: server.workers: 1\\x0a2 is neither auto nor in 1..256" },
};
#define NOT_A_URL "t.yaml:2: server.site_url: is not an address such as https://chat.example.org (http or https, a host, no ? and no #)"
static const char *const bad_urls[] = {
    "chat.example.org", "ftp://a", "http://", "http:///x", "http://a b", "http://a?b", "http://a#b", "http://u@a", "http://a:0",
    "http://a:65536", "http://a:x", "http://[::1", "http://[1.2.3.4]", "http://a.", "\"http://a\\r\\nX: y\"", "http://a/<x>",
};
/* clang-format on */

static void check_refused(const char *label, const char *lines, const char *want)
{
    config *c = NULL;
    failure f = { 0 };

    if (settings_open(lines, &c, &f) == 0)
        fail_msg("case \"%s\": accepted", label);
    if (strcmp(f.text, want) != 0)
        fail_msg("case \"%s\":\n got: %s\nwant: %s", label, f.text, want);
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++)
        check_refused(refused[i].label, refused[i].lines, refused[i].want);
    for (size_t i = 0; i < COUNT(bad_urls); i++) {
        char line[128];
        (void)snprintf(line, sizeof(line), "  site_url: %s\n", bad_urls[i]);
        check_refused(bad_urls[i], line, NOT_A_URL);
    }
}

static void test_hosts(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label, *lines, *want;
    } cases[] = {
        { "alone", "", "localhost 127.0.0.1 [::1]" },
        { "site", "  site_url: https://Chat.Example.org:8443/\n", "localhost 127.0.0.1 [::1] chat.example.org" },
        { "site with a path", "  site_url: https://a.b/c/d\n", "localhost 127.0.0.1 [::1] a.b" },
        { "site is local", "  site_url: http://127.0.0.1:9\n", "localhost 127.0.0.1 [::1]" },
        { "site in IPv6", "  site_url: http://[FE80::2]:9\n", "localhost 127.0.0.1 [::1] [fe80::2]" },
        { "list", "  allowed_hosts: \"A.b, .c.d  10.0.0.1 ::2,[::3],*\"\n",
          "localhost 127.0.0.1 [::1] a.b .c.d 10.0.0.1 [::2] [::3] *" },
        { "one letter each", "  allowed_hosts: a,b,c,d,e\n", "localhost 127.0.0.1 [::1] a b c d e" },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        config *c = settings_good(cases[i].lines);
        const settings *s = config_settings(c);
        buf got;
        buf_init(&got, 1024);
        for (size_t k = 0; k < s->allowed_host_n; k++)
            (void)buf_addf(&got, "%s" STR_FMT, k ? " " : "", STR_ARG(s->allowed_hosts[k]));
        if (!str_eq(buf_str(&got), str_of(cases[i].want)))
            fail_msg("case \"%s\": " STR_FMT, cases[i].label, STR_ARG(buf_str(&got)));
        buf_done(&got);
        config_free(c);
    }
}

static void test_origins(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label, *lines, *want; /* want: the list, or part of the refusal */
    } cases[] = {
        { "none", "", "" },
        { "debug", "  debug: true\n", "http://localhost:3000 http://127.0.0.1:3000" },
        { "debug, and empty", "  debug: true\n  cors_origins: ''\n", "http://localhost:3000 http://127.0.0.1:3000" },
        { "debug, and some", "  debug: true\n  cors_origins: https://a.b\n", "https://a.b" },
        { "list", "  cors_origins: 'https://a.b,http://[::1]:3000  http://c'\n", "https://a.b http://[::1]:3000 http://c" },
        { "other ports", "  cors_origins: 'https://a.b:80 http://a.b:443'\n", "https://a.b:80 http://a.b:443" },
        { "any", "  cors_origins: '*'\n", "\"*\" is not an origin as browsers send it" },
        { "null", "  cors_origins: \"null\"\n", "\"null\" is not an origin" },
        { "a host", "  cors_origins: a.b\n", "\"a.b\" is not an origin" },
        { "a path", "  cors_origins: https://a.b/c\n", "\"https://a.b/c\" is not an origin" },
        { "a slash", "  cors_origins: https://a.b/\n", "\"https://a.b/\" is not an origin" },
        { "upper case", "  cors_origins: https://A.b\n", "\"https://A.b\" is not an origin" },
        { "the port of https", "  cors_origins: https://a.b:443\n", "\"https://a.b:443\" is not an origin" },
        { "the port of http", "  cors_origins: http://a.b:80\n", "\"http://a.b:80\" is not an origin" },
        { "another scheme", "  cors_origins: ftp://a.b\n", "\"ftp://a.b\" is not an origin" },
        { "no host", "  cors_origins: 'https://'\n", "\"https://\" is not an origin" },
        { "one of two", "  cors_origins: https://a.b,x\n", "t.yaml:2: server.cors_origins: \"x\" is not an origin" },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        config *c = NULL;
        failure f = { 0 };
        buf got;

        buf_init(&got, 1024);
        if (settings_open(cases[i].lines, &c, &f) < 0) {
            if (!cases[i].want[0] || !strstr(f.text, cases[i].want))
                fail_msg("case \"%s\": %s", cases[i].label, f.text);
            continue;
        }
        const settings *s = config_settings(c);
        for (size_t k = 0; k < s->cors_origin_n; k++)
            (void)buf_addf(&got, "%s" STR_FMT, k ? " " : "", STR_ARG(s->cors_origins[k]));
        if (!str_eq(buf_str(&got), str_of(cases[i].want)))
            fail_msg("case \"%s\": " STR_FMT, cases[i].label, STR_ARG(buf_str(&got)));
        buf_done(&got);
        config_free(c);
    }
}

static void test_public(void **state)
{
    static const struct {
        const char *host;
        bool is_public;
    } cases[] = {
        { "127.0.0.1", false },
        { "127.9.9.9", false },
        { "::1", false },
        { "0.0.0.0", true },
        { "\"127.0.0.1 ::\"", true },
        { "192.168.1.1", true },
        { "\"::1, 127.0.0.1\"", false },
        { "\"::ffff:127.0.0.1\"", false },
        { "\"::ffff:10.0.0.1\"", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char line[128];
        (void)snprintf(line, sizeof(line), "  host: %s\n", cases[i].host);
        config *c = settings_good(line);
        if (config_settings(c)->is_public != cases[i].is_public)
            fail_msg("case \"%s\"", cases[i].host);
        config_free(c);
    }
}

static void test_others(void **state)
{
    char want[128];
    config *c =
        settings_good("  workers: auto\n  port: 0\n  site_url: http://a.b///\n  debug: True\n"
                      "  plugin_dir: my/plugins\n  share_dir: /srv/x\n  max_user_sockets: 0\n"
                      "  trusted_proxies: 10.0.0.0/8 ::1, fd00::/8\n  secret_key: s\n");
    const settings *s = config_settings(c);

    (void)state;
    (void)snprintf(want, sizeof(want), "%s/my/plugins", folder);
    assert_int_equal(s->workers, 0);
    assert_int_equal(s->port, 0);
    assert_true(str_eq(s->site_url, STR("http://a.b")));
    assert_int_equal(s->log_level, PARLEY_DEBUG);
    assert_true(str_eq(s->plugin_dir, str_of(want)));
    assert_true(str_eq(s->share_dir, STR("/srv/x")));
    assert_int_equal(s->max_user_sockets, 0);
    assert_true(str_eq(s->secret_key, STR("s")));
    config_free(c);
    c = settings_good("  debug: yes\n  log_level: warn\n");
    assert_int_equal(config_settings(c)->log_level, PARLEY_WARN);
    assert_int_equal(config_settings(c)->plugin_dir.p[0], '/');
    assert_int_equal(config_settings(c)->share_dir.p[0], '/');
    config_free(c);
}

/* Every row is sound, explained, and shown in the reference. */
static void test_table(void **state)
{
    size_t n = 0;
    const parley_option *rows = config_server_options(&n);
    buf page;
    buf text;

    (void)state;
    buf_init(&page, 1024 * 1024);
    buf_init(&text, 1024 * 1024);
    config_reference(NULL, 0, &page);
    settings_describe(&text);
    assert_false(page.failed || text.failed);
    assert_int_equal(buf_byte(&page, '\0') | buf_byte(&text, '\0'), 0);
    for (size_t i = 0; i < n; i++) {
        char cell[80];
        if (option_mistake(&rows[i]) || !rows[i].help || !rows[i].def)
            fail_msg("row %s", rows[i].name);
        (void)snprintf(cell, sizeof(cell), "\n| `%s` | ", rows[i].name);
        if (!strstr(page.p, cell))
            fail_msg("row %s is not in the reference", rows[i].name);
        (void)snprintf(cell, sizeof(cell), "\n  %s  ", rows[i].name);
        if (!strstr(text.p, cell))
            fail_msg("row %s is not in the description", rows[i].name);
    }
    assert_non_null(strstr(page.p, "| `log_level` | debug\\|info\\|warn\\|error | `info` | "));
    buf_done(&page);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_hosts),    cmocka_unit_test(test_origins),
        cmocka_unit_test(test_public),   cmocka_unit_test(test_others),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
