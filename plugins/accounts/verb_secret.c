/* verb_secret.c -- a new password on the command line: from --password, or asked for twice at the
 * terminal, without showing it; checked as at registration, and hashed. */
#include "plugins/accounts/verb.h"
#include <sodium.h>

/* What is wrong with it; each text once.  returns how many; 0: good */
static size_t faults_find(const secret *s, const char *ret[STRENGTH_FAULTS],
                          char why[PARLEY_TEXT_WHY_MAX])
{
    parley_json *value = parley->json_s(parley_text_view(s->text, s->n));
    parley_str text = { NULL, 0 };
    const char *fault =
        value ? parley_text_check(value, STRENGTH_MAX_POINTS, PARLEY_TEXT_RAW, &text, why)
              : "It is not UTF-8 text.";
    size_t n = fault ? 1 : strength_faults(text, &s->of, ret);

    if (fault)
        ret[0] = fault;
    parley->json_free(value);
    return n;
}

/* 0: too long for any password */
static int secret_keep(secret *s, parley_str text)
{
    s->n = text.n <= sizeof(s->text) ? text.n : 0;
    memcpy(s->text, text.p, s->n);
    return s->n == text.n;
}

int secret_take(task *t)
{
    secret *s = t->state;
    parley_str given = parley->run->text(t->of.run, "password");

    if (!given.p)
        return task_ask(t, "Password: ", 1, "--password");
    t->at++; /* not asked for: nothing to compare with */
    return secret_keep(s, given)
               ? TASK_NEXT
               : task_fail(t, 2, "--password is longer than %d characters", STRENGTH_MAX_POINTS);
}

int secret_first(task *t)
{
    if (secret_keep(t->state, t->answer))
        return task_ask(t, "Password (again): ", 1, "--password");
    task_say(t, "A password has at most %d characters.", STRENGTH_MAX_POINTS);
    t->at -= 2;
    return TASK_NEXT;
}

static int refuse(task *t, const char *const *faults, size_t n)
{
    char all[STRENGTH_FAULTS * 120] = "";

    for (size_t i = 0, at = 0; i < n && at < sizeof(all); i++)
        at += (size_t)snprintf(all + at, sizeof(all) - at, " %s", faults[i]);
    return task_fail(t, 2, "--password:%s", all);
}

static int secret_hash(task *t);

/* At a terminal it is asked for again. */
int secret_judge(task *t)
{
    secret *s = t->state;
    int is_asked = !parley->run->text(t->of.run, "password").p;
    const char *faults[STRENGTH_FAULTS];
    char why[PARLEY_TEXT_WHY_MAX];

    if (is_asked && (t->answer.n != s->n || sodium_memcmp(t->answer.p, s->text, s->n) != 0)) {
        task_say(t, "The two are not the same.");
        t->at -= 3;
        return TASK_NEXT;
    }
    size_t n = faults_find(s, faults, why);
    if (n == 0)
        return secret_hash(t);
    if (!is_asked)
        return refuse(t, faults, n);
    for (size_t i = 0; i < n; i++)
        task_say(t, "%s", faults[i]);
    t->at -= 3;
    return TASK_NEXT;
}

static void hash_made(hash_job *job)
{
    task_go_on(job->ud);
}

static int secret_hash(task *t)
{
    secret *s = t->state;

    hash_job_init(&s->hash, HASH_MAKE, parley_text_view(s->text, s->n), NULL);
    s->hash.done = hash_made;
    s->hash.ud = t;
    sodium_memzero(s->text, sizeof(s->text));
    if (hash_submit(&s->hash) == 0)
        return TASK_WAIT;
    return task_fail(t, 1, "too many passwords wait to be hashed: try again");
}

int secret_hashed(task *t)
{
    const secret *s = t->state;

    return s->hash.status >= 0
               ? TASK_NEXT
               : task_fail(t, 1,
                           "the password could not be hashed: no memory, or the server stops");
}
