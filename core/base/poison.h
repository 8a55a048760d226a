/* poison.h -- tells the address sanitizer about memory that we keep but nobody may touch.  Nothing
 * in other builds. */
#ifndef CORE_BASE_POISON_H
#define CORE_BASE_POISON_H

#if defined(__SANITIZE_ADDRESS__)
#define POISON_WANTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_WANTED 1
#endif
#endif

#ifdef POISON_WANTED
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif
#endif
