#!/usr/bin/env bash
# Prints the licences and notices of everything that the program is linked from,
# for the platform of GOOS and GOARCH: Go itself, and each module.
#   licences.sh >THIRD_PARTY_LICENSES
# A module without a licence is an error.
set -euo pipefail
shopt -s nullglob nocaseglob
export LC_ALL=C
cd "$(dirname "$0")/.."

# notices MODULE ROOT FOLDER: the notices that hold for a package in FOLDER, which
# are those there and above it, one a line: module, name, file.
notices() {
	local folder=$3 file
	while :; do
		for file in "$folder"/{LICEN[CS]E,COPYING,NOTICE}*; do
			[[ ! -f $file || $file == *.go ]] || printf '%s\t%s\t%s\n' "$1" "${file#"$2"/}" "$file"
		done
		[ "$folder" != "$2" ] || return 0
		folder=${folder%/*}
	done
}

packages=$(CGO_ENABLED=0 go list -deps -tags nomsgpack \
	-f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{"\t"}}{{.Dir}}{{"\t"}}{{$.Dir}}{{end}}{{end}}' ./cmd/holdline)
found=$(while IFS=$'\t' read -r module root folder; do notices "$module" "$root" "$folder"; done <<<"$packages" | sort -u)
without=$(comm -23 <(cut -f1 <<<"$packages" | sort -u) <(cut -f1 <<<"$found" | sort -u))
[ -z "$without" ] || { printf 'no licence found: %s\n' "$without" >&2; exit 1; }

{ printf 'Go %s\tLICENSE\t%s\n' "$(go env GOVERSION)" "$(go env GOROOT)/LICENSE" && echo "$found"; } |
	while IFS=$'\t' read -r module name file; do
		printf '%s\n%s: %s\n\n' "$(printf '=%.0s' {1..80})" "$module" "$name"
		cat "$file"
		echo
	done
