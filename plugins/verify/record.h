/* record.h -- a history as lines of JSON, written while it is lived and read back to be judged.
 *
 * One object a line; "what" says which: docs/VERIFY.md has the table.  `parley verify --record FILE`
 * writes them, `parley verify --check FILE` judges them, whoever wrote them. */
#ifndef VERIFY_RECORD_H
#define VERIFY_RECORD_H
#include "plugins/verify/history.h"

#include <parley/plugin.h>
#include <stdio.h>

/* What the enums of history.h are called in a line. */
enum { RECORD_OUTCOMES = 3, RECORD_SHOWN = 5, RECORD_EVENTS = 7, RECORD_REVISIONS = 3 };
extern const char *const record_outcome_names[RECORD_OUTCOMES];
extern const char *const record_kind_names[RECORD_SHOWN];
extern const char *const record_event_names[RECORD_EVENTS];
extern const char *const record_revision_names[RECORD_REVISIONS];

/* ---- writing: each is one line; `to` may be NULL ---- */
void record_sent(FILE *to, size_t number, const sent *s);
void record_answered(FILE *to, size_t number, const sent *s); /* `number` as in record_sent() */
void record_revision(FILE *to, const revision *r); /* when its outcome is known, or never will be */
void record_opened(FILE *to, const socket_log *s);
void record_shown(FILE *to, const socket_log *s, const sight *f);
void record_closed(FILE *to, const socket_log *s);
void record_denial(FILE *to, const denial *d);
void record_standing(FILE *to, const standing *s);
void record_reading(FILE *to, const reading *r);
/* The rooms as they are stored, and by when. */
void record_stored(FILE *to, const history *h);
/* A JSON string, with its quotes. */
void record_text(FILE *to, const char *text);

/* ---- reading ---- */

/* Takes a line up into the history.  -1: it is none of a record; `why` says so. */
int record_take(history *h, parley_str line, char why[200]);
#endif
