package layout

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

//go:embed assets
var shared embed.FS

// Assets are small files that pages load, each under a name that changes with
// its content, so that browsers may keep it for ever.
type Assets struct {
	base  string
	files map[string]asset
}

type asset struct {
	content []byte
	kind    string
	version string
	zipped  bool // content is compressed by gzip
}

// newAssets returns the shared assets and those of folders, which may replace
// them. The base is the address of the folder above assets/ as pages name it.
func newAssets(base string, folders ...fs.FS) (*Assets, error) {
	a := &Assets{base: base, files: map[string]asset{}}
	for _, folder := range append([]fs.FS{shared}, folders...) {
		names, err := fs.Glob(folder, "assets/*")
		if err != nil {
			return nil, fmt.Errorf("find assets: %w", err)
		}
		for _, name := range names {
			content, err := fs.ReadFile(folder, name)
			if err != nil {
				return nil, fmt.Errorf("read asset: %w", err)
			}
			a.Add(path.Base(name), content)
		}
	}
	return a, nil
}

// Add adds a file that is made at the start, such as an operator's logo.
func (a *Assets) Add(name string, content []byte) {
	a.add(name, content, false)
}

// AddZipped adds a file that is compressed by gzip, and sent so to browsers that take
// it, as all do.
func (a *Assets) AddZipped(name string, content []byte) { a.add(name, content, true) }

func (a *Assets) add(name string, content []byte, zipped bool) {
	sum := sha256.Sum256(content)
	a.files[name] = asset{content, mime.TypeByExtension(path.Ext(name)), base64.RawURLEncoding.EncodeToString(sum[:9]), zipped}
}

// Content returns a file's content as it was added; nil if there is none.
func (a *Assets) Content(name string) []byte { return a.files[name].content }

// Address returns the address of an asset. The error is about a name that no
// asset has: a mistake in a template, which its first test shows.
func (a *Assets) Address(name string) (string, error) {
	file, ok := a.files[name]
	if !ok {
		return "", fmt.Errorf("no asset is named %s", name)
	}
	return a.base + "assets/" + name + "?v=" + file.version, nil
}

// Mount adds a route assets/:name below the routes' own path.
func (a *Assets) Mount(routes gin.IRoutes) {
	routes.GET("/assets/:name", func(c *gin.Context) {
		name := c.Param("name")
		file, ok := a.files[name]
		if !ok {
			c.AbortWithStatus(http.StatusNotFound)
			return
		}
		if c.Query("v") == file.version {
			c.Header("Cache-Control", "public, max-age=31536000, immutable")
		}
		if file.kind != "" {
			c.Header("Content-Type", file.kind)
		}
		content := file.content
		if file.zipped {
			c.Header("Vary", "Accept-Encoding")
			if strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
				c.Header("Content-Encoding", "gzip")
			} else if content = unzipped(content); content == nil {
				c.AbortWithStatus(http.StatusInternalServerError)
				return
			}
		}
		http.ServeContent(c.Writer, c.Request, name, time.Time{}, bytes.NewReader(content))
	})
}

// unzipped returns what was compressed; nil if it cannot be read.
func unzipped(content []byte) []byte {
	reader, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		return nil
	}
	return plain
}
