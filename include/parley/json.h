/* parley/json.h -- the parts of a JSON text that is written often, and so without a tree.
 *
 * json_join() puts them one after the other; that the whole is JSON is for you to get right.
 *
 * plugin.h includes this file in its middle; whoever includes it first gets plugin.h too. */
#include <parley/plugin.h>

#ifndef PARLEY_JSON_H
#define PARLEY_JSON_H

enum parley_jpart_kind {
    PARLEY_JP_RAW,  /* .text as it stands: braces, names, what was made before */
    PARLEY_JP_TEXT, /* .text as a string, with its quotes and escapes; absent: null */
    PARLEY_JP_INT   /* .number */
};
typedef struct parley_jpart {
    uint32_t kind; /* enum parley_jpart_kind */
    int64_t number;
    parley_str text; /* UTF-8; borrowed for the call */
} parley_jpart;
#endif
