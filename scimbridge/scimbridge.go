// Package scimbridge is a SCIM 2.0 service (RFC 7643, RFC 7644) over HTTP. What
// it answers with comes from scim/users and scim/groups; this package reads requests, proves who
// makes them, and writes answers and errors in SCIM's form. docs/scim.md says
// which parts of the RFCs it has.
package scimbridge

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/cursor"
	"github.com/holdline/holdline/internal/scim/patch"
	"github.com/holdline/holdline/internal/scim/users"
	"github.com/holdline/holdline/internal/web"
)

// Path is where the service is on its listener.
const Path = "/scim2"

// Users keep the resources. [users.Service] does.
type Users interface {
	Get(ctx context.Context, by users.By, id string) (users.User, error)
	List(ctx context.Context, by users.By, search users.Search) (users.Page, error)
	Create(ctx context.Context, by users.By, body map[string]any) (users.User, error)
	Replace(ctx context.Context, by users.By, id string, body map[string]any, wants users.Wants) (users.User, error)
	Patch(ctx context.Context, by users.By, id string, request patch.Request, wants users.Wants) (users.User, error)
	Delete(ctx context.Context, by users.By, id string, wants users.Wants) error
}

// Options say how the service answers.
type Options struct {
	Users    Users
	Groups   Groups
	Resource scim.Resource // users
	Mode     scim.Mode
	// BaseURL is that of the public listener, without a slash at its end.
	BaseURL string
	// MaxResults is how many users a list answers with at most, and DefaultResults
	// with if it is not asked for a count.
	MaxResults, DefaultResults int
	// Cursors seal where lists go on, and CursorTimeout is for how long.
	Cursors       *cursor.Ring
	CursorTimeout time.Duration
	// BulkOperations and BulkBytes bound a bulk request.
	BulkOperations, BulkBytes int
}

// MaxBody bounds the body of a request for one user, in bytes.
const MaxBody = 1 << 20

// New returns the service's handler, for all paths below [Path]. The server is its
// own: its errors get SCIM's form.
func New(server *web.Server, o Options) (http.Handler, error) {
	h := handlers{Options: o, group: scim.Group(), server: server}
	server.RenderError, server.Unbounded = h.fail, []string{Path + "/Bulk"}
	engine, err := server.Engine()
	if err != nil {
		return nil, err
	}
	r := engine.Group(Path)
	h.discovery(r)
	r.GET("/Users", h.on(h.list))
	r.POST("/Users", h.on(h.create))
	r.GET("/Users/:id", h.on(h.get))
	r.PUT("/Users/:id", h.change(h.Users.Replace))
	r.PATCH("/Users/:id", h.change(h.patch))
	r.DELETE("/Users/:id", h.on(h.remove))
	r.GET("/Me", h.on(h.get))
	r.PUT("/Me", h.change(h.Users.Replace))
	r.PATCH("/Me", h.change(h.patch))
	r.DELETE("/Me", h.on(h.remove))
	r.POST("/Me", h.on(func(*gin.Context) error { return errNoMe }))
	r.POST("/.search", h.on(h.searchAll))
	r.POST("/Users/.search", h.on(h.search))
	h.groupRoutes(r)
	r.POST("/Bulk", h.on(h.bulk))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Some clients are configured with a slash at the base URL's end.
		r.URL.Path = strings.TrimSuffix(strings.ReplaceAll(r.URL.Path, "//", "/"), "/")
		r.URL.RawPath = ""
		engine.ServeHTTP(w, r)
	}), nil
}

type handlers struct {
	Options
	group  scim.Resource
	server *web.Server
}

// on turns a function that may fail into a handler.
func (h handlers) on(do func(*gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := do(c); err != nil {
			h.fail(c, err)
		}
	}
}

// url is the service's URL.
func (h handlers) url() string { return h.BaseURL + Path }

// location is a user's URL.
func (h handlers) location(id string) string { return h.locationOf(h.Resource, id) }

func (h handlers) locationOf(r scim.Resource, id string) string {
	return h.url() + r.Endpoint + "/" + id
}

// resources are the types of resources that there are.
func (h handlers) resources() []scim.Resource { return []scim.Resource{h.Resource, h.group} }
