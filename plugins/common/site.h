/* site.h -- a page of our own, served from memory: the files of one folder of share_dir. */
#ifndef COMMON_SITE_H
#define COMMON_SITE_H
#include "plugins/common/files.h"

typedef struct site {
    const char *folder; /* of share_dir: "admin" */
    const char *prefix; /* of the addresses: "/admin/" */
    const char *index;  /* index.html of the folder is served at this address, and only there */
    web_files files;
} site;

/* load() only: reads the files and adds their routes.  `s` must live as long as the plugin.
 * returns 0 or < 0 */
int site_load(parley_ctx *ctx, site *s);
void site_done(site *s);
#endif
