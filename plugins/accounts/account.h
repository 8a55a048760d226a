/* account.h -- the JSON of a user, as shown to himself. */
#ifndef ACCOUNTS_ACCOUNT_H
#define ACCOUNTS_ACCOUNT_H
#include "plugins/common/stamp.h"
#include <parley/db.h>

typedef struct account { /* views */
    parley_str uid, username, email, first_name, last_name;
    int64_t joined_us;
    int is_verified;
} account;

/* The first seven columns of SQL_PROFILE and SQL_LOGIN_FIND.  Views: until the callback returns. */
account account_from_row(const parley_rows *rows);
parley_json *account_json(const account *a); /* owned */
/* "2025-01-31T12:00:00.123456Z" */
parley_str stamp_text(int64_t at_us, char ret[STAMP_SIZE]);
#endif
