# libpq for the original app's database; libsodium and libcrypto for its password hashes; case folding of names.
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::PQ PkgConfig::SODIUM PkgConfig::CRYPTO PkgConfig::UTF8PROC)
set(PARLEY_PLUGIN_COMMON address name pbkdf2)
