/* letter.c -- what clients send: again and again, with the same client_msg_id, until it is
 * acknowledged; by socket, by REST, by both at once, and now and then once more when it is stored.
 *
 * The history has every try.  One whose connection ends has an outcome nobody knows; one that is
 * answered "later" (429, 503) has not, either, since the next try may store it. */
#include "plugins/verify/record.h"
#include "plugins/verify/run.h"

#include <inttypes.h>
#include <string.h>

/* Shares in a hundred. */
enum { BY_REST = 35, BY_BOTH = 8, REPEATED = 6 };
enum { AGAIN_MS = 100 };

/* ---- life ---- */

static void letter_begin(client *c, letter *l, int64_t now_ns)
{
    verify *v = c->v;
    char id[ID_SIZE], text[TEXT_MAX];
    int n = snprintf(text, sizeof(text), "verify %" PRIx64 " %s message %zu", v->opt.seed, c->name,
                     v->letters);

    parley->uuid7(id);
    *l = (letter){ .key = word(&v->h.words, id, strlen(id)),
                   .content = word(&v->h.words, text, (size_t)n),
                   .seat = dice(v, (uint32_t)c->seat_n),
                   .tries = { NO_TRY, NO_TRY },
                   .begun_ns = now_ns };
    v->letters++;
}

static bool letter_is_trying(const letter *l)
{
    return l->tries[WAY_SOCKET] != NO_TRY || l->tries[WAY_REST] != NO_TRY;
}

size_t letters_open(const client *c)
{
    size_t n = 0;

    for (size_t i = 0; i < LETTERS_MOST; i++)
        n += c->letters[i].key != NULL;
    return n;
}

static void letter_over(letter *l)
{
    if (l->is_acked && !letter_is_trying(l) && !l->is_repeat_due)
        l->key = NULL;
}

/* ---- a try ---- */

static void try_begin(client *c, letter *l, enum way way)
{
    verify *v = c->v;
    size_t number = v->h.sends.n;
    const seat *to = &c->seats[l->seat];
    sent *s = LIST_ADD(v->h.sends, &v->h.failed);

    if (!s)
        return;
    *s = (sent){ .client = c->name,
                 .user = c->who->id,
                 .room = to->room,
                 .content = l->content,
                 .key = l->key,
                 .at = run_now(v) };
    s->id = s->line = word(&v->h.words, NULL, 0);
    if (way == WAY_SOCKET && to->log >= 0)
        s->line = v->h.sockets.all[to->log].name;
    l->tries[way] = (int64_t)number;
    l->tried_ns = parley->mono_ns();
    v->repeats += l->tries_n++ > 0;
    v->tries++;
    record_sent(v->record, number, s);
}

/* answer NULL: there was none. */
static void try_end(client *c, letter *l, enum way way, const sent *answer)
{
    verify *v = c->v;
    int64_t number = l->tries[way];
    sent *s = number == NO_TRY ? NULL : &v->h.sends.all[number];

    l->tries[way] = NO_TRY;
    if (!s || !answer)
        return;
    s->outcome = answer->outcome;
    s->status = answer->status;
    s->id = answer->id;
    s->seq = answer->seq;
    s->is_repeat = answer->is_repeat;
    s->answered = run_now(v);
    record_answered(v->record, (size_t)number, s);
}

static void letter_stored(client *c, letter *l, const char *id)
{
    verify *v = c->v;

    if (l->is_acked)
        return;
    l->is_acked = true;
    v->acked++;
    sample *one = LIST_ADD(v->ack_us, &v->failed);
    if (one)
        one->us = (uint32_t)((parley->mono_ns() - l->begun_ns) / 1000);
    l->is_repeat_due = dice(v, 100) < REPEATED;
    l->again_ns = 0;
    revise_stored(c, l, id);
}

/* Not stored, and the answer says why: 429 and 503 are asked again, the rest is given up. */
static void letter_failed(client *c, letter *l, enum way way, int status, int64_t later_ms)
{
    bool is_final = status != 429 && status != 503 && status != 0;
    const sent answer = { .outcome = is_final ? OUTCOME_REFUSED : OUTCOME_UNKNOWN,
                          .status = status,
                          .id = word(&c->v->h.words, NULL, 0) };

    try_end(c, l, way, status ? &answer : NULL);
    l->again_ns = parley->mono_ns() + later_ms * 1000000;
    if (is_final && !l->is_acked && !letter_is_trying(l)) {
        l->key = NULL;
        c->v->given_up++;
    }
    if (is_final)
        l->is_repeat_due = false;
    letter_over(l);
}

/* ---- by socket ---- */

int letter_frame(const client *c, const letter *l, char into[512])
{
    char to[64] = "";

    if (c->is_shared)
        (void)snprintf(to, sizeof(to), ",\"room\":\"%.36s\"", c->seats[l->seat].room);
    return snprintf(into, 512,
                    "{\"type\":\"chat_message\"%s,\"content\":\"%s\",\"client_msg_id\":\"%s\"}", to,
                    l->content, l->key);
}

static letter *letter_of(client *c, const char *key)
{
    for (size_t i = 0; i < LETTERS_MOST; i++)
        if (c->letters[i].key == key)
            return &c->letters[i];
    return NULL;
}

static void send_socket(client *c, letter *l)
{
    char frame[512];
    int n = letter_frame(c, l, frame);

    try_begin(c, l, WAY_SOCKET);
    ws_text(&c->ws, frame, (size_t)n);
}

