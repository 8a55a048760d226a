# The server's libraries.  The stores' (SQLite...) are linked by their plugins and by nothing else.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
find_package(wslay REQUIRED CONFIG) # Debian 12 ships no libwslay.pc
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)

# llhttp: Debian 12 ships its C sources in node-llhttp.  They are built here, with every file and every includer in strict
# mode: the default build has CVE-2023-30589.
set(LLHTTP_SOURCES /usr/share/llhttp CACHE PATH "folder of llhttp's api.c, http.c, llhttp.c")
set(LLHTTP_INCLUDES /usr/share/include/llhttp CACHE PATH "folder of llhttp.h")
if(NOT EXISTS ${LLHTTP_SOURCES}/llhttp.c)
    message(FATAL_ERROR "llhttp's sources are not in ${LLHTTP_SOURCES}: apt install node-llhttp (./dev build does it)")
endif()
add_library(llhttp STATIC ${LLHTTP_SOURCES}/api.c ${LLHTTP_SOURCES}/http.c ${LLHTTP_SOURCES}/llhttp.c)
target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDES})
target_compile_definitions(llhttp PUBLIC LLHTTP_STRICT_MODE=1)
target_compile_options(llhttp PRIVATE -w)

add_library(parley_libraries INTERFACE)
target_link_libraries(parley_libraries INTERFACE
    PkgConfig::UV wslay PkgConfig::JANSSON PkgConfig::SODIUM PkgConfig::YAML PkgConfig::ZLIB llhttp
    Threads::Threads ${CMAKE_DL_LIBS})
