/* topics.c -- bytes between workers: what the plugin publishes, and what the test delivers. */
#include "internal.h"

typedef struct published_item {
    char *topic, *bytes;
} published_item;

static int api_publish(parley_ctx *ctx, parley_str topic, parley_str bytes)
{
    published_item *item = calloc(1, sizeof(*item));

    (void)ctx;
    if (!item)
        abort();
    *item = (published_item){ fake_dup(topic), fake_dup(bytes) };
    fake_vec_push(&fake.published, item);
    return PARLEY_OK;
}

size_t fake_published(void)
{
    return fake.published.n;
}

const char *fake_published_text(size_t i, const char **ret_topic)
{
    const published_item *item = i < fake.published.n ? fake.published.p[i] : NULL;

    if (item && ret_topic)
        *ret_topic = item->topic;
    return item ? item->bytes : NULL;
}

static int api_subscribe(parley_ctx *ctx, parley_str topic, parley_bytes_fn fn, void *ud)
{
    fake_named *item = calloc(1, sizeof(*item));

    (void)ctx;
    if (!item)
        abort();
    item->name = fake_dup(topic);
    item->fn = fn;
    item->ud = ud;
    fake_vec_push(&fake.subs, item);
    return PARLEY_OK;
}

static int api_unsubscribe(parley_ctx *ctx, parley_str topic)
{
    (void)ctx;
    for (size_t i = 0; i < fake.subs.n; i++) {
        fake_named *item = fake.subs.p[i];

        if (item->fn && str_eq(str_of(item->name), topic)) {
            item->fn = NULL;
            return PARLEY_OK;
        }
    }
    return PARLEY_ENOENT;
}

static void api_deliver(parley_ctx *ctx, parley_str topic, parley_str bytes)
{
    (void)ctx;
    for (size_t i = 0; i < fake.subs.n; i++) {
        const fake_named *item = fake.subs.p[i];

        if (item->fn && str_eq(str_of(item->name), topic))
            item->fn(fake_ctx(), topic, bytes, item->ud);
    }
}

bool fake_subscribed(const char *topic)
{
    for (size_t i = 0; i < fake.subs.n; i++) {
        const fake_named *item = fake.subs.p[i];

        if (item->fn && strcmp(item->name, topic) == 0)
            return true;
    }
    return false;
}

void fake_deliver(const char *topic, const char *bytes)
{
    api_deliver(NULL, str_of(topic), str_of(bytes));
    fake_run();
}

void fake_topics_api(parley_api *api)
{
    api->publish = api_publish;
    api->subscribe = api_subscribe;
    api->unsubscribe = api_unsubscribe;
    api->deliver = api_deliver;
}

void fake_topics_done(void)
{
    for (size_t i = 0; i < fake.published.n; i++) {
        published_item *item = fake.published.p[i];

        free(item->topic);
        free(item->bytes);
        free(item);
    }
    free(fake.published.p);
    fake_named_free(&fake.subs);
    fake.published = (fake_vec){ NULL, 0 };
}
