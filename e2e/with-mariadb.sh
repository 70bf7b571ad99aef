#!/usr/bin/env bash
# Runs a command with TEST_DSN naming a private MariaDB, and stops it afterwards.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap '"$here/mariadb.sh" stop "$dir" >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT
TEST_DSN=$("$here/mariadb.sh" start "$dir")
export TEST_DSN
"$@"
