#!/bin/sh
# Habits that a machine can check: layout, banned calls, comments, sizes.
set -eu
cd "$(dirname "$0")/.."
bad=0
fail() { printf 'check_code: %s\n' "$1"; bad=1; }
sources=$(git ls-files -co --exclude-standard -- 'core/*.[ch]' 'plugins/*.[ch]' 'include/*.h' 'tests/*.[ch]' 'examples/*.[ch]')

# shellcheck disable=SC2086
clang-format-14 --dry-run --Werror $sources || fail "run ./dev format"
# shellcheck disable=SC2086
grep -nE '\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|gets|alloca|PQexec)\(' $sources && fail "banned call"
# shellcheck disable=SC2086
grep -nE '^[^"]*(^|[^:"])//' $sources && fail "// is for local debugging"
# shellcheck disable=SC2086
grep -nE 'TODO|FIXME|XXX' $sources && fail "an open end"
for file in $sources; do
    head -c 2 "$file" | grep -q '/\*' || fail "$file does not open by saying what it does"
    lines=$(wc -l <"$file")
    case "$file" in
    tests/*) most=900 ;;
    *) most=560 ;;
    esac
    [ "$lines" -le "$most" ] || fail "$file has $lines lines (at most $most)"
done
exit $bad
