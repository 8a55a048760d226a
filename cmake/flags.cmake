# Warnings, hardening and sanitizers of every target of ours (docs/STYLE.md says why).
option(PARLEY_WERROR "warnings are errors (dev and CI presets only)" OFF)
set(PARLEY_SANITIZE "" CACHE STRING "value of -fsanitize=, e.g. address,undefined")

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(parley_flags INTERFACE)
target_compile_definitions(parley_flags INTERFACE _GNU_SOURCE)
target_compile_options(parley_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wold-style-definition -Wundef -Wvla -Wformat=2 -Wpointer-arith -Wwrite-strings
    -Wimplicit-fallthrough -Wdouble-promotion -Wswitch-enum
    -fstack-protector-strong -fstack-clash-protection -fno-delete-null-pointer-checks
    -fno-strict-overflow -fvisibility=hidden)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(parley_flags INTERFACE
        -Wjump-misses-init -Wlogical-op -Wduplicated-cond -ftrivial-auto-var-init=zero)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
    target_compile_options(parley_flags INTERFACE -fcf-protection=full)
endif()
if(PARLEY_WERROR)
    target_compile_options(parley_flags INTERFACE -Werror)
endif()
if(PARLEY_SANITIZE)
    target_compile_options(parley_flags INTERFACE
        -fsanitize=${PARLEY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(parley_flags INTERFACE -fsanitize=${PARLEY_SANITIZE})
else()
    # glibc's fortify checks need an optimised build.
    target_compile_options(parley_flags INTERFACE
        $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()
target_link_options(parley_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed)
include(CheckPIESupported)
check_pie_supported()
