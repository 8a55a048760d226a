/* text.h -- the SQL texts that plugins have prepared. */
#ifndef POSTGRES_TEXT_H
#define POSTGRES_TEXT_H
#include <libpq-fe.h>
#include <parley/plugin.h>

enum { TEXT_PARAMS_MAX = 256, TEXT_WHY = 256 };
enum text_state {
    TEXT_NEW,  /* no server has seen it */
    TEXT_GOOD, /* a server has prepared it; the types are known */
    TEXT_WRONG /* a server has refused it */
};

/* One SQL text.  Owner: the table in text.c, until the plugin has stopped. */
typedef struct pgtext {
    const char *sql; /* borrowed: lives as long as the worker */
    uint32_t id;     /* 1.. */
    char name[16];   /* of the prepared statement */
    uint32_t param_n;
    int is_readonly, state;
    Oid *types; /* of the parameters, once TEXT_GOOD */
    char why[TEXT_WHY];
} pgtext;

/* Looks at the text without a server: one statement, of a kind that stays inside its transaction,
 * parameters $1..$n.  returns NULL and *ret_why (static), or the text */
pgtext *text_add(const char *sql, const char **ret_why);
pgtext *text_find(uint32_t id); /* NULL: unknown */
uint32_t text_count(void);
/* What a server said to it. */
void text_set_good(pgtext *text, const PGresult *described);
void text_set_wrong(pgtext *text, const char *why);
/* Whether the value can be equal to anything in the parameter's column: an ill-formed uuid cannot. */
int text_takes(const pgtext *text, uint32_t param, const char *value);
void text_free_all(void);
#endif
