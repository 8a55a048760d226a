/* plugin.c -- admin: the administrator's pages at /admin/, and the API behind them.
 *
 * The page is the files of the folder admin/ of share_dir; all it knows comes from /api/admin/, which
 * is for staff and superusers alone (rights.c). */
#include "plugins/admin/admin.h"
#include "plugins/admin/doc.h"
#include "plugins/admin/listing.h"
#include "plugins/common/site.h"

PARLEY_HIDDEN admin_state admin;

static site page = { .folder = "admin", .prefix = "/admin/", .index = "/admin/" };

/* clang-format off */
static const parley_option options[] = {
    { "allow", "", NULL, "networks from which the pages and their API can be reached, as seen behind trusted_proxies: "
      "10.0.0.0/8, ::1; others are answered 404; empty: from everywhere", PARLEY_T_STR, 0, 0, 4096 },
};

static const parley_need needs[] = {
    { "parley.db", 0, 1, 0 },
    { "parley.auth", 0, 1, 0 },
    { "parley.chat", 0, 1, 0 },
    { "parley.mail", 0, 1, 0 },
};

#define API  "/api/admin/"
#define USER API "users/:id(uuid)/"
#define ROOM API "rooms/:id(uuid)/"

static const struct {
    const char *method, *path;
    parley_req_fn handler;
    const void *ud;
    const parley_doc *doc;
} routes[] = {
    { "GET",    API "me/",                          me_handle,          NULL,                 &doc_me },
    { "GET",    API "server/",                      server_handle,      NULL,                 &doc_server },
    { "GET",    API "users/",                       list_handle,        &list_users,          &doc_users },
    { "GET",    USER,                               show_handle,        &list_user,           &doc_user },
    { "POST",   USER "verify/",                     user_change_handle, &act_verify,          &doc_verify },
    { "POST",   USER "disable/",                    user_change_handle, &act_disable,         &doc_disable },
    { "POST",   USER "enable/",                     user_change_handle, &act_enable,          &doc_enable },
    { "POST",   USER "end-sessions/",               user_change_handle, &act_end_sessions,    &doc_end_sessions },
    { "POST",   USER "role/",                       user_role_handle,   NULL,                 &doc_role },
    { "DELETE", USER "sessions/:session(uuid)/",    user_change_handle, &act_end_sessions,    &doc_end_session },
    { "GET",    API "rooms/",                       list_handle,        &list_rooms,          &doc_rooms },
    { "GET",    ROOM,                               show_handle,        &list_room,           &doc_room },
    { "DELETE", ROOM,                               room_change_handle, &act_room_delete,     &doc_room_delete },
    { "GET",    ROOM "members/",                    list_handle,        &list_members,        &doc_members },
    { "DELETE", ROOM "members/:user(uuid)/",        room_change_handle, &act_member_remove,   &doc_member_remove },
    { "GET",    ROOM "messages/",                   list_handle,        &list_said,           &doc_said },
    { "GET",    API "messages/",                    list_handle,        &list_messages,       &doc_messages },
    { "DELETE", API "messages/:id(uuid)/",          room_change_handle, &act_message_delete,  &doc_message_delete },
    { "GET",    API "mails/",                       list_handle,        &list_mails,          &doc_mails },
    { "POST",   API "mails/:id(uuid)/retry/",       mail_retry_handle,  NULL,                 &doc_mail_retry },
    { "GET",    API "sessions/",                    list_handle,        &list_sessions,       &doc_sessions },
    { "GET",    API "audit/",                       list_handle,        &list_audit,          &doc_audit },
    { "WS",     "/ws/admin/",                       figures_handle,     NULL,                 &doc_figures },
};
/* clang-format on */

static int routes_load(parley_ctx *ctx)
{
    int err = 0;

    for (size_t i = 0; err >= 0 && i < COUNT(routes); i++)
        err = parley->route(
            ctx, &(parley_route){ PARLEY_SIZED(parley_route), .flags = PARLEY_R_USER,
                                  .method = routes[i].method, .path = routes[i].path,
                                  .fn = routes[i].handler, .ud = (void *)(uintptr_t)routes[i].ud,
                                  .doc = routes[i].doc });
    return err;
}

static int allow_load(parley_ctx *ctx, const parley_conf *conf)
{
    parley_str bad;
    char why[200];
    int err = allow_parse(parley->conf_str(conf, "allow"), &admin.allow, &bad);

    if (err >= 0)
        return 0;
    if (err == PARLEY_ETOOBIG)
        (void)snprintf(why, sizeof(why), "holds more than %d networks", ALLOW_MOST);
    else
        (void)snprintf(why, sizeof(why),
                       "\"%.*s\" is no network: write an address or a network like 10.0.0.0/8",
                       (int)(bad.n < 80 ? bad.n : 80), bad.p);
    return parley->conf_fail(ctx, "allow", why);
}

static int admin_load(parley_ctx *ctx, const parley_conf *conf)
{
    admin.ctx = ctx;
    int err = allow_load(ctx, conf);
    if (err >= 0)
        err = rights_load(ctx);
    if (err >= 0)
        err = docs_load(ctx);
    if (err >= 0)
        err = routes_load(ctx);
    return err < 0 ? err : site_load(ctx, &page);
}

static int admin_start(parley_ctx *ctx)
{
    admin.db = parley->service(ctx, "parley.db");
    admin.auth = parley->service(ctx, "parley.auth");
    admin.chat = parley->service(ctx, "parley.chat");
    admin.mail = parley->service(ctx, "parley.mail");
    return sql_prepare_all();
}

static int admin_stop(parley_ctx *ctx)
{
    (void)ctx;
    site_done(&page);
    return 0;
}

PARLEY_PLUGIN(.name = "admin", .version = "0.1.0",
              .about = "the administrator's pages at /admin/, and their API", .license = "MIT",
              PARLEY_LIST(option, options), PARLEY_LIST(need, needs), .load = admin_load,
              .start = admin_start, .stop = admin_stop)
