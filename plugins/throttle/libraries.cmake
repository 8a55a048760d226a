# libsodium: keys of fixed length from what clients send.  utf8proc: an account's name in all its spellings is one.
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::SODIUM PkgConfig::UTF8PROC)
