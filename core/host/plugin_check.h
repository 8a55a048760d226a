/* plugin_check.h -- is this descriptor one of ours?  Internal to core/host. */
#ifndef CORE_HOST_PLUGIN_CHECK_H
#define CORE_HOST_PLUGIN_CHECK_H
#include "core/base/failure.h"

/* Magic, ABI, features, size, name, tables.  `who` is `plugin "x": ` or "".  0, or -1 with `f`
 * filled. */
int plugin_check(const parley_plugin *def, const char *shown, const char *who, failure *f);
/* "a-z", then "0-9", "-" and "_" too; at most 64 bytes: it becomes a file's name. */
bool plugin_name_valid(str name);
#endif
