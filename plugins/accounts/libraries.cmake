# Password hashing and tokens; case folding of names.
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::SODIUM PkgConfig::UTF8PROC)
set(PARLEY_PLUGIN_COMMON list page show stamp task)
