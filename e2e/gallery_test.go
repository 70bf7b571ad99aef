package e2e_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// gallery walks the states of pages. It looks at each in one of the widths and schemes in
// turn, or in all of them where pictures are wanted; presses its main button; and keeps
// what a sheet of all of them needs.
type gallery struct {
	t     *testing.T
	of    string          // what the pages are of, in the names of pictures
	tab   *harness.Tab    // with scripts
	plain *harness.Tab    // of the same browser, without
	size  int             // the width of a picture on the sheet
	phone bool            // pictures are whole pages on a phone, not the top of a desktop
	said  strings.Builder // all words of all pages
	rows  []string
}

// looks are the widths and schemes; each state has one of them in turn.
var looks = []struct {
	width int
	dark  bool
}{{360, false}, {768, true}, {1280, false}, {360, true}, {768, false}, {1280, true}}

func newGallery(t *testing.T, of string, size int) *gallery {
	g := &gallery{t: t, of: of, tab: harness.NewBrowser(t), size: size}
	g.plain = g.tab.NewTab(t)
	g.plain.NoScripts(t)
	return g
}

func pictures() bool { return os.Getenv("HOLDLINE_SCREENSHOTS") != "" }

// mainButton finds the way on of a page: its button, else the link of what it says first.
const mainButton = `main button:not(.plain, .link), main .button:not(.plain), main .notice a, main .actions .button`

// state wants the state that the tab shows to be sound, with a way on as its first button,
// and does what that button is for; nil leaves it.
func (g *gallery) state(name string, do func()) {
	g.t.Helper()
	way := harness.Eval[string](g.t, g.tab, `(b => b ? b.innerText : "")(document.querySelector("`+mainButton+`"))`)
	if way == "" && do != nil {
		g.t.Errorf("%s has no way on as its main button", name)
	}
	g.listen()
	for i, look := range looks {
		turn := len(g.rows)%len(looks) == i
		if !turn && !pictures() {
			continue
		}
		g.tab.Wide(g.t, look.width)
		g.tab.Dark(g.t, look.dark)
		if file := fmt.Sprintf("state-%s-%s-%d%s", g.of, name, look.width, map[bool]string{true: "-dark"}[look.dark]); turn {
			g.tab.Sound(g.t, file)
		} else {
			g.tab.Shoot(g.t, file)
		}
	}
	before, after := g.picture(), ""
	if do != nil {
		do()
		after = g.picture()
	}
	g.rows = append(g.rows, `<figure><figcaption><b>`+html.EscapeString(name)+`</b><br>`+html.EscapeString(way)+`</figcaption>`+before+after+`</figure>`)
}

// says wants the page to say something, and goes on where it does not.
func (g *gallery) says(words string) bool {
	g.t.Helper()
	said := ""
	for deadline := time.Now().Add(harness.Patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if said, _ = g.tab.Read("main"); strings.Contains(said, words) {
			return true
		}
	}
	g.t.Errorf("%s does not say %q, but %q", g.tab.Where(g.t), words, said)
	return false
}

// listen keeps the words of the page that is shown.
func (g *gallery) listen() {
	g.said.WriteString(" " + harness.Eval[string](g.t, g.tab, `document.title + " " + document.documentElement.textContent.replace(/\s+/g, " ")
		+ " " + Array.from(document.querySelectorAll("main [aria-label]"), e => e.ariaLabel).join(" ")`))
}

// picture is what the sheet shows of the tab.
func (g *gallery) picture() string {
	if !pictures() {
		return ""
	}
	g.tab.Dark(g.t, false)
	width, take := 1024, g.tab.ScreenshotTop
	if g.phone {
		width, take = 360, g.tab.Screenshot
	}
	g.tab.Wide(g.t, width)
	return fmt.Sprintf(`<img width="%d" alt="" src="data:image/png;base64,%s">`, g.size, base64.StdEncoding.EncodeToString(take(g.t)))
}

// saidAll wants that the pages have said all that the templates and handlers of a package
// can say, but for what the package's own tests have them say.
func (g *gallery) saidAll(dir string) {
	g.t.Helper()
	said := strings.Join(strings.Fields(g.said.String()), " ")
	want := map[string]string{}
	var asserted []string // parts of what tests want
	files, err := filepath.Glob(dir + "/*.go")
	templates, _ := filepath.Glob(dir + "/templates/*")
	for _, name := range append(files, templates...) {
		content, failed := os.ReadFile(name)
		err = errors.Join(err, failed)
		if !strings.HasSuffix(name, ".go") {
			for text := range strings.SplitSeq(markup.ReplaceAllString(string(content), "\x00"), "\x00") {
				if text = strings.Join(strings.Fields(html.UnescapeString(text)), " "); words.MatchString(text) {
					want[text] = name
				}
			}
			continue
		}
		file, failed := parser.ParseFile(token.NewFileSet(), name, content, parser.SkipObjectResolution)
		err = errors.Join(err, failed)
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, _ := strconv.Unquote(literal.Value)
			const telling = 12
			switch {
			case strings.HasSuffix(name, "_test.go") && len(text) >= telling:
				asserted = append(asserted, text)
			case !strings.HasSuffix(name, "_test.go") && sentence.MatchString(text):
				want[strings.TrimSpace(text)] = name
			}
			return true
		})
	}
	if err != nil || len(want) < 100 {
		g.t.Fatalf("read what %s says: %d texts, %v", dir, len(want), err)
	}
	for text, where := range want {
		if !strings.Contains(said, text) && !slices.ContainsFunc(asserted, func(part string) bool { return strings.Contains(text, part) || strings.Contains(part, text) }) {
			g.t.Errorf("no state says %q, of %s", text, filepath.Base(where))
		}
	}
}

var (
	markup   = regexp.MustCompile(`(?s)\{\{define "body-class"\}\}.*?\}\}|\{\{.*?\}\}|<[^>]*>`)
	words    = regexp.MustCompile(`^\pL+ .*\pL{3}`)
	sentence = regexp.MustCompile(`^[A-Z]\w*( [^ %<]+){5,}`)
)

// hang puts all states on one sheet: each before its action and after.
func (g *gallery) hang(site *harness.Site, name string, columns int) {
	if !pictures() {
		return
	}
	width := columns * (2*g.size + 34)
	site.Pages["/sheet"] = fmt.Sprintf(`<style>body{font:14px system-ui;display:grid;grid-template-columns:repeat(%d,%dpx);gap:18px;margin:16px;align-items:start}
		figure{margin:0;padding-block-start:6px;border-top:2px solid #345}figcaption{margin-block-end:4px}img{border:1px solid #999;vertical-align:top;margin-inline-end:6px}</style>`, columns, 2*g.size+16) + strings.Join(g.rows, "")
	g.tab.Dark(g.t, false)
	g.tab.Wide(g.t, width+32)
	g.tab.Open(g.t, site.URL+"/sheet")
	g.tab.Shoot(g.t, name)
}
