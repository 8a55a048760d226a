#!/bin/sh
# A plugin exports its descriptor and nothing else; each public header stands alone as C11 and as C++17.
set -eu
cd "$(dirname "$0")/.."
bad=0
for plugin in build/release/plugins/*.so; do
    [ -e "$plugin" ] || continue
    exports=$(nm -D --defined-only "$plugin" | awk '{print $3}' | tr '\n' ' ')
    [ "$exports" = "parley_plugin_0 " ] || { echo "check_exports: $plugin exports: $exports"; bad=1; }
done
for header in include/parley/*.h; do
    printf '#include "%s"\nextern int stands_alone;\n' "$PWD/$header" >/tmp/parley_header.$$.c
    cc -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only /tmp/parley_header.$$.c ||
        { echo "check_exports: $header is not C11 on its own"; bad=1; }
    if command -v c++ >/dev/null; then
        c++ -x c++ -std=c++17 -Wall -Wextra -Werror -Wno-missing-field-initializers -Iinclude -fsyntax-only /tmp/parley_header.$$.c ||
            { echo "check_exports: $header is not C++17 on its own"; bad=1; }
    fi
    rm -f /tmp/parley_header.$$.c
done
exit $bad
