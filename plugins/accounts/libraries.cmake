# Password hashing and tokens; case folding of names; PBKDF2, which libsodium has not, for passwords that were imported.
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::SODIUM PkgConfig::UTF8PROC PkgConfig::CRYPTO)
set(PARLEY_PLUGIN_COMMON address etag list name page pbkdf2 show stamp task)
