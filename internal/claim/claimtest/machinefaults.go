package claimtest

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
)

// faults make one of the next calls go wrong, or something else happen first.
type faults struct {
	armed bool
	in    int  // calls that go well before
	late  bool // it goes wrong after it was done
	crash bool // and the process with it
	dead  bool // until the command is over: no call reaches anything

	wait      int // calls before meanwhile
	meanwhile func()
}

// guarded makes a call through the faults; it takes a moment.
func guarded[T any](m *machine, away error, do func() (T, error)) (T, error) {
	var none T
	f := &m.faults
	m.now = m.now.Add(time.Millisecond) // of two changes the later one has to win
	if happens := f.meanwhile; happens != nil && !f.dead {
		if f.wait--; f.wait < 0 {
			f.meanwhile = nil
			happens()
		}
	}
	switch {
	case f.dead:
		return none, away
	case !f.armed:
		return do()
	case f.in > 0:
		f.in--
		return do()
	}
	f.armed, f.dead = false, f.crash
	if f.late {
		_, _ = do()
	}
	return none, away
}

// guardedError makes a call that only returns an error.
func guardedError(m *machine, away error, do func() error) error {
	_, err := guarded(m, away, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// machineStore is a store with faults.
type machineStore struct {
	storetest.ArchivedStore
	m *machine
}

func (s machineStore) Current(ctx context.Context, id string, since time.Time) (claim.IdentityClaims, error) {
	return guarded(s.m, problem.ErrStoreUnavailable, func() (claim.IdentityClaims, error) { return s.ArchivedStore.Current(ctx, id, since) })
}

func (s machineStore) Last(ctx context.Context, id string) (*claim.Claim, error) {
	return guarded(s.m, problem.ErrStoreUnavailable, func() (*claim.Claim, error) { return s.ArchivedStore.Last(ctx, id) })
}

func (s machineStore) Applied(ctx context.Context, id string) (*claim.Claim, error) {
	return guarded(s.m, problem.ErrStoreUnavailable, func() (*claim.Claim, error) { return s.ArchivedStore.Applied(ctx, id) })
}

func (s machineStore) Find(ctx context.Context, id string) (*claim.Claim, error) {
	return guarded(s.m, problem.ErrStoreUnavailable, func() (*claim.Claim, error) { return s.ArchivedStore.Find(ctx, id) })
}

func (s machineStore) Newest(ctx context.Context, id string, number phone.Number) (*claim.Claim, error) {
	return guarded(s.m, problem.ErrStoreUnavailable, func() (*claim.Claim, error) { return s.ArchivedStore.Newest(ctx, id, number) })
}

func (s machineStore) History(ctx context.Context, id string, number phone.Number, since time.Time) (claim.History, error) {
	return guarded(s.m, problem.ErrStoreUnavailable, func() (claim.History, error) {
		return s.ArchivedStore.History(ctx, id, number, since)
	})
}

func (s machineStore) Commit(ctx context.Context, c claim.Change) error {
	return guardedError(s.m, problem.ErrStoreUnavailable, func() error { return s.ArchivedStore.Commit(ctx, c) })
}

func (s machineStore) Try(ctx context.Context, ref otp.CodeRef, limit int) error {
	return guardedError(s.m, problem.ErrStoreUnavailable, func() error { return s.ArchivedStore.Try(ctx, ref, limit) })
}

// Acquire lets go at once who would wait for a lease: the clock stands still.
func (s machineStore) Acquire(ctx context.Context, lease claim.Lease, now time.Time) error {
	err := guardedError(s.m, problem.ErrStoreUnavailable, func() error { return s.ArchivedStore.Acquire(ctx, lease, now) })
	if errors.Is(err, claim.ErrLeased) {
		s.m.leased()
	}
	return err
}

func (s machineStore) Release(ctx context.Context, lease claim.Lease) error {
	return guardedError(s.m, problem.ErrStoreUnavailable, func() error { return s.ArchivedStore.Release(ctx, lease) })
}

// Due returns one claim at a time, so that a run can be repeated.
func (s machineStore) Due(ctx context.Context, now time.Time, _ int) ([]claim.Claim, error) {
	return guarded(s.m, problem.ErrStoreUnavailable, func() ([]claim.Claim, error) { return s.ArchivedStore.Due(ctx, now, 1) })
}

func (s machineStore) Take(ctx context.Context, c claim.Claim, until time.Time) (bool, error) {
	return guarded(s.m, problem.ErrStoreUnavailable, func() (bool, error) { return s.ArchivedStore.Take(ctx, c, until) })
}

// machineDirectory is the directory with faults; it looks at what is adopted.
type machineDirectory struct{ m *machine }

func (d machineDirectory) Identity(ctx context.Context, id string) (claim.Identity, error) {
	return guarded(d.m, claim.ErrIdentitiesUnavailable, func() (claim.Identity, error) {
		if d.m.away {
			return claim.Identity{}, claim.ErrIdentitiesUnavailable
		}
		return d.m.dir.Identity(ctx, id)
	})
}

func (d machineDirectory) ApplyNumber(ctx context.Context, id string, number phone.Number, unmark bool) error {
	return d.change(func() error {
		before := d.m.identity(id)
		err := d.m.dir.ApplyNumber(ctx, id, number, unmark)
		if after := d.m.identity(id); after.Mobile != before.Mobile || after.Verified != before.Verified {
			d.m.adopted(before, number)
		}
		return err
	})
}

func (d machineDirectory) Write(ctx context.Context, id string, number phone.Number) error {
	return d.change(func() error {
		before := d.m.identity(id)
		err := d.m.dir.Write(ctx, id, number)
		if err == nil {
			d.m.directlyRestored(before, number)
		}
		return err
	})
}

func (d machineDirectory) ShowPending(ctx context.Context, id string, number phone.Number) error {
	return d.change(func() error { return d.m.dir.ShowPending(ctx, id, number) })
}

func (d machineDirectory) ClearPending(ctx context.Context, id string) error {
	return d.change(func() error { return d.m.dir.ClearPending(ctx, id) })
}

func (d machineDirectory) CodeIdentifier(ctx context.Context, schemaID string) (bool, error) {
	return d.m.dir.CodeIdentifier(ctx, schemaID)
}

func (d machineDirectory) change(do func() error) error {
	return guardedError(d.m, claim.ErrIdentitiesUnavailable, func() error {
		if d.m.away {
			return claim.ErrIdentitiesUnavailable
		}
		return do()
	})
}
