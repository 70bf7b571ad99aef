// Package docs_test holds the documents to what they speak of: links lead
// somewhere, examples are read by what they are for, commands are run.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// document is a Markdown file.
type document struct {
	name     string // from the root of the project
	blocks   []block
	links    []string
	headings []string // as written
	anchors  map[string]bool
}

// block is a fenced block: its language, what else its first line says, its text.
type block struct {
	language   string
	attributes map[string]string
	text       string
	line       int
}

// documents reads all Markdown files of the project.
func documents(t *testing.T) []document {
	t.Helper()
	var all []document
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (entry.Name() == ".cache" || entry.Name() == ".git" || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if err == nil && strings.HasSuffix(name, ".md") {
			all = append(all, read(t, name))
		}
		return err
	})
	if err != nil || len(all) < 20 {
		t.Fatalf("only %d documents were found: %v", len(all), err)
	}
	return all
}

var attribute = regexp.MustCompile(`([a-z]+)="([^"]*)"`)

func read(t *testing.T, name string) document {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	d := document{name: strings.TrimPrefix(filepath.ToSlash(name), "../"), anchors: map[string]bool{}}
	tree := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	err = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			d.headings = append(d.headings, plain(n, source))
			d.anchors[slug(plain(n, source))] = true
		case *ast.Link:
			d.links = append(d.links, string(n.Destination))
		case *ast.Image:
			d.links = append(d.links, string(n.Destination))
		case *ast.RawHTML:
			d.links = append(d.links, sources(string(n.Segments.Value(source)))...)
		case *ast.FencedCodeBlock:
			d.blocks = append(d.blocks, fenced(n, source))
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func fenced(n *ast.FencedCodeBlock, source []byte) block {
	b := block{language: string(n.Language(source)), attributes: map[string]string{}, text: string(n.Lines().Value(source))}
	if n.Info != nil {
		for _, pair := range attribute.FindAllStringSubmatch(string(n.Info.Segment.Value(source)), -1) {
			b.attributes[pair[1]] = pair[2]
		}
	}
	if n.Lines().Len() > 0 {
		b.line = strings.Count(string(source[:n.Lines().At(0).Start]), "\n")
	}
	return b
}

var picture = regexp.MustCompile(`(?:src|href)="([^"]+)"`)

func sources(html string) []string {
	var found []string
	for _, match := range picture.FindAllStringSubmatch(html, -1) {
		found = append(found, match[1])
	}
	return found
}

// plain is the text of a heading, without its marks.
func plain(n ast.Node, source []byte) string {
	var out strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if leaf, ok := c.(*ast.Text); ok {
			out.Write(leaf.Segment.Value(source))
		} else {
			out.WriteString(plain(c, source))
		}
	}
	return out.String()
}

// slug is the anchor that GitHub gives a heading.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}
