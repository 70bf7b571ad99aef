package scimbridge

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/users"
)

// answer writes SCIM's JSON (RFC 7644, section 3.1).
func answer(c *gin.Context, status int, body any) {
	c.Header("Cache-Control", "no-store")
	text, err := json.Marshal(body)
	if err != nil { // what came from JSON goes back to it
		status, text = http.StatusInternalServerError, []byte(`{}`)
	}
	c.Data(status, contentType(c), text)
}

func contentType(c *gin.Context) string {
	kind := "application/scim+json"
	if accept := c.GetHeader("Accept"); strings.Contains(accept, "application/json") && !strings.Contains(accept, "scim") {
		kind = "application/json"
	}
	return kind + "; charset=utf-8"
}

// empty answers without a body.
func empty(c *gin.Context, status int) {
	c.Header("Cache-Control", "no-store")
	c.Status(status)
	c.Writer.WriteHeaderNow()
}

// answerUser answers with one user.
func (h handlers) answerUser(c *gin.Context, status int, user users.User, shown scim.Projection) error {
	if err := h.withGroups(c.Request.Context(), shown, &user); err != nil {
		return err
	}
	h.answer(c, status, user, shown)
	return nil
}

// answer answers with a user who is complete.
func (h handlers) answer(c *gin.Context, status int, user users.User, shown scim.Projection) {
	c.Header("ETag", etag(user.Version))
	c.Header("Location", h.location(user.ID))
	answer(c, status, shown.Apply(h.present(user)))
}

// present completes a document with what depends on the service's URL.
func (h handlers) present(user users.User) map[string]any {
	meta, _ := user.Document["meta"].(map[string]any)
	if meta == nil {
		meta = map[string]any{}
		user.Document["meta"] = meta
	}
	meta["location"], meta["version"] = h.location(user.ID), etag(user.Version)
	return user.Document
}

// etag is weak, because one version has several representations (RFC 7644, section
// 3.14).
func etag(version string) string { return `W/"` + version + `"` }
