/* script.h -- the migrations of one plugin, as files: <folder>/NNN_name.sql, and restored.sql. */
#ifndef POSTGRES_SCRIPT_H
#define POSTGRES_SCRIPT_H
#include <stddef.h>
#include <stdint.h>

enum { SCRIPT_WHY = 512 };

typedef struct pgscript {
    int64_t version;
    char name[256];    /* of the file */
    char checksum[65]; /* BLAKE2b-256, hexadecimal */
    char *sql;
    int is_applied;
} pgscript;

typedef struct pgscripts {
    pgscript *items; /* ascending */
    size_t n;
    pgscript restored; /* what to run when a backup was restored; its sql is NULL: no such file */
} pgscripts;

/* returns 0, or -1 with `why` set; free in either case */
int scripts_read(pgscripts *ret, const char *folder, char why[SCRIPT_WHY]);
/* What the database says was applied: must be one of them, unchanged.  returns 0, or -1 with `why` */
int scripts_mark(pgscripts *scripts, const char *plugin, int64_t version, const char *checksum,
                 char why[SCRIPT_WHY]);
void scripts_free(pgscripts *scripts);
#endif
