package deploy_test

import (
	"debug/buildinfo"
	"os/exec"
	"regexp"
	"strings"
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

// What the program was linked from is what the notices name: Go records it in the
// program.
func TestEveryModuleInTheProgramHasItsLicencePrinted(t *testing.T) {
	info, err := buildinfo.ReadFile(program(t, "HOLDLINE_BIN"))
	if err != nil {
		t.Fatal(err)
	}
	printed, err := exec.Command("./licences.sh").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range info.Deps {
		if !strings.Contains(string(printed), "\n"+module.Path+" "+module.Version+": ") {
			t.Errorf("%s %s has no notice", module.Path, module.Version)
		}
	}
	if len(info.Deps) < 50 || !strings.Contains(string(printed), "Redistribution and use in source and binary forms") {
		t.Errorf("%d modules; the notices begin with\n%.200s", len(info.Deps), printed)
	}
}
