/* test_cidr.c -- addresses, networks, and whom X-Forwarded-For names. */
#include "core/host/cidr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka.h needs the three above. */
#include <cmocka.h>

/* clang-format off */
static const struct {
    const char *label, *text, *shown; /* shown NULL: refused */
} addresses[] = {
    { "IPv4",               "10.1.2.3",          "10.1.2.3"    },
    { "IPv4 and port",      "10.1.2.3:80",       "10.1.2.3"    },
    { "IPv6",               "2001:DB8::1",       "2001:db8::1" },
    { "brackets",           "[2001:db8::1]",     "2001:db8::1" },
    { "brackets and port",  "[2001:db8::1]:443", "2001:db8::1" },
    { "IPv4 in IPv6",       "::ffff:10.1.2.3",   "10.1.2.3"    },
    { "spaces around",      "  ::1 ",            "::1"         },
    { "empty",              "",                  NULL          },
    { "a name",             "localhost",         NULL          },
    { "short",              "10.1.2",            NULL          },
    { "too big",            "10.1.2.256",        NULL          },
    { "open bracket",       "[::1",              NULL          },
    { "behind the bracket", "[::1]x",            NULL          },
    { "zone",               "fe80::1%eth0",      NULL          },
};

static const struct {
    const char *label, *net, *address;
    bool inside;
} networks[] = {
    { "in /8",              "10.0.0.0/8",      "10.255.0.1",      true  },
    { "beside /8",          "10.0.0.0/8",      "11.0.0.1",        false },
    { "odd length, in",     "192.168.4.0/22",  "192.168.7.255",   true  },
    { "odd length, beside", "192.168.4.0/22",  "192.168.8.0",     false },
    { "one address",        "10.0.0.1",        "10.0.0.1",        true  },
    { "another",            "10.0.0.1",        "10.0.0.2",        false },
    { "everything of IPv4", "0.0.0.0/0",       "203.0.113.9",     true  },
    { "IPv4 is not IPv6",   "0.0.0.0/0",       "2001:db8::1",     false },
    { "mapped",             "10.0.0.0/8",      "::ffff:10.9.9.9", true  },
    { "IPv6",               "2001:db8::/32",   "2001:db8:1::1",   true  },
    { "beside IPv6",        "2001:db8::/32",   "2001:db9::1",     false },
    { "all of IPv6",        "::/0",            "2001:db9::1",     true  },
};

static const struct {
    const char *label, *header, *client; /* client NULL: nobody */
} chains[] = {
    { "one",                      "203.0.113.9",                         "203.0.113.9"  },
    { "behind two proxies",       "203.0.113.9, 10.0.0.2, 10.0.0.1",     "203.0.113.9"  },
    { "what the client invents",  "1.1.1.1, 203.0.113.9, 10.0.0.1",      "203.0.113.9"  },
    { "only proxies",             "10.0.0.3, 10.0.0.2",                  "10.0.0.3"     },
    { "junk at the end",          "203.0.113.9, unknown",                "203.0.113.9"  },
    { "junk between",             "203.0.113.9, ;;, 10.0.0.1",           "203.0.113.9"  },
    { "only junk",                "unknown, _hidden",                    NULL           },
    { "empty",                    "",                                    NULL           },
    { "commas",                   ",,,",                                 NULL           },
    { "mapped, with a port",      "[::ffff:203.0.113.9]:5000, 10.0.0.1", "203.0.113.9"  },
    { "IPv6",                     "2001:db8::7, 10.0.0.1",               "2001:db8::7"  },
};
/* clang-format on */

static void test_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(addresses); i++) {
        char shown[IP_TEXT] = "";
        ip a;
        bool good = ip_parse(str_of(addresses[i].text), &a) == 0;
        if (good)
            (void)ip_text(&a, shown);
        if (good != (addresses[i].shown != NULL) ||
            (good && strcmp(shown, addresses[i].shown) != 0))
            fail_msg("case \"%s\": %s", addresses[i].label, shown);
    }
}

static void test_networks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(networks); i++) {
        cidr c;
        ip a;
        assert_int_equal(cidr_parse(str_of(networks[i].net), &c), 0);
        assert_int_equal(ip_parse(str_of(networks[i].address), &a), 0);
        if (cidr_has(&c, &a) != networks[i].inside)
            fail_msg("case \"%s\"", networks[i].label);
    }
}

static void test_bad_networks(void **state)
{
    static const char *const bad[] = { "10.0.0.0/33", "10.0.0.0/-1", "::/129",
                                       "10.0.0.0/",   "x/8",         "10.0.0.0/8x" };
    cidr c;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (cidr_parse(str_of(bad[i]), &c) == 0)
            fail_msg("case \"%s\"", bad[i]);
}

static void test_chains(void **state)
{
    cidrs proxies;

    (void)state;
    assert_int_equal(cidrs_parse(STR("10.0.0.0/8, ::1"), &proxies), 0);
    assert_int_equal(proxies.n, 2);
    for (size_t i = 0; i < COUNT(chains); i++) {
        char shown[IP_TEXT] = "";
        ip a;
        bool found = cidrs_client(&proxies, str_of(chains[i].header), &a);
        if (found)
            (void)ip_text(&a, shown);
        if (found != (chains[i].client != NULL) || (found && strcmp(shown, chains[i].client) != 0))
            fail_msg("case \"%s\": %s", chains[i].label, shown);
    }
    cidrs_done(&proxies);
}

static void test_loopback(void **state)
{
    static const char *const local[] = { "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1" };
    static const char *const foreign[] = { "128.0.0.1", "::2", "10.0.0.1", "::" };
    ip a;

    (void)state;
    for (size_t i = 0; i < COUNT(local); i++)
        assert_true(ip_parse(str_of(local[i]), &a) == 0 && ip_is_loopback(&a));
    for (size_t i = 0; i < COUNT(foreign); i++)
        assert_true(ip_parse(str_of(foreign[i]), &a) == 0 && !ip_is_loopback(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),    cmocka_unit_test(test_networks),
        cmocka_unit_test(test_bad_networks), cmocka_unit_test(test_chains),
        cmocka_unit_test(test_loopback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
