package scimbridge

import (
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/scim"
)

var (
	errNoSchema = &scim.Error{Status: http.StatusNotFound, Detail: "there is no such schema or resource type"}
	errNoFilter = &scim.Error{Status: http.StatusForbidden, Detail: "what the service can do is not filtered"}
)

// discovery adds the routes by which clients find out what the service can do
// (RFC 7644, section 4). They tell nothing of users, and need no credentials.
func (h handlers) discovery(r gin.IRouter) {
	r.GET("/ServiceProviderConfig", h.unfiltered(h.config))
	r.GET("/ResourceTypes", h.unfiltered(func(c *gin.Context) error {
		var all []any
		for _, r := range h.resources() {
			all = append(all, r.Document(h.url()))
		}
		answer(c, http.StatusOK, newList(len(all), 1, all))
		return nil
	}))
	r.GET("/ResourceTypes/:name", h.unfiltered(func(c *gin.Context) error {
		for _, r := range h.resources() {
			if strings.EqualFold(c.Param("name"), r.Name) {
				answer(c, http.StatusOK, r.Document(h.url()))
				return nil
			}
		}
		return errNoSchema
	}))
	r.GET("/Schemas", h.unfiltered(func(c *gin.Context) error {
		var all []any
		for _, r := range h.resources() {
			for _, s := range r.Listed() {
				all = append(all, s.Document(h.url()))
			}
		}
		answer(c, http.StatusOK, newList(len(all), 1, all))
		return nil
	}))
	r.GET("/Schemas/:urn", h.unfiltered(func(c *gin.Context) error {
		for _, r := range h.resources() {
			if s, ok := r.Schema(c.Param("urn")); ok && !s.Unlisted {
				answer(c, http.StatusOK, s.Document(h.url()))
				return nil
			}
		}
		return errNoSchema
	}))
}

// unfiltered refuses a filter, as RFC 7644, section 4 asks for.
func (h handlers) unfiltered(do func(*gin.Context) error) gin.HandlerFunc {
	return h.on(func(c *gin.Context) error {
		if c.Request.URL.Query().Has("filter") {
			return errNoFilter
		}
		return do(c)
	})
}

func (h handlers) config(c *gin.Context) error {
	config := scim.NewServiceProviderConfig(h.url())
	config.Bulk = scim.BulkSupport{Supported: true, MaxOperations: h.BulkOperations, MaxPayloadSize: h.BulkBytes}
	config.Filter = scim.FilterSupport{Supported: true, MaxResults: h.MaxResults}
	config.Pagination = &scim.PaginationSupport{
		Cursor: true, Index: true, Default: "index", DefaultPageSize: h.DefaultResults, MaxPageSize: h.MaxResults,
		CursorTimeout: int(h.CursorTimeout / time.Second),
	}
	config.ChangePassword, config.Sort, config.ETag = scim.Supported{Supported: true}, scim.Supported{Supported: true}, scim.Supported{Supported: true}
	config.Authentication = []scim.AuthenticationScheme{
		{
			Type: "oauthbearertoken", Name: "Bearer token", Primary: true, SpecURI: "https://www.rfc-editor.org/rfc/rfc6750",
			Description: "A token of `holdline token create`, or a user's own session token.",
		},
		{
			Type: "httpbasic", Name: "HTTP Basic", SpecURI: "https://www.rfc-editor.org/rfc/rfc7617",
			Description: "A user's own name and password, for /Me.",
		},
	}
	answer(c, http.StatusOK, config)
	return nil
}
