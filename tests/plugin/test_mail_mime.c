/* test_mail_mime.c -- mails as RFC 5322 wants them: headers, encodings, injection; and reading them
 * back. */
#include "plugins/mail/mime.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINK                                                                                       \
    "http://localhost:8000/api/auth/verify-email/abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG/"
#define ID "019a1b2c-0000-7000-8000-0000000000a1"
#define A100                                                                                       \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaaaaaa"
#define A30   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L20   "\u5c71\u5c71\u5c71\u5c71\u5c71\u5c71\u5c71\u5c71\u5c71\u5c71"
#define A1000 A100 A100 A100 A100 A100 A100 A100 A100 A100 A100

static parley_str str(const char *text)
{
    return (parley_str){ text, strlen(text) };
}

static mime_mail mail_of(const char *subject, const char *text)
{
    return (mime_mail){ .from = PARLEY_S("Parley <noreply@localhost>"),
                        .to = PARLEY_S("ada@example.org"),
                        .subject = str(subject),
                        .text = str(text),
                        .id = PARLEY_S(ID),
                        .at_us = 1738324800123456 }; /* 2025-01-31 12:00:00 */
}

static void test_plain(void **state)
{
    text_out out = { .limit = 10000 };
    mime_mail mail = mail_of("Verify your email address", "Hello\n\n" LINK "\nBye\n");

    (void)state;
    assert_int_equal(mime_write(&mail, &out), 0);
    assert_string_equal(out.p, "From: Parley <noreply@localhost>\r\n"
                               "To: ada@example.org\r\n"
                               "Subject: Verify your email address\r\n"
                               "Date: Fri, 31 Jan 2025 12:00:00 +0000\r\n"
                               "Message-ID: <019a1b2c-0000-7000-8000-0000000000a1@localhost>\r\n"
                               "Auto-Submitted: auto-generated\r\n"
                               "MIME-Version: 1.0\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n"
                               "Content-Transfer-Encoding: 7bit\r\n"
                               "\r\n"
                               "Hello\r\n\r\n" LINK "\r\nBye\r\n");
    text_out_done(&out);
}

/* clang-format off */
static const struct {
    const char *label, *subject, *text, *encoding;
    const char *subject_back, *text_back; /* NULL: the same */
} trips[] = {
    { "plain",             "Hello",                     "Text\n",             "7bit", NULL, NULL },
    { "not ASCII",         "Gr\u00fc\u00dfe \u5c71",    "Gr\u00fc\u00dfe\n",  "base64", NULL, NULL },
    { "a little of it",    "Hello",                     A100 "Gr\u00fc\u00dfe\n" A100 "\n", "quoted-printable", NULL, NULL },
    { "long and not ASCII", "Hello",                    L20 L20 L20 L20 L20 L20 "\n", "base64", NULL, NULL },
    { "a tab",             "Hello",                     "a\tb\n",            "7bit", NULL, NULL },
    { "dots",              "Hello",                     ".\n..\n.a\n",       "7bit", NULL, NULL },
    { "folded subject",    A30 " " A30 " " A30 " " A30, "x\n",               "7bit", NULL, NULL },
    { "spaces in subject", " a  b ",                    "x\n",               "7bit", NULL, NULL },
    { "control character", "Hello",                     "a\x01 b\n",        "base64", NULL, NULL },
    { "long subject",      A100 "\u00e4" A100 "\u5c71" A100, "x\n",           "7bit", NULL, NULL },
    { "long line",         "Hello",                     A1000 "=\u00e4 \n" LINK "\n", "quoted-printable", NULL, NULL },
    { "looks encoded",     "=?UTF-8?B?AAAA?=",          "x\n",                "7bit", NULL, NULL },
    { "header injection",  "Hi\r\nBcc: eve@example.org", "x\n",               "7bit", "Hi  Bcc: eve@example.org", NULL },
    { "other line ends",   "Hi",                        "a\rb\r\nc",          "7bit", NULL, "a\nb\nc\n" },
    { "empty",             "",                          "",                   "7bit", NULL, NULL },
};
/* clang-format on */

static void check_lines(const char *label, const text_out *eml)
{
    size_t begin = 0;
    int is_head = 1;

    for (size_t i = 0; i < eml->n; i++) {
        if ((unsigned char)eml->p[i] > 126)
            fail_msg("case \"%s\": a byte that is not ASCII", label);
        if (eml->p[i] == '\r' && (i + 1 == eml->n || eml->p[i + 1] != '\n'))
            fail_msg("case \"%s\": a lone CR", label);
        if (eml->p[i] != '\n')
            continue;
        if (i == 0 || eml->p[i - 1] != '\r' || i - begin > 999)
            fail_msg("case \"%s\": a wrong line", label);
        if (is_head && i - begin > 79)
            fail_msg("case \"%s\": a header line is not folded", label);
        is_head = is_head && i - begin > 1;
        begin = i + 1;
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(trips) / sizeof(trips[0]); i++) {
        text_out out = { .limit = 100000 };
        mime_mail mail = mail_of(trips[i].subject, trips[i].text);
        const char *subject = trips[i].subject_back ? trips[i].subject_back : trips[i].subject;
        const char *text = trips[i].text_back ? trips[i].text_back : trips[i].text;
        mime_parts back;
        char wanted[80];

        assert_int_equal(mime_write(&mail, &out), 0);
        check_lines(trips[i].label, &out);
        (void)snprintf(wanted, sizeof(wanted), "\r\nContent-Transfer-Encoding: %s\r\n",
                       trips[i].encoding);
        if (!strstr(out.p, wanted) || strstr(out.p, "\r\nBcc"))
            fail_msg("case \"%s\": %s", trips[i].label, out.p);
        mime_read(text_out_view(&out), &back);
        if (strcmp(back.subject.p ? back.subject.p : "", subject) != 0 ||
            strcmp(back.text.p ? back.text.p : "", text) != 0)
            fail_msg("case \"%s\" read back: \"%s\" \"%s\"", trips[i].label, back.subject.p,
                     back.text.p);
        assert_string_equal(back.to.p, "ada@example.org");
        assert_string_equal(back.date.p, "Fri, 31 Jan 2025 12:00:00 +0000");
        mime_parts_done(&back);
        text_out_done(&out);
    }
}

