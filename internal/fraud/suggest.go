package fraud

import (
	"cmp"
	"slices"
	"time"
)

// Seen is what became of the changes to numbers of one calling code in a while.
type Seen struct {
	CallingCode string
	Requested   int // changes that were asked for, each with a text at least
	Confirmed   int // changes whose code came back
	Busiest     int // most that were asked for in one hour
}

// Missing is why nothing is suggested.
type Missing string

// Why nothing is suggested.
const (
	MissingDays    Missing = "few_days"    // not seen for long enough
	MissingTraffic Missing = "few_changes" // too few were confirmed to judge by
	MissingNothing Missing = "nothing_to_restrict"
)

// What a suggestion is made of.
const (
	// SuggestFrom is how far back is looked.
	SuggestFrom = 30 * 24 * time.Hour
	// leastDays and leastConfirmed are what a suggestion needs: two weekends show what is usual.
	leastDays      = 7
	leastConfirmed = 100
	// coverPercent is how much of what was confirmed goes on.
	coverPercent = 98
	// unsoundRequests at one calling code, of which fewer than unsoundPercent were confirmed, look like
	// texts that somebody earns by.
	unsoundRequests = 20
	unsoundPercent  = 5
	// budgetRoom is how many times the busiest hour fits into the budget, and leastBudget is for those
	// who had hardly any.
	budgetRoom  = 3
	leastBudget = 50
)

// Suggestion is what traffic control might be set to, judged by what was seen.
type Suggestion struct {
	// Missing is why Allow is empty; blank where it is not.
	Missing Missing
	Days    int // how long the counts go back, at most 30
	// Confirmed is how many changes were confirmed to numbers that are served now, and Covered how many
	// of them to those of Allow.
	Confirmed, Covered int
	Allow              []Seen // enough of the busiest for 98 % of what was confirmed
	Others             []Seen // served now, and not among Allow
	Unsound            []Seen // served now, and asked for without anybody who confirms
	// Budget is an hour's texts to a calling code that nothing of what was confirmed would have
	// reached; 0 for no opinion.
	Budget int
}

// Percent is how many of a hundred confirmed changes are to numbers of Allow.
func (s Suggestion) Percent() int {
	if s.Confirmed == 0 {
		return 0
	}
	return 100 * s.Covered / s.Confirmed
}

// Suggest judges by what was seen at each calling code since a moment, at most [SuggestFrom] ago;
// served reports which of them are served now.
func Suggest(seen []Seen, since, now time.Time, served func(callingCode string) bool) Suggestion {
	s := Suggestion{Days: int(now.Sub(since) / (24 * time.Hour))}
	var all []Seen
	busiest := 0
	for _, code := range seen {
		if code.CallingCode == "" || !served(code.CallingCode) {
			continue
		}
		all = append(all, code)
		s.Confirmed += code.Confirmed
		if code.unsound() {
			s.Unsound = append(s.Unsound, code)
		} else {
			busiest = max(busiest, code.Busiest)
		}
	}
	slices.SortFunc(s.Unsound, func(a, b Seen) int {
		return cmp.Or(cmp.Compare(b.Requested, a.Requested), cmp.Compare(a.CallingCode, b.CallingCode))
	})
	slices.SortFunc(all, func(a, b Seen) int {
		return cmp.Or(cmp.Compare(b.Confirmed, a.Confirmed), cmp.Compare(b.Requested, a.Requested), cmp.Compare(a.CallingCode, b.CallingCode))
	})
	switch {
	case s.Days < leastDays:
		s.Missing = MissingDays
		return s
	case s.Confirmed < leastConfirmed:
		s.Missing = MissingTraffic
		return s
	}
	s.Budget = max(leastBudget, (budgetRoom*busiest+9)/10*10)
	least := 0
	for _, code := range all {
		// Who had as many as the last that is needed is not left out by the order of the alphabet.
		if code.Confirmed > 0 && (s.Covered*100 < coverPercent*s.Confirmed || code.Confirmed == least) {
			s.Allow = append(s.Allow, code)
			s.Covered += code.Confirmed
			least = code.Confirmed
			continue
		}
		s.Others = append(s.Others, code)
	}
	return s
}

// unsound reports whether much was asked for while nearly nobody confirmed.
func (s Seen) unsound() bool {
	return s.Requested >= unsoundRequests && s.Confirmed*100 < unsoundPercent*s.Requested
}
