package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var codeSpan = regexp.MustCompile("`([a-z][A-Za-z0-9_./-]*)`")

// Newcomers walk through the code by these two pages.
func TestThePathsOfTheGuidesExist(t *testing.T) {
	for _, page := range []string{"../ARCHITECTURE.md", "../CONTRIBUTING.md"} {
		source, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, span := range codeSpan.FindAllStringSubmatch(string(source), -1) {
			path := span[1]
			if !strings.Contains(path, "/") || strings.Contains(path, "…") {
				continue
			}
			found++
			if matches, err := filepath.Glob(filepath.Join("..", strings.ReplaceAll(path, "NAME", "[a-z]*"))); err != nil || len(matches) == 0 {
				t.Errorf("%s names %s, which is not there", page, path)
			}
		}
		if found < 15 {
			t.Errorf("%s names only %d paths", page, found)
		}
	}
}