void letter_acked(client *c, const char *key, const parley_json *in)
{
    letter *l = letter_of(c, key);
    wordbook *w = &c->v->h.words;
    parley_str id = parley->json_str(parley->json_get(in, "id"));
    const parley_json *replayed = parley->json_get(in, "replayed");
    sent answer = { .outcome = OUTCOME_ACKED,
                    .status = 200,
                    .id = word(w, id.p, id.n),
                    .seq = parley->json_int(parley->json_get(in, "seq"), 0) };

    if (!l || l->tries[WAY_SOCKET] == NO_TRY)
        return;
    parley_str is = parley->json_text(c->v->ctx, replayed);
    answer.is_repeat = is.n == 4 && memcmp(is.p, "true", 4) == 0;
    try_end(c, l, WAY_SOCKET, &answer);
    letter_stored(c, l, answer.id);
    letter_over(l);
    letters_look(c, parley->mono_ns());
}

/* An error frame: the codes that leave it open, or are worth another try, are two. */
void letter_refused(client *c, const char *key, const parley_json *in)
{
    letter *l = letter_of(c, key);
    parley_str code = parley->json_str(parley->json_get(in, "code"));
    int64_t later_s = parley->json_int(parley->json_get(in, "retry_after"), 0);
    static const struct {
        const char *code;
        int status;
    } codes[] = {
        { "throttled", 429 }, { "unavailable", 503 }, { "not_found", 404 }, { "internal", 500 }
    };
    int status = 400;

    if (!l || l->tries[WAY_SOCKET] == NO_TRY)
        return;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (code.n == strlen(codes[i].code) && memcmp(code.p, codes[i].code, code.n) == 0)
            status = codes[i].status;
    letter_failed(c, l, WAY_SOCKET, status, later_s > 0 ? later_s * 1000 : AGAIN_MS);
}

void letters_lost(client *c)
{
    for (size_t i = 0; i < LETTERS_MOST; i++) {
        letter *l = &c->letters[i];

        if (!l->key || l->tries[WAY_SOCKET] == NO_TRY)
            continue;
        try_end(c, l, WAY_SOCKET, NULL);
        letter_over(l);
    }
}

/* ---- by REST ---- */

static void rest_answered(void *ud, const reply *a)
{
    client *c = ud;
    letter *l = c->by_rest;
    parley_json *in =
        a->status == 200 || a->status == 201 ? parley->json_parse(a->body, NULL) : NULL;
    parley_str id = parley->json_str(parley->json_get(in, "id"));

    c->by_rest = NULL;
    if (!l || !l->key) {
        parley->json_free(in);
        return;
    }
    if (in && id.n > 0) {
        const sent answer = { .outcome = OUTCOME_ACKED,
                              .status = a->status,
                              .id = word(&c->v->h.words, id.p, id.n),
                              .seq = parley->json_int(parley->json_get(in, "seq"), 0),
                              .is_repeat = a->is_replayed };
        try_end(c, l, WAY_REST, &answer);
        letter_stored(c, l, answer.id);
        letter_over(l);
        letters_look(c, parley->mono_ns());
    } else {
        letter_failed(c, l, WAY_REST, a->status,
                      a->retry_after_s > 0 ? a->retry_after_s * 1000 : AGAIN_MS);
    }
    parley->json_free(in);
}

static bool send_rest(client *c, letter *l)
{
    char path[REST_PATH_MAX], body[512];

    (void)snprintf(path, sizeof(path), "/api/chat/rooms/%s/send/", c->seats[l->seat].room);
    (void)snprintf(body, sizeof(body), "{\"content\":\"%s\",\"client_msg_id\":\"%s\"}", l->content,
                   l->key);
    if (rest_ask(&c->rest, "POST", path, body, rest_answered, c) < 0)
        return false;
    c->by_rest = l;
    try_begin(c, l, WAY_REST);
    return true;
}

/* ---- what is due ---- */

static void letter_try(client *c, letter *l, int64_t now_ns)
{
    uint32_t chance = dice(c->v, 100);
    bool has_rest = !rest_is_busy(&c->rest), has_socket = client_is_live(c);
    bool is_both = chance < BY_BOTH && has_rest && has_socket;
    bool is_rest = has_rest && (chance < BY_REST || !has_socket);

    l->is_repeat_due = false;
    if (!has_rest && !has_socket)
        return;
    if (is_both || !is_rest)
        send_socket(c, l);
    if ((is_both || is_rest) && !send_rest(c, l))
        l->again_ns = now_ns + AGAIN_MS * INT64_C(1000000);
}

void letters_look(client *c, int64_t now_ns)
{
    if (c->v->phase < PHASE_WORK || c->v->phase > PHASE_SETTLE)
        return;
    revise_look(c, now_ns);
    for (size_t i = 0; i < LETTERS_MOST; i++) {
        letter *l = &c->letters[i];
        bool can_send = client_is_live(c) || !rest_is_busy(&c->rest);

        if (!l->key && can_send && run_is_more(c->v, now_ns))
            letter_begin(c, l, now_ns);
        if (l->key && !letter_is_trying(l) && (!l->is_acked || l->is_repeat_due) &&
            now_ns >= l->again_ns && can_send)
            letter_try(c, l, now_ns);
        if (l->key && l->tries[WAY_SOCKET] != NO_TRY && now_ns - l->tried_ns > ANSWER_NS) {
            client_cut(c, CABLE_RST); /* it is dead, or swallows what it is told */
            return;
        }
    }
}
