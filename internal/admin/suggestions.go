package admin

import (
	"context"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/statistics"
)

// Statistics are counts by the hour. A [statistics.Store] is it.
type Statistics interface {
	Hours(ctx context.Context, since, until time.Time) ([]statistics.Hour, error)
	CallingCodes(ctx context.Context, since, until time.Time) ([]statistics.CodeTotal, error)
}

// Suggestion is what was seen, and what the lists of calling codes might be because of it.
type Suggestion struct {
	fraud.Suggestion
	// Allow is what mobile.allowed_calling_codes might be: of what is served now, enough for nearly all
	// who confirmed. Empty where the suggestion is missing.
	Allow []string
	// Deny is what mobile.denied_calling_codes might be: what it is, and the calling codes that much was
	// asked for and nearly nothing confirmed, but for those of Allow. Empty where there are none.
	Deny []string
	// Next is what both would make of what is served.
	Next phone.Restrictions
}

// Outside is who would no longer be served.
type Outside struct {
	Open      int // claims that wait for their code
	Confirmed int // changes that were confirmed since Since
	Since     time.Time
}

// Suggest returns what traffic control might be set to, judged by the last thirty days.
func (d *Service) Suggest(ctx context.Context) (Suggestion, error) {
	now, coverage := d.Now(), d.Coverage()
	totals, err := d.Statistics.CallingCodes(ctx, now.Add(-fraud.SuggestFrom), now.Add(time.Hour))
	if err != nil {
		return Suggestion{}, err
	}
	first, seen := now, make([]fraud.Seen, len(totals))
	for i, t := range totals {
		seen[i] = fraud.Seen{CallingCode: t.CallingCode, Requested: t.Requested, Confirmed: t.Confirmed, Busiest: t.Busiest}
		if t.First.Before(first) {
			first = t.First
		}
	}
	s := Suggestion{Suggestion: fraud.Suggest(seen, first, now, coverage.Serves)}
	codes := callingCodes(s.Suggestion.Allow)
	if s.Missing == "" {
		s.Allow = coverage.NarrowedTo(codes)
		if slices.Equal(s.Allow, slices.Sorted(slices.Values(coverage.Allowed))) {
			s.Missing, s.Allow = fraud.MissingNothing, nil
		}
	}
	denied := slices.DeleteFunc(callingCodes(s.Unsound), func(code string) bool { return slices.Contains(codes, code) })
	if len(denied) > 0 {
		s.Deny = coverage.DeniedWith(denied)
	}
	s.Next = coverage
	if len(s.Allow) > 0 {
		s.Next.Allowed = s.Allow
	}
	if len(s.Deny) > 0 {
		s.Next.Denied = s.Deny
	}
	return s, nil
}

func callingCodes(seen []fraud.Seen) []string {
	codes := make([]string, len(seen))
	for i, s := range seen {
		codes[i] = s.CallingCode
	}
	return codes
}

// Outside counts who is served now, and would not be with other restrictions.
func (d *Service) Outside(ctx context.Context, next phone.Restrictions) (Outside, error) {
	now := d.Coverage()
	outside := Outside{Since: d.Now().Add(-fraud.SuggestFrom)}
	beginnings, err := d.Store.Beginnings(ctx, max(now.Longest(), next.Longest()), outside.Since)
	for _, b := range beginnings {
		if now.ServesBeginning(b.Text) && !next.ServesBeginning(b.Text) {
			outside.Open += b.Open
			outside.Confirmed += b.Confirmed
		}
	}
	return outside, err
}
