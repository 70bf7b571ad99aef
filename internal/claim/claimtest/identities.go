package claimtest

import (
	"context"
	"sync"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// Identities is a working claim.Identities in memory. Numbers are unique among
// its identities, as verifiable addresses are in Kratos.
type Identities struct {
	mu         sync.Mutex
	identities map[string]claim.Identity
	fail       error
	Identifier bool // the schema makes the number a means to sign in by code
	Hidden     bool // nobody can tell who has a number
	Writes     int  // requests that changed something
}

// NewIdentities returns these identities in memory.
func NewIdentities(identities ...claim.Identity) *Identities {
	d := &Identities{identities: map[string]claim.Identity{}}
	for _, i := range identities {
		d.identities[i.ID] = i
	}
	return d
}

// Put adds or replaces an identity, as an administrator would.
func (d *Identities) Put(i claim.Identity) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.identities[i.ID] = i
}

// Delete removes an identity.
func (d *Identities) Delete(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.identities, id)
}

// Fail makes every call fail with err, until it is nil.
func (d *Identities) Fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = err
}

// Identity implements claim.Identities.
func (d *Identities) Identity(_ context.Context, id string) (claim.Identity, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return claim.Identity{}, d.fail
	}
	i, ok := d.identities[id]
	if !ok {
		return claim.Identity{}, claim.ErrNoIdentity
	}
	return i, nil
}

// ApplyNumber implements claim.Identities.
func (d *Identities) ApplyNumber(_ context.Context, id string, number phone.Number, unmark bool) error {
	var left bool // the marker, which then is to be removed by another write
	err := d.change(id, func(i *claim.Identity) error {
		for _, other := range d.identities {
			if other.ID != id && phone.FromStore(other.Mobile).Same(number) {
				return claim.ErrNumberTaken
			}
		}
		i.Mobile, i.Verified = number.Unmasked(), true
		if unmark {
			i.Pending = ""
		}
		left = phone.FromStore(i.Pending).Same(number)
		return nil
	})
	if err == nil && left {
		err = claim.ErrIdentitiesUnavailable
	}
	return err
}

// Write implements claim.Identities.
func (d *Identities) Write(_ context.Context, id string, number phone.Number) error {
	return d.change(id, func(i *claim.Identity) error {
		for _, other := range d.identities {
			if other.ID != id && !number.IsZero() && phone.FromStore(other.Mobile).Same(number) {
				return claim.ErrNumberTaken
			}
		}
		i.Mobile, i.Verified = number.Unmasked(), false
		return nil
	})
}

// ShowPending implements claim.Identities.
func (d *Identities) ShowPending(_ context.Context, id string, number phone.Number) error {
	return d.change(id, func(i *claim.Identity) error { i.Pending = number.Unmasked(); return nil })
}

// ClearPending implements claim.Identities.
func (d *Identities) ClearPending(_ context.Context, id string) error {
	return d.change(id, func(i *claim.Identity) error { i.Pending = ""; return nil })
}

// Holders implements claim.Holders.
func (d *Identities) Holders(_ context.Context, id string, number phone.Number) ([]claim.Holder, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var holders []claim.Holder
	for _, other := range d.identities {
		if other.ID != id && phone.FromStore(other.Mobile).Same(number) && !d.Hidden {
			holders = append(holders, claim.Holder{Identity: other, Bound: d.Identifier})
		}
	}
	return holders, d.fail
}

// Vacate implements claim.Holders.
func (d *Identities) Vacate(_ context.Context, id string, number phone.Number) error {
	return d.change(id, func(i *claim.Identity) error {
		if phone.FromStore(i.Mobile).Same(number) {
			i.Mobile, i.Verified = "", false
		}
		if phone.FromStore(i.Pending).Same(number) {
			i.Pending = ""
		}
		return nil
	})
}

// CodeIdentifier implements claim.Identities.
func (d *Identities) CodeIdentifier(context.Context, string) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.Identifier, d.fail
}

func (d *Identities) change(id string, do func(*claim.Identity) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	i, ok := d.identities[id]
	if !ok {
		return claim.ErrNoIdentity
	}
	if err := do(&i); err != nil {
		return err
	}
	d.identities[id] = i
	d.Writes++
	return nil
}
