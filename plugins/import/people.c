/* people.c -- all users of the original app, and whether each can be one here.
 *
 * They are all read before anything is written: two of them may be one here, where the case of names
 * and addresses does not matter, and nobody is merged or left out silently. */
#include <parley/text.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/common/address.h"
#include "plugins/common/name.h"
#include "plugins/common/pbkdf2.h"
#include "plugins/import/import.h"

void people_free(people *all)
{
    for (size_t i = 0; i < all->n; i++) {
        free(all->items[i].id);
        free(all->items[i].username);
        free(all->items[i].email);
        free(all->items[i].name_key);
        free(all->items[i].email_key);
    }
    free(all->items);
    *all = (people){ 0 };
}

static parley_str str_of(const char *p)
{
    return (parley_str){ p, strlen(p) };
}

/* As registration would have it; what is wrong is told with the remedy. */
static void person_judge(import_job *job, person *who)
{
    char key[ADDRESS_MAX + 1];
    const char *table = job->layout.tables[KIND_USERS];
    parley_str name = str_of(who->username);

    if (address_key(str_of(who->email), key, sizeof(key)) >= 0)
        who->email_key = strdup(key);
    else
        job_problem(job,
                    "user %s (id %s): \"%s\" is no address that can log in here: UPDATE %s SET "
                    "email = '...' WHERE id = '%s'",
                    who->username, who->id, who->email, table, who->id);
    if (!name_is_valid(name) || parley_text_count(name) > NAME_MAX_POINTS ||
        name_key(name, &who->name_key) < 0)
        job_problem(job,
                    "user %s (id %s): a username may contain only letters, numbers and @ . + - _: "
                    "UPDATE %s SET username = '...' WHERE id = '%s'",
                    who->username, who->id, table, who->id);
}

static int people_grow(people *all)
{
    size_t room = all->room ? all->room * 2 : 256;
    person *items = all->n < all->room ? all->items : realloc(all->items, room * sizeof(*items));

    if (!items)
        return -1;
    if (all->n == all->room)
        all->room = room;
    all->items = items;
    all->items[all->n] = (person){ 0 };
    return 0;
}

static int people_add(import_job *job, PGresult *page, int row)
{
    people *all = &job->people;
    pbkdf2 unused;

    if (people_grow(all) < 0)
        return -1;
    person *who = &all->items[all->n++];
    who->id = strdup(PQgetvalue(page, row, U_ID));
    who->username = strdup(PQgetvalue(page, row, U_NAME));
    who->email = strdup(PQgetvalue(page, row, U_EMAIL));
    if (!who->id || !who->username || !who->email)
        return -1;
    identity_make(who->uid, KIND_USERS, who->id, strtoll(PQgetvalue(page, row, U_TIME), NULL, 10));
    person_judge(job, who);
    all->unverified += *PQgetvalue(page, row, U_VERIFIED) == '0';
    all->disabled += *PQgetvalue(page, row, U_ACTIVE) == '0';
    all->staff += *PQgetvalue(page, row, U_STAFF) == '1' || *PQgetvalue(page, row, U_SUPER) == '1';
    all->reset += pbkdf2_read(&unused, PQgetvalue(page, row, U_PASSWORD)) < 0;
    return 0;
}

/* ---- equal names ---- */

static const char *person_name(const person *who)
{
    return who->name_key ? who->name_key : "";
}

static const char *person_address(const person *who)
{
    return who->email_key ? who->email_key : "";
}

static int by_name(const void *a, const void *b)
{
    return strcmp(person_name(*(person *const *)a), person_name(*(person *const *)b));
}

static int by_address(const void *a, const void *b)
{
    return strcmp(person_address(*(person *const *)a), person_address(*(person *const *)b));
}

static int people_find_equal(import_job *job)
{
    const people *all = &job->people;
    const char *table = job->layout.tables[KIND_USERS];
    const person **sorted = malloc((all->n + 1) * sizeof(const person *));

    if (!sorted)
        return -1;
    for (size_t i = 0; i < all->n; i++)
        sorted[i] = &all->items[i];
    qsort(sorted, all->n, sizeof(const person *), by_name);
    for (size_t i = 1; i < all->n; i++)
        if (*person_name(sorted[i]) && by_name(&sorted[i - 1], &sorted[i]) == 0)
            job_problem(job,
                        "users %s (id %s) and %s (id %s) have one name here, where case does not "
                        "matter: UPDATE %s SET username = '...' WHERE id = '%s'",
                        sorted[i - 1]->username, sorted[i - 1]->id, sorted[i]->username,
                        sorted[i]->id, table, sorted[i]->id);
    qsort(sorted, all->n, sizeof(const person *), by_address);
    for (size_t i = 1; i < all->n; i++)
        if (*person_address(sorted[i]) && by_address(&sorted[i - 1], &sorted[i]) == 0)
            job_problem(job,
                        "users %s <%s> (id %s) and %s <%s> (id %s) have one address here, where "
                        "case does not matter: UPDATE %s SET email = '...' WHERE id = '%s'",
                        sorted[i - 1]->username, sorted[i - 1]->email, sorted[i - 1]->id,
                        sorted[i]->username, sorted[i]->email, sorted[i]->id, table, sorted[i]->id);
    free(sorted);
    return 0;
}

int people_read(import_job *job)
{
    source *s = &job->source;

    do {
        if (source_fetch(s, KIND_USERS) < 0)
            return -1;
        for (int row = 0; row < PQntuples(s->page); row++)
            if (people_add(job, s->page, row) < 0)
                return IMPORT_FAIL(s, "out of memory");
    } while (PQntuples(s->page) > 0);
    return people_find_equal(job) < 0 ? IMPORT_FAIL(s, "out of memory") : 0;
}
