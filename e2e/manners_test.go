package e2e_test

import (
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// The reference is drawn from the document, of files that come with the program, under
// a policy that it does not break; so are the first pages and those of problems.
func TestPagesAtTheDoor(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	tab := harness.NewBrowser(t)
	tab.WatchPolicy(t)
	for name, root := range map[string]string{"public": s.Holdline.PublicURL, "admin": s.Holdline.AdminURL} {
		tab.Open(t, root+"/docs")
		tab.Await(t, "#reference .opblock-summary-path", "the reference shows routes", false, says("/"))
		if n := harness.Eval[int](t, tab, `document.querySelectorAll("#reference .opblock").length`); n < 20 {
			t.Errorf("%s: the reference shows %d routes", name, n)
		}
		tab.Await(t, "#reference", "the reference shows the user API", false, says("/api/identity/user/v1.0/me/validate-code"))
		for _, loaded := range strings.Fields(harness.Eval[string](t, tab, `performance.getEntriesByType("resource").map(e => e.name).join("\n")`)) {
			if !strings.HasPrefix(loaded, root+"/") && !strings.HasPrefix(loaded, "data:") {
				t.Errorf("%s: the reference loads %s", name, loaded)
			}
		}
		tab.NoBreach(t)
		tab.Shoot(t, "docs-"+name)
		tab.Open(t, root+"/")
		tab.Await(t, "h1", "the first page", false, says("Holdline"))
		tab.Sound(t, "root-"+name)
		tab.Open(t, root+"/nothing/here")
		tab.Await(t, "#request-id", "a problem has its request's id", false, func(id string) bool { return id != "" })
		tab.Sound(t, "problem-"+name)
		tab.NoBreach(t)
	}
}
