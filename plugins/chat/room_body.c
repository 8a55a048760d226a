/* room_body.c -- {"name":...,"participant_emails":[...]}: the body that makes and changes rooms. */
#include "plugins/chat/room_body.h"
#include "plugins/chat/sql.h"

static const char name_field[] = "name";
static const char emails_field[] = "participant_emails";

bool room_body_parse(parley_req req, const parley_json *in, struct room_body *ret,
                     parley_json *errors)
{
    bool has_name = field_text(in, name_field, ROOM_NAME_MOST, &ret->name, errors);
    bool has_emails = field_emails(req, in, emails_field, &ret->emails, errors);

    return has_name && has_emails;
}

int room_body_ask_people(parley_flow *flow, const struct room_body *body)
{
    size_t n = body->emails.n;
    parley_param *keys = parley->req_alloc(flow->req, n * sizeof(*keys));
    parley_sql *sql = parley->req_alloc(flow->req, n * sizeof(*sql));

    if (!keys || !sql)
        return PARLEY_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        keys[i] = (parley_param)PARLEY_TEXT(body->emails.items[i].key);
        sql[i] =
            (parley_sql){ .stmt = sql_prepared[SQL_USER_BY_EMAIL], .params = &keys[i], .n = 1 };
    }
    return parley_flow_sql(flow, sql, (uint32_t)n, PARLEY_DB_READ);
}

/* Whether an earlier address of the list has the same key. */
static bool email_is_double(const struct email_list *list, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (str_equal(list->items[k].key, list->items[i].key))
            return true;
    return false;
}

int room_body_refuse_unknown(parley_flow *flow, const struct room_body *body)
{
    const struct email_list *list = &body->emails;
    parley_json *errors = parley->json_obj();

    for (size_t i = 0; i < list->n; i++)
        if (flow->db->rows_n(flow->result->rows[i]) == 0 && !email_is_double(list, i))
            field_error_unknown(errors, emails_field, &list->items[i]);
    if (parley->json_len(errors) == 0) {
        parley->json_free(errors);
        return PARLEY_FLOW_NEXT;
    }
    parley->deny_fields(flow->req, errors);
    return PARLEY_FLOW_DONE;
}
