/* services.c -- fake parley.kv, parley.mail and parley.auth. */
#include "internal.h"

#include <stdio.h>
#include <strings.h>

fake_kv_state fake_kv;
fake_mail_state fake_mail;

/* ---- parley.kv ---- */

typedef struct kv_item {
    char *key;
    char *value;
    size_t key_n, n;
    int64_t until_us; /* virtual wall clock; 0: for ever */
} kv_item;
static fake_vec items; /* kv_item */

typedef struct kv_late {
    parley_kv_taken taken;
    parley_kv_value value;
    parley_kv_take_fn take_fn;
    parley_kv_get_fn get_fn;
    void *ud;
    int status;
} kv_late;
static fake_vec held; /* kv_late that wait because of fake_kv.hold */

static void late_answer(kv_late *late)
{
    bool good = late->status >= 0;

    if (late->take_fn)
        late->take_fn(fake_ctx(), late->status, good ? &late->taken : NULL, late->ud);
    else
        late->get_fn(fake_ctx(), late->status, good ? &late->value : NULL, late->ud);
    free(late);
}

static void job_late(fake_job *job)
{
    if (fake_kv.hold) {
        fake_vec_push(&held, job->ud);
        return;
    }
    late_answer(job->ud);
}

static void held_release(void)
{
    fake_vec waiting = held;

    if (fake_kv.hold)
        return;
    held = (fake_vec){ NULL, 0 };
    for (size_t i = 0; i < waiting.n; i++)
        fake_job_push(job_late, NULL, waiting.p[i], 0);
    free(waiting.p);
}

void fake_kv_release(void)
{
    fake_kv.hold = false;
    held_release();
    fake_run();
}

static kv_late *late_new(void *ud)
{
    kv_late *late = calloc(1, sizeof(*late));

    if (!late)
        abort();
    late->ud = ud;
    late->status = fake_kv.status;
    fake_job_push(job_late, NULL, late, 0);
    return late;
}

static void taken_fill(parley_kv_taken *ret, uint32_t n)
{
    *ret = (parley_kv_taken){ PARLEY_SIZED(parley_kv_taken), .refused = fake_kv.refused,
                              .wait_us = fake_kv.wait_us };
    for (uint32_t i = 0; i < n; i++) {
        ret->left[i] = fake_kv.left;
        ret->reset_us[i] = fake_kv.reset_us;
    }
}

static int kv_take(parley_ctx *ctx, const parley_kv_limit *limits, uint32_t n, parley_kv_taken *ret,
                   parley_kv_take_fn fn, void *ud)
{
    (void)ctx;
    if (n == 0 || n > 32)
        fail_msg("take() of %u limits", n);
    fake_kv.takes++;
    fake_kv.n = n;
    for (uint32_t i = 0; i < n; i++) {
        if (limits[i].key.n == 0 || limits[i].key.n > 512)
            fail_msg("take() with a key of %zu bytes", limits[i].key.n);
        (void)snprintf(fake_kv.keys[i], sizeof(fake_kv.keys[i]), STR_FMT, STR_ARG(limits[i].key));
        fake_kv.limit[i] = limits[i].limit;
        fake_kv.window_us[i] = limits[i].window_us;
    }
    if (fake_kv.later) {
        kv_late *late = late_new(ud);

        taken_fill(&late->taken, n);
        late->take_fn = fn;
        return PARLEY_PENDING;
    }
    if (fake_kv.status < 0)
        return fake_kv.status;
    taken_fill(ret, n);
    return PARLEY_DONE;
}

static kv_item *item_find(str key)
{
    for (size_t i = 0; i < items.n; i++) {
        kv_item *item = items.p[i];

        if (str_eq((str){ item->key, item->key_n }, key))
            return item;
    }
    return NULL;
}

static int kv_set(parley_ctx *ctx, parley_str key, parley_str value, int64_t ttl_ms)
{
    kv_item *item = item_find(key);

    (void)ctx;
    if (fake_kv.status < 0)
        return fake_kv.status;
    if (key.n == 0 || key.n > 512 || value.n > 65536)
        return PARLEY_EINVAL;
    if (!item) {
        item = calloc(1, sizeof(*item));
        if (!item)
            abort();
        item->key = fake_dup(key);
        item->key_n = key.n;
        fake_vec_push(&items, item);
    }
    free(item->value);
    item->value = fake_dup(value);
    item->n = value.n;
    item->until_us = ttl_ms ? fake_now_us() + ttl_ms * 1000 : 0;
    return PARLEY_OK;
}

static void value_fill(str key, parley_kv_value *ret)
{
    const kv_item *item = item_find(key);
    bool there = item && item->value && (item->until_us == 0 || item->until_us > fake_now_us());

    *ret = (parley_kv_value){ PARLEY_SIZED(parley_kv_value) };
    if (there)
        ret->value = arena_str(&fake.views, (str){ item->value, item->n });
}

