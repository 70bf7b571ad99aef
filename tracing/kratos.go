package tracing

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// KratosCall begins the span of a request to Kratos; the function that it returns
// ends it.
func (t *Tracer) KratosCall(ctx context.Context, operation string) (context.Context, func(error)) {
	return t.child(ctx, "kratos "+operation, trace.WithSpanKind(trace.SpanKindClient))
}

// Propagate puts the trace into the requests that go through a transport.
func (t *Tracer) Propagate(through http.RoundTripper) http.RoundTripper {
	return propagator{through, t}
}

type propagator struct {
	http.RoundTripper
	tracer *Tracer
}

// RoundTrip implements http.RoundTripper, which must not change what it is given.
func (p propagator) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if trace.SpanContextFromContext(ctx).IsValid() {
		req = req.Clone(ctx)
		p.tracer.wire.Inject(ctx, propagation.HeaderCarrier(req.Header))
	}
	return p.RoundTripper.RoundTrip(req)
}

// CloseIdleConnections passes on what http.Client asks for.
func (p propagator) CloseIdleConnections() {
	if closer, ok := p.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}
