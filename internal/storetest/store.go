package storetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/ratelimit"
)

// Store is a working claim.Store in memory. Changes happen one after another.
type Store struct {
	mu       sync.Mutex
	claims   map[string]claim.Claim
	texts    map[string]text
	leases   map[string]claim.Lease
	alarms   map[string]claim.Alarm
	events   []admin.EventRecord
	lines    int64 // written to the audit trail so far
	receipts []message.Receipt
	fail     error
	// budgets are those of calling codes.
	budgets Limiter
}

// text is a text and what became of it; LeaseUntil is when it is due.
type text struct {
	message.Text
	state  message.TextState
	tries  int
	reason string // of the last put-off, or of its end
	// gateway and providerID say, once it ended, how receipts name it.
	gateway, providerID string
	doneAt              time.Time
}

// isCode tells a text with a code from a notice.
func (t text) isCode() bool { return t.Kind == message.TextCode }

var _ claim.Store = (*Store)(nil)

// NewStore returns an empty store.
func NewStore() *Store {
	return &Store{claims: map[string]claim.Claim{}, texts: map[string]text{}, leases: map[string]claim.Lease{}, alarms: map[string]claim.Alarm{}}
}

// Fail makes every call fail with err, until it is nil.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Events returns the audit trail, oldest first.
func (s *Store) Events() []audit.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var events []audit.Event
	for _, line := range s.events {
		events = append(events, line.Event)
	}
	return events
}

// note adds lines to the audit trail. The caller holds the lock.
func (s *Store) note(events ...audit.Event) {
	for _, e := range events {
		s.lines++
		e.At = micro(e.At)
		s.events = append(s.events, admin.EventRecord{ID: s.lines, Event: e})
	}
}

// Current implements claim.Claims.
func (s *Store) Current(_ context.Context, identityID string, since time.Time) (claim.IdentityClaims, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var snapshot claim.IdentityClaims
	for _, c := range s.of(identityID) {
		switch {
		case c.State.Active():
			snapshot.Active = &c
		case c.State == claim.Staged && c.Direct:
			snapshot.Direct = append(snapshot.Direct, c)
		case c.State == claim.Staged:
			snapshot.Staged = append(snapshot.Staged, c)
		}
	}
	for _, c := range s.of(identityID) {
		if c.Attempts > 0 && c.CreatedAt.After(since) && !c.State.Active() {
			snapshot.TriesElsewhere += c.Attempts
			replaced := c.State == claim.Superseded || c.State == claim.Cancelled
			if replaced && snapshot.Active != nil && c.Number.Same(snapshot.Active.Number) {
				snapshot.TriesBefore += c.Attempts
			}
			if snapshot.TriesSince.IsZero() || c.CreatedAt.Before(snapshot.TriesSince) {
				snapshot.TriesSince = c.CreatedAt
			}
		}
	}
	return snapshot, s.fail
}

// of returns an identity's claims, newest first. The caller holds the lock.
func (s *Store) of(identityID string) []claim.Claim {
	var claims []claim.Claim
	for _, c := range s.claims {
		if c.IdentityID == identityID {
			claims = append(claims, c)
		}
	}
	slices.SortFunc(claims, func(a, b claim.Claim) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	return claims
}

// Last implements claim.Claims.
func (s *Store) Last(_ context.Context, identityID string) (*claim.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last *claim.Claim
	for _, c := range s.of(identityID) {
		if c.State.Final() && !c.EndedAt.IsZero() && (last == nil || c.EndedAt.After(last.EndedAt)) {
			last = &c
		}
	}
	return last, s.fail
}

// Applied implements claim.Claims.
func (s *Store) Applied(_ context.Context, identityID string) (*claim.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.applied(identityID), s.fail
}

// applied is the claim that was applied last. The caller holds the lock.
func (s *Store) applied(identityID string) *claim.Claim {
	var last *claim.Claim
	for _, c := range s.of(identityID) {
		if c.State == claim.Applied && (last == nil || c.EndedAt.After(last.EndedAt)) {
			last = &c
		}
	}
	return last
}

// Find implements claim.Claims.
func (s *Store) Find(_ context.Context, claimID string) (*claim.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.claims[claimID]
	if !ok || s.fail != nil {
		return nil, s.fail
	}
	return &c, nil
}

// Newest implements claim.Claims.
func (s *Store) Newest(_ context.Context, identityID string, number phone.Number) (*claim.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.of(identityID) {
		if c.Number.Same(number) && c.State != claim.Staged && c.State != claim.Discarded {
			return &c, s.fail
		}
	}
	return nil, s.fail
}

// History implements claim.Claims.
func (s *Store) History(_ context.Context, identityID string, number phone.Number, since time.Time) (claim.History, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var history claim.History
	for _, c := range slices.Backward(s.of(identityID)) {
		if !c.State.Active() && c.CreatedAt.After(since) {
			history.Add(c, number)
		}
	}
	return history, s.fail
}

// NextAllowed implements claim.Claims.
func (s *Store) NextAllowed(_ context.Context, t message.Text, limits claim.TextLimits, now time.Time) (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, _ := s.fullUntil(claim.Change{Limits: limits, At: now}, t.IdentityID, t.To.Key(), t.ClientIP,
		s.claims[t.Code.ClaimID].PreviousVerified)
	budget := ratelimit.Limit{Most: limits.PerCodeHour, Window: time.Hour}
	if room := s.budgets.room(t.To.CallingCode(), budget); budget.Bounded() && room.After(now) && room.After(until) {
		until = room
	}
	return until, s.fail
}

// newestTexts returns all texts, newest first. The caller holds the lock.
func (s *Store) newestTexts() []text {
	return slices.SortedFunc(maps.Values(s.texts), func(a, b text) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.Code.Number, a.Code.Number), cmp.Compare(b.ID, a.ID))
	})
}

