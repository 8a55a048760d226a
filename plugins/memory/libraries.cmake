# libsodium: the keyed hash of the table (keys come from strangers).
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::SODIUM)
set(PARLEY_PLUGIN_COMMON limit table)
