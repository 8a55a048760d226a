# Words are folded and cut by libutf8proc; a page's cursor is sealed by libsodium.
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::UTF8PROC PkgConfig::SODIUM)
set(PARLEY_PLUGIN_COMMON page place stamp)