static int kv_get(parley_ctx *ctx, parley_str key, parley_kv_value *ret, parley_kv_get_fn fn,
                  void *ud)
{
    (void)ctx;
    if (fake_kv.later) {
        kv_late *late = late_new(ud);

        value_fill(key, &late->value);
        late->get_fn = fn;
        return PARLEY_PENDING;
    }
    if (fake_kv.status < 0)
        return fake_kv.status;
    value_fill(key, ret);
    return PARLEY_DONE;
}

static int kv_del(parley_ctx *ctx, parley_str key)
{
    kv_item *item = item_find(key);

    (void)ctx;
    if (item) {
        free(item->value);
        item->value = NULL;
    }
    return PARLEY_OK;
}

static const parley_kv kv_table = {
    .head = PARLEY_SERVICE(parley_kv, 0, 1),
    .take = kv_take,
    .set = kv_set,
    .get = kv_get,
    .del = kv_del,
};

void fake_kv_use(void)
{
    memset(&fake_kv, 0, sizeof(fake_kv));
    fake_service("parley.kv", &kv_table);
}

/* ---- parley.bus ---- */

static int bus_state;

static int bus_say(parley_ctx *ctx)
{
    (void)ctx;
    return bus_state;
}

static const parley_bus bus_table = {
    .head = PARLEY_SERVICE(parley_bus, 0, 1),
    .state = bus_say,
};

void fake_bus_use(int state)
{
    bus_state = state;
    fake_service("parley.bus", &bus_table);
}

/* ---- parley.mail ---- */

static parley_stmt mail_stmt;
static parley_param mail_params[2];

static int mail_statement(parley_ctx *ctx, const parley_mail_msg *msg, parley_sql *ret)
{
    const parley_db *db = fake.api.service(ctx, "parley.db");

    if (!db)
        fail_msg("fake_mail_use() needs fake_db_use()");
    if (mail_stmt.id == 0)
        (void)db->prepare(ctx, "INSERT INTO mail_queue(recipient, template) VALUES ($1, $2)",
                          &mail_stmt);
    if (msg->to.n == 0 || memchr(msg->to.p, '\n', msg->to.n) || memchr(msg->to.p, ',', msg->to.n))
        return PARLEY_EINVAL;
    fake_mail.n++;
    fake_mail.expires_us = msg->expires_us;
    (void)snprintf(fake_mail.to, sizeof(fake_mail.to), STR_FMT, STR_ARG(msg->to));
    (void)snprintf(fake_mail.template_name, sizeof(fake_mail.template_name), STR_FMT,
                   STR_ARG(msg->template_name));
    str vars = msg->vars ? fake.api.json_text(ctx, msg->vars) : STR("{}");
    (void)snprintf(fake_mail.vars, sizeof(fake_mail.vars), STR_FMT, STR_ARG(vars));
    mail_params[0] = (parley_param)PARLEY_TEXT(str_of(fake_mail.to));
    mail_params[1] = (parley_param)PARLEY_TEXT(str_of(fake_mail.template_name));
    *ret = (parley_sql){ mail_stmt, mail_params, 2 };
    return PARLEY_OK;
}

static void mail_wake(parley_ctx *ctx)
{
    (void)ctx;
    fake_mail.wakes++;
}

static const parley_mail mail_table = {
    .head = PARLEY_SERVICE(parley_mail, 0, 1),
    .statement = mail_statement,
    .wake = mail_wake,
};

void fake_mail_use(void)
{
    memset(&fake_mail, 0, sizeof(fake_mail));
    mail_stmt.id = 0;
    fake_service("parley.mail", &mail_table);
}

/* ---- parley.auth ---- */

static fake_vec persons; /* const parley_person * */

void fake_auth_person(const parley_person *person)
{
    fake_vec_push(&persons, (void *)(uintptr_t)person);
}

static const parley_person *auth_person(parley_req req)
{
    str user = fake.api.user(req);

    for (size_t i = 0; i < persons.n && user.p; i++) {
        const parley_person *person = persons.p[i];

        if (str_eq(person->uid, user))
            return person;
    }
    return NULL;
}

/* Good enough for addresses of tests: ASCII in lower case, one @ with something on both sides. */
static int auth_email_key(parley_str address, char *ret, size_t size)
{
    str s = str_trim(address);
    int64_t at = str_find(s, '@');

    if (at <= 0 || (size_t)at + 1 >= s.n || s.n >= size ||
        str_find(str_tail(s, (size_t)at + 1), '@') >= 0)
        return PARLEY_EINVAL;
    for (size_t i = 0; i < s.n; i++)
        ret[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]);
    ret[s.n] = '\0';
    return (int)s.n;
}

static const parley_auth auth_table = {
    .head = PARLEY_SERVICE(parley_auth, 0, 1),
    .person = auth_person,
    .email_key = auth_email_key,
};

void fake_auth_use(void)
{
    fake_service("parley.auth", &auth_table);
}

void fake_services_done(void)
{
    fake_kv.hold = false;
    held_release();
    fake_run();
    for (size_t i = 0; i < items.n; i++) {
        kv_item *item = items.p[i];

        free(item->key);
        free(item->value);
        free(item);
    }
    free(items.p);
    free(persons.p);
    items = persons = (fake_vec){ NULL, 0 };
}
