package people

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// Leases keep all replicas but one from indexing.
type Leases interface {
	// Acquire takes a lease, or returns [claim.ErrLeased] while somebody has it.
	Acquire(ctx context.Context, lease claim.Lease, now time.Time) error
	Release(ctx context.Context, lease claim.Lease) error
}

// Indexer keeps the index up with claims and with Kratos.
type Indexer struct {
	Index     Index
	Claims    Claims
	Directory Directory
	Keys      Keys
	Leases    Leases
	Owner     string // this replica
	Now       func() time.Time
}

const (
	// leaseName is what the lease is kept under, and leaseTime how long a round may
	// last; one that takes longer goes on in the next.
	leaseName = "people index"
	leaseTime = 30 * time.Second
	roundTime = 15 * time.Second
	// settled is how old a claim is when it is indexed: whoever is in the middle of a
	// change shares neither the database nor Kratos with it.
	settled = 20 * time.Second
	// batch is how many claims are read at a time.
	batch = 200
	// fresh is how long what Kratos said of somebody is believed when a claim of theirs
	// comes, and lasting how long when none does.
	fresh   = time.Hour
	lasting = 7 * 24 * time.Hour
	// outdatedBatch is how many people are looked at again in a round.
	outdatedBatch = 50
)

// Once indexes whoever has new claims, and then looks at some of those who were not
// looked at for long, unless another replica does.
func (x *Indexer) Once(ctx context.Context) error {
	now := x.Now()
	reached, err := x.Index.Reached(ctx)
	if err != nil {
		return fmt.Errorf("read progress: %w", err)
	}
	fresh, err := x.Claims.ClaimsFrom(ctx, reached, now.Add(-settled), 1)
	if err != nil {
		return fmt.Errorf("read claims: %w", err)
	}
	outdated, err := x.Index.Outdated(ctx, now.Add(-lasting), x.Keys.ID(), 1)
	if err != nil {
		return fmt.Errorf("read who is outdated: %w", err)
	}
	if len(fresh)+len(outdated) == 0 {
		return nil
	}
	lease := claim.Lease{IdentityID: leaseName, Owner: x.Owner, Until: now.Add(leaseTime)}
	switch err := x.Leases.Acquire(ctx, lease, now); {
	case errors.Is(err, claim.ErrLeased):
		return nil
	case err != nil:
		return err
	}
	err = x.round(ctx, now)
	return errors.Join(err, x.Leases.Release(context.WithoutCancel(ctx), lease))
}

func (x *Indexer) round(ctx context.Context, began time.Time) error {
	for more := true; more && x.Now().Sub(began) < roundTime; {
		var err error
		if more, err = x.advance(ctx, began); err != nil || ctx.Err() != nil {
			return err
		}
	}
	ids, err := x.Index.Outdated(ctx, began.Add(-lasting), x.Keys.ID(), outdatedBatch)
	if err != nil {
		return fmt.Errorf("read who is outdated: %w", err)
	}
	for _, id := range ids {
		err := x.Refresh(ctx, id)
		if errors.Is(err, claim.ErrIdentitiesUnavailable) || ctx.Err() != nil {
			return nil //nolint:nilerr // Kratos is away: the next round asks again
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// advance indexes the people of one batch of claims, and reports whether there are more.
func (x *Indexer) advance(ctx context.Context, began time.Time) (more bool, err error) {
	reached, err := x.Index.Reached(ctx)
	if err != nil {
		return false, fmt.Errorf("read progress: %w", err)
	}
	claims, err := x.Claims.ClaimsFrom(ctx, reached, began.Add(-settled), batch)
	if err != nil || len(claims) == 0 {
		return false, err
	}
	var ids []string
	for _, c := range claims {
		ids = append(ids, c.IdentityID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	known, err := x.Index.Entries(ctx, ids)
	if err != nil {
		return false, fmt.Errorf("read entries: %w", err)
	}
	for _, id := range ids {
		if err := x.take(ctx, id, known[id]); err != nil {
			return false, err
		}
	}
	last := claims[len(claims)-1]
	return len(claims) == batch, x.Index.Reach(ctx, Place{last.CreatedAt, last.ID})
}

// take indexes a person who has a new claim. While Kratos is away the claims' numbers are
// all that is known, and Kratos is asked later.
func (x *Indexer) take(ctx context.Context, id string, known Entry) error {
	numbers, err := x.Claims.NumbersOf(ctx, id)
	if err != nil {
		return fmt.Errorf("read numbers: %w", err)
	}
	if len(numbers) == 0 {
		return nil // erased or pruned meanwhile
	}
	bare := x.Keys.Terms(Profile{}, numbers)
	if x.Now().Sub(known.SeenAt) < fresh && known.Key == x.Keys.ID() && contains(known.Terms, bare) {
		return nil
	}
	err = x.put(ctx, id, numbers)
	if !errors.Is(err, claim.ErrIdentitiesUnavailable) {
		return err
	}
	terms := slices.Concat(known.Terms, bare)
	slices.Sort(terms)
	return x.Index.Put(ctx, Entry{IdentityID: id, Terms: slices.Compact(terms), Key: x.Keys.ID()})
}

// Refresh makes a person's entry anew, and forgets who is gone or has no claims any
// more. The error wraps [claim.ErrIdentitiesUnavailable] while Kratos is away.
func (x *Indexer) Refresh(ctx context.Context, id string) error {
	numbers, err := x.Claims.NumbersOf(ctx, id)
	if err != nil {
		return fmt.Errorf("read numbers: %w", err)
	}
	if len(numbers) == 0 {
		return x.Index.Delete(ctx, id)
	}
	return x.put(ctx, id, numbers)
}

func (x *Indexer) put(ctx context.Context, id string, numbers []phone.Number) error {
	now := x.Now()
	profile, err := x.Directory.Profile(ctx, id)
	if errors.Is(err, claim.ErrNoIdentity) {
		return x.Index.Delete(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("read profile: %w", err)
	}
	numbers = append(slices.Clone(numbers), phone.FromStore(profile.Mobile))
	return x.Index.Put(ctx, Entry{IdentityID: id, Terms: x.Keys.Terms(profile, numbers), Key: x.Keys.ID(), SeenAt: now})
}

// contains reports whether sorted terms have all of others.
func contains(terms, others []string) bool {
	for _, other := range others {
		if _, found := slices.BinarySearch(terms, other); !found {
			return false
		}
	}
	return true
}
