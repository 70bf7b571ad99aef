package docs_test

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryRelativeLinkLeadsSomewhere(t *testing.T) {
	all := documents(t)
	anchors := map[string]map[string]bool{}
	for _, d := range all {
		anchors[d.name] = d.anchors
	}
	seen := 0
	for _, d := range all {
		for _, link := range d.links {
			to, err := url.Parse(link)
			if err != nil {
				t.Errorf("%s: %v", d.name, err)
				continue
			}
			if to.Scheme != "" || to.Host != "" {
				continue
			}
			seen++
			target := d.name
			if to.Path != "" {
				target = path.Join(path.Dir(d.name), to.Path)
			}
			if _, err := os.Stat(filepath.Join("..", target)); err != nil || strings.HasPrefix(target, "..") {
				t.Errorf("%s: nothing is at %s", d.name, link)
			}
			if to.Fragment != "" && strings.HasSuffix(target, ".md") && !anchors[target][to.Fragment] {
				t.Errorf("%s: no heading is at %s", d.name, link)
			}
		}
	}
	if seen < 80 {
		t.Errorf("only %d links were seen", seen)
	}
}

// Who reads on from the index must find every document there.
func TestTheIndexHasEveryDocument(t *testing.T) {
	linked := map[string]bool{"docs/README.md": true}
	for _, link := range read(t, "README.md").links {
		linked[path.Join("docs", link)] = true
	}
	for _, d := range documents(t) {
		if path.Dir(d.name) == "docs" && !linked[d.name] {
			t.Errorf("docs/README.md does not name %s", d.name)
		}
	}
}
