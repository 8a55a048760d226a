/* account.c -- the JSON of a user, as shown to himself. */
#include "plugins/accounts/account.h"
#include "plugins/accounts/accounts.h"

account account_from_row(const parley_rows *rows)
{
    const parley_db *db = accounts.db;

    return (account){
        .uid = db->get(rows, 0, 0),
        .username = db->get(rows, 0, 1),
        .email = db->get(rows, 0, 2),
        .first_name = db->get(rows, 0, 3),
        .last_name = db->get(rows, 0, 4),
        .is_verified = db->get_int(rows, 0, 5, 0) != 0,
        .joined_us = db->get_int(rows, 0, 6, 0),
    };
}

parley_json *account_json(const account *a)
{
    char stamp[STAMP_SIZE];
    parley_json *out = parley->json_obj();

    parley->json_set(out, "id", parley->json_s(a->uid));
    parley->json_set(out, "username", parley->json_s(a->username));
    parley->json_set(out, "email", parley->json_s(a->email));
    parley->json_set(out, "first_name", parley->json_s(a->first_name));
    parley->json_set(out, "last_name", parley->json_s(a->last_name));
    parley->json_set(out, "is_verified", parley->json_b(a->is_verified));
    parley->json_set(out, "date_joined", parley->json_s(stamp_text(a->joined_us, stamp)));
    return out;
}

parley_str stamp_text(int64_t at_us, char ret[STAMP_SIZE])
{
    stamp_format(at_us, ret);
    return parley_text_view(ret, strlen(ret));
}
