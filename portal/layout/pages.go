package layout

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/web"
)

//go:embed templates/layout.gohtml
var layout embed.FS

// Frame is what every page shows around its content; a page's data embeds it.
type Frame struct {
	Title   string
	Product string
	Tag     string // small, beside the product; blank for none
	Home    string // where the product's name leads; blank for nowhere
	Logo    string // address of a picture; blank for none
	Lang    string // BCP 47
	Dir     string // ltr or rtl
	// Refresh is after how many seconds the page loads itself again where there are
	// no scripts, which do it with more tact; 0 for never.
	Refresh int
	Notice  Notice
}

// Notice tells how something went; Kind is info, success, warning or error.
type Notice struct{ Kind, Text string }

// Options say what a set of pages is made of.
type Options struct {
	// Base is the address of the folder that assets are below, with its slash;
	// blank for the folder of the page itself.
	Base string
	// Files holds templates/page-NAME.gohtml, each of which defines the layout's
	// blocks that it fills, templates/part-NAME.gohtml, which all of them may use,
	// and assets/.
	Files fs.FS
	// Funcs are functions for the templates, beside asset.
	Funcs template.FuncMap
}

// Pages are templates by name, each within the layout, and their assets.
type Pages struct {
	*Assets
	byName map[string]*template.Template
}

// New reads pages.
func New(o Options) (*Pages, error) {
	assets, err := newAssets(o.Base, o.Files)
	if err != nil {
		return nil, fmt.Errorf("layout: %w", err)
	}
	common, err := template.New("layout.gohtml").Funcs(template.FuncMap{"asset": assets.Address}).Funcs(o.Funcs).
		ParseFS(layout, "templates/layout.gohtml")
	if err != nil {
		return nil, fmt.Errorf("layout: read layout: %w", err)
	}
	parts, err := fs.Glob(o.Files, "templates/part-*.gohtml")
	if err == nil && len(parts) > 0 {
		common, err = common.ParseFS(o.Files, parts...)
	}
	if err != nil {
		return nil, fmt.Errorf("layout: read parts: %w", err)
	}
	names, err := fs.Glob(o.Files, "templates/page-*.gohtml")
	if err != nil {
		return nil, fmt.Errorf("layout: find templates: %w", err)
	}
	pages := &Pages{assets, map[string]*template.Template{}}
	for _, name := range names {
		page, err := template.Must(common.Clone()).ParseFS(o.Files, name)
		if err != nil {
			return nil, fmt.Errorf("layout: read template: %w", err)
		}
		pages.byName[strings.TrimSuffix(strings.TrimPrefix(path.Base(name), "page-"), ".gohtml")] = page
	}
	return pages, nil
}

// Must is for pages that are embedded: a fault in them is one of the program,
// which its first test shows.
func Must(pages *Pages, err error) *Pages {
	if err != nil {
		panic(err)
	}
	return pages
}

// Show renders a page whole before the first byte of it is sent. A page that
// cannot be rendered is a plain 500, and the error is among gin's. What is away says
// when to try again (RFC 9110, section 10.2.3).
func (p *Pages) Show(c *gin.Context, status int, name string, data any) {
	if web.HungUp(c, nil) {
		web.AnswerNobody(c)
		return
	}
	page, ok := p.byName[name]
	if !ok {
		_ = c.Error(fmt.Errorf("layout: no page is named %s", name))
		c.String(http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError))
		return
	}
	var out bytes.Buffer
	if err := page.Execute(&out, data); err != nil {
		_ = c.Error(fmt.Errorf("layout: render %s: %w", name, err))
		c.String(http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError))
		return
	}
	if status == http.StatusServiceUnavailable {
		c.Header("Retry-After", web.RetryOutage)
	}
	c.Data(status, "text/html; charset=utf-8", out.Bytes())
}
