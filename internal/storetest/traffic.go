package storetest

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/message"
)

var _ fraud.StatsReader = (*Store)(nil)

// Traffic implements fraud.StatsReader.
func (s *Store) Traffic(_ context.Context, since, until time.Time) ([]fraud.Traffic, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]fraud.Traffic{}
	counted := map[string]bool{}
	for _, t := range s.texts {
		if !t.isCode() || !t.CreatedAt.After(micro(since)) || t.CreatedAt.After(micro(until)) {
			continue
		}
		code := t.To.CallingCode()
		traffic := found[code]
		traffic.CallingCode = code
		traffic.Texts++
		if t.state == message.TextSent {
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
