#!/usr/bin/env bash
# A private MySQL (not MariaDB) in a folder, for tests: no service. Needs root.
#   mysql.sh start DIR   prints mysql://app:app@tcp(127.0.0.1:PORT)/app
#   mysql.sh stop DIR
# Debian has MySQL in its suite sid only, whose libraries are newer than a stable release's:
# its files are unpacked once, into the folder MYSQL_ROOT (.cache/mysql), and the server runs
# in a chroot of a copy of links there. Only this machine can reach it. The user app may
# create databases. What is committed outlives a killed server; with MYSQL_FLUSH=1 it outlives
# the machine too.
set -euo pipefail

usage() {
	sed -n '2,4s/^# *//p' "$0" >&2
	exit 2
}

[ $# -eq 2 ] || usage
[ "$(id -u)" = 0 ] || { echo "MySQL runs in a chroot, which needs root" >&2; exit 1; }
action=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
root=${MYSQL_ROOT:-$here/../.cache/mysql}
mkdir -p "$root"
root=$(cd "$root" && pwd)
inside=/data/$(echo "$dir" | cksum | cut -d' ' -f1) # where the chroot has the folder

unpack() {
	[ ! -e "$root/complete" ] || return 0
	"$here/debian.sh" mmdebstrap >&2
	echo "unpacking MySQL from Debian's suite sid, once" >&2
	local mirror
	mirror=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
		awk '/^URIs:/ { print $2; exit } /^deb / { for (i = 2; i <= NF; i++) if ($i ~ /^http/) { print $i; exit } }' || true)
	rm -rf "$root"
	# A mirror's Release file may be past its date; its signature is checked all the same.
	mmdebstrap --quiet --mode=root --variant=extract --aptopt='Acquire::Check-Valid-Until "false"' \
		--include=mysql-server-core,mysql-client-core sid "$root" "${mirror:-http://deb.debian.org/debian}" >&2
	local folder
	for folder in bin lib lib64; do [ -e "$root/$folder" ] || ln -s "usr/$folder" "$root/$folder"; done
	[ -s "$root/etc/passwd" ] || echo 'root:x:0:0::/root:/bin/sh' >"$root/etc/passwd"
	mkdir -p "$root/tmp" "$root/data"
	chmod 1777 "$root/tmp"
	touch "$root/complete"
}

sql() { chroot "$root" /usr/bin/mysql --no-defaults --user=root --socket="$inside/sock" --batch --skip-column-names "$@"; }

alive() { [ -s "$root$inside/pid" ] && kill -0 "$(cat "$root$inside/pid")" 2>/dev/null; }

start() {
	(flock 9 && unpack) 9>"$root.lock"
	if alive; then
		cat "$dir/dsn"
		return
	fi
	mkdir -p "$root$inside"
	[ -d "$root$inside/data" ] ||
		chroot "$root" /usr/sbin/mysqld --no-defaults --initialize-insecure --user=root --datadir="$inside/data" \
			>"$dir/install.log" 2>&1 || { tail -n 5 "$dir/install.log" >&2; exit 1; }
	# Somebody else may take the free port before the server does: try again.
	for _ in 1 2 3 4 5; do
		port=$(free_port)
		launch "$port"
		if ready; then
			sql --execute="CREATE DATABASE IF NOT EXISTS app;
				CREATE USER IF NOT EXISTS app@'127.0.0.1' IDENTIFIED BY 'app';
				CREATE USER IF NOT EXISTS app@localhost IDENTIFIED BY 'app';
				GRANT ALL ON *.* TO app@'127.0.0.1' WITH GRANT OPTION;
				GRANT ALL ON *.* TO app@localhost WITH GRANT OPTION;"
			echo "mysql://app:app@tcp(127.0.0.1:$port)/app" | tee "$dir/dsn"
			return
		fi
	done
	echo "MySQL does not start:" >&2
	tail -n 5 "$dir/server.log" >&2
	exit 1
}

# free_port looks for a port that nobody listens on.
free_port() {
	while port=$((20000 + RANDOM % 12000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
	echo "$port"
}

launch() {
	rm -f "$root$inside/pid"
	setsid chroot "$root" /usr/sbin/mysqld --no-defaults --user=root --datadir="$inside/data" --socket="$inside/sock" \
		--pid-file="$inside/pid" --bind-address=127.0.0.1 --port="$1" --mysqlx=OFF --secure-file-priv=NULL \
		--max-connections=500 --default-time-zone=+00:00 --innodb-buffer-pool-size=64M --innodb-redo-log-capacity=64M \
		--innodb-flush-log-at-trx-commit="${MYSQL_FLUSH:-2}" --sync-binlog="${MYSQL_FLUSH:-0}" \
		</dev/null >"$dir/server.log" 2>&1 9>&- &
	launched=$!
}

# ready waits until the server answers, or has given up.
ready() {
	for _ in $(seq 600); do
		sql --execute="SELECT 1" >/dev/null 2>&1 && return
		kill -0 "$launched" 2>/dev/null || return 1
		sleep 0.1
	done
	kill "$launched"
	return 1
}

stop() {
	if alive; then
		pid=$(cat "$root$inside/pid")
		kill "$pid"
		for _ in $(seq 400); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.05
		done
		kill -9 "$pid" 2>/dev/null || true
	fi
	rm -rf "${root:?}${inside:?}"
}

case $action in
start | stop) "$action" ;;
*) usage ;;
esac
