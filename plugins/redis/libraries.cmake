# hiredis speaks with Redis; libsodium: the hashes of the ring and of the table behind the limits.
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::HIREDIS PkgConfig::SODIUM)
set(PARLEY_PLUGIN_COMMON limit table)
