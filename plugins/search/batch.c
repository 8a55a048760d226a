/* batch.c -- one batch of messages on its way into the index. */
#include "plugins/search/index.h"
#include <stdlib.h>
#include <string.h>

#define LEASE_US INT64_C(5000000) /* of a worker that dies, until another one goes on */

static bool content_copy(parley_str from, parley_str *ret)
{
    char *copy = malloc(from.n + 1);

    if (copy)
        memcpy(copy, from.p, from.n);
    *ret = (parley_str){ copy, copy ? from.n : 0 };
    return copy != NULL;
}

void batch_take(struct batch *batch, const parley_rows *rows)
{
    int64_t n = search.db->rows_n(rows);

    batch->n = n < BATCH_MOST ? (size_t)n : BATCH_MOST;
    batch->is_full = n >= BATCH_MOST;
    batch->is_faulty = false;
    for (size_t i = 0; i < batch->n; i++) {
        struct entry *e = &batch->entries[i];
        parley_str content = search.db->get(rows, (int64_t)i, BATCH_CONTENT);

        *e = (struct entry){ .message = search.db->get_int(rows, (int64_t)i, BATCH_MESSAGE, 0),
                             .room = search.db->get_int(rows, (int64_t)i, BATCH_ROOM, 0),
                             .todo = search.db->get_int(rows, (int64_t)i, BATCH_TODO, 0) };
        if (content.p)
            batch->is_faulty |= !content_copy(content, &e->content);
    }
    bool is_by_id = batch->kind == INDEX_NEW || (batch->kind == INDEX_AGAIN && batch->is_full);
    if (is_by_id && batch->n > 0)
        batch->to = batch->entries[batch->n - 1].message;
}

/* `tokens` has room for it.  false: no memory */
static bool entry_cut(struct entry *e, struct tokens *tokens)
{
    tokens_cut(e->content, TOKENS_OF_MESSAGE, tokens);
    char *document = malloc(document_room(tokens));

    if (document)
        e->document = (parley_str){ document, document_make(search.dialect, tokens, e->message,
                                                            e->room, document) };
    return document != NULL;
}

void batch_cut(void *ud)
{
    struct batch *batch = ud;
    struct tokens tokens = { .text = NULL };
    size_t longest = 0;

    for (size_t i = 0; i < batch->n; i++)
        if (batch->entries[i].content.n > longest)
            longest = batch->entries[i].content.n;
    tokens.text_room = tokens_text_room(longest);
    tokens.room = tokens_list_room(longest);
    tokens.text = malloc(tokens.text_room);
    tokens.list = malloc(tokens.room * sizeof(*tokens.list));
    batch->is_faulty |= !tokens.text || !tokens.list;
    for (size_t i = 0; i < batch->n && !batch->is_faulty; i++)
        if (batch->entries[i].content.p)
            batch->is_faulty = !entry_cut(&batch->entries[i], &tokens);
    free(tokens.text);
    free(tokens.list);
}

/* One that was never found, or is not to be found any more, must not be in it. */
static bool entry_is_gone(const struct batch *batch, const struct entry *e)
{
    return batch->kind == INDEX_TODO && !e->document.p;
}

int batch_write(const struct batch *batch, parley_str owner, parley_db_fn done)
{
    static parley_param ids[BATCH_MOST][1], puts[BATCH_MOST][2], todos[BATCH_MOST][1];
    static parley_sql sql[2 * BATCH_MOST + 2];
    int64_t now_us = parley->now_us();
    parley_param lease[] = { PARLEY_TEXT(owner), PARLEY_INT(now_us),
                             PARLEY_INT(now_us + LEASE_US) };
    parley_param at_new[] = { PARLEY_INT(batch->to), PARLEY_INT(batch->from) };
    parley_param at_again[] = { PARLEY_INT(batch->to) };
    uint32_t n = 0;

    sql[n++] = (parley_sql)SQL(SQL_LEASE, lease);
    for (size_t i = 0; i < batch->n; i++) {
        const struct entry *e = &batch->entries[i];

        ids[i][0] = puts[i][0] = (parley_param)PARLEY_INT(e->message);
        puts[i][1] = (parley_param)PARLEY_TEXT(e->document);
        todos[i][0] = (parley_param)PARLEY_INT(e->todo);
        if (e->document.p)
            sql[n++] = (parley_sql)SQL(batch->is_first ? SQL_ADD : SQL_PUT, puts[i]);
        if (entry_is_gone(batch, e))
            sql[n++] = (parley_sql)SQL(SQL_DROP, ids[i]);
        if (batch->kind == INDEX_TODO)
            sql[n++] = (parley_sql)SQL(SQL_TODO_DONE, todos[i]);
    }
    if (batch->kind == INDEX_NEW)
        sql[n++] = (parley_sql)SQL(SQL_NEW_DONE, at_new);
    if (batch->kind == INDEX_AGAIN)
        sql[n++] = (parley_sql)SQL(SQL_AGAIN_DONE, at_again);
    if (batch->kind == INDEX_MARK)
        sql[n++] = (parley_sql){ .stmt = sql_prepared[SQL_MARK] };
    return search.db->run(search.ctx, sql, n, 0, done, NULL);
}

void batch_free(struct batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        free((char *)(uintptr_t)batch->entries[i].content.p);
        free((char *)(uintptr_t)batch->entries[i].document.p);
    }
    batch->n = 0;
}
