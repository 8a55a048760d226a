# chat needs nothing but the C library.
set(PARLEY_PLUGIN_LIBRARIES)
set(PARLEY_PLUGIN_COMMON list page show stamp task)
