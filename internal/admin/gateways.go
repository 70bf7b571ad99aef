package admin

import (
	"context"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/statistics"
)

// Gateway is what this process knows of an SMS gateway since it started, and what all of them have
// sent by it.
type Gateway struct {
	ID           string
	State        string // closed, open, half-open or resting
	RestingUntil time.Time
	InFlight     int

	Sent, Refused, Failed uint64

	LastReason string // of the last answer that was not sent; nothing secret
	LastAt     time.Time

	Day statistics.Counts // of the last 24 hours, over all replicas
}

// Gateways are all gateways, in order of preference, and what waits for them.
type Gateways struct {
	Gateways []Gateway
	Waiting  Waiting
	Oldest   time.Duration // how long the oldest text has waited; zero for none
}

const day = 24 * time.Hour

// FindGateways returns all gateways.
func (d *Service) FindGateways(ctx context.Context) (Gateways, error) {
	now := d.Now()
	hours, err := d.Statistics.Hours(ctx, now.Add(-day), now)
	if err != nil {
		return Gateways{}, err
	}
	sums := map[string]*statistics.Counts{}
	for _, hour := range hours {
		if id, ok := hour.Subject.Gateway(); ok {
			if sums[id] == nil {
				sums[id] = &statistics.Counts{}
			}
			sums[id].Add(hour.Counts)
		}
	}
	found := Gateways{Gateways: slices.Clone(d.Gateways())}
	for i, g := range found.Gateways {
		if sum := sums[g.ID]; sum != nil {
			found.Gateways[i].Day = *sum
		}
	}
	if found.Waiting, err = d.Store.Waiting(ctx); err == nil && found.Waiting.Queued > 0 {
		found.Oldest = max(0, now.Sub(found.Waiting.OldestText)).Truncate(time.Second)
	}
	return found, err
}
