/* config_ref.h -- the option tables as documentation: `parley describe server`, `parley describe
 * --markdown`. */
#ifndef CORE_HOST_CONFIG_REF_H
#define CORE_HOST_CONFIG_REF_H
#include "core/host/plugin.h"

/* The keys of `server:` in plain text, as `parley describe server` prints them. */
void settings_describe(buf *ret);
/* docs/CONFIG.md: `server:`, then each plugin, as Markdown.  Plugins opened with plugin_open_path()
 * will do. */
void config_reference(const plugin *const *plugins, size_t n, buf *ret);
#endif
