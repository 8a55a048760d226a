# SQLite and libpq for the two sides, libsodium for checksums; libcrypto: what libpq leaves there in a thread.
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::SQLITE PkgConfig::PQ PkgConfig::SODIUM PkgConfig::CRYPTO)
set(PARLEY_PLUGIN_COMMON pg_address script)
