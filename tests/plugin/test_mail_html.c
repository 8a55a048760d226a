/* test_mail_html.c -- texts of mails into HTML, and their seal. */
#include "plugins/mail/html.h"
#include "plugins/mail/seal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define A(url) "<a rel=\"noopener noreferrer\" href=\"" url "\">" url "</a>"

/* clang-format off */
static const struct {
    const char *label, *text, *html;
} cases[] = {
    { "plain",          "Hello\nworld",                "Hello\nworld" },
    { "markup",         "<script>\"&'</script>",       "&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;" },
    { "link",           "see\nhttp://a.example/b/\nx", "see\n" A("http://a.example/b/") "\nx" },
    { "two links",      "https://a http://b",          A("https://a") " " A("http://b") },
    { "query",          "http://a/?b=1&c=2",           A("http://a/?b=1&amp;c=2") },
    { "quote ends it",  "http://a\"onclick=x",         A("http://a") "&quot;onclick=x" },
    { "angle ends it",  "<http://a>",                  "&lt;" A("http://a") "&gt;" },
    { "scheme alone",   "http:// https://",            "http:// https://" },
    { "other schemes",  "javascript:alert(1)",         "javascript:alert(1)" },
    { "empty",          "",                            "" },
};
/* clang-format on */

static void test_links(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        text_out out = { .limit = 10000 };

        html_escape_with_links(&out, (parley_str){ cases[i].text, strlen(cases[i].text) });
        if (strcmp(out.p ? out.p : "", cases[i].html) != 0)
            fail_msg("case \"%s\": %s", cases[i].label, out.p);
        text_out_done(&out);
    }
}

static void test_seal(void **state)
{
    unsigned char key[32] = { 1 }, other[32] = { 2 }, nonce[24] = { 3 };
    text_out sealed = { .limit = 10000 }, text = { .limit = 10000 };

    (void)state;
    assert_int_equal(seal_close(key, nonce, PARLEY_S("a secret link"), &sealed), 0);
    assert_null(strstr(sealed.p, "secret"));
    assert_int_equal(seal_open(key, text_out_view(&sealed), &text), 0);
    assert_string_equal(text.p, "a secret link");
    assert_int_equal(seal_open(other, text_out_view(&sealed), &text), PARLEY_EINVAL);
    sealed.p[40] = sealed.p[40] == 'A' ? 'B' : 'A';
    assert_int_equal(seal_open(key, text_out_view(&sealed), &text), PARLEY_EINVAL);
    assert_int_equal(seal_open(key, PARLEY_S("AAAA"), &text), PARLEY_EINVAL);
    assert_int_equal(seal_open(key, PARLEY_S(""), &text), PARLEY_EINVAL);
    assert_int_equal(text.n, strlen("a secret link"));
    text_out_done(&sealed);
    text_out_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_seal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
