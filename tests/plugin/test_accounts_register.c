/* test_accounts_register.c -- POST /api/auth/register/: fields, doubles, races, what is stored and
 * mailed. */
#include "accounts_host.h"

#define PATH "/api/auth/register/"
#define BODY(email, username, password, confirm)                                                   \
    "{\"first_name\":\" Ada \",\"last_name\":\"Example\",\"email\":\"" email                       \
    "\",\"username\":\"" username "\",\"password\":\"" password                                    \
    "\",\"password_confirm\":\"" confirm "\",\"is_verified\":true,\"id\":7}"
#define GOOD     BODY("Ada@Example.org", "Ada", PASSWORD, PASSWORD)
#define REQUIRED "[\"This field is required.\"]"
#define BLANK    "[\"This field may not be blank.\"]"
#define NO_TEXT  "[\"Not a valid string.\"]"
#define NOT_NULL "[\"This field may not be null.\"]"
#define NUL      "[\"Null characters are not allowed.\"]"
#define EMAIL    "\"email\":[\"Enter a valid email address.\"]"
#define USERNAME                                                                                   \
    "\"username\":[\"Enter a valid username. This value may contain only letters, numbers, and "   \
    "@/./+/-/_ characters.\"]"
#define EMAIL_TAKEN    "\"email\":[\"A user with that email already exists.\"]"
#define USERNAME_TAKEN "\"username\":[\"A user with that username already exists.\"]"

/* clang-format off */
/* Faulty address and faulty username: the database is not asked. */
static const struct {
    const char *label, *body, *answer;
} faults[] = {
    { "nothing", "{}",
      "{\"first_name\":" REQUIRED ",\"last_name\":" REQUIRED ",\"email\":" REQUIRED ",\"username\":" REQUIRED
      ",\"password\":" REQUIRED ",\"password_confirm\":" REQUIRED "}" },
    { "null", "{\"first_name\":null,\"last_name\":null,\"email\":null,\"username\":null,\"password\":null,"
      "\"password_confirm\":null}",
      "{\"first_name\":" NOT_NULL ",\"last_name\":" NOT_NULL ",\"email\":" NOT_NULL ",\"username\":" NOT_NULL
      ",\"password\":" NOT_NULL ",\"password_confirm\":" NOT_NULL "}" },
    { "blank", "{\"first_name\":\"\",\"last_name\":\" \\u3000\",\"email\":\" \",\"username\":\"\\n\",\"password\":\"\","
      "\"password_confirm\":\"\"}",
      "{\"first_name\":" BLANK ",\"last_name\":" BLANK ",\"email\":" BLANK ",\"username\":" BLANK
      ",\"password\":" BLANK ",\"password_confirm\":" BLANK "}" },
    { "no texts", "{\"first_name\":1,\"last_name\":true,\"email\":{},\"username\":[],\"password\":1,"
      "\"password_confirm\":false}",
      "{\"first_name\":" NO_TEXT ",\"last_name\":" NO_TEXT "," EMAIL ",\"username\":" NO_TEXT
      ",\"password\":" NO_TEXT ",\"password_confirm\":" NO_TEXT "}" },
    { "NUL", "{\"first_name\":\"a\\u0000\",\"last_name\":\"L\",\"email\":\"a\\u0000@example.org\","
      "\"username\":\"a\\u0000\",\"password\":\"a\\u0000\",\"password_confirm\":\"x\"}",
      "{\"first_name\":" NUL ",\"email\":" NUL ",\"username\":" NUL ",\"password\":" NUL "}" },
    { "rules; a mismatch is not looked at", BODY("nope", "a b", "x", "y"), "{" EMAIL "," USERNAME "}" },
};
/* clang-format on */

static void answer_taken(const char *email_key, const char *username_key)
{
    fake_db_answer(PARLEY_OK);
    if (email_key)
        FAKE_ROWS(2, email_key, username_key);
    fake_run();
}

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(faults); i++) {
        parley_req req = fake_call("POST", PATH, faults[i].body);

        if (fake_status(req) != 400 || strcmp(fake_body(req), faults[i].answer) != 0)
            fail_msg("case \"%s\": %s", faults[i].label, fake_body(req));
    }
    assert_int_equal(asked(), 0);
}

