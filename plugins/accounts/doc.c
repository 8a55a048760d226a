/* doc.c -- what each route of accounts is for, what it takes, and what it answers. */
#include "plugins/accounts/doc.h"
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/field.h"
#include "plugins/accounts/strength.h"
#include "plugins/common/list.h"

/* clang-format off */
const parley_doc doc_register = PARLEY_DOC(.name = "register", .summary = "Makes an account",
    .about = "A mail with a link to verify the address follows.",
    .body = "RegisterBody", .answers = "201 Registered");
const parley_doc doc_login = PARLEY_DOC(.name = "login", .summary = "Gives a key",
    .about = "Also sets the cookies of a browser's session. 400: the address and the password do not fit; 403: the address is not verified.",
    .body = "LoginBody", .answers = "200 LoggedIn, 403");
const parley_doc doc_resend = PARLEY_DOC(.name = "resend_verification", .summary = "Sends the mail of a registration again",
    .about = "The answer is the same whether or not there is such an account.",
    .body = "AddressBody", .answers = "200 Notice");
const parley_doc doc_verify = PARLEY_DOC(.name = "verify_email", .summary = "Verifies an address with the token of a mail",
    .answers = "200 Notice, 400");
const parley_doc doc_verify_page = PARLEY_DOC(.name = "verify_email_page", .summary = "The page that the link of the mail opens",
    .about = "For browsers only; a GET verifies nothing.", .answers = "200, 405 +Allow");
const parley_doc doc_reset_ask = PARLEY_DOC(.name = "ask_password_reset", .summary = "Sends a mail with a link for a new password",
    .about = "The answer is the same whether or not there is such an account.",
    .body = "AddressBody", .answers = "200 Notice");
const parley_doc doc_reset = PARLEY_DOC(.name = "reset_password", .summary = "Sets a new password with the token of a mail",
    .about = "All sessions end. From the page's form it is answered with a page.",
    .body = "NewPasswordBody", .answers = "200, 204, 400");
const parley_doc doc_reset_page = PARLEY_DOC(.name = "reset_password_page", .summary = "The page that the link of the mail opens",
    .about = "For browsers only.", .answers = "200, 405 +Allow");
const parley_doc doc_profile = PARLEY_DOC(.name = "get_profile", .summary = "Shows who the caller is",
    .answers = "200 Profile +ETag, 304");
const parley_doc doc_sessions = PARLEY_DOC(.name = "list_sessions", .summary = "Lists the caller's sessions",
    .query = "SessionsQuery", .answers = "200 SessionPage");
const parley_doc doc_session_end = PARLEY_DOC(.name = "end_session", .summary = "Ends a session",
    .about = "Its sockets close with 4401.", .answers = "204");
const parley_doc doc_logout = PARLEY_DOC(.name = "logout", .summary = "Ends the session of this key, or cookie", .answers = "204, 415");
const parley_doc doc_change = PARLEY_DOC(.name = "change_password", .summary = "Sets another password",
    .about = "All other sessions end.", .body = "ChangePasswordBody", .answers = "204");
const parley_doc doc_ticket = PARLEY_DOC(.name = "create_ticket", .summary = "Gives a ticket that opens one WebSocket",
    .answers = "201 Ticket, 415");

#define FIELD    PARLEY_FIELD
#define FIELD_IN PARLEY_FIELD_IN
#define SCHEMA   PARLEY_SCHEMA
#define EMAIL    FIELD_IN("email", "email", "in any case", 1, ADDRESS_MAX)
#define PASSWORD FIELD_IN("password", "string", "at least 8 characters, not easy to guess", 1, STRENGTH_MAX_POINTS)
#define CONFIRM  FIELD_IN("password_confirm", "string", "the same again", 1, INT64_MAX)
#define TEXT(name, max) FIELD_IN(name, "string", NULL, 1, max)

static const parley_schema schemas[] = {
    SCHEMA("Profile", "An account, as its owner sees it.",
        FIELD("id", "uuid", NULL), FIELD("username", "string", NULL), FIELD("email", "email", NULL),
        FIELD("first_name", "string", NULL), FIELD("last_name", "string", NULL),
        FIELD("is_verified", "bool", "the address"), FIELD("date_joined", "time", NULL)),
    SCHEMA("RegisterBody", "Who wants an account.",
        TEXT("first_name", FIRST_NAME_MAX), TEXT("last_name", FIRST_NAME_MAX), EMAIL,
        FIELD_IN("username", "string", "letters, digits and @ . + - _", 1, NAME_MAX_POINTS), PASSWORD, CONFIRM),
    SCHEMA("Registered", "The account is made, and not verified yet.",
        FIELD("message", "string", NULL), FIELD("user", "Profile", NULL)),
    SCHEMA("LoginBody", "Who wants a key.", EMAIL, FIELD_IN("password", "string", NULL, 1, INT64_MAX)),
    SCHEMA("LoggedIn", "A key of its own, for this session.",
        FIELD("token", "string", "the key"), FIELD("user", "Profile", NULL),
        FIELD("expires_at", "time", "when it ends if it is not used")),
    SCHEMA("AddressBody", "Whose account.", EMAIL),
    SCHEMA("Notice", "What has happened, for people.", FIELD("message", "string", NULL)),
    SCHEMA("NewPasswordBody", "The new password.", PASSWORD, CONFIRM),
    SCHEMA("ChangePasswordBody", "The password of now, and the new one.",
        FIELD_IN("current_password", "string", NULL, 1, INT64_MAX), FIELD("...", "NewPasswordBody", NULL)),
    SCHEMA("Session", "A key that works.",
        FIELD("id", "uuid", NULL), FIELD("created_at", "time", NULL), FIELD("last_used_at", "time", NULL),
        FIELD("current", "bool", "it is the one that asks"), FIELD("user_agent", "string", NULL),
        FIELD("ip", "string", NULL)),
    SCHEMA("SessionPage", "Sessions.", LIST_FIELDS("Session")),
    SCHEMA("SessionsQuery", NULL, LIST_QUERY),
    SCHEMA("Ticket", "Opens one WebSocket, once.",
        FIELD("ticket", "string", "for ?ticket="), FIELD_IN("expires_in", "int", "seconds", 1, INT64_MAX)),
};
/* clang-format on */

int docs_load(parley_ctx *ctx)
{
    int err = 0;

    for (size_t i = 0; err >= 0 && i < COUNT(schemas); i++)
        err = parley->schema(ctx, &schemas[i]);
    return err;
}
