/* test_accounts_verify.c -- verification links, their pages, resending, and the purge. */
#include "accounts_host.h"

#define LINK   "/api/auth/verify-email/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL0189_/"
#define RESEND "/api/auth/resend-verification/"
#define ANY_MAIL                                                                                   \
    "{\"message\":\"If that address belongs to an unverified account, a mail is on its way.\"}"

static void answer(int64_t affected)
{
    fake_db_answer(PARLEY_OK);
    fake_db_affected(affected);
    fake_run();
}

static parley_req call_as_browser(const char *method, const char *path)
{
    parley_req req = fake_req(method, path);

    fake_req_header(req, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    fake_send(req);
    return req;
}

static void assert_page(parley_req req, int status, const char *has)
{
    assert_int_equal(fake_status(req), status);
    assert_string_equal(fake_reply_header(req, "Cache-Control"), "no-store");
    assert_string_equal(fake_reply_header(req, "Referrer-Policy"), "no-referrer");
    const char *policy = fake_reply_header(req, "Content-Security-Policy");
    assert_non_null(strstr(policy, "default-src 'none'; style-src 'nonce-"));
    assert_null(strstr(policy, "unsafe"));
    assert_non_null(strstr(fake_body(req), has));
    assert_null(strstr(fake_body(req), "<script"));
    assert_null(strstr(fake_body(req), "http"));
}

static void test_post(void **state)
{
    unsigned char bytes[32];
    char hex[65];
    parley_req req = fake_req("POST", LINK);

    (void)state;
    fake_req_header(req, "Content-Type", "application/x-www-form-urlencoded");
    fake_req_body(req, "no json");
    fake_send(req);
    assert_int_equal(fake_db_statements(0), 2);
    (void)crypto_generichash(bytes, 32, (const unsigned char *)LINK + 23, 43, NULL, 0);
    (void)sodium_bin2hex(hex, sizeof(hex), bytes, 32);
    assert_string_equal(fake_db_param(0, 0, 1), hex);
    assert_string_equal(fake_db_param(0, 1, 0), hex);
    assert_string_equal(fake_db_param(0, 0, 0), fake_db_param(0, 1, 1));
    answer(1);
    assert_body(req, 200, "{\"message\":\"Email verified.\"}");
    req = fake_call("POST", LINK, NULL);
    answer(0);
    assert_body(
        req, 400,
        "{\"detail\":\"Invalid or expired verification token.\",\"code\":\"invalid_token\"}");
    req = fake_call("POST", "/api/auth/verify-email/x/", "[");
    answer(0);
    assert_int_equal(fake_status(req), 400);
    req = fake_call("POST", LINK, NULL);
    fake_db_answer(PARLEY_DB_BUSY);
    fake_run();
    assert_int_equal(fake_status(req), 503);
}

static void test_pages(void **state)
{
    parley_req req = call_as_browser("GET", LINK);

    (void)state;
    assert_page(req, 200,
                "<form method=\"post\">\n<button type=\"submit\">Verify</button>\n</form>");
    assert_int_equal(asked(), 0); /* scanners of mails open links too */
    req = call_as_browser("POST", LINK);
    answer(1);
    assert_page(req, 200, "<h1>Email verified</h1>");
    req = call_as_browser("POST", LINK);
    answer(0);
    assert_page(req, 400, "<h1>This link does not work</h1>");
}

static void test_get(void **state)
{
    parley_req req = fake_call("GET", LINK, NULL);

    (void)state;
    assert_body(req, 405,
                "{\"detail\":\"Method \\\"GET\\\" not allowed.\",\"code\":\"method_not_allowed\"}");
    assert_string_equal(fake_reply_header(req, "Allow"), "POST, OPTIONS");
}

static void test_resend(void **state)
{
    parley_req req = fake_call("POST", RESEND, "{\"email\":\" ADA@example.org\"}");

    (void)state;
    assert_body(req, 200, ANY_MAIL); /* before the database has said anything */
    assert_string_equal(fake_db_param(0, 0, 0), "ada@example.org");
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, ADA_UID, "ada@example.org");
    fake_run();
    assert_int_equal(asked(), 2);
    assert_int_equal(fake_db_statements(1), 3);
    assert_non_null(strstr(fake_db_text(1, 0), "DELETE FROM email_tokens"));
    assert_string_equal(fake_db_param(1, 0, 0), ADA_UID);
    assert_string_equal(fake_db_param(1, 1, 4), ADA_UID);
    assert_int_equal(fake_mail.wakes, 0);
    fake_db_answer(PARLEY_OK);
    fake_run();
    assert_int_equal(fake_mail.wakes, 1);
    assert_string_equal(fake_mail.to, "ada@example.org");
}

