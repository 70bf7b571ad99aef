#!/usr/bin/env bash
# Runs a command, says beforehand what it is, moves a dot while it works, and notes its
# seconds for the table that `make test` ends with.
#   phase.sh NAME COMMAND [ARGUMENT…]
#   phase.sh table   prints the table and begins a new one
set -uo pipefail
noted=${CACHE:-.cache}/phases.txt
mkdir -p "$(dirname "$noted")"
if [ "$*" = table ]; then
	[ -s "$noted" ] || exit 0
	echo "seconds  phase"
	awk -F'\t' '{ printf "%7d  %s%s\n", $1, $2, $3 == 0 ? "" : " (failed)"; all += $1 } END { printf "%7d  all\n", all }' "$noted"
	rm -f "$noted"
	exit 0
fi
name=$1
shift
echo "$name"
began=$SECONDS
(while ! read -rt 10 -u 3; do printf . >&2; done) 3<> <(:) &
dots=$!
"$@"
code=$?
kill "$dots" 2>/dev/null
wait "$dots" 2>/dev/null
took=$((SECONDS - began))
[ "$took" -lt 10 ] || echo >&2
printf '%s\t%s\t%s\n' "$took" "$name" "$code" >>"$noted"
exit "$code"
