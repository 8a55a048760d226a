/* plugin_file.h -- may this file be loaded?  Internal to core/host. */
#ifndef CORE_HOST_PLUGIN_FILE_H
#define CORE_HOST_PLUGIN_FILE_H
#include "core/base/failure.h"

/* `path` is absolute, `shown` as messages show it, `who` is `plugin "x": ` or "".  Refuses what is
 * not a file, and a file or folder that somebody else than root or we can change.  0, or -1 with
 * `f` filled. */
int plugin_file_check(const char *path, const char *shown, const char *who, failure *f);
/* `plugin "chta": there is no /usr/lib/parley/plugins/chta.so; did you mean chat?`: looks into the
 * folder.  Returns -1. */
int plugin_file_missing(const char *path, const char *shown, const char *who, failure *f);
#endif
