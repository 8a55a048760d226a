# libpq for the store, libsodium for the checksums of the migrations.
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::PQ PkgConfig::SODIUM)
set(PARLEY_PLUGIN_COMMON db_meters script pg_address)
