/* test_mail_smtp.c -- what the end of a conversation with a mail server means for the mail; how long
 * to wait; the settings that cannot be tried end to end. */
#include "fake/fake.h"
#include "plugins/mail/mail.h"
#include "plugins/mail/pace.h"
#include "plugins/mail/smtp_stage.h"
#include <string.h>

#define HELLO   "<220 hi|>EHLO me|<250-host|<250 AUTH PLAIN"
#define BEGUN   HELLO "|>MAIL FROM:<a@b.de>|<250 ok"
#define RCPT    BEGUN "|>RCPT TO:<c@d.de>"
#define DATA    RCPT "|<250 ok|>DATA|<354 go"
#define LOGIN   HELLO "|>AUTH PLAIN"
#define TROUBLE "the wire broke"

/* clang-format off */
static const struct {
    const char *talk; /* < heard, > said, . the text is out */
    outcome want;
    const char *why;
} cases[] = {
    { "",                                   OUTCOME_AWAY,    "connecting: " TROUBLE },
    { "<554 no",                            OUTCOME_AWAY,    "connecting: 554 no" },
    { "<421-one|<421 two",                  OUTCOME_AWAY,    "connecting: 421-one" },
    { HELLO,                                OUTCOME_AWAY,    "EHLO: " TROUBLE },
    { "<220 hi|>EHLO me|<502 what|>QUIT|<221 bye", OUTCOME_AWAY, "EHLO: 502 what" },
    { HELLO "|>STARTTLS|<454 no",           OUTCOME_AWAY,    "STARTTLS: 454 no" },
    { LOGIN "|<334|>AGEAYgBj|<535 5.7.8 wrong|>QUIT|<221 bye", OUTCOME_AWAY, "AUTH: 535 5.7.8 wrong" },
    /* The password may look like a command. */
    { LOGIN "|<334|>DATAAAAA|<535 wrong",   OUTCOME_AWAY,    "AUTH: 535 wrong" },
    { LOGIN "|<334|>QUITAAAA|<535 wrong",   OUTCOME_AWAY,    "AUTH: 535 wrong" },
    { HELLO "|>MAIL FROM:<a@b.de>|<530 5.7.0 log in", OUTCOME_AWAY, "MAIL FROM: 530 5.7.0 log in" },
    { HELLO "|>MAIL FROM:<a@b.de>|<550 not you|>QUIT|<221 bye", OUTCOME_REFUSED, "MAIL FROM: 550 not you" },
    { HELLO "|>MAIL FROM:<a@b.de>|<421 bye", OUTCOME_LATER,  "MAIL FROM: 421 bye" },
    { RCPT "|<450 grey|>QUIT|<221 bye",     OUTCOME_LATER,   "RCPT TO: 450 grey" },
    { RCPT "|<550-5.1.1 who|<550 5.1.1 is that", OUTCOME_REFUSED, "RCPT TO: 550-5.1.1 who" },
    { RCPT "|<5",                           OUTCOME_LATER,   "RCPT TO: " TROUBLE },
    { RCPT "|<550 a\tb\r\n\xc3\xa4",        OUTCOME_REFUSED, "RCPT TO: 550 ab" },
    { RCPT "|<250 ok|>DATA|<452 full",      OUTCOME_LATER,   "DATA: 452 full" },
    { DATA,                                 OUTCOME_LATER,   "DATA: " TROUBLE },
    { DATA "|.",                            OUTCOME_LATER,   "the end of the text: " TROUBLE },
    { DATA "|.|<554 spam|>QUIT|<221 bye",   OUTCOME_REFUSED, "the end of the text: 554 spam" },
    { DATA "|.|<451 later",                 OUTCOME_LATER,   "the end of the text: 451 later" },
};
/* clang-format on */

static void talk(smtp_trace *t, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "|");
        parley_str line = { text + 1, n - 1 };

        if (*text == '<')
            smtp_trace_heard(t, line);
        else if (*text == '>')
            smtp_trace_said(t, line);
        else
            smtp_trace_body(t);
        text += n + (text[n] == '|');
    }
}

static void test_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        smtp_trace t = { 0 };
        char why[MAIL_WHY_MAX];

        talk(&t, cases[i].talk);
        outcome got = smtp_trace_end(&t, 0, TROUBLE, why);
        if (got != cases[i].want || strcmp(why, cases[i].why) != 0)
            fail_msg("\"%s\": %d \"%s\"", cases[i].talk, got, why);
        assert_int_equal(smtp_trace_end(&t, 1, TROUBLE, why), OUTCOME_SENT);
    }
}

static void test_pace(void **state)
{
    static const struct {
        int64_t failed, want;
    } rows[] = { { 1, 5 }, { 2, 10 }, { 3, 20 }, { 10, 2560 }, { 11, 3600 }, { 1000, 3600 } };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(rows); i++) {
        int64_t want = rows[i].want * 1000000;

        assert_int_equal(pace_us(rows[i].failed, PACE_MAIL_FIRST_US, PACE_MAIL_MOST_US, 0),
                         want / 2);
        assert_int_equal(pace_us(rows[i].failed, PACE_MAIL_FIRST_US, PACE_MAIL_MOST_US, UINT32_MAX),
                         want);
    }
}

/* clang-format off */
static const struct {
    const char *site_url, *host, *port, *use_tls, *use_ssl, *url;
} urls[] = {
    { "http://localhost:8000",         "mail", "0",    "false", "false", "smtp://mail:25/" },
    { "http://localhost:8000",         "mail", "1025", "false", "false", "smtp://mail:1025/" },
    { "https://chat.example.org",      "mail", "0",    "true",  "false", "smtp://mail:587/chat.example.org" },
    { "https://chat.example.org:8443", "mail", "0",    "false", "true",  "smtps://mail:465/chat.example.org" },
    { "https://10.0.0.1/x",            "::1",  "0",    "false", "false", "smtp://[::1]:25/" },
    { "https://[::1]:8443",            "10.0.0.2", "0", "false", "false", "smtp://10.0.0.2:25/" },
};
/* clang-format on */

static void test_urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(urls); i++) {
        const fake_option options[] = {
            { "host", urls[i].host },       { "port", urls[i].port },
            { "use_tls", urls[i].use_tls }, { "use_ssl", urls[i].use_ssl },
            { "from", "Chat <a@b.de>" },    { NULL, NULL }
        };

        fake_server("site_url", urls[i].site_url);
        fake_db_use("sqlite");
        if (fake_load(&parley_plugin_0, options) < 0)
            fail_msg("%s: %s", urls[i].url, fake_why());
        assert_string_equal(mail.smtp.url, urls[i].url);
        assert_string_equal(mail.smtp.from, "<a@b.de>");
        fake_end();
    }
}

static void test_transport(void **state)
{
    static const fake_option no_host[] = { { "transport", "smtp" }, { NULL, NULL } };
    static const fake_option both[] = { { "transport", "outbox" },
                                        { "host", "mail" },
                                        { NULL, NULL } };

    (void)state;
    fake_db_use("sqlite");
    assert_true(fake_load(&parley_plugin_0, no_host) < 0);
    assert_non_null(strstr(fake_why(), "transport: is smtp, but host is not set"));
    fake_end();
    fake_db_use("sqlite");
    assert_true(fake_load(&parley_plugin_0, both) < 0);
    assert_non_null(strstr(fake_why(), "host: is set (EMAIL_HOST), but transport is outbox"));
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_transport),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
