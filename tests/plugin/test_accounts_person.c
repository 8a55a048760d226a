/* test_accounts_person.c -- the cache of sessions: bounded, least recently used out first, counted
 * by sockets. */
#include "plugins/accounts/person.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static person_facts facts_of(unsigned number)
{
    person_facts facts = { .session_key = number,
                           .shown = { .key = 1,
                                      .uid = PARLEY_S("uid"),
                                      .username = PARLEY_S("ada"),
                                      .email = PARLEY_S("ada@example.org"),
                                      .first_name = PARLEY_S("Ada"),
                                      .last_name = PARLEY_S(""),
                                      .session = PARLEY_S("session") } };

    memcpy(facts.hash, &number, sizeof(number));
    return facts;
}

static person *find(unsigned number)
{
    person_facts facts = facts_of(number);

    return person_find(facts.hash);
}

static void test_copy(void **state)
{
    person_facts facts = facts_of(1);

    (void)state;
    assert_int_equal(person_cache_create(16), 0);
    const person *p = person_add(&facts);
    assert_non_null(p);
    assert_memory_equal(p->facts.shown.email.p, "ada@example.org", 15);
    assert_ptr_not_equal(p->facts.shown.email.p, facts.shown.email.p);
    assert_non_null(p->facts.shown.last_name.p); /* empty is not absent */
    assert_int_equal(p->facts.shown.last_name.n, 0);
    assert_ptr_equal(person_add(&facts), p);
    assert_int_equal(person_alive(), 1);
    person_cache_free();
    assert_int_equal(person_alive(), 0);
}

static void test_least_recently_used(void **state)
{
    (void)state;
    assert_int_equal(person_cache_create(16), 0);
    for (unsigned i = 0; i < 16; i++) {
        person_facts facts = facts_of(i);

        assert_non_null(person_add(&facts));
    }
    assert_non_null(find(0)); /* used: now the newest */
    person_facts facts = facts_of(16);
    assert_non_null(person_add(&facts));
    assert_int_equal(person_alive(), 16);
    assert_non_null(find(0));
    assert_null(find(1));
    assert_non_null(find(16));
    person_cache_free();
    assert_int_equal(person_alive(), 0);
}

/* A socket keeps its person when the cache has let it go; the last one frees it. */
static void test_sockets(void **state)
{
    person_facts facts = facts_of(7);
    parley_conn one = { 11 }, two = { 12 };

    (void)state;
    assert_int_equal(person_cache_create(16), 0);
    person *p = person_add(&facts);
    assert_int_equal(person_conn_add(p, one), 0);
    assert_int_equal(person_conn_add(p, two), 0);
    person_forget(p);
    person_forget(p); /* once is enough */
    assert_null(find(7));
    assert_int_equal(person_alive(), 1);
    person_conn_remove(p, one);
    person_conn_remove(p, one);
    assert_int_equal(p->conn_n, 1);
    assert_int_equal(p->conns[0], 12);
    person_unref(p);
    assert_int_equal(person_alive(), 1);
    person_conn_remove(p, two);
    person_unref(p);
    assert_int_equal(person_alive(), 0);
    person_cache_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_least_recently_used),
        cmocka_unit_test(test_sockets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
