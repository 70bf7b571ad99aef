#!/usr/bin/env bash
# Installs the Debian packages that the tests need, if they are missing: a C
# compiler for Kratos' SQLite and the race detector, git, curl, MariaDB, Chromium.
#   debian.sh [compiler git curl mariadb chromium]   all of them by default
set -euo pipefail
missing=()
need() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing+=("$2"); }
for part in "${@:-compiler git curl mariadb chromium}"; do
	for name in $part; do
		case $name in
		compiler)
			need gcc gcc
			[ -e /usr/include/stdlib.h ] || missing+=(libc6-dev)
			;;
		git | curl) need "$name" "$name" ;;
		mariadb) need mariadbd mariadb-server ;;
		chromium) need chromium chromium ;;
		*) echo "unknown part: $name" >&2; exit 2 ;;
		esac
	done
done
[ ${#missing[@]} -gt 0 ] || exit 0
run() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
echo "installing Debian packages: ${missing[*]}"
run apt-get -qq update
run env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
# The package starts a server of its own, which no test uses.
if [[ " ${missing[*]} " == *" mariadb-server "* ]] && command -v systemctl >/dev/null 2>&1; then
	run systemctl disable --now mariadb >/dev/null 2>&1 || true
fi
