# libsodium: the hash that names a document's, and a file's content.
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::SODIUM)
set(PARLEY_PLUGIN_COMMON etag files site)