static void test_lengths(void **state)
{
    char body[2000], name[152], address[300], password[130];

    (void)state;
    memset(name, 'n', 151);
    memset(address, 'a', 243);
    memset(password, 'p', 129);
    name[151] = password[129] = '\0';
    (void)snprintf(address + 243, sizeof(address) - 243, "@example.org");
    (void)snprintf(
        body, sizeof(body),
        "{\"first_name\":\"%s\",\"last_name\":\"L\",\"email\":\"%s\",\"username\":\"%s\","
        "\"password\":\"%s\",\"password_confirm\":\"%s\"}",
        name, address, name, password, password);
    parley_req req = fake_call("POST", PATH, body);
    assert_body(req, 400,
                "{\"first_name\":[\"Ensure this field has no more than 150 characters.\"],"
                "\"email\":[\"Ensure this field has no more than 254 characters.\"],"
                "\"username\":[\"Ensure this field has no more than 150 characters.\"],"
                "\"password\":[\"Ensure this field has no more than 128 characters.\"]}");
}

static void test_good(void **state)
{
    parley_req req = fake_call("POST", PATH, GOOD);

    (void)state;
    assert_int_equal(asked(), 1);
    assert_string_equal(fake_db_param(0, 0, 0), "ada@example.org");
    assert_string_equal(fake_db_param(0, 0, 1), "ada");
    answer_taken(NULL, NULL);
    assert_int_equal(asked(), 2);
    assert_int_equal(fake_db_statements(1), 3);
    assert_true(fake_pending(req)); /* nothing is said before it is stored */
    assert_int_equal(fake_mail.wakes, 0);
    fake_db_answer(PARLEY_OK);
    fake_run();
    char wanted[600];
    (void)snprintf(wanted, sizeof(wanted),
                   "{\"message\":\"Registration successful. Please check your email to verify your"
                   " account.\",\"user\":{\"id\":\"%s\",\"username\":\"Ada\",\"email\":"
                   "\"ada@example.org\",\"first_name\":\"Ada\",\"last_name\":\"Example\","
                   "\"is_verified\":false,\"date_joined\":\"" NOW_TEXT "\"}}",
                   fake_db_param(1, 0, 0));
    assert_body(req, 201, wanted);
    assert_string_equal(fake_reply_header(req, "Cache-Control"), "no-store");
    assert_int_equal(fake_mail.wakes, 1);
}

static void test_stored(void **state)
{
    (void)state;
    (void)fake_call("POST", PATH, GOOD);
    answer_taken(NULL, NULL);
    fake_db_answer(PARLEY_OK);
    fake_run();
    static const char *const user[] = {
        NULL, "Ada", "ada", "ada@example.org", "ada@example.org", "Ada", "Example"
    };
    for (size_t i = 1; i < FAKE_COUNT(user); i++)
        assert_string_equal(fake_db_param(1, 0, i), user[i]);
    const char *hash = fake_db_param(1, 0, 7);
    assert_int_equal(crypto_pwhash_str_verify(hash, PASSWORD, strlen(PASSWORD)), 0);
    assert_ptr_equal(strstr(hash, "$argon2id$v=19$m=8,t=1,p=1$"), hash);

    /* The mail has the token, the database its hash. */
    assert_string_equal(fake_mail.to, "ada@example.org");
    assert_string_equal(fake_mail.template_name, "verify_email");
    const char *token = strstr(fake_mail.vars, "http://localhost:8000/api/auth/verify-email/");
    assert_non_null(token);
    token += strlen("http://localhost:8000/api/auth/verify-email/");
    assert_int_equal(token[43], '/');
    unsigned char bytes[32];
    char hex[65];
    (void)crypto_generichash(bytes, 32, (const unsigned char *)token, 43, NULL, 0);
    assert_string_equal(fake_db_param(1, 1, 0), sodium_bin2hex(hex, sizeof(hex), bytes, 32));
    assert_string_equal(fake_db_param(1, 1, 4), fake_db_param(1, 0, 0));
    assert_int_equal(fake_mail.expires_us, NOW_US + DAY_US);
    assert_null(strstr(fake_mail.vars, "Ada")); /* nothing that a stranger has typed */
}

