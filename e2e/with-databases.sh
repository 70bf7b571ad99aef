#!/usr/bin/env bash
# Runs a command with private database servers, and stops them afterwards.
#   with-databases.sh mariadb,postgres CMD…
# TEST_DSN names the MariaDB, TEST_POSTGRES_DSN the PostgreSQL. A server that one of
# these variables names already, such as a MySQL, is used instead.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
servers=${1//,/ }
shift
dir=$(mktemp -d)
stop() {
	for server in $servers; do
		[ ! -d "$dir/$server" ] || "$here/$server.sh" stop "$dir/$server" >/dev/null 2>&1 || true
	done
	rm -rf "$dir"
}
trap stop EXIT
for server in $servers; do
	case $server in
	mariadb) variable=TEST_DSN ;;
	postgres) variable=TEST_POSTGRES_DSN ;;
	*) echo "unknown server: $server" >&2; exit 2 ;;
	esac
	[ -n "${!variable:-}" ] || declare "$variable=$("$here/$server.sh" start "$dir/$server")"
	export "${variable?}"
done
"$@"
