# parley_builtin_plugin(NAME): plugins/NAME/*.c -> build/<preset>/plugins/NAME.so
#
# A plugin links what its libraries.cmake names (PARLEY_PLUGIN_LIBRARIES), compiles what it shares with another one
# (PARLEY_PLUGIN_COMMON: files of plugins/common/), sees include/ and its own folder, and exports its descriptor
# only.  The objects are a library of their own, so that tests link them with a fake function table.
function(parley_builtin_plugin name)
    set(folder ${CMAKE_SOURCE_DIR}/plugins/${name})
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.c)
    if(NOT sources)
        message(STATUS "plugin ${name}: no sources yet")
        return()
    endif()
    set(PARLEY_PLUGIN_LIBRARIES)
    set(PARLEY_PLUGIN_COMMON)
    include(${folder}/libraries.cmake OPTIONAL)
    foreach(shared IN LISTS PARLEY_PLUGIN_COMMON)
        list(APPEND sources ${CMAKE_SOURCE_DIR}/plugins/common/${shared}.c)
    endforeach()
    add_library(plugin_${name}_objects OBJECT ${sources})
    target_link_libraries(plugin_${name}_objects PUBLIC parley_flags ${PARLEY_PLUGIN_LIBRARIES})
    target_include_directories(plugin_${name}_objects PUBLIC ${CMAKE_SOURCE_DIR}/include PRIVATE ${CMAKE_SOURCE_DIR})
    add_library(plugin_${name} MODULE)
    target_link_libraries(plugin_${name} PRIVATE plugin_${name}_objects)
    set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
    target_link_options(plugin_${name} PRIVATE -Wl,--exclude-libs,ALL) # what is linked statically is nobody else's
    if(NOT PARLEY_SANITIZE) # the sanitizers' runtime is found in the executable
        target_link_options(plugin_${name} PRIVATE -Wl,-z,defs)
    endif()
    install(TARGETS plugin_${name} DESTINATION ${CMAKE_INSTALL_LIBDIR}/parley/plugins)
endfunction()

# Files beside the binary, as an installed server finds them: from/... becomes build/<preset>/share/to/...
function(parley_share from to)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/${from} ${from}/*)
    set(outputs)
    foreach(file IN LISTS files)
        add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/share/${to}/${file}
            COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/${from}/${file} ${CMAKE_BINARY_DIR}/share/${to}/${file}
            DEPENDS ${CMAKE_SOURCE_DIR}/${from}/${file})
        list(APPEND outputs ${CMAKE_BINARY_DIR}/share/${to}/${file})
    endforeach()
    string(MAKE_C_IDENTIFIER share_${to} target)
    add_custom_target(${target} ALL DEPENDS ${outputs})
endfunction()

# One file that several pages have: from becomes build/<preset>/share/to.
function(parley_share_file from to)
    add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/share/${to}
        COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/${from} ${CMAKE_BINARY_DIR}/share/${to}
        DEPENDS ${CMAKE_SOURCE_DIR}/${from})
    string(MAKE_C_IDENTIFIER share_${to} target)
    add_custom_target(${target} ALL DEPENDS ${CMAKE_BINARY_DIR}/share/${to})
endfunction()

function(parley_share_files)
    parley_share(sql sql)
    parley_share(templates templates)
    parley_share(web web)
    parley_share(admin admin)
    parley_share(reference reference)
    parley_share_file(web/css/base.css reference/css/base.css) # the look of the chat
    parley_share_file(web/js/dom.js reference/js/dom.js)
    parley_share_file(web/img/parley.svg reference/img/parley.svg)
    parley_share(clients/js/src web/client) # the pages are clients as any other
    parley_share(clients/js/src admin/client)
endfunction()
