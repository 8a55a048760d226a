/* report.c -- what was found, for people and for programs. */
#include "plugins/verify/report.h"

#include "plugins/verify/record.h"

enum { TOLD_MOST = 10 }; /* violations in the text; JSON has them all */

static void text_table(FILE *to, const findings *f)
{
    (void)fprintf(to, "%-52s %12s %8s\n", "PROMISE", "CHECKED", "BROKEN");
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if (f->checked[i] > 0 || f->broken[i] > 0)
            (void)fprintf(to, "%-52s %12zu %8zu\n", check_names[i].promise, f->checked[i],
                          f->broken[i]);
}

static void text_violations(FILE *to, const findings *f)
{
    size_t n = f->first.n < TOLD_MOST ? f->first.n : TOLD_MOST, all = check_broken(f);

    if (all == 0)
        return;
    (void)fprintf(to, "\nVIOLATIONS\n");
    for (size_t i = 0; i < n; i++)
        (void)fprintf(to, "  %s: %s\n", check_names[f->first.all[i].check].name,
                      f->first.all[i].text);
    if (all > n)
        (void)fprintf(to, "  and %zu more\n", all - n);
}

void report_text(FILE *to, const findings *f, const figure *figures, size_t n)
{
    text_table(to, f);
    text_violations(to, f);
    if (n > 0)
        (void)fprintf(to, "\nTHE RUN\n");
    for (size_t i = 0; i < n; i++)
        (void)fprintf(to, "  %-46s %.*f\n", figures[i].text, figures[i].digits, figures[i].value);
    if (check_broken(f) == 0)
        (void)fprintf(to, "\nHELD: all that was promised was kept\n");
    else
        (void)fprintf(to, "\nVIOLATED: %zu violations\n", check_broken(f));
}

void report_json(FILE *to, const findings *f, const figure *figures, size_t n)
{
    (void)fprintf(to, "{\"held\":%s,\"checks\":[", check_broken(f) ? "false" : "true");
    for (size_t i = 0; i < CHECK_COUNT; i++)
        (void)fprintf(
            to, "%s{\"check\":\"%s\",\"promise\":\"%s\",\"checked\":%zu,\"violations\":%zu}",
            i ? "," : "", check_names[i].name, check_names[i].promise, f->checked[i], f->broken[i]);
    (void)fprintf(to, "],\"violations\":[");
    for (size_t i = 0; i < f->first.n; i++) {
        (void)fprintf(to, "%s{\"check\":\"%s\",\"text\":", i ? "," : "",
                      check_names[f->first.all[i].check].name);
        record_text(to, f->first.all[i].text);
        (void)fputc('}', to);
    }
    (void)fprintf(to, "],\"figures\":{");
    for (size_t i = 0; i < n; i++)
        (void)fprintf(to, "%s\"%s\":%.*f", i ? "," : "", figures[i].name, figures[i].digits,
                      figures[i].value);
    (void)fprintf(to, "}}\n");
}
