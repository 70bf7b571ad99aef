package storetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
)

var (
	_ people.Index  = (*People)(nil)
	_ people.Claims = (*Store)(nil)
)

// People are a working people.Index in memory. The zero value is empty.
type People struct {
	mu      sync.Mutex
	entries map[string]people.Entry
	reached people.Place
}

// Search implements people.Index.
func (p *People) Search(_ context.Context, all []people.Match, limit int) (people.Found, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found people.Found
	for _, id := range slices.Sorted(maps.Keys(p.entries)) {
		if !p.entries[id].Meets(all) {
			continue
		}
		if len(found.IdentityIDs) == limit {
			found.More = true
			break
		}
		found.IdentityIDs = append(found.IdentityIDs, id)
	}
	return found, nil
}

// Put implements people.Index.
func (p *People) Put(_ context.Context, e people.Entry) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.entries == nil {
		p.entries = map[string]people.Entry{}
	}
	p.entries[e.IdentityID] = e
	return nil
}

// Delete implements people.Index.
func (p *People) Delete(_ context.Context, identityID string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.entries, identityID)
	return nil
}

// Entries implements people.Index.
func (p *People) Entries(_ context.Context, identityIDs []string) (map[string]people.Entry, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := map[string]people.Entry{}
	for _, id := range identityIDs {
		if e, ok := p.entries[id]; ok {
			found[id] = e
		}
	}
	return found, nil
}

// Outdated implements people.Index.
func (p *People) Outdated(_ context.Context, before time.Time, key string, n int) ([]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var old []people.Entry
	for _, e := range p.entries {
		if e.SeenAt.Before(before) || e.Key != key {
			old = append(old, e)
		}
	}
	slices.SortFunc(old, func(a, b people.Entry) int {
		return cmp.Or(a.SeenAt.Compare(b.SeenAt), cmp.Compare(a.IdentityID, b.IdentityID))
	})
	var ids []string
	for _, e := range old[:min(n, len(old))] {
		ids = append(ids, e.IdentityID)
	}
	return ids, nil
}

// Reached implements people.Index.
func (p *People) Reached(context.Context) (people.Place, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reached, nil
}

// Reach implements people.Index.
func (p *People) Reach(_ context.Context, to people.Place) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reached = to
	return nil
}

// ClaimsFrom implements people.Claims.
func (s *Store) ClaimsFrom(_ context.Context, behind people.Place, before time.Time, n int) ([]claim.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []claim.Claim
	for _, c := range s.claims {
		if c.CreatedAt.Before(before) && cmp.Or(c.CreatedAt.Compare(micro(behind.At)), cmp.Compare(c.ID, behind.ID)) > 0 {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b claim.Claim) int { return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	return found[:min(n, len(found))], s.fail
}

// NumbersOf implements people.Claims.
func (s *Store) NumbersOf(_ context.Context, identityID string) ([]phone.Number, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var numbers []phone.Number
	for _, id := range slices.Sorted(maps.Keys(s.claims)) {
		c := s.claims[id]
		for _, number := range []phone.Number{c.Number, c.Previous} {
			if c.IdentityID == identityID && !number.IsZero() && !slices.Contains(numbers, number) {
				numbers = append(numbers, number)
			}
		}
	}
	return numbers, s.fail
}

var _ people.Directory = (*Directory)(nil)

// Directory is a working people.Directory in memory. The zero value is empty.
type Directory struct {
	mu       sync.Mutex
	profiles map[string]people.Profile
	fail     error
	reads    int
}

// Put adds or replaces a person.
func (d *Directory) Put(p people.Profile) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.profiles == nil {
		d.profiles = map[string]people.Profile{}
	}
	d.profiles[p.ID] = p
}

// Remove removes a person.
func (d *Directory) Remove(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.profiles, id)
}

// Fail makes every call fail with err, until it is nil.
func (d *Directory) Fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = err
}

// Reads tells how often a profile was asked for.
func (d *Directory) Reads() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reads
}

// Profile implements people.Directory.
func (d *Directory) Profile(_ context.Context, id string) (people.Profile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	if d.fail != nil {
		return people.Profile{}, d.fail
	}
	p, ok := d.profiles[id]
	if !ok {
		return people.Profile{}, claim.ErrNoIdentity
	}
	return p, nil
}

// Identify implements people.Directory.
func (d *Directory) Identify(_ context.Context, identifier string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return "", d.fail
	}
	for id, p := range d.profiles {
		if slices.Contains(slices.Concat(p.Emails, p.UserNames), identifier) {
			return id, nil
		}
	}
	return "", claim.ErrNoIdentity
}
