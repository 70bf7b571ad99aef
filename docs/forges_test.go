package docs_test

import (
	"encoding/xml"
	"image"
	_ "image/png" // pictures are PNG, or SVG
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// GitHub, GitLab and Gitea all read CommonMark with GitHub's tables, and differ in
// what they make of slips: fences that do not end, rows of another length than
// their head, HTML of one's own, anchors. So there are none.
func TestTheDocumentsRenderOnEveryForge(t *testing.T) {
	for _, d := range documents(t) {
		t.Run(strings.ReplaceAll(d.name, "/", "_"), func(t *testing.T) {
			source, err := os.ReadFile("../" + d.name)
			if err != nil {
				t.Fatal(err)
			}
			fences, tables := marks(t, source)
			tree := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
			titles := 0
			err = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
				if !entering {
					return ast.WalkContinue, nil
				}
				switch n := n.(type) {
				case *ast.FencedCodeBlock:
					fences--
				case *extast.Table:
					tables--
				case *ast.Heading:
					if n.Level == 1 {
						titles++
					}
				case *ast.RawHTML:
					html(t, d.name, string(n.Segments.Value(source)))
				case *ast.HTMLBlock:
					html(t, d.name, string(n.Lines().Value(source)))
				case *ast.Image:
					if len(plain(n, source)) < 20 {
						t.Errorf("%s has no words for who does not see it", n.Destination)
					}
					pictured(t, d.name, string(n.Destination))
				}
				return ast.WalkContinue, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if fences != 0 || tables != 0 {
				t.Errorf("%d fences and %d tables look like ones and are none", fences, tables)
			}
			if titles != 1 && d.name != ".github/pull_request_template.md" {
				t.Errorf("%d titles", titles)
			}
		})
	}
}

var (
	fence = regexp.MustCompile("^ *(```+|~~~+)(.*)$")
	cell  = regexp.MustCompile(`(?:\\.|[^|\\])*\|`)
)

// marks counts what is meant as a fenced block or as a table, line by line.
func marks(t *testing.T, source []byte) (fences, tables int) {
	t.Helper()
	open, columns := "", 0
	for number, line := range strings.Split(string(source), "\n") {
		found := fence.FindStringSubmatch(line)
		switch {
		case open != "" && found != nil && found[2] == "" && strings.HasPrefix(found[1], open):
			open = ""
			continue
		case open == "" && found != nil:
			if strings.ContainsAny(found[2], "`") {
				t.Errorf("line %d: a fence with a backtick behind it is none", number+1)
			}
			open = found[1]
			fences++
		}
		row := strings.TrimSpace(line)
		if open != "" || !strings.HasPrefix(row, "|") {
			columns = 0
			continue
		}
		cells := len(cell.FindAllString(row[1:], -1))
		if columns == 0 {
			columns = cells
			tables++
		}
		if cells != columns || !strings.HasSuffix(row, "|") {
			t.Errorf("line %d: %d cells under a head of %d", number+1, cells, columns)
		}
	}
	if open != "" {
		t.Error("a fence does not end")
	}
	return fences, tables
}

var (
	tag         = regexp.MustCompile(`^<(!--|br|img|/?[a-z]+)`)
	description = regexp.MustCompile(`\balt="[^"]{20,}"`)
)

// html passes what forges leave in: comments, line ends in tables, pictures.
func html(t *testing.T, name, text string) {
	t.Helper()
	switch found := tag.FindString(text); found {
	case "<!--", "<br":
	case "<img":
		if !description.MatchString(text) {
			t.Errorf("%s has no words for who does not see it", text)
		}
		for _, source := range sources(text) {
			pictured(t, name, source)
		}
	default:
		t.Errorf("%q is HTML, or should be code", text)
	}
}

// pictured checks that a document's picture is one of the project's own.
func pictured(t *testing.T, name, source string) {
	t.Helper()
	file, err := os.Open(filepath.Join("..", path.Dir(name), source))
	if err != nil {
		t.Error(err)
		return
	}
	defer file.Close()
	if path.Ext(source) == ".svg" {
		var drawn struct {
			XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
			ViewBox string   `xml:"viewBox,attr"`
			Scripts []string `xml:"script"` // forges leave out the whole picture
		}
		if err := xml.NewDecoder(file).Decode(&drawn); err != nil || drawn.ViewBox == "" || len(drawn.Scripts) > 0 {
			t.Errorf("%s is %+v: %v", source, drawn, err)
		}
		return
	}
	if size, _, err := image.DecodeConfig(file); err != nil || size.Width < 200 {
		t.Errorf("%s is %v: %v", source, size, err)
	}
}

// What a link leads to has the same anchor everywhere.
func TestAnchorsAreTheSameOnEveryForge(t *testing.T) {
	headings := map[string]map[string]int{} // by document: how often a heading is there
	all := documents(t)
	for _, d := range all {
		headings[d.name] = map[string]int{}
		for _, h := range d.headings {
			headings[d.name][h]++
		}
	}
	seen := 0
	for _, d := range all {
		for _, link := range d.links {
			to, err := url.Parse(link)
			if err != nil || to.Scheme != "" || to.Fragment == "" {
				continue
			}
			target := d.name
			if to.Path != "" {
				target = path.Join(path.Dir(d.name), to.Path)
			}
			for heading, times := range headings[target] {
				if slug(heading) != to.Fragment {
					continue
				}
				seen++
				if lab, tea := onGitLab(heading), onGitea(heading); times > 1 || lab != to.Fragment || tea != to.Fragment {
					t.Errorf("%s: %s is %d times there, GitLab's is #%s, Gitea's #%s", d.name, link, times, lab, tea)
				}
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d anchors were seen", seen)
	}
}

var hyphens = regexp.MustCompile("-+")

// onGitLab is GitLab's anchor: as GitHub's, with hyphens in a row made one.
func onGitLab(heading string) string { return hyphens.ReplaceAllString(slug(heading), "-") }

// onGitea is Gitea's: whatever is between letters, digits and _ is one hyphen.
func onGitea(heading string) string {
	words := strings.FieldsFunc(heading, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.ToLower(strings.Join(words, "-"))
}

// The README's steps are lines of getting-started.md, where they are run.
func TestTheReadmesStepsAreThoseThatAreRun(t *testing.T) {
	run := ""
	for _, b := range read(t, "getting-started.md").blocks {
		run += b.text
	}
	seen := 0
	for _, b := range read(t, "../README.md").blocks {
		if b.language != "sh" || !strings.Contains(b.attributes["skip"], "getting-started") {
			continue
		}
		for line := range strings.Lines(b.text) {
			seen++
			if !strings.Contains(run, strings.TrimSpace(line)) {
				t.Errorf("nobody runs %s", line)
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d steps were seen", seen)
	}
}
