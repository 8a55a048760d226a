# SQLite for the store, libsodium for the checksums of the migrations.
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::SQLITE PkgConfig::SODIUM Threads::Threads)
set(PARLEY_PLUGIN_COMMON db_meters script)
