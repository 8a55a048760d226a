/* test_plugin_order.c -- needs against services: start order, and the words when it does not work
 * out. */
#include "core/host/plugin.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>

enum { MAX = 6 };

/* One plugin in a case: "needs" and "offers" of at most two services. */
typedef struct row {
    const char *name, *version;
    parley_need needs[2];
    struct {
        const char *service;
        uint16_t major, minor;
    } offers[2];
} row;

typedef struct order_case {
    const char *label;
    row rows[MAX];
    const char *want; /* names in order, or the text of the failure */
} order_case;

/* clang-format off */
static const order_case cases[] = {
    { "nobody", { { 0 } }, "" },
    { "no needs: the order of the YAML", { { .name = "b" }, { .name = "a" }, { .name = "c" } }, "b a c " },
    { "provider first", {
        { .name = "chat", .needs = { { "parley.db", 1, 0, 0 } } },
        { .name = "sqlite", .offers = { { "parley.db", 1, 0 } } } }, "sqlite chat " },
    { "chain, and the order of the YAML among equals", {
        { .name = "chat", .needs = { { "parley.auth", 1, 0, 0 }, { "parley.db", 1, 0, 0 } } },
        { .name = "accounts", .needs = { { "parley.db", 1, 0, 0 } }, .offers = { { "parley.auth", 1, 0 } } },
        { .name = "logging" },
        { .name = "sqlite", .offers = { { "parley.db", 1, 3 } } },
        { .name = "memory", .offers = { { "parley.kv", 1, 0 }, { "parley.bus", 1, 0 } } } },
      "logging sqlite accounts chat memory " },
    { "optional and there", {
        { .name = "a", .needs = { { "x", 1, 0, 1 } } },
        { .name = "b", .offers = { { "x", 1, 0 } } } }, "b a " },
    { "optional and absent", { { .name = "a", .needs = { { "x", 1, 0, 1 } } } }, "a " },
    { "optional and too old", {
        { .name = "a", .needs = { { "x", 1, 5, 1 } } },
        { .name = "b", .offers = { { "x", 1, 0 } } } }, "a b " },
    { "its own service", { { .name = "a", .needs = { { "x", 1, 0, 0 } }, .offers = { { "x", 1, 0 } } } }, "a " },
    { "two majors side by side", {
        { .name = "a", .needs = { { "x", 2, 0, 0 } } },
        { .name = "b", .version = "1", .offers = { { "x", 1, 0 }, { "x", 2, 1 } } } }, "b a " },
    { "missing, one of ours", { { .name = "chat", .needs = { { "parley.auth", 1, 0, 0 } } } },
      "plugin \"chat\": needs service parley.auth 1.0; no configured plugin offers it. Add \"accounts\" to plugins: "
      "(before or after, order does not matter)." },
    { "missing database", { { .name = "chat", .needs = { { "parley.db", 1, 2, 0 } } } },
      "plugin \"chat\": needs service parley.db 1.2; no configured plugin offers it. Add \"sqlite\" to plugins: "
      "(before or after, order does not matter)." },
    { "missing, unknown", { { .name = "bot", .needs = { { "acme.words", 1, 0, 0 } } } },
      "plugin \"bot\": needs service acme.words 1.0; no configured plugin offers it. Add one that does to plugins: "
      "(before or after, order does not matter)." },
    { "too old", {
        { .name = "chat", .needs = { { "parley.auth", 1, 2, 0 } } },
        { .name = "accounts", .version = "1.0.3", .offers = { { "parley.auth", 1, 0 } } } },
      "plugin \"chat\": needs service parley.auth 1.2; plugin \"accounts\" 1.0.3 offers 1.0. Update \"accounts\"." },
    { "another major, newer", {
        { .name = "chat", .needs = { { "parley.auth", 1, 2, 0 } } },
        { .name = "accounts", .version = "2.0.0", .offers = { { "parley.auth", 2, 0 } } } },
      "plugin \"chat\": needs service parley.auth 1.2; plugin \"accounts\" 2.0.0 offers 2.0. Update \"chat\"." },
    { "major 0, same minor", {
        { .name = "chat", .needs = { { "parley.db", 0, 1, 0 } } },
        { .name = "sqlite", .version = "0.1.0", .offers = { { "parley.db", 0, 1 } } } }, "sqlite chat " },
    { "major 0, newer minor", {
        { .name = "chat", .needs = { { "parley.db", 0, 1, 0 } } },
        { .name = "sqlite", .version = "0.2.0", .offers = { { "parley.db", 0, 2 } } } },
      "plugin \"chat\": needs service parley.db 0.1; plugin \"sqlite\" 0.2.0 offers 0.2. Update \"chat\"." },
    { "cycle of two", {
        { .name = "a", .needs = { { "x", 1, 0, 0 } }, .offers = { { "y", 1, 0 } } },
        { .name = "b", .needs = { { "y", 1, 0, 0 } }, .offers = { { "x", 1, 0 } } } },
      "plugins: \"a\" needs \"b\" needs \"a\": none of them can start first. Remove one of them from plugins:." },
    { "cycle of three, and one that waits for it", {
        { .name = "late", .needs = { { "x", 1, 0, 0 } } },
        { .name = "a", .needs = { { "y", 1, 0, 0 } }, .offers = { { "x", 1, 0 } } },
        { .name = "b", .needs = { { "z", 1, 0, 0 } }, .offers = { { "y", 1, 0 } } },
        { .name = "c", .needs = { { "x", 1, 0, 0 } }, .offers = { { "z", 1, 0 } } },
        { .name = "free" } },
      "plugins: \"b\" needs \"c\" needs \"a\" needs \"b\": none of them can start first. Remove one of them from plugins:." },
};
/* clang-format on */

typedef struct bench {
    parley_plugin defs[MAX];
    plugin plugins[MAX];
    plugin *list[MAX], *order[MAX];
    parley_service tables[2 * MAX];
    service services[2 * MAX];
    size_t n, service_n;
} bench;

static void bench_add(bench *b, const row *r)
{
    size_t i = b->n++;

    b->defs[i] = (parley_plugin){ .name = r->name,
                                  .version = r->version,
                                  .needs = r->needs,
                                  .need_stride = sizeof(parley_need) };
    while (b->defs[i].need_n < 2 && r->needs[b->defs[i].need_n].service)
        b->defs[i].need_n++;
    b->plugins[i] = (plugin){ .def = &b->defs[i], .name = str_of(r->name), .index = i };
    b->list[i] = &b->plugins[i];
    for (size_t k = 0; k < 2 && r->offers[k].service; k++) {
        size_t s = b->service_n++;
        b->tables[s] =
            (parley_service){ sizeof(parley_service), r->offers[k].major, r->offers[k].minor };
        b->services[s] = (service){ r->offers[k].service, &b->tables[s], &b->plugins[i] };
    }
}

static void test_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bench b = { 0 };
        failure f = { 0 };
        char got[640] = "";
        for (size_t k = 0; k < MAX && cases[i].rows[k].name; k++)
            bench_add(&b, &cases[i].rows[k]);
        if (plugins_order(b.list, b.n, b.services, b.service_n, b.order, &f) == 0)
            for (size_t k = 0; k < b.n; k++)
                (void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ",
                               b.order[k]->def->name);
        else
            (void)snprintf(got, sizeof(got), "%s", f.text);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("case \"%s\":\n got: %s\nwant: %s", cases[i].label, got, cases[i].want);
        assert_int_equal(f.status, f.text[0] ? EXIT_CONFIG : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
