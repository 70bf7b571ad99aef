#!/usr/bin/env bash
# A private MariaDB in a folder, for tests: no service, no root needed.
#   mariadb.sh start DIR   prints mysql://app:app@tcp(127.0.0.1:PORT)/app
#   mariadb.sh stop DIR
# Only this machine can reach it. The user app may create databases. What the
# server says is in DIR/server.log, its process id in DIR/pid. It never waits for the disk:
# what is committed outlives a killed server, but not the machine; with MARIADB_FLUSH=1 it
# writes as a server in production does.
set -euo pipefail

flush=(--innodb-log-file-size=32M)
[ "${MARIADB_FLUSH:-0}" != 0 ] || flush+=(--innodb-flush-log-at-trx-commit=2 --innodb-flush-method=nosync --skip-sync-frm
	--debug-no-sync --skip-innodb-doublewrite)

usage() {
	sed -n '2,4s/^# *//p' "$0" >&2
	exit 2
}

[ $# -eq 2 ] || usage
action=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
# Of its own: servers that are made at the same time would meet each other's
# temporary tables.
export TMPDIR=$dir/tmp
mkdir -p "$TMPDIR"

# As root the server keeps root's rights only when told so by name.
me=$(id -un)
server=$(PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v mariadbd)

alive() { [ -s "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null; }

# A socket's path may have some hundred characters; a folder's may have more.
sql() { (cd "$dir" && mariadb --no-defaults --user=root --socket=./sock --batch --skip-column-names "$@"); }

start() {
	if alive; then
		cat "$dir/dsn"
		return
	fi
	if [ ! -d "$dir/data/mysql" ]; then
		mariadb-install-db --no-defaults --user="$me" --datadir="$dir/data" --skip-test-db \
			--auth-root-authentication-method=normal --skip-name-resolve "${flush[@]}" >"$dir/install.log" 2>&1 ||
			{ tail -n 5 "$dir/install.log" >&2; exit 1; }
	fi
	# Somebody else may take the free port before the server does: try again.
	for _ in 1 2 3 4 5; do
		port=$(free_port)
		launch "$port"
		if ready; then
			sql --execute="CREATE DATABASE IF NOT EXISTS app;
				CREATE USER IF NOT EXISTS app@'127.0.0.1' IDENTIFIED BY 'app';
				GRANT ALL ON *.* TO app@'127.0.0.1' WITH GRANT OPTION;"
			echo "mysql://app:app@tcp(127.0.0.1:$port)/app" | tee "$dir/dsn"
			return
		fi
	done
	echo "MariaDB does not start:" >&2
	tail -n 5 "$dir/server.log" >&2
	exit 1
}

# free_port looks for a port that nobody listens on.
free_port() {
	while port=$((20000 + RANDOM % 12000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
	echo "$port"
}

launch() {
	rm -f "$dir/pid"
	(
		cd "$dir"
		exec setsid "$server" --no-defaults --user="$me" --datadir="$dir/data" --socket=./../sock --pid-file="$dir/pid" \
			--bind-address=127.0.0.1 --port="$1" --skip-name-resolve --max-connections=500 \
			--character-set-server=utf8mb4 --default-time-zone=+00:00 \
			--innodb-buffer-pool-size=64M "${flush[@]}"
	) </dev/null >"$dir/server.log" 2>&1 &
	launched=$!
}

# ready waits until the server answers, or has given up.
ready() {
	for _ in $(seq 600); do
		sql --execute="SELECT 1" >/dev/null 2>&1 && return
		kill -0 "$launched" 2>/dev/null || return 1
		sleep 0.05
	done
	kill "$launched"
	return 1
}

stop() {
	alive || return 0
	pid=$(cat "$dir/pid")
	kill "$pid"
	for _ in $(seq 400); do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.05
	done
	kill -9 "$pid"
}

case $action in
start | stop) "$action" ;;
*) usage ;;
esac