static void test_resend_to_nobody(void **state)
{
    parley_req req = fake_call("POST", RESEND, "{\"email\":\"nobody@example.org\"}");

    (void)state;
    assert_body(req, 200, ANY_MAIL);
    fake_db_answer(PARLEY_OK);
    fake_run();
    assert_int_equal(asked(), 1);
    assert_int_equal(fake_mail.n, 0);
    req = fake_call("POST", RESEND, "{}");
    assert_body(req, 400, "{\"email\":[\"This field is required.\"]}");
    req = fake_call("POST", RESEND, "{\"email\":\"x\"}");
    assert_body(req, 400, "{\"email\":[\"Enter a valid email address.\"]}");
    fake_db_refuse(PARLEY_EAGAIN);
    req = fake_call("POST", RESEND, "{\"email\":\"nobody@example.org\"}");
    assert_int_equal(fake_status(req), 503);
    fake_db_refuse(0);
}

/* One after the other, upwards; whom a foreign key holds stays. */
static void test_purge(void **state)
{
    (void)state;
    fake_db_answer(PARLEY_OK); /* sessions, tokens, revocations */
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, "3", "7");
    fake_db_answer(PARLEY_OK);
    fake_db_answer(PARLEY_DB_FOREIGN_KEY);
    fake_db_answer(PARLEY_OK); /* no more */
    fake_advance(60000);
    assert_int_equal(asked(), 5);
    assert_string_equal(fake_db_param(1, 0, 0), "1737720060123456"); /* seven days before */
    assert_string_equal(fake_db_param(1, 0, 1), "0");
    assert_string_equal(fake_db_param(2, 0, 0), "3");
    assert_string_equal(fake_db_param(3, 0, 0), "7");
    assert_string_equal(fake_db_param(4, 0, 1), "7");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, accounts_setup, accounts_teardown)

/* ---- where a page sends people on to ---- */

static int load_with_home(const char *home)
{
    const fake_option options[] = {
        { "hash_memory", "8KiB" }, { "hash_passes", "1" }, { "home", home }, { NULL, NULL }
    };

    fake_db_use("sqlite");
    fake_mail_use();
    return fake_load(&parley_plugin_0, options);
}

static void test_home(void **state)
{
    (void)state;
    assert_int_equal(load_with_home("/chat/?from=mail"), 0);
    assert_int_equal(fake_start(), 0);
    fake_db_answer(PARLEY_OK); /* decoy.c counts */
    FAKE_ROWS(3, "1", "0", NULL);
    fake_run();
    parley_req req = call_as_browser("GET", LINK);
    assert_null(strstr(fake_body(req), "/chat/"));
    req = call_as_browser("POST", LINK);
    answer(1);
    assert_page(req, 200, "<a href=\"/chat/?from=mail\">Go on to the login</a>");
    req = call_as_browser("POST", LINK);
    answer(0);
    assert_page(req, 400, "This link does not work");
    assert_null(strstr(fake_body(req), "/chat/"));
}

static void test_homes_refused(void **state)
{
    static const char *const bad[] = {
        "chat", "javascript:alert(1)", "/\"><script>", "/a b", "/a&b", "/'", "//\xc3\xa9", "ftp://x"
    };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(bad); i++) {
        assert_true(load_with_home(bad[i]) < 0);
        assert_non_null(strstr(fake_why(), "home: must be a path (/) or an address"));
        fake_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_post),
        TEST(test_pages),
        TEST(test_get),
        TEST(test_resend),
        TEST(test_resend_to_nobody),
        TEST(test_purge),
        cmocka_unit_test_teardown(test_home, accounts_teardown),
        cmocka_unit_test(test_homes_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
