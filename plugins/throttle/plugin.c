/* plugin.c -- throttle: counts requests and events in scopes, and refuses what is too much.
 *
 * One middleware of the stage LIMIT: all scopes that want a request are asked in one call of
 * parley.kv, which counts exactly whatever races.  Without the store nothing is refused: a chat
 * that answers is worth more than a limit. */
#include "plugins/throttle/key.h"
#include "plugins/throttle/scopes.h"

#include <parley/kv.h>
#include <string.h>

enum { KEY_MAX = 9 + SCOPE_NAME + 1 + SCOPE_PATH + 10 + 1 + KEY_WHO + 64 };

static struct {
    const parley_kv *kv;
    scopes scopes;
    bool headers;
    bool kv_failed; /* as of the last answer */
} throttle;

/* One request that waits for its verdict; memory of the request. */
typedef struct ask {
    parley_req req;
    bool is_http;
    uint32_t n;
    const scope *scopes[SCOPES_MAX];
    parley_kv_limit limits[SCOPES_MAX];
    char keys[]; /* KEY_MAX for each */
} ask;

/* clang-format off */
static const parley_option options[] = {
    { .name = "scopes", .type = PARLEY_T_TREE, .flags = PARLEY_O_REQUIRED,
      .help = "a map of scopes. Each has rate: <n>/second|minute|hour|day, empty lifts it; by: user, peer (IPv6: per /64) or "
              "field:<name of a JSON field>; on: all (HTTP requests; no health pages, no files), or a list of \"METHOD /route/:as/registered/\", "
              "\"EVENT type\", \"WS /path/\"; optional when: anonymous|authenticated|always, except: like on, each: true "
              "(a bucket per pattern)" },
    { .name = "headers", .type = PARLEY_T_BOOL, .def = "true",
      .help = "answers tell the client's limits: RateLimit, RateLimit-Policy, X-RateLimit-*" },
};
static const parley_need needs[] = {
    { .service = "parley.kv", .major = 0, .minor = 1 },
};
/* clang-format on */

/* ---- keys ---- */

/* Whom the request counts for; 0: it does not count in this scope. */
static size_t who_of(parley_req req, const scope *s, char ret[KEY_WHO])
{
    parley_str user = parley->user(req);

    if (s->by == BY_PEER)
        return key_peer(parley->req_peer(req), ret);
    if (s->by == BY_USER && user.n < KEY_WHO) {
        memcpy(ret, user.p, user.n);
        return user.n;
    }
    if (s->by == BY_USER)
        return key_name(user, ret);
    parley_str name = parley->json_str(parley->json_get(parley->req_json(req), s->field));
    return name.p ? key_name(name, ret) : 0;
}

static bool limit_add(ask *a, const scope *s, const pattern *by)
{
    char who[KEY_WHO], *key = a->keys + (size_t)a->n * KEY_MAX;
    size_t who_n = who_of(a->req, s, who);
    bool each = s->each && by->method.p;

    if (who_n == 0)
        return false;
    int n = snprintf(key, KEY_MAX, "throttle:%.*s:%.*s%s%.*s:%.*s", (int)s->name.n, s->name.p,
                     each ? (int)by->method.n : 0, each ? by->method.p : "", each ? " " : "",
                     each ? (int)by->path.n : 0, each ? by->path.p : "", (int)who_n, who);
    a->scopes[a->n] = s;
    a->limits[a->n++] = (parley_kv_limit){ { key, (size_t)n }, s->rate.limit, s->rate.window_us };
    return true;
}

/* ---- the answer ---- */

static void header_add(parley_req req, const char *name, const char *text, int n, size_t room)
{
    if (n > 0 && (size_t)n < room)
        (void)parley->reply_header(req, name, (parley_str){ text, (size_t)n });
}

static void header_number(parley_req req, const char *name, int64_t number)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%lld", (long long)number);

    header_add(req, name, text, n, sizeof(text));
}

/* All limits that count this request, and the one with the least left in the
 * older header fields. */
static void headers_add(const ask *a, const parley_kv_taken *taken)
{
    char policy[1024], now[1024];
    int policy_n = 0, now_n = 0;
    uint32_t least = 0;

    for (uint32_t i = 0; i < a->n; i++) {
        const scope *s = a->scopes[i];
        size_t policy_room = sizeof(policy) - (size_t)policy_n;
        size_t now_room = sizeof(now) - (size_t)now_n;

        if (policy_room < 128 || now_room < 128)
            break;
        policy_n += snprintf(policy + policy_n, policy_room, "%s\"%.*s\";q=%lld;w=%lld",
                             i ? ", " : "", (int)s->name.n, s->name.p, (long long)s->rate.limit,
                             (long long)(s->rate.window_us / 1000000));
        now_n += snprintf(now + now_n, now_room, "%s\"%.*s\";r=%lld;t=%lld", i ? ", " : "",
                          (int)s->name.n, s->name.p, (long long)taken->left[i],
                          (long long)rate_seconds(taken->reset_us[i]));
        if (taken->left[i] < taken->left[least])
            least = i;
    }
    header_add(a->req, "RateLimit-Policy", policy, policy_n, sizeof(policy));
    header_add(a->req, "RateLimit", now, now_n, sizeof(now));
    header_number(a->req, "X-RateLimit-Limit", a->scopes[least]->rate.limit);
    header_number(a->req, "X-RateLimit-Remaining", taken->left[least]);
    header_number(a->req, "X-RateLimit-Reset", rate_seconds(taken->reset_us[least]));
}

