# metrics needs nothing but the C library.
set(PARLEY_PLUGIN_LIBRARIES)
