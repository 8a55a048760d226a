# Hashes: of a message that is to be stored once, of an answer (its tag); and sealed cursors.
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::SODIUM)
set(PARLEY_PLUGIN_COMMON etag list page place show stamp task)
