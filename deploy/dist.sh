#!/usr/bin/env bash
# Packs the release that is checked out (HEAD) for linux on amd64 and arm64:
#   dist.sh FOLDER
# FOLDER then has, for each platform, an archive (program, licences, configuration,
# systemd unit, manual pages, completions), an SBOM (CycloneDX), and SHA256SUMS of them all.
# Everything is made twice, from two checkouts in different places with a build
# cache each, and must come out the same. What is not committed is not packed.
#   CYCLONEDX   the cyclonedx-gomod program
set -euo pipefail

# pack CHECKOUT INTO
pack() {
	local arch name stage
	git clone --quiet --local --no-checkout . "$1"
	git -C "$1" checkout --quiet --detach "$commit"
	mkdir -p "$2"
	(cd "$1" && SOURCE_DATE_EPOCH=$committed GOFLAGS='' go run -tags nomsgpack -ldflags "-X main.release=$release" ./cmd/holdline man "$1.manual")
	for arch in amd64 arm64; do
		name=holdline-$release-linux-$arch
		stage=$1.stage/$name
		mkdir -p "$stage"
		(cd "$1" && CGO_ENABLED=0 GOOS=linux GOARCH=$arch GOFLAGS='' go build -trimpath -tags nomsgpack -buildvcs=true \
			-ldflags "-s -w -X main.release=$release" -o "$stage/holdline" ./cmd/holdline)
		cp "$1"/{LICENSE,README.md,deploy/holdline.yml,deploy/systemd/holdline.service} "$stage"
		cp -r "$1.manual"/{man,completions} "$stage"
		GOOS=linux GOARCH=$arch GOFLAGS='' "$1/deploy/licences.sh" >"$stage/THIRD_PARTY_LICENSES"
		chmod -R u=rwX,go=rX "$stage"
		tar --create --directory "$1.stage" --sort=name --mtime="@$committed" --owner=0 --group=0 --numeric-owner \
			--format=ustar "$name" | gzip --no-name --best >"$2/$name.tar.gz"
		(cd "$1" && "$sbom" bin -json -std -noserial -notimestamp -version "$release" -output "$2/$name.cdx.json" "$stage/holdline")
	done
	(cd "$2" && sha256sum ./*.tar.gz ./*.cdx.json | sed 's# \./# #' >SHA256SUMS)
}

main() {
	cd "$(dirname "$0")/.."
	out=$(mkdir -p "$1" && cd "$1" && pwd)
	sbom=${CYCLONEDX:?names the cyclonedx-gomod program}
	commit=$(git rev-parse HEAD)
	release=$(git describe --tags --always "$commit")
	committed=$(git log -1 --format=%ct "$commit")
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	pack "$work/one" "$work/dist"
	GOCACHE=$work/cache pack "$work/elsewhere/two" "$work/again"
	cmp "$work/dist/SHA256SUMS" "$work/again/SHA256SUMS" || {
		echo "the same source made different bytes: not packed" >&2
		diff "$work/dist/SHA256SUMS" "$work/again/SHA256SUMS" >&2
		exit 1
	}
	rm -f "$out"/holdline-* "$out/SHA256SUMS"
	cp "$work"/dist/* "$out"
	cat "$out/SHA256SUMS"
}

main "$@"
