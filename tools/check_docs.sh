#!/bin/sh
# The pages tell the truth: docs/CONFIG.md is what the binary describes, every file and function that ARCHITECTURE.md and the
# man page name exists, and so does every file a page links to and every test it names.
set -eu
cd "$(dirname "$0")/.."
bad=0
fail() { printf 'check_docs: %s\n' "$1"; bad=1; }
parley=build/release/parley

# shellcheck disable=SC2016
for stop in $(grep -oE '`[a-z_/]+\.[ch](:[a-z_0-9]+)?`' docs/ARCHITECTURE.md | tr -d '`' | sort -u); do
    file=${stop%%:*}
    case "$file" in */*) ;; *) continue ;; esac
    [ -f "$file" ] || { fail "ARCHITECTURE.md: there is no $file"; continue; }
    [ "$file" != "$stop" ] || continue
    # A definition starts its line, or follows its type on the line before; a declaration ends in a semicolon.
    grep -qE "^([a-z_].*[ *])?${stop#*:}\([^;]*$" "$file" || fail "ARCHITECTURE.md: $file has no ${stop#*:}()"
done

# shellcheck disable=SC2013
for page in *.md docs/*.md; do
    for link in $(grep -oE '\]\([^)# ]+' "$page" | cut -c3-); do
        case "$link" in http*) continue ;; esac
        [ -e "$(dirname "$page")/$link" ] || fail "$page links to $link, which is not there"
    done
done

# A test that a page names as a proof is there.
for test in $(grep -ohE '`[a-z0-9_/]+\.py::[A-Za-z0-9_]+`' docs/*.md README.md | tr -d '`' | sort -u); do
    grep -q "^ *def ${test#*::}(" "tests/${test%%::*}" || fail "a page names the test $test, which is not there"
done

"$parley" describe all | cmp -s - docs/CONFIG.md ||
    fail "docs/CONFIG.md is not what the tables of options say: run ./dev docs"

# Every command of the help, ours and the plugins', stands in the man page, and its options too.
"$parley" --help | sed -n 's/^  \([a-z][a-z -]*[a-z]\)  *[a-z].*/\1/p' | sed 's/  .*//' | sort -u >build/commands.txt
while IFS= read -r command; do
    words=$command
    "$parley" $words --help >/dev/null 2>&1 || words=${command%% *}
    grep -q "^\.B parley $words\$" docs/parley.1 || fail "docs/parley.1 lacks \"parley $words\""
    # shellcheck disable=SC2086
    for option in $("$parley" $words --help | sed -n 's/^ .*\(--[a-z-]*\) .*/\1/p'); do
        grep -qF -- "$(printf '%s' "$option" | sed 's/-/\\-/g')" docs/parley.1 || fail "docs/parley.1 lacks $option of \"parley $words\""
    done
done <build/commands.txt
rm -f build/commands.txt
exit $bad
