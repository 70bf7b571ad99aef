#!/usr/bin/env bash
# Runs a command with TEST_DSN naming a private MariaDB, and stops it afterwards.
exec "$(dirname "$0")/with-databases.sh" mariadb "$@"
