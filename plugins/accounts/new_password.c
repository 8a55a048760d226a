/* new_password.c -- the two fields of a new password. */
#include "plugins/accounts/new_password.h"
#include <parley/text.h>
#include <sodium.h>

void new_password_read(new_password *p, const parley_json *in, parley_json *errors)
{
    (void)parley_text_field(errors, in, "password", STRENGTH_MAX_POINTS, PARLEY_TEXT_RAW, &p->text);
    (void)parley_text_field(errors, in, "password_confirm", 0, PARLEY_TEXT_RAW, &p->confirm);
}

void new_password_judge(const new_password *p, const strength_of *of, parley_json *errors)
{
    const char *faults[STRENGTH_FAULTS];

    if (p->text.n != p->confirm.n || sodium_memcmp(p->text.p, p->confirm.p, p->text.n) != 0) {
        parley_text_fault(errors, "password_confirm", "Passwords do not match.");
        return;
    }
    size_t n = strength_faults(p->text, of, faults);
    for (size_t i = 0; i < n; i++)
        parley_text_fault(errors, "password", faults[i]);
}
