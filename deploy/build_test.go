package deploy_test

import (
	"regexp"
	"testing"
)

// Whoever builds the program, `make`, the release or the image, builds the same.
func TestTheProgramIsBuiltAlikeEverywhere(t *testing.T) {
	flags := regexp.MustCompile(`CGO_ENABLED=0 [^\n]*(?:\\\n\s*)?[^\n]*build (-trimpath -tags \S+)`)
	want := flags.FindStringSubmatch(read(t, "../Makefile"))
	if want == nil {
		t.Fatal("the Makefile builds otherwise")
	}
	for _, name := range []string{"../Dockerfile", "dist.sh"} {
		got := flags.FindStringSubmatch(read(t, name))
		if got == nil || got[1] != want[1] {
			t.Errorf("%s builds with %q, the Makefile with %q", name, got, want[1])
		}
	}
}
