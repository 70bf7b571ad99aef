package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionSaysWhatTheProgramWasMadeFrom(t *testing.T) {
	recorded := &debug.BuildInfo{GoVersion: "go1.26.8", Settings: []debug.BuildSetting{
		{Key: "GOARCH", Value: "arm64"},
		{Key: "GOOS", Value: "linux"},
		{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"},
		{Key: "vcs.time", Value: "2026-01-02T03:04:05Z"},
		{Key: "vcs.modified", Value: "true"},
	}}
	var out strings.Builder
	if err := thisBuild(recorded).print(&out); err != nil {
		t.Fatal(err)
	}
	want := release + `
commit     0123456789abcdef0123456789abcdef01234567 (modified)
committed  2026-01-02T03:04:05Z
go         go1.26.8
platform   linux/arm64
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}
