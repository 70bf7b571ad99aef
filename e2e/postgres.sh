#!/usr/bin/env bash
# A private PostgreSQL in a folder, for tests: no service.
#   postgres.sh start DIR   prints postgres://app:app@127.0.0.1:PORT/app?sslmode=disable
#   postgres.sh stop DIR
# Only this machine can reach it. The user app may create databases and roles. What the
# server says is in DIR/server.log. What is committed outlives a killed server; with
# POSTGRES_FLUSH=1 it outlives the machine too. POSTGRES_OPTIONS are more of the server's
# own, such as "-c wal_level=logical".
set -euo pipefail

usage() {
	sed -n '2,4s/^# *//p' "$0" >&2
	exit 2
}

[ $# -eq 2 ] || usage
action=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
programs=${POSTGRES_BIN:-$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)}
[ -x "$programs/initdb" ] || { echo "PostgreSQL is not installed: e2e/debian.sh postgres" >&2; exit 1; }
cd / # the server's user may not be allowed where we are

# The server refuses to run as root: then it runs as the user that Debian's package made.
as() {
	if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi
}

start() {
	if [ -s "$dir/dsn" ] && as "$programs/pg_ctl" --pgdata="$dir/data" status >/dev/null 2>&1; then
		cat "$dir/dsn"
		return
	fi
	reachable
	if [ ! -e "$dir/data/PG_VERSION" ]; then
		as sh -c "umask 077; echo root >'$dir/password'"
		as "$programs/initdb" --pgdata="$dir/data" --username=postgres --auth-local=trust --auth-host=scram-sha-256 \
			--encoding=UTF8 --locale=C --pwfile="$dir/password" --no-instructions --no-sync >"$dir/install.log" 2>&1 ||
			{ tail -n 5 "$dir/install.log" >&2; exit 1; }
		rm -f "$dir/password"
	fi
	flush=off
	[ "${POSTGRES_FLUSH:-0}" = 0 ] || flush=on
	# Somebody else may take the free port before the server does: try again.
	for _ in 1 2 3 4 5; do
		port=$(free_port)
		if launch "$port"; then
			sql "SELECT 1 FROM pg_roles WHERE rolname = 'app'" | grep -q 1 || {
				sql "CREATE ROLE app LOGIN CREATEDB CREATEROLE PASSWORD 'app'"
				sql "GRANT pg_monitor, pg_signal_backend TO app WITH ADMIN OPTION"
				# The schema must not depend on how the database orders texts, where the server can do otherwise.
				sql "CREATE DATABASE app OWNER app TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'und' LOCALE 'C'" 2>/dev/null ||
					sql "CREATE DATABASE app OWNER app"
			}
			echo "postgres://app:app@127.0.0.1:$port/app?sslmode=disable" | tee "$dir/dsn"
			return
		fi
	done
	echo "PostgreSQL does not start:" >&2
	tail -n 5 "$dir/server.log" >&2
	exit 1
}

# reachable gives the folder to the server's user, who has to get there; folders that
# mktemp made are open to their owner alone.
reachable() {
	[ "$(id -u)" = 0 ] || return 0
	chown postgres: "$dir"
	local above=$dir temporary
	temporary=$(realpath "${TMPDIR:-/tmp}")
	while [[ $above == "$temporary"/* ]]; do
		above=$(dirname "$above")
		[ "$above" = "$temporary" ] || chmod o+x "$above"
	done
	as test -x "$dir" || { echo "the user postgres cannot enter $dir" >&2; exit 1; }
}

# free_port looks for a port that nobody listens on.
free_port() {
	while port=$((20000 + RANDOM % 12000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
	echo "$port"
}

# A socket's path may have some hundred characters; a folder's may have more.
launch() {
	# shellcheck disable=SC2086 # options are words
	as "$programs/pg_ctl" --pgdata="$dir/data" --log="$dir/server.log" --wait --timeout=60 --options="-p $1 \
		-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=500 -c shared_buffers=64MB \
		-c fsync=$flush -c full_page_writes=$flush -c timezone=UTC -c log_timezone=UTC -c deadlock_timeout=200ms \
		-c log_min_error_statement=panic ${POSTGRES_OPTIONS:-}" start >/dev/null 2>&1
}

sql() {
	PGPASSWORD=root psql --quiet --no-psqlrc --no-align --tuples-only --set=ON_ERROR_STOP=1 \
		--host=127.0.0.1 --port="$port" --username=postgres --dbname=postgres --command="$1"
}

stop() {
	as "$programs/pg_ctl" --pgdata="$dir/data" --mode=fast --wait --timeout=30 stop >/dev/null 2>&1 || true
}

case $action in
start | stop) "$action" ;;
*) usage ;;
esac
