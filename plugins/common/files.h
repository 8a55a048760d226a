/* files.h -- the files of a page: all of a folder, read once. */
#ifndef COMMON_FILES_H
#define COMMON_FILES_H
#include <limits.h>
#include <parley/plugin.h>

enum { FILES_MAX = 128, FILE_BYTES_MAX = 1 << 20, FILE_TAG_SIZE = 27 };

typedef struct web_file {
    char path[256]; /* where it is served: "/admin/js/app.js" */
    char tag
        [FILE_TAG_SIZE]; /* entity tag with its quotes: a hash of the content; weak, as it may go out packed */
    const char *type; /* Content-Type */
    char *bytes;      /* owned */
    size_t n;
} web_file;

typedef struct web_files {
    web_file *rows; /* owned; stays where it is once read */
    size_t n;
} web_files;

/* Reads `folder` and the folders in it; names that start with a dot and kinds of files that no page
 * uses are left out.  Blocks: for load() only.
 *
 * returns  0, or what fail() said, with what went wrong and where. */
int files_read(parley_ctx *ctx, const char *folder, const char *prefix, web_files *ret);
void files_done(web_files *files);
/* NULL: there is none */
const web_file *files_find(const web_files *files, const char *path);
/* Whether the header If-None-Match (absent: no) names the file as it is. */
int file_is_known(const web_file *file, parley_str if_none_match);
#endif
