/* change.c -- what is done to users, rooms and messages.
 *
 *   POST    /api/admin/users/:id/verify/, disable/, enable/, end-sessions/
 *   POST    /api/admin/users/:id/role/ {"role": "user" | "staff" | "superuser"}
 *   DELETE  /api/admin/users/:id/sessions/:session/
 *   DELETE  /api/admin/rooms/:id/, rooms/:id/members/:user/, messages/:id/
 *
 * 204, or what the service of the owner said: 404, 403, 400; 503.  That service stores the change with
 * its row of the audit log, and ends what must end, on every node. */
#include "plugins/admin/admin.h"

const enum parley_auth_what act_verify = PARLEY_AUTH_VERIFY, act_disable = PARLEY_AUTH_DISABLE,
                            act_enable = PARLEY_AUTH_ENABLE,
                            act_end_sessions = PARLEY_AUTH_END_SESSIONS;
const enum parley_chat_what act_message_delete = PARLEY_CHAT_MESSAGE_DELETE,
                            act_member_remove = PARLEY_CHAT_MEMBER_REMOVE,
                            act_room_delete = PARLEY_CHAT_ROOM_DELETE;

/* An answer to an outcome. */
typedef struct refusal {
    int status;
    const char *code, *text;
} refusal;

void origin_read(origin *ret, parley_req req)
{
    parley_str peer = parley->req_peer(req), agent = parley->req_header(req, "user-agent");
    size_t n = agent.n < AGENT_MAX ? agent.n : AGENT_MAX;

    /* A header may hold any byte. */
    for (size_t i = 0; i < n; i++)
        ret->text[i] = (char)(agent.p[i] >= ' ' && agent.p[i] <= '~' ? agent.p[i] : '?');
    ret->agent = parley_text_view(ret->text, n);
    ret->ip = peer.p ? peer : PARLEY_S("");
}

/* The request by its number: it may be gone when the answer comes. */
static void *req_ud(parley_req req)
{
    return (void *)(uintptr_t)
        req.id; /* NOLINT(performance-no-int-to-ptr): a number, never used as a pointer */
}

static void answer(void *ud, int outcome, const refusal *refusals, size_t n)
{
    parley_req req = { (uintptr_t)ud };

    if (outcome < 0 || (size_t)outcome >= n)
        parley_flow_unavailable(req);
    else if (refusals[outcome].status)
        (void)parley->deny(req, refusals[outcome].status, refusals[outcome].code,
                           refusals[outcome].text);
    else
        (void)parley->reply(req, 204, NULL, PARLEY_S(""));
}

static int started(parley_req req, int err)
{
    if (err >= 0)
        return PARLEY_PENDING;
    parley_flow_unavailable(req);
    return PARLEY_DENY;
}

/* ---- users ---- */

static void user_changed(parley_ctx *ctx, int outcome, void *ud)
{
    static const refusal refusals[] = {
        [PARLEY_AUTH_CHANGED] = { 0, NULL, NULL },
        [PARLEY_AUTH_NOBODY] = { 404, "not_found", "Not found." },
        [PARLEY_AUTH_FORBIDDEN] = { 403, "permission_denied",
                                    "Only a superuser may change staff and roles." },
        [PARLEY_AUTH_LAST] = { 400, "last_superuser",
                               "The last superuser can be neither disabled nor demoted." },
    };

    (void)ctx;
    answer(ud, outcome, refusals, COUNT(refusals));
}

static int user_change(parley_ctx *ctx, parley_req req, uint32_t what)
{
    const rights *mine = rights_of(req);
    origin from;

    if (!mine)
        return PARLEY_EINVAL;
    origin_read(&from, req);
    const parley_auth_change change = { PARLEY_SIZED(parley_auth_change),
                                        .what = what,
                                        .user = parley->req_param(req, "id"),
                                        .session = parley->req_param(req, "session"),
                                        .actor = mine->key,
                                        .ip = from.ip,
                                        .agent = from.agent };
    return started(req, admin.auth->change(ctx, &change, user_changed, req_ud(req)));
}

int user_change_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    const enum parley_auth_what *what = ud;
    const parley_json *in;

    if (parley->req_object(req, &in) != PARLEY_OK)
        return PARLEY_DENY;
    return user_change(ctx, req, *what);
}

int user_role_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    static const struct {
        parley_str name;
        enum parley_auth_what what;
    } roles[] = {
        { { "user", 4 }, PARLEY_AUTH_MAKE_USER },
        { { "staff", 5 }, PARLEY_AUTH_MAKE_STAFF },
        { { "superuser", 9 }, PARLEY_AUTH_MAKE_SUPERUSER },
    };
    const parley_json *in;
    parley_str role;

    (void)ud;
    if (parley->req_object(req, &in) != PARLEY_OK)
        return PARLEY_DENY;
    parley_json *errors = parley->json_obj();
    if (parley_text_field(errors, in, "role", 0, 0, &role)) {
        for (size_t i = 0; i < COUNT(roles); i++) {
            if (role.n != roles[i].name.n || memcmp(role.p, roles[i].name.p, role.n) != 0)
                continue;
            parley->json_free(errors);
            return user_change(ctx, req, roles[i].what);
        }
        parley_text_fault(errors, "role", "Must be user, staff or superuser.");
    }
    (void)parley->deny_fields(req, errors);
    return PARLEY_DENY;
}

/* ---- rooms and messages ---- */

static void room_changed(parley_ctx *ctx, int outcome, void *ud)
{
    static const refusal refusals[] = {
        [PARLEY_CHAT_CHANGED] = { 0, NULL, NULL },
        [PARLEY_CHAT_NOTHING] = { 404, "not_found", "Not found." },
        [PARLEY_CHAT_CREATOR] = { 400, "invalid", "The creator cannot be removed from the room." },
    };

    (void)ctx;
    answer(ud, outcome, refusals, COUNT(refusals));
}

int room_change_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    const enum parley_chat_what *what = ud;
    const rights *mine = rights_of(req);
    parley_str id = parley->req_param(req, "id");
    parley_str none = { NULL, 0 };
    const parley_json *in;
    origin from;

    if (!mine)
        return PARLEY_EINVAL;
    if (parley->req_object(req, &in) != PARLEY_OK)
        return PARLEY_DENY;
    origin_read(&from, req);
    const parley_chat_change change = { PARLEY_SIZED(parley_chat_change),
                                        .what = *what,
                                        .room = *what == PARLEY_CHAT_MESSAGE_DELETE ? none : id,
                                        .user = parley->req_param(req, "user"),
                                        .message = *what == PARLEY_CHAT_MESSAGE_DELETE ? id : none,
                                        .actor = mine->key,
                                        .ip = from.ip,
                                        .agent = from.agent };
    return started(req, admin.chat->change(ctx, &change, room_changed, req_ud(req)));
}
