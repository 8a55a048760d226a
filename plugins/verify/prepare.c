/* prepare.c -- before the clients can begin.
 *
 *   health     GET /readyz            of a server of our own, until it is up
 *   accounts   parley user create     on a server of our own
 *   login      POST /api/auth/login/  of who brought no token
 *   profile    GET /api/auth/profile/ who they are
 *   rooms      POST /api/chat/rooms/  everybody is in all of them */
#include "plugins/verify/run.h"

#include "plugins/verify/record.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { AGAIN_MS = 100, UP_S = 90, LATER_MOST_S = 120, BODY_SIZE = 4096 };
enum step { STEP_HEALTH, STEP_ACCOUNTS, STEP_LOGIN, STEP_PROFILE, STEP_ROOMS, STEPS };

typedef struct prepare {
    enum step step;
    size_t i;         /* of the people, or of the rooms */
    int64_t again_ns; /* the step is begun again then; 0: it is under way */
    int64_t until_ns; /* for the server to answer */
    bool is_making;   /* an account */
} prepare;

static void prepare_step(verify *v);

void prepare_done(verify *v)
{
    free(v->prepare);
    v->prepare = NULL;
}

/* To the next person or room, or to the next step. */
static void prepare_next(verify *v)
{
    prepare *p = v->prepare;
    size_t n = p->step == STEP_HEALTH ? 1 : p->step == STEP_ROOMS ? v->hall_n : v->people_n;

    if (++p->i >= n) {
        p->i = 0;
        p->step++;
    }
    if (p->step == STEPS)
        run_work(v);
    else
        prepare_step(v);
}

static void prepare_again(verify *v, int64_t ms)
{
    v->prepare->again_ns = parley->mono_ns() + ms * 1000000;
}

/* ---- answers ---- */

static char *text_new(const parley_json *in, const char *key)
{
    parley_str found = parley->json_str(parley->json_get(in, key));

    return found.p ? strndup(found.p, found.n) : NULL;
}

static bool take_health(verify *v, const parley_json *in)
{
    (void)v;
    (void)in;
    return true;
}

static bool take_login(verify *v, const parley_json *in)
{
    person *p = &v->people[v->prepare->i];

    p->token = text_new(in, "token");
    return p->token != NULL;
}

static bool take_profile(verify *v, const parley_json *in)
{
    person *p = &v->people[v->prepare->i];
    parley_str id = parley->json_str(parley->json_get(in, "id"));

    free(p->email);
    p->email = text_new(in, "email");
    p->id = word(&v->h.words, id.p, id.n);
    return p->email && *p->id;
}

static bool take_room(verify *v, const parley_json *in)
{
    parley_str id = parley->json_str(parley->json_get(in, "id"));

    v->halls[v->prepare->i] = word(&v->h.words, id.p, id.n);
    return id.n > 0 && history_room(&v->h, v->halls[v->prepare->i]);
}

/* clang-format off */
static const struct {
    const char *method, *path, *what;
    int status;
    bool (*take)(verify *, const parley_json *);
} questions[STEPS] = {
    [STEP_HEALTH]  = { "GET",  "/readyz",            "its health",        200, take_health },
    [STEP_LOGIN]   = { "POST", "/api/auth/login/",   "the log-in",        200, take_login },
    [STEP_PROFILE] = { "GET",  "/api/auth/profile/", "the profile",       200, take_profile },
    [STEP_ROOMS]   = { "POST", "/api/chat/rooms/",   "the making of a room", 201, take_room },
};
/* clang-format on */

static void prepare_failed(verify *v, const reply *a)
{
    prepare *p = v->prepare;
    bool is_starting = p->step == STEP_HEALTH && parley->mono_ns() < p->until_ns;

    if (is_starting)
        prepare_again(v, AGAIN_MS);
    else if (a->status == 429 && a->retry_after_s > 0 && a->retry_after_s <= LATER_MOST_S)
        prepare_again(v, a->retry_after_s * 1000);
    else if (a->status == 0)
        run_abandon(v, "the server at %s does not answer: %s", v->target.authority, a->why);
    else
        run_abandon(v, "%s was answered %d: %.*s", questions[p->step].what, a->status,
                    (int)(a->body.n < 200 ? a->body.n : 200), a->body.n ? a->body.p : "");
}

