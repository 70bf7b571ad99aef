package web

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/audit"
)

// actorKey is where a request keeps who was found to make it.
type actorKey struct{}

// SetActor notes who makes a request, for the access log: a kind, and an identity's id
// or a client's name, which say nothing more of a person.
func (s *Server) SetActor(c *gin.Context, kind audit.ActorKind, id string) {
	if s.AccessLog {
		c.Set(actorKey{}, audit.Actor{Kind: kind, ID: id})
	}
}

// access writes one line for each request, with the route and not the path, which
// may hold what a client typed. The other members are fixed as well: no query, no
// header and no address.
func (s *Server) access(c *gin.Context) {
	began := s.MonotonicNow()
	c.Next()
	line := []slog.Attr{
		slog.String("method", Method(c.Request.Method)), slog.String("route", c.FullPath()), slog.Int("status", c.Writer.Status()),
		slog.Float64("duration_seconds", s.MonotonicNow().Sub(began).Round(time.Microsecond).Seconds()),
	}
	if known, _ := c.Get(actorKey{}); known != nil {
		who, _ := known.(audit.Actor)
		line = append(line, slog.String("actor", string(who.Kind)))
		if who.ID != "" {
			line = append(line, slog.String("actor_id", who.ID))
		}
	}
	s.Log.LogAttrs(c.Request.Context(), slog.LevelInfo, "request", line...)
}

// Method returns a request's method if RFC 9110 or RFC 5789 knows it, and "other"
// for what a client has made up.
func Method(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	default:
		return "other"
	}
}
