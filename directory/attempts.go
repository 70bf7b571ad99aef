package directory

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/holdline/holdline/claim"
)

// recheck is when to try again if only tries that are under way are in the way.
const recheck = time.Second

// attempts limits wrong passwords: at most so many of a user within a window
// that slides. Tries under way count, so that many at once gain nothing. What is
// kept is bounded: the user seen longest ago is forgotten first.
type attempts struct {
	most   int
	window time.Duration

	mu    sync.Mutex
	users *simplelru.LRU[digest, *tries]
}

type tries struct {
	failed  []time.Time // oldest first, at most most
	running int
}

func newAttempts(most int, window time.Duration, users int) (*attempts, error) {
	kept, err := simplelru.NewLRU[digest, *tries](users, nil)
	return &attempts{most: most, window: window, users: kept}, err
}

// check tells whether the user may try at all.
func (a *attempts) check(user digest, now time.Time) error {
	if a.most <= 0 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if t, ok := a.users.Get(user); ok && a.recent(t, now) >= a.most {
		return a.limit(t.failed[0].Add(a.window))
	}
	return nil
}

// begin counts a try; each is followed by its end.
func (a *attempts) begin(user digest, now time.Time) error {
	if a.most <= 0 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.users.Get(user)
	if !ok {
		t = &tries{}
		a.users.Add(user, t)
	}
	switch recent := a.recent(t, now); {
	case recent >= a.most:
		return a.limit(t.failed[0].Add(a.window))
	case recent+t.running >= a.most:
		return a.limit(now.Add(recheck))
	}
	t.running++
	return nil
}

// end keeps a try that failed. A right password forgives nothing: else the owner
// who signs in would give a guesser new tries.
func (a *attempts) end(user digest, failed bool, now time.Time) {
	if a.most <= 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.users.Get(user)
	if !ok { // forgotten meanwhile
		t = &tries{running: 1}
		a.users.Add(user, t)
	}
	t.running = max(0, t.running-1)
	if failed {
		t.failed = append(t.failed, now)
	}
	if a.recent(t, now) == 0 && t.running == 0 {
		a.users.Remove(user)
	}
}

// recent drops what the window has left behind, and counts the rest.
func (a *attempts) recent(t *tries, now time.Time) int {
	for len(t.failed) > 0 && !now.Before(t.failed[0].Add(a.window)) {
		t.failed = t.failed[1:]
	}
	return len(t.failed)
}

func (a *attempts) limit(until time.Time) error {
	return &claim.LimitError{Reason: claim.ErrTooManyTries, Until: until}
}
