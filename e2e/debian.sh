#!/usr/bin/env bash
# Installs the Debian packages that the tests need, if they are missing: a C
# compiler for Kratos' SQLite and the race detector, git, curl, MariaDB, PostgreSQL with
# PgBouncer, Chromium,
# Kannel and its fake message centre, ip for the network namespace that it runs in,
# npm to fetch axe-core with, jq and openssl for the documents' commands, systemd for what it says of the service's unit. For
# pictures, if asked for: fonts of all languages.
#   debian.sh [compiler git curl jq openssl mariadb postgres chromium kannel npm systemd]   all of them by default
#   debian.sh fonts
#   debian.sh galera   what `make cluster` needs beside MariaDB
#   debian.sh mmdebstrap   what e2e/mysql.sh unpacks MySQL with
set -euo pipefail
missing=()
need() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing+=("$2"); }
for part in "${@:-compiler git curl jq openssl mariadb postgres chromium kannel npm systemd}"; do
	for name in $part; do
		case $name in
		compiler)
			need gcc gcc
			[ -e /usr/include/stdlib.h ] || missing+=(libc6-dev)
			;;
		git | curl | jq | openssl | npm) need "$name" "$name" ;;
		systemd) need systemd-analyze systemd ;;
		mariadb) need mariadbd mariadb-server ;;
		postgres)
			compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
			need pgbouncer pgbouncer
			;;
		chromium) need chromium chromium ;;
		kannel)
			need bearerbox kannel
			[ -x /usr/lib/kannel/test/fakesmsc ] || missing+=(kannel-extras)
			need ip iproute2
			;;
		galera)
			[ -e /usr/lib/galera/libgalera_smm.so ] || missing+=(galera-4)
			need rsync rsync
			need ip iproute2
			;;
		mmdebstrap) need mmdebstrap mmdebstrap ;;
		fonts)
			for font in lohit-deva lohit-taml lklug-sinhala ipafont-gothic; do
				[ -e "/usr/share/doc/fonts-$font" ] || missing+=("fonts-$font")
			done
			;;
		*) echo "unknown part: $name" >&2; exit 2 ;;
		esac
	done
done
[ ${#missing[@]} -gt 0 ] || exit 0
run() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
echo "installing Debian packages: ${missing[*]}"
run apt-get -qq update
run env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
# The packages start servers of their own, which no test uses.
stop() {
	if [[ " ${missing[*]} " == *" $1 "* ]] && command -v systemctl >/dev/null 2>&1; then
		run systemctl disable --now "$2" >/dev/null 2>&1 || true
	fi
}
stop mariadb-server mariadb
stop postgresql postgresql
stop pgbouncer pgbouncer
stop kannel kannel
