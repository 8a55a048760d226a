/* plugin.c -- accounts: registration, verification by mail, login, sessions, passwords; who a request
 * or a socket is.
 *
 * Routes, options and needs are the tables of this file. */
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/auth.h"
#include "plugins/accounts/browser.h"
#include "plugins/accounts/decoy.h"
#include "plugins/accounts/doc.h"
#include "plugins/accounts/hash.h"
#include "plugins/accounts/person.h"
#include "plugins/accounts/revocation.h"
#include "plugins/accounts/verb.h"
#include <sodium.h>

accounts_state accounts;

/* clang-format off */
static const parley_option options[] = {
    { "session_ttl", "30d", NULL, "a session ends when it was not used for so long",
      PARLEY_T_MS, 0, 60000, 31536000000 },
    { "session_cache", "10000", NULL, "sessions that a worker remembers", PARLEY_T_INT, 0, 16, 10000000 },
    { "verify_ttl", "24h", NULL, "how long the link of a verification mail works", PARLEY_T_MS, 0, 1000, 2592000000 },
    { "reset_ttl", "1h", NULL, "how long the link of a mail for a new password works", PARLEY_T_MS, 0, 1000, 2592000000 },
    { "query_token", "false", NULL, "a WebSocket may be opened with ?token=<key>; addresses end up in logs of others",
      PARLEY_T_BOOL, 0, 0, 0 },
    { "audit_ttl", "365d", NULL, "how long the audit log is kept", PARLEY_T_MS, 0, 60000, 315360000000 },
    { "home", NULL, NULL, "where the pages that mails lead to send people on to: / if the plugin web is there, or an address; empty: nowhere",
      PARLEY_T_STR, 0, 0, HOME_MAX },
    { "unverified_ttl", "7d", NULL, "accounts that were not verified for so long are removed",
      PARLEY_T_MS, 0, 60000, 31536000000 },
    { "hash_parallel", "2", NULL, "passwords hashed at a time", PARLEY_T_INT, 0, 1, 64 },
    { "hash_queue", "64", NULL, "passwords that may wait for it; more are answered 503", PARLEY_T_INT, 0, 1, 100000 },
    { "hash_memory", "19MiB", NULL, "memory of one password hash (argon2id)", PARLEY_T_BYTES, 0, 8192, 4294967296 },
    { "hash_passes", "2", NULL, "passes of one password hash (argon2id)", PARLEY_T_INT, 0, 1, 1000 },
};

static const parley_need needs[] = {
    { "parley.db", 0, 1, 0 },
    { "parley.mail", 0, 1, 0 },
};

static const struct {
    const char *method, *path;
    uint32_t flags;
    parley_req_fn handler;
    const parley_doc *doc;
} routes[] = {
    { "POST", "/api/auth/register/",            0,             register_handle,    &doc_register },
    { "POST", "/api/auth/login/",               0,             login_handle,       &doc_login },
    { "POST", "/api/auth/resend-verification/", 0,             resend_handle,      &doc_resend },
    { "POST", "/api/auth/verify-email/:token/", PARLEY_R_PAGE, verify_handle_post, &doc_verify },
    { "GET",  "/api/auth/verify-email/:token/", PARLEY_R_PAGE, verify_handle_get,  &doc_verify_page },
    { "POST", "/api/auth/reset-password/",      0,             reset_ask_handle,   &doc_reset_ask },
    { "POST", "/api/auth/reset-password/:token/", PARLEY_R_PAGE, reset_handle_post,  &doc_reset },
    { "GET",  "/api/auth/reset-password/:token/", PARLEY_R_PAGE, reset_handle_get,   &doc_reset_page },
    { "GET",  "/api/auth/profile/",             PARLEY_R_USER, profile_handle,     &doc_profile },
    { "GET",  "/api/auth/sessions/",            PARLEY_R_USER, sessions_handle,    &doc_sessions },
    { "DELETE", "/api/auth/sessions/:id(uuid)/", PARLEY_R_USER, session_end_handle, &doc_session_end },
    { "POST", "/api/auth/logout/",              PARLEY_R_USER, session_end_handle, &doc_logout },
    { "POST", "/api/auth/change-password/",     PARLEY_R_USER, change_handle,      &doc_change },
    { "POST", "/api/auth/ws-ticket/",           PARLEY_R_USER, ticket_handle,      &doc_ticket },
};
/* clang-format on */

