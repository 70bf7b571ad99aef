package portal

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
)

//go:embed assets
var assets embed.FS

//go:embed templates
var templates embed.FS

// pages are the templates by name, each within the layout.
type pages map[string]*template.Template

func parsePages() (pages, error) {
	names, err := fs.Glob(templates, "templates/page-*.gohtml")
	if err != nil {
		return nil, fmt.Errorf("portal: find templates: %w", err)
	}
	found := pages{}
	for _, name := range names {
		page, err := template.ParseFS(templates, "templates/layout.gohtml", name)
		if err != nil {
			return nil, fmt.Errorf("portal: read template: %w", err)
		}
		found[strings.TrimSuffix(strings.TrimPrefix(path.Base(name), "page-"), ".gohtml")] = page
	}
	return found, nil
}

// show renders a page by its name.
func (p pages) show(c *gin.Context, status int, name string, data any) {
	show(c, status, p[name], data)
}

// show renders a page whole before the first byte of it is sent.
func show(c *gin.Context, status int, page *template.Template, data any) {
	var out bytes.Buffer
	if err := page.Execute(&out, data); err != nil {
		http.Error(c.Writer, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	c.Data(status, "text/html; charset=utf-8", out.Bytes())
}

// contentPolicy says what a handler's pages may do beyond showing themselves.
type contentPolicy struct {
	Forms   string // where forms may go to
	Connect string // what scripts may load
}

func (p contentPolicy) String() string {
	return fmt.Sprintf("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
		"connect-src %s; form-action %s; base-uri 'none'; frame-ancestors 'none'", orNone(p.Connect), orNone(p.Forms))
}

func orNone(sources string) string {
	if sources == "" {
		return "'none'"
	}
	return sources
}

// newEngine returns an engine whose answers carry the policy and are not kept.
func newEngine(policy contentPolicy) *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(func(c *gin.Context) {
		header := c.Writer.Header()
		header.Set("Content-Security-Policy", policy.String())
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
	})
	return engine
}

// serveAssets adds a route for each asset, and so none for their folder.
func serveAssets(engine *gin.Engine) error {
	names, err := fs.Glob(assets, "assets/*")
	if err != nil {
		return fmt.Errorf("portal: find assets: %w", err)
	}
	for _, name := range names {
		engine.GET("/"+name, func(c *gin.Context) {
			http.ServeFileFS(c.Writer, c.Request, assets, name)
		})
	}
	return nil
}
