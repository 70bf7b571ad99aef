package tracing

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Requests makes a span of each request of a listener. Where callers are trusted,
// it continues the trace that they name in traceparent (W3C Trace Context); else
// it begins one of its own that is linked to theirs. OpenTelemetry's own
// middleware would add paths and client addresses, which say too much here.
func (t *Tracer) Requests(trusted bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx := c.Request.Context()
		options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}
		caller := t.wire.Extract(ctx, propagation.HeaderCarrier(c.Request.Header))
		if trusted {
			ctx = caller
		} else if theirs := trace.SpanContextFromContext(caller); theirs.IsValid() {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: theirs}))
		}
		route := c.FullPath()
		name := c.Request.Method + " " + route
		if route == "" {
			name = "unmatched"
		}
		ctx, span := t.tracer.Start(ctx, name, options...)
		defer span.End()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
		if !span.IsRecording() {
			return
		}
		span.SetAttributes(attribute.Int("http.response.status_code", c.Writer.Status()))
		if route != "" {
			span.SetAttributes(attribute.String("http.route", route), attribute.String("http.request.method", c.Request.Method))
		}
		if c.Writer.Status() >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
	}
}