// Try implements claim.Claims.
func (s *Store) Try(_ context.Context, ref otp.CodeRef, limit int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	c := s.claims[ref.ClaimID]
	if !c.State.Active() || c.CodeNumber != ref.Number || c.Attempts >= limit {
		return claim.ErrConcurrentUpdate
	}
	c.Attempts++
	s.claims[c.ID] = c
	return nil
}

// Acquire implements claim.Leases.
func (s *Store) Acquire(_ context.Context, lease claim.Lease, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if !s.acquire(lease, now) {
		return claim.ErrLeased
	}
	return nil
}

// acquire reports whether the lease was free. The caller holds the lock.
func (s *Store) acquire(lease claim.Lease, now time.Time) bool {
	present, taken := s.leases[lease.IdentityID]
	void := !micro(present.Until).After(micro(now)) ||
		present.ClaimID != "" && s.claims[present.ClaimID].State != claim.Verified
	if !taken || void {
		s.leases[lease.IdentityID] = lease
	}
	return !taken || void
}

// Release implements claim.Leases.
func (s *Store) Release(_ context.Context, lease claim.Lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		s.release(lease)
	}
	return s.fail
}

// release gives a lease back that is still its owner's. The caller holds the lock.
func (s *Store) release(lease claim.Lease) {
	if s.leases[lease.IdentityID].Owner == lease.Owner {
		delete(s.leases, lease.IdentityID)
	}
}

// Due implements claim.Backlog.
func (s *Store) Due(_ context.Context, now time.Time, n int) ([]claim.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []claim.Claim
	for _, c := range s.claims {
		if !c.DueAt.IsZero() && !c.DueAt.After(micro(now)) {
			due = append(due, c)
		}
	}
	slices.SortFunc(due, func(a, b claim.Claim) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID))
	})
	return due[:min(n, len(due))], s.fail
}

// Take implements claim.Backlog.
func (s *Store) Take(_ context.Context, c claim.Claim, until time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.claims[c.ID]
	same := kept.State == c.State && kept.Version == c.Version && kept.DueTries == c.DueTries
	if s.fail != nil || !ok || !same || kept.DueAt.IsZero() {
		return false, s.fail
	}
	kept.DueAt = micro(until)
	kept.DueTries++
	s.claims[c.ID] = kept
	return true, nil
}

// Prune implements claim.Backlog.
func (s *Store) Prune(_ context.Context, before time.Time, n int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pruned := 0
	for id, c := range s.claims {
		if s.fail != nil || pruned == n {
			break
		}
		if c.EndedAt.IsZero() || !c.EndedAt.Before(micro(before)) {
			continue
		}
		delete(s.claims, id)
		delete(s.alarms, id)
		maps.DeleteFunc(s.texts, func(_ string, t text) bool { return t.Code.ClaimID == id })
		s.events = slices.DeleteFunc(s.events, func(e admin.EventRecord) bool { return e.ClaimID == id })
		pruned++
	}
	if pruned == 0 {
		s.receipts = slices.DeleteFunc(s.receipts, func(r message.Receipt) bool {
			old := s.fail == nil && pruned < n && r.At.Before(micro(before))
			if old {
				pruned++
			}
			return old
		})
	}
	return pruned, s.fail
}

// micro returns a time as a store keeps it.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
