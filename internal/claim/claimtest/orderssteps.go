package claimtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/storetest"
)

// steppedStore is a store each of whose calls is a step.
type steppedStore struct {
	storetest.ArchivedStore
	o *order
}

func (s steppedStore) Current(ctx context.Context, id string, since time.Time) (claim.IdentityClaims, error) {
	return inTurn(s.o, ctx, storeRead, "current", func() (claim.IdentityClaims, error) { return s.ArchivedStore.Current(ctx, id, since) })
}

func (s steppedStore) Last(ctx context.Context, id string) (*claim.Claim, error) {
	return inTurn(s.o, ctx, storeRead, "last", func() (*claim.Claim, error) { return s.ArchivedStore.Last(ctx, id) })
}

func (s steppedStore) Applied(ctx context.Context, id string) (*claim.Claim, error) {
	return inTurn(s.o, ctx, storeRead, "applied", func() (*claim.Claim, error) { return s.ArchivedStore.Applied(ctx, id) })
}

func (s steppedStore) Newest(ctx context.Context, id string, number phone.Number) (*claim.Claim, error) {
	return inTurn(s.o, ctx, storeRead, "newest", func() (*claim.Claim, error) { return s.ArchivedStore.Newest(ctx, id, number) })
}

func (s steppedStore) Find(ctx context.Context, id string) (*claim.Claim, error) {
	return inTurn(s.o, ctx, storeRead, "find", func() (*claim.Claim, error) { return s.ArchivedStore.Find(ctx, id) })
}

func (s steppedStore) History(ctx context.Context, id string, number phone.Number, since time.Time) (claim.History, error) {
	return inTurn(s.o, ctx, storeRead, "history", func() (claim.History, error) { return s.ArchivedStore.History(ctx, id, number, since) })
}

func (s steppedStore) Commit(ctx context.Context, c claim.Change) error {
	what := "commit"
	if c.Create != nil {
		what += fmt.Sprintf(" create %s for %s", c.Create.State, c.Create.Number.Unmasked())
	}
	for _, m := range c.Transitions {
		what += fmt.Sprintf(" %.4s %s-%s", m.Claim.ID, m.From, m.Claim.State)
	}
	return inTurnError(s.o, ctx, storeWrite, what, func() error { return s.ArchivedStore.Commit(ctx, c) })
}

func (s steppedStore) Try(ctx context.Context, ref otp.CodeRef, limit int) error {
	return inTurnError(s.o, ctx, storeWrite, "try", func() error { return s.ArchivedStore.Try(ctx, ref, limit) })
}

func (s steppedStore) Acquire(ctx context.Context, lease claim.Lease, now time.Time) error {
	return inTurnError(s.o, ctx, storeWrite, "acquire", func() error { return s.ArchivedStore.Acquire(ctx, lease, now) })
}

func (s steppedStore) Release(ctx context.Context, lease claim.Lease) error {
	return inTurnError(s.o, ctx, storeWrite, "release", func() error { return s.ArchivedStore.Release(ctx, lease) })
}

// Due returns one claim at a time: a doer does one step at a time.
func (s steppedStore) Due(ctx context.Context, now time.Time, _ int) ([]claim.Claim, error) {
	return inTurn(s.o, ctx, storeRead, "due", func() ([]claim.Claim, error) { return s.ArchivedStore.Due(ctx, now, 1) })
}

func (s steppedStore) Take(ctx context.Context, c claim.Claim, until time.Time) (bool, error) {
	return inTurn(s.o, ctx, storeWrite, "take", func() (bool, error) { return s.ArchivedStore.Take(ctx, c, until) })
}

// twoStepKratos has one identity, and neither a lock nor versions: whoever changes
// something reads all of it, and stores all of it a step later.
type twoStepKratos struct {
	o        *order
	identity claim.Identity
}

func (k *twoStepKratos) known(id string) error {
	if id != k.identity.ID {
		return claim.ErrNoIdentity
	}
	return nil
}

// Identity implements claim.Identities.
func (k *twoStepKratos) Identity(ctx context.Context, id string) (claim.Identity, error) {
	return inTurn(k.o, ctx, kratosRead, "read", func() (claim.Identity, error) { return k.identity, k.known(id) })
}

// CodeIdentifier implements claim.Identities.
func (k *twoStepKratos) CodeIdentifier(context.Context, string) (bool, error) { return false, nil }

// patch reads, changes and stores, and returns what it stored.
func (k *twoStepKratos) patch(ctx context.Context, what string, do func(*claim.Identity) error) (claim.Identity, error) {
	read, err := inTurn(k.o, ctx, kratosRead, "PATCH reads", func() (claim.Identity, error) { return k.identity, nil })
	if err != nil {
		d, _ := ctx.Value(doerKey{}).(*doer)
		if d != nil && d.dead && d.late { // it was asked before the process died
			if read = k.identity; do(&read) == nil {
				k.identity = read
			}
		}
		return read, claim.ErrIdentitiesUnavailable
	}
	if err := do(&read); err != nil {
		return read, err
	}
	k.store(ctx, what, read) // whether or not who asked is alive
	return read, nil
}

// read and store are steps of Kratos itself, which does not die.
func (k *twoStepKratos) read(ctx context.Context) claim.Identity {
	read, _ := inTurn(k.o, immortal(ctx), kratosRead, "form reads", func() (claim.Identity, error) { return k.identity, nil })
	return read
}

func (k *twoStepKratos) store(ctx context.Context, what string, i claim.Identity) {
	_ = inTurnError(k.o, immortal(ctx), kratosWrite, what, func() error { k.identity = i; return nil })
}

// ApplyNumber implements claim.Identities.
func (k *twoStepKratos) ApplyNumber(ctx context.Context, id string, number phone.Number, unmark bool) error {
	if err := k.known(id); err != nil {
		return err
	}
	adopt := func(i *claim.Identity) error {
		if unmark && i.Pending == "" {
			unmark = false
			return claim.ErrNumberRefused // a marker that is not there cannot be removed
		}
		if unmark {
			i.Pending = ""
		}
		i.Mobile, i.Verified = number.Unmasked(), true
		k.o.adopted(ctx, number)
		return nil
	}
	changed, err := k.patch(ctx, "writes "+number.Unmasked(), adopt)
	if errors.Is(err, claim.ErrNumberRefused) {
		changed, err = k.patch(ctx, "writes "+number.Unmasked(), adopt)
	}
	if err == nil && phone.FromStore(changed.Pending).Same(number) {
		err = claim.ErrIdentitiesUnavailable
	}
	return err
}

// Write implements claim.Identities.
func (k *twoStepKratos) Write(ctx context.Context, _ string, number phone.Number) error {
	_, err := k.patch(ctx, "writes "+number.Unmasked(), func(i *claim.Identity) error {
		i.Mobile, i.Verified = number.Unmasked(), false
		return nil
	})
	return err
}

// ShowPending implements claim.Identities.
func (k *twoStepKratos) ShowPending(ctx context.Context, _ string, number phone.Number) error {
	_, err := k.patch(ctx, "marks "+number.Unmasked(), func(i *claim.Identity) error { i.Pending = number.Unmasked(); return nil })
	return err
}

// ClearPending implements claim.Identities.
func (k *twoStepKratos) ClearPending(ctx context.Context, _ string) error {
	_, err := k.patch(ctx, "unmarks", func(i *claim.Identity) error { i.Pending = ""; return nil })
	return err
}
