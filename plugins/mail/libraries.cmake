# Mails at rest are sealed (libsodium) and leave by SMTP (libcurl).
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
set(PARLEY_PLUGIN_LIBRARIES PkgConfig::SODIUM PkgConfig::CURL Threads::Threads)
