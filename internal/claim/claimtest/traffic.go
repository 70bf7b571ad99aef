package claimtest

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/claim"
)

var _ claim.Meter = (*Store)(nil)

// Traffic implements claim.Meter.
func (s *Store) Traffic(_ context.Context, since, until time.Time) ([]claim.Traffic, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]claim.Traffic{}
	counted := map[string]bool{}
	for _, t := range s.texts {
		if !t.isCode() || !t.CreatedAt.After(micro(since)) || t.CreatedAt.After(micro(until)) {
			continue
		}
		code := t.To.CallingCode()
		traffic := found[code]
		traffic.CallingCode = code
		traffic.Texts++
		if t.state == claim.TextSent {
			traffic.Sent++
		}
		switch s.claims[t.Code.ClaimID].State {
		case claim.Verified, claim.Applied, claim.Conflict:
			if !counted[t.Code.ClaimID] {
				traffic.Confirmed++
			}
			counted[t.Code.ClaimID] = true
		default:
		}
		found[code] = traffic
	}
	return slices.Collect(maps.Values(found)), s.fail
}
