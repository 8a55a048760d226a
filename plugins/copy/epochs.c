/* epochs.c -- whether a server that starts on the copy lets its clients go on where they were.
 *
 * A plugin without a row in store_incarnations meets its tables as restored ones: its restored.sql is
 * run at the server's start, and the rooms get new epochs.  That is what a copy gets, unless it is
 * certain that nothing is missing in it: the source is what its server wrote last (a file in its data
 * folder, whose file `incarnation` has the value of the row; a backup has another one), and the
 * target can be told by itself (PostgreSQL; a file is told by the data folder that it comes to). */
#include "plugins/copy/copy.h"

#include <errno.h>
#include <string.h>

#include "plugins/common/pg_incarnation.h"

enum { KNOWN_SIZE = 1024 };

typedef struct handing {
    copy_job *job;
    char known[KNOWN_SIZE]; /* the values of the data folder, one a line */
} handing;

/* No file: "", the source lies in no data folder. */
static int known_read(handing *h)
{
    copy_job *job = h->job;
    const char *path = strchr(job->from, ':') + 1;
    const char *slash = strrchr(path, '/');
    char name[4096];

    int n = snprintf(name, sizeof(name), "%.*s/incarnation", slash ? (int)(slash - path) : 1,
                     slash ? path : ".");
    if (n >= (int)sizeof(name))
        return COPY_FAIL(job->why, "%s: the path is too long", job->source.shown);
    FILE *file = fopen(name, "re");
    if (!file)
        return errno == ENOENT ? 0
                               : COPY_FAIL(job->why, "%.300s: %s", name, strerrordesc_np(errno));
    size_t read = fread(h->known, 1, sizeof(h->known) - 1, file);
    int is_broken = ferror(file);
    (void)fclose(file);
    h->known[read] = '\0';
    return is_broken ? COPY_FAIL(job->why, "%.300s: cannot be read", name) : 0;
}

static int is_known(const handing *h, const char *value)
{
    size_t n = strlen(value);

    for (const char *at = h->known; *at; at += strspn(at, "\n")) {
        size_t line = strcspn(at, "\n");
        if (n > 0 && line == n && strncmp(at, value, n) == 0)
            return 1;
        at += line;
    }
    return 0;
}

static int row_hand_over(void *ud, const cell *cells, size_t n)
{
    handing *h = ud;
    side *to = &h->job->target;

    (void)n;
    if (!is_known(h, cells[1].p))
        return 0;
    const cell row[] = { cells[0], cells[2] };
    return to->ops->query(to,
                          "INSERT INTO store_incarnations (plugin, incarnation, met_at)"
                          " VALUES ($1, " INCARNATION_SQL ", CAST($2 AS BIGINT))",
                          row, 2, NULL, NULL, NULL, h->job->why);
}

static int name_there(void *ud, const cell *cells, size_t n)
{
    (void)n;
    *(int *)ud = cells[0].p && cells[0].p[0] != '0';
    return 0;
}

int epochs_hand_over(copy_job *job)
{
    side *from = &job->source;
    side *to = &job->target;
    handing h = { .job = job };
    int is_there = 0; /* a source of an older server has no such table */

    if (to->ops->exec(to, INCARNATION_TABLE, job->why) < 0 ||
        to->ops->exec(to, "DELETE FROM store_incarnations", job->why) < 0)
        return -1;
    if (strcmp(to->ops->dialect, "postgres") != 0)
        return 0;
    if (known_read(&h) < 0 ||
        from->ops->query(from,
                         "SELECT count(*) FROM sqlite_schema WHERE name = 'store_incarnations'",
                         NULL, 0, NULL, name_there, &is_there, job->why) < 0)
        return -1;
    if (!is_there)
        return 0;
    return from->ops->query(from, "SELECT plugin, incarnation, met_at FROM store_incarnations",
                            NULL, 0, NULL, row_hand_over, &h, job->why);
}
