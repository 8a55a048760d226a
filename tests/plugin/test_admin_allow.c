/* test_admin_allow.c -- lists of networks: what is one, and which addresses are in it. */
#include "fake/fake.h"
#include "plugins/admin/allow.h"
#include <string.h>

static parley_str str_of_text(const char *text)
{
    return (parley_str){ text, text ? strlen(text) : 0 };
}

static const struct {
    const char *label, *list, *address;
    int has;
} cases[] = {
    { "an empty list has all", "", "192.0.2.1", 1 },
    { "only separators", " , ,", "192.0.2.1", 1 },
    { "the address itself", "192.0.2.1", "192.0.2.1", 1 },
    { "another one", "192.0.2.1", "192.0.2.2", 0 },
    { "first of a network", "10.0.0.0/8", "10.0.0.0", 1 },
    { "last of a network", "10.0.0.0/8", "10.255.255.255", 1 },
    { "behind it", "10.0.0.0/8", "11.0.0.0", 0 },
    { "inside an octet", "192.168.16.0/20", "192.168.31.255", 1 },
    { "just outside an octet", "192.168.16.0/20", "192.168.32.0", 0 },
    { "everything", "0.0.0.0/0", "203.0.113.9", 1 },
    { "every IPv4 is no IPv6", "0.0.0.0/0", "2001:db8::1", 0 },
    { "every IPv6 has the IPv4 in it", "::/0", "203.0.113.9", 1 },
    { "IPv4 written as IPv6", "10.0.0.0/8", "::ffff:10.1.2.3", 1 },
    { "IPv6", "2001:db8::/32", "2001:db8:ffff::1", 1 },
    { "another IPv6", "2001:db8::/32", "2001:db9::1", 0 },
    { "the second of a list", "10.0.0.0/8, ::1", "::1", 1 },
    { "separated by spaces", "10.0.0.0/8 ::1", "::1", 1 },
    { "a path of a socket is no address", "10.0.0.0/8", "/run/x", 0 },
    { "no address at all", "10.0.0.0/8", NULL, 0 },
};

static void test_has(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        allow_list list;
        parley_str bad;

        if (allow_parse(str_of_text(cases[i].list), &list, &bad) != 0 ||
            allow_has(&list, str_of_text(cases[i].address)) != cases[i].has)
            fail_msg("case \"%s\"", cases[i].label);
    }
}

static const struct {
    const char *label, *list, *bad;
} faults[] = {
    { "a name", "localhost", "localhost" },
    { "too many bits", "10.0.0.0/33", "10.0.0.0/33" },
    { "too many bits of IPv6", "::1/129", "::1/129" },
    { "no bits", "10.0.0.0/", "10.0.0.0/" },
    { "a sign", "10.0.0.0/-1", "10.0.0.0/-1" },
    { "the second one", "::1, 10.0.0", "10.0.0" },
    { "too long", "2001:0db8:0000:0000:0000:0000:0000:0001:2001:0db8:0000:0000:0000:0000:0001",
      "2001:0db8:0000:0000:0000:0000:0000:0001:2001:0db8:0000:0000:0000:0000:0001" },
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        allow_list list;
        parley_str bad = { NULL, 0 };

        if (allow_parse(str_of_text(faults[i].list), &list, &bad) != PARLEY_EINVAL ||
            bad.n != strlen(faults[i].bad) || memcmp(bad.p, faults[i].bad, bad.n) != 0)
            fail_msg("case \"%s\"", faults[i].label);
    }
}

static void test_too_many(void **state)
{
    char text[(ALLOW_MOST + 1) * 4 + 1] = "";
    allow_list list;
    parley_str bad;

    (void)state;
    for (size_t i = 0; i <= ALLOW_MOST; i++)
        memcpy(text + i * 4, "::1,", 5);
    assert_int_equal(allow_parse((parley_str){ text, ALLOW_MOST * 4 }, &list, &bad), 0);
    assert_int_equal(list.n, ALLOW_MOST);
    assert_int_equal(allow_parse((parley_str){ text, strlen(text) }, &list, &bad), PARLEY_ETOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_has),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