static void prepare_answered(void *ud, const reply *a)
{
    verify *v = ud;
    enum step step = v->prepare->step;
    bool is_good = a->status == questions[step].status;
    parley_json *in = is_good ? parley->json_parse(a->body, NULL) : NULL;

    if (v->is_ending) {
        parley->json_free(in);
        return;
    }
    if (!is_good)
        prepare_failed(v, a);
    else if (questions[step].take(v, in))
        prepare_next(v);
    else
        run_abandon(v, "the answer to %s is not understood: is this a Parley server?",
                    questions[step].what);
    parley->json_free(in);
}

/* ---- questions ---- */

static void body_login(verify *v, FILE *to)
{
    const person *p = &v->people[v->prepare->i];

    (void)fputs("{\"email\":", to);
    record_text(to, p->email);
    (void)fputs(",\"password\":", to);
    record_text(to, p->password);
    (void)fputc('}', to);
}

static void body_room(verify *v, FILE *to)
{
    (void)fprintf(to, "{\"name\":\"parley verify %" PRIx64 " %zu\",\"participant_emails\":[",
                  v->opt.seed, v->prepare->i + 1);
    for (size_t i = 1; i < v->people_n; i++) {
        (void)fputs(i > 1 ? "," : "", to);
        record_text(to, v->people[i].email);
    }
    (void)fputs("]}", to);
}

static void prepare_ask(verify *v)
{
    prepare *p = v->prepare;
    char body[BODY_SIZE] = "";
    FILE *to = fmemopen(body, sizeof(body), "w");

    if (to && p->step == STEP_LOGIN)
        body_login(v, to);
    if (to && p->step == STEP_ROOMS)
        body_room(v, to);
    if (to)
        (void)fclose(to);
    v->rest.token = p->step == STEP_PROFILE ? v->people[p->i].token
                    : p->step == STEP_ROOMS ? v->people[0].token
                                            : NULL;
    if (rest_ask(&v->rest, questions[p->step].method, questions[p->step].path, *body ? body : NULL,
                 prepare_answered, v) < 0) {
        const reply none = { .why = "no connection" };
        prepare_failed(v, &none);
    }
    sodium_memzero(body, sizeof(body));
}

static void prepare_account(verify *v)
{
    char why[WHY_MAX];

    if (!v->server)
        prepare_next(v);
    else if (server_person(v, &v->people[v->prepare->i], why) < 0)
        run_abandon(v, "%s", why);
    else
        v->prepare->is_making = true;
}

static void prepare_step(verify *v)
{
    prepare *p = v->prepare;

    p->again_ns = 0;
    if (p->step == STEP_ACCOUNTS)
        prepare_account(v);
    else if ((p->step == STEP_HEALTH && !v->server) ||
             (p->step == STEP_LOGIN && v->people[p->i].token))
        prepare_next(v);
    else
        prepare_ask(v);
}

/* ---- from outside ---- */

int prepare_start(verify *v)
{
    v->prepare = calloc(1, sizeof(*v->prepare));
    if (!v->prepare)
        return -1;
    v->prepare->until_ns = v->server ? parley->mono_ns() + UP_S * SECOND_NS : 0;
    prepare_again(v, 0);
    return 0;
}

void prepare_look(verify *v, int64_t now_ns)
{
    prepare *p = v->prepare;
    char why[WHY_MAX];

    rest_look(&v->rest, now_ns, ANSWER_NS);
    if (v->is_ending || !v->prepare)
        return;
    if (v->server && server_has_ended(v, why)) {
        run_abandon(v, "%s", why);
        return;
    }
    if (p->is_making) {
        int made = server_is_made(v, why);

        p->is_making = made == 0;
        if (made < 0)
            run_abandon(v, "%s", why);
        else if (made > 0)
            prepare_next(v);
    } else if (p->again_ns && now_ns >= p->again_ns) {
        prepare_step(v);
    }
}
