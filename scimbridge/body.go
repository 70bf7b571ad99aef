package scimbridge

import (
	"errors"
	"fmt"
	"mime"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/web"
)

// read reads a request's one JSON object.
func read(c *gin.Context, limit int) (map[string]any, error) {
	kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || kind != "application/scim+json" && kind != "application/json" {
		return nil, &scim.Error{
			Status: http.StatusUnsupportedMediaType, Detail: "the content type must be application/scim+json or application/json",
		}
	}
	body, err := web.ReadBody(c.Writer, c.Request, int64(limit))
	if errors.Is(err, web.ErrTooLarge) {
		return nil, &scim.Error{
			Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("the body is longer than %d bytes", limit),
		}
	}
	if err != nil {
		return nil, err
	}
	return scim.ReadJSON(body, limit)
}
