# A client of the server: libssl for https, wslay and llhttp for what it reads, libsodium for the table of its texts.
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::SSL PkgConfig::CRYPTO PkgConfig::SODIUM wslay llhttp)
