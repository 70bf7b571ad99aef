package tracing

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdline/holdline/smsgateway"
)

// gateway makes a span of each text that a provider is asked to send.
type gateway struct {
	smsgateway.Gateway
	id     string
	tracer *Tracer
}

// Gateway returns a gateway with spans, under the gateway's id. A text belongs to
// the trace of the request that asked for it, if that came to this process not
// long ago; else it begins a trace. The provider is told nothing of it: it is
// somebody else.
func (t *Tracer) Gateway(id string, of smsgateway.Gateway) smsgateway.Gateway {
	return gateway{of, id, t}
}

// Send implements [smsgateway.Gateway].
func (g gateway) Send(ctx context.Context, msg smsgateway.Message) (string, error) {
	if origin, known := g.tracer.origins.Get(msg.ID); known {
		ctx = trace.ContextWithSpanContext(ctx, origin)
	}
	ctx, span := g.tracer.tracer.Start(ctx, "gateway send", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("holdline.gateway", g.id), attribute.String("holdline.text.id", msg.ID),
		attribute.String("holdline.text.kind", string(msg.Kind)),
	))
	defer span.End()
	providerID, err := g.Gateway.Send(ctx, msg)
	switch {
	case errors.Is(err, smsgateway.ErrRefused):
		span.SetStatus(codes.Error, smsgateway.ErrRefused.Error())
	case errors.Is(err, smsgateway.ErrUnclear):
		span.SetStatus(codes.Error, smsgateway.ErrUnclear.Error())
	case errors.Is(err, smsgateway.ErrUnsure):
		span.SetStatus(codes.Error, smsgateway.ErrUnsure.Error())
	case err != nil:
		span.SetStatus(codes.Error, "not sent this time")
	}
	return providerID, err
}
