package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
)

// store makes spans of what a request has the store do. What the spans have of a
// statement is its purpose and its table.
type store struct {
	claim.Store
	tracer *Tracer
}

// Store returns a store with spans.
func (t *Tracer) Store(of claim.Store) claim.Store { return store{of, t} }

func (s store) child(ctx context.Context, operation, table string) (context.Context, func(error)) {
	return s.tracer.child(ctx, "store "+operation, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("db.operation.name", operation), attribute.String("db.collection.name", table)))
}

// Current implements [claim.Claims].
func (s store) Current(ctx context.Context, identityID string, since time.Time) (claim.Snapshot, error) {
	ctx, ended := s.child(ctx, "current", "claims")
	snapshot, err := s.Store.Current(ctx, identityID, since)
	ended(err)
	return snapshot, err
}

// Last implements [claim.Claims].
func (s store) Last(ctx context.Context, identityID string) (*claim.Claim, error) {
	ctx, ended := s.child(ctx, "last", "claims")
	last, err := s.Store.Last(ctx, identityID)
	ended(err)
	return last, err
}

// Find implements [claim.Claims].
func (s store) Find(ctx context.Context, claimID string) (*claim.Claim, error) {
	ctx, ended := s.child(ctx, "find", "claims")
	found, err := s.Store.Find(ctx, claimID)
	ended(err)
	return found, err
}

// Newest implements [claim.Claims].
func (s store) Newest(ctx context.Context, identityID string, number phone.Number) (*claim.Claim, error) {
	ctx, ended := s.child(ctx, "newest", "claims")
	newest, err := s.Store.Newest(ctx, identityID, number)
	ended(err)
	return newest, err
}

// History implements [claim.Claims].
func (s store) History(ctx context.Context, identityID string, number phone.Number, since time.Time) (claim.History, error) {
	ctx, ended := s.child(ctx, "history", "claims")
	history, err := s.Store.History(ctx, identityID, number, since)
	ended(err)
	return history, err
}

// Commit implements [claim.Claims]. The span names the claims that it moves, and
// is where their texts come from.
func (s store) Commit(ctx context.Context, change claim.Change) error {
	ctx, ended := s.child(ctx, "commit", "claims")
	span := trace.SpanFromContext(ctx)
	for _, e := range change.Events {
		span.AddEvent("claim "+e.Kind, trace.WithAttributes(attribute.String("holdline.claim.id", e.ClaimID)))
	}
	if origin := span.SpanContext(); origin.IsValid() {
		if change.Text != nil {
			s.tracer.origins.Add(change.Text.ID, origin)
		}
		for _, notice := range change.Notices {
			s.tracer.origins.Add(notice.ID, origin)
		}
	}
	err := s.Store.Commit(ctx, change)
	ended(err)
	return err
}

// Try implements [claim.Claims].
func (s store) Try(ctx context.Context, ref otp.CodeRef, limit int) error {
	ctx, ended := s.child(ctx, "try", "claims")
	err := s.Store.Try(ctx, ref, limit)
	ended(err)
	return err
}

// Acquire implements [claim.Leases].
func (s store) Acquire(ctx context.Context, lease claim.Lease, now time.Time) error {
	ctx, ended := s.child(ctx, "acquire", "identity_leases")
	err := s.Store.Acquire(ctx, lease, now)
	ended(err)
	return err
}

// Release implements [claim.Leases].
func (s store) Release(ctx context.Context, lease claim.Lease) error {
	ctx, ended := s.child(ctx, "release", "identity_leases")
	err := s.Store.Release(ctx, lease)
	ended(err)
	return err
}
