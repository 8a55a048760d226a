/* test_accounts_login.c -- POST /api/auth/login/, and the queue of hashing. */
#include "accounts_host.h"

#define PATH    "/api/auth/login/"
#define BODY    "{\"email\":\"ADA@example.org\",\"password\":\"" PASSWORD "\"}"
#define REFUSED "{\"non_field_errors\":[\"Unable to log in with provided credentials.\"]}"

static char stored[crypto_pwhash_STRBYTES];

static int setup(void **state)
{
    if (crypto_pwhash_str_alg(stored, PASSWORD, strlen(PASSWORD), 1, 8192,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return -1;
    return accounts_setup(state);
}

static void answer_user(const char *is_verified, const char *is_active, const char *hash)
{
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(10, ADA_UID, "ada", "ada@example.org", "Ada", "Example", is_verified, NOW, "1",
              is_active, hash);
    fake_run();
}

static void answer_ok(void)
{
    fake_db_answer(PARLEY_OK);
    fake_run();
}

static void test_fields(void **state)
{
    char body[400], password[130];
    parley_req req = fake_call("POST", PATH, "{}");

    (void)state;
    assert_body(
        req, 400,
        "{\"email\":[\"This field is required.\"],\"password\":[\"This field is required.\"]}");
    req = fake_call("POST", PATH, "{\"email\":\"x\",\"password\":\"y\"}");
    assert_body(req, 400, "{\"email\":[\"Enter a valid email address.\"]}");
    memset(password, 'p', 129);
    password[129] = '\0';
    (void)snprintf(body, sizeof(body), "{\"email\":\"a@example.org\",\"password\":\"%s\"}",
                   password);
    req = fake_call("POST", PATH, body);
    assert_body(req, 400,
                "{\"password\":[\"Ensure this field has no more than 128 characters.\"]}");
    assert_int_equal(asked(), 0);
}

static void test_good(void **state)
{
    parley_req req = fake_req("POST", PATH);
    unsigned char bytes[32];
    char hex[65], key[48], wanted[600];

    (void)state;
    fake_req_body(req, BODY);
    fake_req_header(req, "User-Agent", "curl/8\xff\x01");
    fake_send(req);
    assert_string_equal(fake_db_param(0, 0, 0), "ada@example.org");
    answer_user("1", "1", stored);
    assert_int_equal(asked(), 2);
    answer_ok();
    assert_int_equal(fake_status(req), 200);
    const char *token = strstr(fake_body(req), "ply_");
    assert_non_null(token);
    (void)snprintf(key, sizeof(key), "%.47s", token);
    (void)snprintf(wanted, sizeof(wanted),
                   "{\"token\":\"%s\",\"user\":" ADA_JSON
                   ",\"expires_at\":\"2025-03-02T12:00:00.123456Z\"}",
                   key);
    assert_string_equal(fake_body(req), wanted);
    assert_string_equal(fake_reply_header(req, "Cache-Control"), "no-store");

    (void)crypto_generichash(bytes, 32, (const unsigned char *)key, 47, NULL, 0);
    assert_string_equal(fake_db_param(1, 0, 0), "1"); /* the user's row is locked first */
    assert_string_equal(fake_db_param(1, 1, 1), sodium_bin2hex(hex, sizeof(hex), bytes, 32));
    assert_string_equal(fake_db_param(1, 1, 2), NOW);
    assert_string_equal(fake_db_param(1, 1, 4), "curl/8??");
    assert_string_equal(fake_db_param(1, 1, 5), "192.0.2.1");
    assert_string_equal(fake_db_param(1, 1, 7), stored);
    assert_string_equal(fake_db_param(1, 2, 1), "login"); /* in the audit log */
    assert_string_equal(fake_db_param(1, 2, 4), fake_db_param(1, 1, 0));
    assert_int_equal(asked(), 2); /* nothing to hash anew */
}

static void test_refused(void **state)
{
    (void)state;
    parley_req req = fake_call("POST", PATH, BODY); /* unknown */
    answer_ok();
    assert_body(req, 400, REFUSED);
    answer_ok();                         /* of the audit log */
    req = fake_call("POST", PATH, BODY); /* disabled */
    answer_user("1", "0", stored);
    assert_body(req, 400, REFUSED);
    answer_ok(); /* of the audit log */
    req = fake_call("POST", PATH, "{\"email\":\"ada@example.org\",\"password\":\"wrong\"}");
    answer_user("1", "1", stored);
    assert_body(req, 400, REFUSED);
    answer_ok(); /* of the audit log */
    req = fake_call("POST", PATH, "{\"email\":\"ada@example.org\",\"password\":\"wrong\"}");
    answer_user("0", "1", stored); /* whether it is verified is told to the owner only */
    assert_body(req, 400, REFUSED);
    answer_ok(); /* of the audit log */
    req = fake_call("POST", PATH, BODY);
    answer_user("0", "1", stored);
    assert_body(req, 403,
                "{\"detail\":\"Email address is not verified.\",\"code\":\"email_not_verified\"}");
    assert_int_equal(asked(), 10); /* the account, and a row of the audit log: no session */
}

/* Whether an address is known is not told by what a failure costs; what was typed is not kept. */
static void test_failures_are_audited(void **state)
{
    static const struct {
        const char *label, *subject;
        bool is_known;
    } cases[] = { { "unknown", NULL, false }, { "wrong", "1", true } };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_req req =
            fake_call("POST", PATH, "{\"email\":\"ada@example.org\",\"password\":\"wrong\"}");

        if (cases[i].is_known)
            answer_user("1", "1", stored);
        else
            answer_ok();
        assert_body(req, 400, REFUSED);
        size_t run = fake_db_runs() - 1;
        const char *subject = fake_db_param(run, 0, 3);
        if (strcmp(fake_db_param(run, 0, 2), "login_failed") != 0 ||
            fake_db_param(run, 0, 1) != NULL ||
            (cases[i].subject ? !subject || strcmp(subject, cases[i].subject) != 0 : !!subject))
            fail_msg("case \"%s\"", cases[i].label);
        answer_ok();
    }
}

/* The password changed between the check and the session. */
static void test_changed_meanwhile(void **state)
{
    parley_req req = fake_call("POST", PATH, BODY);

    (void)state;
    for (size_t i = 0; i < 2; i++) { /* looks again */
        assert_int_equal(asked(), 2 * i + 1);
        answer_user("1", "1", stored);
        fake_db_answer(PARLEY_OK);
        fake_db_affected(1);
        fake_db_affected(0);
        fake_run();
    }
    assert_body(req, 400, REFUSED);
    answer_ok();
}

static void test_rehash(void **state)
{
    char old[crypto_pwhash_STRBYTES];
    parley_req req = fake_call("POST", PATH, BODY);

    (void)state;
    assert_int_equal(crypto_pwhash_str_alg(old, PASSWORD, strlen(PASSWORD), 2, 8192,
                                           crypto_pwhash_ALG_ARGON2ID13),
                     0);
    answer_user("1", "1", old);
    answer_ok();
    assert_int_equal(fake_status(req), 200);
    assert_int_equal(asked(), 3);
    assert_int_equal(crypto_pwhash_str_verify(fake_db_param(2, 0, 0), PASSWORD, strlen(PASSWORD)),
                     0);
    assert_int_equal(crypto_pwhash_str_needs_rehash(fake_db_param(2, 0, 0), 1, 8192), 0);
    assert_string_equal(fake_db_param(2, 0, 2), old);
    answer_ok();
}

/* An account of the original app: its PBKDF2 fits, and is argon2id from then on. */
static void test_imported(void **state)
{
    static const char old[] =
        "pbkdf2_sha256$1000$seasalt$2Yi2dPFREWldGHOS6qHxYJEaNbCwnA8hO/ViB0vB8LI=";
    parley_req req = fake_call("POST", PATH, BODY);

    (void)state;
    answer_user("1", "1", old);
    answer_ok();
    assert_int_equal(fake_status(req), 200);
    assert_string_equal(fake_db_param(1, 1, 7), old);
    assert_int_equal(asked(), 3);
    assert_int_equal(crypto_pwhash_str_verify(fake_db_param(2, 0, 0), PASSWORD, strlen(PASSWORD)),
                     0);
    assert_string_equal(fake_db_param(2, 0, 2), old);
    answer_ok();

    req =
        fake_call("POST", PATH, "{\"email\":\"ada@example.org\",\"password\":\"wrong password\"}");
    answer_user("1", "1", old);
    assert_body(req, 400, REFUSED);
    answer_ok();
}

/* No password fits it, the empty one of the text neither; it is refused like a wrong one. */
static void test_unusable(void **state)
{
    static const char *const stored_texts[] = { "!", "",
                                                "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99" };

    (void)state;
    for (size_t i = 0; i < sizeof(stored_texts) / sizeof(stored_texts[0]); i++) {
        parley_req req = fake_call("POST", PATH, BODY);

        answer_user("1", "1", stored_texts[i]);
        assert_body(req, 400, REFUSED);
        answer_ok();
    }
}

/* One at a time, one waits, the third is refused: all answers of the database come at once. */
static void test_queue(void **state)
{
    parley_req req[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        req[i] = fake_call("POST", PATH, BODY);
    for (size_t i = 0; i < 3; i++)
        fake_db_answer(PARLEY_OK); /* unknown users are hashed too */
    fake_run();
    answer_ok();
    answer_ok();
    assert_int_equal(fake_status(req[0]), 400);
    assert_int_equal(fake_status(req[1]), 400);
    assert_int_equal(fake_status(req[2]), 503);
    assert_non_null(fake_reply_header(req[2], "Retry-After"));
    req[0] = fake_call("POST", PATH, BODY); /* and there is room again */
    answer_ok();
    assert_int_equal(fake_status(req[0]), 400);
}

static void test_trouble(void **state)
{
    (void)state;
    parley_req req = fake_call("POST", PATH, BODY);
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    assert_int_equal(fake_status(req), 503);
    req = fake_call("POST", PATH, BODY);
    answer_user("1", "1", stored);
    fake_db_answer(PARLEY_DB_UNKNOWN);
    fake_run();
    assert_int_equal(fake_status(req), 503);
    req = fake_call("POST", PATH, BODY);
    fake_leave(req);
    answer_user("1", "1", stored);
    answer_ok();
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, accounts_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fields),
        TEST(test_good),
        TEST(test_refused),
        TEST(test_failures_are_audited),
        TEST(test_changed_meanwhile),
        TEST(test_rehash),
        TEST(test_imported),
        TEST(test_unusable),
        TEST(test_queue),
        TEST(test_trouble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