static void test_taken(void **state)
{
    (void)state;
    parley_req req = fake_call("POST", PATH, GOOD);
    answer_taken("ada@example.org", "ada");
    assert_body(req, 400, "{" EMAIL_TAKEN "," USERNAME_TAKEN "}");
    req = fake_call("POST", PATH, GOOD);
    answer_taken("ada@example.org", "bob");
    assert_body(req, 400, "{" EMAIL_TAKEN "}");
    req = fake_call("POST", PATH, GOOD);
    answer_taken("bob@example.org", "ada");
    assert_body(req, 400, "{" USERNAME_TAKEN "}");
    /* Beside other faults; a faulty address is asked for as nobody's. */
    req = fake_call("POST", PATH, "{\"email\":\"x\",\"username\":\"ada\"}");
    assert_string_equal(fake_db_param(3, 0, 0), "");
    answer_taken("bob@example.org", "ada");
    assert_body(req, 400,
                "{\"first_name\":" REQUIRED ",\"last_name\":" REQUIRED "," EMAIL
                ",\"password\":" REQUIRED ",\"password_confirm\":" REQUIRED "," USERNAME_TAKEN "}");
}

static void test_password(void **state)
{
    static const struct {
        const char *body, *answer;
    } cases[] = {
        { BODY("a@example.org", "ada", "12345678", "87654321"),
          "{\"password_confirm\":[\"Passwords do not match.\"]}" },
        { BODY("a@example.org", "ada", "secure password", "secure password "),
          "{\"password_confirm\":[\"Passwords do not match.\"]}" },
        { BODY("a@example.org", "ada", "qwerty", "qwerty"),
          "{\"password\":[\"This password is too short. It must contain at least 8 characters.\","
          "\"This password is too common.\"]}" },
        { BODY("a@example.org", "adalovelace", "AdaLovelace1", "AdaLovelace1"),
          "{\"password\":[\"The password is too similar to the username.\"]}" },
    };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_req req = fake_call("POST", PATH, cases[i].body);

        answer_taken(NULL, NULL);
        assert_body(req, 400, cases[i].answer);
    }
}

/* Another registration is stored between the question and our own. */
static void test_race(void **state)
{
    parley_req req = fake_call("POST", PATH, GOOD);

    (void)state;
    assert_int_equal(fake_db_flags(fake_db_runs() - 1), PARLEY_DB_READ | PARLEY_DB_STALE_OK);
    answer_taken(NULL, NULL);
    fake_db_answer(PARLEY_DB_UNIQUE);
    fake_db_failure(0, "users.username_key");
    fake_run();
    assert_int_equal(asked(), 3);
    assert_int_equal(fake_db_flags(fake_db_runs() - 1), PARLEY_DB_READ);
    answer_taken("ada@example.org", "ada");
    assert_body(req, 400, "{" EMAIL_TAKEN "," USERNAME_TAKEN "}");
    assert_int_equal(fake_mail.wakes, 0);

    /* ... and is gone again: ours is stored after all. */
    req = fake_call("POST", PATH, GOOD);
    answer_taken(NULL, NULL);
    fake_db_answer(PARLEY_DB_UNIQUE);
    fake_run();
    answer_taken(NULL, NULL);
    fake_db_answer(PARLEY_OK);
    fake_run();
    assert_int_equal(fake_status(req), 201);
}

static void test_trouble(void **state)
{
    parley_req req = fake_call("POST", PATH, GOOD);

    (void)state;
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    assert_int_equal(fake_status(req), 503);
    assert_string_equal(fake_reply_header(req, "Retry-After"), "5");
    req = fake_call("POST", PATH, GOOD);
    answer_taken(NULL, NULL);
    fake_db_answer(PARLEY_DB_FULL);
    fake_run();
    assert_int_equal(fake_status(req), 503);
    fake_db_refuse(PARLEY_EAGAIN);
    req = fake_call("POST", PATH, GOOD);
    assert_int_equal(fake_status(req), 503);
    fake_db_refuse(0);
    fake_work_full(true);
    req = fake_call("POST", PATH, GOOD);
    answer_taken(NULL, NULL);
    assert_int_equal(fake_status(req), 503);
}

/* The client goes while it is stored: the mail leaves all the same. */
static void test_client_leaves(void **state)
{
    parley_req req = fake_call("POST", PATH, GOOD);

    (void)state;
    answer_taken(NULL, NULL);
    fake_leave(req);
    fake_db_answer(PARLEY_OK);
    fake_run();
    assert_int_equal(fake_mail.wakes, 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, accounts_setup, accounts_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_faults), TEST(test_lengths), TEST(test_good),
        TEST(test_stored), TEST(test_taken),   TEST(test_password),
        TEST(test_race),   TEST(test_trouble), TEST(test_client_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
