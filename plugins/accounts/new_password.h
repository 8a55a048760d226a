/* new_password.h -- the two fields of a new password, as registration, change and reset take them. */
#ifndef ACCOUNTS_NEW_PASSWORD_H
#define ACCOUNTS_NEW_PASSWORD_H
#include "plugins/accounts/strength.h"

typedef struct new_password {
    parley_str text, confirm; /* views into the body; absent: the field is faulty */
} new_password;

/* Reads `password` and `password_confirm`, and names their faults. */
void new_password_read(new_password *p, const parley_json *in, parley_json *errors);
/* Only when all fields are sound: are the two equal, and is it strong enough? */
void new_password_judge(const new_password *p, const strength_of *of, parley_json *errors);
#endif
