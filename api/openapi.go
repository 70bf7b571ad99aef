// Package api is the document that describes all routes of both listeners,
// for people and for programs: OpenAPI 3.1 as YAML. The tests hold it against the
// routes and against what they answer.
package api

import (
	"crypto/sha256"
	_ "embed" // for the document
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// Path is where the document is on both listeners.
const Path = "/openapi.yaml"

//go:embed openapi.yaml
var document []byte

// Mount adds the route of the document, which is open to all.
func Mount(r gin.IRouter) {
	sum := sha256.Sum256(document)
	version := `"` + base64.RawURLEncoding.EncodeToString(sum[:9]) + `"`
	r.GET(Path, func(c *gin.Context) {
		c.Header("ETag", version)
		c.Header("Cache-Control", "public, max-age=300")
		// A version has no quotes or commas inside, so a list may be searched as it is.
		if known := c.GetHeader("If-None-Match"); known == "*" || strings.Contains(known, version) {
			c.Status(http.StatusNotModified)
			return
		}
		c.Data(http.StatusOK, "application/yaml", document)
	})
}
