# The hash of a message that is to be stored once.
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::SODIUM)
set(PARLEY_PLUGIN_COMMON list page show stamp task)