static void kv_state(parley_ctx *ctx, int status)
{
    bool failed = status < 0;

    if (failed && !throttle.kv_failed)
        parley_logf(ctx, PARLEY_ERROR, "parley.kv failed (%d): nothing is limited until it answers",
                    status);
    if (!failed && throttle.kv_failed)
        parley_logf(ctx, PARLEY_INFO, "parley.kv answers again: limits count");
    throttle.kv_failed = failed;
}

/* Every scope that would have let it pass counts a pass only if all did. */
static void scopes_count(const ask *a, const parley_kv_taken *taken)
{
    for (uint32_t i = 0; i < a->n; i++)
        if (taken->refused == 0)
            parley->metric_add(a->scopes[i]->passed, 1);
        else if (taken->refused & (1u << i))
            parley->metric_add(a->scopes[i]->refused, 1);
}

/* NEXT, or DENY after the refusal was made. */
static int verdict(const ask *a, const parley_kv_taken *taken)
{
    if (throttle.headers && a->is_http)
        headers_add(a, taken);
    scopes_count(a, taken);
    if (taken->refused == 0)
        return PARLEY_NEXT;
    (void)parley->deny_throttled(a->req, rate_seconds(taken->wait_us));
    return PARLEY_DENY;
}

static void kv_took(parley_ctx *ctx, int status, const parley_kv_taken *taken, void *ud)
{
    const ask *a = ud;

    if (status != PARLEY_ECANCELED) /* shutdown says nothing about the store */
        kv_state(ctx, status);
    if (status < 0 || verdict(a, taken) == PARLEY_NEXT)
        (void)parley->go_on(a->req);
}

/* ---- the middleware ---- */

static uint32_t wanted_find(parley_req req, const scope **ret, const pattern **ret_by)
{
    asked what = { parley->req_method(req), parley->req_route(req), parley->req_route_flags(req) };
    bool has_user = parley->user(req).p != NULL;
    uint32_t n = 0;

    /* The server refuses these with 401 before they come here; they must never count. */
    if (!has_user && (what.route_flags & PARLEY_R_USER))
        return 0;
    for (size_t i = 0; i < throttle.scopes.n; i++)
        if (scope_wants(&throttle.scopes.list[i], &what, has_user, &ret_by[n]))
            ret[n++] = &throttle.scopes.list[i];
    return n;
}

static int request_limit(parley_ctx *ctx, parley_req req, void *ud)
{
    const scope *wanted[SCOPES_MAX];
    const pattern *by[SCOPES_MAX];
    uint32_t n = wanted_find(req, wanted, by);
    parley_str method = parley->req_method(req);

    (void)ud;
    if (n == 0)
        return PARLEY_NEXT;
    ask *a = parley->req_alloc(req, sizeof(*a) + (size_t)n * KEY_MAX);
    if (!a)
        return PARLEY_ENOMEM;
    a->req = req;
    a->is_http = method.n != 5 || memcmp(method.p, "EVENT", 5) != 0;
    for (uint32_t i = 0; i < n; i++)
        (void)limit_add(a, wanted[i], by[i]);
    if (a->n == 0)
        return PARLEY_NEXT;

    parley_kv_taken taken = { .size = (uint32_t)sizeof(taken) };
    int status = throttle.kv->take(ctx, a->limits, a->n, &taken, kv_took, a);
    if (status == PARLEY_PENDING)
        return PARLEY_PENDING;
    kv_state(ctx, status);
    return status < 0 ? PARLEY_NEXT : verdict(a, &taken);
}

/* ---- the plugin's life ---- */

static int scope_meters(parley_ctx *ctx, scope *s)
{
    parley_meter *const all[] = { &s->passed, &s->refused };
    const char *const outcomes[] = { "passed", "refused" };
    char name[SCOPE_NAME + 1];

    (void)snprintf(name, sizeof(name), "%.*s", (int)s->name.n, s->name.p);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const char *const labels[] = { "scope", name, "outcome", outcomes[i], NULL };
        int err = parley->metric(
            ctx,
            &(parley_metric){
                PARLEY_SIZED(parley_metric), .kind = PARLEY_M_COUNTER, .name = "parley_throttle",
                .help = "Requests and events that a scope counted, and those it refused.",
                .labels = labels },
            all[i]);
        if (err < 0)
            return err;
    }
    return 0;
}

static int throttle_load(parley_ctx *ctx, const parley_conf *conf)
{
    int err = scopes_read(ctx, parley->conf_tree(conf, "scopes"), &throttle.scopes);

    if (err < 0)
        return err;
    for (size_t i = 0; i < throttle.scopes.n && err == 0; i++)
        err = scope_meters(ctx, &throttle.scopes.list[i]);
    if (err < 0)
        return err;
    throttle.headers = parley->conf_int(conf, "headers") != 0;
    return parley->use(ctx, PARLEY_LIMIT, "", request_limit, NULL);
}

static int throttle_start(parley_ctx *ctx)
{
    throttle.kv = parley->service(ctx, "parley.kv");
    throttle.kv_failed = false;
    return 0;
}

static int throttle_stop(parley_ctx *ctx)
{
    (void)ctx;
    scopes_done(&throttle.scopes);
    return 0;
}

PARLEY_PLUGIN(.name = "throttle", .version = "0.1.0",
              .about = "limits how often users and addresses may ask", .license = "MIT",
              PARLEY_LIST(option, options), PARLEY_LIST(need, needs), .load = throttle_load,
              .start = throttle_start, .stop = throttle_stop)
