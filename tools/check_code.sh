#!/bin/sh
# Habits that a machine can check: layout, banned calls, comments, sizes.
set -eu
cd "$(dirname "$0")/.."
bad=0
fail() { printf 'check_code: %s\n' "$1"; bad=1; }
sources=$(find bench core examples include plugins tests -name '*.[ch]' | LC_ALL=C sort)

stray=$(find . -maxdepth 1 -name '*.[ch]' | tr '\n' ' ')
[ -z "$stray" ] || fail "belongs into one of the folders: $stray"
# shellcheck disable=SC2086
unformatted=$(clang-format-14 --dry-run --Werror $sources 2>&1 | sed -n 's/^\([^: ]*\):.* error: .*/\1/p' | uniq | tr '\n' ' ')
[ -z "$unformatted" ] || fail "run ./dev format: $unformatted"
# shellcheck disable=SC2086
grep -nE '\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|gets|alloca|PQexec)\(' $sources && fail "banned call"
# shellcheck disable=SC2086
grep -nE '^[^"]*(^|[^:"])//' $sources && fail "// is for local debugging"
# shellcheck disable=SC2086
grep -nE '\b(TODO|FIXME|XXX)\b' $sources && fail "an open end"
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
