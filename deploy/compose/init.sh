#!/usr/bin/env bash
# Makes what compose.yml needs once: random secrets, the accounts at the database,
# and the lines for Kratos that Holdline prints. Keeps what is there already.
#   ./init.sh            with the image that compose.yml names
#   HOLDLINE=/path/of/holdline ./init.sh   with a program of this machine
#   DATABASE=mysql ./init.sh               for MySQL: see mysql.yml
set -euo pipefail
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
# Only you reach the folder; in it, containers read what they are given as users
# of their own.
umask 022
chmod 700 secrets

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [ -s "secrets/$1" ] || cat >"secrets/$1"; }

postgres() {
	holdline_dsn="postgres://holdline:$holdline@database:5432/holdline?sslmode=disable"
	kratos_dsn="postgres://kratos:$kratos@database:5432/kratos?sslmode=disable&max_conns=20&max_idle_conns=4"
	keep databases.sql <<-END
		CREATE ROLE holdline LOGIN PASSWORD '$holdline';
		CREATE ROLE kratos LOGIN PASSWORD '$kratos';
		CREATE DATABASE holdline OWNER holdline;
		CREATE DATABASE kratos OWNER kratos;
	END
}

mysql() {
	holdline_dsn="mysql://holdline:$holdline@tcp(database:3306)/holdline"
	kratos_dsn="mysql://kratos:$kratos@tcp(database:3306)/kratos?parseTime=true&max_conns=20&max_idle_conns=4"
	keep databases.sql <<-END
		CREATE DATABASE holdline CHARACTER SET utf8mb4;
		CREATE DATABASE kratos CHARACTER SET utf8mb4;
		CREATE USER holdline IDENTIFIED BY '$holdline';
		CREATE USER kratos IDENTIFIED BY '$kratos';
		GRANT ALL ON holdline.* TO holdline;
		GRANT ALL ON kratos.* TO kratos;
	END
}

[ -s secrets/databases.sql ] || {
	holdline=$(random) kratos=$(random)
	case ${DATABASE:-postgres} in
	postgres | mysql) "${DATABASE:-postgres}" ;;
	*) echo "DATABASE is postgres or mysql" >&2; exit 2 ;;
	esac
	keep database-dsn <<<"$holdline_dsn"
	keep kratos.yml <<-END
		dsn: "$kratos_dsn"
		secrets: {cookie: ["$(random)"], cipher: ["$(random | head -c 32)"]}
	END
}
keep database-root < <(random)
keep otp < <(random)
keep hook-key < <(random)

# Printed anew each time: it follows holdline.yml and the release.
if [ -n "${HOLDLINE:-}" ]; then
	HOLDLINE_HOOKS_API_KEY_FILE=secrets/hook-key "$HOLDLINE" kratos-config --config holdline.yml >secrets/kratos-hooks.new
else
	docker compose run --rm --no-deps -T holdline kratos-config >secrets/kratos-hooks.new
fi
mv secrets/kratos-hooks.new secrets/kratos-hooks.yml
