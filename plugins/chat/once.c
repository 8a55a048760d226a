/* once.c -- client_msg_id: reading it, the hash of a content, and what the sender is told. */
#include "plugins/chat/once.h"
#include "plugins/chat/sql.h"
#include <parley/text.h>
#include <sodium.h>

enum { KEY_BYTES = 32, MARK_BYTES = 4, HASH_BYTES = 28 };

static const char id_field[] = "client_msg_id";
static const char key_field[] = "Idempotency-Key";
static struct {
    uint8_t key[KEY_BYTES];
    char mark[2 * MARK_BYTES + 1]; /* tells one key from another */
} once;

/* ---- the id ---- */

/* The text of a header: a token, or a string in quotes (RFC 8941), whose escapes are resolved.
 * false: neither. */
static bool key_unquote(parley_req req, parley_str header, parley_str *ret)
{
    bool is_quoted = header.n >= 2 && header.p[0] == '"' && header.p[header.n - 1] == '"';
    char *to = is_quoted ? parley->req_alloc(req, header.n) : NULL;
    size_t n = 0;

    if (!is_quoted) {
        *ret = header;
        return !memchr(header.p, '"', header.n) && !memchr(header.p, ' ', header.n);
    }
    if (!to)
        return false;
    for (size_t i = 1; i + 1 < header.n; i++) {
        bool is_escape = header.p[i] == '\\';

        if (header.p[i] == '"' || (is_escape && i + 2 >= header.n))
            return false;
        i += is_escape;
        to[n++] = header.p[i];
    }
    *ret = (parley_str){ to, n };
    return true;
}

/* Visible ASCII, as long as an id may be. */
static const char *key_fault(parley_req req, parley_str header, parley_str *ret)
{
    if (!key_unquote(req, header, ret))
        return "Not a valid string.";
    if (ret->n == 0)
        return "This field may not be blank.";
    if (ret->n > ONCE_MOST)
        return "Ensure this field has no more than 64 characters.";
    for (size_t i = 0; i < ret->n; i++)
        if (ret->p[i] < ' ' || ret->p[i] > '~')
            return "Not a valid string.";
    return NULL;
}

bool once_id(parley_req req, const parley_json *in, parley_str *ret, parley_json *errors)
{
    char why[PARLEY_TEXT_WHY_MAX];
    parley_str header = parley->req_header(req, key_field);
    parley_str key = { NULL, 0 };
    const char *fault = parley_text_check(parley->json_get(in, id_field), ONCE_MOST,
                                          PARLEY_TEXT_RAW | PARLEY_TEXT_OPTIONAL, ret, why);
    const char *of_key = header.p ? key_fault(req, header, &key) : NULL;

    if (!fault && !of_key && ret->p && key.p && !str_equal(*ret, key))
        fault = "Must be equal to the header Idempotency-Key.";
    if (fault && errors)
        parley_text_fault(errors, id_field, fault);
    if (of_key && errors)
        parley_text_fault(errors, key_field, of_key);
    if (!ret->p)
        *ret = key;
    return !fault && !of_key;
}

/* ---- the hash ---- */

int once_start(void)
{
    uint8_t mark[MARK_BYTES + 12];

    if (sodium_init() < 0 || parley->secret("chat.content_hash", once.key) < 0)
        return parley->fail(chat.ctx, "no key for the hashes of messages");
    (void)crypto_generichash(mark, sizeof(mark), NULL, 0, once.key, sizeof(once.key));
    (void)sodium_bin2hex(once.mark, sizeof(once.mark), mark, MARK_BYTES);
    return PARLEY_OK;
}

/* The mark of the key, and the hash. */
void once_hash(parley_str content, char ret[ONCE_HASH_SIZE])
{
    uint8_t hash[HASH_BYTES];

    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)content.p, content.n,
                             once.key, sizeof(once.key));
    memcpy(ret, once.mark, 2 * MARK_BYTES);
    (void)sodium_bin2hex(ret + 2 * MARK_BYTES, ONCE_HASH_SIZE - 2 * MARK_BYTES, hash, sizeof(hash));
}

