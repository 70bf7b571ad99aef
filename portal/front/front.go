// Package front holds what both listeners have at their door: the first page, the
// reference of the API, the icon, and the page that shows browsers what went wrong.
package front

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui/v5/static"

	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/portal/layout"
)

//go:embed templates assets
var files embed.FS

// Options say what a listener's door shows.
type Options struct {
	// Base is the path of the listener's root as browsers see it, with its slash.
	Base string
	// Product is the name on the pages, and Release the version.
	Product, Release string
	// Links lead to the listener's own pages.
	Links []Link
}

// Link leads to a page.
type Link struct {
	Name    string `json:"name"`
	Address string `json:"address"` // relative to the root
	About   string `json:"about"`
}

// path is where the files of the pages are, below the root.
const path = "front"

// Front is the door of a listener.
type Front struct {
	Options
	pages *layout.Pages
}

// New reads the pages. The reference is drawn by Swagger UI, whose files are part of
// the program: nothing is loaded from elsewhere.
func New(o Options) (*Front, error) {
	pages, err := layout.New(layout.Options{Base: o.Base + path + "/", Files: files})
	if err != nil {
		return nil, err
	}
	for from, name := range map[string]string{"swagger-ui-bundle.js.gz": "swagger-ui.js", "swagger-ui.css.gz": "swagger-ui.css"} {
		content, err := fs.ReadFile(static.FS, from)
		if err != nil {
			return nil, fmt.Errorf("front: read Swagger UI: %w", err)
		}
		pages.AddZipped(name, content)
	}
	return &Front{o, pages}, nil
}

type rootPage struct {
	layout.Frame
	Release string
	Links   []Link
}

type referencePage struct {
	layout.Frame
	Document string
}

type problemPage struct {
	layout.Frame
	Root string
	web.Problem
	RequestID string
}

// Mount adds the pages.
func (f *Front) Mount(r gin.IRouter) {
	f.pages.Mount(r.Group("/"+path, layout.Guard(layout.Policy{})))
	r.GET("/", layout.Guard(layout.Policy{}), f.root)
	r.GET("/docs", layout.Guard(layout.Policy{Connect: "'self'", InlineImages: true}), f.reference)
	r.GET("/favicon.ico", layout.Guard(layout.Policy{}), func(c *gin.Context) {
		c.Header("Cache-Control", "public, max-age=86400")
		c.Data(http.StatusOK, "image/svg+xml", f.pages.Content("icon.svg"))
	})
}

// index is the first page for programs.
type index struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Links   []Link `json:"links"`
}

func (f *Front) root(c *gin.Context) {
	c.Header("Vary", "Accept")
	if !web.WantsPage(c.Request) {
		c.JSON(http.StatusOK, index{"Holdline", f.Release, f.Links})
		return
	}
	f.pages.Show(c, http.StatusOK, "root", rootPage{f.frame("Holdline"), f.Release, f.Links})
}

func (f *Front) reference(c *gin.Context) {
	f.pages.Show(c, http.StatusOK, "reference", referencePage{f.frame("API reference"), f.Base + "openapi.yaml"})
}

// Problem shows what went wrong.
func (f *Front) Problem(c *gin.Context, p web.Problem) {
	layout.Guard(layout.Policy{})(c)
	f.pages.Show(c, p.Status, "problem", problemPage{f.frame(http.StatusText(p.Status)), f.Base, p, web.RequestID(c.Request.Context())})
}

func (f *Front) frame(title string) layout.Frame {
	return layout.Frame{Title: title, Product: f.Product, Lang: "en", Dir: "ltr"}
}
