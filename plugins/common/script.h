/* script.h -- the migrations of one plugin, as files: <folder>/NNN_name.sql, and beside each its way
 * back, NNN_name.down.sql; and restored.sql, for rows that have come out of a backup. */
#ifndef COMMON_SCRIPT_H
#define COMMON_SCRIPT_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SCRIPT_WHY = 640 };

typedef struct script {
    int64_t version;
    char name[256];    /* of the file */
    char checksum[65]; /* BLAKE2b-256, hexadecimal */
    char *sql;
    char *down; /* NULL: there is no way back */
    int is_applied;
} script;

typedef struct scripts {
    script *items; /* ascending */
    size_t n;
    script restored;    /* has no version; its sql is NULL: no such file */
    const char *folder; /* borrowed */
} scripts;

/* returns 0, or -1 with `why` set; free in either case */
int scripts_read(scripts *ret, const char *folder, char why[SCRIPT_WHY]);
/* What the database says was applied: must be one of them, unchanged.  returns 0, or -1 with `why` */
int scripts_mark(scripts *all, const char *plugin, int64_t version, const char *checksum,
                 char why[SCRIPT_WHY]);
/* What is to be taken back to reach `version` must have a way back.  returns 0, or -1 with `why` */
int scripts_check_back(const scripts *all, const char *plugin, int64_t version,
                       char why[SCRIPT_WHY]);
/* "applied 1 <checksum> 001_name.sql" or "missing 2 ...", a line for each */
void scripts_list(const scripts *all, FILE *to);
void scripts_free(scripts *all);
/* What migrate() of the service parley.db says of one file it has dealt with: "applied 001_name.sql" */
void script_report(FILE *to, const char *what, const script *one);
/* The table of `parley copy` is there: what it has written so far is no database yet. */
#define SCRIPT_UNFINISHED                                                                          \
    "the database holds an unfinished copy; go on with `parley copy`, or empty it"
#endif
