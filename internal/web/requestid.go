package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"

	"github.com/gin-gonic/gin"
)

const requestIDHeader = "X-Request-Id"

var (
	usableID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	errPanic = errors.New("web: handler panicked")
)

type requestIDKey struct{}

// RequestID returns the id of the request that ctx belongs to, or nothing.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// requestID takes the caller's request id, or makes one.
func (s *Server) requestID(c *gin.Context) {
	id := c.GetHeader(requestIDHeader)
	if !usableID.MatchString(id) {
		id = s.NewID()
	}
	c.Header(requestIDHeader, id)
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), requestIDKey{}, id))
	c.Next()
}

// typeName says what kind of value a panic had, without the value.
func typeName(v any) string { return fmt.Sprintf("%T", v) }

// LogHandler adds the request id to the lines of a [slog.Handler].
type LogHandler struct{ slog.Handler }

// Handle adds the request id of ctx.
func (h LogHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the request id working below it.
func (h LogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return LogHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the request id working below it.
func (h LogHandler) WithGroup(name string) slog.Handler {
	return LogHandler{h.Handler.WithGroup(name)}
}
