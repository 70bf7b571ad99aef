package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// selected is a run of some tests: their names, and after all flags the packages.
var selected = regexp.MustCompile(`\$\(GO\) test [^\n]*-run '?([A-Za-z|]+)'?([^\n;]*)`)

// A package that has no test of a name passes in silence.
func TestTheMakefileRunsTestsThatExist(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	for _, target := range strings.Split(strings.ReplaceAll(string(makefile), "\\\n", " "), "\n") {
		for _, command := range selected.FindAllStringSubmatch(target, -1) {
			named := regexp.MustCompile(`(?m)^func Test\w*(?:` + command[1] + `)\w*\(`)
			root := ".."
			if strings.Contains(target, "cd e2e") {
				root = "../e2e"
			}
			packages := regexp.MustCompile(`\./[\w/]+`).FindAllString(command[0], -1)
			if len(packages) == 0 {
				packages = []string{"."}
			}
			for _, dir := range packages {
				runs++
				if files, _ := filepath.Glob(filepath.Join(root, dir, "*_test.go")); !anyMatches(t, files, named) {
					t.Errorf("no test of %s is run by: %s", dir, command[0])
				}
			}
		}
	}
	if runs < 9 {
		t.Errorf("only %d runs were found", runs)
	}
}

func anyMatches(t *testing.T, files []string, pattern *regexp.Regexp) bool {
	t.Helper()
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if pattern.Match(content) {
			return true
		}
	}
	return false
}
