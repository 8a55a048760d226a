/* conf.c -- the plugin's options: the test's texts, or the table's defaults, checked by the
 * server's own code. */
#include "core/host/option.h"
#include "internal.h"

#include <jansson.h>
#include <stdio.h>

/* This library's parley_conf; the server's has another inside. */
struct parley_conf {
    const parley_plugin *def;
    option_value *values; /* of option i */
    parley_json **trees;
};

static const parley_option *option_at(const parley_plugin *def, uint32_t i)
{
    const char *row = (const char *)def->options + (size_t)i * def->option_stride;

    return (const parley_option *)(const void *)row;
}

static int64_t option_find(const parley_plugin *def, const char *name)
{
    for (uint32_t i = 0; i < def->option_n; i++)
        if (strcmp(option_at(def, i)->name, name) == 0)
            return i;
    return -1;
}

/* YAML's scalars are texts. */
static json_t *scalars_to_text(json_t *j)
{
    char text[64];
    const char *key;
    json_t *item;
    size_t i;

    if (json_is_object(j)) {
        json_object_foreach(j, key, item)(void)
            json_object_set_new(j, key, scalars_to_text(json_incref(item)));
        return j;
    }
    if (json_is_array(j)) {
        json_array_foreach(j, i, item)(void)
            json_array_set_new(j, i, scalars_to_text(json_incref(item)));
        return j;
    }
    if (json_is_integer(j))
        (void)snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(j));
    else if (json_is_boolean(j))
        (void)snprintf(text, sizeof(text), "%s", json_is_true(j) ? "true" : "false");
    else
        return j;
    json_decref(j);
    return json_string(text);
}

static int value_read(uint32_t i, const char *text)
{
    const parley_option *o = option_at(fake.def, i);
    char why[OPTION_WHY] = "";

    if (o->type == PARLEY_T_TREE) {
        parley_json *tree = json_read(str_of(text), why, sizeof(why));

        if (!tree)
            fail_msg("option %s is not JSON: %s", o->name, why);
        fake.conf->trees[i] = (parley_json *)(void *)scalars_to_text((json_t *)(void *)tree);
        return 0;
    }
    if (option_read(o, str_of(text), &fake.conf->values[i], why) == 0)
        return 0;
    (void)snprintf(fake.why, sizeof(fake.why), "%s: %s", o->name, why);
    return -1;
}

static int unknown_check(const parley_plugin *def, const fake_option *options)
{
    for (; options && options->name; options++)
        if (option_find(def, options->name) < 0) {
            (void)snprintf(fake.why, sizeof(fake.why), "%s: unknown key", options->name);
            return -1;
        }
    return 0;
}

int fake_conf_make(const parley_plugin *def, const fake_option *options)
{
    fake_conf_done();
    fake.conf = calloc(1, sizeof(*fake.conf));
    if (!fake.conf)
        abort();
    fake.conf->def = def;
    fake.conf->values = calloc(def->option_n + 1, sizeof(option_value));
    fake.conf->trees = calloc(def->option_n + 1, sizeof(parley_json *));
    if (!fake.conf->values || !fake.conf->trees)
        abort();
    if (unknown_check(def, options) < 0)
        return -1;
    for (uint32_t i = 0; i < def->option_n; i++) {
        const parley_option *o = option_at(def, i);
        const fake_option *given = options;

        while (given && given->name && strcmp(given->name, o->name) != 0)
            given++;
        const char *text = given && given->name ? given->value : o->def;
        if (!text && (o->flags & PARLEY_O_REQUIRED)) {
            (void)snprintf(fake.why, sizeof(fake.why), "%s: is missing", o->name);
            return -1;
        }
        if (text && value_read(i, text) < 0)
            return -1;
    }
    return 0;
}

void fake_conf_done(void)
{
    if (!fake.conf)
        return;
    for (uint32_t i = 0; i < fake.conf->def->option_n; i++)
        json_release(fake.conf->trees[i]);
    free(fake.conf->trees);
    free(fake.conf->values);
    free(fake.conf);
    fake.conf = NULL;
}

static uint32_t declared(const parley_conf *conf, const char *name)
{
    int64_t i = option_find(conf->def, name);

    if (i < 0)
        fail_msg("the plugin asks for the option \"%s\", which its table lacks", name);
    return (uint32_t)i;
}

static parley_str api_conf_str(const parley_conf *conf, const char *name)
{
    return conf->values[declared(conf, name)].text;
}

static int64_t api_conf_int(const parley_conf *conf, const char *name)
{
    return conf->values[declared(conf, name)].num;
}

static const parley_json *api_conf_tree(const parley_conf *conf, const char *name)
{
    return conf->trees[declared(conf, name)];
}

void fake_conf_api(parley_api *api)
{
    api->conf_str = api_conf_str;
    api->conf_int = api_conf_int;
    api->conf_tree = api_conf_tree;
}
