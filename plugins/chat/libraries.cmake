# Hashes: of a message that is to be stored once, of an answer (its tag); sealed cursors; what an emoji is, and a
# name.
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::SODIUM PkgConfig::UTF8PROC)
set(PARLEY_PLUGIN_COMMON etag list name page place show stamp task)
