package claim_test

import (
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/claim"
	"github.com/holdline/holdline/claim/claimtest"
)

const (
	home = "192.0.2.1"
	away = "198.51.100.7"
)

// desk is a set of clients, what they stand on, and a clock that stands still.
type desk struct {
	*claim.Clients
	t       *testing.T
	store   *claimtest.Tokens
	limiter *claimtest.Limiter
	mu      sync.Mutex
	now     time.Time
}

func newDesk(t *testing.T, configured ...claim.Token) *desk {
	t.Helper()
	d := &desk{t: t, store: &claimtest.Tokens{}, limiter: &claimtest.Limiter{}, now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	d.Clients = d.replica(configured...)
	return d
}

// replica is another process on the same store.
func (d *desk) replica(configured ...claim.Token) *claim.Clients {
	return claim.NewClients(claim.ClientOptions{
		Tokens: d.store, Configured: configured, Limiter: d.limiter, HashKey: []byte("key"),
		Failures: claim.Allowance{Most: 3, Window: time.Hour}, Now: d.clock, Log: slog.New(slog.DiscardHandler),
	})
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) wait(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

// token keeps a new token and returns its text.
func (d *desk) token(name string) string {
	d.t.Helper()
	text := mint()
	t, err := claim.NewToken(name, claim.DigestToken(text), claim.Scopes(), false, d.clock())
	if err == nil {
		err = d.store.Create(d.t.Context(), t, t.Event(claim.TokenCreated, claim.Actor{}, d.clock()))
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return text
}

func (d *desk) revoke(name string) {
	d.t.Helper()
	if err := d.store.Revoke(d.t.Context(), name, claim.Event{At: d.clock()}); err != nil {
		d.t.Fatal(err)
	}
}

// want asks from an address and wants the client of this name, or an error.
func (d *desk) want(clients *claim.Clients, text, address, name string, want error) {
	d.t.Helper()
	got, err := clients.Client(d.t.Context(), text, address)
	if got.Name != name || !errors.Is(err, want) {
		d.t.Errorf("got %q, %v, want %q, %v", got.Name, err, name, want)
	}
}

func TestClientsOfBothKinds(t *testing.T) {
	file, err := claim.NewToken("file", claim.DigestToken("an own choice"), []claim.Scope{claim.ScopeSCIMRead}, true, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, file)
	okta, entra := d.token("okta"), d.token("entra")
	d.want(d.Clients, okta, home, "okta", nil)
	d.want(d.Clients, entra, home, "entra", nil)
	d.want(d.Clients, "an own choice", home, "file", nil)
	for _, wrong := range []string{"", "hlt_", mint(), "An own choice"} {
		d.want(d.Clients, wrong, wrong, "", claim.ErrNoToken)
	}
	got, err := d.Client(t.Context(), "an own choice", home)
	if diff := cmp.Diff(file, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for text, want := range map[string]bool{
		okta: true, "an own choice": true, "hlt_nonsense": true, mint(): true,
		"ory_st_token": false, "": false, "hlt_": false, "hl": false,
	} {
		if got := d.Recognises(text); got != want {
			t.Errorf("recognises %q: %t", text, got)
		}
	}
}

func TestRevocationReachesEveryReplicaWithinFiveSeconds(t *testing.T) {
	d := newDesk(t)
	okta, other := d.token("okta"), d.replica()
	d.want(d.Clients, okta, home, "okta", nil)
	d.wait(2 * time.Second)
	d.want(other, okta, home, "okta", nil)
	d.revoke("okta")
	d.want(d.replica(), okta, home, "", claim.ErrNoToken)
	d.wait(5*time.Second - time.Microsecond)
	d.want(d.Clients, okta, home, "", claim.ErrNoToken)
	d.wait(time.Microsecond)
	d.want(other, okta, home, "", claim.ErrNoToken)
}

func TestLooksAreSpared(t *testing.T) {
	d := newDesk(t)
	okta := d.token("okta")
	for range 100 {
		d.want(d.Clients, okta, home, "okta", nil)
		d.wait(100 * time.Millisecond)
	}
	if got := d.store.Looks(); got != 2 {
		t.Errorf("looked %d times in ten seconds, want 2", got)
	}
}

func TestWrongTokensAreLimitedByAddress(t *testing.T) {
	d := newDesk(t)
	okta := d.token("okta")
	for _, wrong := range []string{mint(), "malformed", mint()} {
		d.want(d.Clients, wrong, away, "", claim.ErrNoToken)
	}
	looks := d.store.Looks()
	d.want(d.Clients, mint(), away, "", claim.ErrTooManyTries)
	d.want(d.Clients, okta, away, "", claim.ErrTooManyTries) // unknown here: it could be a guess
	d.want(d.replica(), mint(), away, "", claim.ErrTooManyTries)
	if got := d.store.Looks(); got != looks {
		t.Errorf("%d guesses were compared at the limit", got-looks)
	}
	d.want(d.Clients, okta, home, "okta", nil)
	d.want(d.Clients, okta, away, "okta", nil) // known to be good
	d.wait(10 * time.Second)
	d.want(d.Clients, okta, away, "okta", nil)
	d.wait(20 * time.Minute)
	d.want(d.Clients, mint(), away, "", claim.ErrNoToken)
	d.want(d.Clients, mint(), away, "", claim.ErrTooManyTries)
}

func TestManyGuessesAtOnceAreCounted(t *testing.T) {
	d := newDesk(t)
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() { _, _ = d.Client(t.Context(), mint(), away) })
	}
	wait.Wait()
	if got := d.store.Looks(); got != 3 {
		t.Errorf("%d guesses were compared, want 3", got)
	}
}

func TestRightTokensCostNoTries(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		d.want(d.Clients, d.token(name), home, name, nil)
	}
}

func TestUseIsNotedOnceAMinute(t *testing.T) {
	d := newDesk(t)
	okta := d.token("okta")
	began := d.clock()
	wantUsed := func(want time.Duration) {
		t.Helper()
		list, err := d.store.List(t.Context())
		if err != nil || len(list) != 1 || !list[0].LastUsed.Equal(began.Add(want)) {
			t.Errorf("got %+v, %v, want %v", list, err, want)
		}
	}
	for _, step := range []struct{ at, want time.Duration }{
		{0, 0}, {1, 0}, {59 * time.Second, 0}, {time.Minute, time.Minute}, {119 * time.Second, time.Minute}, {time.Hour, time.Hour},
	} {
		d.wait(began.Add(step.at).Sub(d.clock()))
		d.want(d.Clients, okta, home, "okta", nil)
		wantUsed(step.want)
	}
	d.wait(30 * time.Second)
	d.want(d.replica(), okta, home, "okta", nil) // another process sees that it was noted
	wantUsed(time.Hour)
}

func TestAStoreThatIsAwayIsNoWrongToken(t *testing.T) {
	file := claim.Token{Name: "file", Digest: claim.DigestToken("an own choice")}
	d := newDesk(t, file)
	okta := d.token("okta")
	d.want(d.Clients, okta, home, "okta", nil)
	d.store.Fail(claim.ErrStoreAway)
	d.want(d.Clients, okta, home, "okta", nil)
	d.wait(5 * time.Second)
	d.want(d.Clients, "an own choice", home, "file", nil)
	for range 5 { // more than the limit has
		d.want(d.Clients, okta, home, "", claim.ErrStoreAway)
		d.want(d.Clients, mint(), home, "", claim.ErrStoreAway)
	}
	d.store.Fail(nil)
	d.want(d.Clients, okta, home, "okta", nil)
	d.limiter.Fail(claim.ErrStoreAway)
	d.want(d.Clients, mint(), home, "", claim.ErrStoreAway)
}
