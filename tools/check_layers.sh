#!/bin/sh
# A lower layer never includes a higher one.  This table is the architecture: folder, then what it may include of ours.
set -eu
cd "$(dirname "$0")/.."
bad=0

# allow FOLDER PATTERN: every include of ours in FOLDER must match PATTERN (an extended regular expression).
allow() {
    [ -d "$1" ] || return 0
    found=$(grep -rnE '^#include ("|<parley/)' "$1" --include='*.c' --include='*.h' | grep -vE "#include [\"<]($2)" || true)
    [ -z "$found" ] && return 0
    printf '%s\n' "check_layers: $1 may include only $2:" "$found"
    bad=1
}

allow include/parley 'parley/'
allow core/base 'core/base/|parley/'
allow core/net 'core/net/|core/base/|parley/'
allow core/host 'core/host/|core/net/|core/base/|parley/'
for plugin in plugins/*/; do
    name=$(basename "$plugin")
    allow "plugins/$name" "parley/|plugins/$name/|plugins/common/"
done

# The core holds no SQL, no account, no chat; libraries of the stores belong to their plugins.
if grep -rnE '#include <(libpq-fe|sqlite3|hiredis|curl)' core include; then
    echo "check_layers: the core includes a store's library"
    bad=1
fi
# plugins/verify is a client: what it reads frames and answers with is not the server's.
if grep -rnE '#include <(uv|jansson|yaml|wslay|llhttp)' include plugins | grep -vE '^plugins/verify/.*<(wslay|llhttp)'; then
    echo "check_layers: a foreign type of the core's reaches the ABI or a plugin"
    bad=1
fi
exit $bad
