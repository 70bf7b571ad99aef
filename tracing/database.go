package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
)

// DatabaseCall begins the span of what a request has a store do; the function that it
// returns ends it. What the span has of the statements is their purpose and their
// table.
func (t *Tracer) DatabaseCall(ctx context.Context, operation, table string) (context.Context, func(error)) {
	return t.child(ctx, "store "+operation, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("db.operation.name", operation), attribute.String("db.collection.name", table)))
}

// OnCommit writes down in the span of a request what it has made of claims, and that
// their texts come from there.
func (t *Tracer) OnCommit(ctx context.Context, change claim.Change, _ []message.Text) {
	span := trace.SpanFromContext(ctx)
	for _, e := range change.Events {
		span.AddEvent("claim "+e.Kind, trace.WithAttributes(attribute.String("holdline.claim.id", e.ClaimID)))
	}
	origin := span.SpanContext()
	if !origin.IsValid() {
		return
	}
	if change.Text != nil {
		t.origins.Add(change.Text.ID, origin)
	}
	for _, notice := range change.Notices {
		t.origins.Add(notice.ID, origin)
	}
}
