/* api_root.c -- GET /api/: the addresses of the API, open to all. */
#include "plugins/chat/chat.h"

int api_root(parley_ctx *ctx, parley_req req, void *ud)
{
    /* clang-format off */
    static const struct {
        const char *name, *path;
    } places[] = {
        { "register",            "/api/auth/register/" },
        { "login",               "/api/auth/login/" },
        { "profile",             "/api/auth/profile/" },
        { "resend-verification", "/api/auth/resend-verification/" },
        { "rooms",               "/api/chat/rooms/" },
    };
    /* clang-format on */
    parley_str site = parley->req_url(req);
    parley_json *out = parley->json_obj();
    char address[1024];

    (void)ctx, (void)ud;
    for (size_t i = 0; i < COUNT(places); i++) {
        int n = snprintf(address, sizeof(address), "%.*s%s", (int)site.n, site.p, places[i].path);
        size_t length = n > 0 && (size_t)n < sizeof(address) ? (size_t)n : 0;

        parley->json_set(out, places[i].name, parley->json_s((parley_str){ address, length }));
    }
    parley->reply_json(req, 200, out);
    return PARLEY_DONE;
}
