# The writer is a thread of its own.
set(PARLEY_PLUGIN_LIBRARIES Threads::Threads)