/* clang-format off */
#define LABEL(name, value) (const char *const[]){ name, value, NULL }
static const struct {
    parley_meter *ret;
    parley_metric what;
} metrics[] = {
    { &accounts.login_ok,     { PARLEY_SIZED(parley_metric), .kind = PARLEY_M_COUNTER, .name = "parley_logins", .help = "Log-ins, by outcome.", .labels = LABEL("outcome", "ok") } },
    { &accounts.login_failed, { PARLEY_SIZED(parley_metric), .kind = PARLEY_M_COUNTER, .name = "parley_logins", .help = "Log-ins, by outcome.", .labels = LABEL("outcome", "refused") } },
    { &accounts.registered,   { PARLEY_SIZED(parley_metric), .kind = PARLEY_M_COUNTER, .name = "parley_registrations", .help = "Accounts that were made." } },
    { &accounts.hash_waiting, { PARLEY_SIZED(parley_metric), .kind = PARLEY_M_GAUGE, .name = "parley_password_queue", .help = "Passwords that wait to be hashed." } },
};
/* clang-format on */

static int metrics_load(parley_ctx *ctx)
{
    for (size_t i = 0; i < COUNT(metrics); i++) {
        int err = parley->metric(ctx, &metrics[i].what, metrics[i].ret);

        if (err < 0)
            return err;
    }
    return 0;
}

/* It becomes part of a page: nothing in it may be markup. */
static int home_read(parley_ctx *ctx, const parley_conf *conf)
{
    static const char *const starts[] = { "/", "http://", "https://" };
    parley_str home = parley->conf_str(conf, "home");
    int is_address = home.n == 0;

    for (size_t i = 0; i < COUNT(starts); i++)
        is_address |=
            home.n >= strlen(starts[i]) && memcmp(home.p, starts[i], strlen(starts[i])) == 0;
    for (size_t i = 0; i < home.n; i++)
        is_address &= home.p[i] > ' ' && home.p[i] < 0x7f && !strchr("\"'<>&", home.p[i]);
    if (!is_address)
        return parley->conf_fail(ctx, "home",
                                 "must be a path (/) or an address (https://chat.example.org/),"
                                 " in ASCII, without blanks, quotes, < > or &");
    accounts.home = home;
    return 0;
}

static int accounts_load(parley_ctx *ctx, const parley_conf *conf)
{
    accounts.ctx = ctx;
    if (sodium_init() < 0)
        return parley->fail(ctx, "libsodium does not start");
    accounts.session_ttl_us = parley->conf_int(conf, "session_ttl") * 1000;
    accounts.verify_ttl_us = parley->conf_int(conf, "verify_ttl") * 1000;
    accounts.reset_ttl_us = parley->conf_int(conf, "reset_ttl") * 1000;
    accounts.audit_ttl_us = parley->conf_int(conf, "audit_ttl") * 1000;
    accounts.query_token = parley->conf_int(conf, "query_token") != 0;
    accounts.unverified_ttl_us = parley->conf_int(conf, "unverified_ttl") * 1000;
    hash_configure(conf);
    int err = home_read(ctx, conf);
    if (err < 0)
        return err;
    if (person_cache_create((size_t)parley->conf_int(conf, "session_cache")) < 0)
        return parley->fail(ctx, "no memory for the cache of sessions");
    for (size_t i = 0; i < COUNT(routes); i++) {
        parley_route route = { PARLEY_SIZED(parley_route), .flags = routes[i].flags,
                               .method = routes[i].method, .path = routes[i].path,
                               .fn = routes[i].handler,    .doc = routes[i].doc };
        err = parley->route(ctx, &route);
        if (err < 0)
            return err;
    }
    err = metrics_load(ctx);
    if (err >= 0)
        err = docs_load(ctx);
    if (err >= 0)
        err = verbs_load(ctx);
    return err < 0 ? err : auth_register(ctx);
}

static int accounts_start(parley_ctx *ctx)
{
    accounts.db = parley->service(ctx, "parley.db");
    accounts.mail = parley->service(ctx, "parley.mail");
    int err = sql_prepare_all();
    if (err >= 0)
        err = browser_start();
    if (err >= 0)
        err = decoy_start();
    if (err >= 0)
        err = revocation_start();
    return err < 0 ? err : tidy_start();
}

static int accounts_stop(parley_ctx *ctx)
{
    (void)ctx;
    revocation_stop();
    person_cache_free();
    return 0;
}

PARLEY_PLUGIN(.name = "accounts", .version = "0.1.0",
              .about = "registration, verification by mail, login, sessions, passwords",
              .license = "MIT", PARLEY_LIST(option, options), PARLEY_LIST(need, needs),
              .migrations = "accounts", .load = accounts_load, .start = accounts_start,
              .stop = accounts_stop)