static void test_addresses(void **state)
{
    static const char *const bad[] = { "",
                                       "a",
                                       "a@",
                                       "@b",
                                       "a b@c.de",
                                       "a@b.de,c@d.de",
                                       "a@b.de\r\nBcc: c@d.de",
                                       "<a@b.de>",
                                       "\"a\"@b.de",
                                       "\u00e4@b.de",
                                       "a@b@c.de",
                                       "a;b@c.de",
                                       "a\tb@c.de",
                                       "a@b.de\n",
                                       "a@b.de>",
                                       "a(b)@c.de",
                                       "a@[1.2.3.4]",
                                       "a\\b@c.de" };
    static const char *const bad_from[] = {
        "", "Parley", "Parley <>", "Par\nley <a@b.de>", "Parley <a@b.de> x", "Parley <a@b.de"
    };
    static const char *const good_from[] = { "a@localhost", "Parley <a@b.de>",
                                             "Gr\u00fc\u00dfe, alle <a@b.de>" };

    (void)state;
    assert_true(mime_is_address(PARLEY_S("ada@example.org")));
    assert_false(mime_is_address(PARLEY_S("ada@example.org\0")));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        mime_mail mail = mail_of("s", "t");
        text_out out = { .limit = 10000 };

        mail.to = str(bad[i]);
        if (mime_write(&mail, &out) != PARLEY_EINVAL || out.n > 0)
            fail_msg("\"%s\" is written", bad[i]);
        text_out_done(&out);
    }
    for (size_t i = 0; i < sizeof(bad_from) / sizeof(bad_from[0]); i++)
        if (mime_is_from(str(bad_from[i])))
            fail_msg("from \"%s\" is allowed", bad_from[i]);
    for (size_t i = 0; i < sizeof(good_from) / sizeof(good_from[0]); i++)
        if (!mime_is_from(str(good_from[i])))
            fail_msg("from \"%s\" is refused", good_from[i]);
}

static void test_from_is_encoded(void **state)
{
    text_out out = { .limit = 10000 };
    mime_mail mail = mail_of("s", "t");

    (void)state;
    mail.from = PARLEY_S("Gr\u00fc\u00dfe <a@b.de>");
    assert_int_equal(mime_write(&mail, &out), 0);
    assert_non_null(strstr(out.p, "From: =?UTF-8?B?R3LDvMOfZQ==?= <a@b.de>\r\n"));
    assert_non_null(strstr(out.p, "Message-ID: <019a1b2c-0000-7000-8000-0000000000a1@b.de>\r\n"));
    text_out_done(&out);
}

/* A text and the same as HTML; a reader that knows text only sees that. */
static void test_alternatives(void **state)
{
    text_out out = { .limit = 10000 };
    mime_mail mail = mail_of("s", "Hello\n" LINK "\n");
    mime_parts back;

    (void)state;
    mail.html = PARLEY_S("<p>Gr\u00fc\u00dfe</p>\n");
    assert_int_equal(mime_write(&mail, &out), 0);
    check_lines("alternatives", &out);
    const char *body = strstr(out.p, "Content-Type: multipart/alternative;\r\n boundary=\"=_" ID
                                     "\"\r\n\r\n--=_" ID "\r\nContent-Type: text/plain");
    assert_non_null(body);
    assert_non_null(strstr(body, "\r\n\r\n--=_" ID "\r\nContent-Type: text/html; charset=utf-8\r\n"
                                 "Content-Transfer-Encoding: base64\r\n\r\n"));
    assert_non_null(strstr(body, "\r\n--=_" ID "--\r\n"));
    mime_read(text_out_view(&out), &back);
    assert_string_equal(back.text.p, "Hello\n" LINK "\n");
    assert_string_equal(back.subject.p, "s");
    mime_parts_done(&back);
    text_out_done(&out);
}

static void test_limit(void **state)
{
    text_out out = { .limit = 200 };
    mime_mail mail = mail_of("s", A1000);

    (void)state;
    assert_int_equal(mime_write(&mail, &out), PARLEY_ENOMEM);
    text_out_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),     cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_from_is_encoded),
        cmocka_unit_test(test_limit),     cmocka_unit_test(test_alternatives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
