package verify_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/portal/verify"
)

// Sites know the page's states by docs/pages.md.
func TestTheStatesAreAsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/pages.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "| state | status | when |\n")
	if !found {
		t.Fatal("docs/pages.md has no table of states")
	}
	var documented []string
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		first, _, _ := strings.Cut(line[1:], "|")
		for _, name := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(first, -1) {
			documented = append(documented, name[1])
		}
	}
	slices.Sort(documented)
	if got, want := strings.Join(documented, " "), strings.Join(verify.States(), " "); got != want {
		t.Errorf("documented:\n%s\nthere are:\n%s", got, want)
	}
}
