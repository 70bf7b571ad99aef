#!/usr/bin/env bash
# How long a newcomer waits, phase by phase: a fresh clone of what is committed here, with
# nothing of Go's downloaded or built; `make demo` until it is ready; `make test`; and
# `make test` once more with everything built and each test run again.
#   clock.sh [FOLDER]   a folder that is not there yet; one of its own is removed at the end
# Debian's packages are taken as they are. Let the machine be quiet.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
if [ $# -gt 0 ]; then
	mkdir "$1"
	dir=$(cd "$1" && pwd)
else
	dir=$(mktemp -d)
fi
demo=
stop() {
	[ -z "$demo" ] || { kill -INT -- "-$demo" && wait "$demo"; } 2>/dev/null || true
	demo=
}
finish() {
	stop
	[ $# -gt 0 ] || rm -rf "$dir"
}
trap 'finish "$@"' EXIT
git clone -q "$here" "$dir/holdline"
cd "$dir/holdline"
export GOCACHE=$dir/build GOMODCACHE=$dir/modules GOLANGCI_LINT_CACHE=$dir/lint
export GOFLAGS=-modcacherw # or they could not be removed
unset CACHE

processors=$(nproc)
echo "clock of $(git rev-parse --short HEAD), $processors processors, load $(cut -d' ' -f1 /proc/loadavg)"
echo "== make demo, nothing built"
began=$SECONDS
set -m # Ctrl-C goes to a group of its own
make --no-print-directory demo >"$dir/demo.log" 2>&1 &
demo=$!
set +m
until grep -q '^Ready' "$dir/demo.log"; do
	kill -0 "$demo" 2>/dev/null || { cat "$dir/demo.log"; exit 1; }
	sleep 1
done
took=$((SECONDS - began))
stop
e2e/phase.sh table
echo "== make demo: ready after $took s"

failed=0
for state in "nothing built but the demo" "built"; do
	echo "== make test, $state"
	make --no-print-directory test || failed=1
	go clean -testcache
done
exit $failed
