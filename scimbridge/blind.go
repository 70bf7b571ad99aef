package scimbridge

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/patch"
	"github.com/holdline/holdline/internal/scim/users"
)

// A client whose token lacks scim:read learns nothing of what is stored: it is not
// answered with the resource or its version, and may not ask by a condition.

var (
	errBlindVersion = &scim.Error{Status: http.StatusForbidden, Detail: "a condition on a version needs the scope scim:read"}
	errBlindPath    = &scim.Error{Status: http.StatusForbidden, Detail: "a path that filters by more than type or primary needs the scope scim:read"}
)

// created answers with nothing of a new resource but where it is, which a client must
// know that made it.
func (h handlers) created(c *gin.Context, r scim.Resource, id string) {
	at := h.locationOf(r, id)
	c.Header("Location", at)
	answer(c, http.StatusCreated, map[string]any{
		"schemas": []string{r.Core.ID}, "id": id,
		"meta": map[string]any{"resourceType": r.Name, "location": at},
	})
}

// blindly refuses a condition of a client that may not read: a version is a digest of
// the content, and by trying versions the content is found.
func blindly(by users.By, condition string) error {
	if !by.Blind || condition == "" || strings.TrimSpace(condition) == "*" {
		return nil
	}
	return errBlindVersion
}

// kindOnly is a filter in a path that tells elements apart by their kind alone.
var kindOnly = regexp.MustCompile(`(?i)^\s*(type\s+eq\s+"[^"]*"|primary\s+eq\s+(true|false|"true"|"false"))\s*$`)

// blindPaths refuses paths that choose elements by their content, for a client that
// may not read: whether one was found would tell what is there.
func blindPaths(by users.By, request patch.Request) error {
	if !by.Blind {
		return nil
	}
	for _, o := range request.Operations {
		paths := append(memberNames(o.Value), o.Path)
		for _, path := range paths {
			_, inner, found := strings.Cut(path, "[")
			if end := strings.LastIndex(inner, "]"); found && (end < 0 || !kindOnly.MatchString(inner[:end])) {
				return errBlindPath
			}
		}
	}
	return nil
}

// memberNames are those of all members within a value: without a path they are paths.
func memberNames(value any) []string {
	var found []string
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			found = append(found, memberNames(element)...)
		}
	case map[string]any:
		for name, member := range value {
			found = append(append(found, name), memberNames(member)...)
		}
	}
	return found
}
