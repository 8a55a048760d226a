/* verify_case.h -- a history made of the lines of a record, and what is broken in it. */
#ifndef TESTS_VERIFY_CASE_H
#define TESTS_VERIFY_CASE_H

/* Adds one line; its single quotes stand for double ones. */
static void take(history *h, const char *text)
{
    char line[400], why[200] = "";
    size_t n = strlen(text);

    assert_true(n < sizeof(line));
    for (size_t i = 0; i <= n; i++)
        line[i] = text[i] == '\'' ? '"' : text[i];
    if (record_take(h, (parley_str){ line, n }, why) < 0)
        fail_msg("%s: %s", text, why);
}

/* Exactly that promise is broken (CHECK_COUNT: none is).  Ends the history. */
static void assert_broken(const char *label, history *h, enum check which)
{
    findings found;

    check_all(h, &found);
    for (enum check k = 0; k < CHECK_COUNT; k++)
        if ((found.broken[k] > 0) != (k == which))
            fail_msg("case \"%s\": \"%s\" is broken %zu times; first is: %s", label,
                     check_names[k].name, found.broken[k],
                     found.first.n ? found.first.all[0].text : "nothing");
    assert_false(found.failed);
    check_done(&found);
    history_done(h);
}
#endif
