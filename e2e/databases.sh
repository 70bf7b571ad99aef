#!/usr/bin/env bash
# Runs everything that speaks to a database on each server, one after the other, and prints
# a table: the store's suite with its races and its model, migrations, copies, the index of
# SCIM, under the race detector; then some tests from end to end.
#   databases.sh [sqlite mariadb mysql postgres]   all of them by default
# HOLDLINE_BIN, KRATOS_BIN and AXE_JS are as for `make e2e`, RACE are the flags of `make unit`.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
spine='^Test(ANumberChangesOnlyWithTheCodeFromTheNewPhone|OwnersConfirmTheirOwnClaims|AnAcceptedCodeIsAppliedOnceWhenKratosIsBack|KilledAfterKratosWroteTheClaimIsFinishedWithoutAnotherWrite|FourWrongCodesAndTheRightOneAtOnceMakeTheChange|ResendsAtOnceSendOneText|SCIMHoldsMobileNumbersBack)$'
reports=${HOLDLINE_REPORTS:-$PWD/.cache/reports}
work=$(mktemp -d)
mkdir -p "$reports"
started=()
stop() {
	for server in "${started[@]}"; do "$here/$server.sh" stop "$work/$server" >/dev/null 2>&1 || true; done
	rm -rf "$work"
}
trap stop EXIT

# counted prints how many tests passed, how many failed, and how many races were found.
counted() {
	jq -rs '[.[] | select(.Test != null)] as $t | [([$t[] | select(.Action == "pass")] | length), ([$t[] | select(.Action == "fail")] | length),
		([.[] | select(.Action == "output" and (.Output | contains("DATA RACE")))] | length)] | @tsv' "$1"
}

# failures prints what the tests that failed said.
failures() {
	jq -r 'select(.Action == "fail" and .Test != null) | "FAILED " + .Package + " " + .Test' "$1" >&2
	jq -rs '[.[] | select(.Action == "fail") | .Test] as $failed | .[] | select(.Action == "output" and (.Output | test("_test.go:[0-9]+:|DATA RACE|panic")) and (.Test | IN($failed[]))) | .Output' "$1" | head -n 40 >&2
}

table=$reports/databases.txt
row='%-28s %12s %12s %7s %6s %8s\n'
# shellcheck disable=SC2059 # the format is above
printf "$row" server "store tests" "end to end" failed races seconds >"$table"
failed=0
servers=("$@")
[ $# -gt 0 ] || servers=(sqlite mariadb mysql postgres)
for server in "${servers[@]}"; do
	began=$SECONDS
	unset TEST_DSN TEST_POSTGRES_DSN
	kind=$server
	case $server in
	sqlite) ;;
	mariadb | mysql)
		kind=mariadb
		started+=("$server")
		TEST_DSN=$("$here/$server.sh" start "$work/$server") || exit 1
		export TEST_DSN
		;;
	postgres)
		started+=("$server")
		TEST_POSTGRES_DSN=$("$here/$server.sh" start "$work/$server") || exit 1
		export TEST_POSTGRES_DSN
		;;
	*) echo "unknown server: $server" >&2; exit 2 ;;
	esac
	others=$(printf '%s\n' sqlite mariadb postgres | grep -vx "$kind" | paste -sd '|')
	echo "the store on $server"
	# The one that is left out computes too much for the race detector; make test runs it.
	HOLDLINE_REQUIRE_DATABASES=${kind#sqlite} go test ${RACE:--race} -count=1 -timeout 40m -json -skip "^TestNoRequestEndsMoreMembershipsThanItCan\$|/^($others)\$" ./persistence/... >"$work/store.json"
	read -r store lost races < <(counted "$work/store.json")
	[ "$store" -gt 0 ] && [ "$lost" = 0 ] && [ "$races" = 0 ] || { failures "$work/store.json"; failed=1; }
	whole=- lostwhole=0
	if [ "$server" != sqlite ]; then # whose file the tests cannot ask meanwhile
		echo "end to end on $server"
		(cd e2e && HOLDLINE_E2E_DATABASE=$server go test -count=1 -timeout 20m -json -run "$spine" .) >"$work/e2e.json"
		read -r whole lostwhole _ < <(counted "$work/e2e.json")
		[ "$whole" -gt 0 ] && [ "$lostwhole" = 0 ] || { failures "$work/e2e.json"; failed=1; }
	fi
	name=$(jq -r 'select(.Output != null) | .Output | capture("the server is (?<name>.*)$").name' "$work/store.json" | head -n 1)
	# shellcheck disable=SC2059
	printf "$row" "${name:-SQLite}" "$store" "$whole" $((lost + lostwhole)) "$races" $((SECONDS - began)) >>"$table"
done
cat "$table"
exit $failed