/* A hash made with another SECRET_KEY cannot be compared; that the message is stored is certain
 * all the same, so its sender is told that. */
static bool hash_differs(parley_str stored, const char *hash)
{
    bool is_same_key =
        stored.n == ONCE_HASH_SIZE - 1 && memcmp(stored.p, hash, 2 * MARK_BYTES) == 0;

    return is_same_key && memcmp(stored.p, hash, stored.n) != 0;
}

/* ---- the message ---- */

void once_take(struct stored *ret, const parley_rows *rows)
{
    ret->message.seq = chat.db->get_int(rows, 0, SENT_SEQ, 0);
    ret->message.created_at = chat.db->get_int(rows, 0, SENT_CREATED, 0);
    ret->epoch = chat.db->get(rows, 0, SENT_EPOCH);
    render_take_sender(&ret->message, rows, 0, SENT_SENDER);
}

void once_take_all(struct stored *ret, const parley_rows *rows)
{
    once_take(ret, rows);
    ret->message.uid = chat.db->get(rows, 0, SENT_UID);
    ret->message.content = chat.db->get(rows, 0, SENT_CONTENT);
    ret->hash = chat.db->get(rows, 0, SENT_HASH);
    ret->deleted_at = chat.db->get_int(rows, 0, SENT_DELETED, 0);
    ret->message.edited_at = chat.db->get_int(rows, 0, SENT_EDITED, 0);
    ret->message.reply_to = chat.db->get(rows, 0, SENT_REPLY_TO);
    ret->message.mentions = chat.db->get(rows, 0, SENT_MENTIONS);
}

/* ---- what its sender is told ---- */

static void ack(parley_req req, const struct stored *stored, bool is_replayed)
{
    const struct message *message = &stored->message;
    parley_json *out = parley->json_obj();

    parley->json_set(out, "room", parley->json_s(message->room));
    parley->json_set(out, id_field, parley->json_s(message->client_id));
    parley->json_set(out, "id", parley->json_s(message->uid));
    parley->json_set(out, "seq", parley->json_i(message->seq));
    parley->json_set(out, "epoch", parley->json_s(stored->epoch));
    parley->json_set(out, "replayed", parley->json_b(is_replayed));
    parley_frame *frame = parley->frame("ack", out, 0);

    parley->json_free(out);
    if (!frame)
        return;
    (void)parley->send(parley->req_conn(req), frame);
    parley->frame_unref(frame);
}

void once_tell(parley_req req, bool is_event, const struct stored *stored)
{
    if (!is_event) {
        parley->reply_json(req, 201, render_message(&stored->message));
        return;
    }
    if (stored->message.client_id.p)
        ack(req, stored, false);
    parley->reply(req, 200, NULL, (parley_str){ NULL, 0 });
}

static parley_json *tombstone(const struct stored *stored)
{
    parley_json *out = parley->json_obj();

    parley->json_set(out, "id", parley->json_s(stored->message.uid));
    parley->json_set(out, "seq", parley->json_i(stored->message.seq));
    parley->json_set(out, "deleted_at", render_stamp(stored->deleted_at));
    return out;
}

void once_tell_again(parley_req req, bool is_event, const struct stored *stored, const char *hash)
{
    if (hash_differs(stored->hash, hash)) {
        parley->deny(req, 422, "idempotency_mismatch",
                     "A message with this client_msg_id and another content is stored.");
        return;
    }
    if (is_event) {
        ack(req, stored, true);
        parley->reply(req, 200, NULL, (parley_str){ NULL, 0 });
        return;
    }
    parley->reply_header(req, "Idempotent-Replayed", PARLEY_S("true"));
    parley->reply_json(req, 200,
                       stored->deleted_at ? tombstone(stored) : render_message(&stored->message));
}
