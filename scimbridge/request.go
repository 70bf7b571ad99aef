package scimbridge

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/users"
	"github.com/holdline/holdline/internal/web"
)

// bodyFor reads the body of a request for one user, and what of the user its
// answer shows.
func (h handlers) bodyFor(c *gin.Context) (map[string]any, scim.Projection, error) {
	shown, err := h.projection(c)
	if err != nil {
		return nil, shown, err
	}
	body, err := read(c, MaxBody)
	return body, shown, err
}

// projection reads which attributes a request wants to see.
func (h handlers) projection(c *gin.Context) (scim.Projection, error) {
	query := c.Request.URL.Query()
	return h.Resource.Projection(names(query, "attributes"), names(query, "excludedAttributes"))
}

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

// ifMatch reads an If-Match header, or the version of a bulk operation.
func ifMatch(header string) users.Wants {
	if header == "" {
		return nil
	}
	return func(version string) bool { return lists(withoutGroups.ReplaceAllString(header, ""), version) }
}

// withoutGroups is what a version says of a user's groups, which no change of the user
// depends on.
var withoutGroups = regexp.MustCompile(`\.[\w-]+`)

// lists reports whether a header such as If-Match lists a version, or any by *.
func lists(header, version string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || strings.Trim(tag, `"`) == version {
			return true
		}
	}
	return false
}

// all returns the lines of a header that may have several.
func all(c *gin.Context, name string) string { return strings.Join(c.Request.Header.Values(name), ",") }
