// Package reconcile makes the index of users converge with Kratos. Whoever
// writes an identity refreshes its entry; a pass over all of them finds what
// was written, made and deleted without anybody saying so.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
)

// Source has the identities.
type Source interface {
	// Page reads at most size identities, and says where the next page begins:
	// blank after the last. Every identity that is there from the first page to the
	// last should be on one of them.
	Page(ctx context.Context, token string, size int) ([]scim.Record, string, error)
	// Record reads an identity. Only if there is none is the error
	// [claim.ErrNoIdentity]: its entry is deleted then.
	Record(ctx context.Context, id string) (scim.Record, error)
}

// Options are what a reconciler needs.
type Options struct {
	Source Source
	Index  scim.Index
	// Entries describes identities for the index. It leaves out those that are no
	// SCIM users; the others have this Seen.
	Entries func(ctx context.Context, records []scim.Record, seen time.Time) ([]scim.Entry, error)
	// Now is one clock for all replicas.
	Now func() time.Time
	Log *slog.Logger
	// PageSize is how many identities are read and compared at a time; 0 is 250.
	PageSize int
	// Report hears how far a pass is, after each page and after each batch of those
	// that were on none. It may be nil.
	Report func(Progress)
}

// Progress is how far a pass is.
type Progress struct {
	Identities int // that pages showed, whether users or not
	Changed    int // entries that were made or written anew
	Deleted    int // entries of which nothing is left in Kratos, or no user
	Pages      int
	Began      time.Time
}

// Reconciler is safe for concurrent use.
type Reconciler struct{ Options }

// New returns a reconciler.
func New(o Options) *Reconciler {
	if o.PageSize <= 0 {
		o.PageSize = pageSize
	}
	if o.Report == nil {
		o.Report = func(Progress) {}
	}
	return &Reconciler{o}
}

const (
	pageSize = 250
	// logEvery is after how many identities a long pass shows that it is alive.
	logEvery = 10_000
)

// Refresh reads one identity and puts or deletes its entry.
func (r *Reconciler) Refresh(ctx context.Context, id string) error {
	entry, err := r.look(ctx, id, r.Now())
	switch {
	case err != nil:
		return err
	case entry == nil:
		return r.forget(ctx, id)
	}
	if err := r.Index.Put(ctx, *entry); err != nil {
		return fmt.Errorf("put entry: %w", err)
	}
	return nil
}

// look reads an identity and describes it, nil if it is gone or no user.
func (r *Reconciler) look(ctx context.Context, id string, seen time.Time) (*scim.Entry, error) {
	record, err := r.Source.Record(ctx, id)
	if errors.Is(err, claim.ErrNoIdentity) {
		return nil, nil //nolint:nilnil // as documented
	}
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	entries, err := r.Entries(ctx, []scim.Record{record}, seen)
	if err != nil {
		return nil, fmt.Errorf("describe identity: %w", err)
	}
	if len(entries) == 0 {
		return nil, nil //nolint:nilnil // as documented
	}
	return &entries[0], nil
}

func (r *Reconciler) forget(ctx context.Context, id string) error {
	if err := r.Index.Delete(ctx, id); err != nil {
		return fmt.Errorf("delete entry: %w", err)
	}
	return nil
}
