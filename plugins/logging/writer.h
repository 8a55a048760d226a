/* writer.h -- log files that are written by a thread, so that a slow or full disk never holds the
 * event loop.
 *
 * Lines wait in a ring of fixed size per file.  When it is full, lines are dropped and counted, and
 * the first line that fits again is preceded by one that says how many.  While the disk takes
 * nothing (full, broken) lines wait, and the writer tries once a second. */
#ifndef PLUGINS_LOGGING_WRITER_H
#define PLUGINS_LOGGING_WRITER_H
#include "plugins/logging/line.h"

typedef struct writer writer;
typedef struct log_file log_file;

/* What the writer's thread has to tell; called on that thread. */
typedef void (*writer_tell_fn)(int level, const char *text, void *ud);
/* Makes the line "n lines were dropped" in the file's format. */
typedef size_t (*writer_dropped_fn)(int64_t at_us, uint64_t n, char ret[LINE_MAX]);

/* NULL: no memory */
writer *writer_create(writer_tell_fn tell, writer_dropped_fn dropped, void *ud);
/* Before writer_start().  path: copied.  ret NULL: no memory. */
log_file *writer_add(writer *w, const char *path, size_t buffer);
/* Before writer_start().  When the file has max_size bytes (0: never) it becomes PATH.1, that one
 * PATH.2, and so on to PATH.keep.  Other processes may write the same file with the same numbers. */
void writer_rotate(log_file *f, int64_t max_size, int keep);
/* opens all; 0, or -errno with the path it is about */
int writer_start(writer *w, const char **ret_path);
/* Never blocks on the disk.  before writer_start() too: lines wait.  at_us: for the line about
 * dropped ones.  Returns false: the line was dropped. */
bool writer_line(log_file *f, int64_t at_us, const char *line, size_t n);
void writer_reopen(writer *w); /* by name, soon */
/* Writes what waits, then `done` on the writer's thread; then writer_free(),
 * from another thread. */
void writer_finish(writer *w, void (*done)(void *ud), void *ud);
void writer_free(writer *w);
#endif
